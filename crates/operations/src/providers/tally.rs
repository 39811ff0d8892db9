//! How requests to providers ended, for metrics.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tenantry_domain::{Choice, Provider};

/// How a request to a provider ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With what was asked for.
    Ok,
    /// The provider refused the credential or the question.
    Refused,
    /// The provider asked for patience.
    RateLimited,
    /// The provider failed, or did not answer in time.
    Failed,
}

impl Choice for Ended {
    const ALL: &'static [(Self, &'static str)] =
        &[(Self::Ok, "ok"), (Self::Refused, "refused"), (Self::RateLimited, "rate_limited"), (Self::Failed, "failed")];
}

impl Ended {
    /// By the status of the answer, if there was one.
    fn with(status: Option<u16>) -> Self {
        match status {
            Some(200..=299) => Self::Ok,
            Some(429) => Self::RateLimited,
            Some(408) => Self::Failed,
            Some(400..=499) => Self::Refused,
            _ => Self::Failed,
        }
    }
}

/// A count for each provider and each end. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Tally(Arc<[(Provider, Ended, AtomicU64)]>);

impl Default for Tally {
    fn default() -> Self {
        let of = |provider: Provider| Ended::ALL.iter().map(move |(ended, _)| (provider, *ended, AtomicU64::new(0)));
        Self(Provider::ALL.iter().flat_map(|(provider, _)| of(*provider)).collect())
    }
}

impl Tally {
    /// Counts a request by the status of its answer.
    pub(super) fn count(&self, provider: Provider, status: Option<u16>) {
        let ended = Ended::with(status);
        let found = self.0.iter().find(|(of, how, _)| (*of, *how) == (provider, ended));
        if let Some((_, _, count)) = found {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// All counts.
    pub(super) fn counts(&self) -> Vec<(Provider, Ended, u64)> {
        self.0.iter().map(|(provider, ended, count)| (*provider, *ended, count.load(Ordering::Relaxed))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_provider_and_by_how_they_ended() {
        let tally = Tally::default();
        for (status, ended) in [
            (Some(200), Ended::Ok),
            (Some(401), Ended::Refused),
            (Some(404), Ended::Refused),
            (Some(408), Ended::Failed),
            (Some(429), Ended::RateLimited),
            (Some(302), Ended::Failed),
            (Some(503), Ended::Failed),
            (None, Ended::Failed),
        ] {
            let of = |counts: Vec<(Provider, Ended, u64)>| {
                counts.into_iter().find(|(of, how, _)| (*of, *how) == (Provider::OpenAi, ended)).map(|found| found.2)
            };
            let before = of(tally.counts());
            tally.count(Provider::OpenAi, status);
            assert_eq!(of(tally.counts()), before.map(|count| count + 1), "{status:?}");
        }
        let sum =
            |provider| tally.counts().iter().filter(|found| found.0 == provider).map(|found| found.2).sum::<u64>();
        assert_eq!((sum(Provider::OpenAi), sum(Provider::Twilio)), (8, 0));
    }
}
