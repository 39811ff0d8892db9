//! How connections are opened: r2d2 says when, and keeps them while nobody uses them.
//!
//! r2d2 asks for a connection in a thread of its own, and asks again after a pause for as long as it gets none. That makes it the one
//! that finds out when there is a database again. What it does not know is here: that nobody may try while another one has just
//! failed, that an attempt can hang, and that everybody who waits is told when there is no database.

use std::{
    sync::{Arc, Mutex, Weak, atomic::Ordering, mpsc},
    time::{Duration, Instant},
};

use diesel::r2d2::{ManageConnection, NopErrorHandler, Pool, PooledConnection};
use scheduled_thread_pool::ScheduledThreadPool;

use super::{
    Inner, Prepare,
    link::{Link, Refused},
    visit::lock,
};

/// Room for one connection in r2d2's pool. Whoever works takes the connection out of it. So the room can go to another one while a
/// thread that is left alone still has its connection, and r2d2 closes what comes back empty.
pub(super) type Lease = PooledConnection<Opener>;

/// How many connections are opened at the same time.
const OPENERS: usize = 8;

/// The pause after an attempt that failed, times one more than there are attempts that hang.
const PAUSE: Duration = Duration::from_millis(250);

/// How long an attempt is waited for. One that takes longer may still succeed.
const ATTEMPT: Duration = Duration::from_secs(2);

/// After how long a connection is closed: when it was last opened, and when nobody uses it.
const LIFETIME: Duration = Duration::from_secs(30 * 60);
const IDLE: Duration = Duration::from_secs(10 * 60);

/// What an attempt is told for which there is no pool any more.
const CLOSED: &str = "the database pool is closed";

/// The connections of a pool, none of them open.
pub(super) fn connections(size: u32, pool: &Weak<Inner>) -> Pool<Opener> {
    let openers = ScheduledThreadPool::builder().num_threads(OPENERS).thread_name_pattern("database-opener-{}").build();
    Pool::builder()
        .max_size(size)
        .min_idle(Some(0))
        .max_lifetime(Some(LIFETIME))
        .idle_timeout(Some(IDLE))
        // The statement that begins a transaction shows it, without a round trip.
        .test_on_check_out(false)
        // r2d2 asks again after half of it. How long work waits, it says itself.
        .connection_timeout(2 * PAUSE)
        .error_handler(Box::new(NopErrorHandler))
        .thread_pool(Arc::new(openers))
        .build_unchecked(Opener(Weak::clone(pool)))
}

/// Opens connections for r2d2.
pub(super) struct Opener(Weak<Inner>);

impl ManageConnection for Opener {
    /// `None` while somebody works on it.
    type Connection = Option<Link>;
    type Error = Refused;

    fn connect(&self) -> Result<Option<Link>, Refused> {
        let pool = self.0.upgrade().ok_or_else(|| Refused::new(CLOSED))?;
        pool.connect().map(Some)
    }

    fn is_valid(&self, _: &mut Option<Link>) -> Result<(), Refused> {
        Ok(())
    }

    fn has_broken(&self, link: &mut Option<Link>) -> bool {
        link.is_none()
    }
}

/// The attempts to connect.
pub(super) struct Attempts {
    most: u32,
    state: Mutex<State>,
}

struct State {
    /// Also those that are not waited for any more.
    under_way: u32,
    asked: Instant,
    /// The last one, if it failed.
    failure: Option<Failure>,
    /// Opened when they were not waited for any more.
    late: Vec<Link>,
}

struct Failure {
    cause: String,
    again: Instant,
}

impl Attempts {
    pub(super) fn at_most(most: u32) -> Self {
        let state = State { under_way: 0, asked: Instant::now(), failure: None, late: Vec::new() };
        Self { most, state: Mutex::new(state) }
    }

    /// Whether this one may begin. After one that failed, it must be of use to somebody.
    fn begin(&self, is_of_use: impl FnOnce() -> bool) -> bool {
        let mut state = lock(&self.state);
        let now = Instant::now();
        let pause = PAUSE * (state.under_way + 1);
        if state.under_way >= self.most {
            return false;
        }
        if let Some(failure) = &mut state.failure {
            if failure.again > now || !is_of_use() {
                return false;
            }
            // The others wait until it is known what becomes of this one, or for long enough.
            failure.again = now + pause;
        }
        state.under_way += 1;
        true
    }

    /// Keeps a connection that came too late, if r2d2 still asks for one.
    fn keep(&self, link: Link) {
        let mut state = lock(&self.state);
        if state.failure.is_some() {
            state.late.push(link);
        }
    }

    /// Remembers that one failed. Returns whether that is news: the one before succeeded, or failed in another way.
    fn failed(&self, cause: &str) -> bool {
        let mut state = lock(&self.state);
        let again = Instant::now() + PAUSE * (state.under_way + 1);
        let before = state.failure.replace(Failure { cause: cause.to_owned(), again });
        before.is_none_or(|before| before.cause != cause)
    }
}

impl Inner {
    /// A connection for r2d2.
    fn connect(self: &Arc<Self>) -> Result<Link, Refused> {
        let began = self.watch.now();
        let late = {
            let mut state = lock(&self.attempts.state);
            state.asked = Instant::now();
            state.late.pop()
        };
        let opened = match late {
            Some(link) => Ok(link),
            None if self.attempts.begin(|| self.health.fault().is_some() || self.watch.somebody_waits()) => {
                match self.try_once() {
                    Err(refused) if refused.is_cut && self.attempts.begin(|| true) => self.try_once(),
                    outcome => outcome,
                }
            }
            None => return Err(Refused::new("another attempt to connect has just failed")),
        };
        match &opened {
            Ok(_) => {
                lock(&self.attempts.state).failure = None;
                self.health.heard(began, self.watch.now());
                self.health.up();
            }
            Err(refused) => self.judge(refused, began),
        }
        opened
    }

    /// Opens a connection on another thread, which can be left alone.
    fn try_once(self: &Arc<Self>) -> Result<Link, Refused> {
        let (sender, outcome) = mpsc::sync_channel(1);
        let (pool, attempt) = (Arc::clone(self), Attempt(Arc::clone(self)));
        let started = self.on_a_thread(move || {
            let prepare = pool.options.prepare != Prepare::Never && !pool.lent.load(Ordering::Acquire);
            let opened = Link::open(&pool.options, prepare);
            // It is over before it is known how it ended.
            drop(attempt);
            if let Err(mpsc::SendError(Ok(link))) = sender.send(opened) {
                pool.attempts.keep(link);
            }
        });
        started.ok_or_else(|| Refused::new(CLOSED))?;
        outcome.recv_timeout(ATTEMPT).map_err(|_| {
            let seconds = ATTEMPT.as_secs();
            Refused::new(format!("cannot connect to the database: no answer within {seconds} seconds"))
        })?
    }

    /// What it means that no connection was opened: there is no database, or others are there that can be waited for.
    fn judge(&self, refused: &Refused, began: u64) {
        let news = self.attempts.failed(&refused.cause);
        let others = self.connections.state().connections > 0;
        if !(others && (refused.is_full || self.health.was_heard_after(began))) {
            self.lose(refused.cause.clone());
        } else if news {
            tracing::warn!(cause = refused.cause, "going on with the database connections that are open");
        }
    }

    /// There is no database. Everybody who waits for a connection is told.
    pub(super) fn lose(&self, cause: String) {
        self.health.down(cause, self.watch.now());
        self.drop_idle();
        self.watch.give_up_waiting();
        self.watch.wake();
    }

    /// Closes the connections that nobody uses: they lead to a server that is gone.
    pub(super) fn drop_idle(&self) {
        // All of them at once: what is given back meanwhile must not be taken twice.
        let leases: Vec<_> = std::iter::from_fn(|| self.connections.try_get()).collect();
        for mut lease in leases {
            drop(lease.take());
        }
    }

    /// While there is no database, r2d2 has to be asked for a connection, so that it asks for one.
    pub(super) fn see_that_somebody_tries(&self) {
        let is_quiet = || lock(&self.attempts.state).asked.elapsed() > 2 * PAUSE;
        if self.health.fault().is_some() && is_quiet() {
            // It does not wait, and what it may get goes back.
            drop(self.connections.get_timeout(Duration::ZERO));
        }
    }
}

/// Says that an attempt has ended, however it did.
struct Attempt(Arc<Inner>);

impl Drop for Attempt {
    fn drop(&mut self) {
        lock(&self.0.attempts.state).under_way -= 1;
    }
}
