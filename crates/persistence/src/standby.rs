//! A second database that follows the first, for what reads a lot: lists, searches and the audit log.
//!
//! Who asks, and what they may see, is always decided by the first database: a key that was revoked there is refused, however far
//! behind the second one is. Only what is then read comes from the second one, and only if the request may have it so
//! ([`Staleness`]). How old it can be is known exactly: the place in the first one's log up to which everything was committed when the
//! caller was let in is compared with the place that the second one has reached.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use diesel::{
    OptionalExtension, PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_query,
    sql_types::{Double, Nullable, Text},
};
use tenantry_domain::Error;

use crate::{pool::Pool, recess::Recess};

tokio::task_local! {
    static STALENESS: Staleness;
}

/// How old the answer to a request may be, and was. It belongs to the task that works on the request: an operation need not pass it on.
/// Outside of one, everything is read from the first database.
#[derive(Clone, Default)]
pub struct Staleness(
    /// In seconds, and one more: 0 if no answer has come from a standby.
    Arc<AtomicU64>,
);

impl Staleness {
    /// Does this work for a request whose answer may be as old as the operator allows. Also returns how old it was, in whole seconds
    /// rounded up; `None` if all of it is of now, from the first database.
    pub async fn allowed<T>(work: impl Future<Output = T>) -> (T, Option<Duration>) {
        let this = Self::default();
        let output = STALENESS.scope(this.clone(), work).await;
        let age = this.0.load(Ordering::Acquire).checked_sub(1).map(Duration::from_secs);
        (output, age)
    }

    pub(crate) fn current() -> Option<Self> {
        STALENESS.try_with(Clone::clone).ok()
    }

    pub(crate) fn note(&self, age: Duration) {
        let seconds = age.as_secs() + u64::from(age.subsec_nanos() > 0);
        self.0.fetch_max(seconds + 1, Ordering::AcqRel);
    }
}

/// The second database. Clones share it.
#[derive(Clone)]
pub(crate) struct Standby(Arc<Inner>);

struct Inner {
    pool: Pool,
    most: Duration,
    out: Recess,
    reads: AtomicU64,
    passed: AtomicU64,
}

/// What the second database does, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StandbyState {
    /// Reads that it answered.
    pub reads: u64,
    /// Reads that the first database answered instead, because it was too far behind or did not answer.
    pub passed: u64,
    /// It is left alone for a while.
    pub is_out: bool,
}

/// How long it is left alone after it was too far behind or did not answer.
const OUT: Duration = Duration::from_secs(5);

impl Standby {
    /// The database of this pool, as long as it is at most so far behind.
    pub(crate) fn new(pool: Pool, most: Duration) -> Self {
        let (reads, passed) = (AtomicU64::new(0), AtomicU64::new(0));
        Self(Arc::new(Inner { pool, most, out: Recess::new(), reads, passed }))
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.0.pool
    }

    /// Whether it may be asked now.
    pub(crate) fn is_in(&self) -> bool {
        !self.0.out.is_on()
    }

    /// Whether an answer of this age is still good.
    pub(crate) fn accepts(&self, age: Duration) -> bool {
        age <= self.0.most
    }

    pub(crate) fn answered(&self) {
        self.0.reads.fetch_add(1, Ordering::Relaxed);
    }

    /// Leaves it alone for a while; the first database answers.
    pub(crate) fn passes(&self, why: &str) {
        self.0.passed.fetch_add(1, Ordering::Relaxed);
        if self.0.out.begin(OUT) {
            tracing::warn!(why, "the read database is left alone for {} s; the first one answers", OUT.as_secs());
        }
    }

    pub(crate) fn state(&self) -> StandbyState {
        let Inner { reads, passed, .. } = &*self.0;
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        StandbyState { reads: count(reads), passed: count(passed), is_out: self.0.out.is_on() }
    }
}

/// Why a read does not come from the second database.
#[derive(Debug)]
pub(crate) enum Passed {
    /// It cannot, for this reason: the first one answers.
    On(String),
    /// The caller is told this.
    Refused(Error),
}

impl From<Error> for Passed {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable { cause } | Error::Internal { cause } => Self::On(cause),
            other => Self::Refused(other),
        }
    }
}

#[derive(QueryableByName)]
struct Position {
    #[diesel(sql_type = Nullable<Text>)]
    position: Option<String>,
}

/// Up to where the first database has committed. `None` if it is not the first one any more.
pub(crate) fn committed(connection: &mut PgConnection) -> QueryResult<Option<String>> {
    let position = "SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_lsn() END::text AS position";
    Ok(sql_query(position).get_result::<Position>(connection)?.position)
}

#[derive(QueryableByName)]
struct Age {
    #[diesel(sql_type = Nullable<Double>)]
    age: Option<f64>,
}

/// How old what the second database has is at most, for somebody who was let in when the first one had committed up to this position.
/// `None` if it cannot say.
pub(crate) fn age(connection: &mut PgConnection, committed: &str) -> QueryResult<Option<Duration>> {
    let age = "SELECT CASE
            WHEN NOT pg_is_in_recovery() THEN NULL
            WHEN pg_last_wal_replay_lsn() >= $1::pg_lsn THEN 0
            ELSE greatest(0, extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()))
        END::double precision AS age";
    let age = sql_query(age).bind::<Text, _>(committed).get_result::<Age>(connection).optional()?;
    Ok(age.and_then(|age| Duration::try_from_secs_f64(age.age?).ok()))
}
