//! A second PostgreSQL that follows a first one, and can take its place.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::PathBuf,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    count, lines,
    own_server::{Guard, OwnServer},
    proxy::socket,
};

/// A standby of an [`OwnServer`], which confirms each commit before the service hears of it. It ends with this.
pub struct Standby {
    process: Child,
    directory: PathBuf,
    _end: Guard,
}

impl Standby {
    /// A copy of this server, which from now on waits for it at each commit.
    pub fn of(primary: &OwnServer) -> Self {
        primary.let_in("local replication all peer map=tenantry\nlocal all all peer map=tenantry\n");
        let directory = primary.directory().join("standby");
        fs::create_dir(&directory).unwrap();
        fs::set_permissions(&directory, Permissions::from_mode(0o700)).unwrap();
        let owner = fs::metadata(primary.data()).unwrap();
        chown(&directory, Some(owner.uid()), Some(owner.gid())).unwrap();
        let from = socket(&primary.service_url());
        let mut copy = primary.program("pg_basebackup");
        copy.args(["--username=postgres", "--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast"]);
        let copied = copy.arg("--host").arg(from.parent().unwrap()).arg("--pgdata").arg(&directory).output().unwrap();
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
        let mut server = primary.program("postgres");
        server.arg("-D").arg(&directory).stderr(Stdio::null());
        for (name, value) in [
            ("unix_socket_directories", directory.clone()),
            ("listen_addresses", PathBuf::new()),
            ("hba_file", primary.data().with_file_name("pg_hba.conf")),
            ("ident_file", primary.data().with_file_name("pg_ident.conf")),
        ] {
            server.arg("-c").arg(format!("{name}={}", value.display()));
        }
        let standby = Self { process: server.spawn().unwrap(), _end: Guard::of(&directory), directory };
        primary.say("ALTER SYSTEM SET synchronous_standby_names = '*'");
        primary.say("SELECT pg_reload_conf()");
        let mut admin = primary.admin();
        while count(&mut admin, "SELECT FROM pg_stat_replication WHERE sync_state = 'sync'") == 0 {
            thread::sleep(Duration::from_millis(20));
        }
        standby
    }

    /// The way to whichever of the two takes writes, for the service's role.
    pub fn url_of_either(&self, primary: &OwnServer) -> String {
        let first = socket(&primary.service_url());
        format!(
            "postgresql:///tenantry?host={},{}&user=tenantry_service&target_session_attrs=read-write",
            first.parent().unwrap().display(),
            self.directory.display()
        )
    }

    /// For the service's role.
    pub fn service_url(&self) -> String {
        format!("postgresql:///tenantry?host={}&user=tenantry_service", self.directory.display())
    }

    /// Returns when it has all that the first has committed.
    pub fn catches_up(&self, primary: &OwnServer) {
        let position = lines(&mut primary.admin(), "SELECT pg_current_wal_lsn()::text AS line").remove(0);
        let caught_up = format!("SELECT WHERE pg_last_wal_replay_lsn() >= '{position}'");
        while count(&mut self.admin(), &caught_up) == 0 {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Follows no further, until [`Standby::goes_on`].
    pub fn stops(&self) {
        self.admin().batch_execute("SELECT pg_wal_replay_pause()").unwrap();
        while count(&mut self.admin(), "SELECT WHERE pg_get_wal_replay_pause_state() = 'paused'") == 0 {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Follows again.
    pub fn goes_on(&self) {
        self.admin().batch_execute("SELECT pg_wal_replay_resume()").unwrap();
    }

    /// Ends it without a warning.
    pub fn kill(&self) {
        kill(Pid::from_raw(self.process.id().try_into().unwrap()), Signal::SIGQUIT).unwrap();
    }

    /// A connection of the superuser.
    pub fn admin(&self) -> PgConnection {
        let url = format!("postgresql:///tenantry?host={}&user=postgres", self.directory.display());
        PgConnection::establish(&url).unwrap()
    }

    /// Takes the place of the first, and returns when it takes writes.
    pub fn promote(&self) -> Instant {
        let mut admin = self.admin();
        admin.batch_execute("SELECT pg_promote()").unwrap();
        while count(&mut admin, "SELECT WHERE NOT pg_is_in_recovery()") == 0 {
            thread::sleep(Duration::from_millis(5));
        }
        // Nobody follows it.
        admin.batch_execute("ALTER SYSTEM RESET synchronous_standby_names").unwrap();
        admin.batch_execute("SELECT pg_reload_conf()").unwrap();
        Instant::now()
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.process.id().try_into().unwrap()), Signal::SIGQUIT);
        let _ = self.process.wait();
    }
}
