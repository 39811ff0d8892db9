//! What processes use of the machine. On Linux only; elsewhere it is not known.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Duration,
};

use nix::{
    sys::resource::{UsageWho, getrusage},
    unistd::{SysconfVar, sysconf},
};
use tenantry_tests::{TestDatabase, lines};

/// How much the service, which is this process, and its PostgreSQL have used so far of the processors.
#[derive(Clone, Copy)]
pub(crate) struct Used {
    service: Duration,
    postgres: Option<Duration>,
}

impl Used {
    pub(crate) fn now(database: &TestDatabase) -> Self {
        // All databases of this process are on one server.
        static POSTGRES: OnceLock<Option<Postgres>> = OnceLock::new();
        let postgres = POSTGRES.get_or_init(|| Postgres::of(&directory(database)));
        let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
        let time =
            |time: nix::sys::time::TimeVal| Duration::from_micros((time.tv_sec() * 1_000_000 + time.tv_usec()) as u64);
        let service = time(usage.user_time()) + time(usage.system_time());
        Self { service, postgres: postgres.as_ref().and_then(Postgres::used) }
    }

    /// What has been used since for each of so many requests by the service and by PostgreSQL, in microseconds.
    pub(crate) fn each(self, database: &TestDatabase, requests: usize) -> [Option<f64>; 2] {
        let now = Self::now(database);
        let each = |time: Duration| time.as_secs_f64() * 1e6 / requests.max(1) as f64;
        let postgres = now.postgres.zip(self.postgres).map(|(now, before)| each(now.saturating_sub(before)));
        [Some(each(now.service - self.service)), postgres]
    }
}

/// The data directory of the server of this database.
pub(crate) fn directory(database: &TestDatabase) -> PathBuf {
    lines(&mut database.admin(), "SELECT current_setting('data_directory') AS line").remove(0).into()
}

/// A server.
pub(crate) struct Postgres {
    /// Its first process, whose children are all the others.
    first: String,
}

impl Postgres {
    /// The server of this data directory.
    pub(crate) fn of(directory: &Path) -> Option<Self> {
        let file = fs::read_to_string(directory.join("postmaster.pid")).ok()?;
        Some(Self { first: file.lines().next()?.to_owned() })
    }

    /// What it has used so far of the processors: its processes that run, and those that have ended.
    pub(crate) fn used(&self) -> Option<Duration> {
        // After the name, which is in parentheses: the state, the parent, and from the eleventh on user time and system time, and
        // the same of children that have ended.
        let stat = |path: &Path| {
            let stat = fs::read_to_string(path.join("stat")).ok()?;
            let (_, fields) = stat.rsplit_once(") ")?;
            Some(fields.split(' ').map(str::to_owned).collect::<Vec<_>>())
        };
        let of_child = |path: PathBuf| (*stat(&path)?.get(1)? == self.first).then(|| on_processors(&path))?;
        let running = fs::read_dir("/proc").ok()?.flatten().filter_map(|process| of_child(process.path()));
        let first = stat(&Path::new("/proc").join(&self.first))?;
        let ticks: u64 = first.get(11..15)?.iter().filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        let a_second = sysconf(SysconfVar::CLK_TCK).ok()?? as f64;
        Some(running.sum::<Duration>() + Duration::from_secs_f64(ticks as f64 / a_second))
    }
}

/// How long a thread has been on a processor; of a process, its first thread.
fn on_processors(path: &Path) -> Option<Duration> {
    let used = fs::read_to_string(path.join("schedstat")).ok()?;
    Some(Duration::from_nanos(used.split(' ').next()?.parse().ok()?))
}

/// What a process has used so far.
pub(crate) struct Process {
    /// Of the processors.
    pub(crate) time: Duration,
    /// How often one of its threads waited for something, and was woken up.
    pub(crate) waits: u64,
    /// Of the memory, in KiB.
    pub(crate) resident: u64,
}

impl Process {
    pub(crate) fn now(pid: u32) -> Option<Self> {
        let tasks: Vec<_> = fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten().map(|task| task.path()).collect();
        let time = tasks.iter().filter_map(|task| on_processors(task)).sum();
        let waits = tasks.iter().filter_map(|task| status(task, "voluntary_ctxt_switches")).sum();
        Some(Self { time, waits, resident: status(Path::new(&format!("/proc/{pid}")), "VmRSS")? })
    }
}

/// A number in the `status` of a process or a thread.
fn status(path: &Path, name: &str) -> Option<u64> {
    let status = fs::read_to_string(path.join("status")).ok()?;
    let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    value.split_whitespace().next()?.parse().ok()
}
