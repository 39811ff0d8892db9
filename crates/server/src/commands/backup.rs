//! `tenantry backup`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tenantry_domain::counted;
use tenantry_persistence::{
    backup::{self, BackupError, Manifest},
    embedded::Role,
};

use crate::{database::Database, exit::Exit, new_file::NewFile, output::Output, settings::Settings};

/// Write the whole database into one file, with the number of rows of each tenant, while the service runs.
///
/// The file has everything but the master key: keep a copy of that key in another place.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Backup {
    /// The file to create; it must not exist yet, and only you can read it
    file: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  tenantry backup /var/backups/tenantry-2026-11-28.tar
  Prove that it can be restored, in a database that is thrown away:
    tenantry restore --check /var/backups/tenantry-2026-11-28.tar";

pub(crate) fn run(backup: &Backup, settings: &Settings, output: &Output) -> Result<(), Exit> {
    crate::logging::start(settings);
    let (database, url) = source(settings)?;
    let outcome = write(backup, &url, settings);
    database.map_or(Ok(()), Database::close)?;
    let manifest = outcome?;
    let size = manifest.dump.bytes;
    let value = json!({ "file": backup.file, "bytes": size, "backup": summary(&manifest), "masterKeyIncluded": false });
    output.print(&value, || {
        format!(
            "wrote    {}: {}, {}, {} kB\nchecked  every row that was counted in the database is in the file\n{}",
            backup.file.display(),
            counted(manifest.rows.tenants.len() as u64, "tenant"),
            counted(manifest.rows.total(), "row"),
            size.div_ceil(1000),
            about_keys(&manifest),
        )
    })
}

/// The database to back up. The embedded one is not migrated first: a backup comes before an upgrade.
fn source(settings: &Settings) -> Result<(Option<Database>, String), Exit> {
    if let Some(url) = settings.backup_database_url.clone() {
        return Ok((None, url));
    }
    if settings.database_url.is_some() || settings.owner_database_url.is_some() {
        return Err(Exit::settings(vec![
            "TENANTRY_BACKUP_DATABASE_URL is not set. Row security hides the rows from the roles that serve and own the database, so a \
             backup needs another role: as an administrator run CREATE ROLE tenantry_backup LOGIN BYPASSRLS PASSWORD '…'; GRANT \
             pg_read_all_data TO tenantry_backup; GRANT CONNECT ON DATABASE tenantry TO tenantry_backup"
                .to_owned(),
        ]));
    }
    let database = Database::open(settings)?;
    let url = database.url_of(Role::Admin)?;
    Ok((Some(database), url))
}

fn write(backup: &Backup, url: &str, settings: &Settings) -> Result<Manifest, Exit> {
    let file = NewFile::begin(Some(&backup.file), "backup")?;
    let made = backup::create(url, settings.pg_bin.as_deref(), env!("CARGO_PKG_VERSION"), file.file()?);
    let manifest = made.map_err(|error| match error {
        BackupError::Write(error) => crate::new_file::unwritable(Some(&backup.file), "backup", &error),
        error => error.into(),
    })?;
    file.finish()?;
    Ok(manifest)
}

/// A backup for a script.
pub(super) fn summary(manifest: &Manifest) -> serde_json::Value {
    json!({
        "madeAt": manifest.made_at.to_rfc3339(), "tenantry": manifest.tenantry, "postgresql": manifest.server,
        "tenants": manifest.rows.tenants.len(), "rows": manifest.rows.total(), "tables": manifest.rows.tables,
        "masterKeyVersions": manifest.needed_master_keys().iter().map(|key| key.version()).collect::<Vec<_>>(),
    })
}

fn about_keys(manifest: &Manifest) -> String {
    let versions: Vec<_> = manifest.needed_master_keys().iter().map(|key| key.version().to_string()).collect();
    match versions.as_slice() {
        [] => "keys     no secret of an integration is stored, so no master key is needed".to_owned(),
        versions => format!(
            "keys     the master key is not in the file. The secrets of integrations need version {}: keep a copy in another place",
            versions.join(" and ")
        ),
    }
}

impl From<BackupError> for Exit {
    fn from(error: BackupError) -> Self {
        let message = error.to_string();
        match error {
            BackupError::Connect(_) => Self::database(message),
            BackupError::Role(_) => Self::settings(vec![message]),
            BackupError::File(_) => Self::usage(message),
            BackupError::NotEmpty(_) => Self::conflict(message),
            BackupError::Database(_)
            | BackupError::Differs(_)
            | BackupError::Program { .. }
            | BackupError::Missing(_)
            | BackupError::Write(_)
            | BackupError::Io(..) => Self::failed(message),
        }
    }
}
