//! `tenantry psql`.

use std::ffi::OsString;

use clap::{Args, ValueEnum};
use tenantry_persistence::{backup, embedded::Role};

use crate::{database::Database, exit::Exit, settings::Settings};

/// Open psql at the database, wherever it is. No password is on the command line.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Psql {
    /// The role to connect as. Default: admin for the embedded database, owner for your own
    #[arg(long = "as", value_name = "ROLE", value_enum)]
    role: Option<Who>,
    /// Arguments for psql, after --
    #[arg(last = true)]
    arguments: Vec<OsString>,
}

const EXAMPLES: &str = "\
Examples:
  tenantry psql
  tenantry psql -- -c 'SELECT id, name FROM tenants'

Row security shows the roles owner and service nothing until a transaction names a tenant:
  BEGIN; SELECT set_tenant('TENANT-ID'); SELECT name FROM workspaces; COMMIT;";

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Who {
    Service,
    Owner,
    Admin,
}

pub(crate) fn run(psql: &Psql, settings: &Settings) -> Result<(), Exit> {
    crate::logging::start(settings);
    let database = Database::open(settings)?;
    let role = match psql.role {
        Some(Who::Service) => Role::Service,
        Some(Who::Owner) => Role::Owner,
        Some(Who::Admin) => Role::Admin,
        None if database.is_embedded() => Role::Admin,
        None => Role::Owner,
    };
    let ran =
        database.url_of(role).and_then(|url| Ok(backup::psql(&url, settings.pg_bin.as_deref(), &psql.arguments)?));
    database.close()?;
    match ran? {
        0 => Ok(()),
        code => Err(Exit::failed(format!("psql ended with exit code {code}"))),
    }
}
