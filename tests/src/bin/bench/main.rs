//! Measures the service on this machine, next to what it could at best be: the same web server with nothing behind it, and the same
//! statements sent by PostgreSQL's own program. Ratios travel from machine to machine; seconds do not.
//!
//! `make bench` runs the parts `table`, `growth` and `idle`. `make bench ARGS='overload neighbours'` runs the named ones: also `bodies`,
//! `storm`, `timing`, `tokens` and `usage`, and `all`. `--large` adds the data set of five million workspaces, `--quick` shows in a minute
//! that everything works, and `--rows=lane` leaves all rows out of `table` but the bare answer and those with `lane` in their names. What
//! is printed is written to `target/bench/report.md`, next to the plots.
//!
//! Clients, service and PostgreSQL share the machine. So what is said of times is said of a machine that has this to do, too.
#![expect(clippy::unwrap_used, reason = "a measurement ends when something is not as it must be")]
#![expect(clippy::panic, reason = "the same")]

mod asked;
mod bare;
mod bodies;
mod client;
mod cpu;
mod data;
mod growth;
mod idle;
mod neighbours;
mod open;
mod overload;
mod pgbench;
mod plot;
mod program;
mod report;
mod requests;
mod storm;
mod table;
mod timing;
mod tokens;
mod usage;

use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tenantry_persistence::PoolOptions;
use tenantry_tests::{App, TestDatabase};

use crate::{bare::WORKERS, data::Set};

/// That of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// More connections than any measurement opens.
const CONNECTIONS: usize = 20_000;

fn main() {
    tenantry_tests::serve_database_if_asked();
    // Thousands of clients need as many descriptors on each side.
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, most.min(65_536), most).unwrap();
    if !client::work_if_asked() {
        measure();
    }
}

/// A service with the defaults of the program on a machine with two processors, but without limits on requests.
async fn serving() -> App {
    serving_with_room(CONNECTIONS).await
}

/// The same, with room for so many connections.
async fn serving_with_room(room: usize) -> App {
    App::serving(TestDatabase::new(), (WORKERS, room), small).await
}

/// The same, with the program's limits on requests.
async fn serving_with_limits() -> App {
    App::serving_at_most(program::rates(), TestDatabase::new(), (WORKERS, CONNECTIONS), small).await
}

fn small(pool: &mut PoolOptions) {
    (pool.connections, pool.wait) = program::pool();
}

/// How thoroughly it is measured.
#[derive(Clone, Copy)]
struct Effort {
    /// How long a measurement of the parts with a name takes.
    time: Duration,
    /// How long a load of a table takes, and how often it is repeated.
    round: Duration,
    rounds: usize,
    /// How long an idle service is watched.
    idle: Duration,
    sets: &'static [Set],
}

const SETS: [Set; 3] = [
    Set { workspaces: 1_000, tenants: 1 },
    Set { workspaces: 100_000, tenants: 1_000 },
    Set { workspaces: 5_000_000, tenants: 50_000 },
];

impl Effort {
    const FULL: Self = Self {
        time: Duration::from_secs(5),
        round: Duration::from_secs(2),
        rounds: 3,
        idle: Duration::from_secs(60),
        sets: SETS.split_at(2).0,
    };

    const QUICK: Self = Self {
        time: Duration::from_secs(1),
        round: Duration::from_millis(200),
        rounds: 1,
        idle: Duration::from_secs(2),
        sets: &[SETS[0], Set { workspaces: 10_000, tenants: 100 }],
    };

    /// How often, in words.
    fn rounds(self) -> String {
        format!("medians of {} rounds of {} s", self.rounds, self.round.as_secs_f64())
    }

    fn of(arguments: &[String]) -> Self {
        let asked = |name: &str| arguments.iter().any(|argument| argument == name);
        let effort = if asked("--quick") { Self::QUICK } else { Self::FULL };
        if asked("--large") { Self { sets: &SETS, ..effort } } else { effort }
    }
}

#[tokio::main]
async fn measure() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let effort = Effort::of(&arguments);
    let named = |part: &str| arguments.iter().any(|argument| argument == part || argument == "all");
    let usual = arguments.iter().all(|argument| argument.starts_with("--"));
    report::begin();
    if usual || named("table") {
        let rows = arguments.iter().find_map(|argument| argument.strip_prefix("--rows="));
        table::run(effort, rows.unwrap_or_default()).await;
    }
    if usual || named("growth") {
        growth::run(effort).await;
    }
    if usual || named("idle") {
        idle::run(effort).await;
    }
    if named("bodies") {
        bodies::run(effort.time).await;
    }
    if named("overload") {
        overload::run(effort.time).await;
    }
    if named("neighbours") {
        neighbours::run(effort.time).await;
    }
    if named("storm") {
        storm::run(effort.time).await;
    }
    if named("timing") {
        timing::run(effort.time).await;
    }
    if named("tokens") {
        tokens::run(effort.time).await;
    }
    if named("usage") {
        usage::run(effort.time).await;
    }
}
