//! `tenantry master-key`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::{exit::Exit, master_keys, output::Output, settings::Settings};

/// A new master key.
#[derive(Args)]
pub(crate) struct NewMasterKey {
    /// The file to write, which must not be there yet; only its owner can read it
    file: PathBuf,
    /// Its version, 1 to 65535; one more than that of the newest key in the settings unless given
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    version: Option<u16>,
    /// Leave a file that is there as it is
    #[arg(long)]
    if_missing: bool,
}

pub(crate) fn run(new: &NewMasterKey, settings: &Settings, output: &Output) -> Result<(), Exit> {
    let file = new.file.display().to_string();
    if new.if_missing && new.file.exists() {
        return output.print(&json!({ "file": file, "made": false }), || format!("{file} is there already"));
    }
    let version = match new.version {
        Some(version) => version,
        None => next_version(settings)?,
    };
    master_keys::write(&new.file, version)?;
    output.print(&json!({ "file": file, "version": version, "made": true }), || {
        format!(
            "wrote {file}: a master key of version {version}\nKeep a copy apart from the database: without the key, what is \
             sealed under it is lost."
        )
    })
}

/// A key in use keeps its version, and another key must not have it.
fn next_version(settings: &Settings) -> Result<u16, Exit> {
    // The file that is to be made may be the one that the settings name already.
    let missing = settings.master_key_file.as_ref().is_some_and(|path| !path.exists());
    let known =
        if missing && settings.other_master_key_files.is_empty() { None } else { master_keys::present(settings)? };
    let newest = known.map_or(0, |keys| keys.newest());
    newest.checked_add(1).ok_or_else(|| Exit::usage("there is no version after 65535"))
}
