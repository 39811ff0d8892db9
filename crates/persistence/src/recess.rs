//! A time in which something is left alone.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// Until when something is left alone. At first it is not.
pub(crate) struct Recess {
    clock: Instant,
    /// In milliseconds of the clock.
    until: AtomicU64,
}

impl Recess {
    pub(crate) fn new() -> Self {
        Self { clock: Instant::now(), until: AtomicU64::new(0) }
    }

    /// Leaves it alone for so long from now on. Says whether it was not before.
    pub(crate) fn begin(&self, how_long: Duration) -> bool {
        let until = self.now() + u64::try_from(how_long.as_millis()).unwrap_or(u64::MAX);
        self.until.swap(until, Ordering::AcqRel) <= self.now()
    }

    /// Whether it is left alone now.
    pub(crate) fn is_on(&self) -> bool {
        self.until.load(Ordering::Acquire) > self.now()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
