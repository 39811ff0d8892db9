//! What a caller is shown of the audit log.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use tenantry_domain::AuditRecord;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{api::millis, extract::List};

/// An entry of the audit log: who did what to what. It is written together with what it tells of, and never changed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditEvent)]
pub(crate) struct AuditEventView {
    /// Unique identifier.
    #[schema(example = "0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48")]
    id: Uuid,
    /// The tenant in whose log it stands.
    #[schema(example = "a0b1c2d3-4567-49ab-8def-0123456789ab")]
    tenant_id: Uuid,
    /// When.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-03-01T16:45:00.000Z")]
    occurred_at: DateTime<Utc>,
    /// What was done.
    #[schema(example = "workspace.update")]
    action: String,
    /// Who did it.
    actor: Actor,
    /// What it was done to.
    subject: Subject,
    /// Each member that changed, with what it was `before` and `after`; never a secret.
    #[schema(value_type = Object, example = json!({ "name": { "before": "DACH", "after": "DACH Region" } }))]
    changes: Value,
    /// The request it was done in, as the service's log knows it.
    #[schema(required, example = "0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48")]
    request_id: Option<String>,
    /// The address that request came from.
    #[schema(required, example = "192.0.2.7")]
    address: Option<String>,
}

/// Who did something.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditActor)]
pub(crate) struct Actor {
    /// `api_key`, `member`, `operator`, `platform` or `job`.
    #[serde(rename = "type")]
    #[schema(example = "member")]
    kind: String,
    /// The id of a member or an API key; the name of an operator or a job.
    #[schema(example = "e1a2b3c4-5678-4abc-9ef0-1234567890ab")]
    id: String,
}

/// What something was done to.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditSubject)]
pub(crate) struct Subject {
    /// What kind of thing.
    #[serde(rename = "type")]
    #[schema(example = "workspace")]
    kind: String,
    /// Which one.
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
