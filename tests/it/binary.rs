//! The program as its users have it: its commands, its settings, its start and its end.

mod backups;
mod commands;
mod consent;
mod distribute;
mod doctor;
mod embedded;
mod housekeeping;
mod identity_providers;
mod introspection;
mod killed;
pub(crate) mod kit;
mod log;
mod master_keys;
mod members;
mod migrations;
mod moves;
mod names;
mod outbox;
mod own_database;
mod platform;
mod settings;
mod stop;
mod tenants;
mod usage;
mod webhooks;
