//! Faults that take minutes, and how soon the service is over them: `make faults` runs these, and prints what it measured.
//!
//! What holds in any time is tested in `it`. Here, seconds are promises.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test ends when something is not as it must be, and prints what it measured"
)]

#[path = "../it/database.rs"]
mod database;
mod failover;
mod kills;
#[path = "../it/binary/kit.rs"]
#[expect(dead_code, reason = "the other tests use the rest")]
mod kit;
mod load;
mod migrations;
mod moving;
mod network;
mod outage;
mod pauses;
mod refusals;
mod service;
mod tenants;
mod webhooks;
