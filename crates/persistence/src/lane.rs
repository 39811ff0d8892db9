//! The look-up lane: look-ups that wait at the same time are answered with one statement.
//!
//! Most requests of most services begin with the same question: which workspace is this, and may this caller see it? At the door
//! each costs a transaction of its own. Here, whatever waits is taken together, as soon as a reader is free: there is no timer, so
//! a lone look-up waits for nobody. Nothing is cached. Each look-up is read under row security in its own tenant, after it was
//! asked, and the same code as at the door says who asks and what they may see.
//!
//! Whatever the lane cannot answer, the door answers: one look-up at a time, when a batch fails; all of them, while the database
//! has not the function that the lane calls or is a distributed one, where each look-up would be a journey of its own.

mod line;
mod statement;

use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use diesel::PgConnection;
use tenantry_domain::{Error, Weight};
use tokio::sync::oneshot;

pub use self::line::LaneState;
pub(crate) use self::statement::{Answer, Asks, CallerRows, EffectiveRows, Found, IntrospectionRows, Question, Rows};
use self::{
    line::{Line, Ticket},
    statement::{answers, is_of_use},
};
use crate::{
    fault::{Fault, Kind, Remedy, remedy},
    pool::{Pool, Session, lock},
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
    wait: Duration,
    /// The database was asked whether the lane is of use on it, and it is.
    is_of_use: AtomicBool,
    /// While the door answers.
    off: Recess,
}

/// Look-ups that are read together.
struct Batch {
    questions: Vec<Question>,
    /// `None` once it was answered.
    askers: Mutex<Vec<Option<Asker>>>,
}

type Asker = oneshot::Sender<Result<Answer, Error>>;

impl Lane {
    pub(crate) fn new(pool: Pool, wait: Duration) -> Self {
        let line = Mutex::new(Line::new(pool.lane_readers(), wait / 2));
        let (is_of_use, off) = (AtomicBool::new(false), Recess::new());
        Self(Arc::new(Inner { pool, line, wait, is_of_use, off }))
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
        if joined.reader_is_missing {
            let this = Arc::clone(&self.0);
            self.0.pool.spawn(async move { this.read().await });
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
}

impl Inner {
    /// Reads what waits until nothing does.
    async fn read(self: Arc<Self>) {
        let mut reader = Reader { lane: &self, at_work: true };
        while reader.at_work {
            let batch = self.line().take();
            reader.at_work = batch.is_some();
            if let Some(tickets) = batch {
                let began = Instant::now();
                let size = tickets.iter().map(Ticket::weight).sum();
                self.answer(tickets).await;
                self.line().took(began.elapsed(), size);
            }
        }
    }

    async fn answer(self: &Arc<Self>, tickets: Vec<Ticket>) {
        let (questions, askers) = tickets.into_iter().map(|Ticket { question, asker }| (question, Some(asker))).unzip();
        let batch = Arc::new(Batch { questions, askers: Mutex::new(askers) });
        let (this, reading) = (Arc::clone(self), Arc::clone(&batch));
        // Questions that wait are taken before this begins, so that what was committed before they were asked is seen.
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY".to_owned();
        let work =
            move |connection: &mut PgConnection, session: &Session<'_>| this.visit(connection, session, &reading);
        match self.pool.run((Party::Lane, Weight::Light), begin, work).await {
            Ok(()) => {}
            Err(Error::Unavailable { cause }) if !self.off.is_on() => {
                batch.answer(std::iter::repeat_with(|| Err(Error::Unavailable { cause: cause.clone() })));
            }
            Err(Error::Overloaded) => batch.answer(std::iter::repeat_with(|| Err(Error::Overloaded))),
            // Whose asker is dropped goes to the door.
            Err(error) => tracing::warn!(%error, "a batch of look-ups failed, so each of them is asked alone"),
        }
    }

    /// Reads one batch on this connection, and answers it.
    fn visit(&self, connection: &mut PgConnection, session: &Session<'_>, batch: &Batch) -> Result<(), Fault> {
        let outcome = self.is_of_use(connection).and_then(|is_of_use| match is_of_use {
            true => answers(connection, &batch.questions).map(Some),
            false => Ok(None),
        });
        if let Err(Fault(Kind::Database(error))) = &outcome
            && remedy(error) == Remedy::Migrate
        {
            self.switch_off("the database has not the function that the look-up lane calls");
        }
        match session.finish(connection, outcome)? {
            Some(answers) => batch.answer(answers.into_iter().map(Ok)),
            None => self.switch_off("the database is distributed"),
        }
        Ok(())
    }

    fn is_of_use(&self, connection: &mut PgConnection) -> Result<bool, Fault> {
        if self.is_of_use.load(Ordering::Acquire) {
            return Ok(true);
        }
        let is_of_use = is_of_use(connection)?;
        self.is_of_use.store(is_of_use, Ordering::Release);
        Ok(is_of_use)
    }

    fn switch_off(&self, why: &str) {
        tracing::info!(why, "look-ups are answered one by one");
        self.off.begin(OFF);
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        lock(&self.line)
    }
}

impl Batch {
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

/// A reader that is counted, also when its task is dropped in the middle of something.
struct Reader<'a> {
    lane: &'a Inner,
    at_work: bool,
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if self.at_work {
            self.lane.line().reader_ends();
        }
    }
}
