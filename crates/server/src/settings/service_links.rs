//! Variables that nobody has set: Kubernetes adds some to every container for each service of its namespace (`enableServiceLinks`), and
//! those of a service called `tenantry`, or `tenantry-smtp`, begin like our settings.
//!
//! They are known by their names *and* their values, so that a misspelt setting is still refused.

use std::net::{IpAddr, SocketAddr};

/// Whether a variable, in lower case, is one of these. For the service `tenantry` with the port 8080:
///
/// ```text
/// tenantry_service_host=10.96.0.7         tenantry_port_8080_tcp=tcp://10.96.0.7:8080
/// tenantry_service_port=8080              tenantry_port_8080_tcp_proto=tcp
/// tenantry_service_port_http=8080         tenantry_port_8080_tcp_port=8080
/// tenantry_port=tcp://10.96.0.7:8080      tenantry_port_8080_tcp_addr=10.96.0.7
/// ```
pub(super) fn is_one(variable: &str, value: &str) -> bool {
    let is_port = |text: &str| text.parse::<u16>().is_ok();
    let is_address = |text: &str| text.parse::<IpAddr>().is_ok();
    if variable.ends_with("_service_host") {
        return is_address(value);
    }
    if variable.ends_with("_service_port") || variable.contains("_service_port_") {
        return is_port(value);
    }
    if variable.ends_with("_port") && is_endpoint(value) {
        return true;
    }
    let Some((_, port)) =
        variable.rsplit_once("_port_").filter(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()))
    else {
        // The last part of `…_port_8080_tcp_port` is also called port.
        return numbered(variable.strip_suffix("_port").unwrap_or_default()) && is_port(value);
    };
    match port.split('_').collect::<Vec<_>>()[..] {
        [number, protocol] => is_port(number) && is_protocol(protocol) && is_endpoint(value),
        [number, protocol, part] => {
            is_port(number)
                && is_protocol(protocol)
                && match part {
                    "proto" => is_protocol(value),
                    "port" => is_port(value),
                    "addr" => is_address(value),
                    _ => false,
                }
        }
        _ => false,
    }
}

/// Whether this is `…_port_8080_tcp`.
fn numbered(variable: &str) -> bool {
    let last = variable.rsplit_once("_port_").and_then(|(_, rest)| rest.split_once('_'));
    last.is_some_and(|(number, protocol)| number.parse::<u16>().is_ok() && is_protocol(protocol))
}

fn is_protocol(text: &str) -> bool {
    ["tcp", "udp", "sctp"].contains(&text)
}

/// `tcp://10.96.0.7:8080`.
fn is_endpoint(value: &str) -> bool {
    let parts = value.split_once("://");
    parts.is_some_and(|(protocol, address)| is_protocol(protocol) && is_socket_address(address))
}

/// Older versions of Kubernetes write an IPv6 address without brackets.
fn is_socket_address(text: &str) -> bool {
    let bare =
        || text.rsplit_once(':').is_some_and(|(ip, port)| ip.parse::<IpAddr>().is_ok() && port.parse::<u16>().is_ok());
    text.parse::<SocketAddr>().is_ok() || bare()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kubernetes_adds_is_known_by_name_and_value() {
        for (variable, value) in [
            ("tenantry_port", "tcp://10.96.0.7:8080"),
            ("tenantry_port", "udp://[fd00::7]:53"),
            ("tenantry_port", "tcp://fd00::7:53"),
            ("tenantry_service_host", "10.96.0.7"),
            ("tenantry_service_host", "fd00::7"),
            ("tenantry_service_port", "8080"),
            ("tenantry_service_port_http", "8080"),
            ("tenantry_service_port_metrics_admin", "9090"),
            ("tenantry_port_8080_tcp", "tcp://10.96.0.7:8080"),
            ("tenantry_port_8080_tcp_proto", "tcp"),
            ("tenantry_port_8080_tcp_port", "8080"),
            ("tenantry_port_8080_tcp_addr", "10.96.0.7"),
            ("tenantry_port_53_udp", "udp://10.96.0.7:53"),
            ("tenantry_port_53_udp_port", "53"),
            ("tenantry_port_9_sctp_addr", "fd00::7"),
            // Of other services: tenantry-smtp, tenantry-port.
            ("tenantry_smtp_port", "tcp://10.96.0.8:25"),
            ("tenantry_smtp_service_host", "10.96.0.8"),
            ("tenantry_smtp_port_25_tcp_port", "25"),
            ("tenantry_port_port", "tcp://10.96.0.9:1"),
            ("tenantry_port_port_1_tcp_addr", "10.96.0.9"),
        ] {
            assert!(is_one(variable, value), "{variable}={value}");
        }
    }

    #[test]
    fn a_setting_or_a_misspelt_one_is_none_of_them() {
        for (variable, value) in [
            ("tenantry_port", "8080"),
            ("tenantry_port", "tcp://db"),
            ("tenantry_port", "http://10.96.0.7:8080"),
            ("tenantry_bind_port", "8080"),
            ("tenantry_smtp_port", "25"),
            ("tenantry_smtp_port_", "25"),
            ("tenantry_service_host", "db.example.com"),
            ("tenantry_service_port", "http"),
            ("tenantry_service_hots", "10.96.0.7"),
            ("tenantry_host", "10.96.0.7"),
            ("tenantry_port_8080", "tcp://10.96.0.7:8080"),
            ("tenantry_port_8080_tcp", "8080"),
            ("tenantry_port_8080_http", "tcp://10.96.0.7:8080"),
            ("tenantry_port_8080_tcp_name", "x"),
            ("tenantry_port_99999_tcp_port", "1"),
            ("tenantry_database_url", "tcp://10.96.0.7:8080"),
        ] {
            assert!(!is_one(variable, value), "{variable}={value}");
        }
    }
}
