//! `tenantry master-key`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::{exit::Exit, master_keys, output::Output, settings::Settings};

/// Create a master key, which encrypts the secrets of integrations.
#[derive(Args)]
pub(crate) struct NewMasterKey {
    /// The file to create; it must not exist yet, and only its owner can read it
    file: PathBuf,
    /// Version of the key, 1 to 65535. Default: one more than the newest key in the settings
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    version: Option<u16>,
    /// Succeed without doing anything if the file exists
    #[arg(long)]
    if_missing: bool,
}

pub(crate) fn run(new: &NewMasterKey, settings: &Settings, output: &Output) -> Result<(), Exit> {
    let file = new.file.display().to_string();
    if new.if_missing && new.file.exists() {
        return output.print(&json!({ "file": file, "made": false }), || format!("{file} already exists"));
    }
    let version = match new.version {
        Some(version) => version,
        None => next_version(settings)?,
    };
    master_keys::write(&new.file, version)?;
    output.print(&json!({ "file": file, "version": version, "made": true }), || {
        format!(
            "wrote {file}: a master key of version {version}\nKeep a copy away from the database: without the key, the secrets \
             encrypted under it are lost."
        )
    })
}

/// Each key has its own version, which never changes.
fn next_version(settings: &Settings) -> Result<u16, Exit> {
    // The settings may already name the file that is to be created.
    let missing = settings.master_key_file.as_ref().is_some_and(|path| !path.exists());
    let known =
        if missing && settings.other_master_key_files.is_empty() { None } else { master_keys::present(settings)? };
    let newest = known.map_or(0, |keys| keys.newest());
    newest.checked_add(1).ok_or_else(|| Exit::usage("there is no version after 65535"))
}
