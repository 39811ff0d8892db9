//! The look-up lane: look-ups that wait at the same time are answered with one statement.
//!
//! Most requests of most services begin with the same question: which workspace is this, and may this caller see it? At the door
//! each costs a transaction of its own. Here, whatever waits is taken together, as soon as a reader is free: there is no timer, so
//! a lone look-up waits for nobody. Nothing is cached. Each look-up is read under row security in its own tenant, after it was
//! asked, and the same code as at the door says who asks and what they may see.
//!
//! Whatever the lane cannot answer, the door answers: one look-up at a time, when a batch fails; all of them, while the database
//! has not the function that the lane calls or is a distributed one, where each look-up would be a journey of its own.

pub(crate) mod alone;
mod contents;
mod line;
mod statement;

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use diesel::PgConnection;
use tenantry_domain::{Error, Weight};
use tokio::sync::oneshot;

pub(crate) use self::alone::PageOfWorkspaces;
pub use self::line::LaneState;
pub(crate) use self::{
    contents::Contents,
    statement::{Answer, Asks, CallerRows, EffectiveRows, FactsRows, Found, IntrospectionRows, Question, Rows},
};
use self::{
    line::{Line, Ticket},
    statement::{answers, is_of_use},
};
use crate::{
    fault::{Fault, Kind, Remedy, remedy},
    pool::{Begin, Pool, Session, lock},
    recess::Recess,
    seats::Party,
};

/// How long the door answers before the lane is tried again.
const OFF: Duration = Duration::from_secs(60);

/// Clones share the line.
#[derive(Clone)]
pub(crate) struct Lane(Arc<Inner>);

struct Inner {
    pool: Pool,
    line: Mutex<Line>,
    /// Somebody has joined while a reader had nothing to read.
    joined: Condvar,
    wait: Duration,
    /// The database was asked whether the lane is of use on it, and it is.
    is_of_use: AtomicBool,
    /// While the door answers.
    off: Recess,
    /// While it answers what is read alone.
    off_alone: Recess,
}

/// How long one visit goes on to the next batch, so that it ends.
const VISIT: Duration = Duration::from_millis(100);

/// How long a reader waits for the next look-up before it leaves its connection. Whoever has an answer may soon ask again, and to begin
/// anew costs more than to wake.
const LINGER: Duration = Duration::from_millis(1);

/// Look-ups that are read together.
struct Batch {
    questions: Vec<Question>,
    /// `None` once it was answered.
    askers: Mutex<Vec<Option<Asker>>>,
}

/// The batch that is being read in a visit. `None` once the visit is over for those who wait, whatever its thread does.
struct Current(Mutex<Option<Arc<Batch>>>);

type Asker = oneshot::Sender<Result<Answer, Error>>;

impl Lane {
    pub(crate) fn new(pool: Pool, wait: Duration) -> Self {
        let line = Mutex::new(Line::new(pool.lane_readers(), wait / 2));
        let (is_of_use, off, off_alone) = (AtomicBool::new(false), Recess::new(), Recess::new());
        Self(Arc::new(Inner { pool, line, joined: Condvar::new(), wait, is_of_use, off, off_alone }))
    }

    pub(crate) fn state(&self) -> LaneState {
        self.0.line().state()
    }

    /// What the database knows of who asks and of the workspace. `None` when the door has to be asked.
    ///
    /// # Errors
    ///
    /// `Overloaded` at once when too many wait, or after the wait; `Unavailable` without a database.
    pub(crate) async fn ask(&self, party: Party, question: Question) -> Result<Option<Answer>, Error> {
        if self.0.off.is_on() {
            return Ok(None);
        }
        let (asker, mut answer) = oneshot::channel();
        let joined = self.0.line().join(party, Ticket { question, asker })?;
        if joined.reader_lingers {
            self.0.joined.notify_one();
        }
        if joined.reader_is_missing {
            self.0.pool.spawn(Arc::clone(&self.0).read());
        }
        let deadline = Instant::now() + self.0.wait;
        let waiting = async {
            match tokio::time::timeout_at(deadline.into(), &mut answer).await {
                Ok(answer) => answer,
                Err(_) if self.0.line().leave(party, joined.number) => Ok(Err(Error::Overloaded)),
                // It is being read, for which there is another limit.
                Err(_) => answer.await,
            }
        };
        match self.0.pool.unless_down(waiting).await? {
            Ok(answer) => answer.map(Some),
            Err(_) => Ok(None),
        }
    }

    /// Reads something that is a statement of its own, beside the line and in this share of the connections: in one round trip, without a
    /// transaction around it. `None` when the door has to be asked, because the database is distributed or has not the function.
    ///
    /// # Errors
    ///
    /// See [`Pool::run`].
    pub(crate) async fn alone<T: Send + 'static>(
        &self,
        share: (Party, Weight),
        work: impl Fn(&mut PgConnection, &Session<'_>) -> Result<T, Fault> + Send + Sync + 'static,
    ) -> Result<Option<T>, Error> {
        if self.0.off.is_on() || self.0.off_alone.is_on() {
            return Ok(None);
        }
        let lane = Arc::clone(&self.0);
        let work = move |connection: &mut PgConnection, session: &Session<'_>| {
            let outcome = match lane.is_of_use(connection) {
                Ok(true) => work(connection, session).map(Some),
                Ok(false) => {
                    lane.switch_off("the database is distributed");
                    Ok(None)
                }
                Err(fault) => Err(fault),
            };
            match session.finish(connection, outcome) {
                Err(Fault(Kind::Database(error))) if remedy(&error) == Remedy::Migrate => {
                    tracing::info!(%error, "what is read alone is read at the door");
                    lane.off_alone.begin(OFF);
                    lane.ask_again();
                    Ok(None)
                }
                outcome => outcome,
            }
        };
        self.0.pool.run(share, Begin::Reading, work).await
    }
}

impl Inner {
    /// Reads what waits until nothing does.
    async fn read(self: Arc<Self>) {
        let reader = Arc::new(Reader { lane: Arc::clone(&self), at_work: AtomicBool::new(true) });
        while let Some(batch) = reader.next() {
            self.answer(&reader, batch).await;
        }
    }

    /// Answers this batch, and those that wait by then, on one connection.
    async fn answer(&self, reader: &Arc<Reader>, batch: Batch) {
        let current = Arc::new(Current(Mutex::new(Some(Arc::new(batch)))));
        let (reader, reading) = (Arc::clone(reader), Arc::clone(&current));
        let work = move |connection: &mut PgConnection, session: &Session<'_>| {
            let outcome = reader.batches(connection, session, &reading);
            session.finish(connection, outcome)
        };
        let outcome = self.pool.run((Party::Lane, Weight::Light), Begin::Reading, work).await;
        let (Err(error), Some(batch)) = (outcome, current.take()) else { return };
        match error {
            Error::Unavailable { cause } if !self.off.is_on() => {
                batch.answer(std::iter::repeat_with(|| Err(Error::Unavailable { cause: cause.clone() })));
            }
            Error::Overloaded => batch.answer(std::iter::repeat_with(|| Err(Error::Overloaded))),
            // Whose asker is dropped goes to the door.
            error => tracing::warn!(%error, "a batch of look-ups failed, so each of them is asked alone"),
        }
    }

    fn is_of_use(&self, connection: &mut PgConnection) -> Result<bool, Fault> {
        if self.is_of_use.load(Ordering::Acquire) {
            return Ok(true);
        }
        let is_of_use = is_of_use(connection)?;
        self.is_of_use.store(is_of_use, Ordering::Release);
        Ok(is_of_use)
    }

    /// The database may have been distributed since it was asked.
    fn ask_again(&self) {
        self.is_of_use.store(false, Ordering::Release);
    }

    fn switch_off(&self, why: &str) {
        tracing::info!(why, "look-ups are answered one by one");
        self.off.begin(OFF);
        self.ask_again();
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        lock(&self.line)
    }
}

impl Batch {
    fn of(tickets: Vec<Ticket>) -> Self {
        let (questions, askers) = tickets.into_iter().map(|Ticket { question, asker }| (question, Some(asker))).unzip();
        Self { questions, askers: Mutex::new(askers) }
    }

    fn size(&self) -> usize {
        self.questions.iter().map(Question::weight).sum()
    }

    fn answer(&self, answers: impl Iterator<Item = Result<Answer, Error>>) {
        let mut askers = lock(&self.askers);
        for (asker, answer) in askers.iter_mut().zip(answers) {
            if let Some(asker) = asker.take() {
                // Whoever has gone needs no answer.
                drop(asker.send(answer));
            }
        }
    }
}

impl Current {
    fn get(&self) -> Option<Arc<Batch>> {
        lock(&self.0).clone()
    }

    fn take(&self) -> Option<Arc<Batch>> {
        lock(&self.0).take()
    }

    /// Goes on to the next batch, unless the visit is over.
    fn go_on(&self, next: impl FnOnce() -> Option<Batch>) {
        let mut current = lock(&self.0);
        if current.is_some() {
            *current = next().map(Arc::new);
        }
    }
}

/// A reader that is counted, also when its task is dropped in the middle of something.
struct Reader {
    lane: Arc<Inner>,
    at_work: AtomicBool,
}

impl Reader {
    /// What to read next. `None` when this reader has ended.
    fn next(&self) -> Option<Batch> {
        self.take(&mut self.lane.line())
    }

    /// The same, for one who can wait a moment for somebody to come.
    fn next_soon(&self) -> Option<Batch> {
        let mut line = self.lane.line();
        if line.lingers() {
            let waited = self.lane.joined.wait_timeout_while(line, LINGER, |line| line.is_empty());
            line = waited.unwrap_or_else(PoisonError::into_inner).0;
            line.lingered();
        }
        self.take(&mut line)
    }

    fn take(&self, line: &mut Line) -> Option<Batch> {
        if !self.at_work.load(Ordering::Acquire) {
            return None;
        }
        let tickets = line.take();
        self.at_work.store(tickets.is_some(), Ordering::Release);
        tickets.map(Batch::of)
    }

    /// Reads this batch on this connection and answers it, and then those that wait by then.
    fn batches(&self, connection: &mut PgConnection, session: &Session<'_>, current: &Current) -> Result<(), Fault> {
        let visit = Instant::now();
        if !self.lane.is_of_use(connection)? {
            self.lane.switch_off("the database is distributed");
            // Those who wait go to the door.
            drop(current.take());
        }
        while let Some(batch) = current.get() {
            let began = Instant::now();
            let answers = answers(connection, session.name(), &batch.questions).inspect_err(|Fault(kind)| {
                if matches!(kind, Kind::Database(error) if remedy(error) == Remedy::Migrate) {
                    self.lane.switch_off("the database does not run a function that the look-up lane calls");
                }
            })?;
            batch.answer(answers.into_iter().map(Ok));
            self.lane.line().took(began.elapsed(), batch.size());
            // A transaction would see the time at which it began, so it has one batch.
            let goes_on = !session.has_begun() && visit.elapsed() < VISIT;
            current.go_on(|| if goes_on { self.next_soon() } else { None });
        }
        Ok(())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if *self.at_work.get_mut() {
            self.lane.line().reader_ends();
        }
    }
}
