//! Connections, and the threads that work on them.
//!
//! Diesel blocks, so each connection has a thread of its own, and nothing else of the service waits on one. Who wants a
//! connection waits asynchronously for a seat, for a bounded time, and only then is given a thread: threads never queue on a
//! lock. Whose turn it is, [`seats`](crate::seats) knows.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use diesel::{
    Connection, PgConnection, QueryResult, RunQueryDsl,
    connection::{AnsiTransactionManager, CacheSize, SimpleConnection, TransactionManager},
    r2d2::{ConnectionManager, CustomizeConnection, Error as R2d2Error, PooledConnection},
};
use tenantry_domain::{Error, Weight};
use tokio::runtime::Runtime;

use crate::{
    fault::{Fault, Kind, Remedy, remedy},
    seats::{Party, Queue, Seat, Seats},
};

/// How the service uses its database.
#[derive(Clone)]
pub struct PoolOptions {
    /// A libpq connection string or URL of the service's role.
    pub url: String,
    /// How many connections at most, 1 or more.
    pub connections: u32,
    /// How long a request waits for its turn and its connection before it is answered 503.
    pub wait: Duration,
    /// How long one statement may run.
    pub statement_timeout: Duration,
    /// Whether statements are prepared once for each connection; off for a pooler that cannot track them.
    pub prepare_statements: bool,
}

/// What the pool is doing, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolState {
    /// Connections at most.
    pub connections: u32,
    /// Connections open.
    pub open: u32,
    /// Connections at work.
    pub busy: u32,
    /// Who waits for one.
    pub queue: Queue,
}

#[derive(Clone)]
pub(crate) struct Pool(Arc<Inner>);

struct Inner {
    connections: diesel::r2d2::Pool<ConnectionManager<PgConnection>>,
    seats: Seats,
    /// `None` only while it is being dropped.
    threads: Option<Runtime>,
    wait: Duration,
    size: u32,
}

type Connected = PooledConnection<ConnectionManager<PgConnection>>;

impl Pool {
    /// A pool that connects when it is first needed, so that a service can start before its database.
    pub(crate) fn new(options: &PoolOptions) -> Result<Self, Error> {
        let size = options.connections.max(1);
        let threads = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(size as usize)
            .thread_name("database")
            .thread_keep_alive(Duration::from_secs(600))
            .build()
            .map_err(|error| Error::internal(format!("cannot start the database threads: {error}")))?;
        let connections = diesel::r2d2::Pool::builder()
            .max_size(size)
            .min_idle(Some(0))
            // A seat is only given when a connection is free; what remains to wait for is opening one.
            .connection_timeout(options.wait)
            .test_on_check_out(false)
            .error_handler(Box::new(LogConnectFaults))
            .connection_customizer(Box::new(Settings::of(options)))
            .build_unchecked(ConnectionManager::new(&options.url));
        let seats = Seats::new(size as usize, options.wait);
        Ok(Self(Arc::new(Inner { connections, seats, threads: Some(threads), wait: options.wait, size })))
    }

    pub(crate) fn state(&self) -> PoolState {
        let (taken, queue) = self.0.seats.state();
        PoolState {
            connections: self.0.size,
            open: self.0.connections.state().connections,
            busy: u32::try_from(taken).unwrap_or(self.0.size),
            queue,
        }
    }

    /// Runs a transaction in the share of this party: `begin` and then `work` on one connection; all of it again, up to three
    /// times, when another transaction won a race against it. A connection that `begin` finds dead is replaced without counting,
    /// because nothing has been done on it that could be done twice. Work that gives up its seat runs again in its tenant's turn.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        (mut party, weight): (Party, Weight),
        begin: impl Fn(&mut PgConnection) -> QueryResult<()> + Send + Sync + 'static,
        work: impl Fn(&mut PgConnection, &mut Seat) -> Result<T, Fault> + Send + Sync + 'static,
    ) -> Result<T, Error> {
        let unavailable = |cause: &str| Error::Unavailable { cause: cause.to_owned() };
        let deadline = Instant::now() + self.0.wait;
        let job = Arc::new((begin, work));
        loop {
            let mut seat = self.0.seats.take(party, weight, deadline).await?;
            let (pool, job) = (self.clone(), Arc::clone(&job));
            let threads = self.0.threads.as_ref().ok_or_else(|| unavailable("the database pool is closed"))?;
            #[expect(clippy::disallowed_methods, reason = "the one place: as many threads as connections")]
            let task = threads.spawn_blocking(move || {
                // The seat is held by the thread and not by the caller, who may disconnect while the work goes on.
                let outcome = pool.attempt(deadline, &mut seat, &job.0, &job.1).map_err(Fault::into_error);
                (outcome, seat.owner())
            });
            match task.await {
                Ok((_, Some(owner))) => party = Party::Tenant(owner),
                Ok((outcome, None)) => return outcome,
                Err(error) => return Err(Error::internal(format!("a database task failed: {error}"))),
            }
        }
    }

    fn attempt<T>(
        &self,
        deadline: Instant,
        seat: &mut Seat,
        begin: &impl Fn(&mut PgConnection) -> QueryResult<()>,
        work: &impl Fn(&mut PgConnection, &mut Seat) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        // Every idle connection may be dead after a restart of the server, and one more is needed that is not.
        let mut spare = self.0.size;
        let mut races = 0;
        loop {
            let mut connection = self.connect(deadline)?;
            if let Err(error) = begin(&mut connection) {
                poison(&mut connection);
                if remedy(&error) != Remedy::Later || spare == 0 {
                    return Err(error.into());
                }
                spare -= 1;
                continue;
            }
            let outcome = work(&mut connection, seat);
            let Err(Fault(Kind::Database(error))) = &outcome else { return outcome };
            match remedy(error) {
                Remedy::Again if races < 2 => {
                    races += 1;
                    tracing::debug!(races, %error, "a transaction conflicted with another one and is retried");
                }
                Remedy::Later => {
                    poison(&mut connection);
                    return outcome;
                }
                _ => return outcome,
            }
        }
    }

    fn connect(&self, deadline: Instant) -> Result<Connected, Fault> {
        // An idle connection is had at once, also at the last moment.
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        self.0.connections.get_timeout(left).map_err(|error| {
            Error::Unavailable { cause: format!("cannot connect to the database: {}", one_line(&error)) }.into()
        })
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take() {
            // Dropping a runtime waits for it, which an async context must not.
            threads.shutdown_background();
        }
    }
}

/// Has a connection closed when it is returned, instead of given to the next one: r2d2 asks diesel, and diesel its
/// transaction manager, which can be told.
fn poison(connection: &mut PgConnection) {
    <AnsiTransactionManager as TransactionManager<PgConnection>>::transaction_manager_status_mut(connection)
        .set_in_error();
}

/// What the driver says in several lines, as one of a log.
fn one_line(error: &dyn std::error::Error) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whoever waits for the connection in vain says so, once. Meanwhile the pool tries again and again.
#[derive(Debug)]
struct LogConnectFaults;

impl diesel::r2d2::HandleError<R2d2Error> for LogConnectFaults {
    fn handle_error(&self, error: R2d2Error) {
        tracing::debug!(error = one_line(&error), "cannot connect to the database");
    }
}

/// What every connection is told before it is used, and what is asked of it.
#[derive(Debug)]
struct Settings {
    sql: String,
    prepare_statements: bool,
}

impl Settings {
    fn of(options: &PoolOptions) -> Self {
        let statement = options.statement_timeout.as_millis().max(1);
        let sql = format!(
            "SET statement_timeout = {statement}; SET lock_timeout = {lock}; \
             SET idle_in_transaction_session_timeout = {idle}; SET timezone = 'UTC'; \
             SET application_name = 'tenantry'",
            lock = statement / 2 + 1,
            idle = statement * 2,
        );
        Self { sql, prepare_statements: options.prepare_statements }
    }
}

impl CustomizeConnection<PgConnection, R2d2Error> for Settings {
    fn on_acquire(&self, connection: &mut PgConnection) -> Result<(), R2d2Error> {
        if !self.prepare_statements {
            connection.set_prepared_statement_cache_size(CacheSize::Disabled);
        }
        connection.batch_execute(&self.sql).map_err(R2d2Error::QueryError)?;
        let role: Role = diesel::sql_query(ROLE).get_result(connection).map_err(R2d2Error::QueryError)?;
        match role.objection() {
            Some(objection) => Err(R2d2Error::ConnectionError(diesel::ConnectionError::BadConnection(objection))),
            None => Ok(()),
        }
    }
}

/// A description of an object comes in the language of the server's messages, which the name of a locale does not tell.
const ROLE: &str = "SELECT current_user::text AS name, rolsuper, rolbypassrls,
        EXISTS (SELECT FROM pg_class WHERE relname = 'tenants' AND relkind IN ('r', 'p')
                AND pg_has_role(current_user, relowner, 'MEMBER'))
            OR EXISTS (SELECT FROM pg_database WHERE datname = current_database()
                AND pg_has_role(current_user, datdba, 'MEMBER')) AS owner,
        current_setting('lc_messages') AS lc_messages,
        pg_describe_object('pg_class'::regclass, 'pg_class'::regclass, 0) = 'table pg_class' AS english
    FROM pg_roles WHERE rolname = current_user";

#[derive(diesel::QueryableByName)]
struct Role {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    rolsuper: bool,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    rolbypassrls: bool,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    owner: bool,
    #[diesel(sql_type = diesel::sql_types::Text)]
    lc_messages: String,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    english: bool,
}

impl Role {
    /// Why this role must not serve requests: row security would not bind it, it could take that off, or the service would not
    /// understand the faults of the database.
    fn objection(&self) -> Option<String> {
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
    let mut connection = PgConnection::establish(url).map_err(|error| one_line(&error))?;
    let role: Role = diesel::sql_query(ROLE).get_result(&mut connection).map_err(|error| one_line(&error))?;
    Ok(role.objection())
}
