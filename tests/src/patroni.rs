//! Three PostgreSQL servers that Patroni looks after, with three members of etcd, on ports of this machine that are free.

use std::{
    fs::{self, File},
    net::TcpListener,
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::{Pid, geteuid},
};
use serde_json::json;
use tempfile::TempDir;
use tenantry_persistence::Migrator;
use uuid::Uuid;

use crate::{
    count, lines,
    own_server::{OwnServer, children},
};

/// How many there are of each.
const MEMBERS: usize = 3;

/// For what must come: a cluster that needs longer has failed.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often it is looked whether something has come.
const LOOK: Duration = Duration::from_millis(200);

/// What Patroni is told. It does not allow a shorter life of the leader's key.
const LIFE_OF_LEADER: u32 = 20;
const ROUND: u32 = 5;
const RETRY: u32 = 5;

/// Servers that confirm each commit on a second one, and choose another primary when it dies. They end with this, and also if the test
/// is killed.
pub struct Patroni {
    // They go in this order.
    etcd: Vec<Child>,
    nodes: Vec<Node>,
    end: Child,
    directory: TempDir,
    /// Where the programs of PostgreSQL are, and whose servers they are.
    programs: PathBuf,
    account: (u32, u32),
    password: String,
}

/// What becomes of the last that a primary does before it is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// Whatever comes.
    Anything,
    /// It reaches nobody: what was promised by then would be lost.
    Unsent,
    /// It reaches the others, and the primary does not hear of it: what was not promised is there.
    Untold,
}

/// For so long before the kill.
const LAST: Duration = Duration::from_millis(700);

struct Node {
    port: u16,
    home: PathBuf,
    patroni: Option<Child>,
}

impl Patroni {
    /// A cluster with an empty, migrated database. `None`, with a line that says so, where the programs are missing.
    pub fn start() -> Option<Self> {
        if let Some(program) = ["patroni", "etcd"].into_iter().find(|program| find(program).is_none()) {
            #[expect(clippy::print_stdout, reason = "who runs the tests must see what was not tested")]
            {
                println!("SKIPPED: there is no {program} on this machine");
            }
            return None;
        }
        let directory = tempfile::Builder::new().prefix("tenantry-patroni-").tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let (programs, account) = OwnServer::unmigrated().place();
        let (end, password) = (guard(directory.path()), Uuid::now_v7().to_string());
        let mut cluster = Self { etcd: Vec::new(), nodes: Vec::new(), end, directory, programs, account, password };
        let keepers = cluster.start_etcd();
        for (at, (port, rest)) in pairs().into_iter().enumerate() {
            let home = cluster.home(&format!("node{at}"));
            let node = Node { port, home, patroni: None };
            fs::write(node.settings(), cluster.settings(at, &node, rest, &keepers).to_string()).unwrap();
            cluster.own(&node.settings());
            fs::set_permissions(node.settings(), fs::Permissions::from_mode(0o600)).unwrap();
            cluster.nodes.push(node);
        }
        for node in 0..MEMBERS {
            cluster.revive(node);
        }
        cluster.until_whole();
        cluster.prepare();
        Some(cluster)
    }

    /// The way to whichever takes writes, for the service's role.
    pub fn service_url(&self) -> String {
        self.url("tenantry_service", "tenantry")
    }

    /// A connection of the superuser to whichever takes writes.
    pub fn admin(&self) -> PgConnection {
        PgConnection::establish(&self.url("postgres", "tenantry")).unwrap()
    }

    /// A connection of the superuser to one of them.
    pub fn admin_of(&self, node: usize) -> PgConnection {
        self.reach(node, "tenantry").expect("it lets the superuser in")
    }

    /// Which one takes writes.
    pub fn primary(&self) -> usize {
        until("a primary", || {
            (0..MEMBERS).find(|node| self.says(*node, "SELECT WHERE NOT pg_is_in_recovery()") == Some(1))
        })
    }

    /// Returns when one takes writes and the others follow it, one of which confirms commits.
    pub fn until_whole(&self) {
        let follow = "SELECT FROM pg_stat_replication WHERE state = 'streaming' AND NOT pg_is_in_recovery()";
        let sync = format!("{follow} AND sync_state = 'sync'");
        until("two that follow", || {
            let followed = |node: &usize| self.says(*node, follow) == Some(MEMBERS as i64 - 1);
            let node = (0..MEMBERS).find(followed)?;
            (self.says(node, &sync) == Some(1)).then_some(())
        });
    }

    /// Kills this one with all its processes, and what looks after it, with SIGKILL, as if its machine had lost power.
    pub fn kill(&mut self, node: usize, last: Last) {
        let held = self.hold(node, last);
        let node = &mut self.nodes[node];
        let server = fs::read_to_string(node.data().join("postmaster.pid")).unwrap();
        let server = Pid::from_raw(server.lines().next().unwrap().parse().unwrap());
        if let Some(mut patroni) = node.patroni.take() {
            let _ = killpg(pid(&patroni), Signal::SIGKILL);
            let _ = patroni.wait();
        }
        // First the one that starts others.
        let rest = children(server);
        for process in std::iter::once(server).chain(rest) {
            let _ = kill(process, Signal::SIGKILL);
        }
        for process in held {
            let _ = kill(process, Signal::SIGCONT);
        }
    }

    /// Stops the processes that send what this one does, or those that receive it, and lets it work on for a moment.
    fn hold(&self, node: usize, last: Last) -> Vec<Pid> {
        let (nodes, query) = match last {
            Last::Anything => return Vec::new(),
            Last::Unsent => (vec![node], "SELECT pid::text AS line FROM pg_stat_replication"),
            Last::Untold => {
                let others = (0..MEMBERS).filter(|other| *other != node).collect();
                (others, "SELECT pid::text AS line FROM pg_stat_wal_receiver")
            }
        };
        let found = nodes.into_iter().flat_map(|node| lines(&mut self.admin_of(node), query));
        let held: Vec<_> = found.map(|pid| Pid::from_raw(pid.parse().unwrap())).collect();
        assert_eq!(held.len(), MEMBERS - 1, "one for each that follows");
        for process in &held {
            kill(*process, Signal::SIGSTOP).unwrap();
        }
        thread::sleep(LAST);
        held
    }

    /// Starts what looks after this one, which starts it.
    pub fn revive(&mut self, node: usize) {
        let mut command = self.program("patroni", &self.nodes[node].home);
        command.arg(self.nodes[node].settings());
        self.nodes[node].patroni = Some(self.spawn(command, &self.nodes[node].home));
    }

    /// What looks after them, and how, for a report.
    pub fn words(&self) -> String {
        format!(
            "three nodes, synchronous mode, strict; ttl {LIFE_OF_LEADER} s, loop_wait {ROUND} s, retry_timeout {RETRY} s"
        )
    }

    fn url(&self, role: &str, database: &str) -> String {
        let hosts: Vec<_> = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        let (hosts, password) = (hosts.join(","), &self.password);
        format!("postgresql://{role}:{password}@{hosts}/{database}?target_session_attrs=read-write")
    }

    fn reach(&self, node: usize, database: &str) -> Option<PgConnection> {
        let (port, password) = (self.nodes[node].port, &self.password);
        let url = format!("postgresql://postgres:{password}@127.0.0.1:{port}/{database}?connect_timeout=2");
        PgConnection::establish(&url).ok()
    }

    /// How many rows this selects on one of them, if it answers.
    fn says(&self, node: usize, query: &str) -> Option<i64> {
        Some(count(&mut self.reach(node, "postgres")?, query))
    }

    fn start_etcd(&mut self) -> String {
        let ports = pairs();
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let all: Vec<_> = ports.iter().enumerate().map(|(at, (_, peer))| format!("etcd{at}={}", url(*peer))).collect();
        for (at, (port, peer)) in ports.into_iter().enumerate() {
            let home = self.home(&format!("etcd{at}"));
            let mut command = self.program("etcd", &home);
            command.args(["--name", &format!("etcd{at}"), "--initial-cluster", &all.join(",")]);
            command.arg("--data-dir").arg(home.join("data"));
            command.args(["--listen-peer-urls", &url(peer), "--initial-advertise-peer-urls", &url(peer)]);
            command.args(["--listen-client-urls", &url(port), "--advertise-client-urls", &url(port)]);
            // All share one disk with everything else.
            command.args(["--heartbeat-interval", "250", "--election-timeout", "2500"]);
            let process = self.spawn(command, &home);
            self.etcd.push(process);
        }
        ports.map(|(port, _)| format!("127.0.0.1:{port}")).join(",")
    }

    fn settings(&self, at: usize, node: &Node, rest: u16, keepers: &str) -> serde_json::Value {
        let login = |name: &str| json!({ "username": name, "password": self.password });
        json!({
            "scope": "tenantry",
            "name": format!("node{at}"),
            "restapi": { "listen": format!("127.0.0.1:{rest}"), "connect_address": format!("127.0.0.1:{rest}") },
            "etcd3": { "hosts": keepers },
            "bootstrap": {
                "dcs": {
                    "ttl": LIFE_OF_LEADER, "loop_wait": ROUND, "retry_timeout": RETRY,
                    "synchronous_mode": true,
                    // Without a second one that confirms it, nothing is acknowledged.
                    "synchronous_mode_strict": true,
                    "postgresql": { "use_pg_rewind": true, "parameters": { "max_connections": 100 } },
                },
                "initdb": [{ "encoding": "UTF8" }, { "locale": "C.UTF-8" }, "data-checksums"],
            },
            "postgresql": {
                "listen": format!("127.0.0.1:{}", node.port),
                "connect_address": format!("127.0.0.1:{}", node.port),
                "data_dir": node.data(),
                "bin_dir": self.programs,
                "pgpass": node.home.join("pgpass"),
                "authentication": { "superuser": login("postgres"), "replication": login("replicator") },
                "pg_hba": [
                    "local all postgres peer",
                    "host replication replicator 127.0.0.1/32 scram-sha-256",
                    "host all all 127.0.0.1/32 scram-sha-256",
                ],
                "parameters": { "unix_socket_directories": node.home },
            },
        })
    }

    /// Roles, and a migrated database. Whoever asks several hosts ends at one that does not know the database: they must all have it.
    fn prepare(&self) {
        let mut admin = self.reach(self.primary(), "postgres").expect("the primary lets the superuser in");
        let password = &self.password;
        for sql in [
            format!("CREATE ROLE tenantry_owner LOGIN PASSWORD '{password}'"),
            format!("CREATE ROLE tenantry_service LOGIN PASSWORD '{password}'"),
            "CREATE DATABASE tenantry OWNER tenantry_owner".to_owned(),
        ] {
            admin.batch_execute(&sql).unwrap();
        }
        until("the database on all", || (0..MEMBERS).all(|node| self.reach(node, "tenantry").is_some()).then_some(()));
        Migrator::connect(&self.url("tenantry_owner", "tenantry")).unwrap().run().unwrap();
    }

    fn home(&self, name: &str) -> PathBuf {
        let home = self.directory.path().join(name);
        fs::create_dir(&home).unwrap();
        self.own(&home);
        fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
        home
    }

    fn own(&self, path: &Path) {
        let (user, group) = self.account;
        chown(path, Some(user), Some(group)).unwrap();
    }

    /// Starts a program, and notes for the guard which process it is.
    fn spawn(&self, mut command: Command, home: &Path) -> Child {
        let process = command.spawn().unwrap();
        fs::write(home.join("pid"), process.id().to_string()).unwrap();
        process
    }

    /// A program that runs as the user of the servers, with what it says in a file. Ctrl-C does not reach it: the guard does.
    fn program(&self, name: &str, home: &Path) -> Command {
        let log = File::options().create(true).append(true).open(home.join("log")).unwrap();
        let mut command = Command::new(find(name).unwrap());
        if geteuid().is_root() {
            command.uid(self.account.0).gid(self.account.1);
        }
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin")
            .env("HOME", home)
            .current_dir(home);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).process_group(0);
        command
    }
}

impl Node {
    fn settings(&self) -> PathBuf {
        self.home.join("patroni.json")
    }

    fn data(&self) -> PathBuf {
        self.home.join("data")
    }
}

impl Drop for Patroni {
    fn drop(&mut self) {
        if thread::panicking() {
            self.print_logs();
        }
        drop(self.end.stdin.take());
        let _ = self.end.wait();
        for mut process in self.etcd.drain(..).chain(self.nodes.iter_mut().filter_map(|node| node.patroni.take())) {
            let _ = process.wait();
        }
    }
}

impl Patroni {
    /// The last that each program has said, which goes with the directory.
    #[expect(clippy::print_stdout, reason = "who runs the tests must see why they failed")]
    fn print_logs(&self) {
        for home in fs::read_dir(self.directory.path()).into_iter().flatten().flatten() {
            let path = home.path().join("log");
            let text = fs::read_to_string(&path).unwrap_or_default();
            let from = text.lines().count().saturating_sub(15);
            println!("{}\n{}", path.display(), text.lines().skip(from).collect::<Vec<_>>().join("\n"));
        }
    }
}

/// A process that outlives the test, in whatever way it ends, and ends everything that was started in this directory, and removes it.
/// First what looks after servers: it would start them again. A number in a file may be another's by now, and so its words are read.
fn guard(directory: &Path) -> Child {
    let script = r#"read _
        lives() {
            pid=$(head -1 "$1" 2>/dev/null) && [ -n "$pid" ] || return 1
            case $(ps -o args= -p "$pid") in *"$DIR"/*) ;; *) return 1 ;; esac
        }
        for file in "$DIR"/node*/pid "$DIR"/etcd*/pid; do lives "$file" && kill -KILL "-$pid"; done
        for file in "$DIR"/node*/data/postmaster.pid; do
            while lives "$file"; do kill -QUIT "$pid"; sleep 0.1; done
        done
        rm -rf "$DIR""#;
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]).env("DIR", directory);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    command.spawn().unwrap()
}

fn pid(process: &Child) -> Pid {
    Pid::from_raw(process.id().try_into().unwrap())
}

fn find(program: &str) -> Option<PathBuf> {
    ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"]
        .into_iter()
        .map(|place| Path::new(place).join(program))
        .find(|path| path.exists())
}

/// Two ports of each member. All are held until all are known, so that none is named twice.
fn pairs() -> [(u16, u16); MEMBERS] {
    let held = [(); MEMBERS].map(|()| [(), ()].map(|()| TcpListener::bind("127.0.0.1:0").unwrap()));
    held.map(|pair| pair.map(|port| port.local_addr().unwrap().port()).into())
}

/// Waits until there is something.
#[track_caller]
fn until<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let from = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(from.elapsed() < PATIENCE, "{what} does not come");
        thread::sleep(LOOK);
    }
}
