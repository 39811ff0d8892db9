//! The outbox: what is to be sent, written in the transaction that wants it sent.

use diesel::{
    dsl::{now, sql},
    prelude::*,
    sql_types::{Nullable, Timestamptz},
};
use tenantry_domain::{Mail, OutboxState, TenantId};
use uuid::Uuid;

use crate::schema::{outbox_messages, tenants};

/// Puts a message into the outbox and notes at the tenant that there is something to send.
pub(crate) fn insert(connection: &mut PgConnection, tenant: TenantId, mail: Mail) -> QueryResult<()> {
    diesel::insert_into(outbox_messages::table)
        .values((
            outbox_messages::tenant_id.eq(tenant.uuid()),
            outbox_messages::id.eq(Uuid::now_v7()),
            outbox_messages::kind.eq(mail.kind()),
            outbox_messages::subject_id.eq(mail.subject_id()),
        ))
        .execute(connection)?;
    diesel::update(tenants::table.filter(tenants::id.eq(tenant.uuid())))
        .set(tenants::mail_due_at.eq(sql::<Nullable<Timestamptz>>("least(mail_due_at, now())")))
        .execute(connection)?;
    Ok(())
}

/// Drops what is not sent yet of this mail, for which there is no more reason.
pub(crate) fn drop_pending(connection: &mut PgConnection, tenant: TenantId, mail: Mail) -> QueryResult<()> {
    diesel::update(
        outbox_messages::table
            .filter(outbox_messages::tenant_id.eq(tenant.uuid()))
            .filter(outbox_messages::subject_id.eq(mail.subject_id()).and(outbox_messages::kind.eq(mail.kind())))
            .filter(outbox_messages::state.eq(OutboxState::Pending.as_str())),
    )
    .set((outbox_messages::state.eq(OutboxState::Dropped.as_str()), outbox_messages::updated_at.eq(now)))
    .execute(connection)
    .map(drop)
}
