//! Connections, and the threads that work on them.
//!
//! Diesel blocks, so each connection has a thread of its own, and nothing else of the service waits on one. Who wants a
//! connection waits asynchronously, for a bounded time, and only then is given a thread: threads never queue on a lock.
//!
//! A thread that nobody answers is left alone ([`visit`]). When there is no database, all requests know it at once ([`health`]).

mod health;
mod link;
mod visit;

use std::{
    sync::{
        Arc, Condvar, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use diesel::{Connection, PgConnection, QueryResult, connection::AnsiTransactionManager};
use tenantry_domain::{Error, TenantId, Weight};
use tokio::{runtime::Runtime, task::JoinHandle};

pub use self::link::objection_to;
pub(crate) use self::link::{establish, is_full};
use self::{
    health::{Health, pauses},
    link::Link,
    visit::{Beat, Overdue, Visit, Watch, lock},
};
use crate::{
    fault::{Fault, Kind, Remedy, remedy},
    seats::{Party, Queue, Seats},
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
    /// How long a visit may take in all; `None` for a command that reads or writes a lot.
    pub visit_timeout: Option<Duration>,
    /// Whether statements are prepared once for each connection.
    pub prepare: Prepare,
}

/// Whether statements are prepared once for each connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prepare {
    /// As long as no pooler lends the server's sessions to several connections in turn.
    Auto,
    /// Yes: there is no pooler, or it tracks prepared statements.
    Always,
    /// No.
    Never,
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
    /// Threads that wait for an answer that nobody waits for any more.
    pub abandoned: u32,
    /// Who waits for one.
    pub queue: Queue,
}

#[derive(Clone)]
pub(crate) struct Pool(Arc<Inner>);

/// How often to look for visits that are over their limit.
const LOOK: Duration = Duration::from_millis(100);

/// How long to go on with the connections that there are, when the server lets no more in.
const GROW_PAUSE: Duration = Duration::from_millis(500);

/// How many threads may be left alone, more than there are connections.
const MORE_STRAYS: u32 = 64;

/// How long an attempt to connect may take while there is no database, and how many may hang.
const PROBE: Duration = Duration::from_secs(2);
const HANGING_PROBES: usize = 8;

struct Inner {
    options: PoolOptions,
    seats: Seats,
    size: u32,
    /// `None` only while it is being dropped.
    threads: Option<Runtime>,
    idle: Mutex<Idle>,
    returned: Condvar,
    open: Arc<AtomicU32>,
    watch: Arc<Watch>,
    health: Arc<Health>,
    /// A pooler lends the server's sessions to several connections in turn.
    lent: AtomicBool,
}

/// Connections that nobody uses, the last used one last.
#[derive(Default)]
struct Idle {
    links: Vec<Link>,
    /// Until when no more are opened.
    full_until: Option<Instant>,
}

/// What work in a transaction can ask of the pool.
pub(crate) struct Session<'a> {
    guard: &'a str,
    visit: &'a Visit,
}

impl Session<'_> {
    /// Begins another transaction, after the first one.
    pub(crate) fn begin(&self, connection: &mut PgConnection, begin: &str) -> QueryResult<()> {
        AnsiTransactionManager::begin_transaction_sql(connection, &format!("{begin}{}", self.guard))
    }

    /// See `Seat::belongs_to`. Work that was given up goes on without a seat, and to no effect.
    pub(crate) fn belongs_to(&self, tenant: TenantId) -> bool {
        self.visit.belongs_to(tenant)
    }

    /// Commits the transaction, unless the caller was told that it failed.
    pub(crate) fn commit(&self, connection: &mut PgConnection) -> Result<(), Fault> {
        self.visit.commit(connection)
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
        // As many as can be at work, as many as may be left alone, and those of the probe.
        let most_strays = size + MORE_STRAYS;
        let threads = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads((size + most_strays) as usize + HANGING_PROBES)
            .thread_name("database")
            .thread_keep_alive(Duration::from_secs(600))
            .enable_time()
            .build()
            .map_err(|error| Error::internal(format!("cannot start the database threads: {error}")))?;
        let handle = threads.handle().clone();
        let inner = Arc::new(Inner {
            options: options.clone(),
            seats: Seats::new(size as usize, options.wait),
            size,
            threads: Some(threads),
            idle: Mutex::default(),
            returned: Condvar::new(),
            open: Arc::default(),
            watch: Arc::new(Watch::new(options.statement_timeout, options.visit_timeout, most_strays)),
            health: Arc::new(Health::new()),
            lent: AtomicBool::new(false),
        });
        handle.spawn(look_after(Arc::downgrade(&inner)));
        Ok(Self(inner))
    }

    pub(crate) fn state(&self) -> PoolState {
        let (taken, queue) = self.0.seats.state();
        PoolState {
            connections: self.0.size,
            open: self.0.open.load(Ordering::Acquire),
            busy: u32::try_from(taken).unwrap_or(self.0.size),
            abandoned: self.0.watch.strays(),
            queue,
        }
    }

    /// Runs a transaction in the share of this party: `begin` and then `work` on one connection; all of it again, up to three
    /// times, when another transaction won a race against it. A connection that `begin` finds dead is replaced without counting,
    /// because nothing has been done on it that could be done twice. Work that gives up its seat runs again in its tenant's turn.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        (mut party, weight): (Party, Weight),
        begin: String,
        work: impl Fn(&mut PgConnection, &Session<'_>) -> Result<T, Fault> + Send + Sync + 'static,
    ) -> Result<T, Error> {
        // One deadline for the seat and for the connection.
        let deadline = Instant::now() + self.0.options.wait;
        let job = Arc::new((begin, work));
        loop {
            let seat = self.0.health.unless_down(self.0.seats.take(party, weight, deadline)).await??;
            let visit = self.0.watch.begin(Some(seat), deadline);
            let (at_work, job) = (Arc::clone(&visit), Arc::clone(&job));
            let task = self.0.start(&visit, move |inner| {
                let outcome = inner.attempt(&at_work, deadline, &job.0, &job.1).map_err(Fault::into_error);
                (outcome, at_work.owner())
            })?;
            let done = tokio::select! {
                biased;
                done = task => done,
                error = visit.given_up() => return Err(error),
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
        let closed = || Error::Unavailable { cause: "the database pool is closed".to_owned() };
        let threads = self.threads.as_ref().ok_or_else(closed)?;
        #[expect(clippy::disallowed_methods, reason = "the one place: as many threads as connections")]
        Ok(threads.spawn_blocking(move || {
            // The seat is the thread's and not the caller's, who may disconnect while the work goes on.
            let ending = ending;
            work(&ending.0)
        }))
    }

    fn attempt<T>(
        self: &Arc<Self>,
        visit: &Arc<Visit>,
        deadline: Instant,
        begin: &str,
        work: &impl Fn(&mut PgConnection, &Session<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        // Every idle connection may be dead after a restart of the server, and one more is needed that is not.
        let mut spare = self.size;
        let mut races = 0;
        loop {
            let mut link = self.take(visit, deadline)?;
            link.connection.set_instrumentation(self.beat(visit));
            let Link { connection, guard, .. } = &mut link;
            let session = Session { guard: guard.as_str(), visit };
            let outcome = match session.begin(connection, begin) {
                Ok(()) => work(connection, &session),
                Err(error) => {
                    let again = self.replaces(&link, &error) || remedy(&error) == Remedy::Later;
                    if !again || spare == 0 || !visit.is_wanted() {
                        return Err(error.into());
                    }
                    spare -= 1;
                    continue;
                }
            };
            let Err(Fault(Kind::Database(error))) = &outcome else {
                self.give_back(link);
                return outcome;
            };
            if self.replaces(&link, error) && spare > 0 && visit.is_wanted() {
                spare -= 1;
                continue;
            }
            match remedy(error) {
                Remedy::Again if races < 2 && visit.is_wanted() => {
                    races += 1;
                    tracing::debug!(races, %error, "a transaction conflicted with another one and is retried");
                    self.give_back(link);
                }
                // The connection is closed.
                Remedy::Later => return outcome,
                _ => {
                    self.give_back(link);
                    return outcome;
                }
            }
        }
    }

    /// A connection, idle or new.
    fn take(self: &Arc<Self>, visit: &Arc<Visit>, deadline: Instant) -> Result<Link, Fault> {
        let mut idle = lock(&self.idle);
        loop {
            if let Some(link) = idle.links.pop() {
                return Ok(link);
            }
            if let Some(error) = self.health.fault() {
                return Err(error.into());
            }
            let now = Instant::now();
            let wake = match idle.full_until {
                Some(until) if until > now => until.min(deadline),
                _ => {
                    drop(idle);
                    match self.open(visit) {
                        Ok(link) => return Ok(link),
                        Err(Some(error)) => return Err(error.into()),
                        Err(None) => {}
                    }
                    idle = lock(&self.idle);
                    idle.full_until = Some(Instant::now() + GROW_PAUSE);
                    continue;
                }
            };
            if now >= deadline {
                let cause = "the database lets in no more connections, and none became free in time";
                return Err(Error::Unavailable { cause: cause.to_owned() }.into());
            }
            idle = self.returned.wait_timeout(idle, wake - now).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Opens a connection. Without an error, there are others that can be waited for.
    fn open(self: &Arc<Self>, visit: &Arc<Visit>) -> Result<Link, Option<Error>> {
        let began = self.watch.now();
        let prepare = self.options.prepare != Prepare::Never && !self.lent.load(Ordering::Acquire);
        let refused = match Link::open(&self.options, prepare, &self.open, self.beat(visit)) {
            Ok(link) => {
                self.health.heard(began, self.watch.now());
                lock(&self.idle).full_until = None;
                return Ok(link);
            }
            Err(refused) => refused,
        };
        let others = self.open.load(Ordering::Acquire) > 0;
        if others && (refused.is_full || self.health.was_heard_after(began)) {
            tracing::warn!(cause = refused.cause, "going on with the database connections that are open");
            return Err(None);
        }
        self.lose(refused.cause.clone());
        Err(Some(Error::Unavailable { cause: refused.cause }))
    }

    fn beat(&self, visit: &Arc<Visit>) -> Beat {
        Beat { visit: Arc::clone(visit), watch: Arc::clone(&self.watch), health: Arc::clone(&self.health) }
    }

    fn give_back(&self, mut link: Link) {
        if link.is_usable() && !(link.prepares && self.lent.load(Ordering::Acquire)) {
            lock(&self.idle).links.push(link);
        }
        self.returned.notify_one();
    }

    /// Whether the work can be done again on another connection, because this one met a session that is not its own, or one from
    /// before a change of the schema. Nothing was done in it.
    fn replaces(&self, link: &Link, error: &diesel::result::Error) -> bool {
        let remedy = remedy(error);
        if link.prepares && remedy == Remedy::Unprepared && !self.lent.swap(true, Ordering::AcqRel) {
            lock(&self.idle).links.clear();
            tracing::error!(
                "a pooler shares the sessions of the database between connections, so statements are no longer prepared. \
                 Set TENANTRY_PREPARE_STATEMENTS=false; or true, if the pooler tracks prepared statements"
            );
        }
        link.prepares && matches!(remedy, Remedy::Unprepared | Remedy::Anew)
    }

    /// There is no database. Finds out when there is one again.
    fn lose(self: &Arc<Self>, cause: String) {
        let news = self.health.down(cause, self.watch.now());
        self.drop_idle();
        if news && let Some(threads) = &self.threads {
            threads.spawn(probe(Arc::downgrade(self)));
        }
    }

    /// Closes the connections that nobody uses: they lead to a server that is gone.
    fn drop_idle(&self) {
        let links = std::mem::take(&mut lock(&self.idle).links);
        self.returned.notify_all();
        drop(links);
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

/// Answers for those whom the database does not answer, and closes connections that nobody has used for long.
async fn look_after(pool: Weak<Inner>) {
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        look.tick().await;
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
        let stale = {
            let mut idle = lock(&pool.idle);
            let at = idle.links.iter().take_while(|link| link.is_stale()).count();
            idle.links.drain(..at).collect::<Vec<_>>()
        };
        drop(stale);
    }
}

/// Tries to connect until there is a database again.
async fn probe(pool: Weak<Inner>) {
    let mut hanging: Vec<JoinHandle<()>> = Vec::new();
    for pause in pauses() {
        tokio::time::sleep(pause).await;
        let Some(pool) = pool.upgrade() else { return };
        if pool.health.fault().is_none() {
            return;
        }
        hanging.retain(|attempt| !attempt.is_finished());
        if hanging.len() >= HANGING_PROBES {
            continue;
        }
        let visit = pool.watch.begin(None, Instant::now() + PROBE);
        let at_work = Arc::clone(&visit);
        let opened = pool.start(&visit, move |pool| {
            if let Ok(link) = pool.open(&at_work) {
                pool.health.up();
                pool.give_back(link);
            }
        });
        let Ok(mut attempt) = opened else { return };
        drop(pool);
        tokio::select! {
            _ = &mut attempt => {}
            _ = visit.given_up() => hanging.push(attempt),
        }
    }
}
