//! Messages of the outbox that move to another database with their tenant.

use chrono::{DateTime, Utc};
use diesel::{dsl::min, prelude::*};
use tenantry_domain::{FieldRefusal, InTenant, OutboxMessage, OutboxMessageId};

use super::Row;
use crate::{
    fault::Fault,
    schema::{outbox_messages, tenants},
    transfer::refusal,
    tx::{Tx, WriteTx},
};

/// A message with when it last changed.
#[derive(Debug, Clone)]
pub struct KeptMessage {
    /// The message.
    pub message: OutboxMessage,
    /// When it changed.
    pub updated_at: DateTime<Utc>,
}

impl Tx<'_, InTenant> {
    /// Messages by id: the next ones after this.
    pub fn messages_after(&mut self, last: Option<OutboxMessageId>, limit: u16) -> Result<Vec<KeptMessage>, Fault> {
        let mut query = outbox_messages::table
            .filter(outbox_messages::tenant_id.eq(self.found.uuid()))
            .select((Row::as_select(), outbox_messages::updated_at))
            .into_boxed();
        if let Some(last) = last {
            query = query.filter(outbox_messages::id.gt(last.uuid()));
        }
        let rows: Vec<(Row, DateTime<Utc>)> =
            query.order(outbox_messages::id).limit(limit.into()).load(self.connection)?;
        let kept = |(row, updated_at): (Row, _)| Ok(KeptMessage { message: row.into_message()?, updated_at });
        rows.into_iter().map(kept).collect()
    }
}

impl WriteTx<'_, InTenant> {
    /// Stores messages as they were elsewhere. None is due before [`WriteTx::note_imported_mail`].
    pub fn import_messages(&mut self, messages: &[&KeptMessage]) -> Result<Option<FieldRefusal>, Fault> {
        let rows = messages.iter().map(|kept| {
            let KeptMessage { message, updated_at } = kept;
            (
                outbox_messages::tenant_id.eq(self.found.uuid()),
                outbox_messages::id.eq(message.id.uuid()),
                outbox_messages::kind.eq(message.mail.kind()),
                outbox_messages::subject_id.eq(message.mail.subject_id()),
                outbox_messages::state.eq(message.state.as_str()),
                outbox_messages::attempts.eq(message.attempts),
                outbox_messages::next_attempt_at.eq(message.next_attempt_at),
                outbox_messages::last_error.eq(message.last_error.as_deref()),
                outbox_messages::created_at.eq(message.created_at),
                outbox_messages::updated_at.eq(updated_at),
            )
        });
        let rows: Vec<_> = rows.collect();
        let stored = diesel::insert_into(outbox_messages::table).values(rows).execute(self.connection);
        refusal(stored, &[("outbox_messages_pkey", "id", "is the id of an earlier message")])
    }

    /// Notes when the first of the messages is due that were imported.
    pub fn note_imported_mail(&mut self) -> Result<(), Fault> {
        let pending =
            outbox_messages::table.filter(outbox_messages::tenant_id.eq(self.found.uuid()).and(super::is_pending()));
        let first: Option<DateTime<Utc>> =
            pending.select(min(outbox_messages::next_attempt_at)).first(self.connection)?;
        diesel::update(tenants::table.filter(tenants::id.eq(self.found.uuid())))
            .set(tenants::mail_due_at.eq(first))
            .execute(self.connection)?;
        Ok(())
    }
}
