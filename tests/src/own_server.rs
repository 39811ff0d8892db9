//! A PostgreSQL of one test, which the test may kill, stop and misconfigure.

use std::{
    fs::{self, Permissions},
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;
use tenantry_persistence::{
    Migrator,
    embedded::{Cluster, Options, Role},
};

use crate::proxy::socket;

/// The database of the service on an own server.
const DATABASE: &str = "tenantry";

/// A server whose commits survive its death. It ends with this, and also if the test is killed.
pub struct OwnServer {
    // They go in this order.
    cluster: Cluster,
    _end: Guard,
    directory: TempDir,
}

impl OwnServer {
    /// A new server with an empty, migrated database.
    pub fn start() -> Self {
        let server = Self::unmigrated();
        Migrator::connect(&server.owner_url()).unwrap().run().unwrap();
        server
    }

    /// A new server with an empty database.
    pub fn unmigrated() -> Self {
        let directory = tempfile::Builder::new().prefix("tenantry-test-").tempdir().unwrap();
        // A server that runs as somebody else must be able to enter.
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        let elsewhere = directory.path().join("elsewhere");
        let options = Options { elsewhere, ..Options::new(directory.path().join("data")) };
        let cluster = Cluster::open(&options).unwrap_or_else(|error| panic!("{error}"));
        let end = Guard::of(&cluster.location().join("data"));
        Self { cluster, _end: end, directory }
    }

    /// For the service's role.
    pub fn service_url(&self) -> String {
        self.cluster.url_for(Role::Service, DATABASE)
    }

    /// For the owner of the tables.
    pub fn owner_url(&self) -> String {
        self.cluster.url_for(Role::Owner, DATABASE)
    }

    /// For the superuser, in this database.
    pub fn admin_url(&self, database: &str) -> String {
        self.cluster.url_for(Role::Admin, database)
    }

    /// A connection of the superuser.
    pub fn admin(&self) -> PgConnection {
        PgConnection::establish(&self.admin_url(DATABASE)).unwrap()
    }

    /// Says something as the superuser, in the database that is always there.
    pub fn say(&self, sql: &str) {
        PgConnection::establish(&self.admin_url("postgres")).unwrap().batch_execute(sql).unwrap();
    }

    /// Where its files are.
    pub fn data(&self) -> PathBuf {
        self.cluster.location().join("data")
    }

    /// A directory of the test that the user of the server may enter.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Kills its first process with SIGKILL. The others notice and end.
    pub fn kill(&self) {
        kill(self.postmaster(), Signal::SIGKILL).unwrap();
    }

    /// Starts it again on the same files and the same port. Returns when it let somebody in for the first time.
    pub fn restart(&mut self) -> Instant {
        let url = self.service_url();
        let door = thread::spawn(move || {
            loop {
                if PgConnection::establish(&url).is_ok() {
                    return Instant::now();
                }
                thread::sleep(Duration::from_millis(5));
            }
        });
        self.cluster.revive().unwrap();
        door.join().unwrap()
    }

    /// Stops all its processes where they are.
    pub fn pause(&self) {
        let postmaster = self.postmaster();
        // First the one that starts others.
        kill(postmaster, Signal::SIGSTOP).unwrap();
        for child in children(postmaster) {
            let _ = kill(child, Signal::SIGSTOP);
        }
    }

    /// Lets all its processes go on.
    pub fn resume(&self) {
        let postmaster = self.postmaster();
        for process in children(postmaster).into_iter().chain([postmaster]) {
            let _ = kill(process, Signal::SIGCONT);
        }
    }

    /// A program of this PostgreSQL, to be run as the user of the server.
    pub fn program(&self, name: &str) -> Command {
        self.as_its_user(self.place().0.join(name))
    }

    /// A script that finds the programs of this PostgreSQL and the server itself, to be run as the user of the server.
    pub fn script(&self, path: &Path) -> Command {
        let mut command = self.as_its_user(PathBuf::from("/bin/bash"));
        let socket = socket(&self.service_url());
        command.arg(path).env("PATH", format!("{}:/usr/bin:/bin", self.place().0.display()));
        command.env("PGHOST", socket.parent().unwrap());
        command
    }

    fn as_its_user(&self, program: PathBuf) -> Command {
        let (_, (user, group)) = self.place();
        let mut command = Command::new(program);
        if nix::unistd::geteuid().is_root() {
            command.uid(user).gid(group);
        }
        command.env_clear().current_dir("/").stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// The directory of the programs of this PostgreSQL, and the user and the group whose server it is.
    pub(crate) fn place(&self) -> (PathBuf, (u32, u32)) {
        let options = fs::read_to_string(self.data().join("postmaster.opts")).unwrap();
        let server = Path::new(options.split_whitespace().next().unwrap());
        let owner = fs::metadata(self.data()).unwrap();
        (server.parent().unwrap().to_owned(), (owner.uid(), owner.gid()))
    }

    /// Writes the rules of who may connect how, which hold until it is started again.
    pub fn let_in(&self, rules: &str) {
        fs::write(self.cluster.location().join("pg_hba.conf"), rules).unwrap();
        self.say("SELECT pg_reload_conf()");
    }

    fn postmaster(&self) -> Pid {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        Pid::from_raw(text.lines().next().unwrap().parse().unwrap())
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        // A server that stands still does not end.
        if self.data().join("postmaster.pid").exists() {
            self.resume();
        }
    }
}

/// The processes that this one has started.
pub(crate) fn children(of: Pid) -> Vec<Pid> {
    let found = Command::new("ps").args(["-o", "pid=", "--ppid", &of.to_string()]).output().unwrap();
    let text = String::from_utf8(found.stdout).unwrap();
    text.split_whitespace().map(|pid| Pid::from_raw(pid.parse().unwrap())).collect()
}

/// A process that outlives the test, in whatever way the test ends, and ends the server that is left in this directory,
/// and its files.
pub(crate) struct Guard(Child);

impl Guard {
    pub(crate) fn of(data: &Path) -> Self {
        let script = r#"read _; [ -f "$1/postmaster.pid" ] || exit
            pid=$(head -1 "$1/postmaster.pid")
            case $(ps -o comm= -p "$pid") in postgres*) ;; *) exit ;; esac
            kill -CONT $(ps -o pid= --ppid "$pid") "$pid"; kill -QUIT "$pid"
            while kill -0 "$pid"; do sleep 0.1; done; rm -rf "$1""#;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script, "sh"]).arg(data);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        Self(command.spawn().unwrap())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
