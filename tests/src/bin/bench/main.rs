//! Measures the service in one run, next to what it could at best be: a bare JSON answer of the same web server, and
//! prepared selects of the same row without a service in between. Ratios travel from machine to machine; seconds do not.
//!
//! `make bench` runs everything; with arguments only the named parts: `bodies`, `lookup`, `overload`, `pages`, `storm`, `tokens`, `usage`.
//! `BENCH_SECONDS` is the length of one measurement.
#![expect(clippy::unwrap_used, reason = "a measurement ends when something is not as it must be")]
#![expect(clippy::panic, reason = "the same")]
#![expect(clippy::print_stdout, reason = "prints its figures")]

mod bodies;
mod load;
mod lookup;
mod open;
mod overload;
mod pages;
mod storm;
mod tokens;
mod usage;

use std::time::Duration;

fn main() {
    tenantry_tests::serve_database_if_asked();
    measure();
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
