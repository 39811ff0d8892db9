//! How many connections there are, and who leaves when there are too many.

use std::{
    io,
    net::TcpListener,
    sync::{
        Arc, LazyLock, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::{Notify, watch};

use super::{
    Stage,
    worker::{Accepted, Worker},
};

/// How many connections beyond the limit wait for the place of those that were told to leave.
const IN_THE_DOOR: usize = 4;

/// How long to wait when nobody could leave, or when the system has no descriptors left.
const PAUSE: Duration = Duration::from_millis(20);

/// Where connections are counted.
pub(super) struct Room {
    limit: usize,
    taken: AtomicUsize,
    freed: Notify,
}

impl Room {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit: limit.max(1), taken: AtomicUsize::new(0), freed: Notify::new() })
    }

    /// Accepts connections until the server closes; then also those that the system has accepted by then.
    pub(super) async fn accept(
        self: Arc<Self>,
        listener: TcpListener,
        workers: Vec<Worker>,
        mut stage: watch::Receiver<Stage>,
    ) {
        let mut door = Door { room: self, workers, standing: Vec::new() };
        let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
            tracing::error!("the listener cannot be used");
            return;
        };
        loop {
            let accepted = tokio::select! {
                biased;
                _ = stage.wait_for(|stage| *stage != Stage::Serving) => break,
                accepted = listener.accept() => accepted.and_then(|(stream, _)| stream.into_std()),
            };
            match accepted {
                Ok(stream) => tokio::select! {
                    biased;
                    _ = stage.wait_for(|stage| *stage == Stage::Stopped) => break,
                    () = door.let_in(stream) => {}
                },
                Err(error) => door.trouble(&error).await,
            }
        }
        // Whoever has connected before the listener is gone is answered.
        if let Ok(listener) = listener.into_std() {
            while let Ok((stream, _)) = listener.accept() {
                door.hand_over(stream);
            }
        }
    }
}

/// What the thread that accepts connections knows.
struct Door {
    room: Arc<Room>,
    workers: Vec<Worker>,
    standing: Vec<Weak<Standing>>,
}

impl Door {
    async fn let_in(&mut self, stream: std::net::TcpStream) {
        while self.room.taken.load(Ordering::Acquire) >= self.room.limit {
            let (freed, told) = (self.room.freed.notified(), self.make_room());
            if told && self.room.taken.load(Ordering::Acquire) < self.room.limit + IN_THE_DOOR {
                break;
            }
            drop(tokio::time::timeout(PAUSE, freed).await);
        }
        self.hand_over(stream);
    }

    fn hand_over(&mut self, stream: std::net::TcpStream) {
        let standing = Arc::new(Standing::in_room(&self.room));
        if self.standing.len() > 2 * self.room.taken.load(Ordering::Relaxed) + 64 {
            self.standing.retain(|standing| standing.strong_count() > 0);
        }
        self.standing.push(Arc::downgrade(&standing));
        if let Some(worker) = self.workers.iter().min_by_key(|worker| worker.connections()) {
            worker.hand_over(Accepted { stream, standing });
        }
    }

    /// Tells the connection that has waited longest to leave; false if none is waiting.
    fn make_room(&self) -> bool {
        let standing = self.standing.iter().filter_map(Weak::upgrade);
        let waiting = standing.filter_map(|standing| Some((standing.waiting_since()?, standing)));
        waiting.min_by_key(|(since, _)| *since).is_some_and(|(since, standing)| standing.tell_to_leave(since))
    }

    /// A connection that is gone already says nothing about the next.
    async fn trouble(&mut self, error: &io::Error) {
        use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
        if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
            return;
        }
        tracing::warn!(%error, "cannot accept a connection; closing the one that has waited longest");
        self.make_room();
        tokio::time::sleep(PAUSE).await;
    }
}

/// What a connection is doing, and its place in the room, which is free again when this is dropped.
pub(super) struct Standing {
    room: Arc<Room>,
    /// [`AT_WORK`], [`TOLD`], or since when it waits for its peer.
    since: AtomicU64,
    told: Notify,
}

/// The service is at work for it.
const AT_WORK: u64 = 0;

/// It has to leave.
const TOLD: u64 = u64::MAX;

impl Standing {
    fn in_room(room: &Arc<Room>) -> Self {
        room.taken.fetch_add(1, Ordering::AcqRel);
        Self { room: room.clone(), since: AtomicU64::new(now()), told: Notify::new() }
    }

    /// From now on it waits for its peer, and counts as waiting since then.
    pub(super) fn waits(&self, since: u64) {
        let _ = self.since.compare_exchange(AT_WORK, since, Ordering::AcqRel, Ordering::Acquire);
    }

    /// From now on the service is at work for it; false if it has to leave instead.
    pub(super) fn works(&self) -> bool {
        self.since.fetch_update(Ordering::AcqRel, Ordering::Acquire, |since| (since != TOLD).then_some(AT_WORK)).is_ok()
    }

    /// It does not leave after all.
    pub(super) fn stays(&self) {
        self.since.store(AT_WORK, Ordering::Release);
    }

    /// Returns when it has to leave.
    pub(super) async fn told(&self) {
        while self.since.load(Ordering::Acquire) != TOLD {
            self.told.notified().await;
        }
    }

    fn waiting_since(&self) -> Option<u64> {
        Some(self.since.load(Ordering::Acquire)).filter(|since| !matches!(*since, AT_WORK | TOLD))
    }

    /// Tells it, unless something has arrived in the meantime.
    fn tell_to_leave(&self, since: u64) -> bool {
        let told = self.since.compare_exchange(since, TOLD, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if told {
            self.told.notify_one();
        }
        told
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        self.room.taken.fetch_sub(1, Ordering::AcqRel);
        self.room.freed.notify_one();
    }
}

/// The microseconds since the first look at this clock, and one.
pub(super) fn now() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_micros()).unwrap_or(TOLD - 2) + 1
}
