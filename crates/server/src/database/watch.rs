//! Restarts the embedded database while the service runs.

use std::{
    convert::Infallible,
    io,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use tenantry_persistence::embedded::Cluster;

/// How often to check whether the server is running.
const LOOK: Duration = Duration::from_millis(500);

/// The longest pause between two attempts to start it.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A separate thread, because starting a server blocks. It returns the cluster when it ends.
pub(super) struct Watch {
    stop: Sender<Infallible>,
    thread: JoinHandle<Cluster>,
}

impl Watch {
    /// Starts to watch.
    pub(super) fn over(mut cluster: Cluster) -> io::Result<Self> {
        let (stop, stopped) = channel();
        let watch = move || {
            watch(&mut cluster, &stopped);
            cluster
        };
        let thread = thread::Builder::new().name("database-watch".to_owned()).spawn(watch)?;
        Ok(Self { stop, thread })
    }

    /// Stops watching. If the server is being started, waits for that first.
    pub(super) fn end(self) -> Option<Cluster> {
        drop(self.stop);
        self.thread.join().ok()
    }
}

/// If the server keeps dying or does not start, the pauses get longer.
fn watch(cluster: &mut Cluster, stopped: &Receiver<Infallible>) {
    let mut pause = LOOK;
    while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        if cluster.is_running() {
            pause = LOOK;
            continue;
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
        tracing::warn!("the embedded PostgreSQL has stopped; restarting it");
        match cluster.revive() {
            Ok(()) => tracing::info!("the embedded PostgreSQL is running again"),
            Err(error) => {
                tracing::error!(%error, pause = ?pause, "could not restart the embedded PostgreSQL; trying again after the pause")
            }
        }
    }
}
