//! Where webhooks may be sent. Tenants write the addresses, and the service stands in a network that is not theirs: so an address that
//! is not public is refused, unless the operator allows its network.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use ipnet::IpNet;
use url::{Host, Url};

use crate::{
    Refusal,
    input::{Description, input},
    text, web_address,
};

/// The address of a receiver, 1 to 2,048 characters, without credentials and fragment; kept as it was written. Whether the service
/// may send there, [`Destinations::check`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookUrl(String);

const CODE: &str = "not_a_webhook_url";

impl WebhookUrl {
    const MAX: usize = 2_048;

    /// The address as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WebhookUrl {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        text::bounded(raw, Self::MAX)?;
        let refused = |message: String| Err(Refusal::new(CODE, message));
        if raw.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return refused("must not contain white space or control characters".to_owned());
        }
        let Ok(url) = Url::parse(raw) else {
            return refused("must be a URL such as https://example.com/webhooks".to_owned());
        };
        if !matches!(url.scheme(), "https" | "http") {
            return refused(format!("must begin with https://, not {:.20}:", url.scheme()));
        }
        if !url.username().is_empty() || url.password().is_some() || written_authority(raw).contains('@') {
            return refused("must not contain a user name or a password".to_owned());
        }
        if url.fragment().is_some() {
            return refused("must not have a fragment, the part after #".to_owned());
        }
        if let Some(Host::Ipv4(address)) = url.host() {
            let written = written_host(raw);
            if written != address.to_string() {
                return refused(format!("must write the address of its host as {address}, not as {written:.60}"));
            }
        }
        if let Some(why) = web_address::objection(raw, &url) {
            return refused(format!("must be a URL such as https://example.com/webhooks: {why}"));
        }
        Ok(Self(raw.to_owned()))
    }
}

input!(
    WebhookUrl,
    str,
    Description::text("An https URL at a public address, without user name, password and fragment.")
        .format("uri")
        .length(1, Self::MAX)
        .example("https://example.com/webhooks")
);

/// What stands between the slashes, as it was written: the URL standard makes addresses of numbers in any notation.
fn written_authority(raw: &str) -> &str {
    let rest = raw.split_once(':').map_or("", |(_, rest)| rest).trim_start_matches(['/', '\\']);
    rest.split(['/', '\\', '?', '#']).next().unwrap_or_default()
}

fn written_host(raw: &str) -> &str {
    let authority = written_authority(raw);
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// Where webhooks may be sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destinations {
    allowed: Vec<IpNet>,
}

impl Destinations {
    /// Public addresses, and these networks.
    pub fn with(allowed: Vec<IpNet>) -> Self {
        Self { allowed }
    }

    /// Whether the operator allows this address, whatever it is.
    pub fn allows(&self, address: IpAddr) -> bool {
        self.allowed.iter().any(|network| network.contains(&address))
    }

    /// What is wrong with sending to this address: the kind of address that it is.
    pub fn objection(&self, address: IpAddr) -> Option<&'static str> {
        if self.allows(address) { None } else { kind(address) }
    }

    /// Refuses the address of a receiver to which the service does not send, whatever its name resolves to. What it resolves to is asked
    /// when it is sent to, of the address that is then used.
    ///
    /// # Errors
    ///
    /// Why not, in a sentence.
    pub fn check(&self, url: &WebhookUrl) -> Result<(), Refusal> {
        let Ok(url) = Url::parse(url.as_str()) else { return Err(Refusal::new(CODE, "must be a URL")) };
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::from(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::from(address)),
            Some(Host::Domain(name)) => is_this_machine(name).then_some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            None => return Err(Refusal::new(CODE, "must have a host")),
        };
        if let Some(kind) = address.and_then(|address| self.objection(address)) {
            let host = url.host_str().unwrap_or_default();
            return Err(Refusal::new("forbidden_address", format!("must not lead to {kind}, as {host:.80} does")));
        }
        let encrypted = url.scheme() == "https";
        let private = address.map_or(!self.allowed.is_empty(), |address| self.allows(address));
        if encrypted || private {
            return Ok(());
        }
        Err(Refusal::new(CODE, "must begin with https://: http:// is only for networks that the operator has allowed"))
    }
}

fn is_this_machine(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

/// The kind of an address that is not public, in the registries of IANA for special purposes; `None` for one that is.
fn kind(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => kind_of_v4(address),
        IpAddr::V6(address) => kind_of_v6(address),
    }
}

fn kind_of_v4(address: Ipv4Addr) -> Option<&'static str> {
    Some(match address.octets() {
        [0, ..] => "an unspecified address",
        [127, ..] => "a loopback address",
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => "a private address",
        [169, 254, ..] => "a link-local address, where clouds keep their metadata",
        [100, 64..=127, ..] => "an address of a carrier's network (RFC 6598)",
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => "an address for documentation",
        [192, 0, 0, _] | [192, 88, 99, _] => "a reserved address",
        [198, 18..=19, ..] => "an address for benchmarks",
        [224..=239, ..] => "a multicast address",
        [240..=255, ..] => "a reserved address",
        _ => return None,
    })
}

fn kind_of_v6(address: Ipv6Addr) -> Option<&'static str> {
    if address.to_ipv4_mapped().is_some() {
        return Some("an IPv4 address in the form of an IPv6 address");
    }
    Some(match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => "an unspecified address",
        [0, 0, 0, 0, 0, 0, 0, 1] => "a loopback address",
        [0, 0, 0, 0, 0, 0, ..] => "an IPv4 address in the form of an IPv6 address",
        [0x64, 0xff9b, ..] => "an IPv4 address behind a translator (NAT64)",
        [0x2002, ..] | [0x2001, 0, ..] => "an IPv4 address behind a tunnel",
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] => "an address where clouds keep their metadata",
        [0xfc00..=0xfdff, ..] => "a private address",
        [0xfe80..=0xfebf, ..] => "a link-local address",
        [0xfec0..=0xfeff, ..] => "a private address",
        [0xff00..=0xffff, ..] => "a multicast address",
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => "an address for documentation",
        [0x2001, 1..=0x1ff, ..] => "a reserved address",
        [0x2000..=0x3fff, ..] => return None,
        _ => "a reserved address",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(destinations: &Destinations, raw: &str) -> Result<(), String> {
        let url: WebhookUrl = raw.parse().map_err(|refusal: Refusal| refusal.message)?;
        destinations.check(&url).map_err(|refusal| refusal.message)
    }

    #[test]
    fn each_address_that_is_not_public_is_refused_with_its_sentence() {
        let none = Destinations::default();
        for (raw, said) in [
            ("https://2130706433/", "must write the address of its host as 127.0.0.1, not as 2130706433"),
            ("https://0x7f.1/", "must write the address of its host as 127.0.0.1, not as 0x7f.1"),
            ("https://0177.0.0.1/", "must write the address of its host as 127.0.0.1, not as 0177.0.0.1"),
            ("https://127.1:8443/", "must write the address of its host as 127.0.0.1, not as 127.1"),
            ("https:\\\\127.1\\a", "must write the address of its host as 127.0.0.1, not as 127.1"),
            ("https://%31%32%37.0.0.1/", "must write the address of its host as 127.0.0.1, not as %31%32%37.0.0.1"),
            ("https://１27.0.0.1/", "must write the address of its host as 127.0.0.1, not as １27.0.0.1"),
            ("https://user@example.com/", "must not contain a user name or a password"),
            ("https://:secret@example.com/", "must not contain a user name or a password"),
            ("https://@example.com/", "must not contain a user name or a password"),
            ("https://example.com/#a", "must not have a fragment, the part after #"),
            ("ftp://example.com/", "must begin with https://, not ftp:"),
            ("https://exam ple.com/", "must not contain white space or control characters"),
            ("https://example.com/\u{7f}", "must not contain white space or control characters"),
            ("https://", "must be a URL such as https://example.com/webhooks"),
            ("example.com", "must be a URL such as https://example.com/webhooks"),
            ("https://127.0.0.1/", "must not lead to a loopback address, as 127.0.0.1 does"),
            ("https://localhost/", "must not lead to a loopback address, as localhost does"),
            ("https://a.localhost./", "must not lead to a loopback address, as a.localhost. does"),
            ("https://10.1.2.3/", "must not lead to a private address, as 10.1.2.3 does"),
            ("https://172.31.0.1/", "must not lead to a private address, as 172.31.0.1 does"),
            ("https://192.168.0.1/", "must not lead to a private address, as 192.168.0.1 does"),
            (
                "https://169.254.169.254/",
                "must not lead to a link-local address, where clouds keep their metadata, as 169.254.169.254 does",
            ),
            (
                "https://100.64.0.1/",
                "must not lead to an address of a carrier's network (RFC 6598), as 100.64.0.1 does",
            ),
            ("https://0.0.0.0/", "must not lead to an unspecified address, as 0.0.0.0 does"),
            ("https://192.0.2.1/", "must not lead to an address for documentation, as 192.0.2.1 does"),
            ("https://192.0.0.1/", "must not lead to a reserved address, as 192.0.0.1 does"),
            ("https://198.18.0.1/", "must not lead to an address for benchmarks, as 198.18.0.1 does"),
            ("https://224.0.0.1/", "must not lead to a multicast address, as 224.0.0.1 does"),
            ("https://255.255.255.255/", "must not lead to a reserved address, as 255.255.255.255 does"),
            ("https://[::1]/", "must not lead to a loopback address, as [::1] does"),
            ("https://[::]/", "must not lead to an unspecified address, as [::] does"),
            ("https://[fe80::1]/", "must not lead to a link-local address, as [fe80::1] does"),
            ("https://[fd00::1]/", "must not lead to a private address, as [fd00::1] does"),
            ("https://[fec0::1]/", "must not lead to a private address, as [fec0::1] does"),
            ("https://[2001:db8::1]/", "must not lead to an address for documentation, as [2001:db8::1] does"),
            ("https://[3fff::1]/", "must not lead to an address for documentation, as [3fff::1] does"),
            ("https://[2001:1::1]/", "must not lead to a reserved address, as [2001:1::1] does"),
            ("https://[2001::1]/", "must not lead to an IPv4 address behind a tunnel, as [2001::1] does"),
            (
                "https://[::10.0.0.1]/",
                "must not lead to an IPv4 address in the form of an IPv6 address, as [::a00:1] does",
            ),
            ("https://[ff02::1]/", "must not lead to a multicast address, as [ff02::1] does"),
            (
                "https://[::ffff:10.0.0.1]/",
                "must not lead to an IPv4 address in the form of an IPv6 address, as [::ffff:a00:1] does",
            ),
            (
                "https://[64:ff9b::a00:1]/",
                "must not lead to an IPv4 address behind a translator (NAT64), as [64:ff9b::a00:1] does",
            ),
            ("https://[2002:a00:1::]/", "must not lead to an IPv4 address behind a tunnel, as [2002:a00:1::] does"),
            (
                "http://example.com/",
                "must begin with https://: http:// is only for networks that the operator has allowed",
            ),
            ("http://8.8.8.8/", "must begin with https://: http:// is only for networks that the operator has allowed"),
        ] {
            assert_eq!(checked(&none, raw), Err(said.to_owned()), "{raw}");
        }
        for public in [
            "https://example.com/webhooks?a=1",
            "https://8.8.8.8:8443/",
            "https://8.8.8.8:/",
            "https://[2606:4700::1111]/",
        ] {
            assert_eq!(checked(&none, public), Ok(()), "{public}");
        }
    }

    #[test]
    fn no_range_of_the_registries_is_public() {
        // The first or the last address of each range that is not in the list above.
        let four = [
            "10.255.255.255",
            "172.16.0.0",
            "192.168.255.255",
            "100.127.255.255",
            "192.0.2.1",
            "198.51.100.1",
            "203.0.113.1",
            "192.0.0.1",
            "192.88.99.1",
            "198.18.0.0",
            "198.19.255.255",
            "239.255.255.255",
            "240.0.0.0",
        ];
        let six = [
            "::10.0.0.1",
            "2001::1",
            "fd00:ec2::254",
            "fc00::1",
            "febf::1",
            "fec0::1",
            "feff::1",
            "2001:db8::1",
            "3fff:fff::1",
            "2001:1::1",
            "2001:1ff::1",
            "100::1",
            "1fff:ffff::1",
            "4000::1",
        ];
        let none = Destinations::default();
        for address in four.iter().chain(&six) {
            assert!(none.objection(address.parse().unwrap()).is_some(), "{address}");
        }
        // The neighbours of ranges.
        let public = [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.88.98.255",
            "192.88.100.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "2000::",
            "2001:200::",
            "2001:db7:ffff::",
            "2001:db9::",
            "2003::",
            "3ffe:ffff::",
            "3fff:1000::",
        ];
        for public in public {
            assert_eq!(none.objection(public.parse().unwrap()), None, "{public}");
        }
        // Whoever allows private networks has not thought of the metadata of clouds; the sentence must say what it is.
        let clouds = none.objection("fd00:ec2::254".parse().unwrap());
        assert_eq!(clouds, Some("an address where clouds keep their metadata"));
    }

    #[test]
    fn what_the_operator_allows_may_be_reached_and_without_encryption() {
        let inside = Destinations::with(vec!["10.1.0.0/16".parse().unwrap()]);
        for good in ["http://10.1.2.3:8080/", "https://10.1.2.3/", "http://receiver.internal/", "https://example.com/"]
        {
            assert_eq!(checked(&inside, good), Ok(()), "{good}");
        }
        for bad in ["http://10.2.0.1/", "http://8.8.8.8/", "https://127.0.0.1/", "https://[::ffff:10.1.2.3]/"] {
            assert!(checked(&inside, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_has_at_most_2048_characters() {
        let address = |length: usize| format!("https://example.com/{}", "x".repeat(length - 20)).parse::<WebhookUrl>();
        assert!(address(2_048).is_ok());
        assert_eq!(address(2_049).unwrap_err().code, "too_long");
        assert_eq!("".parse::<WebhookUrl>().unwrap_err().code, "empty");
    }
}
