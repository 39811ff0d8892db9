//! Leaves a provider alone that has failed again and again.
//!
//! There is one breaker for each credential of each workspace, so that nobody is kept waiting for what another one's credential
//! or another one's requests did. What a provider says of a credential is not a failure of the provider.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use quick_cache::unsync::Cache;

use super::{cache::Key, failure::Failure};

/// How many failures in a row open a breaker.
pub const FAILURES: u32 = 5;

/// For how long a breaker is open before one request is let through; also after a rate limit that does not say how long.
pub const OPEN_FOR: TimeDelta = TimeDelta::seconds(30);

/// For how long a provider that asks for it is left alone at most.
const LONGEST: TimeDelta = TimeDelta::minutes(5);

/// Breakers that are remembered; only those are that have seen a failure.
const MAX_BREAKERS: usize = 10_000;

/// All breakers.
#[derive(Clone)]
pub(super) struct Breakers(Arc<Mutex<Cache<Key, State>>>);

#[derive(Clone, Copy, Default)]
struct State {
    failures: u32,
    open_until: Option<DateTime<Utc>>,
    probing: bool,
}

impl Breakers {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Cache::new(MAX_BREAKERS))))
    }

    /// Leave to ask the provider.
    ///
    /// # Errors
    ///
    /// [`Failure::Unavailable`] while the breaker is open, or while somebody else finds out whether it still must be.
    pub(super) fn permit(&self, key: &Key, now: DateTime<Utc>) -> Result<Permit, Failure> {
        let mut states = self.states();
        let probes = match states.get_mut(key) {
            None => false,
            Some(mut state) => match state.rest(now) {
                None => false,
                Some(rest) if state.probing || rest > TimeDelta::zero() => {
                    let retry_after = rest.to_std().unwrap_or_default().max(Duration::from_secs(1));
                    return Err(Failure::Unavailable { retry_after: Some(retry_after) });
                }
                Some(_) => {
                    state.probing = true;
                    true
                }
            },
        };
        Ok(Permit { breakers: self.clone(), key: *key, now, probes })
    }

    fn states(&self) -> MutexGuard<'_, Cache<Key, State>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How long it stays open; nothing is left when one request may go, and `None` is for a closed one.
    fn rest(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        let rest = self.open_until? - now;
        // A clock that was set back must not keep it open.
        Some(if rest > LONGEST { TimeDelta::zero() } else { rest })
    }
}

/// Leave to ask once. Whoever gives up without an outcome lets another one try.
pub(super) struct Permit {
    breakers: Breakers,
    key: Key,
    now: DateTime<Utc>,
    probes: bool,
}

impl Permit {
    /// Tells how it went.
    pub(super) fn record<T>(mut self, outcome: &Result<T, Failure>) {
        self.probes = false;
        let mut states = self.breakers.states();
        let failures = states.get(&self.key).map_or(0, |state| state.failures);
        let (failures, open_for) = match outcome {
            Ok(_) | Err(Failure::Refused | Failure::NotRenewed) => {
                states.remove(&self.key);
                return;
            }
            Err(Failure::RateLimited { retry_after }) => {
                let asked_for = retry_after.map(|after| TimeDelta::from_std(after).unwrap_or(LONGEST));
                (failures, Some(asked_for.unwrap_or(OPEN_FOR).min(LONGEST)))
            }
            Err(Failure::Unavailable { .. } | Failure::Nonsense) => {
                let failures = failures.saturating_add(1);
                (failures, (failures >= FAILURES).then_some(OPEN_FOR))
            }
        };
        let open_until = open_for.map(|open_for| self.now + open_for);
        states.insert(self.key, State { failures, open_until, probing: false });
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.probes
            && let Some(mut state) = self.breakers.states().get_mut(&self.key)
        {
            state.probing = false;
        }
    }
}
