//! Looks after the embedded database while the service runs.

use std::{
    convert::Infallible,
    io,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use tenantry_persistence::embedded::Cluster;

/// How often is looked whether the server is there.
const LOOK: Duration = Duration::from_millis(500);

/// The longest pause between two attempts to start it.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A thread of its own, because starting a server blocks; it hands the cluster back when it ends.
pub(super) struct Watch {
    stop: Sender<Infallible>,
    thread: JoinHandle<Cluster>,
}

impl Watch {
    /// Begins to watch.
    pub(super) fn over(mut cluster: Cluster) -> io::Result<Self> {
        let (stop, stopped) = channel();
        let watch = move || {
            watch(&mut cluster, &stopped);
            cluster
        };
        let thread = thread::Builder::new().name("database-watch".to_owned()).spawn(watch)?;
        Ok(Self { stop, thread })
    }

    /// Ends the watch, after the start that is under way, if one is.
    pub(super) fn end(self) -> Option<Cluster> {
        drop(self.stop);
        self.thread.join().ok()
    }
}

/// A server that is started and dies again, or does not start at all, is given longer and longer pauses.
fn watch(cluster: &mut Cluster, stopped: &Receiver<Infallible>) {
    let mut pause = LOOK;
    while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        if cluster.is_running() {
            pause = LOOK;
            continue;
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
        tracing::warn!("the embedded PostgreSQL is gone; starting it again");
        match cluster.revive() {
            Ok(()) => tracing::info!("the embedded PostgreSQL answers again"),
            Err(error) => {
                tracing::error!(%error, pause = ?pause, "could not start the embedded PostgreSQL; it is tried again")
            }
        }
    }
}
