//! The audit log: one row for each write, in the transaction of the write.

use diesel::prelude::*;
use serde_json::Value;
use tenantry_domain::{Action, Actor, AuditEvent, Origin, TenantId};
use uuid::Uuid;

use crate::schema::audit_events;

#[derive(Insertable)]
#[diesel(table_name = audit_events)]
struct NewRow<'a> {
    tenant_id: Uuid,
    id: Uuid,
    action: &'a str,
    actor_type: &'a str,
    actor_id: String,
    subject_type: &'a str,
    subject_id: Uuid,
    changes: Value,
    request_id: Option<&'a str>,
    address: Option<String>,
}

pub(crate) fn insert(
    connection: &mut PgConnection,
    tenant: TenantId,
    action: Action,
    actor: &Actor,
    origin: &Origin,
    event: &AuditEvent,
) -> QueryResult<()> {
    let row = NewRow {
        tenant_id: tenant.uuid(),
        id: Uuid::now_v7(),
        action: action.rule().name,
        actor_type: actor.kind(),
        actor_id: actor.id(),
        subject_type: event.subject_type,
        subject_id: event.subject_id,
        changes: Value::Object(event.changes.clone()),
        request_id: origin.request_id.as_deref(),
        address: origin.address.map(|address| address.to_string()),
    };
    diesel::insert_into(audit_events::table).values(row).execute(connection).map(drop)
}
