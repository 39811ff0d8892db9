//! `tenantry tenant export`, `import` and `compare`.

use std::{
    fs::{self, File},
    io::{self, IsTerminal, Seek},
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;
use tenantry_domain::counted;
use tenantry_operations::transfer::{self, Counts, Sealing};

use super::operator;
use crate::{
    database::with_store,
    exit::Exit,
    master_keys,
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
    /// Export the secrets too, encrypted under the transfer key in this file (create it with `tenantry master-key`)
    #[arg(long, value_name = "TRANSFER-KEY")]
    sealed: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Import {
    /// The empty tenant that becomes a copy: its id, or its name. Default: create the tenant of the file, frozen
    #[arg(value_name = "TENANT")]
    tenant: Option<String>,
    /// Read this file. Default: standard input
    #[arg(long)]
    file: Option<PathBuf>,
    /// Import the secrets too, which are encrypted under the transfer key in this file
    #[arg(long, value_name = "TRANSFER-KEY", conflicts_with = "tenant")]
    sealed: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Compare {
    /// The export
    file: PathBuf,
    /// Compare the secrets too, which are encrypted under the transfer key in this file
    #[arg(long, value_name = "TRANSFER-KEY")]
    sealed: Option<PathBuf>,
}

/// What secrets travel under, if they do.
fn sealing(key: Option<&Path>, settings: &Settings) -> Result<Option<Sealing>, Exit> {
    let sealing = |path| Ok(Sealing { key: master_keys::transfer(path)?, keys: master_keys::required(settings)? });
    key.map(sealing).transpose()
}

/// A failed export leaves no partial output, neither in the file nor on standard output.
pub(super) fn export(export: &Export, settings: &Settings, output: &Output) -> Result<(), Exit> {
    let path = export.file.as_deref().filter(|path| *path != Path::new("-"));
    let sealing = sealing(export.sealed.as_deref(), settings)?;
    let kept = NewFile::begin(path, WHAT)?;
    let file = kept.file()?;
    let counts = in_tenant(settings, &export.one.tenant, async |store, operator| {
        Ok(match sealing {
            Some(sealing) => transfer::export_sealed(store, operator, file, sealing).await?,
            None => transfer::export(store, operator, file).await?,
        })
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
    let Some(tenant) = &import.tenant else {
        return move_in(file, sealing(import.sealed.as_deref(), settings)?, settings, output);
    };
    let counts =
        in_tenant(settings, tenant, async |store, operator| Ok(transfer::import(store, operator, file).await?))?;
    output.print(&json!({ "imported": counts }), || format!("{}\n{STAYS_BEHIND}", words("imported", counts)))
}

/// Creates the tenant of the file.
fn move_in(file: File, sealing: Option<Sealing>, settings: &Settings, output: &Output) -> Result<(), Exit> {
    let (id, sealed) = (transfer::tenant_of(&file)?, sealing.is_some());
    let counts =
        with_store(settings, async |store| Ok(transfer::move_in(store, &operator(None)?, file, sealing).await?))?;
    output.print(&json!({ "imported": counts, "tenant": id.to_string(), "frozen": true }), || {
        let left = if sealed { SEALED_LEAVES } else { BARE_LEAVES };
        format!(
            "{}\n{left}\nThe tenant {id} is frozen. Compare it with `tenantry tenant compare`, then `tenantry tenant unfreeze {id}`.",
            words("imported", counts)
        )
    })
}

/// Succeeds if the tenant of the file is what the file says.
pub(super) fn compare(compare: &Compare, settings: &Settings, output: &Output) -> Result<(), Exit> {
    let file = open(&compare.file)
        .map_err(|error| Exit::failed(format!("cannot read {}: {error}", compare.file.display())))?;
    let sealing = sealing(compare.sealed.as_deref(), settings)?;
    let id = transfer::tenant_of(&file)?;
    let compared =
        with_store(settings, async |store| Ok(transfer::compare(store, &operator(Some(id))?, file, sealing).await?))?;
    output.print(&json!(compared), || {
        let secrets = if compared.secrets { "with secrets" } else { "without secrets" };
        let mut lines = compared.differences.clone();
        lines.push(format!("{}, {secrets}", counted(compared.same, "equal row")));
        lines.join("\n")
    })?;
    match compared.different {
        0 => Ok(()),
        different => Err(Exit::failed(format!(
            "the tenant {id} is not what the file says: {}",
            counted(different, "difference")
        ))),
    }
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

/// What stays behind of a tenant that moves with its secrets.
const SEALED_LEAVES: &str =
    "The audit log and events that were not delivered to webhooks stay behind in the old service.";

/// What stays behind of a tenant that moves without its secrets.
const BARE_LEAVES: &str = "API keys (create new ones), secrets, the audit log, emails and events that were waiting stay behind in the old \
                           service. Pending invitations are expired: resend them.";

/// What does not come along into a copy, for people. The whole list, column by column, is `transfer::LEFT_BEHIND`.
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
