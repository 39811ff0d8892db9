//! Migrations: embedded in the binary, run by the owner of the database, one process at a time.

mod rehearsal;
mod state;
mod turn;

use diesel::{
    PgConnection, QueryableByName, RunQueryDsl,
    connection::{AnsiTransactionManager, SimpleConnection, TransactionManager},
    migration::MigrationVersion,
    pg::Pg,
    sql_query,
    sql_types::{Bool, Text},
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use self::turn::{Turn, patiently};
pub use self::{
    rehearsal::Lost,
    state::{MigrationState, migration_state},
};
use crate::pool::establish;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// The advisory lock of this program's migrations: "tenantry" in ASCII, which nothing else in the database will choose.
const LOCK: i64 = 0x7465_6e61_6e74_7279;

/// When this process is killed, PostgreSQL ends its migration and gives back its locks within a second, and not only when the
/// migration is done. Servers that cannot notice (before version 14, or on some systems) refuse the setting.
const NOTICE_DEATH: &str = "DO $$ BEGIN PERFORM set_config('client_connection_check_interval', '1s', false);
    EXCEPTION WHEN OTHERS THEN NULL; END $$";

/// Why migrations did not run.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database does not answer or does not let the owner in.
    #[error("cannot connect to the database: {0}")]
    Connect(#[from] diesel::ConnectionError),
    /// A statement around the migrations failed.
    #[error("the database refused: {0}")]
    Database(#[from] diesel::result::Error),
    /// A migration failed; it was rolled back, those before it stay.
    #[error("a migration failed and was rolled back: {0}")]
    Migration(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database has migrations that this binary does not know.
    #[error("the database has the migration {0}, which this binary does not know: use the newer binary that ran it")]
    Unknown(String),
    /// A session that does nothing holds the lock of migrations.
    #[error(
        "process {process} of PostgreSQL holds the lock of migrations and has done nothing for {seconds} s. A pooler may have left \
         it behind: let the owner's URL name PostgreSQL itself, and end the process with SELECT pg_terminate_backend({process})"
    )]
    LeftBehind {
        /// Its process.
        process: i32,
        /// For how long it has done nothing.
        seconds: i64,
    },
    /// Other sessions kept their locks for too long.
    #[error(
        "others use the tables, and a migration did not get them in {0} attempts; it was rolled back. Try again when less is going on"
    )]
    Busy(u32),
    /// Numbers would be lost that were given out.
    #[error(
        "workspaces have numbers that were given out. Undoing {0} would lose them, and running it again would give them to others. \
         To go back further, restore a backup from before it"
    )]
    Numbered(String),
}

/// One migration and whether it has run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// Its name, `DATE-NUMBER_verb_noun`.
    pub name: String,
    /// Whether it has run.
    pub applied: bool,
}

/// What a command did: the names, in the order in which they ran.
pub type Migrated = Vec<String>;

/// A connection of the owner, which waits for other migrating processes and keeps them waiting until it is dropped.
pub struct Migrator {
    connection: PgConnection,
    turn: Turn,
}

/// The migration that gave workspaces, assignments and invitations their numbers, and the one that creates workspaces.
const NUMBERS: &str = "_number_workspaces";
const NUMBERED: &str = "_create_workspaces";

impl Migrator {
    /// Connects as the owner and takes the lock, waiting while another process migrates, and logging which one.
    ///
    /// # Errors
    ///
    /// See [`MigrateError`].
    pub fn connect(owner_url: &str) -> Result<Self, MigrateError> {
        let mut connection = establish(owner_url)?;
        connection.batch_execute(&format!(
            "SET application_name = 'tenantry migrate'; SET lock_timeout = '{}'; SET client_min_messages = 'warning'",
            turn::LOCK_TIMEOUT
        ))?;
        connection.batch_execute(NOTICE_DEATH)?;
        turn::wait_for_it(&mut connection, LOCK)?;
        let turn = Turn::of(owner_url, &mut connection)?;
        Ok(Self { connection, turn })
    }

    /// Runs what has not run.
    ///
    /// # Errors
    ///
    /// See [`MigrateError`].
    pub fn run(&mut self) -> Result<Migrated, MigrateError> {
        let pending = self.status()?.into_iter().filter(|migration| !migration.applied).count();
        let mut ran = Vec::new();
        for _ in 0..pending {
            ran.push(name_of(&patiently(&mut self.connection, &self.turn, run_one)?));
        }
        Ok(ran)
    }

    /// Undoes the last `count` migrations, the newest first.
    ///
    /// # Errors
    ///
    /// See [`MigrateError`].
    pub fn revert(&mut self, count: usize) -> Result<Migrated, MigrateError> {
        let undo = self.last(count)?;
        if let Some(numbers) = undo.iter().find(|name| name.ends_with(NUMBERS))
            && !undo.iter().any(|name| name.ends_with(NUMBERED))
            && gave_numbers(&mut self.connection)?
        {
            return Err(MigrateError::Numbered(numbers.clone()));
        }
        undo.iter().map(|_| Ok(name_of(&patiently(&mut self.connection, &self.turn, revert_one)?))).collect()
    }

    /// The last migrations that have run, the newest first.
    fn last(&mut self, count: usize) -> Result<Migrated, MigrateError> {
        let applied = self.status()?.into_iter().rev().filter(|migration| migration.applied);
        Ok(applied.take(count).map(|migration| migration.name).collect())
    }

    /// Every migration this binary knows, in order.
    ///
    /// # Errors
    ///
    /// [`MigrateError::Unknown`] when the database knows more, and faults of the connection.
    pub fn status(&mut self) -> Result<Vec<Migration>, MigrateError> {
        status(&mut self.connection)
    }
}

/// Runs the next migration.
fn run_one(connection: &mut PgConnection) -> Result<MigrationVersion<'static>, MigrateError> {
    connection.run_next_migration(MIGRATIONS).map(|version| version.as_owned()).map_err(MigrateError::Migration)
}

/// Undoes the last migration. Every request begins at the tenant's row. So this waits at the same place before it locks anything
/// else: then nobody who has begun needs what it holds, and whoever has not waits for it.
fn revert_one(connection: &mut PgConnection) -> Result<MigrationVersion<'static>, MigrateError> {
    AnsiTransactionManager::begin_transaction(connection)?;
    let gate = "DO $$ BEGIN IF to_regclass('tenants') IS NOT NULL THEN LOCK TABLE tenants; END IF; END $$";
    let outcome = connection.batch_execute(gate).map_err(MigrateError::from).and_then(|()| {
        connection.revert_last_migration(MIGRATIONS).map(|version| version.as_owned()).map_err(MigrateError::Migration)
    });
    match outcome {
        Ok(_) => AnsiTransactionManager::commit_transaction(connection)?,
        Err(_) => AnsiTransactionManager::rollback_transaction(connection)?,
    }
    outcome
}

#[derive(QueryableByName)]
struct Yes {
    #[diesel(sql_type = Bool)]
    yes: bool,
}

/// Whether any tenant has given out a number.
fn gave_numbers(connection: &mut PgConnection) -> Result<bool, MigrateError> {
    AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN READ ONLY; SELECT set_platform()")?;
    let numbered =
        "SELECT EXISTS (SELECT FROM tenants WHERE last_workspace_number > 0 OR last_place_number > 0) AS yes";
    let outcome = sql_query(numbered).get_result::<Yes>(connection);
    AnsiTransactionManager::rollback_transaction(connection)?;
    Ok(outcome?.yes)
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

/// The versions that have run; none where the table of migrations is not there, or not to be read. Changes nothing.
pub(crate) fn applied(connection: &mut PgConnection) -> Result<Vec<String>, diesel::result::Error> {
    let readable =
        "SELECT coalesce(has_table_privilege(to_regclass('__diesel_schema_migrations'), 'SELECT'), false) AS yes";
    if !sql_query(readable).get_result::<Yes>(connection)?.yes {
        return Ok(Vec::new());
    }
    let rows =
        sql_query("SELECT version::text AS version FROM __diesel_schema_migrations").load::<Version>(connection)?;
    Ok(rows.into_iter().map(|row| row.version).collect())
}

fn status(connection: &mut PgConnection) -> Result<Vec<Migration>, MigrateError> {
    let applied = applied(connection)?;
    let known = known()?;
    if let Some(unknown) = applied.iter().find(|version| !known.iter().any(|(known, _)| known.to_string() == **version))
    {
        return Err(MigrateError::Unknown(unknown.clone()));
    }
    Ok(known
        .into_iter()
        .map(|(version, name)| Migration { applied: applied.contains(&version.to_string()), name })
        .collect())
}

/// All migrations of this binary, in order, with their versions.
pub(crate) fn known() -> Result<Vec<(MigrationVersion<'static>, String)>, MigrateError> {
    use diesel::migration::{Migration as _, MigrationSource};
    let mut known: Vec<_> = MigrationSource::<Pg>::migrations(&MIGRATIONS)
        .map_err(MigrateError::Migration)?
        .iter()
        .map(|migration| (migration.name().version().as_owned(), migration.name().to_string()))
        .collect();
    known.sort_by(|a, b| a.1.cmp(&b.1));
    Ok(known)
}

/// The versions of all migrations that this binary knows.
pub(crate) fn known_versions() -> Vec<String> {
    known().map(|known| known.iter().map(|(version, _)| version.to_string()).collect()).unwrap_or_default()
}

/// The folder's name, of which diesel hands out only the version.
fn name_of(version: &MigrationVersion<'_>) -> String {
    let named = known().ok().and_then(|known| known.into_iter().find(|(known, _)| known == version));
    named.map_or_else(|| version.to_string(), |(_, name)| name)
}
