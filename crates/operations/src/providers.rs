//! The providers, as far as the service talks to them: over the network, and never inside a transaction.
//!
//! Answers are bounded in time and size, and redirects are not followed. What a provider says in words is not stored, logged or
//! passed on. Whoever calls hears it in ours.

mod breaker;
mod cache;
mod catalogue;
mod client;
mod credential;
mod elevenlabs;
mod failure;
mod fingerprint;
mod gohighlevel;
mod openai;
mod pace;
mod renewal;
mod tally;
mod verify;

pub use breaker::{FAILURES, OPEN_FOR};
pub use cache::{FRESH_FOR, MAX_ANSWERS, STALE_FOR};
pub use catalogue::{Calendars, Catalogue, Voices};
pub use client::{LONGEST_WAIT, MAX_ANSWER, Timeouts};
pub use credential::{ElevenLabs, HighLevel};
pub use elevenlabs::{MAX_PAGES, MAX_VOICES};
pub(crate) use failure::{Failure, is_refusal, not_renewed};
pub use pace::{AT_ONCE, PACE, example as too_many_verifications};
pub use renewal::HighLevelApp;
pub use tally::Ended;

use std::{fmt, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use tenantry_domain::{
    ApiKeySid, ElevenLabsRegion, Error, PlainField, PlainSecret, Provider, TenantId, TwilioRegion, WorkspaceId,
    service_url,
};
use url::Url;

use self::{breaker::Breakers, client::ProviderClient, fingerprint::Fingerprints, pace::Paces};

/// The opened fields of a connected integration.
#[derive(Debug, Clone)]
pub struct OpenedFields {
    /// The field that is not secret.
    pub plain: Option<PlainField>,
    /// The API key that the secret is of, where it is not that of the account.
    pub api_key_sid: Option<ApiKeySid>,
    /// The region of Twilio that the secret is good in, where one was named.
    pub twilio_region: Option<TwilioRegion>,
    /// The secret.
    pub secret: PlainSecret,
}

/// What a provider says to the fields of an integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerifyOutcome {
    /// It takes them.
    Ok,
    /// It takes them, and does not let them do all that Tenantry asks for: what they may not, in our words.
    Limited(String),
    /// It does not, for this reason, in our words.
    Refused(String),
    /// It did not say, for this reason, in our words. They may be good.
    Unavailable(String),
}

/// Where the providers are.
#[derive(Debug, Clone)]
pub struct ProviderUrls {
    /// Of Twilio, for accounts of all regions; `None` for the host of each region.
    pub twilio: Option<Url>,
    /// Of ElevenLabs, for accounts of all regions; `None` for the host of each region.
    pub elevenlabs: Option<Url>,
    /// Of OpenAI.
    pub openai: Url,
    /// Of HighLevel.
    pub gohighlevel: Url,
}

impl ProviderUrls {
    /// An address at Twilio, in the region that the credential is good in.
    pub(crate) fn at_twilio(&self, region: TwilioRegion, segments: &[&str]) -> Option<Url> {
        let host = match region {
            TwilioRegion::Us1 => "https://api.twilio.com",
            TwilioRegion::Ie1 => "https://api.dublin.ie1.twilio.com",
            TwilioRegion::Au1 => "https://api.sydney.au1.twilio.com",
        };
        let base = self.twilio.clone().or_else(|| Url::parse(host).ok())?;
        below(&base, segments)
    }

    /// An address at ElevenLabs, in the region of the account.
    pub(crate) fn at_elevenlabs(&self, region: ElevenLabsRegion, segments: &[&str]) -> Option<Url> {
        let host = match region {
            ElevenLabsRegion::Us => "https://api.elevenlabs.io",
            ElevenLabsRegion::Eu => "https://api.eu.residency.elevenlabs.io",
            ElevenLabsRegion::In => "https://api.in.residency.elevenlabs.io",
        };
        let base = self.elevenlabs.clone().or_else(|| Url::parse(host).ok())?;
        below(&base, segments)
    }

    /// An address at HighLevel.
    pub(crate) fn at_gohighlevel(&self, segments: &[&str]) -> Option<Url> {
        below(&self.gohighlevel, segments)
    }
}

/// The address of a provider, see [`service_url`]: without a query too, because paths are put behind it.
///
/// # Errors
///
/// What is wrong with it.
pub fn provider_url(text: &str) -> Result<Url, &'static str> {
    let url = service_url(text)?;
    if url.query().is_some() { Err("must not have a query") } else { Ok(url) }
}

/// The way to the providers. Clones share it.
#[derive(Clone)]
pub struct Providers {
    client: ProviderClient,
    urls: ProviderUrls,
    /// Of verifications. The catalogue has its own.
    breakers: Breakers,
    paces: Paces,
    app: Option<HighLevelApp>,
    fingerprints: Arc<Fingerprints>,
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Providers").field("urls", &self.urls).finish_non_exhaustive()
    }
}

impl Providers {
    /// Providers at these addresses, each with this time for an answer.
    ///
    /// # Errors
    ///
    /// TLS cannot be set up, as on a machine without certificates, or the system has no randomness to give.
    pub fn new(urls: ProviderUrls, timeouts: Timeouts) -> Result<Self, String> {
        Ok(Self {
            client: ProviderClient::new(timeouts)?,
            urls,
            breakers: Breakers::new(),
            paces: Paces::new(),
            app: None,
            fingerprints: Arc::new(Fingerprints::new()?),
        })
    }

    /// How long one question may take.
    pub(crate) fn patience(&self) -> Duration {
        self.client.total()
    }

    /// How many requests to each provider ended in each way.
    pub fn requests(&self) -> Vec<(Provider, Ended, u64)> {
        self.client.tally().counts()
    }

    /// Asks the provider whether it takes these fields of an integration in this place, with a request that changes nothing.
    ///
    /// # Errors
    ///
    /// `TooMany` for a tenant that asks too often, and `Upstream` for a provider that is left alone for a while, because it failed again
    /// and again for this credential or has asked for patience.
    pub async fn verify(
        &self,
        place: (TenantId, WorkspaceId),
        provider: Provider,
        fields: &OpenedFields,
        now: DateTime<Utc>,
    ) -> Result<VerifyOutcome, Error> {
        self.paces.take(place.0, now)?;
        let plain = fields.plain.as_ref().map_or("", PlainField::as_str);
        let key = fields.api_key_sid.as_ref().map_or("", ApiKeySid::as_str);
        let account = format!("{plain} {key} {}", fields.twilio_region.unwrap_or_default());
        let key = self.fingerprints.key(provider, place, [fields.secret.reveal().as_bytes(), account.as_bytes()]);
        let permit = self.breakers.permit(&key, now).map_err(|failure| failure.of(provider))?;
        let (outcome, said) = verify::verify(self, provider, fields).await;
        permit.record(&said);
        Ok(outcome)
    }
}

/// The address below a base, each segment encoded.
pub(crate) fn below(base: &Url, segments: &[&str]) -> Option<Url> {
    let mut url = base.clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend(segments);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_has_no_query() {
        assert!(provider_url("https://api.example.com/base/").is_ok());
        assert!(provider_url("https://api.example.com?key=1").is_err() && provider_url("http://example.com").is_err());
    }

    #[test]
    fn a_path_stays_below_its_base() {
        let below = |base: &str, segments: &[&str]| below(&Url::parse(base).unwrap(), segments).unwrap().to_string();
        assert_eq!(below("https://a.example", &["v1", "user"]), "https://a.example/v1/user");
        assert_eq!(below("https://a.example/base/", &["calendars", ""]), "https://a.example/base/calendars/");
        assert_eq!(below("https://a.example", &["a/b?c#d", ".."]), "https://a.example/a%2Fb%3Fc%23d");
    }

    #[test]
    fn each_region_has_its_own_host_unless_one_is_set() {
        let somewhere = provider_url("https://a.example").unwrap();
        let mut urls =
            ProviderUrls { twilio: None, elevenlabs: None, openai: somewhere.clone(), gohighlevel: somewhere };
        let regions = [ElevenLabsRegion::Us, ElevenLabsRegion::Eu, ElevenLabsRegion::In];
        let at = |urls: &ProviderUrls| regions.map(|region| urls.at_elevenlabs(region, &["v2"]).unwrap().to_string());
        let usual = [
            "https://api.elevenlabs.io/v2",
            "https://api.eu.residency.elevenlabs.io/v2",
            "https://api.in.residency.elevenlabs.io/v2",
        ];
        assert_eq!(at(&urls), usual);
        let regions = [TwilioRegion::Us1, TwilioRegion::Ie1, TwilioRegion::Au1];
        let twilio = |urls: &ProviderUrls| regions.map(|region| urls.at_twilio(region, &["a"]).unwrap().to_string());
        let usual =
            ["https://api.twilio.com/a", "https://api.dublin.ie1.twilio.com/a", "https://api.sydney.au1.twilio.com/a"];
        assert_eq!(twilio(&urls), usual);
        urls.twilio = provider_url("http://127.0.0.1:1").ok();
        assert_eq!(twilio(&urls), ["http://127.0.0.1:1/a"; 3]);
        urls.elevenlabs = provider_url("http://127.0.0.1:1").ok();
        assert_eq!(at(&urls), ["http://127.0.0.1:1/v2"; 3]);
    }

    #[test]
    fn opened_fields_do_not_print_the_secret() {
        let fields = OpenedFields {
            plain: None,
            api_key_sid: None,
            twilio_region: None,
            secret: "canary-567890".parse().unwrap(),
        };
        assert!(!format!("{fields:?}").contains("canary"));
    }
}
