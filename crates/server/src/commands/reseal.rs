//! `tenantry reseal`.

use clap::Args;
use serde_json::{Value, json};
use tenantry_auth::seal::MasterKeys;
use tenantry_domain::counted;
use tenantry_operations::{
    Store,
    integrations::{self, Resealed, Resealing},
};

use super::tenant::operator;
use crate::{
    consent::{Consent, Manner, ask},
    database::with_store,
    exit::Exit,
    master_keys,
    output::Output,
    settings::Settings,
};

/// Re-encrypt the secrets of integrations under the current master key, while the service runs.
#[derive(Args)]
pub(crate) struct Reseal {
    /// Delete secrets that cannot be decrypted because their key is lost; they must be set again
    #[arg(long)]
    discard_unopened: bool,
    #[command(flatten)]
    consent: Consent,
}

pub(crate) fn run(reseal: &Reseal, settings: &Settings, output: &Output) -> Result<(), Exit> {
    crate::logging::start(settings);
    let how = if reseal.discard_unopened { Resealing::Discard } else { Resealing::Reseal };
    // Re-encrypting alone destroys nothing, so that it asks nobody.
    let manner = match (how, reseal.consent.is_dry_run()) {
        (_, true) => Manner::Rehearse,
        (Resealing::Discard, false) => reseal.consent.manner()?,
        (Resealing::Reseal, false) => Manner::Act,
    };
    let keys = master_keys::required(settings)?;
    let version = keys.sealing().version();
    let done = with_store(settings, async |store| act(store, &keys, how, manner).await)?;
    let dry_run = manner == Manner::Rehearse;
    output.print(&json(&done, version, dry_run), || words(&done, version, (how, dry_run)))?;
    if !dry_run && !done.left.is_empty() {
        return Err(Exit::failed(
            "some secrets cannot be decrypted: the log lists them. Add their master key and run this again, or set the secrets again",
        ));
    }
    Ok(())
}

async fn act(store: &Store, keys: &MasterKeys, mut how: Resealing, manner: Manner) -> Result<Resealed, Exit> {
    let operator = operator(None)?;
    if manner != Manner::Act {
        let would = integrations::reseal(&store.rehearsal(), keys, &operator, how).await?;
        if manner == Manner::Rehearse {
            return Ok(would);
        }
        if would.unopened > 0 {
            ask(&format!(
                "This re-encrypts {} and deletes {} that cannot be decrypted.\nWhat is deleted must be set again. Nobody can take \
                 that back.",
                counted(would.resealed, "secret"),
                counted(would.unopened, "secret"),
            ))?;
        } else {
            // Nobody was asked, so nothing is deleted either, should a secret stop opening meanwhile.
            how = Resealing::Reseal;
        }
    }
    Ok(integrations::reseal(store, keys, &operator, how).await?)
}

fn json(done: &Resealed, version: u16, dry_run: bool) -> Value {
    let left: Vec<_> =
        done.left.iter().map(|(version, count)| json!({ "version": version, "secrets": count })).collect();
    json!({
        "version": version, "dryRun": dry_run, "tenants": done.tenants, "resealed": done.resealed,
        "unopened": done.unopened, "left": left,
    })
}

fn words(done: &Resealed, version: u16, (how, dry_run): (Resealing, bool)) -> String {
    let Resealed { tenants, resealed, unopened, left } = done;
    let (verb, failed) = match (dry_run, how) {
        (true, Resealing::Discard) => ("to re-encrypt", "to delete, because they cannot be decrypted"),
        (true, Resealing::Reseal) => ("to re-encrypt", "cannot be decrypted"),
        (false, Resealing::Discard) => ("re-encrypted", "deleted, because they could not be decrypted"),
        (false, Resealing::Reseal) => ("re-encrypted", "could not be decrypted"),
    };
    let (secrets, tenants) = (counted(*resealed, "secret"), counted(*tenants, "tenant"));
    let mut lines = vec![format!("{verb} under version {version}: {secrets} of {tenants}")];
    if *unopened > 0 {
        lines.push(format!("{failed}: {unopened}"));
    }
    lines.extend(left.iter().map(|(version, count)| format!("still under version {version}: {count}")));
    if left.is_empty() {
        lines.push(format!("no secret needs another key than version {version}"));
    }
    if dry_run {
        lines.push("This was a dry run: nothing has changed.".to_owned());
    }
    lines.join("\n")
}
