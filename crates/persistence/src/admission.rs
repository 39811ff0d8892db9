//! Whom the door lets in: the actor behind a credential, what it was given here, and what the policy says.

use diesel::PgConnection;
use tenantry_domain::{Action, Actor, ApiKeyId, Credential, Error, Grant, Holder, Noun, Unauthenticated, permit};
use uuid::Uuid;

use crate::{
    door::Access,
    due::Due,
    fault::{Fault, Kind},
    places::{Found, Known, Place, Sight, Visitor},
    seats::{Lately, Recognised},
    tx::{Rules, Tx, WriteTx},
};

/// What the door learns of a credential while it lets it in.
#[derive(Default)]
pub(crate) struct Learned {
    /// The tenant knows it, and this is what it may do.
    pub(crate) recognised: Option<Lately>,
    /// Its last use on record is some time ago.
    pub(crate) stale_key: Option<ApiKeyId>,
    /// It stood there, in the tenant that knows it.
    pub(crate) stood: Option<Stood>,
}

/// Where an actor stood whom the tenant knows.
pub(crate) struct Stood {
    pub(crate) actor: Actor,
    /// At which thing in the tenant; `None` at the tenant itself.
    pub(crate) at: Option<(Noun, Uuid)>,
    /// The thing is beyond the actor's reach: to them it is not there.
    pub(crate) beyond: bool,
}

impl Learned {
    /// Lets everybody know what this visit has found out about the credential.
    pub(crate) fn tell(&self, recognised: &Recognised, credential: &Credential, fault: Option<&Fault>) {
        match (self.recognised, fault) {
            (Some(lately), _) => recognised.remember(credential, lately),
            (None, Some(Fault(Kind::Refused(Error::Unauthenticated(_))))) => recognised.forget(credential),
            _ => {}
        }
    }
}

/// Why a credential of no tenant cannot stand in one: what the door answers it, for who must know before the door.
pub fn nowhere(credential: &Credential, action: Action) -> Error {
    match credential.holder {
        // Its key is good. What it may not do is said as to anybody else.
        Holder::Platform { .. } => permit(&Grant::Platform, action)
            .err()
            .unwrap_or_else(|| Error::forbidden("A platform key cannot access the data of a tenant.")),
        _ => Error::Unauthenticated(Unauthenticated::Invalid),
    }
}

/// Finds actor, place and grant, and asks the policy.
pub(crate) fn admit<'c, P: Place>(
    connection: &'c mut PgConnection,
    (credential, rules): (&'c Credential, &'c Rules),
    (place, action, access): (P, Action, Access),
    learned: &mut Learned,
) -> Result<WriteTx<'c, P>, Fault> {
    let sight = place.find(connection, &Visitor::of(credential))?;
    let (is_frozen, is_deleted) = sight
        .as_ref()
        .map(|sight| (sight.known.tenant.is_frozen(), sight.known.tenant.is_deleted()))
        .unwrap_or_default();
    let (actor, grant, found) = judge(credential, sight, (P::NOUN, action), learned)?;
    // Last, so that nobody learns of it who may not do this anyway.
    if is_frozen && access.writes() && !action.goes_on_frozen() {
        return Err(Error::TenantFrozen.into());
    }
    let from_above = matches!(credential.holder, Holder::Platform { .. } | Holder::Operator { .. });
    if is_deleted && from_above && access.writes() && !action.goes_on_frozen() {
        return Err(Error::tenant_deleted().into());
    }
    Ok(WriteTx { tx: Tx { connection, actor, grant, found }, action, credential, rules, due: Due::default() })
}

/// Who it is, what they have been given, and the place: 401 before 404 before 403.
pub(crate) fn judge<F: Found>(
    credential: &Credential,
    sight: Option<Sight<F>>,
    (noun, action): (Noun, Action),
    learned: &mut Learned,
) -> Result<(Actor, Grant, F), Fault> {
    let (known, found) = sight.map_or((None, None), |sight| (Some(sight.known), sight.found));
    let (actor, grant) = recognise(credential, known.as_ref(), learned)?;
    let at = found.as_ref().and_then(Found::is_at);
    let beyond = found.as_ref().is_some_and(|found| !found.visible(grant.reach()));
    learned.stood = Some(Stood { actor: actor.clone(), at, beyond });
    let found = found.filter(|_| !beyond).ok_or(Error::NotFound(noun))?;
    permit(&grant, action)?;
    Ok((actor, grant, found))
}

fn recognise(credential: &Credential, known: Option<&Known>, learned: &mut Learned) -> Result<(Actor, Grant), Fault> {
    let refused = |why| Err(Error::Unauthenticated(why).into());
    // Whoever needs no credential of the tenant may hear that there is no such tenant.
    let known = known.ok_or(Error::NotFound(Noun::Tenant));
    match &credential.holder {
        Holder::ApiKey { .. } => match known {
            Ok(Known { key: Some(key), tenant, .. }) if !tenant.is_deleted() => {
                if tenant.is_suspended() {
                    return refused(Unauthenticated::Suspended);
                }
                let recognised = Some(Lately { rate: tenant.request_rate()? });
                *learned = Learned { recognised, stale_key: key.is_stale().then(|| key.id()), stood: None };
                Ok((Actor::ApiKey(key.id()), key.grant()))
            }
            _ => refused(Unauthenticated::Invalid),
        },
        Holder::Member { person, .. } => match known {
            Ok(Known { member: Some(member), tenant, .. }) if !tenant.is_deleted() => {
                if tenant.is_suspended() {
                    return refused(Unauthenticated::Suspended);
                }
                learned.recognised = Some(Lately { rate: tenant.request_rate()? });
                Ok((Actor::Member(member.id()), Grant::Role { member: member.id(), role: member.role()? }))
            }
            unknown => {
                // The caller is not told: it is for whoever looks after the issuer's settings.
                let reason = match unknown {
                    Err(_) => "there is no tenant with the id in it",
                    Ok(known) if known.tenant.is_deleted() => "its tenant is deleted",
                    Ok(_) => "no active member of the tenant has its issuer and subject",
                };
                tracing::info!(reason, iss = person.issuer.as_str(), "refused an access token");
                refused(Unauthenticated::Token)
            }
        },
        Holder::Platform { key, .. } => {
            known.map(|_| (Actor::Platform(key.clone()), Grant::Platform)).map_err(Fault::from)
        }
        Holder::Operator { name, .. } => {
            known.map(|_| (Actor::Operator(name.as_str().to_owned()), Grant::Operator)).map_err(Fault::from)
        }
        Holder::Job { name, .. } => known.map(|_| (Actor::Job(name), Grant::Job)).map_err(Fault::from),
    }
}
