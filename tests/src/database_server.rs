//! The database server of a run of the tests: a process of its own, so that it ends in an orderly way however the tests end.

use std::{ffi::OsStr, io::Read, os::unix::fs::PermissionsExt, process::exit, sync::OnceLock};

use diesel::{Connection, PgConnection, QueryResult, connection::SimpleConnection};
use serde_json::{Value, json};
use tenantry_persistence::{
    Migrator,
    embedded::{Cluster, Options, Role},
};

use crate::{Again, Pooler};

/// Set in the environment of the process that is the server.
const ASKED: &str = "TENANTRY_TEST_DATABASE_SERVER";

/// Set by whoever wants the service to reach every database through PgBouncer.
const POOLED: &str = "TENANTRY_TEST_POOLER";

/// Set by whoever runs the tests on servers of their own: what [`serve_database`] says, as JSON. There is a migrated database
/// `template_tenantry` on each node, to which nobody is connected.
const THEIRS: &str = "TENANTRY_TEST_SERVERS";

/// How many transactions of one database run at once behind it: fewer than a replica has connections.
const SESSIONS: usize = 4;

/// A child that lives until its standard input is closed, which the system does when this process ends in whatever way. So no
/// server is left behind.
pub(crate) struct Server {
    urls: Value,
    _process: Option<Again>,
}

static SERVER: OnceLock<Server> = OnceLock::new();

impl Server {
    /// The one server of this process.
    #[expect(clippy::disallowed_methods, reason = "whoever runs the tests says it")]
    pub(crate) fn get() -> &'static Self {
        SERVER.get_or_init(|| {
            if let Ok(urls) = std::env::var(THEIRS) {
                return Self { urls: serde_json::from_str(&urls).unwrap(), _process: None };
            }
            let process = Again::start("database::server", [(ASKED, OsStr::new("yes"))]);
            Self { urls: serde_json::from_str(&process.said).unwrap(), _process: Some(process) }
        })
    }

    /// The address of a database for `service`, `owner` or `admin`.
    pub(crate) fn url(&self, role: &str, database: &str) -> String {
        self.urls[role].as_str().unwrap().replace("DATABASE", database)
    }

    /// Says something as the superuser on each server that has a part of every database: one, unless it is a cluster.
    pub(crate) fn say_everywhere(&self, sql: &str) -> QueryResult<()> {
        let nodes = self.urls["nodes"].as_array().unwrap();
        let urls = nodes.iter().map(|url| url.as_str().unwrap().replace("DATABASE", "postgres"));
        urls.into_iter().try_for_each(|url| PgConnection::establish(&url).unwrap().batch_execute(sql))
    }
}

/// In the child that is to be the server, never returns; everywhere else, does nothing.
#[expect(clippy::disallowed_methods, reason = "how a process speaks to its child")]
pub fn serve_database_if_asked() {
    if std::env::var_os(ASKED).is_some() {
        serve_database(|urls| Again::say(&urls.to_string()));
    }
}

/// Runs a database server with a migrated template, says how to reach it, and ends the process when the standard input is closed
/// or the process is interrupted.
pub fn serve_database(say: impl FnOnce(Value)) -> ! {
    let directory = tempfile::Builder::new().prefix("tenantry-test-").tempdir().unwrap();
    // A server that runs as somebody else must be able to enter.
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let elsewhere = directory.path().join("elsewhere");
    let options = Options { durable: false, elsewhere, ..Options::new(directory.path().join("data")) };
    let cluster = Cluster::open(&options).unwrap_or_else(|error| panic!("{error}"));
    prepare_template(&cluster);
    let pooler = pooler(&cluster);
    say(json!({
        "service": match &pooler {
            Some(pooler) => pooler.service_url_of("DATABASE"),
            None => cluster.url_for(Role::Service, "DATABASE"),
        },
        "owner": cluster.url_for(Role::Owner, "DATABASE"),
        "admin": cluster.url_for(Role::Admin, "DATABASE"),
        "nodes": [cluster.url_for(Role::Admin, "DATABASE")],
    }));
    wait_for_the_end();
    drop(pooler);
    cluster.close().unwrap();
    directory.close().unwrap();
    // Not by returning: a test harness would write its summary to somebody who has gone.
    exit(0)
}

/// What stands in front of all databases, if somebody wants it. Databases are copied only while nobody is connected to the template, so it
/// is another one that is asked for at first.
#[expect(clippy::disallowed_methods, reason = "whoever runs the tests says it")]
fn pooler(cluster: &Cluster) -> Option<Pooler> {
    std::env::var_os(POOLED)?;
    let pooler = Pooler::before(&cluster.url_for(Role::Service, "postgres"), "postgres", SESSIONS);
    Some(pooler.expect("there is no pgbouncer on this machine"))
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
