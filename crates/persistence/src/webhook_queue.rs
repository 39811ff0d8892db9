//! The queues of webhooks, for those who send. A worker leases a webhook, and nobody else sends to it for as long as a lease lasts.
//!
//! `tenants.webhooks_due_at` says above the tenants where there is something to do, and is never later than the first delivery that is
//! due. Who inserts a delivery lowers it; only [`WriteTx::settle_webhooks_due`] raises it, while nobody inserts one. Inserting one takes a key
//! share of the tenant's row by its foreign key, and whoever raises the time asks for the row alone, without waiting.

use chrono::{DateTime, Duration, Utc};
use diesel::{
    dsl::{IntervalDsl, now, sql},
    prelude::*,
    sql_query,
    sql_types::{BigInt, Bool, Integer, Nullable, Timestamptz, Uuid as SqlUuid},
};
use tenantry_domain::{AuditRecord, InTenant, Noun, Platform, TenantId, WebhookDeliveryState, WebhookId};
use uuid::Uuid;

use crate::{
    fault::Fault,
    schema::{tenants, webhook_deliveries, webhooks},
    scope::TenantScope,
    subjects::Subject,
    tenants::sends,
    tx::{Tx, WriteTx},
    webhooks::{Row, StoredWebhook, this},
};

/// For how long a webhook belongs to who has leased it. Longer than a batch of deliveries may take.
const LEASE_SECONDS: i32 = 60;

/// How long those that fail wait at least where there is no room for them.
const CROWDED_SECONDS: i32 = 5;

/// How far pending deliveries are counted.
const MOST_COUNTED: i64 = 10_000;

/// A webhook that somebody sends to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebhookLease {
    /// Which.
    pub webhook: WebhookId,
    /// Until when.
    pub until: DateTime<Utc>,
    /// How many turns in a row have failed.
    pub failures: i32,
}

/// What is to be sent to a webhook next.
#[derive(Debug, Clone)]
pub struct WebhookTurn {
    /// The webhook as it is now.
    pub webhook: StoredWebhook,
    /// The lease, which begins anew.
    pub lease: WebhookLease,
    /// When this was asked, by the database.
    pub now: DateTime<Utc>,
    /// In this order.
    pub deliveries: Vec<DueDelivery>,
}

/// A delivery that is due.
#[derive(Debug, Clone)]
pub struct DueDelivery {
    /// The event.
    pub event: AuditRecord,
    /// What it is about, as it is now.
    pub subject: Option<Subject>,
    /// How often it was tried.
    pub attempts: i32,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookOutcome {
    /// Which event.
    pub event: Uuid,
    /// How often it was tried before.
    pub attempts: i32,
    /// What it is now.
    pub state: WebhookDeliveryState,
    /// When it is tried again.
    pub pause: Duration,
    /// What the receiver answered.
    pub status: Option<i32>,
    /// The beginning of that.
    pub answer: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

#[derive(QueryableByName)]
struct Leased {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    next_turn_at: DateTime<Utc>,
    #[diesel(sql_type = Integer)]
    failures: i32,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct Locked {
    #[diesel(sql_type = SqlUuid)]
    #[expect(dead_code, reason = "that there is one says it")]
    id: Uuid,
}

impl Tx<'_, Platform> {
    /// The tenants whose webhooks have something to do, those that wait longest first, with when that was due. A tenant that lets nobody
    /// in is told nothing.
    pub fn tenants_with_webhooks_due(&mut self, limit: i64) -> Result<Vec<(TenantId, DateTime<Utc>)>, Fault> {
        let due: Vec<(Uuid, Option<DateTime<Utc>>)> = tenants::table
            .filter(tenants::webhooks_due_at.is_not_null())
            .filter(tenants::webhooks_due_at.assume_not_null().le(now.into_sql::<Timestamptz>()))
            .filter(sends())
            .order((tenants::webhooks_due_at, tenants::id))
            .limit(limit)
            .select((tenants::id, tenants::webhooks_due_at))
            .load(self.connection)?;
        Ok(due.into_iter().filter_map(|(id, at)| Some((TenantId::from_uuid(id), at?))).collect())
    }
}

impl WriteTx<'_, InTenant> {
    /// Leases a webhook to which something is due; none that fails where only `healthy` ones are wanted.
    pub fn lease_webhook(&mut self, healthy: bool) -> Result<Option<WebhookLease>, Fault> {
        let sql = format!(
            "UPDATE webhooks SET next_turn_at = now() + interval '{LEASE_SECONDS} seconds'
             WHERE tenant_id = $1 AND id = (
                 SELECT w.id FROM webhooks AS w
                 WHERE w.tenant_id = $1 AND w.enabled AND w.next_turn_at <= now() AND (w.failures = 0 OR NOT $2)
                   AND EXISTS (SELECT FROM webhook_deliveries AS d
                               WHERE d.tenant_id = w.tenant_id AND d.webhook_id = w.id AND d.state = 'pending'
                                 AND d.next_attempt_at <= statement_timestamp())
                 ORDER BY w.next_turn_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
             RETURNING id, next_turn_at, failures"
        );
        let leased: Option<Leased> = sql_query(sql)
            .bind::<SqlUuid, _>(self.found.uuid())
            .bind::<Bool, _>(healthy)
            .get_result(self.connection)
            .optional()?;
        Ok(leased.map(|Leased { id, next_turn_at, failures }| WebhookLease {
            webhook: WebhookId::from_uuid(id),
            until: next_turn_at,
            failures,
        }))
    }

    /// Has webhooks look for what is due now, once this is committed.
    pub(crate) fn tell_webhooks(&mut self) -> QueryResult<()> {
        self.due.webhooks = true;
        self.scope().lower_webhooks_due()
    }

    /// What is due to a webhook, at most so many; the lease begins anew. `None` for one that is not enabled any more, or that somebody
    /// else has leased.
    pub fn next_turn(&mut self, lease: WebhookLease, limit: i64) -> Result<Option<WebhookTurn>, Fault> {
        let row: Option<(Row, DateTime<Utc>, i32)> = diesel::update(this(self.found, lease.webhook))
            .filter(webhooks::next_turn_at.eq(lease.until).and(webhooks::enabled))
            .set(webhooks::next_turn_at.eq(now.into_sql::<Timestamptz>() + LEASE_SECONDS.seconds()))
            .returning((Row::as_returning(), webhooks::next_turn_at, webhooks::failures))
            .get_result(self.connection)
            .optional()?;
        let Some((row, until, failures)) = row else { return Ok(None) };
        let due: Vec<(Uuid, i32)> = webhook_deliveries::table
            .filter(webhook_deliveries::tenant_id.eq(self.found.uuid()))
            .filter(webhook_deliveries::webhook_id.eq(lease.webhook.uuid()))
            .filter(is_pending())
            .filter(webhook_deliveries::next_attempt_at.le(sql::<Timestamptz>("clock_timestamp()")))
            .order((webhook_deliveries::next_attempt_at, webhook_deliveries::event_id))
            .limit(limit)
            .select((webhook_deliveries::event_id, webhook_deliveries::attempts))
            .load(self.connection)?;
        let ids: Vec<Uuid> = due.iter().map(|(id, _)| *id).collect();
        let events = self.scope().audit_events_with(&ids)?;
        let mut deliveries: Vec<DueDelivery> = Vec::with_capacity(due.len());
        for (id, attempts) in due {
            let Some(event) = events.iter().find(|event| event.id.uuid() == id).cloned() else { continue };
            let known = deliveries.iter().find(|known| known.event.subject_id == event.subject_id);
            let subject = match (known, event.subject_type.parse::<Noun>()) {
                (Some(known), _) => known.subject.clone(),
                (None, Ok(kind)) => self.subject(kind, event.subject_id)?,
                (None, Err(_)) => None,
            };
            deliveries.push(DueDelivery { event, subject, attempts });
        }
        let lease = WebhookLease { until, failures, ..lease };
        Ok(Some(WebhookTurn { webhook: row.into_stored()?, lease, now: self.clock()?, deliveries }))
    }

    /// Writes down what became of an attempt, unless the delivery has changed meanwhile.
    pub fn store_outcome(&mut self, webhook: WebhookId, outcome: &WebhookOutcome) -> Result<(), Fault> {
        let next = self.clock()? + outcome.pause;
        diesel::update(webhook_deliveries::table)
            .filter(webhook_deliveries::tenant_id.eq(self.found.uuid()))
            .filter(webhook_deliveries::webhook_id.eq(webhook.uuid()))
            .filter(webhook_deliveries::event_id.eq(outcome.event).and(is_pending()))
            .filter(webhook_deliveries::attempts.eq(outcome.attempts))
            .set((
                webhook_deliveries::state.eq(outcome.state.as_str()),
                webhook_deliveries::attempts.eq(outcome.attempts + 1),
                webhook_deliveries::next_attempt_at.eq(next),
                webhook_deliveries::last_attempt_at.eq(now),
                webhook_deliveries::last_status.eq(outcome.status),
                webhook_deliveries::last_answer.eq(outcome.answer.as_deref()),
                webhook_deliveries::last_error.eq(outcome.error.as_deref()),
                webhook_deliveries::updated_at.eq(now),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// Writes down whether a webhook takes anything; returns since when it does not, and for how many turns. `None` as well for one that
    /// somebody else has leased.
    pub fn note_failing(&mut self, lease: WebhookLease, fails: bool) -> Result<Option<(DateTime<Utc>, i32)>, Fault> {
        // Not `coalesce`, in which a distributed PostgreSQL takes no clock.
        let since = match fails {
            true => "least(failing_since, now())",
            false => "NULL",
        };
        let noted: Option<(Option<DateTime<Utc>>, i32)> = diesel::update(this(self.found, lease.webhook))
            .filter(webhooks::next_turn_at.eq(lease.until))
            .filter(webhooks::failures.gt(0).or(sql::<Bool>(if fails { "true" } else { "false" })))
            .set((
                webhooks::failing_since.eq(sql::<Nullable<Timestamptz>>(since)),
                webhooks::failures.eq(sql::<Integer>(if fails { "failures + 1" } else { "0" })),
            ))
            .returning((webhooks::failing_since, webhooks::failures))
            .get_result(self.connection)
            .optional()?;
        Ok(noted.and_then(|(since, failures)| Some((since?, failures))))
    }

    /// Gives a webhook back: somebody may send to it after the rest. Returns how many deliveries to it are pending, as far as is counted:
    /// none to one that is not enabled any more, or that somebody else has leased.
    pub fn end_lease(&mut self, lease: WebhookLease, rest: Duration) -> Result<i64, Fault> {
        let next = self.clock()? + rest;
        let given_back = diesel::update(this(self.found, lease.webhook))
            .filter(webhooks::next_turn_at.eq(lease.until).and(webhooks::enabled))
            .set(webhooks::next_turn_at.eq(next))
            .execute(self.connection)?;
        if given_back == 0 {
            return Ok(0);
        }
        let sql = "
            UPDATE tenants SET webhooks_due_at = first.due
            FROM (SELECT greatest(w.next_turn_at, min(d.next_attempt_at)) AS due
                  FROM webhooks AS w JOIN webhook_deliveries AS d ON d.tenant_id = w.tenant_id AND d.webhook_id = w.id
                  WHERE w.tenant_id = $1 AND w.id = $2 AND w.enabled AND d.state = 'pending' GROUP BY w.next_turn_at) AS first
            WHERE tenants.id = $1 AND (tenants.webhooks_due_at IS NULL OR tenants.webhooks_due_at > first.due)";
        sql_query(sql)
            .bind::<SqlUuid, _>(self.found.uuid())
            .bind::<SqlUuid, _>(lease.webhook.uuid())
            .execute(self.connection)?;
        let sql = format!(
            "SELECT count(*) AS count FROM (
                 SELECT FROM webhook_deliveries AS d WHERE d.tenant_id = $1 AND d.webhook_id = $2 AND d.state = 'pending'
                 LIMIT {MOST_COUNTED}) AS pending"
        );
        let pending: Count = sql_query(sql)
            .bind::<SqlUuid, _>(self.found.uuid())
            .bind::<SqlUuid, _>(lease.webhook.uuid())
            .get_result(self.connection)?;
        Ok(pending.count)
    }

    /// Writes down when the webhooks of the tenant have something to do next: never, where nothing is pending. Not while somebody is
    /// writing in the tenant: what they write is not seen yet. Says whether it was written down. Where only `healthy` webhooks have room,
    /// those that fail wait for some seconds more, so that however many they are, tenants that came later are seen.
    pub fn settle_webhooks_due(&mut self, healthy: bool) -> Result<bool, Fault> {
        let alone = "SELECT id FROM tenants WHERE id = $1 FOR UPDATE SKIP LOCKED";
        let locked: Option<Locked> =
            sql_query(alone).bind::<SqlUuid, _>(self.found.uuid()).get_result(self.connection).optional()?;
        if locked.is_none() {
            return Ok(false);
        }
        let (failing, later) = if healthy { ("w.failures > 0", CROWDED_SECONDS) } else { ("false", 0) };
        let first = format!(
            "(SELECT min(greatest(w.next_turn_at, d.due, CASE WHEN {failing} THEN now() + interval '{later} seconds' END))
              FROM webhooks AS w,
                   LATERAL (SELECT min(d.next_attempt_at) AS due FROM webhook_deliveries AS d
                            WHERE d.tenant_id = w.tenant_id AND d.webhook_id = w.id AND d.state = 'pending') AS d
              WHERE w.tenant_id = tenants.id AND w.enabled AND d.due IS NOT NULL)"
        );
        diesel::update(tenants::table.filter(tenants::id.eq(self.found.uuid())))
            .set(tenants::webhooks_due_at.eq(sql::<Nullable<Timestamptz>>(&first)))
            .execute(self.connection)?;
        Ok(true)
    }
}

impl TenantScope<'_> {
    /// Notes that webhooks have something to do now. Where that is noted already nobody waits for the tenant's row; and somebody who reads
    /// the tenant as it was at one moment cannot change it.
    pub(crate) fn lower_webhooks_due(&mut self) -> QueryResult<()> {
        let sql = "
            UPDATE tenants SET webhooks_due_at = now()
            WHERE id = $1 AND (webhooks_due_at IS NULL OR webhooks_due_at > now())
              AND current_setting('transaction_isolation') = 'read committed'";
        sql_query(sql).bind::<SqlUuid, _>(self.tenant.uuid()).execute(self.connection).map(drop)
    }
}

/// When somebody else may send to a webhook, at the soonest. A rest is cut short: but not to less than what a lease may still last, because
/// the two look the same, and two who send at once would mix up the order.
pub(crate) fn soonest_turn() -> diesel::expression::SqlLiteral<Timestamptz> {
    sql(&format!("least(next_turn_at, now() + interval '{LEASE_SECONDS} seconds')"))
}

/// Written out, because the planner must see it to take the index of what is pending.
fn is_pending() -> diesel::expression::SqlLiteral<Bool> {
    sql("webhook_deliveries.state = 'pending'")
}
