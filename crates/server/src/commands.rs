//! One module for each command.

use crate::{exit::Exit, settings::Settings};

pub(crate) mod backup;
pub(crate) mod brand;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod distribute;
pub(crate) mod doctor;
pub(crate) mod healthcheck;
pub(crate) mod house_key;
pub(crate) mod housekeeping;
pub(crate) mod key;
pub(crate) mod labels;
pub(crate) mod man;
pub(crate) mod master_key;
pub(crate) mod member;
pub(crate) mod migrate;
pub(crate) mod openapi;
pub(crate) mod outbox;
pub(crate) mod policy;
pub(crate) mod psql;
pub(crate) mod reseal;
pub(crate) mod restore;
pub(crate) mod serve;
pub(crate) mod tenant;
pub(crate) mod workspace;

/// If permission was denied to a role that is not the owner, adds that the owner must do this.
pub(crate) fn as_owner(exit: Exit, settings: &Settings, what: &str) -> Exit {
    let is_owner = settings.database_url.is_none() || settings.owner_database_url.is_some();
    if is_owner || !exit.says("permission denied") {
        return exit;
    }
    exit.and(&format!("{what} only as the owner of the database: set TENANTRY_OWNER_DATABASE_URL"))
}
