//! What is over is deleted after a time: one condition for each kind, by which rows are counted and deleted.
//!
//! Who may delete a row does it. The service may delete messages, tokens, invitations and stored answers, in the door. It may delete neither events of
//! the audit log nor API keys, so that whoever takes it over cannot remove traces: that is the owner's, beside the door, as erasure
//! is. Either way a transaction stands in one tenant, and deletes a bounded number of rows.

use chrono::TimeDelta;
use diesel::{
    PgConnection, QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    result::{DatabaseErrorKind, Error as DieselError},
    sql_query,
    sql_types::{BigInt, Double, Uuid as SqlUuid},
};
use tenantry_domain::{IDEMPOTENCY_DAYS, InTenant, Retention, TenantId};
use uuid::Uuid;

use crate::{
    audit_partitions::OLDEST,
    erase::{EraseError, in_tenant, within},
    fault::Fault,
    freeze::write_lock_sql,
    pool::establish,
    tx::{Tx, WriteTx},
};

/// How many rows are deleted in one transaction, so that nobody waits long for their locks.
const AT_ONCE: i64 = 1_000;

/// What is deleted after a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Messages of the outbox that were sent, dropped or given up.
    Messages,
    /// Tokens of invitations that are over.
    Tokens,
    /// Invitations that are over.
    Invitations,
    /// Answers to requests with an idempotency key.
    Answers,
    /// Deliveries to webhooks that were made or given up.
    Deliveries,
    /// Deliveries that nobody makes: to webhooks that are disabled, and of tenants that let nobody in.
    Undelivered,
    /// Events of the audit log.
    AuditEvents,
    /// API keys that were revoked or have expired.
    ApiKeys,
}

impl Ended {
    /// What the service itself deletes.
    pub const OF_THE_SERVICE: [Self; 6] =
        [Self::Messages, Self::Tokens, Self::Invitations, Self::Answers, Self::Deliveries, Self::Undelivered];

    /// What only the owner of the database can delete.
    pub const OF_THE_OWNER: [Self; 2] = [Self::AuditEvents, Self::ApiKeys];

    /// What it is called, in the plural.
    pub fn name(self) -> &'static str {
        match self {
            Self::Messages => "outbox messages",
            Self::Tokens => "invitation tokens",
            Self::Invitations => "invitations",
            Self::Answers => "stored answers",
            Self::Deliveries => "webhook deliveries",
            Self::Undelivered => "stranded webhook deliveries",
            Self::AuditEvents => "audit events",
            Self::ApiKeys => "API keys",
        }
    }

    /// For how long it is kept.
    pub fn kept(self, retention: &Retention) -> Option<TimeDelta> {
        match self {
            Self::Messages | Self::Tokens => Some(retention.outbox),
            Self::Invitations => retention.invitations,
            Self::Answers => Some(TimeDelta::days(IDEMPOTENCY_DAYS.into())),
            Self::Deliveries | Self::Undelivered => Some(retention.webhook_deliveries),
            Self::AuditEvents => retention.audit_events,
            Self::ApiKeys => retention.api_keys,
        }
    }

    /// Its table, the column that names a row, and when a row `t` can go. `least` passes over what is not there.
    fn rule(self) -> (&'static str, &'static str, &'static str) {
        match self {
            // The first condition is the index's, the second is what is meant.
            Self::Messages => {
                ("outbox_messages", "id", "t.created_at < BEFORE AND t.updated_at < BEFORE AND t.state <> 'pending'")
            }
            Self::Tokens => (
                "invitation_tokens",
                "token_hash",
                "EXISTS (SELECT FROM invitations i WHERE i.tenant_id = t.tenant_id AND i.id = t.invitation_id
                         AND least(i.accepted_at, i.revoked_at, i.expires_at) < BEFORE)",
            ),
            Self::Invitations => ("invitations", "id", "least(t.accepted_at, t.revoked_at, t.expires_at) < BEFORE"),
            // Its key has several columns.
            Self::Answers => ("idempotency_keys", "ctid", "t.created_at <= BEFORE"),
            Self::Deliveries => ("webhook_deliveries", "ctid", "t.updated_at < BEFORE AND t.state <> 'pending'"),
            // Otherwise they would keep the events that they are of for ever.
            Self::Undelivered => (
                "webhook_deliveries",
                "ctid",
                "t.updated_at < BEFORE AND t.state = 'pending' AND NOT EXISTS (
                     SELECT FROM webhooks AS w JOIN tenants AS f ON f.id = w.tenant_id
                     WHERE w.tenant_id = t.tenant_id AND w.id = t.webhook_id AND w.enabled
                         AND f.suspended_at IS NULL AND f.deleted_at IS NULL)",
            ),
            // Of months that came after it, whole partitions are dropped.
            Self::AuditEvents => (OLDEST, "id", "t.occurred_at < BEFORE"),
            Self::ApiKeys => ("api_keys", "id", "least(t.revoked_at, t.expires_at) < BEFORE"),
        }
    }

    /// Rows of the tenant `$1` that ended more than `$2` seconds ago.
    fn rows(self, columns: &str) -> String {
        let (table, _, condition) = self.rule();
        let condition = condition.replace("BEFORE", "now() - make_interval(secs => $2)");
        format!("SELECT {columns} FROM {table} AS t WHERE t.tenant_id = $1 AND {condition}")
    }

    fn count(self, connection: &mut PgConnection, tenant: TenantId, kept: TimeDelta) -> Result<i64, DieselError> {
        let sql = self.rows("count(*) AS count");
        let query = sql_query(sql).bind::<SqlUuid, _>(tenant.uuid()).bind::<Double, _>(seconds(kept));
        query.get_result::<Count>(connection).map(|row| row.count)
    }

    /// Deletes some; what somebody has locked stays for the next time.
    fn delete_some(
        self,
        connection: &mut PgConnection,
        tenant: TenantId,
        kept: TimeDelta,
    ) -> Result<usize, DieselError> {
        let (table, key, _) = self.rule();
        let some = self.rows(&format!("t.{key}"));
        // Answers are never changed, and who may change nothing may lock nothing.
        let lock = if self == Self::Answers { "" } else { "FOR UPDATE OF t SKIP LOCKED" };
        let sql = format!(
            "DELETE FROM {table} WHERE tenant_id = $1 AND {UNFROZEN} AND {key} IN ({some} LIMIT {AT_ONCE} {lock})"
        );
        sql_query(sql).bind::<SqlUuid, _>(tenant.uuid()).bind::<Double, _>(seconds(kept)).execute(connection)
    }
}

/// The tenant `$1` can be written. It is asked where rows are deleted, under the lock of those who write.
const UNFROZEN: &str = "EXISTS (SELECT FROM tenants AS f WHERE f.id = $1 AND f.frozen_at IS NULL)";

fn writing_in(tenant: TenantId) -> String {
    format!("{}; {}", in_tenant(tenant), write_lock_sql(tenant))
}

fn seconds(kept: TimeDelta) -> f64 {
    kept.as_seconds_f64()
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

impl Tx<'_, InTenant> {
    /// How many rows of this kind ended longer ago than they are kept.
    pub fn count_ended(&mut self, kind: Ended, kept: TimeDelta) -> Result<i64, Fault> {
        Ok(kind.count(self.connection, self.found, kept)?)
    }

    /// Which of these messages the outbox of the tenant has.
    pub fn messages_among(&mut self, ids: &[Uuid]) -> Result<Vec<Uuid>, Fault> {
        use diesel::prelude::*;

        use crate::schema::outbox_messages;
        Ok(outbox_messages::table
            .filter(outbox_messages::tenant_id.eq(self.found.uuid()).and(outbox_messages::id.eq_any(ids)))
            .select(outbox_messages::id)
            .load(self.connection)?)
    }
}

impl WriteTx<'_, InTenant> {
    /// Deletes some of the rows of this kind that ended longer ago than they are kept, and returns how many.
    pub fn delete_ended(&mut self, kind: Ended, kept: TimeDelta) -> Result<usize, Fault> {
        let tenant = self.found;
        Ok(kind.delete_some(self.connection, tenant, kept)?)
    }
}

/// A connection of the owner, for what only the owner deletes.
pub struct Pruner {
    connection: PgConnection,
}

impl Pruner {
    /// Connects as the owner.
    ///
    /// # Errors
    ///
    /// See [`EraseError`].
    pub fn connect(owner_url: &str) -> Result<Self, EraseError> {
        let mut connection = establish(owner_url)?;
        connection.batch_execute(
            "SET application_name = 'tenantry housekeeping'; SET lock_timeout = '5s'; SET client_min_messages = 'warning'",
        )?;
        Ok(Self { connection })
    }

    /// All tenants that can be written: what is in a frozen one stays as it is.
    ///
    /// # Errors
    ///
    /// See [`EraseError`].
    pub fn tenants(&mut self) -> Result<Vec<TenantId>, EraseError> {
        let rows: Vec<Id> = within(&mut self.connection, "SELECT set_platform()", |connection| {
            Ok(sql_query("SELECT id FROM tenants WHERE frozen_at IS NULL ORDER BY id").load(connection)?)
        })?;
        Ok(rows.into_iter().map(|row| TenantId::from_uuid(row.id)).collect())
    }

    /// How many rows of this kind a tenant has that ended longer ago than they are kept.
    ///
    /// # Errors
    ///
    /// See [`EraseError`].
    pub fn count(&mut self, tenant: TenantId, kind: Ended, kept: TimeDelta) -> Result<i64, EraseError> {
        within(&mut self.connection, &in_tenant(tenant), |connection| Ok(kind.count(connection, tenant, kept)?))
    }

    /// Deletes those rows, some in each transaction; returns how many. A row that another one refers to stays.
    ///
    /// # Errors
    ///
    /// See [`EraseError`].
    pub fn prune(&mut self, tenant: TenantId, kind: Ended, kept: TimeDelta) -> Result<usize, EraseError> {
        let mut deleted = 0;
        loop {
            let some = within(&mut self.connection, &writing_in(tenant), |connection| {
                Ok(kind.delete_some(connection, tenant, kept)?)
            });
            match some {
                Ok(0) => return Ok(deleted),
                Ok(some) => deleted += some,
                Err(error) if is_referred_to(&error) => return Ok(deleted + self.prune_each(tenant, kind, kept)?),
                Err(error) => return Err(error),
            }
        }
    }

    /// One row after the other, so that those to which another one refers stay alone.
    fn prune_each(&mut self, tenant: TenantId, kind: Ended, kept: TimeDelta) -> Result<usize, EraseError> {
        let (mut deleted, mut last) = (0, Uuid::nil());
        loop {
            let some = self.some_after(last, tenant, kind, kept)?;
            let Some(next) = some.last() else { return Ok(deleted) };
            last = *next;
            deleted += self.prune_these(some, tenant, kind)?;
        }
    }

    /// The ids of some of those rows, the next ones after this.
    fn some_after(
        &mut self,
        last: Uuid,
        tenant: TenantId,
        kind: Ended,
        kept: TimeDelta,
    ) -> Result<Vec<Uuid>, EraseError> {
        let (_, key, _) = kind.rule();
        let rows = kind.rows(&format!("t.{key} AS id"));
        let sql = format!("{rows} AND t.{key} > $3 ORDER BY t.{key} LIMIT {AT_ONCE}");
        let ids: Vec<Id> = within(&mut self.connection, &in_tenant(tenant), |connection| {
            let query = sql_query(sql).bind::<SqlUuid, _>(tenant.uuid()).bind::<Double, _>(seconds(kept));
            Ok(query.bind::<SqlUuid, _>(last).load(connection)?)
        })?;
        Ok(ids.into_iter().map(|row| row.id).collect())
    }

    fn prune_these(&mut self, ids: Vec<Uuid>, tenant: TenantId, kind: Ended) -> Result<usize, EraseError> {
        let (table, key, _) = kind.rule();
        let mut deleted = 0;
        for id in ids {
            let one = within(&mut self.connection, &writing_in(tenant), |connection| {
                let query =
                    sql_query(format!("DELETE FROM {table} WHERE tenant_id = $1 AND {UNFROZEN} AND {key} = $2"));
                Ok(query.bind::<SqlUuid, _>(tenant.uuid()).bind::<SqlUuid, _>(id).execute(connection)?)
            });
            match one {
                Ok(rows) => deleted += rows,
                Err(error) if is_referred_to(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(deleted)
    }
}

fn is_referred_to(error: &EraseError) -> bool {
    matches!(error, EraseError::Database(DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _)))
}
