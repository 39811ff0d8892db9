//! `tenantry migrate`.

use clap::Subcommand;
use serde_json::json;
use tenantry_domain::counted;
use tenantry_persistence::{Lost, Migration, MigrationState, Migrator};

use crate::{
    consent::{Consent, Manner, ask, print_plan},
    database::Database,
    exit::Exit,
    output::{Output, table},
    settings::Settings,
};

/// Run, revert and list the migrations, as the owner of the database: TENANTRY_OWNER_DATABASE_URL, or else DATABASE_URL, or else
/// the embedded database. Only one process runs migrations at a time.
#[derive(Subcommand)]
pub(crate) enum Migrate {
    /// Run the pending migrations
    Run,
    /// List the migrations and whether each has run; exits with 5 if some are pending
    Status,
    /// Revert the last migrations, newest first; everything they created is lost
    Revert {
        /// How many migrations to revert
        #[arg(long, default_value_t = 1)]
        count: usize,
        #[command(flatten)]
        consent: Consent,
    },
    /// Revert the last migration and run it again; everything it created is lost
    Redo(Consent),
}

pub(crate) fn run(command: &Migrate, settings: &Settings, output: &Output) -> Result<(), Exit> {
    crate::logging::start(settings);
    let revert = match command {
        Migrate::Revert { count, consent } => Some((*count, consent.manner()?)),
        Migrate::Redo(consent) => Some((1, consent.manner()?)),
        Migrate::Run | Migrate::Status => None,
    };
    let database = Database::open(settings)?;
    let outcome = match revert {
        Some((count, manner)) if manner != Manner::Act => rehearse(command, &database, (count, manner), output),
        None if matches!(command, Migrate::Status) => {
            let outcome = database.migration_state().and_then(|state| status(output, &state));
            database.close()?;
            return outcome;
        }
        _ => database.migrator().and_then(|mut migrator| act(command, &mut migrator, output)),
    };
    database.close()?;
    outcome.map_err(|exit| super::as_owner(exit, settings, "migrations can be run"))
}

/// Says what reverting would destroy, and asks. Other processes need not wait for the answer before they migrate.
fn rehearse(
    command: &Migrate,
    database: &Database,
    (count, manner): (usize, Manner),
    output: &Output,
) -> Result<(), Exit> {
    let lost = database.migrator()?.rehearse_revert(count).map_err(|error| Exit::failed(error.to_string()))?;
    let would = would(&lost, matches!(command, Migrate::Redo(_)));
    if manner == Manner::Rehearse {
        let tables: Vec<_> = lost.tables.iter().map(|(name, rows)| json!({ "name": name, "rows": rows })).collect();
        return print_plan(
            output,
            &json!({ "undo": lost.migrations, "dropTables": tables, "dropColumns": lost.columns }),
            &would,
        );
    }
    if lost.migrations.is_empty() {
        return act(command, &mut database.migrator()?, output);
    }
    ask(&would)?;
    let mut migrator = database.migrator()?;
    let now = migrator.rehearse_revert(count).map_err(|error| Exit::failed(error.to_string()))?;
    if now.migrations != lost.migrations {
        return Err(Exit::conflict(
            "other migrations ran while this waited for the answer, so nothing was undone. Run it again",
        ));
    }
    act(command, &mut migrator, output)
}

fn would(lost: &Lost, again: bool) -> String {
    if lost.migrations.is_empty() {
        return "There is nothing to undo.".to_owned();
    }
    let mut lines = vec![format!("This undoes {}:", counted(lost.migrations.len() as u64, "migration"))];
    lines.extend(lost.migrations.iter().map(|name| format!("  {name}")));
    if lost.tables.is_empty() && lost.columns.is_empty() {
        lines.push("No table or column is lost.".to_owned());
    } else {
        lines.push(
            "These are lost. Only a backup brings them back: make one first with `tenantry backup FILE`.".to_owned(),
        );
    }
    lines.extend(lost.tables.iter().map(|(table, rows)| format!("  table {table}: {}", counted(*rows, "row"))));
    lines.extend(lost.columns.iter().map(|column| format!("  column {column}")));
    if again {
        lines.push("Then it is run again, without the data.".to_owned());
    }
    lines.join("\n")
}

fn act(command: &Migrate, migrator: &mut Migrator, output: &Output) -> Result<(), Exit> {
    let failed = |error: tenantry_persistence::MigrateError| Exit::failed(error.to_string());
    match command {
        Migrate::Run => {
            report(output, &migrator.run().map_err(failed)?, "ran", "nothing to run: the database is up to date")
        }
        Migrate::Revert { count, .. } => {
            report(output, &migrator.revert(*count).map_err(failed)?, "undid", "nothing to undo")
        }
        Migrate::Redo(_) => {
            let undone = migrator.revert(1).map_err(failed)?;
            let ran = migrator.run().map_err(failed)?;
            output.print(&json!({ "undid": undone, "ran": ran }), || {
                [words(&undone, "undid", "nothing to undo"), words(&ran, "ran", "nothing to run")].join("\n")
            })
        }
        // Answered without a lock, before this.
        Migrate::Status => Ok(()),
    }
}

fn report(output: &Output, names: &[String], verb: &str, nothing: &str) -> Result<(), Exit> {
    output.print(&json!({ verb: names }), || words(names, verb, nothing))
}

fn words(names: &[String], verb: &str, nothing: &str) -> String {
    match names {
        [] => nothing.to_owned(),
        names => names.iter().map(|name| format!("{verb} {name}")).collect::<Vec<_>>().join("\n"),
    }
}

fn status(output: &Output, MigrationState { migrations, migrating }: &MigrationState) -> Result<(), Exit> {
    if let Some(process) = migrating {
        tracing::warn!("process {process} of PostgreSQL holds the lock of migrations");
    }
    let state = |migration: &Migration| if migration.applied { "applied" } else { "pending" };
    let json: Vec<_> =
        migrations.iter().map(|migration| json!({ "name": migration.name, "state": state(migration) })).collect();
    output.print(&json, || {
        let rows: Vec<_> =
            migrations.iter().map(|migration| [migration.name.clone(), state(migration).to_owned()]).collect();
        table(["MIGRATION", "STATE"], &rows)
    })?;
    match migrations.iter().filter(|migration| !migration.applied).count() {
        0 => Ok(()),
        1 => Err(Exit::database("1 migration is pending: run `tenantry migrate run`")),
        pending => Err(Exit::database(format!("{pending} migrations are pending: run `tenantry migrate run`"))),
    }
}
