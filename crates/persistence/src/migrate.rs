//! Migrations: embedded in the binary, run by the owner of the database, one process at a time.

mod rehearsal;

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection, migration::MigrationVersion,
    pg::Pg, sql_types::Text,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use tenantry_domain::{Error, Weight, counted};

pub use self::rehearsal::Lost;
use crate::{door::Store, seats::Party};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// The advisory lock of this program's migrations: "tenantry" in ASCII, which nothing else in the database will choose.
const LOCK: i64 = 0x7465_6e61_6e74_7279;

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
}

impl Migrator {
    /// Connects as the owner and takes the lock, waiting while another process migrates.
    ///
    /// # Errors
    ///
    /// See [`MigrateError`].
    pub fn connect(owner_url: &str) -> Result<Self, MigrateError> {
        let mut connection = PgConnection::establish(owner_url)?;
        // Waiting for another process takes as long as it takes; waiting behind a query of the service would hold up
        // everybody who comes after, so that a migration gives way and says so.
        connection.batch_execute(&format!(
            "SET application_name = 'tenantry migrate'; SELECT pg_advisory_lock({LOCK}); SET lock_timeout = '5s'; SET client_min_messages = 'warning'"
        ))?;
        Ok(Self { connection })
    }

    /// Runs what has not run.
    ///
    /// # Errors
    ///
    /// See [`MigrateError`].
    pub fn run(&mut self) -> Result<Migrated, MigrateError> {
        self.status()?;
        let versions = self.connection.run_pending_migrations(MIGRATIONS).map_err(MigrateError::Migration)?;
        Ok(versions.iter().map(name_of).collect())
    }

    /// Undoes the last `count` migrations, the newest first.
    ///
    /// # Errors
    ///
    /// See [`MigrateError`].
    pub fn revert(&mut self, count: usize) -> Result<Migrated, MigrateError> {
        let applied = self.status()?.iter().filter(|migration| migration.applied).count();
        let mut undone = Vec::new();
        for _ in 0..count.min(applied) {
            undone.push(name_of(&self.connection.revert_last_migration(MIGRATIONS).map_err(MigrateError::Migration)?));
        }
        Ok(undone)
    }

    /// Every migration this binary knows, in order.
    ///
    /// # Errors
    ///
    /// [`MigrateError::Unknown`] when the database knows more, and faults of the connection.
    pub fn status(&mut self) -> Result<Vec<Migration>, MigrateError> {
        let applied = self.connection.applied_migrations().map_err(MigrateError::Migration)?;
        let known = known()?;
        if let Some(unknown) = applied.iter().find(|version| !known.iter().any(|(known, _)| known == *version)) {
            return Err(MigrateError::Unknown(unknown.to_string()));
        }
        Ok(known.into_iter().map(|(version, name)| Migration { applied: applied.contains(&version), name }).collect())
    }
}

/// "1 migration is", "2 migrations are".
fn are(count: usize) -> String {
    format!("{} {}", counted(count as u64, "migration"), if count == 1 { "is" } else { "are" })
}

fn known() -> Result<Vec<(MigrationVersion<'static>, String)>, MigrateError> {
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

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

impl Store {
    /// Whether the database answers, as a role that may serve, with exactly the migrations that this binary knows.
    ///
    /// # Errors
    ///
    /// `Unavailable`, with a cause that says which of these it is.
    pub async fn ready(&self) -> Result<(), Error> {
        let applied = self
            .pool
            .run(
                (Party::Probe, Weight::Light),
                // Finds a connection that died while nobody used it, so that it is replaced.
                |connection| connection.batch_execute("SELECT 1"),
                |connection, _| {
                    Ok(diesel::sql_query("SELECT version::text AS version FROM __diesel_schema_migrations")
                        .load::<Version>(connection)?)
                },
            )
            .await;
        let applied = match applied {
            Ok(applied) => applied,
            Err(Error::Unavailable { cause }) if cause.contains("\"__diesel_schema_migrations\" does not exist") => {
                Vec::new()
            }
            Err(error) => return Err(error),
        };
        let known = known().map_err(|error| Error::internal(error.to_string()))?;
        let pending =
            known.iter().filter(|(version, _)| !applied.iter().any(|row| row.version == version.to_string())).count();
        let unknown = applied.len() + pending - known.len();
        match (pending, unknown) {
            (0, 0) => Ok(()),
            (pending, 0) => {
                Err(Error::Unavailable { cause: format!("{} pending: run `tenantry migrate run`", are(pending)) })
            }
            // The binary before this one must go on serving while a newer one is being rolled out.
            (0, _) => Ok(()),
            (pending, unknown) => Err(Error::Unavailable {
                cause: format!(
                    "{} pending, and the database has {} that this binary does not know: they do not match",
                    are(pending),
                    counted(unknown as u64, "migration")
                ),
            }),
        }
    }
}
