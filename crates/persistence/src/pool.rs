//! Connections, and the threads that work on them.
//!
//! Diesel blocks, so each connection has a thread of its own, and nothing else of the service waits on one. Who wants a
//! connection waits asynchronously, for a bounded time, and only then is given a thread: threads never queue on a lock.
//!
//! r2d2 keeps the connections and opens new ones ([`opening`]). A thread that nobody answers is left alone ([`visit`]). When there
//! is no database, all requests know it at once ([`health`]).

mod health;
mod link;
mod opening;
mod options;
mod visit;

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Waker},
    time::{Duration, Instant},
};

use diesel::{Connection, PgConnection, QueryResult, connection::AnsiTransactionManager};
use tenantry_domain::{Error, TenantId, Weight};
use tokio::{runtime::Runtime, task::JoinHandle};

use self::{
    health::Health,
    link::Link,
    opening::{Attempts, Opener},
    visit::{Beat, Overdue, Visit, Watch},
};
pub use self::{
    link::objection_to,
    options::{PoolOptions, PoolState, Prepare},
};
pub(crate) use self::{
    link::{OWN_SESSION, begin_sql, establish, is_full, one_line, role, set_local_sql},
    visit::{lock, roll_back},
};
use crate::{
    fault::{Fault, Kind, Remedy, is_gone, remedy},
    lane::LaneState,
    seats::{Party, Seats},
    standby::StandbyState,
};

#[derive(Clone)]
pub(crate) struct Pool(Arc<Inner>);

/// A pool that somebody else keeps.
pub(crate) struct WeakPool(Weak<Inner>);

impl WeakPool {
    /// The pool, if there still is one.
    pub(crate) fn upgrade(&self) -> Option<Pool> {
        self.0.upgrade().map(Pool)
    }
}

/// How often to look for visits that are over their limit.
const LOOK: Duration = Duration::from_millis(100);

/// How many threads may be left alone, more than there are connections.
const MORE_STRAYS: u32 = 64;

/// How long work waits for another connection in place of one that broke, also when the time to wait for the first one is over.
const ANOTHER_TRY: Duration = Duration::from_secs(1);

struct Inner {
    options: PoolOptions,
    seats: Seats,
    size: u32,
    /// `None` only while it is being dropped.
    threads: Option<Runtime>,
    connections: diesel::r2d2::Pool<Opener>,
    attempts: Attempts,
    watch: Arc<Watch>,
    health: Arc<Health>,
    /// A pooler lends the server's sessions to several connections in turn.
    lent: AtomicBool,
}

/// How work on a connection begins.
#[derive(Debug, Clone)]
pub(crate) enum Begin {
    /// A transaction, with this statement.
    Transaction(String),
    /// Nothing is begun where the connection allows it: work that only reads sends statements of their own. It can be done again when
    /// the connection turns out to be dead.
    Reading,
}

impl<T: Into<String>> From<T> for Begin {
    fn from(sql: T) -> Self {
        Self::Transaction(sql.into())
    }
}

impl Begin {
    fn is_reading(&self) -> bool {
        matches!(self, Self::Reading)
    }

    /// The statement, on this connection.
    fn sql(&self, link: &Link) -> Option<&str> {
        match self {
            Self::Transaction(sql) => Some(sql),
            Self::Reading if link.prepares => None,
            // The limits on how long things take are those of a transaction.
            Self::Reading => Some("BEGIN READ ONLY"),
        }
    }
}

/// What work on a connection can ask of the pool.
pub(crate) struct Session<'a> {
    guard: Option<&'a str>,
    name: Option<&'a str>,
    /// Whether there is a transaction to end.
    has_begun: bool,
    visit: &'a Visit,
}

impl Session<'_> {
    /// The name of the connection, if statements outside a transaction have to ask for their [own session](OWN_SESSION).
    pub(crate) fn name(&self) -> Option<&str> {
        self.name
    }

    /// Whether the work is in a transaction.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Begins another transaction, after the first one.
    pub(crate) fn begin(&self, connection: &mut PgConnection, begin: &str) -> QueryResult<()> {
        AnsiTransactionManager::begin_transaction_sql(connection, &begin_sql(begin, self.guard.map(str::to_owned)))
    }

    /// See `Seat::belongs_to`. Work that was given up goes on without a seat, and to no effect.
    pub(crate) fn belongs_to(&self, tenant: TenantId) -> bool {
        self.visit.belongs_to(tenant)
    }

    /// Commits what went well, unless the caller was told that it failed, and takes back what did not.
    pub(crate) fn finish<T>(&self, connection: &mut PgConnection, outcome: Result<T, Fault>) -> Result<T, Fault> {
        match outcome {
            outcome if !self.has_begun => outcome,
            Ok(value) => {
                self.visit.commit(connection)?;
                Ok(value)
            }
            Err(fault) => {
                // A failed rollback leaves the connection broken, and the pool drops it.
                let _ = roll_back(connection);
                Err(fault)
            }
        }
    }
}

/// Says that a thread has ended, however it did.
struct Ending(Arc<Inner>, Arc<Visit>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.watch.end(&self.1);
    }
}

impl Pool {
    /// A pool that connects when it is first needed, so that a service can start before its database.
    pub(crate) fn new(options: &PoolOptions) -> Result<Self, Error> {
        let size = options.connections.max(1);
        let most_strays = size + MORE_STRAYS;
        let threads = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            // As many as can be at work, as many as may be left alone, and as many attempts to connect.
            .max_blocking_threads((size + 2 * most_strays) as usize)
            .thread_name("database")
            .thread_keep_alive(Duration::from_secs(600))
            .enable_time()
            .build()
            .map_err(|error| Error::internal(format!("cannot start the database threads: {error}")))?;
        let handle = threads.handle().clone();
        let inner = Arc::new_cyclic(|inner| Inner {
            options: options.clone(),
            seats: Seats::new(size as usize, options.wait),
            size,
            threads: Some(threads),
            connections: opening::connections(size, inner),
            attempts: Attempts::at_most(most_strays),
            watch: Arc::new(Watch::new(options.statement_timeout, options.visit_timeout, most_strays)),
            health: Arc::new(Health::new()),
            lent: AtomicBool::new(false),
        });
        handle.spawn(look_after(Arc::downgrade(&inner)));
        Ok(Self(inner))
    }

    /// How many batches of look-ups may be read at once.
    pub(crate) fn lane_readers(&self) -> usize {
        self.0.seats.lane()
    }

    /// Does this beside the requests, until the pool is dropped. What can be done without waiting is done before this returns.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let Some(threads) = &self.0.threads else { return };
        let mut work = Box::pin(work);
        // Its timers are those of the pool.
        let _within = threads.enter();
        if work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            threads.spawn(work);
        }
    }

    /// For work that must not keep the pool.
    pub(crate) fn downgrade(&self) -> WeakPool {
        WeakPool(Arc::downgrade(&self.0))
    }

    /// Waits for something, and no longer than there is a database.
    pub(crate) async fn unless_down<T>(&self, wait: impl Future<Output = T>) -> Result<T, Error> {
        self.0.health.unless_down(wait).await
    }

    pub(crate) fn state(&self) -> PoolState {
        let (taken, queue) = self.0.seats.state();
        PoolState {
            answers: self.0.health.fault().is_none(),
            connections: self.0.size,
            open: self.0.connections.state().connections,
            busy: u32::try_from(taken).unwrap_or(self.0.size),
            abandoned: self.0.watch.strays(),
            queue,
            lane: LaneState::default(),
            standby: StandbyState::default(),
        }
    }

    /// Runs a transaction in the share of this party: `begin` and then `work` on one connection; all of it again, up to three
    /// times, when another transaction won a race against it. A connection that `begin` finds dead is replaced without counting,
    /// because nothing has been done on it that could be done twice. Work that gives up its seat runs again in its tenant's turn.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        (mut party, weight): (Party, Weight),
        begin: impl Into<Begin>,
        work: impl Fn(&mut PgConnection, &Session<'_>) -> Result<T, Fault> + Send + Sync + 'static,
    ) -> Result<T, Error> {
        // One deadline for the seat and for the connection.
        let deadline = Instant::now() + self.0.options.wait;
        let job = Arc::new((begin.into(), work));
        loop {
            let seat = self.0.health.unless_down(self.0.seats.take(party, weight, deadline)).await??;
            let visit = self.0.watch.begin(seat);
            let (at_work, job) = (Arc::clone(&visit), Arc::clone(&job));
            let task = self.0.start(&visit, move |inner| {
                let outcome = inner.attempt(&at_work, deadline, &job.0, &job.1).map_err(Fault::into_error);
                (outcome, at_work.owner())
            })?;
            let done = tokio::select! {
                biased;
                done = task => done,
                // Who waited for a connection hears why there is none.
                error = visit.given_up() => return Err(self.0.health.fault().unwrap_or(error)),
            };
            match done {
                Ok((_, Some(owner))) => party = Party::Tenant(owner),
                Ok((outcome, None)) => return outcome,
                Err(error) => return Err(Error::internal(format!("a database task failed: {error}"))),
            }
        }
    }
}

impl Inner {
    /// Runs a visit on a thread of its own.
    fn start<T: Send + 'static>(
        self: &Arc<Self>,
        visit: &Arc<Visit>,
        work: impl FnOnce(&Arc<Self>) -> T + Send + 'static,
    ) -> Result<JoinHandle<T>, Error> {
        let ending = Ending(Arc::clone(self), Arc::clone(visit));
        let task = self.on_a_thread(move || {
            // The seat is the thread's and not the caller's, who may disconnect while the work goes on.
            let ending = ending;
            work(&ending.0)
        });
        task.ok_or_else(|| Error::Unavailable { cause: "the database pool is closed".to_owned() })
    }

    /// Does this on a thread that can be left alone. `None` while the pool is being dropped.
    fn on_a_thread<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<JoinHandle<T>> {
        #[expect(clippy::disallowed_methods, reason = "the one place: seats and attempts bound how many there are")]
        self.threads.as_ref().map(|threads| threads.spawn_blocking(work))
    }

    fn attempt<T>(
        self: &Arc<Self>,
        visit: &Arc<Visit>,
        mut deadline: Instant,
        begin: &Begin,
        work: &impl Fn(&mut PgConnection, &Session<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        // Every idle connection may be dead after a restart of the server, and one more is needed that is not.
        let mut spare = self.size;
        let mut races = 0;
        loop {
            let mut link = self.take(visit, deadline)?;
            link.connection.set_instrumentation(self.beat(visit));
            let begin_sql = begin.sql(&link);
            let Link { connection, guard, name, .. } = &mut link;
            let session =
                Session { guard: guard.as_deref(), name: name.as_deref(), has_begun: begin_sql.is_some(), visit };
            let outcome = match begin_sql.map_or(Ok(()), |sql| session.begin(connection, sql)) {
                Ok(()) => work(connection, &session),
                Err(error) => {
                    let again = self.replaces(&link, &error) || is_gone(&error);
                    if !again || spare == 0 || !visit.is_wanted() {
                        return Err(error.into());
                    }
                    spare -= 1;
                    deadline = deadline.max(Instant::now() + ANOTHER_TRY);
                    continue;
                }
            };
            let Err(Fault(Kind::Database(error))) = &outcome else {
                self.give_back(visit, link);
                return outcome;
            };
            if (begin.is_reading() && is_gone(error) || self.replaces(&link, error)) && spare > 0 && visit.is_wanted() {
                spare -= 1;
                deadline = deadline.max(Instant::now() + ANOTHER_TRY);
                continue;
            }
            match remedy(error) {
                Remedy::Again if races < 2 && visit.is_wanted() => {
                    races += 1;
                    tracing::debug!(races, %error, "a transaction conflicted with another one and is retried");
                    self.give_back(visit, link);
                }
                // The connection is closed.
                Remedy::Later => return outcome,
                _ => {
                    self.give_back(visit, link);
                    return outcome;
                }
            }
        }
    }

    /// A connection, idle or new. What the visit had before is closed.
    fn take(&self, visit: &Visit, deadline: Instant) -> Result<Link, Fault> {
        visit.waits();
        if let Some(error) = self.health.fault() {
            return Err(error.into());
        }
        let lease = self.connections.get_timeout(deadline.saturating_duration_since(Instant::now()));
        let lease = lease.map_err(|error| {
            let cause = format!("the database lets in no more connections, and none became free in time: {error}");
            self.health.fault().unwrap_or(Error::Unavailable { cause })
        })?;
        let given_up = || Error::Unavailable { cause: "nobody waits for it any more".to_owned() };
        Ok(visit.works_on(lease, &self.watch).ok_or_else(given_up)?)
    }

    fn beat(&self, visit: &Arc<Visit>) -> Beat {
        Beat { visit: Arc::clone(visit), watch: Arc::clone(&self.watch), health: Arc::clone(&self.health) }
    }

    /// Keeps the connection for the next one, if it is of use.
    fn give_back(&self, visit: &Visit, mut link: Link) {
        let is_usable = link.is_usable() && !(link.prepares && self.lent.load(Ordering::Acquire));
        visit.rests(Some(link).filter(|_| is_usable));
    }

    /// Whether the work can be done again on another connection, because this one met a session that is not its own, or one from
    /// before a change of the schema. Nothing was done in it.
    fn replaces(&self, link: &Link, error: &diesel::result::Error) -> bool {
        let remedy = remedy(error);
        if link.prepares && remedy == Remedy::Unprepared && !self.lent.swap(true, Ordering::AcqRel) {
            self.drop_idle();
            tracing::error!(
                "a pooler shares the sessions of the database between connections, so statements are no longer prepared. \
                 Set TENANTRY_PREPARE_STATEMENTS=false; or true, if the pooler tracks prepared statements"
            );
        }
        link.prepares && matches!(remedy, Remedy::Unprepared | Remedy::Anew)
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

/// Answers for those whom the database does not answer.
async fn look_after(pool: Weak<Inner>) {
    loop {
        let Some((watch, fault)) = pool.upgrade().map(|pool| (Arc::clone(&pool.watch), pool.health.fault())) else {
            return;
        };
        // Nothing ticks while nobody asks for anything, and there is a database as far as anybody knows.
        if fault.is_none() {
            watch.rest().await;
        }
        tokio::time::sleep(LOOK).await;
        let Some(pool) = pool.upgrade() else { return };
        let silent: Vec<_> = pool
            .watch
            .give_up()
            .into_iter()
            .filter_map(|overdue| match overdue {
                Overdue::Silent(since) => Some(since),
                Overdue::Long => None,
            })
            .collect();
        if !silent.is_empty() {
            tracing::warn!(visits = silent.len(), "the database did not answer in time; its connections are replaced");
            pool.drop_idle();
            if silent.iter().all(|since| !pool.health.was_heard_after(*since)) {
                pool.lose("the database accepts connections or statements and does not answer".to_owned());
            }
        }
        pool.see_that_somebody_tries();
    }
}
