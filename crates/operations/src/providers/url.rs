//! Where providers are reached.

use url::{Host, Url};

use super::credential::ElevenLabsRegion;

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
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => {}
        "http" if is_here => {}
        _ => return Err("must begin with https:// (http:// is for addresses of this machine)"),
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err("must not have a user, a password, a query or a fragment");
    }
    Ok(url)
}

/// Where each provider is reached, where that is not its usual address. Each is one of [`provider_url`].
#[derive(Debug, Clone, Default)]
pub struct ProviderUrls {
    /// ElevenLabs, for accounts of all regions; usually each region has a host of its own.
    pub elevenlabs: Option<Url>,
    /// OpenAI.
    pub openai: Option<Url>,
    /// HighLevel.
    pub gohighlevel: Option<Url>,
    /// Twilio.
    pub twilio: Option<Url>,
}

impl ProviderUrls {
    /// An address at ElevenLabs, in the region of the account.
    pub(super) fn at_elevenlabs(&self, region: ElevenLabsRegion, segments: &[&str]) -> Option<Url> {
        let usual = match region {
            ElevenLabsRegion::Us => "https://api.elevenlabs.io",
            ElevenLabsRegion::Eu => "https://api.eu.residency.elevenlabs.io",
            ElevenLabsRegion::In => "https://api.in.residency.elevenlabs.io",
        };
        below(self.elevenlabs.as_ref(), usual, segments)
    }

    /// An address at HighLevel.
    pub(super) fn at_gohighlevel(&self, segments: &[&str]) -> Option<Url> {
        below(self.gohighlevel.as_ref(), "https://services.leadconnectorhq.com", segments)
    }
}

/// The address below a base, each segment encoded.
fn below(set: Option<&Url>, usual: &str, segments: &[&str]) -> Option<Url> {
    let mut url = set.cloned().or_else(|| Url::parse(usual).ok())?;
    url.path_segments_mut().ok()?.pop_if_empty().extend(segments);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_https_or_on_this_machine_and_nothing_but_a_base() {
        for good in [
            "https://api.elevenlabs.io",
            "https://proxy.example.com:8443/elevenlabs/",
            "http://127.0.0.1:4010",
            "http://[::1]:4010",
            "http://localhost:4010",
        ] {
            assert!(provider_url(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "api.elevenlabs.io",
            "http://api.elevenlabs.io",
            "http://10.0.0.1",
            "http://169.254.169.254",
            "http://localhost.",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://[::ffff:127.0.0.1]",
            "ftp://127.0.0.1",
            "file:///etc/passwd",
            "unix:/run/x",
            "https://user@a.example",
            "https://:password@a.example",
            "https://a.example?x=1",
            "https://a.example#x",
            "https://a.exa\nmple",
            " https://a.example",
            "https://",
        ] {
            assert!(provider_url(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn segments_cannot_leave_the_base() {
        let urls = ProviderUrls { gohighlevel: provider_url("https://a.example/b/").ok(), ..ProviderUrls::default() };
        let at = |segments: &[&str]| urls.at_gohighlevel(segments).unwrap().to_string();
        assert_eq!(at(&["v2", "voices"]), "https://a.example/b/v2/voices");
        assert_eq!(at(&["calendars", ""]), "https://a.example/b/calendars/");
        assert_eq!(at(&["x/../y?z#a", ".."]), "https://a.example/b/x%2F..%2Fy%3Fz%23a");
    }

    #[test]
    fn each_region_of_elevenlabs_has_its_own_host_unless_one_is_set() {
        let at = |urls: &ProviderUrls, region| urls.at_elevenlabs(region, &["v2"]).unwrap().to_string();
        let usual = ProviderUrls::default();
        assert_eq!(at(&usual, ElevenLabsRegion::Us), "https://api.elevenlabs.io/v2");
        assert_eq!(at(&usual, ElevenLabsRegion::Eu), "https://api.eu.residency.elevenlabs.io/v2");
        assert_eq!(at(&usual, ElevenLabsRegion::In), "https://api.in.residency.elevenlabs.io/v2");
        let set = ProviderUrls { elevenlabs: provider_url("http://127.0.0.1:1").ok(), ..usual.clone() };
        for region in [ElevenLabsRegion::Us, ElevenLabsRegion::Eu, ElevenLabsRegion::In] {
            assert_eq!(at(&set, region), "http://127.0.0.1:1/v2");
        }
        assert_eq!(usual.at_gohighlevel(&[]).unwrap().as_str(), "https://services.leadconnectorhq.com/");
    }
}
