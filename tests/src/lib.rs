//! The test kit: a database for each test, the service in front of it, typed clients and factories.
//!
//! Everything is real: a PostgreSQL of this system's own programs, the service on a port of its own, HTTP in between.
//! Tests share nothing but the server of their process, so that they run in any order and all at once.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends when something is not as it must be"
)]

mod again;
mod app;
mod canary;
pub mod chart;
mod client;
mod contract;
mod conversation;
mod crowd;
mod database;
mod database_server;
mod golden;
pub mod issuer;
mod log;
mod nginx;
mod operation;
mod own_server;
mod patroni;
mod people;
mod pooler;
mod problem;
mod provider;
pub mod provider_accounts;
mod proxy;
mod raw;
mod receiver;
mod rows;
mod smtp;
mod standby;
mod stress;
mod view;

pub use again::Again;
pub use app::{App, Tenant, highlevel_app, loopback, master_keys};
pub use canary::Canary;
pub use client::{Answer, Client};
pub use contract::Contract;
pub use crowd::Crowd;
pub use database::{Count, TestDatabase, count, lines};
pub use database_server::{serve_database, serve_database_if_asked};
pub use golden::golden;
pub use log::{Listening, Log};
pub use nginx::Nginx;
pub use operation::{Operation, Target, document, is_of_text, new_email, new_name, schema};
pub use own_server::OwnServer;
pub use patroni::{Last, Patroni};
pub use people::People;
pub use pooler::Pooler;
pub use problem::{problem, problem_body};
pub use provider::{ProviderBehaviour, ProviderRequest, ProviderServer};
pub use proxy::Proxy;
pub use raw::{Ending, RawAnswer, RawConnection, exchange};
pub use receiver::{Received, Receiver, Receiving};
pub use rows::{Rows, Snapshot, difference};
pub use smtp::{Conversation, Encryption, Presented, ReceivedMail, Said, SmtpServer, Turn};
pub use standby::Standby;
pub use stress::stress;
pub use view::view;
