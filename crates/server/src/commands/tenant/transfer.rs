//! `tenantry tenant export` and `import`.

use std::{
    fs::{self, File},
    io::{self, IsTerminal, Seek},
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;
use tenantry_operations::transfer::{self, Counts};

use crate::{
    exit::Exit,
    named::{One, in_tenant},
    new_file::{NewFile, unwritable},
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
    let kept = NewFile::begin(path, WHAT)?;
    let file = kept.file()?;
    let counts = in_tenant(settings, &export.one.tenant, async |store, operator| {
        Ok(transfer::export(store, operator, file).await?)
    })?;
    let Some(path) = path else {
        return copy_out(&mut kept.file()?);
    };
    kept.finish()?;
    output.print(&json!({ "exported": counts, "file": path }), || words("exported", counts))
}

/// What the file is, for messages.
const WHAT: &str = "export";

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
    output.print(&json!({ "imported": counts }), || format!("{}\n{STAYS_BEHIND}", words("imported", counts)))
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
    file.rewind().map_err(|error| unwritable(None, WHAT, &error))?;
    match io::copy(file, &mut io::stdout().lock()) {
        // A reader that has gone away has read enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(unwritable(None, WHAT, &error)),
        _ => Ok(()),
    }
}

/// What is read once as a file, which can be read again if the transaction runs again.
fn spooled(from: &mut impl io::Read) -> Result<File, Exit> {
    let mut file = tempfile::tempfile().map_err(|error| unwritable(Some(&std::env::temp_dir()), WHAT, &error))?;
    io::copy(from, &mut file).map_err(|error| Exit::failed(format!("cannot copy what is to be imported: {error}")))?;
    Ok(file)
}

/// What does not come along, for people. The whole list, column by column, is `transfer::LEFT_BEHIND`.
const STAYS_BEHIND: &str = "API keys (create new ones), the audit log and emails that were waiting stay behind in the old service. \
                            Pending invitations are expired: resend them. State and limits are those of this tenant.";

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
