//! Backups: one file with a dump of the database, made by `pg_dump`, and a manifest that says how many rows of each tenant are in it.
//!
//! The rows are counted in the snapshot that is dumped, by a role that row security does not bind, and once more in the finished
//! file. So a backup that lacks rows is never taken for one. A restore is counted again.
//!
//! The master key is not in the database, and so in no backup.

mod archive;
mod client;
mod restore;
mod rows;

use std::{collections::BTreeMap, ffi::OsString, fs::File, io, path::Path};

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types};
use serde::{Deserialize, Serialize};
use tenantry_domain::MasterKeyId;

pub use self::{
    archive::Archive,
    restore::{Restored, check_target, restore},
    rows::Rows,
};
use crate::{
    embedded::{self, OLDEST},
    pool::establish,
};

/// The version of the file.
const FORMAT: u32 = 1;

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The version of the file.
    pub format: u32,
    /// The moment that it shows.
    pub made_at: DateTime<Utc>,
    /// The version of the program that made it.
    pub tenantry: String,
    /// The major version of the server that it was made from.
    pub server: u32,
    /// The major version of the `pg_dump` that made it.
    pub pg_dump: u32,
    /// The migrations that the database had, by their versions.
    pub migrations: Vec<String>,
    /// The master keys that the secrets in it are encrypted under. The keys themselves are not in the file.
    pub master_keys: Vec<String>,
    /// The dump in the file.
    pub dump: Dump,
    /// How many rows there are.
    pub rows: Rows,
}

/// The dump in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dump {
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
}

impl Manifest {
    /// The master keys that are needed to decrypt the secrets in it.
    pub fn needed_master_keys(&self) -> Vec<MasterKeyId> {
        self.master_keys.iter().filter_map(|key| key.parse().ok()).collect()
    }
}

/// Why there is no backup, or nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database does not answer, or does not let this role in.
    #[error("cannot connect to the database: {0}")]
    Connect(#[from] diesel::ConnectionError),
    /// A statement failed.
    #[error("the database refused: {0}")]
    Database(#[from] diesel::result::Error),
    /// The role sees too little, or may do too little.
    #[error("{0}")]
    Role(String),
    /// The file is no backup, or is damaged, or does not fit this program or this server.
    #[error("{0}")]
    File(String),
    /// The database is not empty.
    #[error("{0}")]
    NotEmpty(String),
    /// What came out is not what went in.
    #[error("{0}")]
    Differs(String),
    /// A program of PostgreSQL failed.
    #[error("{program} failed: {said}")]
    Program {
        /// Its name.
        program: &'static str,
        /// What it said.
        said: String,
    },
    /// A program of PostgreSQL is missing.
    #[error(transparent)]
    Missing(#[from] embedded::Error),
    /// The file of the backup could not be written.
    #[error("cannot write the backup: {0}")]
    Write(#[source] io::Error),
    /// A file could not be read or written.
    #[error("cannot {0}: {1}")]
    Io(&'static str, #[source] io::Error),
}

#[derive(QueryableByName)]
struct Source {
    #[diesel(sql_type = sql_types::Text)]
    role: String,
    #[diesel(sql_type = sql_types::Bool)]
    sees_all: bool,
    #[diesel(sql_type = sql_types::Bool)]
    migrated: bool,
    #[diesel(sql_type = sql_types::Integer)]
    server: i32,
}

const SOURCE: &str = "SELECT current_user::text AS role, rolsuper OR rolbypassrls AS sees_all,
        to_regclass('public.__diesel_schema_migrations') IS NOT NULL AS migrated,
        current_setting('server_version_num')::int / 10000 AS server
    FROM pg_roles WHERE rolname = current_user";

#[derive(QueryableByName)]
struct Snapshot {
    #[diesel(sql_type = sql_types::Text)]
    id: String,
    #[diesel(sql_type = sql_types::Timestamptz)]
    at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = sql_types::Text)]
    line: String,
}

/// Writes a backup of the database at this URL into an empty file, and counts what is in it. `program` is the version of this program.
///
/// # Errors
///
/// See [`BackupError`]. The file then holds a part of a backup, or nothing.
pub fn create(url: &str, pg_bin: Option<&Path>, program: &str, file: File) -> Result<Manifest, BackupError> {
    let mut connection = connect(url)?;
    let source = source(&mut connection)?;
    if !source.migrated {
        return Err(BackupError::File(
            "this database has no tables of Tenantry, so there is nothing to back up".to_owned(),
        ));
    }
    let server = u32::try_from(source.server).unwrap_or_default();
    let programs = client::Programs::find(pg_bin, server)?;
    // Stays open while pg_dump runs: the rows are counted in the very snapshot that is dumped.
    connection.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
    let snapshot: Snapshot = sql_query("SELECT pg_export_snapshot() AS id, now() AS at").get_result(&mut connection)?;
    let rows = rows::count(&mut connection)?;
    let migrations = "SELECT version::text AS line FROM __diesel_schema_migrations ORDER BY 1";
    let master_keys = match rows.tables.contains_key("integrations") {
        true => list(&mut connection, "SELECT DISTINCT unnest(sealed_under) AS line FROM tenants ORDER BY 1")?,
        false => Vec::new(),
    };
    let migrations = list(&mut connection, migrations)?;
    let mut writer = archive::Writer::new(file).map_err(BackupError::Write)?;
    programs.dump(url, &snapshot.id, &mut writer)?;
    let manifest = |dump| Manifest {
        format: FORMAT,
        made_at: snapshot.at,
        tenantry: program.to_owned(),
        server,
        pg_dump: programs.major(),
        migrations,
        master_keys,
        dump,
        rows,
    };
    let mut archive = writer.finish(manifest).map_err(BackupError::Write)?;
    let dumped = programs.count(&mut archive)?;
    compare_tables(&archive.manifest().rows, &dumped)?;
    Ok(archive.into_manifest())
}

/// Checks that the role of this URL sees what a backup needs.
///
/// # Errors
///
/// [`BackupError::Role`] if it does not, and [`BackupError::Connect`].
pub fn check_role(url: &str) -> Result<(), BackupError> {
    source(&mut connect(url)?).map(drop)
}

fn source(connection: &mut PgConnection) -> Result<Source, BackupError> {
    let source: Source = sql_query(SOURCE).get_result(connection)?;
    if source.sees_all {
        return Ok(source);
    }
    Err(BackupError::Role(format!(
        "the database role \"{}\" does not see the rows of all tenants, so its backup would be empty. Use a superuser or a role \
         with BYPASSRLS: as an administrator run CREATE ROLE tenantry_backup LOGIN BYPASSRLS PASSWORD '…'; \
         GRANT pg_read_all_data TO tenantry_backup; and let TENANTRY_BACKUP_DATABASE_URL name tenantry_backup",
        source.role
    )))
}

/// Counts the rows of the database at this URL, as a role that sees them all.
///
/// # Errors
///
/// See [`BackupError`].
pub fn count(url: &str) -> Result<Rows, BackupError> {
    Ok(rows::count(&mut connect(url)?)?)
}

/// Runs `psql` at this database, with the terminal of this process and these arguments. Returns its exit code.
///
/// # Errors
///
/// [`BackupError::Missing`] if there is no `psql`, and [`BackupError::Io`] if it cannot be run.
pub fn psql(url: &str, pg_bin: Option<&Path>, arguments: &[OsString]) -> Result<i32, BackupError> {
    client::Programs::find(pg_bin, OLDEST)?.psql(url, arguments)
}

/// The rows of each table that the dump has, against those that were counted.
fn compare_tables(counted: &Rows, dumped: &BTreeMap<String, u64>) -> Result<(), BackupError> {
    let wrong: Vec<_> = counted
        .tables
        .iter()
        .filter(|(table, rows)| dumped.get(*table).copied().unwrap_or_default() != **rows)
        .map(|(table, rows)| {
            format!("{table}: {rows} counted, {} dumped", dumped.get(table).copied().unwrap_or_default())
        })
        .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(BackupError::Differs(format!("the dump does not have all rows of the database: {}", wrong.join("; "))))
}

/// A connection that waits as long as it takes: a backup of a large database is slow.
fn connect(url: &str) -> Result<PgConnection, BackupError> {
    let mut connection = establish(url)?;
    connection.batch_execute(
        "SET application_name = 'tenantry backup'; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0;
         SET lock_timeout = '60s'; SET timezone = 'UTC'; SET client_min_messages = 'warning'",
    )?;
    Ok(connection)
}

fn list(connection: &mut PgConnection, query: &str) -> Result<Vec<String>, diesel::result::Error> {
    Ok(sql_query(query).load::<Line>(connection)?.into_iter().map(|line| line.line).collect())
}
