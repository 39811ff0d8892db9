//! Deliveries: which webhook is to be told of which event, and what became of it. Whoever writes an event writes its deliveries.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::{
    dsl::sql,
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_query,
    sql_types::{Bool, Text, Timestamptz, Uuid as SqlUuid},
};
use tenantry_domain::{
    Action, AuditRecord, Error, InTenant, Noun, Page, PageRequest, WebhookDelivery, WebhookDeliveryId,
    WebhookDeliveryState, WebhookId,
};
use uuid::Uuid;

use crate::{
    fault::{Fault, stored},
    keyset::{self, Keyset},
    schema::webhook_deliveries,
    scope::TenantScope,
    tx::{Tx, WriteTx},
};

/// Writes an event, whose statement returns its id, and says beside that whether the tenant has a webhook that is enabled: a tenant
/// without webhooks pays for a look at an index. Not in the `RETURNING`, where a distributed PostgreSQL takes no other table.
#[derive(QueryId)]
pub(crate) struct WithWebhooks<I> {
    pub(crate) event: I,
    pub(crate) tenant: Uuid,
}

impl<I: QueryFragment<Pg>> QueryFragment<Pg> for WithWebhooks<I> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH event AS (");
        self.event.walk_ast(out.reborrow())?;
        out.push_sql(") SELECT event.id, EXISTS (SELECT 1 FROM webhooks AS w WHERE w.tenant_id = ");
        out.push_bind_param::<SqlUuid, _>(&self.tenant)?;
        out.push_sql(" AND w.enabled) FROM event");
        Ok(())
    }
}

impl<I> Query for WithWebhooks<I> {
    type SqlType = (SqlUuid, Bool);
}

#[derive(HasQuery)]
#[diesel(table_name = webhook_deliveries)]
struct Row {
    webhook_id: Uuid,
    event_id: Uuid,
    state: String,
    attempts: i32,
    next_attempt_at: DateTime<Utc>,
    last_attempt_at: Option<DateTime<Utc>>,
    last_status: Option<i32>,
    last_answer: Option<String>,
    last_error: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl Row {
    fn into_delivery(self, event: AuditRecord) -> Result<WebhookDelivery, Fault> {
        Ok(WebhookDelivery {
            webhook_id: WebhookId::from_uuid(self.webhook_id),
            event,
            state: stored("webhook_deliveries.state", &self.state)?,
            attempts: self.attempts,
            next_attempt_at: self.next_attempt_at,
            last_attempt_at: self.last_attempt_at,
            last_status: self.last_status,
            last_answer: self.last_answer,
            last_error: self.last_error,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// Which deliveries a list shows; what is `None` does not restrict it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WebhookDeliveryFilter {
    /// In this state.
    pub state: Option<WebhookDeliveryState>,
}

impl Keyset for webhook_deliveries::table {
    type Id = webhook_deliveries::event_id;
    type Name = webhook_deliveries::state;
    type CreatedAt = webhook_deliveries::created_at;
    type UpdatedAt = webhook_deliveries::updated_at;
}

impl Tx<'_, InTenant> {
    /// A page of the deliveries to a webhook, which is there.
    pub fn webhook_deliveries(
        &mut self,
        webhook: WebhookId,
        filter: WebhookDeliveryFilter,
        page: &PageRequest,
    ) -> Result<Page<WebhookDelivery>, Fault> {
        self.webhook(webhook)?;
        let mut query = Row::query()
            .filter(webhook_deliveries::tenant_id.eq(self.found.uuid()))
            .filter(webhook_deliveries::webhook_id.eq(webhook.uuid()))
            .into_boxed();
        if let Some(state) = filter.state {
            query = query.filter(webhook_deliveries::state.eq(state.as_str()));
        }
        let rows: Vec<Row> = keyset::page::<webhook_deliveries::table, _>(query, page).load(self.connection)?;
        Ok(Page::cut(self.scope().with_events(rows)?, page))
    }

    /// A delivery to a webhook.
    pub fn webhook_delivery(&mut self, webhook: WebhookId, id: WebhookDeliveryId) -> Result<WebhookDelivery, Fault> {
        self.webhook(webhook)?;
        let row: Option<Row> = Row::query()
            .filter(webhook_deliveries::tenant_id.eq(self.found.uuid()))
            .filter(webhook_deliveries::webhook_id.eq(webhook.uuid()).and(webhook_deliveries::event_id.eq(id.uuid())))
            .first(self.connection)
            .optional()?;
        let found = self.scope().with_events(row.into_iter().collect())?.pop();
        found.ok_or_else(|| Error::NotFound(Noun::WebhookDelivery).into())
    }
}

impl WriteTx<'_, InTenant> {
    /// Sends an event to a webhook again, from the first attempt on, and now.
    pub fn resend(&mut self, webhook: WebhookId, id: WebhookDeliveryId) -> Result<WebhookDelivery, Fault> {
        diesel::update(webhook_deliveries::table)
            .filter(webhook_deliveries::tenant_id.eq(self.found.uuid()))
            .filter(webhook_deliveries::webhook_id.eq(webhook.uuid()).and(webhook_deliveries::event_id.eq(id.uuid())))
            .set((
                webhook_deliveries::state.eq(WebhookDeliveryState::Pending.as_str()),
                webhook_deliveries::attempts.eq(0),
                webhook_deliveries::next_attempt_at.eq(sql::<Timestamptz>("statement_timestamp()")),
                webhook_deliveries::updated_at.eq(diesel::dsl::now),
            ))
            .execute(self.connection)?;
        self.tell_webhooks()?;
        self.webhook_delivery(webhook, id)
    }

    /// Sends to a webhook all events since a time that it asks for, in their order, whether they were sent before or not. Returns how
    /// many.
    pub fn replay(&mut self, webhook: WebhookId, since: DateTime<Utc>) -> Result<usize, Fault> {
        // A microsecond apart, because what has the same time is sent in any order. All of them are one tenant's, and a distributed
        // PostgreSQL must see that to leave the statement with the server of the tenant. It also refuses `now()` in `SET`.
        let sql = "
            INSERT INTO webhook_deliveries (tenant_id, webhook_id, event_id, next_attempt_at)
            SELECT w.tenant_id, w.id, e.id,
                   now() + row_number() OVER (PARTITION BY w.tenant_id ORDER BY e.occurred_at, e.id) * interval '1 microsecond'
            FROM webhooks AS w JOIN audit_events AS e ON e.tenant_id = w.tenant_id
            WHERE w.tenant_id = $1 AND w.id = $2 AND e.occurred_at >= $3 AND (w.events IS NULL OR e.action = ANY (w.events))
              AND (e.action <> 'webhook.test' OR e.subject_id = w.id)
            ON CONFLICT (tenant_id, webhook_id, event_id) DO UPDATE
            SET state = 'pending', attempts = 0, next_attempt_at = excluded.next_attempt_at,
                updated_at = excluded.updated_at";
        let sent = sql_query(sql)
            .bind::<SqlUuid, _>(self.found.uuid())
            .bind::<SqlUuid, _>(webhook.uuid())
            .bind::<Timestamptz, _>(since)
            .execute(self.connection)?;
        self.tell_webhooks()?;
        Ok(sent)
    }
}

#[derive(QueryableByName)]
struct Asking {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

impl TenantScope<'_> {
    /// Puts an event into the queue of each webhook that asks for it: a test into that of the one it is a test of. Says whether there
    /// is one.
    pub(crate) fn insert_deliveries(&mut self, action: Action, event: Uuid, subject: Uuid) -> Result<bool, Fault> {
        // Whoever deletes a webhook meanwhile is waited for: then it is not there any more, and not missing. A statement of its own,
        // because a distributed PostgreSQL would fetch the rows of such a query and then store them with `COPY`, which row security
        // does not allow.
        let sql = "
            SELECT w.id FROM webhooks AS w
            WHERE w.tenant_id = $1 AND w.enabled
              AND CASE WHEN $3 = 'webhook.test' THEN w.id = $2 ELSE w.events IS NULL OR $3 = ANY (w.events) END
            FOR KEY SHARE OF w";
        let asking: Vec<Asking> = sql_query(sql)
            .bind::<SqlUuid, _>(self.tenant.uuid())
            .bind::<SqlUuid, _>(subject)
            .bind::<Text, _>(action.rule().name)
            .load(self.connection)?;
        if asking.is_empty() {
            return Ok(false);
        }
        let delivery = |Asking { id }| {
            (
                webhook_deliveries::tenant_id.eq(self.tenant.uuid()),
                webhook_deliveries::webhook_id.eq(id),
                webhook_deliveries::event_id.eq(event),
            )
        };
        let deliveries: Vec<_> = asking.into_iter().map(delivery).collect();
        diesel::insert_into(webhook_deliveries::table).values(deliveries).execute(self.connection)?;
        self.lower_webhooks_due()?;
        Ok(true)
    }

    fn with_events(&mut self, rows: Vec<Row>) -> Result<Vec<WebhookDelivery>, Fault> {
        let ids: Vec<Uuid> = rows.iter().map(|row| row.event_id).collect();
        let events = self.audit_events_with(&ids)?.into_iter();
        let mut events: HashMap<Uuid, AuditRecord> = events.map(|event| (event.id.uuid(), event)).collect();
        let missing = || Error::internal("a delivery has no event");
        let found = rows.into_iter().map(|row| {
            let event = events.remove(&row.event_id).ok_or_else(missing)?;
            row.into_delivery(event)
        });
        found.collect()
    }
}
