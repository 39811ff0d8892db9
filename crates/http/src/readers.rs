//! Where bodies are read that take long: on a few threads that are neither those of requests nor those of the database.
//!
//! A body comes from somebody whose credential the database has not seen yet, and a credential can be made up that looks right. So
//! what reading it may cost is bounded (`extract/body.rs`), and the rest of the service does not wait for it. See ADR 24.

use std::{num::NonZero, sync::Arc, thread::available_parallelism};

use tenantry_domain::Error;
use tokio::sync::Semaphore;

use crate::error::Failure;

/// How many bodies may wait for each thread. They are read within a second.
const WAITING: usize = 64;

/// The largest body that is read where its request is, in bytes: it takes less than the way to another thread and back.
const SMALL: usize = 1_024;

/// The threads. Clones share them.
#[derive(Clone)]
pub(crate) struct Readers {
    /// A permit for each thread.
    threads: Arc<Semaphore>,
    /// A permit for each body that is read or waits.
    places: Arc<Semaphore>,
}

impl Readers {
    /// Half as many threads as the machine has processors.
    pub(crate) fn new() -> Self {
        let threads = (available_parallelism().map_or(1, NonZero::get) / 2).max(1);
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self { threads: semaphore(threads), places: semaphore(threads * (WAITING + 1)) }
    }

    /// Reads a body of this many bytes.
    ///
    /// # Errors
    ///
    /// `Overloaded` if too many bodies wait, and whatever the work returns.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        if bytes <= SMALL {
            return work();
        }
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Error::Overloaded)?;
        let thread = Arc::clone(&self.threads).acquire_owned().await.map_err(|_| Error::Overloaded)?;
        #[expect(clippy::disallowed_methods, reason = "as many at a time as there are permits")]
        let task = tokio::task::spawn_blocking(move || {
            // Held by the thread: the work goes on if the client disconnects.
            let _held = (place, thread);
            work()
        });
        task.await.unwrap_or_else(|error| Err(Error::internal(format!("a body could not be read: {error}")).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn large_bodies_leave_the_thread_of_the_request_and_do_not_wait_without_end() {
        let readers = Readers::new();
        let here = std::thread::current().id();
        let thread = |bytes| readers.run(bytes, || Ok(std::thread::current().id()));
        assert_eq!(thread(SMALL).await.ok(), Some(here));
        assert!(thread(SMALL + 1).await.is_ok_and(|other| other != here));
        let places = readers.places.available_permits();
        let held = Arc::clone(&readers.places).acquire_many_owned(u32::try_from(places).unwrap()).await.unwrap();
        assert_eq!(thread(SMALL + 1).await.unwrap_err().code(), "overloaded");
        assert!(thread(SMALL).await.is_ok());
        drop(held);
        assert!(thread(SMALL + 1).await.is_ok());
        assert_eq!(readers.places.available_permits(), places);
    }
}
