//! `tenantry reseal`.

use clap::Args;
use serde_json::json;
use tenantry_operations::integrations::{self, Resealed, Resealing};

use super::tenant::operator;
use crate::{database::with_store, exit::Exit, master_keys, output::Output, settings::Settings};

/// Re-encrypt the secrets of integrations under the current master key, while the service runs.
#[derive(Args)]
pub(crate) struct Reseal {
    /// Only count the secrets that would be re-encrypted
    #[arg(long)]
    dry_run: bool,
    /// Delete secrets that cannot be decrypted because their key is lost; somebody has to set them again
    #[arg(long, conflicts_with = "dry_run")]
    discard_unopened: bool,
}

pub(crate) fn run(reseal: &Reseal, settings: &Settings, output: &Output) -> Result<(), Exit> {
    crate::logging::start(settings);
    let (keys, operator) = (master_keys::required(settings)?, operator(None)?);
    let how = match (reseal.dry_run, reseal.discard_unopened) {
        (true, _) => Resealing::DryRun,
        (_, true) => Resealing::Discard,
        _ => Resealing::Reseal,
    };
    let version = keys.sealing().version();
    let done = with_store(settings, async move |store| integrations::reseal(store, &keys, &operator, how).await)?;
    let left: Vec<_> =
        done.left.iter().map(|(version, count)| json!({ "version": version, "secrets": count })).collect();
    let json = json!({
        "version": version, "dryRun": reseal.dry_run, "tenants": done.tenants, "resealed": done.resealed,
        "unopened": done.unopened, "left": left,
    });
    output.print(&json, || words(&done, version, reseal.dry_run))?;
    if how != Resealing::DryRun && !done.left.is_empty() {
        return Err(Exit::failed(
            "some secrets cannot be decrypted: the log lists them. Add their master key and run this again, or set the secrets again",
        ));
    }
    Ok(())
}

fn words(done: &Resealed, version: u16, dry_run: bool) -> String {
    let Resealed { tenants, resealed, unopened, left } = done;
    let verb = if dry_run { "to re-encrypt" } else { "re-encrypted" };
    let counted = |count: &u64, noun: &str| format!("{count} {noun}{}", if *count == 1 { "" } else { "s" });
    let (secrets, tenants) = (counted(resealed, "secret"), counted(tenants, "tenant"));
    let mut lines = vec![format!("{verb} under version {version}: {secrets} of {tenants}")];
    if *unopened > 0 {
        lines.push(format!("could not be decrypted: {unopened}"));
    }
    lines.extend(left.iter().map(|(version, count)| format!("still under version {version}: {count}")));
    if left.is_empty() {
        lines.push(format!("no secret needs another key than version {version}"));
    }
    lines.join("\n")
}
