//! `tenantry tenant export` and `import`.

use std::{
    fs::{self, File},
    io::{self, IsTerminal, Seek},
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;
use tempfile::NamedTempFile;
use tenantry_operations::transfer::{self, Counts, unwritten};

use crate::{
    exit::Exit,
    named::{One, in_tenant},
    output::Output,
    settings::Settings,
};

#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    one: One,
    /// Write to this file, which must not exist yet and which only you can read. Default: standard output
    #[arg(long)]
    file: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Import {
    #[command(flatten)]
    one: One,
    /// Read this file. Default: standard input
    #[arg(long)]
    file: Option<PathBuf>,
}

/// A failed export leaves no partial output, neither in the file nor on standard output.
pub(super) fn export(export: &Export, settings: &Settings, output: &Output) -> Result<(), Exit> {
    let path = export.file.as_deref().filter(|path| *path != Path::new("-"));
    if let Some(path) = path.filter(|path| path.symlink_metadata().is_ok()) {
        return Err(already_there(path));
    }
    let mut kept = beside(path).map_err(|error| unwritable(path, &error))?;
    let file = kept.as_file().try_clone().map_err(|error| unwritable(path, &error))?;
    let counts = in_tenant(settings, &export.one.tenant, async |store, operator| {
        Ok(transfer::export(store, operator, file).await?)
    })?;
    let Some(path) = path else {
        return copy_out(kept.as_file_mut());
    };
    // Some file systems only say now that the disk is full.
    kept.as_file().sync_all().map_err(|error| unwritable(Some(path), &error))?;
    kept.persist_noclobber(path).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => already_there(path),
        _ => unwritable(Some(path), &error.error),
    })?;
    output.print(&json!({ "exported": counts, "file": path }), || words("exported", counts))
}

pub(super) fn import(import: &Import, settings: &Settings, output: &Output) -> Result<(), Exit> {
    let file = match import.file.as_deref().filter(|path| *path != Path::new("-")) {
        Some(path) => open(path).map_err(|error| Exit::failed(format!("cannot read {}: {error}", path.display())))?,
        None if io::stdin().is_terminal() => {
            return Err(Exit::usage("name the file to import with --file, or pipe it in"));
        }
        None => spooled(&mut io::stdin().lock())?,
    };
    let counts = in_tenant(settings, &import.one.tenant, async |store, operator| {
        Ok(transfer::import(store, operator, file).await?)
    })?;
    output.print(&json!({ "imported": counts }), || words("imported", counts))
}

/// A file under another name, in the directory of the path. It is renamed when it is complete, and removed
/// after an error. A process that is killed leaves it.
fn beside(path: Option<&Path>) -> io::Result<NamedTempFile> {
    let Some(path) = path else { return NamedTempFile::new() };
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    tempfile::Builder::new().prefix(&format!(".{name}.")).suffix(".part").tempfile_in(directory)
}

fn already_there(path: &Path) -> Exit {
    let path = path.display();
    Exit::conflict(format!(
        "{path} already exists, and an export overwrites nothing: name another file, or remove it first"
    ))
}

/// The file to import. A pipe is copied first, because the file may be read twice.
fn open(path: &Path) -> io::Result<File> {
    let kind = fs::metadata(path)?;
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mut file = File::open(path)?;
    if kind.is_file() {
        return Ok(file);
    }
    spooled(&mut file).map_err(|exit| io::Error::other(exit.message))
}

fn copy_out(file: &mut File) -> Result<(), Exit> {
    file.rewind().map_err(|error| unwritable(None, &error))?;
    match io::copy(file, &mut io::stdout().lock()) {
        // A reader that has gone away has read enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(unwritable(None, &error)),
        _ => Ok(()),
    }
}

/// What is read once as a file, which can be read again if the transaction runs again.
fn spooled(from: &mut impl io::Read) -> Result<File, Exit> {
    let mut file = tempfile::tempfile().map_err(|error| unwritable(Some(&std::env::temp_dir()), &error))?;
    io::copy(from, &mut file).map_err(|error| Exit::failed(format!("cannot copy what is to be imported: {error}")))?;
    Ok(file)
}

fn unwritable(path: Option<&Path>, error: &io::Error) -> Exit {
    let to = path.map_or_else(|| "standard output".to_owned(), |path| path.display().to_string());
    Exit::failed(format!("cannot write the export to {to}: {}", unwritten(error)))
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
