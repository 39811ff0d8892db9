//! Replicas on a database that fails, and the figures of one failure.

use std::time::{Duration, Instant};

use tenantry_tests::OwnServer;

use crate::{
    kit::{Service, Tenantry},
    load::{Load, Mix, Seen, longest},
};

/// A PostgreSQL and replicas of the service on it. They go in this order.
pub(crate) struct Stand {
    pub(crate) replicas: Vec<Service>,
    pub(crate) tenantry: Tenantry,
    pub(crate) server: OwnServer,
}

impl Stand {
    /// This many replicas.
    pub(crate) fn of(replicas: usize) -> Self {
        let server = OwnServer::start();
        let tenantry = Tenantry::at(&server.service_url());
        Self { replicas: (0..replicas).map(|_| tenantry.serve()).collect(), tenantry, server }
    }

    /// Clients of all replicas.
    pub(crate) async fn load(&self, mix: Mix) -> Load {
        let bases: Vec<_> = self.replicas.iter().map(|replica| replica.base.clone()).collect();
        let load = Load::begin(&self.tenantry, &bases, mix).await;
        load.until_good(bases.len(), 20).await;
        load
    }
}

/// What one failure looked like from outside.
pub(crate) struct Outage {
    /// Answers from the moment it broke until everything was long well again.
    pub(crate) good: usize,
    pub(crate) refused: usize,
    pub(crate) unanswered: usize,
    pub(crate) longest: Duration,
    /// After the repair: the first good answer of the replica that took longer, and the last 503.
    pub(crate) first_good: Duration,
    pub(crate) last_refused: Duration,
}

impl Outage {
    /// From `broke` to `until`, where the database was well again at `repaired`.
    pub(crate) fn of(seen: &[Seen], replicas: usize, broke: Instant, repaired: Instant, until: Instant) -> Self {
        let seen: Vec<_> = seen.iter().filter(|one| one.ended > broke && one.ended < until).cloned().collect();
        let after = |one: &&Seen| one.ended > repaired;
        let first_good = |replica: usize| {
            let good = seen.iter().filter(after).filter(|one| one.replica == replica && one.is_good());
            good.map(|one| one.ended - repaired).min().unwrap_or(Duration::MAX)
        };
        let refused = seen.iter().filter(after).filter(|one| !one.is_good());
        Self {
            good: seen.iter().filter(|one| one.is_good()).count(),
            refused: seen.iter().filter(|one| one.status == 503).count(),
            unanswered: seen.iter().filter(|one| one.status == 0).count(),
            longest: longest(&seen),
            first_good: (0..replicas).map(first_good).max().unwrap_or_default(),
            last_refused: refused.map(|one| one.ended - repaired).max().unwrap_or_default(),
        }
    }

    /// The head of the lines that [`Outage::print`] prints.
    pub(crate) fn head(first: &str) {
        println!(
            "{first:<34} {:>6} {:>6} {:>10} {:>11} {:>14} {:>12}",
            "good", "503", "no answer", "longest ms", "first good ms", "last 503 ms"
        );
    }

    pub(crate) fn print(&self, first: &str) {
        println!(
            "{first:<34} {:>6} {:>6} {:>10} {:>11} {:>14} {:>12}",
            self.good,
            self.refused,
            self.unanswered,
            self.longest.as_millis(),
            self.first_good.as_millis(),
            self.last_refused.as_millis()
        );
    }
}
