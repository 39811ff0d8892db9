//! The program as its users have it: its commands, its settings, its start and its end.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends when something is not as it must be"
)]

#[path = "binary/commands.rs"]
mod commands;
#[path = "binary/embedded.rs"]
mod embedded;
#[path = "binary/kit.rs"]
mod kit;
#[path = "binary/master_keys.rs"]
mod master_keys;
#[path = "binary/members.rs"]
mod members;
#[path = "binary/migrations.rs"]
mod migrations;
#[path = "binary/outbox.rs"]
mod outbox;
#[path = "binary/own_database.rs"]
mod own_database;
#[path = "binary/platform.rs"]
mod platform;
#[path = "binary/settings.rs"]
mod settings;
#[path = "binary/stop.rs"]
mod stop;
#[path = "binary/tenants.rs"]
mod tenants;
