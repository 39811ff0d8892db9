//! The tests from end to end, a module for each noun: `cargo test --test it workspaces::` runs those of workspaces.
//!
//! They are one program: it is linked once, and all of them share the database server that [`database`] starts.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends when something is not as it must be"
)]

mod access;
mod agents;
mod api_keys;
mod audit;
mod binary;
mod brands;
mod callfluent;
mod conditional;
mod counts;
mod database;
mod deploy;
mod distributed;
mod docs_page;
mod embedded;
mod erasure;
mod faults;
mod front;
mod frozen;
mod guide;
mod http;
mod idempotency;
mod input;
mod integrations;
mod introspection;
mod invitations;
mod jwt;
mod labels;
mod lane;
mod limits;
mod lists;
mod mail;
mod manifests;
mod members;
mod migrations;
mod openapi;
mod outbox;
mod partitions;
mod permissions;
mod plans;
mod platform;
mod providers;
mod rate;
mod retention;
mod schema;
mod standby;
mod tenant;
mod transfer;
mod usage;
mod webhooks;
mod wire;
mod workspaces;
