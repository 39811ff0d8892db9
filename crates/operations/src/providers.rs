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
mod gohighlevel;
mod http;
mod openai;
mod verify;

pub use breaker::{FAILURES, OPEN_FOR};
pub use cache::{FRESH_FOR, MAX_ANSWERS, STALE_FOR};
pub use catalogue::{Calendars, Catalogue, Voices};
pub use credential::{ElevenLabs, HighLevel};
pub use elevenlabs::{MAX_PAGES, MAX_VOICES};
pub use http::{MAX_ANSWER, Timeouts};

use std::time::Duration;

use tenantry_domain::{ElevenLabsRegion, PlainField, PlainSecret, Provider};
use url::{Host, Url};

use self::client::ProviderClient;

/// How long a provider may take for the whole answer, connecting included.
pub const PROVIDER_TIME: Duration = Duration::from_secs(5);

/// The opened fields of a connected integration.
#[derive(Debug, Clone)]
pub struct OpenedFields {
    /// The field that is not secret.
    pub plain: Option<PlainField>,
    /// The secret.
    pub secret: PlainSecret,
}

/// What a provider says to the fields of an integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerifyOutcome {
    /// It takes them.
    Ok,
    /// It does not, for this reason, in our words.
    Refused(String),
    /// It did not say, for this reason, in our words. They may be good.
    Unavailable(String),
}

/// Where the providers are.
#[derive(Debug, Clone)]
pub struct ProviderUrls {
    /// Of Twilio.
    pub twilio: Url,
    /// Of ElevenLabs, for accounts of all regions; `None` for the host of each region.
    pub elevenlabs: Option<Url>,
    /// Of OpenAI.
    pub openai: Url,
    /// Of HighLevel.
    pub gohighlevel: Url,
}

impl ProviderUrls {
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

/// The address of a provider: `https`, or `http` on this machine, without user, password, query and fragment.
///
/// # Errors
///
/// What is wrong with it.
pub fn provider_url(text: &str) -> Result<Url, &'static str> {
    // The URL standard drops tabs and newlines silently.
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("must not contain white space or control characters");
    }
    let url = Url::parse(text).map_err(|_| "must be a URL such as https://api.example.com")?;
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => {}
        "http" if here => {}
        _ => return Err("must begin with https:// (http:// is allowed only for this machine)"),
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err("must not have a user, a password, a query or a fragment");
    }
    Ok(url)
}

/// The way to the providers. Clones share it.
#[derive(Debug, Clone)]
pub struct Providers {
    client: ProviderClient,
    urls: ProviderUrls,
}

impl Providers {
    /// Providers at these addresses, each with this time for an answer; [`PROVIDER_TIME`] is right outside of tests.
    pub fn new(urls: ProviderUrls, time: Duration) -> Self {
        Self { client: ProviderClient::new(time), urls }
    }

    /// Asks the provider whether it takes these fields, with a request that changes nothing.
    pub async fn verify(&self, provider: Provider, fields: &OpenedFields) -> VerifyOutcome {
        verify::verify(self, provider, fields).await
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
    fn a_provider_is_at_an_https_address_or_on_this_machine() {
        for good in
            ["https://api.example.com", "https://api.example.com/base/", "http://127.0.0.1:4000", "http://[::1]:1"]
        {
            assert!(provider_url(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "api.example.com",
            "http://api.example.com",
            "http://127.0.0.1.example.com",
            "ftp://api.example.com",
            "https://user@api.example.com",
            "https://:pass@api.example.com",
            "https://api.example.com?key=1",
            "https://api.example.com/#a",
            "http://10.0.0.1",
            "http://169.254.169.254",
            "http://localhost.",
            "http://localhost.example.com",
            "http://[::ffff:127.0.0.1]",
            "file:///etc/passwd",
            "https://a.exa\nmple",
            " https://a.example",
            "https://",
        ] {
            assert!(provider_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_path_stays_below_its_base() {
        let below = |base: &str, segments: &[&str]| below(&Url::parse(base).unwrap(), segments).unwrap().to_string();
        assert_eq!(below("https://a.example", &["v1", "user"]), "https://a.example/v1/user");
        assert_eq!(below("https://a.example/base/", &["calendars", ""]), "https://a.example/base/calendars/");
        assert_eq!(below("https://a.example", &["a/b?c#d", ".."]), "https://a.example/a%2Fb%3Fc%23d");
    }

    #[test]
    fn each_region_of_elevenlabs_has_its_own_host_unless_one_is_set() {
        let somewhere = provider_url("https://a.example").unwrap();
        let mut urls = ProviderUrls {
            twilio: somewhere.clone(),
            elevenlabs: None,
            openai: somewhere.clone(),
            gohighlevel: somewhere,
        };
        let regions = [ElevenLabsRegion::Us, ElevenLabsRegion::Eu, ElevenLabsRegion::In];
        let at = |urls: &ProviderUrls| regions.map(|region| urls.at_elevenlabs(region, &["v2"]).unwrap().to_string());
        let usual = [
            "https://api.elevenlabs.io/v2",
            "https://api.eu.residency.elevenlabs.io/v2",
            "https://api.in.residency.elevenlabs.io/v2",
        ];
        assert_eq!(at(&urls), usual);
        urls.elevenlabs = provider_url("http://127.0.0.1:1").ok();
        assert_eq!(at(&urls), ["http://127.0.0.1:1/v2"; 3]);
    }

    #[test]
    fn opened_fields_do_not_print_the_secret() {
        let fields = OpenedFields { plain: None, secret: "canary-567890".parse().unwrap() };
        assert!(!format!("{fields:?}").contains("canary"));
    }
}
