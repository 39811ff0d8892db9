//! One module for each command.

pub(crate) mod config;
pub(crate) mod healthcheck;
pub(crate) mod key;
pub(crate) mod master_key;
pub(crate) mod migrate;
pub(crate) mod openapi;
pub(crate) mod reseal;
pub(crate) mod serve;
pub(crate) mod tenant;
