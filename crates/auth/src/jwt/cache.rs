//! The keys of an issuer as last obtained, and when they are obtained again.
//!
//! Keys are obtained anew in the background when they are older than [`REFRESH_AFTER`]. Once they are older than [`STALE_AFTER`], which
//! happens when nothing was verified in between, a token waits for the new ones: that is how long a withdrawn key works at most,
//! while the issuer answers. An issuer that does not answer is asked again after [`COOL_DOWN`], and its last keys are used for up to
//! [`MAX_AGE`]. A key that is not known is looked for at once, and not again within [`COOL_DOWN`]. Never is more than one request
//! on its way, and no token waits longer than [`MAX_WAIT`].
//!
//! Time is passed in. Whoever asks first decides which time the keys are from.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Client;
use tokio::sync::watch;

use super::{
    IssuerState, Refused,
    algorithm::Algorithm,
    key::Key,
    key_set::{KeySet, NoKey, SHOWN_KID},
    shown::for_log,
    source::Source,
};

/// The age at which keys are obtained again in the background.
pub const REFRESH_AFTER: TimeDelta = TimeDelta::minutes(4);

/// The age from which a token waits for newer keys, unless the issuer failed to answer the last time.
pub const STALE_AFTER: TimeDelta = TimeDelta::minutes(5);

/// The age up to which keys are used while the issuer does not answer.
pub const MAX_AGE: TimeDelta = TimeDelta::hours(24);

/// The least time between two requests to an issuer that failed, and between two for the sake of an unknown key.
pub const COOL_DOWN: TimeDelta = TimeDelta::seconds(30);

/// The longest time that a token waits for keys.
pub const MAX_WAIT: Duration = Duration::from_secs(1);

/// The published keys of one issuer.
#[derive(Debug)]
pub(crate) struct KeyCache {
    issuer: String,
    algorithms: Vec<Algorithm>,
    client: Client,
    source: Source,
    state: Mutex<State>,
    landed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    obtained: Option<(Arc<KeySet>, DateTime<Utc>)>,
    /// When the last request failed; `None` after one that did not.
    failed_at: Option<DateTime<Utc>>,
    /// When a request was last made for the sake of an unknown key.
    sought_at: Option<DateTime<Utc>>,
    on_its_way: bool,
    fetched: u64,
    failed: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    Age,
    UnknownKey,
}

/// A request that is on its way.
pub(crate) struct Outcome(watch::Receiver<u64>);

impl Outcome {
    /// Waits until it is there, and not longer than this.
    pub(crate) async fn wait(mut self, longest: Duration) {
        drop(tokio::time::timeout(longest, self.0.changed()).await);
    }
}

impl KeyCache {
    pub(crate) fn new(issuer: String, algorithms: Vec<Algorithm>, client: Client, source: Source) -> Self {
        Self { issuer, algorithms, client, source, state: Mutex::default(), landed: watch::Sender::new(0) }
    }

    /// The key that a token means, as of `now`.
    pub(crate) async fn find(
        self: &Arc<Self>,
        algorithm: Algorithm,
        kid: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Arc<Key>, Refused> {
        let must_wait = self.state().must_wait(now);
        let refresh = self.refresh_if_due(now);
        let mut waited = false;
        if let Some(outcome) = refresh.filter(|_| must_wait) {
            outcome.wait(MAX_WAIT).await;
            waited = true;
        }
        let found = self.state().usable(now).ok_or(Refused::NoKeys)?.find(algorithm, kid);
        let found = match found {
            Err(NoKey::Unknown) if !waited => {
                if let Some(outcome) = self.request(Cause::UnknownKey, now) {
                    tracing::debug!(
                        issuer = self.issuer,
                        kid = for_log(kid.unwrap_or_default(), SHOWN_KID),
                        "an access token names an unknown key"
                    );
                    outcome.wait(MAX_WAIT).await;
                }
                self.state().usable(now).ok_or(Refused::NoKeys)?.find(algorithm, kid)
            }
            found => found,
        };
        found.map_err(|no_key| match no_key {
            NoKey::Unknown => Refused::Invalid("the issuer has no key with this kid"),
            NoKey::Refused(reason) => Refused::Invalid(reason),
        })
    }

    /// Obtains the keys anew if they are due.
    pub(crate) fn refresh_if_due(self: &Arc<Self>, now: DateTime<Utc>) -> Option<Outcome> {
        let due = self.state().due(now);
        if due { self.request(Cause::Age, now) } else { None }
    }

    pub(crate) fn state_of(&self, issuer: &str, now: DateTime<Utc>) -> IssuerState {
        let state = self.state();
        IssuerState {
            issuer: issuer.to_owned(),
            usable_keys: state.usable(now).map_or(0, |keys| keys.len()),
            age: state.obtained.as_ref().map(|(_, at)| now - *at),
            failing: state.failed_at.is_some(),
            fetched: state.fetched,
            failed: state.failed,
        }
    }

    /// Sends a request, or joins the one that is on its way; `None` when it is too early for another.
    fn request(self: &Arc<Self>, cause: Cause, now: DateTime<Utc>) -> Option<Outcome> {
        let mut state = self.state();
        // Before anything is sent, so that its landing is not missed.
        let outcome = Outcome(self.landed.subscribe());
        if state.on_its_way {
            return Some(outcome);
        }
        let cooling = |at: Option<DateTime<Utc>>| at.is_some_and(|at| (now - at).abs() < COOL_DOWN);
        if cooling(state.failed_at) || (cause == Cause::UnknownKey && cooling(state.sought_at)) {
            return None;
        }
        if cause == Cause::UnknownKey {
            state.sought_at = Some(now);
        }
        state.on_its_way = true;
        drop(state);
        let flight = Flight { cache: Arc::clone(self), now, result: Err("the request was cancelled".to_owned()) };
        tokio::spawn(flight.fly());
        Some(outcome)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The age of the keys. A clock that was set back makes them due, and a little disorder between threads does not.
    fn age(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        let age = |at: DateTime<Utc>| if now - at < -COOL_DOWN { TimeDelta::MAX } else { now - at };
        self.obtained.as_ref().map(|(_, at)| age(*at))
    }

    fn due(&self, now: DateTime<Utc>) -> bool {
        self.age(now).is_none_or(|age| age >= REFRESH_AFTER)
    }

    fn must_wait(&self, now: DateTime<Utc>) -> bool {
        let stale = self.age(now).is_some_and(|age| age >= STALE_AFTER);
        self.usable(now).is_none() || (stale && self.failed_at.is_none())
    }

    fn usable(&self, now: DateTime<Utc>) -> Option<Arc<KeySet>> {
        self.obtained.as_ref().filter(|(_, at)| now - *at <= MAX_AGE).map(|(keys, _)| Arc::clone(keys))
    }
}

/// One request. It lands in any case, even if the thread that it runs on is stopped.
struct Flight {
    cache: Arc<KeyCache>,
    now: DateTime<Utc>,
    result: Result<KeySet, String>,
}

impl Flight {
    async fn fly(mut self) {
        let KeyCache { client, source, algorithms, .. } = &*self.cache;
        let document = source.jwks(client).await;
        self.result = document.and_then(|document| {
            KeySet::read(&document, algorithms).ok_or_else(|| "the response is not a JWK Set".to_owned())
        });
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let result = std::mem::replace(&mut self.result, Err(String::new()));
        let mut state = self.cache.state();
        match result {
            Ok(keys) => {
                report(&self.cache.issuer, state.obtained.as_ref().map(|(keys, _)| &**keys), &keys);
                state.obtained = Some((Arc::new(keys), self.now));
                state.failed_at = None;
                state.fetched += 1;
            }
            Err(cause) => {
                tracing::warn!(issuer = self.cache.issuer, cause, "could not fetch the keys of an issuer");
                state.failed_at = Some(self.now);
                state.failed += 1;
            }
        }
        state.on_its_way = false;
        drop(state);
        self.cache.landed.send_modify(|landings| *landings += 1);
    }
}

/// Logs what was obtained; what cannot be used of it only when that is news.
fn report(issuer: &str, before: Option<&KeySet>, now: &KeySet) {
    tracing::info!(issuer, keys = now.len(), skipped = now.skipped().len(), "fetched the keys of an issuer");
    if before.is_none_or(|before| before.skipped() != now.skipped()) {
        for skipped in now.skipped() {
            tracing::warn!(issuer, kid = skipped.kid, "ignored a key of an issuer: it {}", skipped.reason);
        }
    }
    if now.len() == 0 {
        tracing::warn!(issuer, "an issuer has no usable key: all of its tokens are refused");
    }
}
