//! A database that is there and refuses: 503 and never 500, a line of the log that says why, and everything is well again without
//! a restart of the service.

use std::{
    fs::File,
    io::Write,
    net::Ipv4Addr,
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use diesel::{Connection, PgConnection};
use nix::sys::signal::Signal;
use tenantry_tests::{OwnServer, Proxy, Standby, count};
use tokio::time::sleep;

use crate::{
    kit::Tenantry,
    load::{Load, Mix, Seen, check},
    outage::{Outage, Stand},
};

const PASSWORD: &str = "correct-horse-battery-staple";

/// No answer takes longer while the database refuses.
const ANSWER: Duration = Duration::from_secs(3);
/// After the database is well again.
const FIRST_GOOD: Duration = Duration::from_secs(5);

/// A service whose role has a password.
fn stand() -> Stand {
    let server = OwnServer::start();
    server.say(&format!("ALTER ROLE tenantry_service PASSWORD '{PASSWORD}'"));
    server.let_in("local tenantry tenantry_service scram-sha-256\nlocal all all peer map=tenantry\n");
    let tenantry = Tenantry::at(&format!("{}&password={PASSWORD}", server.service_url()));
    Stand { replicas: vec![tenantry.serve()], tenantry, server }
}

const END_ALL: &str = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'tenantry_service'";

/// Ends all sessions of the service, and returns when they are gone.
fn hang_up(server: &OwnServer) {
    server.say(END_ALL);
}

/// What clients see of a fault that lasts 3 s from when it is first noticed, and what the log says.
async fn fault(
    name: &str,
    mut stand: Stand,
    breaks: impl FnOnce(&OwnServer),
    heals: impl FnOnce(&OwnServer),
    says: &str,
) {
    let load = stand.load(Mix::default()).await;
    let broke = Instant::now();
    breaks(&stand.server);
    load.until_refused().await;
    sleep(Duration::from_secs(3)).await;
    heals(&stand.server);
    let (outage, _) = healed(name, load, &stand, broke).await;
    assert!(outage.longest <= ANSWER && outage.first_good <= FIRST_GOOD);
    let line = stand.replicas[0].until_logged(says);
    println!("  {line}");
    let service = stand.replicas.remove(0);
    service.signal(Signal::SIGTERM);
    let (_, log) = service.wait();
    assert!(!log.contains(PASSWORD), "the log has the password");
}

/// Waits until all is well, and looks at everything that was answered.
async fn healed(name: &str, load: Load, stand: &Stand, broke: Instant) -> (Outage, Vec<Seen>) {
    let repaired = Instant::now();
    load.until_good(1, 20).await;
    sleep(Duration::from_secs(3)).await;
    let seen = load.end().await;
    let outage = Outage::of(&seen, 1, broke, repaired, Instant::now());
    Outage::head("fault");
    outage.print(name);
    check(&seen, &mut stand.server.admin());
    assert_eq!(outage.unanswered, 0);
    (outage, seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_are_ended_one_a_second_cost_a_request_each_at_most() {
    let stand = stand();
    let load = stand.load(Mix::default()).await;
    let broke = Instant::now();
    let mut admin = stand.server.admin();
    // One that is at work; the others are replaced, and nobody notices.
    let one = "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity
               WHERE usename = 'tenantry_service' AND state <> 'idle' LIMIT 1) AS one";
    for _ in 0..20 {
        while count(&mut admin, one) == 0 {}
        sleep(Duration::from_secs(1)).await;
    }
    let (outage, _) = healed("sessions ended at work, 20 in 20 s", load, &stand, broke).await;
    assert!(outage.refused <= 20, "none but those at work");
    assert!(outage.longest <= ANSWER && outage.first_good <= FIRST_GOOD);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_connections_others_hold_is_unavailable_until_they_let_go() {
    let mut others = Vec::new();
    let holds = &mut others;
    let take_all = |server: &OwnServer| {
        let (mut admin, ours) = (server.admin(), "SELECT FROM pg_stat_activity WHERE usename = 'tenantry_service'");
        while count(&mut admin, ours) > 0 {
            // Over this connection, because one more would leave room when it ends.
            count(&mut admin, END_ALL);
            while let Ok(connection) = PgConnection::establish(&server.owner_url()) {
                holds.push(connection);
            }
        }
        holds.push(admin);
    };
    let let_go = |server: &OwnServer| {
        server.say("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'tenantry_owner'");
    };
    fault("others hold all connections", stand(), take_all, let_go, "connection slots").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_was_changed_is_named_in_the_log_and_never_written() {
    let changed = |server: &OwnServer| {
        server.say("ALTER ROLE tenantry_service PASSWORD 'something-else'");
        hang_up(server);
    };
    let back = |server: &OwnServer| server.say(&format!("ALTER ROLE tenantry_service PASSWORD '{PASSWORD}'"));
    fault("password changed", stand(), changed, back, "password authentication failed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_renamed_is_unavailable_until_it_has_its_name_again() {
    let away = |server: &OwnServer| {
        server.say("ALTER DATABASE tenantry ALLOW_CONNECTIONS false");
        hang_up(server);
        server.say("ALTER DATABASE tenantry RENAME TO away");
    };
    let back = |server: &OwnServer| {
        server.say("ALTER DATABASE away RENAME TO tenantry");
        server.say("ALTER DATABASE tenantry ALLOW_CONNECTIONS true");
    };
    fault("database renamed", stand(), away, back, "does not exist").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_database_answers_reads_and_takes_writes_when_it_can() {
    let read_only = |server: &OwnServer| {
        server.say("ALTER DATABASE tenantry SET default_transaction_read_only = on");
        hang_up(server);
    };
    let back = |server: &OwnServer| server.say("ALTER DATABASE tenantry RESET default_transaction_read_only");
    fault("read-only", stand(), read_only, back, "read-only").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_takes_over_has_every_write_that_was_acknowledged() {
    let server = OwnServer::start();
    let standby = Standby::of(&server);
    let tenantry = Tenantry::at(&standby.url_of_either(&server));
    let stand = Stand { replicas: vec![tenantry.serve(), tenantry.serve()], tenantry, server };
    let load = stand.load(Mix::default()).await;
    let broke = Instant::now();
    stand.server.kill();
    sleep(Duration::from_secs(2)).await;
    let repaired = standby.promote();
    load.until_good(2, 50).await;
    sleep(Duration::from_secs(3)).await;
    let seen = load.end().await;
    let outage = Outage::of(&seen, 2, broke, repaired, Instant::now());
    Outage::head("fault");
    outage.print("killed, and its standby takes over");
    let (acknowledged, unacknowledged) = check(&seen, &mut standby.admin());
    println!("{acknowledged} writes acknowledged and there, {unacknowledged} there that were not");
    assert_eq!(outage.unanswered, 0);
    assert!(outage.longest <= ANSWER && outage.first_good <= FIRST_GOOD);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_network_makes_answers_slow_and_none_wrong() {
    let server = OwnServer::start();
    let proxy = Proxy::before(&server.service_url(), "tenantry", Ipv4Addr::LOCALHOST);
    let tenantry = Tenantry::at(proxy.service_url());
    let stand = Stand { replicas: vec![tenantry.serve()], tenantry, server };
    let load = stand.load(Mix::default()).await;
    let broke = Instant::now();
    proxy.delay(Duration::from_millis(250));
    sleep(Duration::from_secs(20)).await;
    proxy.delay(Duration::ZERO);
    let (outage, seen) = healed("250 ms each way for 20 s", load, &stand, broke).await;
    let slow = seen.iter().filter(|one| one.began > broke && one.is_good() && one.took() > Duration::from_millis(500));
    assert!(slow.count() > 0, "some are answered all the same");
    assert!(outage.first_good <= FIRST_GOOD);
}

/// A small file system, which goes with this.
struct Small(PathBuf);

impl Small {
    /// At this new directory; `None`, with a line that says so, for whoever may not mount.
    fn at(path: PathBuf) -> Option<Self> {
        std::fs::create_dir(&path).unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=48m", "tmpfs"]).arg(&path).output().unwrap();
        if mounted.status.success() {
            return Some(Self(path));
        }
        println!("SKIPPED: a full disk needs a small file system: {}", String::from_utf8_lossy(&mounted.stderr).trim());
        None
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// Writes until there is no room left.
fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    while file.write_all(&[0; 8 * 1024]).is_ok() {}
    while file.write_all(&[0]).is_ok() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_writes_until_there_is_room() {
    let stand = stand();
    let Some(small) = Small::at(stand.server.directory().join("small")) else { return };
    let space = small.0.join("space");
    std::fs::create_dir(&space).unwrap();
    let owner = std::fs::metadata(stand.server.data()).unwrap();
    chown(&space, Some(owner.uid()), Some(owner.gid())).unwrap();
    stand.server.say(&format!("CREATE TABLESPACE small LOCATION '{}'", space.display()));
    stand.server.say("ALTER DATABASE tenantry ALLOW_CONNECTIONS false");
    hang_up(&stand.server);
    stand.server.say("ALTER DATABASE tenantry SET TABLESPACE small");
    stand.server.say("ALTER DATABASE tenantry ALLOW_CONNECTIONS true");
    while stand.replicas[0].client().get("/readyz").await.status != 200 {}
    let ballast = small.0.join("ballast");
    fault("disk full", stand, |_| fill(&ballast), |_| std::fs::remove_file(&ballast).unwrap(), "No space left").await;
}
