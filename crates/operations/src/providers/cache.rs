//! What providers answered last: asked for once by however many want it, fresh for a minute, and kept for a day for the time
//! when a provider is down.
//!
//! An answer belongs to a credential in a workspace of a tenant. Another credential is another question. Time is passed in.
//!
//! The sharing of one request is written here. Crates for it run the request inside the first caller, and when that caller goes
//! away the request is dropped or starts again. Here it goes on, and in one step its answer is kept and the request is over, so
//! that nobody can start another one in between.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use quick_cache::{Weighter, unsync};
use tenantry_domain::{Provider, TenantId, WorkspaceId};
use tokio::sync::watch;

use super::failure::Failure;

/// For how long an answer is given again without asking.
pub const FRESH_FOR: TimeDelta = TimeDelta::seconds(60);

/// For how long an answer is given while its provider does not answer.
pub const STALE_FOR: TimeDelta = TimeDelta::hours(24);

/// How many answers are kept at most, and fewer when they are large.
pub const MAX_ANSWERS: u64 = 10_000;

/// Whose answer it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) tenant: TenantId,
    pub(super) workspace: WorkspaceId,
    pub(super) provider: Provider,
    /// Of the credential, and of all else that the question depends on.
    pub(super) fingerprint: [u8; 16],
}

/// An answer, and how old it is if its provider could not be asked again.
#[derive(Debug)]
pub(super) struct Answer<T> {
    pub(super) items: Arc<[T]>,
    pub(super) age: Option<Duration>,
}

type Outcome<T> = Result<Arc<[T]>, Failure>;

/// Answers of one kind.
pub(super) struct Cache<T> {
    /// The bytes of one item, roughly.
    weigh: fn(&T) -> usize,
    state: Mutex<State<T>>,
}

struct State<T> {
    answers: unsync::Cache<Key, Kept<T>, Weight>,
    on_their_way: HashMap<Key, watch::Receiver<Option<Outcome<T>>>>,
}

struct Kept<T> {
    items: Arc<[T]>,
    at: DateTime<Utc>,
    bytes: u64,
}

/// Weighs each answer as so much at least, so that there are never more than [`MAX_ANSWERS`].
#[derive(Clone)]
struct Weight(u64);

impl<T> Weighter<Key, Kept<T>> for Weight {
    fn weight(&self, _: &Key, kept: &Kept<T>) -> u64 {
        kept.bytes.max(self.0)
    }
}

impl<T: Send + Sync + 'static> Cache<T> {
    /// One that keeps answers of so many bytes together, roughly.
    pub(super) fn new(bytes: u64, weigh: fn(&T) -> usize) -> Self {
        let estimate = usize::try_from(MAX_ANSWERS / 10).unwrap_or_default();
        let answers = unsync::Cache::with_weighter(estimate, bytes, Weight(bytes.div_ceil(MAX_ANSWERS)));
        Self { weigh, state: Mutex::new(State { answers, on_their_way: HashMap::new() }) }
    }

    /// The answer as of `now`: a fresh one, else what `ask` brings, else the last one. One request is on its way at most, and it
    /// goes on when whoever caused it goes away.
    ///
    /// # Errors
    ///
    /// What `ask` failed with, when there is no last answer. A credential that is refused forgets it.
    pub(super) async fn get<A>(self: &Arc<Self>, key: Key, now: DateTime<Utc>, ask: A) -> Result<Answer<T>, Failure>
    where
        A: Future<Output = Result<Vec<T>, Failure>> + Send + 'static,
    {
        let mut landing = match self.begin(key, now) {
            Begun::Fresh(items) => return Ok(Answer { items, age: None }),
            Begun::Joined(landing) => landing,
            Begun::First(flight, landing) => {
                tokio::spawn(flight.fly(ask));
                landing
            }
        };
        let landed = landing.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        match landed.unwrap_or(Err(LOST)) {
            Ok(items) => Ok(Answer { items, age: None }),
            Err(failure) => self.last(&key, now).ok_or(failure),
        }
    }

    fn begin(self: &Arc<Self>, key: Key, now: DateTime<Utc>) -> Begun<T> {
        let mut state = self.state();
        if let Some(kept) = state.answers.get(&key)
            && (now - kept.at).abs() < FRESH_FOR
        {
            return Begun::Fresh(Arc::clone(&kept.items));
        }
        if let Some(landing) = state.on_their_way.get(&key) {
            return Begun::Joined(landing.clone());
        }
        let (sender, landing) = watch::channel(None);
        state.on_their_way.insert(key, landing.clone());
        Begun::First(Flight { cache: Arc::clone(self), key, now, outcome: Err(LOST), landed: sender }, landing)
    }

    fn last(&self, key: &Key, now: DateTime<Utc>) -> Option<Answer<T>> {
        let state = self.state();
        let kept = state.answers.get(key)?;
        let age = now - kept.at;
        (age <= STALE_FOR)
            .then(|| Answer { items: Arc::clone(&kept.items), age: Some(age.to_std().unwrap_or_default()) })
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Begun<T: Send + Sync + 'static> {
    Fresh(Arc<[T]>),
    Joined(watch::Receiver<Option<Outcome<T>>>),
    First(Flight<T>, watch::Receiver<Option<Outcome<T>>>),
}

/// What becomes of a request whose thread was stopped.
const LOST: Failure = Failure::Unavailable { retry_after: None };

/// One request. It lands in any case, even if the thread that it runs on is stopped.
struct Flight<T: Send + Sync + 'static> {
    cache: Arc<Cache<T>>,
    key: Key,
    now: DateTime<Utc>,
    outcome: Outcome<T>,
    landed: watch::Sender<Option<Outcome<T>>>,
}

impl<T: Send + Sync + 'static> Flight<T> {
    async fn fly(mut self, ask: impl Future<Output = Result<Vec<T>, Failure>>) {
        self.outcome = ask.await.map(Arc::from);
    }
}

impl<T: Send + Sync + 'static> Drop for Flight<T> {
    fn drop(&mut self) {
        let mut state = self.cache.state();
        match &self.outcome {
            Ok(items) => {
                let bytes = size_of::<Kept<T>>() + items.iter().map(self.cache.weigh).sum::<usize>();
                let kept = Kept { items: Arc::clone(items), at: self.now, bytes: bytes as u64 };
                state.answers.insert(self.key, kept);
            }
            Err(Failure::Refused) => drop(state.answers.remove(&self.key)),
            Err(_) => {}
        }
        state.on_their_way.remove(&self.key);
        drop(state);
        self.landed.send_replace(Some(self.outcome.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(workspace: u128) -> Key {
        let (tenant, workspace) = (uuid::Uuid::nil(), uuid::Uuid::from_u128(workspace));
        Key {
            tenant: TenantId::from_uuid(tenant),
            workspace: WorkspaceId::from_uuid(workspace),
            provider: Provider::ElevenLabs,
            fingerprint: [0; 16],
        }
    }

    #[tokio::test]
    async fn answers_are_bounded_in_number_and_in_bytes() {
        let (cache, now) = (Arc::new(Cache::new(1 << 20, |text: &String| text.len())), Utc::now());
        for workspace in 0..2 * u128::from(MAX_ANSWERS) {
            cache.get(key(workspace), now, async { Ok(vec![String::new()]) }).await.unwrap();
        }
        let kept = cache.state().answers.len() as u64;
        assert!((MAX_ANSWERS / 2..=MAX_ANSWERS).contains(&kept), "{kept}");
        for workspace in 0..1_000 {
            cache.get(key(workspace), now + FRESH_FOR, async { Ok(vec!["x".repeat(10_000)]) }).await.unwrap();
        }
        let last = cache.get(key(999), now + FRESH_FOR, async { Err(Failure::Nonsense) }).await.unwrap();
        assert!(last.items[0].len() == 10_000 && last.age.is_none(), "what came last is kept");
        let state = cache.state();
        let bytes: usize = state.answers.iter().flat_map(|(_, kept)| kept.items.iter()).map(String::len).sum();
        assert!(bytes <= 1 << 20 && state.on_their_way.is_empty(), "{bytes}");
    }

    #[tokio::test]
    async fn a_request_that_is_lost_ends_for_all_who_wait_for_it() {
        let (cache, now) = (Arc::new(Cache::new(1 << 20, |_: &u8| 1)), Utc::now());
        let lost = cache.get(key(1), now, async { panic!("as it may") }).await;
        assert_eq!(lost.unwrap_err(), Failure::Unavailable { retry_after: None });
        assert_eq!(*cache.get(key(1), now, async { Ok(vec![7]) }).await.unwrap().items, [7]);
    }

    #[tokio::test]
    async fn a_request_goes_on_when_whoever_caused_it_goes_away() {
        let (cache, now) = (Arc::new(Cache::new(1 << 20, |_: &u8| 1)), Utc::now());
        let (go, gone) = tokio::sync::oneshot::channel::<()>();
        let asking = tokio::spawn({
            let cache = Arc::clone(&cache);
            async move {
                cache
                    .get(key(1), now, async { gone.await.map(|()| vec![7]).map_err(|_| Failure::Nonsense) })
                    .await
                    .is_ok()
            }
        });
        while cache.state().on_their_way.is_empty() {
            tokio::task::yield_now().await;
        }
        asking.abort();
        assert!(asking.await.unwrap_err().is_cancelled());
        go.send(()).unwrap();
        assert_eq!(*cache.get(key(1), now, async { Err(Failure::Nonsense) }).await.unwrap().items, [7]);
    }
}
