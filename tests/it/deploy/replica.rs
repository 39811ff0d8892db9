//! The scripts by which the replica of the Compose file is made, on a PostgreSQL of the test.

use std::{
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::PathBuf,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use tenantry_tests::{OwnServer, count, lines};

use super::path;

/// A copy of a script of `docker/` that the user of the server can read.
fn copy(server: &OwnServer, script: &str) -> PathBuf {
    let copy = server.directory().join(script);
    fs::copy(path(&format!("docker/{script}")), &copy).unwrap();
    copy
}

/// A replica that a script has become. It ends with this.
struct Replica(Child);

impl Drop for Replica {
    fn drop(&mut self) {
        let _ = nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(self.0.id().try_into().unwrap()),
            nix::sys::signal::Signal::SIGQUIT,
        );
        let _ = self.0.wait();
    }
}

#[test]
fn the_replica_of_the_compose_file_follows_and_needs_no_more_than_its_role() {
    let server = OwnServer::start();
    let create = copy(&server, "create-replication.sh");
    // A second run is what an operator does on an older volume.
    for _ in 0..2 {
        let ran = server.script(&create).env("TENANTRY_REPLICATION_PASSWORD", "canary").output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }
    let mut admin = server.admin();
    let role = "SELECT concat_ws(' ', rolcanlogin, rolreplication, rolsuper, rolbypassrls, rolcreaterole) AS line
                FROM pg_roles WHERE rolname = 'tenantry_replication'";
    assert_eq!(lines(&mut admin, role), ["t t f f f"]);
    let rules = lines(&mut admin, "SELECT current_setting('hba_file') AS line").remove(0);
    let rule = "host replication tenantry_replication all scram-sha-256";
    assert_eq!(fs::read_to_string(&rules).unwrap().lines().filter(|line| *line == rule).count(), 1);
    // Here the servers talk over sockets, and not over the network of the containers.
    server.let_in("local replication tenantry_replication trust\nlocal all all peer map=tenantry\n");
    let data = server.directory().join("replica");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("half-a-copy"), "").unwrap();
    let owner = fs::metadata(server.data()).unwrap();
    for place in [&data, &data.join("half-a-copy")] {
        chown(place, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    let start = copy(&server, "start-replica.sh");
    let host = server.script(&start).get_envs().find(|(name, _)| *name == "PGHOST").unwrap().1.unwrap().to_owned();
    let begin = || {
        let mut command = server.script(&start);
        command.env("PGDATA", &data).env("DATABASE_HOST", &host).stderr(Stdio::null());
        for (name, value) in [
            ("unix_socket_directories", data.display().to_string()),
            ("listen_addresses", String::new()),
            ("hba_file", rules.clone()),
            ("ident_file", rules.replace("pg_hba", "pg_ident")),
        ] {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        Replica(command.spawn().unwrap())
    };
    let url = format!("postgresql:///tenantry?host={}&user=postgres", data.display());
    let until = |query: &str| {
        let deadline = Instant::now() + Duration::from_secs(120);
        let is_so = || PgConnection::establish(&url).is_ok_and(|mut replica| count(&mut replica, query) > 0);
        while !is_so() {
            assert!(Instant::now() < deadline, "{query}");
            thread::sleep(Duration::from_millis(50));
        }
    };
    // The second time, it goes on with what it has.
    for table in ["first", "second"] {
        let _replica = begin();
        admin.batch_execute(&format!("CREATE TABLE {table} ()")).unwrap();
        until(&format!("SELECT WHERE to_regclass('{table}') IS NOT NULL AND pg_is_in_recovery()"));
        assert!(!data.join("half-a-copy").exists());
        until("SELECT WHERE current_setting('hot_standby_feedback') = 'on'");
    }
}
