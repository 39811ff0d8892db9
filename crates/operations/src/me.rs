//! Who the caller is, in the eyes of the tenant.

use tenantry_domain::{Action, Actor, ApiKey, Credential, Error, InTenant, Member, Tenant};
use tenantry_persistence::Store;

/// The caller, its tenant and how much of it the caller sees.
#[derive(Debug)]
pub struct Me {
    /// The tenant.
    pub tenant: Tenant,
    /// Who it is.
    pub caller: Caller,
    /// How many workspaces it sees.
    pub visible_workspaces: i64,
}

/// Whom a tenant lets in.
#[derive(Debug)]
pub enum Caller {
    /// A machine, by this key.
    ApiKey(ApiKey),
    /// A person: this member.
    Member(Member),
}

/// Who the caller is.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn show(store: &Store, credential: &Credential) -> Result<Me, Error> {
    store
        .read(credential, InTenant, Action::MeRead, |tx| {
            let caller = match *tx.actor() {
                Actor::ApiKey(id) => Caller::ApiKey(tx.api_key(id)?),
                Actor::Member(id) => Caller::Member(tx.member_with_id(id)?),
                _ => return Err(Error::forbidden("Only members and API keys of a tenant can do this.").into()),
            };
            let (tenant, visible_workspaces) = tx.tenant_and_reached()?;
            Ok(Me { tenant, caller, visible_workspaces })
        })
        .await
}
