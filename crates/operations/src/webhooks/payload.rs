//! What a receiver is sent.

use serde_json::{Value, json};
use tenantry_domain::{Noun, TenantId, time_text};
use tenantry_persistence::{DueDelivery, Subject};

/// How the API shows a thing. Who serves the API knows.
pub type ViewOf = fn(Subject) -> Value;

/// The body of a delivery: the event as the audit log has it, and what it is about as the API shows it now. Each field of it is something
/// that whoever may read the audit log can see, and no secret is among them.
pub(super) fn body(delivery: &DueDelivery, view: ViewOf) -> Value {
    let event = &delivery.event;
    // The platform's own has events about others.
    let about = match event.subject_type.parse() {
        Ok(Noun::Tenant) => TenantId::from_uuid(event.subject_id),
        _ => event.tenant_id,
    };
    json!({
        "id": event.id.uuid(),
        "type": event.action,
        "timestamp": time_text(event.occurred_at),
        "tenantId": about.uuid(),
        "data": {
            "actor": { "type": event.actor_type, "id": event.actor_id },
            "subject": {
                "type": event.subject_type,
                "id": event.subject_id,
                "state": delivery.subject.clone().map(view),
            },
            "changes": event.changes,
        },
    })
}
