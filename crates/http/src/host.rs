//! The `Host` header (RFC 9110, section 7.2): a host and perhaps a port, and nothing else.

use std::net::Ipv6Addr;

use actix_web::{
    ResponseError,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header,
    middleware::Next,
};
use tenantry_domain::Error;

use crate::error::Failure;

/// Refuses a request whose host is none, on every path (RFC 9112, section 3.2).
pub(crate) async fn checked(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let hosts = request.headers().get_all(header::HOST).map(|host| host.to_str().ok());
    if hosts.into_iter().all(|host| host.is_some_and(is_host)) {
        return next.call(request).await.map(ServiceResponse::map_into_left_body);
    }
    Ok(request.into_response(bad_host().error_response()).map_into_right_body())
}

/// Whether this is a host with an optional port, as RFC 3986 writes them. It may be empty.
fn is_host(value: &str) -> bool {
    let (host, port) = match value.strip_prefix('[') {
        Some(rest) => {
            let Some((address, behind)) = rest.split_once(']') else { return false };
            if address.parse::<Ipv6Addr>().is_err() {
                return false;
            }
            ("", behind)
        }
        None => value.split_at(value.find(':').unwrap_or(value.len())),
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    (port.is_empty() || port.starts_with(':')) && digits.bytes().all(|byte| byte.is_ascii_digit()) && is_name(host)
}

/// A registered name, or an IPv4 address, which looks the same.
fn is_name(host: &str) -> bool {
    let mut bytes = host.bytes();
    let hex = |bytes: &mut std::str::Bytes<'_>| bytes.next().is_some_and(|byte| byte.is_ascii_hexdigit());
    while let Some(byte) = bytes.next() {
        let good = match byte {
            b'%' => hex(&mut bytes) && hex(&mut bytes),
            byte => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte),
        };
        if !good {
            return false;
        }
    }
    true
}

/// The header is no host.
pub(crate) fn bad_host() -> Failure {
    let message = "The Host header must be a host name or an address, with an optional port.".to_owned();
    Error::Unreadable { code: "bad_host", message }.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_with_an_optional_port() {
        for good in
            ["", "x", "api.example.com", "a.example:8080", "127.0.0.1:80", "[::1]", "[::1]:8080", "x:", "a_b", "a%20b"]
        {
            assert!(is_host(good), "{good}");
        }
        for bad in [
            "u@x",
            "a b",
            "[::1",
            "::1",
            "[x]",
            "[::1]x",
            "[::1]:x",
            "x:y",
            "x:1:2",
            "x/",
            "x?y",
            "x#y",
            "a%2",
            "a%zz",
            "<x>",
            "a\\b",
            "\"x\"",
            "é",
            "x:-1",
            "[]",
            "]",
            " x",
            "a\tb",
            "[::1%eth0]",
        ] {
            assert!(!is_host(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_is_an_authority_of_a_url(host in "[ -~]{0,12}|\\[[0-9a-f:.]{0,8}\\](:[0-9]{0,3})?") {
            if is_host(&host) {
                prop_assert!(!host.contains(['@', '/', '?', '#', ' ', '\\', '"', '<', '>']), "{host}");
            }
        }
    }
}
