//! The master keys, in the files that the settings name. The service does not start without them: a wrong key must be noticed at
//! the start and not with the first secret.

use std::{
    fs::OpenOptions,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use tenantry_auth::seal::{MasterKey, MasterKeys, TransferKey};
use tenantry_domain::Error;
use tenantry_operations::{Store, integrations};

use crate::{
    exit::Exit,
    settings::Settings,
    trusted_file::{self, Holds},
};

const HOW: &str = "create one with `tenantry master-key FILE`, and keep a copy of it away from the database";

/// The key file of the embedded database. The settings can name another.
fn beside_the_database(settings: &Settings) -> PathBuf {
    settings.data_dir.join("master.key")
}

fn uses_embedded(settings: &Settings) -> bool {
    settings.database_url.is_none() && settings.owner_database_url.is_none()
}

/// The existing keys: those in the settings, or else that of the embedded database. `None` if there is none yet.
pub(crate) fn present(settings: &Settings) -> Result<Option<MasterKeys>, Exit> {
    let path = match &settings.master_key_file {
        Some(path) => path.clone(),
        None if uses_embedded(settings) && beside_the_database(settings).exists() => beside_the_database(settings),
        None if settings.other_master_key_files.is_empty() => return Ok(None),
        None => return Err(missing("TENANTRY_OTHER_MASTER_KEY_FILES is set, but TENANTRY_MASTER_KEY_FILE is not")),
    };
    let mut faults = Vec::new();
    let sealing = read(&path, &mut faults);
    let others: Vec<_> = settings.other_master_key_files.iter().filter_map(|path| read(path, &mut faults)).collect();
    match sealing {
        Some(sealing) if faults.is_empty() => match MasterKeys::new(sealing, others) {
            Ok(keys) => Ok(Some(keys)),
            Err(version) => Err(Exit::settings(vec![format!(
                "two master key files have version {version}: each key needs its own version"
            )])),
        },
        _ => Err(Exit::settings(faults)),
    }
}

/// The existing keys. Fails if there are none.
pub(crate) fn required(settings: &Settings) -> Result<MasterKeys, Exit> {
    present(settings)?.ok_or_else(|| missing("TENANTRY_MASTER_KEY_FILE is not set"))
}

/// The check that needs no database: with the operator's own database, a key must exist.
pub(crate) fn demand(settings: &Settings) -> Result<(), Exit> {
    if uses_embedded(settings) { present(settings).map(drop) } else { required(settings).map(drop) }
}

/// The keys to serve with. The embedded database gets a key when it first needs one.
pub(crate) async fn for_service(settings: &Settings, store: &Store) -> Result<MasterKeys, Exit> {
    if let Some(keys) = present(settings)? {
        return Ok(keys);
    }
    if !uses_embedded(settings) {
        return required(settings);
    }
    let path = beside_the_database(settings);
    if !integrations::needed_master_keys(store).await?.is_empty() {
        let fault = format!("{} is missing, but stored secrets are encrypted under it: put it back", path.display());
        return Err(Exit::settings(vec![fault]));
    }
    write(&path, 1)?;
    tracing::info!(path = %path.display(), "created a master key; back it up too, because without it the secrets of integrations are lost");
    required(settings)
}

/// Why these keys do not decrypt everything that is stored. Empty if they do.
pub(crate) async fn check(store: &Store, keys: &MasterKeys) -> Result<Vec<String>, Error> {
    store.answers().await?;
    let objections = keys.objections(&integrations::needed_master_keys(store).await?);
    let remedy = "set TENANTRY_MASTER_KEY_FILE or TENANTRY_OTHER_MASTER_KEY_FILES to its file";
    Ok(objections.into_iter().map(|objection| format!("{objection}; {remedy}")).collect())
}

/// Writes a new key of this version into a new file that only its owner can read.
pub(crate) fn write(path: &Path, version: u16) -> Result<(), Exit> {
    let failed = |error: std::io::Error| Exit::failed(format!("cannot write {}: {error}", path.display()));
    let text = MasterKey::generate(version)?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Exit::conflict(format!(
            "{} already exists, and a key is never overwritten: name another file",
            path.display()
        )),
        _ => failed(error),
    })?;
    file.write_all(text.as_bytes()).and_then(|()| file.write_all(b"\n")).and_then(|()| file.sync_all()).map_err(failed)
}

/// The key of a transfer, which is made as a master key is.
pub(crate) fn transfer(path: &Path) -> Result<TransferKey, Exit> {
    let mut faults = Vec::new();
    read(path, &mut faults).map(TransferKey::new).ok_or_else(|| Exit::failed(faults.join("; ")))
}

fn read(path: &Path, faults: &mut Vec<String>) -> Option<MasterKey> {
    let named = |fault: String| format!("the master key file {}: {fault}", path.display());
    let mut warnings = Vec::new();
    let text = trusted_file::read_text(path, Holds::Secret, &mut warnings);
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let text = text.map_err(|fault| faults.push(named(fault))).ok()?;
    text.parse().map_err(|error: tenantry_auth::seal::NotAMasterKey| faults.push(named(error.to_string()))).ok()
}

fn missing(what: &str) -> Exit {
    Exit::settings(vec![format!("{what}. It names the file with the key that encrypts secrets; {HOW}")])
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn a_key_file_is_its_owners_alone_and_is_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("master.key");
        write(&path, 3).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&path).unwrap();
        assert!(write(&path, 3).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        let mut faults = Vec::new();
        assert_eq!(read(&path, &mut faults).unwrap().id().version(), 3);
        fs::write(&path, text.get(..20).unwrap()).unwrap();
        assert!(read(&path, &mut faults).is_none());
        assert!(
            faults.len() == 1 && faults[0].contains("master.key") && !faults[0].contains(&text[3..20]),
            "{faults:?}"
        );
    }
}
