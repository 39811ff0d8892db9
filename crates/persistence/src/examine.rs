//! What an operator should know of a database: who the role is there, what it may do, and what stands between the service and the server.
//!
//! It changes nothing, and tells no session anything that would stay with it: behind a pooler, others get it next. Two connections are
//! opened, because a pooler only shows when there are several.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{
    Connection, IntoSql, PgConnection, QueryableByName, RunQueryDsl,
    connection::{CacheSize, SimpleConnection},
    select, sql_query,
    sql_types::{Array, BigInt, Bool, Integer, Text, Timestamptz},
};

use crate::{
    audit_partitions::partitioned_until,
    pool::{establish, one_line, role},
};

/// What was found.
#[derive(Debug, Clone)]
pub struct Examined {
    /// The role.
    pub role: String,
    /// Why it must not serve requests; `None` when it may.
    pub objection: Option<String>,
    /// Whether it owns the database or its tables, or is a superuser.
    pub owns: bool,
    /// The version of the server, such as `17.2`.
    pub version: String,
    /// The major version of the server.
    pub major: u32,
    /// How far the clock of the server is ahead of this machine's. Exact to half of the time of a round trip.
    pub clock_ahead: TimeDelta,
    /// Whether the server takes no writes.
    pub is_read_only: bool,
    /// Whether it has the ICU collations that names are sorted by.
    pub has_icu: bool,
    /// How many connections ordinary roles may have together.
    pub connections: i64,
    /// Whether there are tables of Tenantry.
    pub has_tables: bool,
    /// Tables of tenants on which row security is not in force.
    pub unprotected: Vec<String>,
    /// Tables that the role may not read.
    pub forbidden: Vec<String>,
    /// Up to when the audit log has a partition for each month; `None` before it has any.
    pub partitioned_until: Option<DateTime<Utc>>,
    /// When that was, by the database.
    pub now: DateTime<Utc>,
    /// Whether a pooler lends the server's sessions to several connections in turn.
    pub shares_sessions: bool,
    /// Whether prepared statements work all the same, because the pooler tracks them; `None` if that was not tried.
    pub tracks_prepared: Option<bool>,
}

#[derive(QueryableByName)]
struct Facts {
    #[diesel(sql_type = Text)]
    version: String,
    #[diesel(sql_type = Timestamptz)]
    now: DateTime<Utc>,
    #[diesel(sql_type = Bool)]
    is_read_only: bool,
    #[diesel(sql_type = Bool)]
    has_icu: bool,
    #[diesel(sql_type = BigInt)]
    connections: i64,
    #[diesel(sql_type = Bool)]
    has_tables: bool,
    #[diesel(sql_type = Array<Text>)]
    unprotected: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    forbidden: Vec<String>,
}

/// The tables of tenants are those with a tenant_id, and the list of tenants itself. Partitions are reached through their table. On Citus,
/// row security does not bind the owner, who could not move shards otherwise.
const FACTS: &str = "WITH theirs AS (
        SELECT c.oid, c.relname::text AS name, c.relrowsecurity AND (c.relforcerowsecurity
                   OR EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')) AS is_protected
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND (c.relname = 'tenants' OR EXISTS (
            SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped)))
    SELECT current_setting('server_version') AS version,
        clock_timestamp() AS now,
        current_setting('transaction_read_only')::bool AS is_read_only,
        EXISTS (SELECT FROM pg_collation WHERE collname = 'und-x-icu') AS has_icu,
        current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint
            - coalesce(current_setting('reserved_connections', true), '0')::bigint AS connections,
        to_regclass('public.tenants') IS NOT NULL AS has_tables,
        ARRAY(SELECT name FROM theirs WHERE NOT is_protected ORDER BY 1) AS unprotected,
        ARRAY(SELECT name FROM theirs WHERE NOT has_table_privilege(oid, 'SELECT') ORDER BY 1) AS forbidden";

/// How often to ask each of two connections which process of the server answers.
const ASKS: usize = 5;

/// Looks at the database of this URL. With `prepares`, also tries whether a pooler tracks prepared statements.
///
/// # Errors
///
/// It does not answer, or does not let the role in, in the words of the driver.
pub fn examine(url: &str, prepares: bool) -> Result<Examined, String> {
    let said = |error: diesel::result::Error| one_line(&error);
    let mut connection = establish(url).map_err(|error| one_line(&error))?;
    let role = role(&mut connection).map_err(said)?;
    let asked = Utc::now();
    let facts: Facts = sql_query(FACTS).get_result(&mut connection).map_err(said)?;
    let answered = Utc::now();
    let partitioned_until = partitioned_until(&mut connection).map_err(said)?;
    // A server that lets in one connection and no more has no pooler that could be told from it.
    let mut other = establish(url).ok();
    let shared = other.as_mut().map(|other| shares(&mut connection, other)).transpose();
    let shares_sessions = shared.map_err(said)?.unwrap_or(false);
    let tried = other.as_mut().filter(|_| shares_sessions && prepares);
    let tracks_prepared = tried.map(|other| tracks(&mut connection, other));
    Ok(Examined {
        objection: role.objection(),
        owns: role.owns(),
        major: u32::try_from(role.version / 10_000).unwrap_or_default(),
        role: role.name,
        version: facts.version.split(' ').next().unwrap_or_default().to_owned(),
        clock_ahead: facts.now - (asked + (answered - asked) / 2),
        is_read_only: facts.is_read_only,
        has_icu: facts.has_icu,
        connections: facts.connections,
        has_tables: facts.has_tables,
        unprotected: facts.unprotected,
        forbidden: facts.forbidden,
        partitioned_until,
        now: facts.now,
        shares_sessions,
        tracks_prepared,
    })
}

#[derive(QueryableByName)]
struct Process {
    #[diesel(sql_type = Integer)]
    process: i32,
}

/// Whether two connections that are open at once are answered by the same process of the server.
fn shares(one: &mut PgConnection, other: &mut PgConnection) -> Result<bool, diesel::result::Error> {
    let (mut of_one, mut of_other) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..ASKS {
        for (connection, seen) in [(&mut *one, &mut of_one), (&mut *other, &mut of_other)] {
            let Process { process } = sql_query("SELECT pg_backend_pid() AS process").get_result(connection)?;
            seen.insert(process);
        }
    }
    Ok(of_one.len() > 1 || of_other.len() > 1 || !of_one.is_disjoint(&of_other))
}

/// The name that the driver gives the first statement of a connection.
const FIRST_STATEMENT: &str = "__diesel_stmt_0";

/// Each prepares another statement, which the driver gives the same name.
fn tracks(one: &mut PgConnection, other: &mut PgConnection) -> bool {
    one.set_prepared_statement_cache_size(CacheSize::Unbounded);
    other.set_prepared_statement_cache_size(CacheSize::Unbounded);
    let number = |one: &mut PgConnection| select(1.into_sql::<Integer>()).get_result::<i32>(one) == Ok(1);
    let text =
        |other: &mut PgConnection| select("one".into_sql::<Text>()).get_result::<String>(other).as_deref() == Ok("one");
    let prepared = number(one);
    let tracked = prepared && (0..ASKS).all(|_| text(other) && number(one));
    if prepared && !tracked {
        // Else whoever gets the session next finds the name taken.
        let _ = one.batch_execute(&format!("DEALLOCATE {FIRST_STATEMENT}"));
    }
    tracked
}
