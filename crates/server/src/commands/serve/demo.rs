//! The demo data that the first start of an embedded database creates, so that there is something to look up.

use std::{
    fs::{self, OpenOptions},
    io::{self, IsTerminal, Write},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use tenantry_auth::seal::MasterKeys;
use tenantry_domain::{Error, demo};
use tenantry_http::PublicUrl;
use tenantry_operations::{Store, demo::create_if_first};

/// What a person needs to know when the service starts with its own database: how to look up something in the demo tenant if it
/// was just created, and else how to get a key.
pub(super) async fn banner(
    (store, keys): (&Store, &MasterKeys),
    address: SocketAddr,
    public: Option<&PublicUrl>,
    data_dir: &Path,
) -> Result<String, Error> {
    let base = public.map_or_else(|| base(address), |public| public.as_str().to_owned());
    Ok(match create_if_first(store, keys).await? {
        // Where nobody looks on, standard output may be the log of a container, which many can read.
        Some(key) if !io::stdout().is_terminal() => {
            let path = write(data_dir, key.reveal()).map_err(|error| {
                Error::internal(format!("cannot write the demo tenant's key to {}: {error}", data_dir.display()))
            })?;
            let (key, save) =
                (format!("in {}", path.display()), "Only you can read the file. Remove it once you have the key.");
            first_banner(&key, save, &format!("$(cat {})", path.display()), &base)
        }
        Some(key) => first_banner(key.reveal(), "Save it now: it is not shown again.", key.reveal(), &base),
        None => later_banner(&base),
    })
}

/// A new file that only its owner can read. One of an earlier demo tenant makes way.
fn write(data_dir: &Path, key: &str) -> io::Result<PathBuf> {
    let path = data_dir.join("demo.key");
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    file.write_all(key.as_bytes()).and_then(|()| file.write_all(b"\n"))?;
    Ok(path)
}

/// What to do next, with a command that can be pasted.
fn first_banner(key: &str, save: &str, in_a_shell: &str, base: &str) -> String {
    let workspace = demo::WORKSPACE;
    format!(
        "
  Tenantry is running with a demo tenant: Acme Industrial Supply.

  Documentation   {base}/docs
                  Enter the key there, and the examples work as they are.
  API key         {key}
                  {save}

  To look up its workspace:

    curl -H \"Authorization: Bearer {in_a_shell}\" {base}/api/workspaces/{workspace}

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
                  {program} key create --tenant NAME --name \"My key\"

  Press Ctrl-C to stop the service and its database. The data stays.
"
    )
}

/// The URL of the service for a browser on this machine, where no other address is set.
fn base(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("http://localhost:{}", address.port())
    } else {
        format!("http://{address}")
    }
}
