//! One module for each command.

pub(crate) mod config;
pub(crate) mod healthcheck;
pub(crate) mod key;
pub(crate) mod migrate;
pub(crate) mod openapi;
pub(crate) mod outbox;
pub(crate) mod serve;
pub(crate) mod tenant;
