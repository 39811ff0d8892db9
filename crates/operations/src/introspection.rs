//! What a credential may do, for other software that was shown it.

use tenantry_domain::{
    Credential, Denial, Error, Grant, KeyScope, Permissions, Question, Tenant, Unauthenticated, WorkspaceId,
};
pub use tenantry_persistence::Caller;
use tenantry_persistence::{Introspected, Store};

/// What there is to say of a credential.
#[derive(Debug)]
pub enum Introspection {
    /// It is good.
    Active(Box<Active>),
    /// It is good, and its tenant is suspended: nothing is allowed.
    Suspended,
    /// It is not, for a reason that nobody is told.
    Inactive,
}

/// A credential that is good.
#[derive(Debug)]
pub struct Active {
    /// Its tenant.
    pub tenant: Tenant,
    /// Whose it is.
    pub caller: Caller,
    /// What it carries of Tenantry's scopes, and the declared permissions that it has.
    pub scopes: Vec<String>,
    /// An answer for each question, in their order.
    pub answers: Vec<Result<(), Denial>>,
}

/// Asks for a credential that somebody else was shown. It is a use of the credential, and counts for no limit of its tenant.
///
/// # Errors
///
/// `Unavailable` and `Overloaded`: then nothing is known.
pub async fn introspect(store: &Store, shown: &Credential, questions: &[Question]) -> Result<Introspection, Error> {
    let mut places: Vec<WorkspaceId> = questions.iter().filter_map(|question| question.workspace).collect();
    places.sort_unstable_by_key(|id| id.uuid());
    places.dedup();
    let Introspected { tenant, caller, grant, seen } = match store.introspect(shown, places.clone()).await {
        Ok(introspected) => introspected,
        Err(Error::Unauthenticated(Unauthenticated::Suspended)) => return Ok(Introspection::Suspended),
        Err(Error::Unauthenticated(_)) => return Ok(Introspection::Inactive),
        Err(error) => return Err(error),
    };
    let permissions = store.permissions();
    let sees = |place: &WorkspaceId| {
        let at = places.binary_search_by_key(&place.uuid(), |id| id.uuid());
        at.is_ok_and(|at| seen.get(at).copied().unwrap_or(false))
    };
    let answer =
        |question: &Question| question.answer(&grant, permissions, question.workspace.as_ref().is_some_and(sees));
    let answers = questions.iter().map(answer).collect();
    Ok(Introspection::Active(Box::new(Active { tenant, caller, scopes: scopes(&grant, permissions), answers })))
}

/// What counts: a declared permission only where the grant has it, so that who reads the list need not ask for each.
fn scopes(grant: &Grant, permissions: &Permissions) -> Vec<String> {
    let carried = match grant {
        Grant::Scopes { scopes, .. } => scopes.as_slice(),
        _ => &[],
    };
    let own = carried.iter().filter(|scope| matches!(scope, KeyScope::Own(_))).map(ToString::to_string);
    own.chain(permissions.of(grant).map(|permission| permission.name.to_string())).collect()
}
