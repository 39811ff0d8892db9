//! What a caller is shown of the audit log.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use tenantry_domain::{ACTOR_KINDS, AuditRecord, Choice, Noun, POLICY};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{api::millis, extract::List, schema::open_list};

/// An entry of the audit log: who did what, and to what. It is stored together with the change and is never modified.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditEvent)]
pub(crate) struct AuditEventView {
    /// Unique identifier.
    #[schema(example = "0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48")]
    id: Uuid,
    /// The tenant whose log contains the event.
    #[schema(example = "a0b1c2d3-4567-49ab-8def-0123456789ab")]
    tenant_id: Uuid,
    /// When it happened.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-03-01T16:45:00.000Z")]
    occurred_at: DateTime<Utc>,
    /// What was done.
    #[schema(value_type = AuditAction)]
    action: String,
    /// Who did it.
    actor: Actor,
    /// What it was done to.
    subject: Subject,
    /// Each changed field by its name, with its value before and after. Never a secret.
    #[schema(
        value_type = BTreeMap<String, AuditChange>,
        example = json!({ "name": { "before": "DACH", "after": "DACH Region" } })
    )]
    changes: Value,
    /// The id of the request, as in the service's log.
    #[schema(required, example = "0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48")]
    request_id: Option<String>,
    /// The IP address that the request came from.
    #[schema(required, example = "192.0.2.7")]
    address: Option<String>,
}

/// A changed field.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the log stores changes as JSON; this describes it")]
pub(crate) struct AuditChange {
    /// The value before the change. `null` if there was none.
    #[schema(example = json!("DACH"))]
    before: Value,
    /// The value after the change. `null` if there is none.
    #[schema(example = json!("DACH Region"))]
    after: Value,
}

open_list! {
    /// What was done.
    pub(crate) struct AuditAction: POLICY.iter().filter(|rule| !rule.subjects.is_empty()).map(|rule| rule.name)
}

open_list! {
    /// The kind of actor.
    pub(crate) struct AuditActorType: ACTOR_KINDS
}

open_list! {
    /// The kind of object.
    pub(crate) struct AuditSubjectType: Noun::ALL.iter().map(|(_, word)| *word)
}

/// Who made the change.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditActor)]
pub(crate) struct Actor {
    /// The kind of actor.
    #[serde(rename = "type")]
    #[schema(value_type = AuditActorType)]
    kind: String,
    /// The id of a member or API key, or the name of an operator or job.
    #[schema(example = "e1a2b3c4-5678-4abc-9ef0-1234567890ab")]
    id: String,
}

/// What was changed.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditSubject)]
pub(crate) struct Subject {
    /// The kind of object.
    #[serde(rename = "type")]
    #[schema(value_type = AuditSubjectType)]
    kind: String,
    /// The id of the object.
    #[schema(example = "c1a2b3c4-5678-4abc-9ef0-1234567890ab")]
    id: Uuid,
}

impl From<AuditRecord> for AuditEventView {
    fn from(record: AuditRecord) -> Self {
        Self {
            id: record.id.uuid(),
            tenant_id: record.tenant_id.uuid(),
            occurred_at: record.occurred_at,
            action: record.action,
            actor: Actor { kind: record.actor_type, id: record.actor_id },
            subject: Subject { kind: record.subject_type, id: record.subject_id },
            changes: record.changes,
            request_id: record.request_id,
            address: record.address,
        }
    }
}

/// A page of them.
pub(crate) type AuditEventList = List<AuditEventView>;
