//! A database server for tests and for development: prints a line of JSON that says how to reach it, and runs until its
//! standard input is closed or it is interrupted.
#![expect(clippy::unwrap_used, reason = "a test ends when something is not as it must be")]

use std::io::{Read, Write};

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use serde_json::json;
use tenantry_persistence::{
    Migrator,
    embedded::{Cluster, Options, Role},
};

fn main() {
    let directory = tempfile::Builder::new().prefix("tenantry-test-").tempdir().unwrap();
    // A server that runs as somebody else must be able to enter.
    let elsewhere = directory.path().join("elsewhere");
    open_to_all(directory.path());
    let options = Options { durable: false, elsewhere, ..Options::new(directory.path().join("data")) };
    let cluster = Cluster::open(&options).unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "test-database: {error}");
        std::process::exit(1);
    });
    prepare_template(&cluster);
    let urls = json!({
        "service": cluster.url_for(Role::Service, "DATABASE"),
        "owner": cluster.url_for(Role::Owner, "DATABASE"),
        "admin": cluster.url_for(Role::Admin, "DATABASE"),
    });
    std::io::stdout().write_all(format!("{urls}\n").as_bytes()).unwrap();
    std::io::stdout().flush().unwrap();
    wait_for_the_end();
    cluster.close().unwrap();
}

fn open_to_all(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The database that every test's is a copy of.
fn prepare_template(cluster: &Cluster) {
    let mut admin = PgConnection::establish(&cluster.url_for(Role::Admin, "postgres")).unwrap();
    admin.batch_execute("CREATE DATABASE template_tenantry OWNER tenantry_owner").unwrap();
    Migrator::connect(&cluster.url_for(Role::Owner, "template_tenantry")).unwrap().run().unwrap();
}

/// Whoever started this holds the other end of the standard input.
fn wait_for_the_end() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        let _ = ended.send(());
    });
    runtime.block_on(async {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap();
        tokio::select! {
            _ = end => {}
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    });
}
