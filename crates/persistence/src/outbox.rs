//! The outbox: what is to be sent, written in the transaction that wants it sent, and claimed by whoever sends it.
//!
//! `tenants.mail_due_at` says above the tenants where there is something to do, and is never later than the first message
//! that is due. Who inserts a message lowers it; only [`WriteTx::note_mail_due`] raises it, under the lock of the tenant's row.

mod kept;

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};
use diesel::{
    dsl::{IntervalDsl, now, sql},
    expression::SqlLiteral,
    prelude::*,
    sql_types::{Bool, Nullable, Timestamptz},
};
use tenantry_domain::{
    Delivery, Error, InTenant, Mail, Noun, OutboxMessage, OutboxMessageId, OutboxState, Page, PageRequest, Platform,
    TenantId,
};
use uuid::Uuid;

use crate::{
    fault::{Fault, stored},
    keyset::{self, Keyset},
    prepared::Prepare,
    schema::{outbox_messages, tenants},
    scope::TenantScope,
    tenants::sends,
    tx::{Tx, WriteTx},
};

pub use self::kept::KeptMessage;

/// For how many minutes a message belongs to who has claimed it. Longer than any attempt to send it may take.
const LEASE_MINUTES: i32 = 2;

#[derive(HasQuery)]
#[diesel(table_name = outbox_messages)]
struct Row {
    id: Uuid,
    kind: String,
    subject_id: Uuid,
    state: String,
    attempts: i32,
    next_attempt_at: DateTime<Utc>,
    last_error: Option<String>,
    created_at: DateTime<Utc>,
}

impl Row {
    fn into_message(self) -> Result<OutboxMessage, Fault> {
        let mail = Mail::of(&self.kind, self.subject_id)
            .ok_or_else(|| Error::internal(format!("outbox_messages.kind holds {:?}, which is no mail", self.kind)))?;
        Ok(OutboxMessage {
            id: OutboxMessageId::from_uuid(self.id),
            mail,
            state: stored("outbox_messages.state", &self.state)?,
            attempts: self.attempts,
            next_attempt_at: self.next_attempt_at,
            last_error: self.last_error,
            created_at: self.created_at,
        })
    }
}

/// Which of the messages that are due is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// The newest that was never tried, so that who is invited now does not wait for what an outage has left; else as below.
    Newest,
    /// The one that was tried least, and of those the one that waits longest.
    LeastTried,
}

impl Keyset for outbox_messages::table {
    type Id = outbox_messages::id;
    type Name = outbox_messages::kind;
    type CreatedAt = outbox_messages::created_at;
    type UpdatedAt = outbox_messages::created_at;
}

impl Tx<'_, Platform> {
    /// The tenants whose outbox has something to do, those that wait longest first. A tenant that lets nobody in sends nothing.
    pub fn tenants_with_mail_due(&mut self, limit: i64) -> Result<Vec<TenantId>, Fault> {
        let ids: Vec<Uuid> = tenants::table
            .filter(tenants::mail_due_at.assume_not_null().le(now.into_sql::<Timestamptz>()))
            .filter(tenants::mail_due_at.is_not_null())
            .filter(sends())
            .order((tenants::mail_due_at, tenants::id))
            .limit(limit)
            .select(tenants::id)
            .load(self.connection)?;
        Ok(ids.into_iter().map(TenantId::from_uuid).collect())
    }
}

impl Tx<'_, InTenant> {
    /// A page of the outbox, of messages in this state or of all.
    pub fn outbox_messages(
        &mut self,
        state: Option<OutboxState>,
        page: &PageRequest,
    ) -> Result<Page<OutboxMessage>, Fault> {
        let mut query = Row::query().filter(outbox_messages::tenant_id.eq(self.found.uuid())).into_boxed();
        if let Some(state) = state {
            query = query.filter(outbox_messages::state.eq(state.as_str()));
        }
        let rows = keyset::page::<outbox_messages::table, _>(query, page).load(self.connection)?;
        Ok(Page::cut(rows.into_iter().map(Row::into_message).collect::<Result<_, _>>()?, page))
    }
}

impl WriteTx<'_, InTenant> {
    /// Claims a message that is due: nobody else is given it until it is marked, or for as long as a lease lasts. It counts as an
    /// attempt, also if whoever claimed it is never heard of again.
    ///
    /// Call it under [`WriteTx::lock_tenant`]: what a message is about changes under the same lock, so that neither a message is
    /// dropped nor a token replaced between here and the end of the transaction.
    pub fn claim_message(&mut self, pick: Pick) -> Result<Option<OutboxMessage>, Fault> {
        let due = || {
            outbox_messages::table
                .filter(outbox_messages::tenant_id.eq(self.found.uuid()))
                .filter(is_pending())
                .filter(outbox_messages::next_attempt_at.le(now.into_sql::<Timestamptz>()))
                .select(outbox_messages::id)
        };
        let (never_tried, least_tried) = (due().filter(outbox_messages::attempts.eq(0)), due());
        let mut id: Option<Uuid> = None;
        if pick == Pick::Newest {
            let newest = never_tried.order(outbox_messages::next_attempt_at.desc()).for_update().skip_locked();
            id = newest.first(self.connection).optional()?;
        }
        if id.is_none() {
            let first = (outbox_messages::attempts, outbox_messages::next_attempt_at);
            id = least_tried.order(first).for_update().skip_locked().first(self.connection).optional()?;
        }
        let Some(id) = id else { return Ok(None) };
        let row = diesel::update(this(self.found, OutboxMessageId::from_uuid(id)))
            .set((
                outbox_messages::attempts.eq(outbox_messages::attempts + 1),
                outbox_messages::next_attempt_at.eq(now.into_sql::<Timestamptz>() + LEASE_MINUTES.minutes()),
                outbox_messages::updated_at.eq(now),
            ))
            .returning(Row::as_returning())
            .get_result::<Row>(self.connection)?;
        row.into_message().map(Some)
    }

    /// The message was taken over by the mail server.
    pub fn mark_sent(&mut self, message: &OutboxMessage) -> Result<(), Fault> {
        // Also by somebody whose claim was given up meanwhile.
        self.mark(message, OutboxState::Sent, None)
    }

    /// There is no more reason to send the message.
    pub fn mark_dropped(&mut self, message: &OutboxMessage) -> Result<(), Fault> {
        self.mark(message, OutboxState::Dropped, None)
    }

    /// The message will never be taken.
    pub fn mark_dead(&mut self, message: &OutboxMessage, why: &str) -> Result<(), Fault> {
        self.mark(message, OutboxState::Dead, Some(why))
    }

    fn mark(&mut self, message: &OutboxMessage, state: OutboxState, why: Option<&str>) -> Result<(), Fault> {
        diesel::update(this(self.found, message.id).filter(is_pending()))
            .set((
                outbox_messages::state.eq(state.as_str()),
                why.map(|why| outbox_messages::last_error.eq(why)),
                outbox_messages::updated_at.eq(now),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// The attempt failed, and is repeated after the pause, unless somebody else has claimed the message meanwhile.
    pub fn mark_failed(&mut self, message: &OutboxMessage, why: &str, pause: Duration) -> Result<(), Fault> {
        let at = self.clock()? + pause;
        diesel::update(this(self.found, message.id).filter(is_pending()))
            .filter(outbox_messages::attempts.eq(message.attempts))
            .set((
                outbox_messages::next_attempt_at.eq(at),
                outbox_messages::last_error.eq(why),
                outbox_messages::updated_at.eq(now),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// Writes down when the outbox has something to do next: never, where nothing is pending. With `more`, it has right now.
    /// Either way it comes after the tenants that are waiting already.
    pub fn note_mail_due(&mut self, more: bool) -> Result<(), Fault> {
        // The lock first, and then what is seen under it: a message that is not seen was inserted by somebody who has not
        // lowered the time yet, and will.
        self.scope().lock_tenant()?;
        let next = match more {
            true => "now()",
            false => {
                "(SELECT greatest(min(next_attempt_at), now()) FROM outbox_messages
                  WHERE outbox_messages.tenant_id = tenants.id AND state = 'pending'
                  HAVING min(next_attempt_at) IS NOT NULL)"
            }
        };
        diesel::update(tenants::table.filter(tenants::id.eq(self.found.uuid())))
            .set(tenants::mail_due_at.eq(sql::<Nullable<Timestamptz>>(next)))
            .execute(self.connection)?;
        Ok(())
    }

    /// A message of the outbox, locked until the end of the transaction.
    pub fn lock_message(&mut self, id: OutboxMessageId) -> Result<OutboxMessage, Fault> {
        let row =
            this(self.found, id).select(Row::as_select()).for_update().first::<Row>(self.connection).optional()?;
        row.ok_or(Error::NotFound(Noun::OutboxMessage))?.into_message()
    }

    /// Has the message tried again from the start, and now.
    pub fn retry_message(&mut self, id: OutboxMessageId) -> Result<OutboxMessage, Fault> {
        let row = diesel::update(this(self.found, id))
            .set((
                outbox_messages::state.eq(OutboxState::Pending.as_str()),
                outbox_messages::attempts.eq(0),
                outbox_messages::next_attempt_at.eq(now),
                outbox_messages::updated_at.eq(now),
            ))
            .returning(Row::as_returning())
            .get_result::<Row>(self.connection)?;
        self.scope().lower_mail_due()?;
        self.due.emails = true;
        row.into_message()
    }
}

/// The one row of a message.
#[diesel::dsl::auto_type]
fn this(tenant: TenantId, id: OutboxMessageId) -> _ {
    let (tenant, id): (Uuid, Uuid) = (tenant.uuid(), id.uuid());
    outbox_messages::table.filter(outbox_messages::tenant_id.eq(tenant).and(outbox_messages::id.eq(id)))
}

/// Written out, because the planner must see it to take the index of what is pending.
fn is_pending() -> SqlLiteral<Bool> {
    sql("outbox_messages.state = 'pending'")
}

impl TenantScope<'_> {
    /// What has become of the newest email about each of these invitations that has one.
    pub(crate) fn deliveries(&mut self, invitations: &[Uuid]) -> Result<HashMap<Uuid, Delivery>, Fault> {
        type Found = (Uuid, String, Option<String>, DateTime<Utc>);
        let found: Vec<Found> = outbox_messages::table
            .filter(outbox_messages::tenant_id.eq(self.tenant.uuid()))
            .filter(outbox_messages::subject_id.eq_any(invitations))
            .distinct_on(outbox_messages::subject_id)
            .order((outbox_messages::subject_id, outbox_messages::created_at.desc(), outbox_messages::id.desc()))
            .select((
                outbox_messages::subject_id,
                outbox_messages::state,
                outbox_messages::last_error,
                outbox_messages::updated_at,
            ))
            .load(self.connection)?;
        found
            .into_iter()
            .map(|(id, state, error, since)| {
                Ok((id, Delivery::of(stored("outbox_messages.state", &state)?, error.as_deref(), since)))
            })
            .collect()
    }

    /// Puts a message into the outbox and notes at the tenant that there is something to send.
    pub(crate) fn insert_message(&mut self, mail: Mail) -> QueryResult<()> {
        diesel::insert_into(outbox_messages::table)
            .values((
                outbox_messages::tenant_id.eq(self.tenant.uuid()),
                outbox_messages::id.eq(Uuid::now_v7()),
                outbox_messages::kind.eq(mail.kind()),
                outbox_messages::subject_id.eq(mail.subject_id()),
            ))
            .prepared()
            .execute(self.connection)?;
        self.lower_mail_due()
    }

    fn lower_mail_due(&mut self) -> QueryResult<()> {
        diesel::update(tenants::table.filter(tenants::id.eq(self.tenant.uuid())))
            .set(tenants::mail_due_at.eq(sql::<Nullable<Timestamptz>>("least(mail_due_at, now())")))
            .prepared()
            .execute(self.connection)
            .map(drop)
    }

    /// Drops what is not sent of this mail, for which there is no more reason: also what is dead, which nobody then sends again.
    pub(crate) fn drop_unsent(&mut self, mail: Mail) -> QueryResult<()> {
        diesel::update(
            outbox_messages::table
                .filter(outbox_messages::tenant_id.eq(self.tenant.uuid()))
                .filter(outbox_messages::subject_id.eq(mail.subject_id()).and(outbox_messages::kind.eq(mail.kind())))
                .filter(sql::<Bool>("outbox_messages.state IN ('pending', 'dead')")),
        )
        .set((outbox_messages::state.eq(OutboxState::Dropped.as_str()), outbox_messages::updated_at.eq(now)))
        .execute(self.connection)
        .map(drop)
    }
}
