//! Where another service is: the one rule for every address that a secret or a decision depends on.

use url::{Host, Url};

use crate::web_address;

/// Parses the address of another service: `https`, or `http` on this machine, without user, password and fragment.
///
/// # Errors
///
/// What is wrong with it.
pub fn service_url(text: &str) -> Result<Url, &'static str> {
    checked(text, is_this_machine, "must begin with https:// (http:// is allowed only for this machine)")
}

/// [`service_url`] of a service that the operator has allowed to be reached over `http` in a private network.
///
/// # Errors
///
/// What is wrong with it, to follow its name.
pub fn private_service_url(text: &str) -> Result<Url, &'static str> {
    let rule = "must begin with https:// (http:// is allowed only in a private network: for a private address, or a name such as \
                keycloak or keycloak.example.internal)";
    checked(text, is_private_network, rule)
}

fn checked(text: &str, may_be_http: fn(&Url) -> bool, rule: &'static str) -> Result<Url, &'static str> {
    // The URL standard drops tabs and newlines silently.
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("must not contain white space or control characters");
    }
    let url = Url::parse(text).ok().filter(|url| web_address::objection(text, url).is_none());
    let url = url.ok_or("must be a URL such as https://api.example.com")?;
    match url.scheme() {
        "https" => {}
        "http" if may_be_http(&url) => {}
        _ => return Err(rule),
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

/// The ends of names that no public name server answers, or that are customary in networks of one's own.
const PRIVATE_ENDS: [&str; 9] =
    [".internal", ".local", ".localhost", ".svc", ".home.arpa", ".lan", ".intranet", ".private", ".corp"];

/// Whether a URL leads to a network of one's own, as far as its host shows: this machine, a private address (RFC 1918, RFC 6598,
/// RFC 4193), a name of one label, as containers have, or one that no public name server answers.
fn is_private_network(url: &Url) -> bool {
    is_this_machine(url)
        || match url.host() {
            Some(Host::Domain(name)) => {
                let name = name.strip_suffix('.').unwrap_or(name);
                !name.contains('.') || PRIVATE_ENDS.iter().any(|end| name.ends_with(end))
            }
            Some(Host::Ipv4(address)) => {
                let [first, second, ..] = address.octets();
                address.is_private() || (first == 100 && (64..128).contains(&second))
            }
            Some(Host::Ipv6(address)) => address.is_unique_local(),
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
            "https://a.example/\u{7f}",
            "unix:/run/service.sock",
            " https://a.example",
            "https:a.example",
            "https://a.example\\@127.0.0.1",
            "https://",
        ] {
            assert!(service_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn http_in_a_private_network_is_for_those_who_ask_for_it_and_leads_nowhere_else() {
        for private in [
            "http://keycloak:8080/realms/acme",
            "http://keycloak.auth.svc:8080",
            "http://keycloak.auth.svc.cluster.local",
            "http://id.example.internal.",
            "http://id.local",
            "http://id.localhost",
            "http://id.home.arpa",
            "http://id.lan",
            "http://id.intranet",
            "http://id.private",
            "http://id.corp",
            "http://10.1.2.3",
            "http://172.16.0.1",
            "http://192.168.1.1:8080",
            "http://100.64.0.1",
            "http://100.127.255.255",
            "http://[fd00::1]:8080",
        ] {
            assert!(private_service_url(private).is_ok(), "{private}");
            assert!(service_url(private).is_err(), "{private}");
        }
        for public in [
            "http://id.example.com",
            "http://internal.example.com",
            "http://8.8.8.8",
            "http://172.32.0.1",
            "http://100.63.255.255",
            "http://100.128.0.1",
            "http://101.64.0.1",
            "http://169.254.169.254",
            "http://0.0.0.0",
            "http://[2001:db8::1]",
            "http://[::ffff:8.8.8.8]",
            "ftp://keycloak",
            "http://user@keycloak",
        ] {
            assert!(private_service_url(public).is_err(), "{public}");
        }
        assert!(
            private_service_url("https://id.example.com").is_ok() && private_service_url("http://127.0.0.1").is_ok()
        );
    }
}
