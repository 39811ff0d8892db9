//! Where another service is: the one rule for every address that a secret or a decision depends on.

use url::{Host, Url};

/// Parses the address of another service: `https`, or `http` on this machine, without user, password and fragment.
///
/// # Errors
///
/// What is wrong with it.
pub fn service_url(text: &str) -> Result<Url, &'static str> {
    // The URL standard drops tabs and newlines silently.
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("must not contain white space or control characters");
    }
    let url = Url::parse(text).map_err(|_| "must be a URL such as https://api.example.com")?;
    match url.scheme() {
        "https" => {}
        "http" if is_this_machine(&url) => {}
        _ => return Err("must begin with https:// (http:// is allowed only for this machine)"),
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err("must not have a user, a password or a fragment");
    }
    Ok(url)
}

/// Whether a URL leads to this machine whatever the name server says: `localhost`, or a loopback address.
pub fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_at_an_https_address_or_on_this_machine() {
        for good in [
            "https://api.example.com",
            "https://api.example.com/base/",
            "https://api.example.com/keys?tenant=1",
            "http://localhost:4000/jwks",
            "http://127.0.0.1:4000",
            "http://[::1]:1",
        ] {
            assert!(service_url(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "api.example.com",
            "http://api.example.com",
            "http://127.0.0.1.example.com",
            "ftp://api.example.com",
            "https://user@api.example.com",
            "https://:pass@api.example.com",
            "https://api.example.com/#a",
            "http://10.0.0.1",
            "http://169.254.169.254",
            "http://localhost.",
            "http://app.localhost",
            "http://localhost.example.com",
            "http://[::ffff:127.0.0.1]",
            "file:///etc/passwd",
            "https://a.exa\nmple",
            " https://a.example",
            "https://",
        ] {
            assert!(service_url(bad).is_err(), "{bad}");
        }
    }
}
