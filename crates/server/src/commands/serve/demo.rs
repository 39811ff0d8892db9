//! The demo data that the first start of an embedded database creates, so that there is something to look up.

use std::net::SocketAddr;

use tenantry_domain::{Error, demo};
use tenantry_operations::{Store, demo::create_if_first};

/// What a person needs to know when the service starts with its own database: how to look up something in the demo tenant if it
/// was just created, and else how to get a key.
pub(super) async fn banner(store: &Store, address: SocketAddr) -> Result<String, Error> {
    let base = base(address);
    Ok(match create_if_first(store).await? {
        Some(key) => first_banner(key.reveal(), &base),
        None => later_banner(&base),
    })
}

/// What to do next, with a command that can be pasted.
fn first_banner(key: &str, base: &str) -> String {
    let workspace = demo::WORKSPACE;
    format!(
        "
  Tenantry is running with a demo tenant: Acme Industrial Supply.

  Documentation   {base}/docs
                  Every example works there as it is: enter the key and send.
  API key         {key}
                  Save it now: it is not shown again.

  To look up its workspace:

    curl -H \"Authorization: Bearer {key}\" {base}/api/workspaces/{workspace}

  Press Ctrl-C to stop the service and its database. The data stays.
"
    )
}

/// The banner of every start after the first one.
fn later_banner(base: &str) -> String {
    let program = std::env::args().next().unwrap_or_else(|| "tenantry".to_owned());
    format!(
        "
  Tenantry is running with your existing data.

  Documentation   {base}/docs
  New API key     {program} tenant list
                  {program} key create --tenant ID --name \"My key\"

  Press Ctrl-C to stop the service and its database. The data stays.
"
    )
}

/// The URL of the service for a browser on this machine.
fn base(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("http://localhost:{}", address.port())
    } else {
        format!("http://{address}")
    }
}
