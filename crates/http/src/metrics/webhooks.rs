//! Deliveries to webhooks.

use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use tenantry_operations::webhooks::FiguresNow;

use super::work::{OutcomeLabels, store};

/// The figures, as they were at the last scrape.
#[derive(Default)]
pub(super) struct Webhooks {
    pending: Gauge,
    oldest: Gauge,
    attempts: Family<OutcomeLabels, Counter>,
    given_up: Counter,
}

impl Webhooks {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let all = Self::default();
        registry.register(
            "tenantry_webhook_pending",
            "Deliveries that wait, of webhooks that this process has sent to last",
            all.pending.clone(),
        );
        registry.register(
            "tenantry_webhook_oldest_seconds",
            "How long the oldest delivery that is due waits",
            all.oldest.clone(),
        );
        registry.register("tenantry_webhook_attempts", "Attempts to deliver an event", all.attempts.clone());
        registry.register("tenantry_webhook_given_up", "Deliveries that were given up", all.given_up.clone());
        all
    }

    pub(super) fn set(&self, now: FiguresNow) {
        self.pending.set(now.pending);
        self.oldest.set(now.oldest_seconds);
        for (outcome, attempts) in [("delivered", now.delivered), ("failed", now.failed)] {
            store(&self.attempts.get_or_create(&OutcomeLabels { outcome }), attempts);
        }
        store(&self.given_up, now.given_up);
    }
}
