//! Whether there is a database: known by all requests as soon as one of them has found out.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use tenantry_domain::Error;
use tokio::sync::watch;

/// Whether the database answers.
pub(super) struct Health {
    state: watch::Sender<Option<Down>>,
    /// When something was last heard, on the clock of the watch.
    heard: AtomicU64,
}

/// There is no database.
#[derive(Clone)]
struct Down {
    cause: String,
    since: Instant,
    /// The same on the clock of the watch.
    at: u64,
}

impl Health {
    pub(super) fn new() -> Self {
        Self { state: watch::Sender::new(None), heard: AtomicU64::new(0) }
    }

    /// Something was answered at this time that was asked at that one.
    pub(super) fn heard(&self, asked: u64, now: u64) {
        self.heard.fetch_max(now, Ordering::AcqRel);
        if self.state.borrow().as_ref().is_some_and(|down| down.at <= asked) {
            self.up();
        }
    }

    /// Whether anything was heard after this time.
    pub(super) fn was_heard_after(&self, time: u64) -> bool {
        self.heard.load(Ordering::Acquire) > time
    }

    /// There is no database, for this reason.
    pub(super) fn down(&self, cause: String, now: u64) {
        self.state.send_modify(|state| match state {
            Some(down) => {
                if down.cause != cause {
                    tracing::warn!(cause, "there is still no database");
                    down.cause = cause;
                }
            }
            None => {
                tracing::error!(cause, "there is no database; requests are answered 503 until there is one");
                *state = Some(Down { cause, since: Instant::now(), at: now });
            }
        });
    }

    /// There is one.
    pub(super) fn up(&self) {
        self.state.send_if_modified(|state| {
            let Some(down) = state.take() else { return false };
            let seconds = down.since.elapsed().as_secs_f32();
            tracing::info!(seconds, "the database answers again");
            true
        });
    }

    /// Why there is no database, if there is none.
    pub(super) fn fault(&self) -> Option<Error> {
        self.state.borrow().as_ref().map(|down| Error::Unavailable { cause: down.cause.clone() })
    }

    /// Waits for something, and no longer than there is a database.
    pub(super) async fn unless_down<T>(&self, wait: impl Future<Output = T>) -> Result<T, Error> {
        let mut state = self.state.subscribe();
        tokio::select! {
            biased;
            down = state.wait_for(Option::is_some) => {
                let cause = down.ok().and_then(|down| down.as_ref().map(|down| down.cause.clone()));
                Err(Error::Unavailable { cause: cause.unwrap_or_default() })
            }
            done = wait => Ok(done),
        }
    }
}
