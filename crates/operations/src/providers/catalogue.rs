//! What providers have to offer: voices of OpenAI and ElevenLabs, calendars of HighLevel.
//!
//! Answers are kept for a while, and the last good one is given with its age while a provider is down. Credentials are passed in
//! and kept nowhere: what is remembered of one is a fingerprint, under a key that each process makes for itself.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use tenantry_domain::{Calendar, Error, Provider, TenantId, Voice, WorkspaceId};

use super::{
    Providers,
    breaker::Breakers,
    cache::{Cache, Key},
    credential::{ElevenLabs, HighLevel},
    elevenlabs,
    failure::Failure,
    fingerprint::Fingerprints,
    gohighlevel, openai,
};

/// The memory that answers of one kind may take, in bytes.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The catalogue of all workspaces. Clones share it.
#[derive(Clone)]
pub struct Catalogue(Arc<Shared>);

struct Shared {
    providers: Providers,
    voices: Arc<Cache<Voice>>,
    calendars: Arc<Cache<Calendar>>,
    breakers: Breakers,
    fingerprints: Fingerprints,
}

/// Voices to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voices {
    /// Those of OpenAI, then those of ElevenLabs in its own order.
    pub list: Vec<Voice>,
    /// How old those of ElevenLabs are, if it did not answer and they are those of its last answer.
    pub age: Option<Duration>,
}

/// The calendars of a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendars {
    /// In HighLevel's own order.
    pub list: Vec<Calendar>,
    /// How old they are, if HighLevel did not answer and they are those of its last answer.
    pub age: Option<Duration>,
}

impl Catalogue {
    /// An empty catalogue of what these providers have.
    ///
    /// # Errors
    ///
    /// The system has no randomness to give.
    pub fn new(providers: Providers) -> Result<Self, String> {
        Ok(Self(Arc::new(Shared {
            providers,
            voices: Arc::new(Cache::new(MAX_BYTES, |voice: &Voice| {
                size_of::<Voice>() + 2 * voice.value.as_str().len() + voice.label.as_str().len()
            })),
            calendars: Arc::new(Cache::new(MAX_BYTES, |calendar: &Calendar| {
                let description = calendar.description.as_ref().map_or(0, |text| text.as_str().len());
                size_of::<Calendar>() + calendar.id.as_str().len() + calendar.name.as_str().len() + description
            })),
            breakers: Breakers::new(),
            fingerprints: Fingerprints::new()?,
        })))
    }

    /// Whose answers these are.
    pub(crate) fn providers(&self) -> &Providers {
        &self.0.providers
    }

    /// The voices of OpenAI, and with an account of ElevenLabs all of that account.
    ///
    /// # Errors
    ///
    /// [`Error::Upstream`] when ElevenLabs refuses the key, or does not answer and has not answered with it for a day.
    pub async fn voices(
        &self,
        account: Option<&ElevenLabs>,
        place: (TenantId, WorkspaceId),
        now: DateTime<Utc>,
    ) -> Result<Voices, Error> {
        let mut list: Vec<_> = openai::voices().collect();
        let Some(account) = account.cloned() else { return Ok(Voices { list, age: None }) };
        let key = self.0.fingerprints.key(
            Provider::ElevenLabs,
            place,
            [account.key.as_bytes(), account.region.as_str().as_bytes()],
        );
        let ask =
            self.guarded(key, now, async move |shared: &Shared| elevenlabs::voices(&shared.providers, &account).await);
        let answer = self.0.voices.get(key, now, ask).await.map_err(|failure| failure.of(Provider::ElevenLabs))?;
        list.extend(answer.items.iter().cloned());
        Ok(Voices { list, age: answer.age })
    }

    /// The calendars of a location in HighLevel.
    ///
    /// # Errors
    ///
    /// [`Error::Upstream`] when HighLevel refuses the token, or does not answer and has not answered with it for a day.
    pub async fn calendars(
        &self,
        account: &HighLevel,
        place: (TenantId, WorkspaceId),
        now: DateTime<Utc>,
    ) -> Result<Calendars, Error> {
        let account = account.clone();
        let parts = [account.authorization.as_bytes(), account.location.as_bytes()];
        let key = self.0.fingerprints.key(Provider::GoHighLevel, place, parts);
        let ask = self
            .guarded(key, now, async move |shared: &Shared| gohighlevel::calendars(&shared.providers, &account).await);
        let answer = self.0.calendars.get(key, now, ask).await.map_err(|failure| failure.of(Provider::GoHighLevel))?;
        Ok(Calendars { list: answer.items.to_vec(), age: answer.age })
    }

    /// The question, unless the breaker is open.
    fn guarded<T, A>(
        &self,
        key: Key,
        now: DateTime<Utc>,
        ask: A,
    ) -> impl Future<Output = Result<T, Failure>> + use<T, A>
    where
        A: AsyncFnOnce(&Shared) -> Result<T, Failure>,
    {
        let shared = Arc::clone(&self.0);
        async move {
            let permit = shared.breakers.permit(&key, now)?;
            let outcome = ask(&shared).await;
            permit.record(&outcome);
            outcome
        }
    }
}
