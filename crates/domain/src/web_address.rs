//! What an address of the web must be beyond what browsers make of it: others read it too, and must not be led elsewhere.

use url::{Host, Url};

use crate::text::is_visible;

/// Characters of ASCII that no URI has (RFC 3986, appendix A). Programs disagree on what they mean.
const FORBIDDEN: &str = "\"<>\\^`{|}";

/// Why an address is not taken as it was written; `None` if it is. `url` is what it was parsed as.
pub(crate) fn objection(raw: &str, url: &Url) -> Option<String> {
    let unusual = |c: char| FORBIDDEN.contains(c) || !c.is_ascii() && !is_visible(c);
    if let Some(c) = raw.chars().find(|c| unusual(*c)) {
        return Some(format!("it contains U+{:04X}, which must be percent-encoded", u32::from(c)));
    }
    let host = raw.split_once("://").map_or("", |(_, rest)| rest);
    if host.is_empty() || host.starts_with(['/', '?', '#']) {
        return Some("it has no host after ://".to_owned());
    }
    if let Some(Host::Domain(name)) = url.host() {
        let name = name.strip_suffix('.').unwrap_or(name);
        if name.len() > 253 || name.split('.').any(|label| label.is_empty() || label.len() > 63) {
            return Some(format!("{name:.60} cannot be the name of a host"));
        }
    }
    (url.port() == Some(0)).then(|| "its port is 0".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_taken(raw: &str) -> bool {
        objection(raw, &Url::parse(raw).unwrap()).is_none()
    }

    #[test]
    fn an_address_leads_every_program_to_the_same_place() {
        let label = "a".repeat(63);
        for good in [
            "https://example.com",
            "https://example.com./a?b#c",
            "HTTPS://example.com:8443/%22",
            "https://m\u{fc}nchen.example/stra\u{df}e",
            "https://[2606:2800::1]/",
            &format!("https://{label}.com"),
        ] {
            assert!(is_taken(good), "{good}");
        }
        for bad in [
            "https:example.com",
            "https:/example.com",
            "https:///example.com",
            "https:\\\\example.com",
            "https://example.com\\@127.0.0.1/",
            "https://a..com/",
            "https://.com",
            "https://example.com..",
            "https://example.com:0/",
            "https://exa\u{ad}mple.com",
            "https://example.com/\u{202e}gpj.exe",
            "https://example.com/\"x",
            "https://example.com/<script>",
            "https://example.com/{id}",
            &format!("https://{label}a.com"),
            &format!("https://{}com", format!("{label}.").repeat(4)),
        ] {
            assert!(!is_taken(bad), "{bad}");
        }
    }
}
