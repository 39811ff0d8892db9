//! Measures the service on this machine, next to what it could at best be: the same web server with nothing behind it, and the same
//! statements sent by PostgreSQL's own program. Ratios travel from machine to machine; seconds do not.
//!
//! What is printed is written to `target/bench/report.md`, next to the plots.
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

use clap::{Parser, ValueEnum};
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
        measure(Arguments::parse());
    }
}

/// Measures the service on this machine. Without a name: table, growth and idle.
#[derive(Parser)]
#[command(name = "bench")]
struct Arguments {
    /// What to measure.
    parts: Vec<Part>,
    /// Add the data set of five million workspaces to growth.
    #[arg(long)]
    large: bool,
    /// Show in a minute that everything works; the figures mean nothing.
    #[arg(long)]
    quick: bool,
    /// Leave all rows out of table but the bare answer and those with this in their names, such as lane.
    #[arg(long, value_name = "TEXT", default_value = "")]
    rows: String,
}

/// What can be measured.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Part {
    /// Rates, times and processor time of each request, next to a bare answer and to pgbench.
    Table,
    /// The same requests on data sets of any size.
    Growth,
    /// What a service needs when nobody asks for anything.
    Idle,
    /// What a body may cost whose sender has made up a key.
    Bodies,
    /// More than the service can do.
    Overload,
    /// What a tenant notices of another one that asks for as much as it can.
    Neighbours,
    /// Two hundred callers who create, update and read at once.
    Storm,
    /// Whether the time of an answer tells a credential of somebody else from an unknown one.
    Timing,
    /// What the verification of one token costs.
    Tokens,
    /// Usage by month, in a workspace with few entries and in one with very many.
    Usage,
    /// All of these.
    All,
}

impl Arguments {
    fn name(&self, part: Part) -> bool {
        let usual = self.parts.is_empty() && matches!(part, Part::Table | Part::Growth | Part::Idle);
        usual || self.parts.iter().any(|named| [part, Part::All].contains(named))
    }

    fn effort(&self) -> Effort {
        let effort = if self.quick { Effort::QUICK } else { Effort::FULL };
        if self.large { Effort { sets: &SETS, ..effort } } else { effort }
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
}

#[tokio::main]
async fn measure(arguments: Arguments) {
    let effort = arguments.effort();
    report::begin();
    if arguments.name(Part::Table) {
        table::run(effort, &arguments.rows).await;
    }
    if arguments.name(Part::Growth) {
        growth::run(effort).await;
    }
    if arguments.name(Part::Idle) {
        idle::run(effort).await;
    }
    if arguments.name(Part::Bodies) {
        bodies::run(effort.time).await;
    }
    if arguments.name(Part::Overload) {
        overload::run(effort.time).await;
    }
    if arguments.name(Part::Neighbours) {
        neighbours::run(effort.time).await;
    }
    if arguments.name(Part::Storm) {
        storm::run(effort.time).await;
    }
    if arguments.name(Part::Timing) {
        timing::run(effort.time).await;
    }
    if arguments.name(Part::Tokens) {
        tokens::run(effort.time).await;
    }
    if arguments.name(Part::Usage) {
        usage::run(effort.time).await;
    }
}
