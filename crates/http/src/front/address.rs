//! Who the client is behind proxies: `X-Forwarded-For`, or `Forwarded` (RFC 7239), read from the right.
//!
//! Each proxy adds at the right whom it was talking to. So only what a trusted proxy has added is believed: whatever stands to the left
//! of the first address that is no trusted proxy, that client may have written itself.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use actix_web::{
    dev::RequestHead,
    http::header::{self, HeaderMap, HeaderName},
};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// In which header the trusted proxies say who the client is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProxyHeader {
    /// In whichever is there. If both are and do not agree, a client has written one of them: then neither is believed.
    #[default]
    Auto,
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded`.
    Forwarded,
}

impl FromStr for ProxyHeader {
    type Err = &'static str;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        match raw.to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "x-forwarded-for" => Ok(Self::XForwardedFor),
            "forwarded" => Ok(Self::Forwarded),
            _ => Err("must be auto, X-Forwarded-For or Forwarded"),
        }
    }
}

/// The networks of the proxies that are believed.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies {
    /// None: nobody is believed.
    pub networks: Vec<IpNet>,
    /// Where they say it.
    pub header: ProxyHeader,
}

impl TrustedProxies {
    /// A network such as `10.0.0.0/8`, or one address.
    ///
    /// # Errors
    ///
    /// It is neither, or has bits behind its prefix: then one of the two is not what was meant.
    pub fn network(raw: &str) -> Result<IpNet, &'static str> {
        let network = match raw.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address.to_canonical()),
            Err(_) => raw.parse().map_err(|_| "must be networks or addresses such as 10.0.0.0/8,2001:db8::/32")?,
        };
        if network.addr() != network.network() {
            return Err(
                "must be networks whose address ends where the prefix does, such as 10.1.0.0/16 for 10.1.2.3/16",
            );
        }
        Ok(network)
    }

    /// The address of the client. It takes the place of the peer's in the head, which everybody asks.
    pub(crate) fn put_client(&self, head: &mut RequestHead) {
        let Some(peer) = head.peer_addr else { return };
        let ip = peer.ip().to_canonical();
        let client = if self.trusts(ip) { self.said_in(&head.headers, ip) } else { ip };
        // The port of a client behind a proxy is of no use to anybody.
        head.peer_addr = Some(SocketAddr::new(client, if client == ip { peer.port() } else { 0 }));
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    fn said_in(&self, headers: &HeaderMap, proxy: IpAddr) -> IpAddr {
        let read = |name: &HeaderName, address: fn(&str) -> Option<IpAddr>| {
            headers.contains_key(name).then(|| self.last_stranger(headers, name, address, proxy))
        };
        let x_forwarded_for = || read(&X_FORWARDED_FOR, node);
        let forwarded = || read(&header::FORWARDED, for_parameter);
        let said = match self.header {
            ProxyHeader::XForwardedFor => x_forwarded_for(),
            ProxyHeader::Forwarded => forwarded(),
            ProxyHeader::Auto => match (x_forwarded_for(), forwarded()) {
                (Some(one), Some(other)) if one != other => None,
                (one, other) => one.or(other),
            },
        };
        said.unwrap_or(proxy)
    }

    /// The first address from the right that is no trusted proxy. Where something else stands, whoever has sent it is as far as one can
    /// see.
    fn last_stranger(
        &self,
        headers: &HeaderMap,
        name: &HeaderName,
        address: fn(&str) -> Option<IpAddr>,
        proxy: IpAddr,
    ) -> IpAddr {
        let mut known = proxy;
        // Several lines are one list (RFC 9110, section 5.3).
        let lines: Vec<_> = headers.get_all(name).collect();
        for line in lines.into_iter().rev() {
            let Ok(line) = line.to_str() else { return known };
            for element in FromTheRight(Some(line)) {
                match address(element) {
                    Some(address) if self.trusts(address) => known = address,
                    Some(address) => return address,
                    None => return known,
                }
            }
        }
        known
    }
}

/// The elements of a list, the last one first. Commas in quotes are part of an element. Read like this, a quote that a client has left
/// open does not reach what a proxy has added behind it.
struct FromTheRight<'a>(Option<&'a str>);

impl<'a> Iterator for FromTheRight<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let list = self.0?;
            let mut quoted = false;
            let comma = list.char_indices().rev().find(|(_, character)| {
                quoted ^= *character == '"';
                *character == ',' && !quoted
            });
            let (rest, element) =
                comma.map_or((None, list), |(at, _)| (list.get(..at), list.get(at + 1..).unwrap_or("")));
            self.0 = rest;
            let element = element.trim_matches([' ', '\t']);
            if !element.is_empty() {
                return Some(element);
            }
        }
    }
}

/// An address, with or without a port; an IPv6 address with a port is in brackets. Not `unknown`, nor a name that hides one.
fn node(text: &str) -> Option<IpAddr> {
    let address = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)).then_some(address)?
        }
        None => match text.split_once(':') {
            Some((address, port)) if is_port(port) => address,
            _ => text,
        },
    };
    address.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// A number, or a name that hides it (RFC 7239, section 6.3).
fn is_port(port: &str) -> bool {
    let hidden = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    port.parse::<u16>().is_ok() || port.strip_prefix('_').is_some_and(|name| !name.is_empty() && hidden(name))
}

/// The address that an element of `Forwarded` has in its one parameter `for`.
fn for_parameter(element: &str) -> Option<IpAddr> {
    let mut named = element.split(';').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim_matches([' ', '\t']).eq_ignore_ascii_case("for").then(|| value.trim_matches([' ', '\t']))
    });
    let (value, None) = (named.next()?, named.next()) else { return None };
    node(match value.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"')?,
        None => value,
    })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use proptest::prelude::*;

    use super::*;

    /// Who the client is to somebody who trusts 10.0.0.0/8 and fd00::/8, for a request of this peer.
    fn client(peer: &str, header: ProxyHeader, headers: &[(&str, &str)]) -> String {
        let networks = ["10.0.0.0/8", "fd00::/8"].map(|raw| TrustedProxies::network(raw).unwrap()).to_vec();
        let mut request = TestRequest::default().peer_addr(SocketAddr::new(peer.parse().unwrap(), 4711));
        for (name, value) in headers {
            request = request.append_header((*name, *value));
        }
        let mut request = request.to_srv_request();
        TrustedProxies { networks, header }.put_client(request.head_mut());
        request.peer_addr().unwrap().ip().to_string()
    }

    #[test]
    fn a_trusted_proxy_is_believed_and_nobody_else() {
        let of = |peer: &str, list: &str| client(peer, ProxyHeader::Auto, &[("X-Forwarded-For", list)]);
        for (list, expected) in [
            ("203.0.113.9", "203.0.113.9"),
            ("203.0.113.9, 10.0.0.1", "203.0.113.9"),
            ("198.51.100.1, 203.0.113.9, 10.0.0.1,10.2.3.4", "203.0.113.9"),
            ("10.0.0.3, 10.0.0.1", "10.0.0.3"),
            ("203.0.113.9:51000", "203.0.113.9"),
            ("2001:db8::9", "2001:db8::9"),
            ("[2001:db8::9]", "2001:db8::9"),
            ("[2001:db8::9]:443, fd00::1", "2001:db8::9"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("198.51.100.1, unknown", "10.0.0.7"),
            ("198.51.100.1, unknown, 10.0.0.1", "10.0.0.1"),
            ("198.51.100.1, <script>", "10.0.0.7"),
            ("198.51.100.1, 203.0.113.9:x", "10.0.0.7"),
            ("198.51.100.1, fe80::1%eth0", "10.0.0.7"),
            ("198.51.100.1, 0x7f.1", "10.0.0.7"),
            ("203.0.113.9,, ,", "203.0.113.9"),
            ("", "10.0.0.7"),
            (",", "10.0.0.7"),
        ] {
            assert_eq!(of("10.0.0.7", list), expected, "{list:?}");
            assert_eq!(of("192.0.2.1", list), "192.0.2.1", "{list:?}");
        }
        assert_eq!(of("::ffff:10.0.0.7", "203.0.113.9"), "203.0.113.9");
        assert_eq!(of("::ffff:192.0.2.1", "203.0.113.9"), "192.0.2.1");
        assert_eq!(of("fd00::7", "203.0.113.9"), "203.0.113.9");
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_writes_it() {
        let of = |list: &str| client("10.0.0.7", ProxyHeader::Auto, &[("Forwarded", list)]);
        for (list, expected) in [
            ("for=203.0.113.9", "203.0.113.9"),
            ("FOR=\"203.0.113.9:4711\";proto=https;by=10.0.0.1", "203.0.113.9"),
            ("for=\"[2001:db8::9]:4711\"", "2001:db8::9"),
            ("for=\"[2001:db8::9]:_hidden\"", "2001:db8::9"),
            ("for=198.51.100.1, for=203.0.113.9;host=\"a,b\", for=10.0.0.1", "203.0.113.9"),
            ("for=198.51.100.1, proto=http ; for = 203.0.113.9", "203.0.113.9"),
            // A quote that a client has left open.
            ("for=\"198.51.100.1, for=203.0.113.9", "203.0.113.9"),
            ("for=198.51.100.1, for=unknown", "10.0.0.7"),
            ("for=198.51.100.1, for=_gazonk", "10.0.0.7"),
            ("for=198.51.100.1, by=203.0.113.9", "10.0.0.7"),
            ("for=198.51.100.1, for=203.0.113.9;for=203.0.113.8", "10.0.0.7"),
            ("203.0.113.9", "10.0.0.7"),
        ] {
            assert_eq!(of(list), expected, "{list:?}");
        }
    }

    #[test]
    fn several_lines_are_one_list_and_two_headers_have_to_agree() {
        let line = |value| ("X-Forwarded-For", value);
        let of = |headers: &[(&str, &str)]| client("10.0.0.7", ProxyHeader::Auto, headers);
        assert_eq!(of(&[line("198.51.100.1"), line("203.0.113.9"), line("10.0.0.1")]), "203.0.113.9");
        assert_eq!(of(&[line("198.51.100.1"), line("garbage"), line("10.0.0.1")]), "10.0.0.1");
        let both = [line("203.0.113.9"), ("Forwarded", "for=198.51.100.1")];
        assert_eq!(of(&both), "10.0.0.7");
        assert_eq!(of(&[line("203.0.113.9"), ("Forwarded", "for=\"203.0.113.9:1\"")]), "203.0.113.9");
        assert_eq!(client("10.0.0.7", ProxyHeader::XForwardedFor, &both), "203.0.113.9");
        assert_eq!(client("10.0.0.7", ProxyHeader::Forwarded, &both), "198.51.100.1");
        assert_eq!(client("10.0.0.7", ProxyHeader::Forwarded, &[line("203.0.113.9")]), "10.0.0.7");
    }

    #[test]
    fn a_network_is_an_address_or_ends_where_its_prefix_does() {
        for good in ["10.0.0.0/8", "127.0.0.1", "::1", "2001:db8::/32", "0.0.0.0/0"] {
            assert!(TrustedProxies::network(good).is_ok(), "{good}");
        }
        for bad in ["", "10.0.0.1/8", "10.0.0.0/33", "10.0.0", "proxy", "10.0.0.0/8/8", "*", "10.0.0.1:80"] {
            assert!(TrustedProxies::network(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_client_writes_what_the_proxy_adds_counts(written in "[ -~]{0,40}") {
            let list = format!("{written}, 203.0.113.9");
            prop_assert_eq!(client("10.0.0.7", ProxyHeader::Auto, &[("X-Forwarded-For", &list)]), "203.0.113.9");
            let list = format!("{written}, for=203.0.113.9");
            prop_assert_eq!(client("10.0.0.7", ProxyHeader::Auto, &[("Forwarded", &list)]), "203.0.113.9");
        }
    }
}
