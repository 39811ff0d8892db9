//! Measures the service in one run, next to what it could at best be: a bare JSON answer of the same web server, and
//! prepared selects of the same row without a service in between. Ratios travel from machine to machine; seconds do not.
//!
//! `make bench` runs everything; with arguments only the named parts: `bodies`, `lookup`, `neighbours`, `overload`, `pages`, `storm`,
//! `tokens`, `usage`. `BENCH_SECONDS` is the length of one measurement.
//!
//! Clients, service and PostgreSQL share the machine. So what is said of times is said of a machine that has this to do, too.
#![expect(clippy::unwrap_used, reason = "a measurement ends when something is not as it must be")]
#![expect(clippy::panic, reason = "the same")]
#![expect(clippy::print_stdout, reason = "prints its figures")]

mod bodies;
mod client;
mod cpu;
mod load;
mod lookup;
mod neighbours;
mod open;
mod overload;
mod pages;
mod report;
mod storm;
mod tokens;
mod usage;

use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tenantry_domain::{RequestRate, Requests};
use tenantry_http::Rates;
use tenantry_persistence::PoolOptions;
use tenantry_tests::{App, TestDatabase};

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

/// How many connections to the database a service has by default.
const DATABASE_CONNECTIONS: u32 = 8;

/// A service with the defaults of the program on a machine with two processors, but without limits on requests.
async fn serving() -> App {
    serving_with(CONNECTIONS, DATABASE_CONNECTIONS).await
}

/// The same, with room for so many connections, and so many to the database.
async fn serving_with(room: usize, database: u32) -> App {
    App::serving(TestDatabase::new(), (2, room), |pool| small(pool, database)).await
}

/// The same, with the program's limits on requests.
async fn serving_with_limits() -> App {
    let rate = |per_second, burst| {
        let [per_second, burst] = [per_second, burst].map(|number| Requests::try_from(number).unwrap());
        Some(RequestRate { per_second, burst })
    };
    let (size, rates) = ((2, CONNECTIONS), Rates { credential: rate(10_000, 20_000), address: rate(2_000, 4_000) });
    App::serving_at_most(rates, TestDatabase::new(), size, |pool| small(pool, DATABASE_CONNECTIONS)).await
}

fn small(pool: &mut PoolOptions, connections: u32) {
    pool.connections = connections;
    pool.wait = Duration::from_secs(2);
}

#[tokio::main]
async fn measure() {
    let named: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |part: &str| named.is_empty() || named.iter().any(|name| name == part);
    #[expect(clippy::disallowed_methods, reason = "a switch of the measurement")]
    let seconds = std::env::var("BENCH_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(5);
    let time = Duration::from_secs(seconds);
    if wanted("bodies") {
        bodies::run(time).await;
    }
    if wanted("lookup") {
        lookup::run(time).await;
    }
    if wanted("overload") {
        overload::run(time).await;
    }
    if wanted("neighbours") {
        neighbours::run(time).await;
    }
    if wanted("pages") {
        pages::run(time).await;
    }
    if wanted("storm") {
        storm::run(time).await;
    }
    if wanted("tokens") {
        tokens::run(time).await;
    }
    if wanted("usage") {
        usage::run(time).await;
    }
}
