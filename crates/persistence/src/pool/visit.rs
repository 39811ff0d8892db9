//! The watch over work in the database.
//!
//! A thread that waits for an answer of PostgreSQL cannot be interrupted. So each visit has a limit, which every statement that
//! begins or ends moves on, and whoever waits for the visit is answered when the limit has passed. The thread is then left alone:
//! it ends whenever its connection does, and cannot commit any more.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use diesel::{
    PgConnection, QueryResult,
    connection::{AnsiTransactionManager, Instrumentation, InstrumentationEvent, TransactionManager},
};
use tenantry_domain::{Error, TenantId};
use tokio::sync::Notify;

use super::{health::Health, link::Link, opening::Lease};
use crate::{fault::Fault, seats::Seat};

/// How much longer than PostgreSQL itself allows a statement its answer may take. After that, nobody answers.
const GRACE: Duration = Duration::from_secs(1);

const WAITING: u8 = 0;
const WORKING: u8 = 1;
const COMMITTING: u8 = 2;
const GIVEN_UP: u8 = 3;

/// One piece of work on one thread.
pub(super) struct Visit {
    number: u64,
    state: AtomicU8,
    /// When what is being waited for began, and when waiting for it ends; milliseconds on the clock of the watch.
    since: AtomicU64,
    limit: AtomicU64,
    /// The end of the visit as a whole.
    end: u64,
    held: Mutex<Held>,
    is_stray: AtomicBool,
    given_up: Notify,
}

/// What others cannot have meanwhile. It is taken from a thread that is left alone. Dropped in this order: whoever gets the seat
/// finds a connection, or room for one.
#[derive(Default)]
struct Held {
    lease: Option<Lease>,
    seat: Option<Seat>,
}

/// All visits of a pool.
pub(super) struct Watch {
    clock: Instant,
    silence: u64,
    whole: Option<u64>,
    running: Mutex<HashMap<u64, Arc<Visit>>>,
    /// Whether there may be something to watch.
    woken: Notify,
    next: AtomicU64,
    /// Threads that were left alone and have not ended.
    strays: AtomicU32,
    most_strays: u32,
}

/// Why a visit was given up.
pub(super) enum Overdue {
    /// Nothing was heard since this moment of the clock.
    Silent(u64),
    /// It went on, and took too long.
    Long,
}

impl Watch {
    /// `whole` is how long a visit may take in all.
    pub(super) fn new(statement: Duration, whole: Option<Duration>, most_strays: u32) -> Self {
        Self {
            clock: Instant::now(),
            silence: millis(statement + GRACE),
            whole: whole.map(millis),
            running: Mutex::default(),
            woken: Notify::new(),
            next: AtomicU64::new(0),
            strays: AtomicU32::new(0),
            most_strays,
        }
    }

    /// Milliseconds since the watch began.
    pub(super) fn now(&self) -> u64 {
        millis(self.clock.elapsed())
    }

    /// Begins a visit, which first waits for a connection.
    pub(super) fn begin(&self, seat: Seat) -> Arc<Visit> {
        let now = self.now();
        let visit = Arc::new(Visit {
            number: self.next.fetch_add(1, Ordering::Relaxed),
            state: AtomicU8::new(WAITING),
            since: AtomicU64::new(now),
            limit: AtomicU64::new(u64::MAX),
            end: self.whole.map_or(u64::MAX, |whole| now + whole),
            held: Mutex::new(Held { lease: None, seat: Some(seat) }),
            is_stray: AtomicBool::new(false),
            given_up: Notify::new(),
        });
        let mut running = lock(&self.running);
        if running.is_empty() {
            self.wake();
        }
        running.insert(visit.number, Arc::clone(&visit));
        drop(running);
        visit
    }

    /// Returns at once while a visit is running, and else when one begins or somebody [wakes](Self::wake) the watch.
    pub(super) async fn rest(&self) {
        if lock(&self.running).is_empty() {
            self.woken.notified().await;
        }
    }

    /// Ends the rest of the watch.
    pub(super) fn wake(&self) {
        self.woken.notify_one();
    }

    /// The visit's thread has ended.
    pub(super) fn end(&self, visit: &Visit) {
        lock(&self.running).remove(&visit.number);
        if visit.is_stray.swap(false, Ordering::AcqRel) {
            self.strays.fetch_sub(1, Ordering::AcqRel);
        }
        drop(std::mem::take(&mut *lock(&visit.held)));
    }

    /// Threads that were left alone and have not ended.
    pub(super) fn strays(&self) -> u32 {
        self.strays.load(Ordering::Acquire)
    }

    /// Whether work waits for a connection.
    pub(super) fn somebody_waits(&self) -> bool {
        lock(&self.running).values().any(|visit| visit.is(WAITING))
    }

    /// Gives up what waits for a connection, because there will be none.
    pub(super) fn give_up_waiting(&self) {
        for visit in self.running_that(|visit| visit.is(WAITING)) {
            self.give_up_one(&visit, self.now());
        }
    }

    /// Gives up what is over its limit, and says why.
    pub(super) fn give_up(&self) -> Vec<Overdue> {
        let now = self.now();
        let overdue = self.running_that(|visit| visit.limit.load(Ordering::Acquire) < now);
        overdue.iter().filter_map(|visit| self.give_up_one(visit, now)).collect()
    }

    fn running_that(&self, is_meant: impl Fn(&Visit) -> bool) -> Vec<Arc<Visit>> {
        lock(&self.running).values().filter(|visit| is_meant(visit)).cloned().collect()
    }

    /// The seat and the connection's room in the pool go to somebody else, as long as there are not too many threads to replace.
    fn give_up_one(&self, visit: &Visit, now: u64) -> Option<Overdue> {
        if visit.state.swap(GIVEN_UP, Ordering::AcqRel) == GIVEN_UP {
            return None;
        }
        visit.limit.store(u64::MAX, Ordering::Release);
        // Before the caller is told, so that the next one finds the seat.
        let why = if now > visit.end {
            Overdue::Long
        } else {
            drop(self.bereave(visit));
            Overdue::Silent(visit.since.load(Ordering::Acquire))
        };
        visit.given_up.notify_one();
        Some(why)
    }

    /// Takes what the visit holds, and counts its thread as left alone.
    fn bereave(&self, visit: &Visit) -> Held {
        // A visit that ends does so before or after this.
        let running = lock(&self.running);
        if self.strays() >= self.most_strays || !running.contains_key(&visit.number) {
            return Held::default();
        }
        self.strays.fetch_add(1, Ordering::AcqRel);
        visit.is_stray.store(true, Ordering::Release);
        std::mem::take(&mut *lock(&visit.held))
    }
}

impl Visit {
    /// Returns when the visit is given up.
    pub(super) async fn given_up(&self) -> Error {
        self.given_up.notified().await;
        Error::Unavailable { cause: "the database did not answer in time, and was given up".to_owned() }
    }

    /// Whether somebody still waits for it.
    pub(super) fn is_wanted(&self) -> bool {
        !self.is(GIVEN_UP)
    }

    /// See `Seat::belongs_to`.
    pub(super) fn belongs_to(&self, tenant: TenantId) -> bool {
        lock(&self.held).seat.as_mut().is_none_or(|seat| seat.belongs_to(tenant))
    }

    /// Whose turn the work has to wait for, if it gave up its seat.
    pub(super) fn owner(&self) -> Option<TenantId> {
        lock(&self.held).seat.as_ref().and_then(Seat::owner)
    }

    fn is(&self, state: u8) -> bool {
        self.state.load(Ordering::Acquire) == state
    }

    /// Whether the visit goes on in this state: it was not given up.
    fn becomes(&self, state: u8) -> bool {
        let next = |now| (now != GIVEN_UP).then_some(state);
        self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, next).is_ok()
    }

    /// The visit waits for a connection, and holds none. How long, the pool decides.
    pub(super) fn waits(&self) {
        drop(lock(&self.held).lease.take());
        self.limit.store(u64::MAX, Ordering::Release);
        self.becomes(WAITING);
    }

    /// The connection of this lease, unless nobody waits for the visit any more.
    pub(super) fn works_on(&self, mut lease: Lease, watch: &Watch) -> Option<Link> {
        let mut held = lock(&self.held);
        if !self.becomes(WORKING) {
            return None;
        }
        let link = lease.take();
        held.lease = Some(lease);
        self.goes_on(watch);
        link
    }

    /// The visit gives back its lease with this connection; without one, r2d2 may open another. If the lease is gone, because the
    /// visit was given up, the connection is closed.
    pub(super) fn rests(&self, link: Option<Link>) {
        if let Some(mut lease) = lock(&self.held).lease.take() {
            *lease = link;
        }
    }

    /// From now on the visit waits for something else.
    fn goes_on(&self, watch: &Watch) {
        if self.is_wanted() {
            let now = watch.now();
            self.since.store(now, Ordering::Release);
            self.limit.store((now + watch.silence).min(self.end), Ordering::Release);
        }
    }

    /// Commits, unless the caller was told that it failed.
    pub(super) fn commit(&self, connection: &mut PgConnection) -> Result<(), Fault> {
        if !self.becomes(COMMITTING) {
            let _ = roll_back(connection);
            return Err(Error::Unavailable { cause: "it was given up before the commit".to_owned() }.into());
        }
        Ok(<AnsiTransactionManager as TransactionManager<PgConnection>>::commit_transaction(connection)?)
    }
}

pub(crate) fn roll_back(connection: &mut PgConnection) -> QueryResult<()> {
    <AnsiTransactionManager as TransactionManager<PgConnection>>::rollback_transaction(connection)
}

/// Hears from a connection what it does for a visit.
pub(super) struct Beat {
    pub(super) visit: Arc<Visit>,
    pub(super) watch: Arc<Watch>,
    pub(super) health: Arc<Health>,
}

impl Instrumentation for Beat {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartQuery { .. } => self.visit.goes_on(&self.watch),
            InstrumentationEvent::FinishQuery { error, .. } => {
                if error.is_none() {
                    self.health.heard(self.visit.since.load(Ordering::Acquire), self.watch.now());
                }
                self.visit.goes_on(&self.watch);
            }
            _ => {}
        }
    }
}

/// A lock that survives a panic elsewhere: what it guards is whole at any time.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use tenantry_domain::Weight;

    use super::*;
    use crate::seats::{Party, Seats};

    #[tokio::test]
    async fn only_so_many_threads_are_left_alone_and_the_rest_keep_their_seats() {
        let seats = Seats::new(8, Duration::from_secs(3600));
        let watch = Watch::new(Duration::from_secs(1), None, 2);
        let deadline = Instant::now() + Duration::from_secs(3600);
        let mut visits = Vec::new();
        for _ in 0..3 {
            visits.push(watch.begin(seats.take(Party::House, Weight::Light, deadline).await.unwrap()));
        }
        watch.give_up_waiting();
        for visit in &visits {
            visit.given_up().await;
            assert!(!visit.is_wanted());
        }
        assert_eq!((watch.strays(), seats.state().0), (2, 1), "two seats are free for others, and one is kept");
        // A second look finds nothing to give up.
        watch.give_up_waiting();
        assert_eq!((watch.strays(), watch.give_up().len(), seats.state().0), (2, 0, 1));
        for visit in &visits {
            watch.end(visit);
        }
        assert_eq!((watch.strays(), seats.state().0), (0, 0), "a thread that ends makes room for the next one");
        let next = watch.begin(seats.take(Party::House, Weight::Light, deadline).await.unwrap());
        watch.give_up_waiting();
        assert_eq!((watch.strays(), seats.state().0), (1, 0));
        watch.end(&next);
    }
}
