//! PgBouncer in front of the databases of the tests.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use diesel::{Connection, PgConnection};
use tempfile::TempDir;

use crate::TestDatabase;

/// A PgBouncer of its own, with few server connections for each database, each lent for a transaction. It ends with this.
pub struct Pooler {
    process: Child,
    directory: TempDir,
    database: String,
}

impl Pooler {
    /// In front of this database, with two server connections; `None`, with a line that says so, where there is no PgBouncer.
    pub fn to(database: &TestDatabase) -> Option<Self> {
        let pooler = Self::before(&database.service_url(), database.name(), 2);
        if pooler.is_none() {
            #[expect(clippy::print_stdout, reason = "who runs the tests must see what was not tested")]
            {
                println!("SKIPPED: there is no pgbouncer on this machine");
            }
        }
        pooler
    }

    /// In front of the server of this URL, with so many server connections for each database, and asked for this database at first;
    /// `None` where there is no PgBouncer.
    pub(crate) fn before(url: &str, database: &str, sessions: usize) -> Option<Self> {
        let program = program()?;
        let directory = tempfile::Builder::new().prefix("tenantry-pooler-").tempdir().unwrap();
        let path = directory.path();
        fs::set_permissions(path, Permissions::from_mode(0o777)).unwrap();
        let server = crate::proxy::socket(url);
        let (host, port) = (server.parent().unwrap(), server.extension().unwrap().to_str().unwrap());
        let at = path.display();
        // It does not run as root. The server knows its own user, who then is this one.
        let user = if is_root() { format!("user = {}\n", owner_of(host)) } else { String::new() };
        let settings = format!(
            "[databases]\n* = host={} port={port}\n[pgbouncer]\n{user}listen_addr =\nlisten_port = 6432\n\
             unix_socket_dir = {at}\nauth_type = trust\nauth_file = {at}/users\npool_mode = transaction\n\
             default_pool_size = {sessions}\nmax_client_conn = 1000\nlogfile = {at}/log\n",
            host.display()
        );
        fs::write(path.join("settings"), settings).unwrap();
        fs::write(path.join("users"), "\"tenantry_service\" \"\"\n\"tenantry_owner\" \"\"\n").unwrap();
        let mut command = Command::new(program);
        command.arg("-q").arg(path.join("settings")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().unwrap();
        let mut pooler = Self { process, directory, database: database.to_owned() };
        while PgConnection::establish(&pooler.service_url()).is_err() {
            let ended = pooler.process.try_wait().unwrap();
            assert!(ended.is_none(), "{}", fs::read_to_string(pooler.directory.path().join("log")).unwrap_or_default());
            std::thread::yield_now();
        }
        Some(pooler)
    }

    /// The way through it for the service's role.
    pub fn service_url(&self) -> String {
        self.service_url_of(&self.database)
    }

    /// The way through it to another database of the server for the service's role.
    pub(crate) fn service_url_of(&self, database: &str) -> String {
        self.url("tenantry_service", database)
    }

    /// The way through it for the owner.
    pub fn owner_url(&self) -> String {
        self.url("tenantry_owner", &self.database)
    }

    fn url(&self, role: &str, database: &str) -> String {
        format!("postgres://{role}@/{database}?host={}&port=6432", self.directory.path().display())
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn program() -> Option<PathBuf> {
    let places = ["/usr/sbin", "/usr/bin", "/usr/local/bin", "/usr/local/sbin", "/opt/homebrew/bin"];
    places.iter().map(|place| Path::new(place).join("pgbouncer")).find(|program| program.exists())
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().unwrap().stdout.starts_with(b"0\n")
}

/// The user who runs the server, whose socket this is.
fn owner_of(directory: &Path) -> String {
    let output = Command::new("stat").args(["-c", "%U"]).arg(directory).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
