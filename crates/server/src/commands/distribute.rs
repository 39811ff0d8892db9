//! `tenantry distribute`.

use clap::Args;
use serde_json::json;
use tenantry_domain::counted;
use tenantry_persistence::{DistributeError, Distributor};

use super::as_owner;
use crate::{database::Database, exit::Exit, output::Output, settings::Settings};

/// Distribute the tables by tenant over the workers of a Citus cluster, as the owner of the database.
#[derive(Args)]
pub(crate) struct Distribute {
    /// Only print the statements that would be run; works without Citus too
    #[arg(long, conflicts_with = "check")]
    dry_run: bool,
    /// Only say what is missing; exits with 1 if anything is
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(command: &Distribute, settings: &Settings, output: &Output) -> Result<(), Exit> {
    crate::logging::start(settings);
    let database = Database::open(settings)?;
    let outcome = distribute(command, database.owner_url(), output);
    database.close()?;
    outcome.map_err(|exit| as_owner(exit, settings, "tables can be distributed"))
}

fn distribute(command: &Distribute, owner_url: &str, output: &Output) -> Result<(), Exit> {
    let mut distributor = Distributor::connect(owner_url)?;
    if !command.dry_run {
        distributor.check_cluster()?;
    }
    let missing = distributor.missing()?;
    if command.dry_run {
        let lines = || missing.iter().map(|statement| format!("{statement};")).collect::<Vec<_>>().join("\n");
        return output.print(&json!({ "dryRun": true, "statements": missing }), lines);
    }
    if command.check {
        let lines = || {
            let lines: Vec<_> = missing.iter().map(|statement| format!("missing  {statement}")).collect();
            if lines.is_empty() { "everything is distributed".to_owned() } else { lines.join("\n") }
        };
        output.print(&json!({ "missing": missing }), lines)?;
        return match missing.len() {
            0 => Ok(()),
            some => Err(Exit::failed(format!("{} missing", counted(some as u64, "thing")))),
        };
    }
    for statement in &missing {
        distributor.run(statement)?;
    }
    output.print(&json!({ "ran": missing }), || {
        let lines: Vec<_> = missing.iter().map(|statement| format!("ran  {statement}")).collect();
        if lines.is_empty() { "nothing to run: everything is distributed".to_owned() } else { lines.join("\n") }
    })
}

impl From<DistributeError> for Exit {
    fn from(error: DistributeError) -> Self {
        let message = error.to_string();
        match error {
            DistributeError::Connect(_) => Self::database(message),
            DistributeError::NoCitus | DistributeError::NoWorker | DistributeError::NoTables => Self::conflict(message),
            DistributeError::Database(_) => Self::failed(message),
        }
    }
}
