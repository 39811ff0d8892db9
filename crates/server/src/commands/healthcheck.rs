//! `tenantry healthcheck`.

use std::{
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::json;

use crate::{exit::Exit, output::Output, settings::Settings};

const TIME: Duration = Duration::from_secs(5);

/// Asks the service at the address in the settings; at that for operators, if there is one, because its answers do not wait for others.
pub(crate) fn run(settings: &Settings, output: &Output) -> Result<(), Exit> {
    let address = reachable(settings.admin_bind.unwrap_or(settings.bind));
    let status = ask(address).map_err(|error| Exit::failed(format!("no service answers at {address}: {error}")))?;
    match status.as_str() {
        "200" => output.print(&json!({ "ready": true }), || "ready".to_owned()),
        status => {
            Err(Exit::failed(format!("the service at {address} is not ready (status {status}); its log says why")))
        }
    }
}

/// If the service listens on all addresses, asks it on the loopback address.
fn reachable(bind: SocketAddr) -> SocketAddr {
    match bind.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, bind.port()).into(),
        IpAddr::V6(ip) if ip.is_unspecified() => (Ipv6Addr::LOCALHOST, bind.port()).into(),
        _ => bind,
    }
}

fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIME)?;
    stream.set_read_timeout(Some(TIME))?;
    stream.set_write_timeout(Some(TIME))?;
    write!(stream, "GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut head = [0; 12];
    stream.read_exact(&mut head)?;
    Ok(String::from_utf8_lossy(head.get(9..).unwrap_or_default()).into_owned())
}
