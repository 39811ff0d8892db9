//! `tenantry tenant export` and `import`.

use std::{
    fs::File,
    io::{self, Seek},
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;
use tempfile::NamedTempFile;
use tenantry_operations::transfer::{self, Counts};

use super::{operator, tenant_id};
use crate::{database::with_store, exit::Exit, output::Output, settings::Settings};

#[derive(Args)]
pub(crate) struct Export {
    /// The tenant's id
    tenant: String,
    /// Write to this file, which only you can read. Default: standard output
    #[arg(long)]
    file: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Import {
    /// The id of an empty tenant: one that has only its default brand and keys
    tenant: String,
    /// Read this file. Default: standard input
    #[arg(long)]
    file: Option<PathBuf>,
}

/// A failed export leaves no partial output, neither in the file nor on standard output.
pub(super) fn export(export: &Export, settings: &Settings, output: &Output) -> Result<(), Exit> {
    let operator = operator(Some(tenant_id(&export.tenant)?))?;
    let directory = export.file.as_deref().map(directory_of);
    let kept = match directory {
        Some(directory) => NamedTempFile::new_in(directory),
        None => NamedTempFile::new(),
    };
    let mut kept = kept.map_err(unwritable)?;
    let file = kept.as_file().try_clone().map_err(unwritable)?;
    let counts = with_store(settings, async move |store| transfer::export(store, &operator, file).await)?;
    let Some(path) = &export.file else {
        return copy_out(kept.as_file_mut());
    };
    kept.persist(path).map_err(|error| unwritable(error.error))?;
    output.print(&json!({ "exported": counts, "file": path }), || words("exported", counts))
}

pub(super) fn import(import: &Import, settings: &Settings, output: &Output) -> Result<(), Exit> {
    let operator = operator(Some(tenant_id(&import.tenant)?))?;
    let file = match &import.file {
        Some(path) => {
            File::open(path).map_err(|error| Exit::failed(format!("cannot read {}: {error}", path.display())))?
        }
        None => spooled()?,
    };
    let counts = with_store(settings, async move |store| transfer::import(store, &operator, file).await)?;
    output.print(&json!({ "imported": counts }), || words("imported", counts))
}

/// The directory of the file. The export is written there under another name and renamed when it is complete.
fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn copy_out(file: &mut File) -> Result<(), Exit> {
    file.rewind().map_err(unwritable)?;
    match io::copy(file, &mut io::stdout().lock()) {
        // A reader that has gone away has read enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(unwritable(error)),
        _ => Ok(()),
    }
}

/// Standard input as a file, which can be read again if the transaction runs again.
fn spooled() -> Result<File, Exit> {
    let mut file = tempfile::tempfile().map_err(unwritable)?;
    io::copy(&mut io::stdin().lock(), &mut file)
        .map_err(|error| Exit::failed(format!("cannot read standard input: {error}")))?;
    Ok(file)
}

fn unwritable(error: io::Error) -> Exit {
    Exit::failed(format!("cannot write the file: {error}"))
}

fn words(verb: &str, counts: Counts) -> String {
    let mut words = format!("{verb}  {counts}");
    let secrets_to_set = counts.secrets_to_set;
    if secrets_to_set > 0 {
        words += &format!(
            "\nSecrets of integrations are never exported: {secrets_to_set} must be set again after the import."
        );
    }
    words
}
