//! How much waits in the outbox, for metrics.

use chrono::{DateTime, Utc};
use diesel::{
    dsl::{count_star, min},
    prelude::*,
};
use tenantry_domain::{InTenant, OutboxState, Platform, TenantId};
use uuid::Uuid;

use crate::{
    fault::Fault,
    schema::{outbox_messages, tenants},
    tenants::sends,
    tx::Tx,
};

/// Messages that are pending.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// How many.
    pub messages: u64,
    /// When the oldest of them was written.
    pub oldest: Option<DateTime<Utc>>,
}

impl Waiting {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let oldest = [self.oldest, other.oldest].into_iter().flatten().min();
        Self { messages: self.messages + other.messages, oldest }
    }
}

impl Tx<'_, Platform> {
    /// The tenants that have something in the outbox, due or not, those that wait longest first. A tenant that lets nobody in sends
    /// nothing, so its messages wait for no worker.
    pub fn tenants_with_mail_waiting(&mut self, limit: i64) -> Result<Vec<TenantId>, Fault> {
        let ids: Vec<Uuid> = tenants::table
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
    /// What is pending in the outbox of this tenant.
    pub fn mail_waiting(&mut self) -> Result<Waiting, Fault> {
        let (messages, oldest): (i64, Option<DateTime<Utc>>) = outbox_messages::table
            .filter(outbox_messages::tenant_id.eq(self.found.uuid()))
            .filter(outbox_messages::state.eq(OutboxState::Pending.as_str()))
            .select((count_star(), min(outbox_messages::created_at)))
            .first(self.connection)?;
        Ok(Waiting { messages: messages.unsigned_abs(), oldest })
    }
}
