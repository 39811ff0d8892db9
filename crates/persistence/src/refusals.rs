//! Attempts of known actors that were refused: noted beside the requests, and written into the audit log of their tenant.
//!
//! One entry for each actor and action in an hour, however often it is tried and by however many replicas: an actor who is refused
//! in a loop fills nobody's log.

use chrono::Utc;
use diesel::PgConnection;
use sha2::{Digest, Sha256};
use tenantry_domain::{Action, Actor, AuditEvent, AuditEventId, Credential, Error, Fields, Noun, Origin, TenantId};

use crate::{
    admission::Learned,
    fault::{Fault, Kind},
    notes::{Note, Notes},
    scope::TenantScope,
};

/// An attempt that was refused.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Refusal {
    tenant: TenantId,
    actor: Actor,
    action: Action,
    /// In which hour since 1970.
    hour: i64,
}

impl Refusal {
    /// The same id for the same attempt, so that the database keeps one of those that several replicas noted. It begins with its hour,
    /// as the ids of all events begin with their time.
    fn id(&self) -> AuditEventId {
        let Self { tenant, actor, action, hour } = self;
        let digest = Sha256::digest(format!("{tenant} {} {} {} {hour}", actor.kind(), actor.id(), action.rule().name));
        let mut bytes = [0; 10];
        bytes.iter_mut().zip(digest).for_each(|(byte, of)| *byte = of);
        let millis = u64::try_from(hour * 3_600_000).unwrap_or_default();
        AuditEventId::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid())
    }
}

/// The first of these attempts.
pub(crate) struct First {
    origin: Origin,
    event: AuditEvent,
}

impl Note for Refusal {
    type More = First;

    const AT_MOST: usize = 10_000;
    const WHAT: &'static str = "attempts that were refused";

    fn tenant(&self) -> TenantId {
        self.tenant
    }

    fn write(connection: &mut PgConnection, tenant: TenantId, refusals: &[&(Self, First)]) -> Result<(), Fault> {
        let mut scope = TenantScope { tenant, connection };
        refusals.iter().try_for_each(|(refusal, First { origin, event })| {
            scope.insert_audit_event_once(Action::AttemptRefuse, &refusal.actor, origin, event)
        })
    }
}

impl Notes<Refusal> {
    /// Notes this outcome of a visit, if it is a refusal of somebody whom the tenant knows.
    pub(crate) fn tell(&self, credential: &Credential, action: Action, learned: &mut Learned, fault: Option<&Fault>) {
        let Some(Fault(Kind::Refused(error))) = fault else { return };
        let (Some(tenant), Some(stood)) = (credential.tenant(), learned.stood.take()) else { return };
        let scope = match error {
            Error::Forbidden { scope, .. } => scope.as_ref(),
            Error::NotFound(_) if stood.beyond => None,
            _ => return,
        };
        let refusal = Refusal { tenant, actor: stood.actor, action, hour: Utc::now().timestamp().div_euclid(3600) };
        self.note(refusal, |refusal| {
            let tried = Fields::new().with("action", action.rule().name).with("scope", scope.map(ToString::to_string));
            let (subject_type, subject_id) = stood.at.unwrap_or((Noun::Tenant, tenant.uuid()));
            let event = AuditEvent {
                id: Some(refusal.id()),
                subject_type,
                subject_id,
                changes: Fields::new().changes_to(&tried),
            };
            First { origin: credential.origin.clone(), event }
        });
    }
}
