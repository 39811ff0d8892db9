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

use super::health::Health;
use crate::{fault::Fault, seats::Seat};

/// How much longer than PostgreSQL itself allows a statement its answer may take. After that, nobody answers.
const GRACE: Duration = Duration::from_secs(1);

const WORKING: u8 = 0;
const COMMITTING: u8 = 1;
const GIVEN_UP: u8 = 2;

/// One piece of work on one thread.
pub(super) struct Visit {
    number: u64,
    state: AtomicU8,
    /// When what is being waited for began, and when waiting for it ends; milliseconds on the clock of the watch.
    since: AtomicU64,
    limit: AtomicU64,
    /// The end of the visit as a whole.
    end: u64,
    seat: Mutex<Option<Seat>>,
    is_stray: AtomicBool,
    given_up: Notify,
}

/// All visits of a pool.
pub(super) struct Watch {
    clock: Instant,
    silence: u64,
    whole: Option<u64>,
    running: Mutex<HashMap<u64, Arc<Visit>>>,
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
            next: AtomicU64::new(0),
            strays: AtomicU32::new(0),
            most_strays,
        }
    }

    /// Milliseconds since the watch began.
    pub(super) fn now(&self) -> u64 {
        millis(self.clock.elapsed())
    }

    /// Begins a visit that waits for a connection until this moment.
    pub(super) fn begin(&self, seat: Option<Seat>, deadline: Instant) -> Arc<Visit> {
        let now = self.now();
        let visit = Arc::new(Visit {
            number: self.next.fetch_add(1, Ordering::Relaxed),
            state: AtomicU8::new(WORKING),
            since: AtomicU64::new(now),
            limit: AtomicU64::new(now + millis(deadline.saturating_duration_since(Instant::now()))),
            end: self.whole.map_or(u64::MAX, |whole| now + whole),
            seat: Mutex::new(seat),
            is_stray: AtomicBool::new(false),
            given_up: Notify::new(),
        });
        lock(&self.running).insert(visit.number, Arc::clone(&visit));
        visit
    }

    /// The visit's thread has ended.
    pub(super) fn end(&self, visit: &Visit) {
        lock(&self.running).remove(&visit.number);
        if visit.is_stray.swap(false, Ordering::AcqRel) {
            self.strays.fetch_sub(1, Ordering::AcqRel);
        }
        drop(lock(&visit.seat).take());
    }

    /// Threads that were left alone and have not ended.
    pub(super) fn strays(&self) -> u32 {
        self.strays.load(Ordering::Acquire)
    }

    /// Gives up what is over its limit, and says why. The seat of a silent visit goes to somebody else, as long as there are not
    /// too many threads to replace.
    pub(super) fn give_up(&self) -> Vec<Overdue> {
        let now = self.now();
        let overdue: Vec<_> = {
            let running = lock(&self.running);
            running.values().filter(|visit| visit.limit.load(Ordering::Acquire) < now).cloned().collect()
        };
        overdue.iter().filter_map(|visit| self.give_up_one(visit, now)).collect()
    }

    fn give_up_one(&self, visit: &Visit, now: u64) -> Option<Overdue> {
        if visit.state.swap(GIVEN_UP, Ordering::AcqRel) == GIVEN_UP {
            return None;
        }
        visit.limit.store(u64::MAX, Ordering::Release);
        // Before the caller is told, so that the next one finds the seat.
        let why = if now > visit.end {
            Overdue::Long
        } else {
            if self.strays() < self.most_strays && lock(&self.running).contains_key(&visit.number) {
                let seat = lock(&visit.seat).take();
                if seat.is_some() {
                    self.strays.fetch_add(1, Ordering::AcqRel);
                    visit.is_stray.store(true, Ordering::Release);
                }
            }
            Overdue::Silent(visit.since.load(Ordering::Acquire))
        };
        visit.given_up.notify_one();
        Some(why)
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
        self.state.load(Ordering::Acquire) != GIVEN_UP
    }

    /// See `Seat::belongs_to`.
    pub(super) fn belongs_to(&self, tenant: TenantId) -> bool {
        lock(&self.seat).as_mut().is_none_or(|seat| seat.belongs_to(tenant))
    }

    /// Whose turn the work has to wait for, if it gave up its seat.
    pub(super) fn owner(&self) -> Option<TenantId> {
        lock(&self.seat).as_ref().and_then(Seat::owner)
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
        let state = self.state.compare_exchange(WORKING, COMMITTING, Ordering::AcqRel, Ordering::Acquire);
        if state == Err(GIVEN_UP) {
            let _ = roll_back(connection);
            return Err(Error::Unavailable { cause: "it was given up before the commit".to_owned() }.into());
        }
        Ok(<AnsiTransactionManager as TransactionManager<PgConnection>>::commit_transaction(connection)?)
    }
}

pub(super) fn roll_back(connection: &mut PgConnection) -> QueryResult<()> {
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
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
