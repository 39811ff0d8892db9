//! One attempt at a request that its caller may send again, because it has an idempotency key: all attempts have one effect and
//! one answer.
//!
//! The answer is stored in the transaction of the work, so that no crash comes between the two. But only the caller of the door
//! can make the answer of what the work returns. So the door hands the value over before it commits, waits for the answer, stores
//! it and commits. The transaction waits for no network: what makes the answer has the value in memory, and is given
//! [`ANSWER_TIME`] for it. If the answer never comes, because its maker fails or the client has gone, everything is rolled back.
//!
//! The attempt belongs to the task that works on the request, so that no operation needs to pass it on and none can forget it.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, OnceLock, mpsc},
    time::Duration,
};

use diesel::PgConnection;
use sha2::{Digest, Sha256};
use tenantry_domain::{Conflict, Error, IdempotencyKey, TenantId, Weight};
use tokio::sync::oneshot;

use crate::{
    fault::Fault,
    pool::{Pool, Session, lock},
    seats::Party,
};

/// How long a transaction waits for the answer that is made of its value.
const ANSWER_TIME: Duration = Duration::from_secs(5);

tokio::task_local! {
    static ATTEMPT: Attempt;
}

/// An attempt at a request with an idempotency key. Clones are the same attempt.
#[derive(Clone)]
pub struct Attempt(Arc<Inner>);

struct Inner {
    key_hash: [u8; 32],
    target: String,
    body_hash: OnceLock<[u8; 32]>,
    progress: Mutex<Progress>,
}

enum Progress {
    /// Nothing was written yet.
    Begun,
    /// An attempt before this one has been answered.
    Answered(Kept),
    /// The work is done, and waits for its answer.
    Done(Uncommitted),
    /// Its answer is being stored, or it was given up.
    Over,
}

/// How an attempt went.
pub enum Outcome {
    /// Nothing was written: the request was refused, or only read.
    Nothing,
    /// The work is done and becomes true with its answer.
    Done(Uncommitted),
    /// Another attempt did the work, and this was its answer.
    Answered(Kept),
}

/// Which request of whom it is: what a stored answer belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The tenant that it was sent to.
    pub tenant: TenantId,
    /// The kind of actor that sent it.
    pub actor_kind: &'static str,
    /// Which one.
    pub actor_id: String,
    /// The hash of route and key.
    pub key_hash: [u8; 32],
    /// The hash of path, query and body.
    pub request_hash: [u8; 32],
}

/// A stored answer, as encrypted as it was given.
pub struct Kept {
    /// What it belongs to.
    pub claim: Claim,
    /// The answer.
    pub sealed: Vec<u8>,
}

/// Work that is done and not committed. Dropped, it is rolled back.
pub struct Uncommitted {
    claim: Claim,
    answer: mpsc::SyncSender<Vec<u8>>,
    rest: Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>,
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt").finish_non_exhaustive()
    }
}

impl Attempt {
    /// An attempt at a request to this target, which is path and query, with this idempotency key. Keys of one actor are compared
    /// within a route, which is the path as the document writes it.
    pub fn new(route: &str, key: &IdempotencyKey, target: &str) -> Self {
        Self(Arc::new(Inner {
            key_hash: digest(&[route.as_bytes(), key.as_str().as_bytes()]),
            target: target.to_owned(),
            body_hash: OnceLock::new(),
            progress: Mutex::new(Progress::Begun),
        }))
    }

    /// Does the work of the attempt. Where the outcome is an earlier answer, what the work returned is to be thrown away.
    pub async fn run<T>(self, work: impl Future<Output = T>) -> (T, Outcome) {
        let output = ATTEMPT.scope(self.clone(), work).await;
        let outcome = match std::mem::replace(&mut *self.progress(), Progress::Over) {
            Progress::Begun | Progress::Over => Outcome::Nothing,
            Progress::Answered(kept) => Outcome::Answered(kept),
            Progress::Done(uncommitted) => Outcome::Done(uncommitted),
        };
        (output, outcome)
    }

    /// Notes the body of the request that is being answered. Attempts have the same one, byte for byte.
    pub fn note_body(body: &[u8]) {
        let _ = ATTEMPT.try_with(|attempt| attempt.0.body_hash.set(digest(&[body])));
    }

    pub(crate) fn current() -> Option<Self> {
        ATTEMPT.try_with(Clone::clone).ok()
    }

    pub(crate) fn key_hash(&self) -> [u8; 32] {
        self.0.key_hash
    }

    pub(crate) fn request_hash(&self) -> [u8; 32] {
        let body = self.0.body_hash.get().map(<[u8; 32]>::as_slice).unwrap_or_default();
        digest(&[self.0.target.as_bytes(), body])
    }

    /// Runs a visit that writes, up to the point at which its value is there.
    pub(crate) async fn write<T: Send + 'static>(
        self,
        pool: Pool,
        share: (Party, Weight),
        begin: String,
        visit: impl Fn(&mut PgConnection, &Session<'_>, &HandOver<T>) -> Result<(), Fault> + Send + Sync + 'static,
    ) -> Result<T, Error> {
        self.may_go_on()?;
        let (to, mut handed) = oneshot::channel();
        let hand_over = HandOver(Mutex::new(Some(to)));
        let visit = move |connection: &mut PgConnection, session: &Session<'_>| visit(connection, session, &hand_over);
        let mut rest = Box::pin(async move { pool.run(share, begin, visit).await });
        // The visit only goes on while it is asked. It may end between the two questions, so that both answers count.
        let (handed, ended) = tokio::select! {
            biased;
            handed = &mut handed => (handed.ok(), None),
            outcome = &mut rest => (handed.try_recv().ok(), Some(outcome)),
        };
        match (handed, ended) {
            (Some(Handed::Value(value, claim, answer)), None) => {
                *self.progress() = Progress::Done(Uncommitted { claim, answer, rest });
                Ok(value)
            }
            (Some(Handed::Answered(kept)), ended) => {
                // Whoever asks next must not meet the lock of this visit.
                if ended.is_none() {
                    let _ = rest.await;
                }
                Err(self.answered(kept))
            }
            (_, Some(outcome)) => Err(failure_of(outcome)),
            (None, None) => Err(failure_of(rest.await)),
        }
    }

    /// Refuses another visit once the value of one has been handed over: the two would be two transactions.
    pub(crate) fn may_go_on(&self) -> Result<(), Error> {
        match *self.progress() {
            Progress::Begun => Ok(()),
            _ => Err(Error::internal("a request with an idempotency key went on after its write: make it one visit")),
        }
    }

    /// Notes the answer of an earlier attempt. The error ends the work and is not shown.
    pub(crate) fn answered(&self, kept: Kept) -> Error {
        *self.progress() = Progress::Answered(kept);
        in_progress()
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        lock(&self.0.progress)
    }
}

impl Uncommitted {
    /// What its answer will belong to.
    pub fn claim(&self) -> &Claim {
        &self.claim
    }

    /// Stores the answer and commits the work.
    ///
    /// # Errors
    ///
    /// `Unavailable` where nothing was committed.
    pub async fn commit(self, sealed: Vec<u8>) -> Result<(), Error> {
        // Where nobody waits for it any more, the rest says why.
        let _ = self.answer.send(sealed);
        self.rest.await
    }
}

enum Handed<T> {
    Value(T, Claim, mpsc::SyncSender<Vec<u8>>),
    Answered(Kept),
}

/// From the thread that works on a transaction to the task that answers.
pub(crate) struct HandOver<T>(Mutex<Option<oneshot::Sender<Handed<T>>>>);

impl<T> HandOver<T> {
    /// Hands over what an earlier attempt was answered.
    pub(crate) fn answered(&self, kept: Kept) -> Result<(), Fault> {
        self.send(Handed::Answered(kept))
    }

    /// Hands over the value of the work, and waits for the answer that is made of it.
    pub(crate) fn value(&self, value: T, claim: Claim) -> Result<Vec<u8>, Fault> {
        let (to, answer) = mpsc::sync_channel(1);
        self.send(Handed::Value(value, claim, to))?;
        answer.recv_timeout(ANSWER_TIME).map_err(|_| given_up())
    }

    fn send(&self, handed: Handed<T>) -> Result<(), Fault> {
        let to = lock(&self.0).take();
        to.and_then(|to| to.send(handed).ok()).ok_or_else(given_up)
    }
}

/// Why a visit ended without a value.
fn failure_of(outcome: Result<(), Error>) -> Error {
    outcome.err().unwrap_or_else(|| Error::internal("a visit ended without a value"))
}

fn given_up() -> Fault {
    Error::Unavailable { cause: "the request was given up before its answer, and rolled back".to_owned() }.into()
}

/// The refusal of an attempt while another one is at work.
pub(crate) fn in_progress() -> Error {
    Error::conflict(
        Conflict::RequestInProgress,
        "A request with this Idempotency-Key is still in progress. Send it again in a few seconds.",
    )
}

/// The number of the lock of PostgreSQL that these parts name.
pub(crate) fn lock_number(parts: &[&[u8]]) -> i64 {
    let [a, b, c, d, e, f, g, h, ..] = digest(parts);
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// A hash of these parts, each behind its length.
pub(crate) fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
