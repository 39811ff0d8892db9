//! How deliveries go in this process, for metrics.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tenantry_domain::{WebhookDeliveryState, WebhookId};

/// For how long it is believed how much is pending to a webhook. It has a turn sooner, here or on another replica: none rests for more
/// than an hour. One that has none is not enabled any more.
const GOOD: Duration = Duration::from_secs(65 * 60);

/// Figures. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Figures(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    delivered: AtomicU64,
    failed: AtomicU64,
    given_up: AtomicU64,
    oldest_seconds: AtomicI64,
    /// Of webhooks that this process has sent to, and that had something pending then, and when that was.
    pending: Mutex<HashMap<WebhookId, (i64, Instant)>>,
}

/// The figures at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FiguresNow {
    /// Attempts that a receiver has taken.
    pub delivered: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Deliveries that were given up.
    pub given_up: u64,
    /// How long the oldest delivery that is due waits.
    pub oldest_seconds: i64,
    /// Deliveries that are pending, of webhooks that this process has sent to last.
    pub pending: i64,
}

impl Figures {
    /// All of them.
    pub fn now(&self) -> FiguresNow {
        let counts = &self.0;
        let mut pending = counts.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.retain(|_, (_, at)| at.elapsed() < GOOD);
        FiguresNow {
            delivered: counts.delivered.load(Ordering::Relaxed),
            failed: counts.failed.load(Ordering::Relaxed),
            given_up: counts.given_up.load(Ordering::Relaxed),
            oldest_seconds: counts.oldest_seconds.load(Ordering::Relaxed),
            pending: pending.values().map(|(count, _)| count).sum(),
        }
    }

    pub(super) fn attempted(&self, state: WebhookDeliveryState) {
        let counter = match state {
            WebhookDeliveryState::Delivered => &self.0.delivered,
            WebhookDeliveryState::Pending => &self.0.failed,
            WebhookDeliveryState::Failed => {
                self.0.failed.fetch_add(1, Ordering::Relaxed);
                &self.0.given_up
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn oldest(&self, seconds: i64) {
        self.0.oldest_seconds.store(seconds.max(0), Ordering::Relaxed);
    }

    pub(super) fn pending(&self, webhook: WebhookId, count: i64) {
        let mut pending = self.0.pending.lock().unwrap_or_else(PoisonError::into_inner);
        match count {
            0 => drop(pending.remove(&webhook)),
            count => drop(pending.insert(webhook, (count, Instant::now()))),
        }
    }
}
