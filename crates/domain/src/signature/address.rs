//! Addresses of links and images: which stay, and in which form.

use std::borrow::Cow;

use url::Url;

/// What a link may lead to: nothing that runs, and no scheme that hands what it likes to a program of its own.
pub(super) const SCHEMES: &str = "https http mailto tel sms";

/// The address of a link; `None` if it goes.
pub(super) fn of_link(written: &str) -> Option<Cow<'_, str>> {
    let address = written.trim();
    if is_placeholder(address) {
        return Some(address.into());
    }
    if let Some(https) = without_scheme(address) {
        return Some(https.into());
    }
    let scheme = Url::parse(address).ok()?.scheme().to_owned();
    // Without the slashes, `https:x` is a path of the page for a browser, where that came over `https` itself.
    let leads_away =
        !scheme.starts_with("http") || address.get(scheme.len()..).is_some_and(|rest| rest.starts_with("://"));
    (leads_away && SCHEMES.split(' ').any(|known| known == scheme)).then(|| address.into())
}

/// The address of an image. Over `http`, pages that came over `https` do not load it.
pub(super) fn of_image(written: &str) -> Option<Cow<'_, str>> {
    let address = written.trim();
    if is_placeholder(address) {
        return Some(address.into());
    }
    if let Some(https) = without_scheme(address) {
        return Some(https.into());
    }
    let secure = address.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"));
    (secure && Url::parse(address).is_ok()).then(|| address.into())
}

/// `//host` and `www.host`, which mean a host and not a path, with a scheme in front.
fn without_scheme(address: &str) -> Option<String> {
    let is_www = address.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("www."));
    let https = match address.strip_prefix("//") {
        Some(host) => format!("https://{host}"),
        None if is_www => format!("https://{address}"),
        None => return None,
    };
    let named = |url: Url| url.host_str().is_some_and(|host| !host.eq_ignore_ascii_case("www."));
    Url::parse(&https).is_ok_and(named).then_some(https)
}

/// Whether it is nothing but placeholders, such as `{{booking_link}}`, which another program replaces. With more behind it, a
/// browser could take it for an address of the page itself.
fn is_placeholder(address: &str) -> bool {
    let name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
    let mut rest = address;
    while let Some((inside, behind)) = rest.strip_prefix("{{").and_then(|rest| rest.split_once("}}")) {
        if inside.trim().is_empty() || !inside.chars().all(name) {
            return false;
        }
        rest = behind;
    }
    rest.is_empty() && !address.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_somewhere_or_goes() {
        for (written, kept) in [
            ("https://a.example/x?y={{z}}", Some("https://a.example/x?y={{z}}")),
            ("http://a.example", Some("http://a.example")),
            (" HTTPS://a.example ", Some("HTTPS://a.example")),
            ("https:a.example", None),
            ("http:/a.example", None),
            ("https:\\\\a.example", None),
            ("mailto:{{email}}", Some("mailto:{{email}}")),
            ("tel:+49301234;ext=1", Some("tel:+49301234;ext=1")),
            ("sms:+49170", Some("sms:+49170")),
            ("//a.example/x", Some("https://a.example/x")),
            ("www.a.example", Some("https://www.a.example")),
            ("WWW.a.example/x", Some("https://WWW.a.example/x")),
            ("{{booking_link}}", Some("{{booking_link}}")),
            ("{{ agent.link }}{{query}}", Some("{{ agent.link }}{{query}}")),
            ("{{x}}:alert(1)", None),
            ("{{x}}/../api", None),
            ("{{}}", None),
            ("{{javascript:alert(1)}}", None),
            ("", None),
            ("/rel", None),
            ("#top", None),
            ("///", None),
            ("www.", None),
            ("whatsapp://send?phone=1", None),
            ("javascript:alert(1)", None),
            ("java\tscript:alert(1)", None),
            ("data:text/html,x", None),
            ("cid:x", None),
            ("file:///etc/passwd", None),
            ("\\\\a.example", None),
        ] {
            assert_eq!(of_link(written).as_deref(), kept, "{written}");
        }
    }

    #[test]
    fn an_image_comes_over_https_or_goes() {
        for (written, kept) in [
            ("https://a.example/x.png", Some("https://a.example/x.png")),
            ("//a.example/x.png", Some("https://a.example/x.png")),
            ("{{logo_url}}", Some("{{logo_url}}")),
            ("http://a.example/x.png", None),
            ("https:a.example", None),
            ("https://", None),
            ("cid:image001.png@01DA", None),
            ("data:image/png;base64,AAAA", None),
            ("mailto:a@b.example", None),
            ("x.png", None),
        ] {
            assert_eq!(of_image(written).as_deref(), kept, "{written}");
        }
    }
}
