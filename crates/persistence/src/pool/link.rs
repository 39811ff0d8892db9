//! One connection: how it is opened, what it is told before it is used, and what is asked of it.

use std::fmt;

use diesel::{
    Connection, ConnectionResult, PgConnection, QueryableByName, RunQueryDsl,
    connection::{CacheSize, SimpleConnection},
    r2d2::R2D2Connection,
    sql_types::{Bool, Integer, Text},
};
use uuid::Uuid;

use super::PoolOptions;
use crate::{conninfo::ConnectionString, fault::ANOTHER};

/// What libpq is told where the connection string does not say otherwise. Without it, a connection whose packets get lost waits for a quarter of an
/// hour.
const PATIENCE: [(&str, &str); 6] = [
    ("connect_timeout", "5"),
    ("keepalives", "1"),
    ("keepalives_idle", "10"),
    ("keepalives_interval", "3"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "10000"),
];

/// An open connection.
pub(super) struct Link {
    pub(super) connection: PgConnection,
    /// Added to what begins each transaction.
    pub(super) guard: Option<String>,
    /// How a statement outside a transaction knows that the server's session is the connection's own, if it has to ask.
    pub(super) name: Option<String>,
    /// Whether its statements are prepared.
    pub(super) prepares: bool,
}

/// Why a connection was not opened.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) cause: String,
    /// Whether the server would let another one in.
    pub(super) is_full: bool,
    /// Whether somebody ended this one while it was being opened, which says nothing about the next one.
    pub(super) is_cut: bool,
}

impl Link {
    /// Opens a connection that may serve requests.
    pub(super) fn open(options: &PoolOptions, prepare: bool) -> Result<Self, Refused> {
        let mut connection = establish(&options.url).map_err(|error| Refused::because(&error))?;
        let role = role(&mut connection).map_err(|error| Refused::because(&error))?;
        if let Some(objection) = role.objection() {
            return Err(Refused::new(objection));
        }
        let limits = Limits::of(options, role.version);
        let (guard, name) = if prepare {
            // A name of its own, by which the connection knows in each transaction that the server process is still its own.
            let name = Uuid::now_v7().to_string();
            let sql = format!("{}; SET app.connection = '{name}'", limits.for_session());
            connection.batch_execute(&sql).map_err(|error| Refused::because(&error))?;
            connection.set_prepared_statement_cache_size(CacheSize::Unbounded);
            match options.prepare {
                super::Prepare::Always => (None, None),
                _ => {
                    let [when, other, end] = OWN_SESSION;
                    (Some(format!("SELECT {when}'{name}'{other}{ANOTHER}{end}")), Some(name))
                }
            }
        } else {
            // A session may be another one in each transaction.
            (Some(limits.for_transaction()), None)
        };
        Ok(Self { connection, guard, name, prepares: prepare })
    }

    /// Whether it can be used again: it is not in the middle of something.
    pub(super) fn is_usable(&mut self) -> bool {
        !self.connection.is_broken()
    }
}

/// An expression that is 0 in the session of a connection, and fails with [`ANOTHER`] in every other one: what stands before the
/// connection's name, between that and [`ANOTHER`], and after it.
pub(crate) const OWN_SESSION: [&str; 3] =
    ["(CASE current_setting('app.connection', true) WHEN ", " THEN '0' ELSE '", "' END)::int"];

impl Refused {
    pub(super) fn new(cause: impl Into<String>) -> Self {
        Self { cause: cause.into(), is_full: false, is_cut: false }
    }

    fn because(error: &dyn std::error::Error) -> Self {
        let cause = one_line(error);
        let is_cut =
            ["terminating connection", "server closed the connection"].iter().any(|words| cause.contains(words));
        Self { is_full: is_full(&cause), is_cut, cause: format!("cannot connect to the database: {cause}") }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)
    }
}

impl std::error::Error for Refused {}

/// Whether the server, or a pooler in front of it, says that it has too many connections.
pub(crate) fn is_full(cause: &str) -> bool {
    ["too many clients", "remaining connection slots", "too many connections", "no more connections allowed"]
        .iter()
        .any(|words| cause.contains(words))
}

/// How long things may take, for each session or each transaction.
struct Limits {
    statement: u128,
    whole: Option<u128>,
}

impl Limits {
    fn of(options: &PoolOptions, version: i32) -> Self {
        let whole = options.visit_timeout.map(|whole| whole.as_millis().max(1));
        Self { statement: options.statement_timeout.as_millis().max(1), whole: whole.filter(|_| version >= 170_000) }
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        let Self { statement, whole } = self;
        let (lock, idle) = (statement / 2 + 1, statement * 2);
        let mut settings = vec![
            ("statement_timeout", statement.to_string()),
            ("lock_timeout", lock.to_string()),
            ("idle_in_transaction_session_timeout", idle.to_string()),
            ("timezone", "UTC".to_owned()),
            // Every statement reads the rows of one tenant, by an index. A plan that was made while a table was small must not read
            // all of it once it has grown.
            ("enable_seqscan", "off".to_owned()),
            ("jit", "off".to_owned()),
            ("application_name", "tenantry".to_owned()),
        ];
        settings.extend(whole.map(|whole| ("transaction_timeout", whole.to_string())));
        settings
    }

    fn for_session(&self) -> String {
        let settings = self.settings().into_iter().map(|(name, value)| format!("SET {name} = '{value}'"));
        settings.collect::<Vec<_>>().join("; ")
    }

    fn for_transaction(&self) -> String {
        let settings = self.settings();
        set_local_sql(&settings.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>())
    }
}

/// Changes settings for the rest of a transaction, among other statements. Not as `SET LOCAL`: a distributed PostgreSQL repeats the
/// whole string that has one on its workers, where the session is another one and locks are not those of the coordinator.
pub(crate) fn set_local_sql(settings: &[(&str, &str)]) -> String {
    let settings = settings.iter().map(|(name, value)| format!("set_config('{name}', '{value}', true)"));
    format!("SELECT {}", settings.collect::<Vec<_>>().join(", "))
}

/// What begins a transaction, and then calls what these statements call: as one of them, because each costs more to be read and planned than
/// what it does. Each is a `SELECT` of calls, and what was begun before ends with one or has none.
pub(crate) fn begin_sql(begin: &str, statements: impl IntoIterator<Item = String>) -> String {
    statements.into_iter().fold(begin.to_owned(), |sql, statement| match statement.strip_prefix("SELECT ") {
        Some(calls) if sql.contains("; SELECT ") => format!("{sql}, {calls}"),
        _ => format!("{sql}; {statement}"),
    })
}

/// Connects with limits on how long a silent network is waited for. Statements are not prepared.
pub(crate) fn establish(url: &str) -> ConnectionResult<PgConnection> {
    // What we cannot read, libpq may say something about.
    let patient = ConnectionString::parse(url).map_or_else(|| url.to_owned(), |read| read.or(&PATIENCE));
    let mut connection = PgConnection::establish(&patient)?;
    connection.set_prepared_statement_cache_size(CacheSize::Disabled);
    Ok(connection)
}

/// What the driver says in several lines, as one of a log.
pub(crate) fn one_line(error: &dyn std::error::Error) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A description of an object comes in the language of the server's messages, which the name of a locale does not tell.
const ROLE: &str = "SELECT current_user::text AS name, rolsuper, rolbypassrls,
        EXISTS (SELECT FROM pg_class WHERE relname = 'tenants' AND relkind IN ('r', 'p')
                AND pg_has_role(current_user, relowner, 'MEMBER'))
            OR EXISTS (SELECT FROM pg_database WHERE datname = current_database()
                AND pg_has_role(current_user, datdba, 'MEMBER')) AS owner,
        current_setting('lc_messages') AS lc_messages,
        pg_describe_object('pg_class'::regclass, 'pg_class'::regclass, 0) = 'table pg_class' AS english,
        current_setting('server_version_num')::int AS version
    FROM pg_roles WHERE rolname = current_user";

/// Who a connection is.
#[derive(QueryableByName)]
pub(crate) struct Role {
    #[diesel(sql_type = Text)]
    pub(crate) name: String,
    #[diesel(sql_type = Bool)]
    rolsuper: bool,
    #[diesel(sql_type = Bool)]
    rolbypassrls: bool,
    #[diesel(sql_type = Bool)]
    owner: bool,
    #[diesel(sql_type = Text)]
    lc_messages: String,
    #[diesel(sql_type = Bool)]
    english: bool,
    #[diesel(sql_type = Integer)]
    pub(crate) version: i32,
}

pub(crate) fn role(connection: &mut PgConnection) -> diesel::QueryResult<Role> {
    diesel::sql_query(ROLE).get_result(connection)
}

impl Role {
    /// Why this role must not serve requests: row security would not bind it, it could take that off, or the service would not
    /// understand the faults of the database.
    pub(crate) fn objection(&self) -> Option<String> {
        let what = match self {
            Self { rolsuper: true, .. } => "is a superuser, so row security does not apply to it",
            Self { rolbypassrls: true, .. } => "has BYPASSRLS, so row security does not apply to it",
            Self { owner: true, .. } => "owns the database or its tables, so it could switch their row security off",
            Self { english: false, .. } => return Some(self.foreign_language()),
            _ => return None,
        };
        Some(format!(
            "the database role \"{}\" {what}. The service needs a role that owns nothing: as an \
             administrator run ALTER ROLE tenantry_service LOGIN PASSWORD '…', and let DATABASE_URL name tenantry_service",
            self.name
        ))
    }

    /// Whether it may migrate.
    pub(crate) fn owns(&self) -> bool {
        self.owner || self.rolsuper
    }

    fn foreign_language(&self) -> String {
        format!(
            "the database does not write its messages in English (lc_messages is \"{}\"). The service reads them to tell a \
             temporary fault, such as a deadlock, from a permanent one: as an administrator run \
             ALTER ROLE \"{}\" SET lc_messages TO 'C'",
            self.lc_messages, self.name
        )
    }
}

/// Why the role of this URL must not serve requests, in a sentence for an operator; `None` when it may.
///
/// # Errors
///
/// The database does not answer, in the words of the driver.
pub fn objection_to(url: &str) -> Result<Option<String>, String> {
    let mut connection = establish(url).map_err(|error| one_line(&error))?;
    Ok(role(&mut connection).map_err(|error| one_line(&error))?.objection())
}
