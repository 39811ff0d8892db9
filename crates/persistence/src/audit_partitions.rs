//! The partitions of the audit log: the oldest and the newest, which together take whatever there is, and months between them. They are
//! the owner's: the service's role makes and drops no table.
//!
//! A month is cut off the newest partition while that is empty. So housekeeping makes months before they begin. Where nobody ran it in
//! time, the newest partition has events, and becomes one of the partitions between, of several months.

use chrono::{DateTime, Datelike, Months, NaiveDate, TimeDelta, Utc};
use diesel::{
    PgConnection, QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    result::{DatabaseErrorKind, Error as DieselError},
    sql_query,
    sql_types::{Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use uuid::Uuid;

use crate::{
    distribute::is_distributed,
    erase::{EraseError, within},
    event_ids::{APART, first_id, time_of},
    pool::establish,
};

/// The partition of the oldest events, from which single rows are deleted: it began before there were partitions.
pub(crate) const OLDEST: &str = "audit_events_oldest";

/// The partition of what comes after the last month that was made.
const NEWEST: &str = "audit_events_newest";

/// For how many months after the present one there are partitions.
const AHEAD: u32 = 3;

/// All of both tables at once, so that nobody waits for one of them who has the other. A statement of its own: a distributed PostgreSQL
/// passes a string with a `SET LOCAL` on as a whole.
const LOCK: &str = "LOCK TABLE webhook_deliveries, audit_events IN ACCESS EXCLUSIVE MODE";

/// Less than `deadlock_timeout`: who has begun goes first, and housekeeping tries again the next time.
const SESSION: &str =
    "SET application_name = 'tenantry housekeeping'; SET client_min_messages = 'warning'; SET lock_timeout = '800ms'";

/// What refers to events.
const REFERENCE: &str = "webhook_deliveries_event_fkey FOREIGN KEY (tenant_id, event_id) REFERENCES audit_events (tenant_id, id) \
                         ON DELETE RESTRICT";

/// A connection of the owner.
pub struct AuditPartitions {
    connection: PgConnection,
}

/// A partition, and from which id up to which other one it goes.
#[derive(Debug, QueryableByName)]
struct Partition {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    first: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    until: Option<Uuid>,
}

/// The partitions, in their order.
const PARTITIONS: &str = "
    SELECT class.relname::text AS name, substring(bounds FROM 'FROM \\(''([^'']+)''\\)')::uuid AS first,
           substring(bounds FROM 'TO \\(''([^'']+)''\\)')::uuid AS until
    FROM pg_inherits JOIN pg_class AS class ON class.oid = inhrelid,
         LATERAL pg_get_expr(class.relpartbound, class.oid) AS bounds
    WHERE inhparent = 'audit_events'::regclass ORDER BY 2 NULLS FIRST";

#[derive(QueryableByName)]
struct Now {
    #[diesel(sql_type = Timestamptz)]
    now: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct Yes {
    #[diesel(sql_type = Bool)]
    yes: bool,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// Up to when single months have a partition of their own. It is read from the catalogue, which every role may do.
pub(crate) fn partitioned_until(connection: &mut PgConnection) -> Result<Option<DateTime<Utc>>, DieselError> {
    let there = "SELECT to_regclass('audit_events') IS NOT NULL AS yes";
    if !sql_query(there).get_result::<Yes>(connection)?.yes {
        return Ok(None);
    }
    Ok(partitions(connection)?.last().and_then(|newest| newest.first).and_then(time_of))
}

fn partitions(connection: &mut PgConnection) -> Result<Vec<Partition>, DieselError> {
    sql_query(PARTITIONS).load(connection)
}

impl AuditPartitions {
    /// Connects as the owner.
    ///
    /// # Errors
    ///
    /// See [`EraseError`].
    pub fn connect(owner_url: &str) -> Result<Self, EraseError> {
        let mut connection = establish(owner_url)?;
        connection.batch_execute(SESSION)?;
        Ok(Self { connection })
    }

    /// Makes the partitions of the next months that are missing, and returns how many. Requests that write wait for a moment, once a month.
    ///
    /// # Errors
    ///
    /// Where others use the tables: then try again later. Until then the newest partition takes everything.
    pub fn make_ahead(&mut self) -> Result<usize, EraseError> {
        let Now { now } = sql_query("SELECT now() AS now").get_result(&mut self.connection)?;
        self.make_until(month_after(now, AHEAD))
    }

    /// Makes the partitions of all months until this one.
    fn make_until(&mut self, until: NaiveDate) -> Result<usize, EraseError> {
        if !is_missing(&mut self.connection, until)? {
            return Ok(0);
        }
        within(&mut self.connection, LOCK, |connection| {
            // Somebody else may have been faster.
            let Some(mut month) = newest_from(connection)?.filter(|first| *first < until) else { return Ok(0) };
            connection.batch_execute(&format!("ALTER TABLE {NEWEST} NO FORCE ROW LEVEL SECURITY"))?;
            let last = format!("SELECT id FROM {NEWEST} ORDER BY id DESC LIMIT 1");
            let last: Option<Uuid> = sql_query(last).load::<Id>(connection)?.pop().map(|last| last.id);
            if let Some(last) = last.and_then(time_of) {
                let end = month_after(last, 0);
                keep_newest(connection, month, end)?;
                month = end;
            } else {
                connection.batch_execute(&format!("ALTER TABLE audit_events DETACH PARTITION {NEWEST}"))?;
                attach(connection, NEWEST, Some(until.max(month)), None)?;
            }
            let mut made = 0;
            while month < until {
                let next = month + Months::new(1);
                make(connection, &name_of(month), Some(month), Some(next))?;
                (month, made) = (next, made + 1);
            }
            if last.is_some() {
                make(connection, NEWEST, Some(month), None)?;
                refer(connection)?;
            } else {
                let force = forcing(connection)?;
                connection.batch_execute(&format!("ALTER TABLE {NEWEST} {force} ROW LEVEL SECURITY"))?;
            }
            Ok(made)
        })
    }

    /// Which partitions [`Self::drop_ended`] would drop.
    ///
    /// # Errors
    ///
    /// See [`EraseError`].
    pub fn ended(&mut self, kept: TimeDelta) -> Result<Vec<String>, EraseError> {
        Ok(ended(&mut self.connection, kept)?.into_iter().map(|partition| partition.name).collect())
    }

    /// Drops the partitions whose events all happened longer ago than they are kept, the oldest first, and returns their names. One
    /// to whose events a delivery refers stays, and those after it too.
    ///
    /// # Errors
    ///
    /// Where others use the tables: then try again later.
    pub fn drop_ended(&mut self, kept: TimeDelta) -> Result<Vec<String>, EraseError> {
        let mut dropped = Vec::new();
        for Partition { name, until, .. } in ended(&mut self.connection, kept)? {
            let outcome = within(&mut self.connection, LOCK, |connection| {
                let until = until.and_then(time_of).map(|time| time.date_naive());
                drop_until(connection, &name, until)
            });
            match outcome {
                Ok(()) => dropped.push(name),
                Err(EraseError::Database(DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _))) => {
                    tracing::warn!(
                        partition = name,
                        "kept a partition of the audit log that is over: deliveries to webhooks still wait to be made of its events"
                    );
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(dropped)
    }
}

/// Whether there is no partition of the month before this one yet.
fn is_missing(connection: &mut PgConnection, until: NaiveDate) -> Result<bool, EraseError> {
    Ok(newest_from(connection)?.is_some_and(|first| first < until))
}

fn newest_from(connection: &mut PgConnection) -> Result<Option<NaiveDate>, EraseError> {
    Ok(partitioned_until(connection)?.map(|first| first.date_naive()))
}

/// The first day of the month that comes so many months after the next one.
fn month_after(time: DateTime<Utc>, months: u32) -> NaiveDate {
    let day = time.date_naive();
    day.with_day(1).unwrap_or(day) + Months::new(months + 1)
}

fn name_of(month: NaiveDate) -> String {
    format!("audit_events_{}", month.format("%Y_%m"))
}

/// The bounds of a partition, from this day up to another one.
fn bounds(from: Option<NaiveDate>, until: Option<NaiveDate>) -> String {
    let bound = |day: Option<NaiveDate>, open: &str| {
        day.and_then(|day| day.and_hms_opt(0, 0, 0))
            .map_or_else(|| open.to_owned(), |start| format!("'{}'", first_id(start.and_utc())))
    };
    format!("FOR VALUES FROM ({}) TO ({})", bound(from, "MINVALUE"), bound(until, "MAXVALUE"))
}

fn attach(
    connection: &mut PgConnection,
    name: &str,
    from: Option<NaiveDate>,
    until: Option<NaiveDate>,
) -> Result<(), DieselError> {
    connection.batch_execute(&format!("ALTER TABLE audit_events ATTACH PARTITION {name} {}", bounds(from, until)))
}

/// How row security treats the owner: as on the whole log. On Citus it does not bind them.
fn forcing(connection: &mut PgConnection) -> Result<&'static str, DieselError> {
    let forced = "SELECT relforcerowsecurity AS yes FROM pg_class WHERE oid = 'audit_events'::regclass";
    Ok(if sql_query(forced).get_result::<Yes>(connection)?.yes { "FORCE" } else { "NO FORCE" })
}

/// Makes a partition, with the walls of its table: whoever gets a right on it by mistake sees no more than through the table.
fn make(
    connection: &mut PgConnection,
    name: &str,
    from: Option<NaiveDate>,
    until: Option<NaiveDate>,
) -> Result<(), DieselError> {
    let force = forcing(connection)?;
    let mut statements = vec![format!("CREATE TABLE {name} PARTITION OF audit_events {}", bounds(from, until))];
    // Citus knows no such statement.
    if !is_distributed(connection)? {
        statements.push(format!("ALTER TABLE {name} ALTER tenant_id SET (n_distinct = 1)"));
    }
    statements.push(format!("ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"));
    statements.push(format!("ALTER TABLE {name} {force} ROW LEVEL SECURITY"));
    statements.push(format!(
        "CREATE POLICY audit_events_of_the_tenant ON {name}
             USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
             WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)"
    ));
    one_by_one(connection, statements)
}

/// Not as one string: Citus tells the workers all of it for each `ALTER TABLE` in it.
fn one_by_one(connection: &mut PgConnection, statements: impl IntoIterator<Item = String>) -> Result<(), DieselError> {
    statements.into_iter().try_for_each(|statement| connection.batch_execute(&statement))
}

/// Lets the newest partition, which has events, be that of these months. It is read once. Deliveries do not refer to its events while
/// it is taken off.
fn keep_newest(connection: &mut PgConnection, from: NaiveDate, until: NaiveDate) -> Result<(), DieselError> {
    let (name, force) = (name_of(from), forcing(connection)?);
    let statements = [
        "ALTER TABLE webhook_deliveries DROP CONSTRAINT webhook_deliveries_event_fkey".to_owned(),
        format!("ALTER TABLE audit_events DETACH PARTITION {NEWEST}"),
        format!("ALTER TABLE {NEWEST} RENAME TO {name}"),
        format!("ALTER TABLE {name} {force} ROW LEVEL SECURITY"),
    ];
    one_by_one(connection, statements)?;
    attach(connection, &name, Some(from), Some(until))
}

fn refer(connection: &mut PgConnection) -> Result<(), DieselError> {
    connection.batch_execute(&format!("ALTER TABLE webhook_deliveries ADD CONSTRAINT {REFERENCE}"))
}

/// The partitions, the oldest first, in which every event happened longer ago than this. The oldest one only if it has any.
fn ended(connection: &mut PgConnection, kept: TimeDelta) -> Result<Vec<Partition>, EraseError> {
    let Now { now } = sql_query("SELECT now() AS now").get_result(connection)?;
    let Some(before) = now.checked_sub_signed(kept).and_then(|at| at.checked_sub_signed(APART)).map(first_id) else {
        return Ok(Vec::new());
    };
    let is_over = |partition: &Partition| partition.until.is_some_and(|until| until <= before);
    let mut over: Vec<_> = partitions(connection)?.into_iter().take_while(is_over).collect();
    if over.first().is_some_and(|oldest| oldest.first.is_none()) && is_empty(connection, &over[0].name)? {
        over.remove(0);
    }
    Ok(over)
}

/// Whether a partition has no rows, by its size: row security binds the owner too.
fn is_empty(connection: &mut PgConnection, name: &str) -> Result<bool, DieselError> {
    let sql = format!("SELECT pg_relation_size('{name}') = 0 AS yes");
    Ok(sql_query(sql).get_result::<Yes>(connection)?.yes)
}

/// Drops a partition. The oldest one, which then ends where that ended, is made anew: an event of that time has a place all the same.
fn drop_until(connection: &mut PgConnection, name: &str, until: Option<NaiveDate>) -> Result<(), EraseError> {
    // Forced row security binds the owner too, and then PostgreSQL does not see what deliveries refer to.
    connection.batch_execute("ALTER TABLE webhook_deliveries NO FORCE ROW LEVEL SECURITY")?;
    for name in if name == OLDEST { vec![name] } else { vec![name, OLDEST] } {
        let statements = [
            format!("ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY"),
            format!("ALTER TABLE audit_events DETACH PARTITION {name}"),
            format!("DROP TABLE {name}"),
        ];
        one_by_one(connection, statements)?;
    }
    make(connection, OLDEST, None, until)?;
    let force = forcing(connection)?;
    connection.batch_execute(&format!("ALTER TABLE webhook_deliveries {force} ROW LEVEL SECURITY"))?;
    Ok(())
}
