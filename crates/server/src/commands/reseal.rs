//! `tenantry reseal`.

use clap::Args;
use serde_json::{Value, json};
use tenantry_auth::seal::MasterKeys;
use tenantry_domain::counted;
use tenantry_operations::{
    Store,
    integrations::{self, DISCARDED_DAYS, Resealed, Resealing},
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
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Reseal {
    /// Give up secrets that cannot be decrypted; they must be set again. For 30 days --take-back puts them back
    #[arg(long)]
    discard_unopened: bool,
    /// The version of the master key that is lost for good. Without it, only damaged secrets are given up
    #[arg(long, value_name = "VERSION", requires = "discard_unopened", value_parser = clap::value_parser!(u16).range(1..))]
    lost_key: Option<u16>,
    /// Put back the secrets that were given up, because their key was found; those that were set again stay
    #[arg(long, conflicts_with_all = ["discard_unopened", "yes"])]
    take_back: bool,
    #[command(flatten)]
    consent: Consent,
}

const EXAMPLES: &str = "\
Examples:
  After a rotation of the master key:
    tenantry reseal
  The master key of version 1 is lost for good:
    tenantry master-key --version 2 /etc/tenantry/master-2.key
    tenantry reseal --discard-unopened --lost-key 1 --dry-run
    tenantry reseal --discard-unopened --lost-key 1
  It was found after all, within 30 days. Name its file in TENANTRY_OTHER_MASTER_KEY_FILES, then:
    tenantry reseal --take-back";

pub(crate) fn run(reseal: &Reseal, settings: &Settings, output: &Output) -> Result<(), Exit> {
    crate::logging::start(settings);
    if reseal.take_back {
        return take_back(reseal.consent.is_dry_run(), settings, output);
    }
    let how = if reseal.discard_unopened { Resealing::Discard { lost: reseal.lost_key } } else { Resealing::Reseal };
    // Re-encrypting alone destroys nothing, so that it asks nobody.
    let manner = match (how, reseal.consent.is_dry_run()) {
        (_, true) => Manner::Rehearse,
        (Resealing::Discard { .. }, false) => reseal.consent.manner()?,
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
    if let Resealing::Discard { lost } = how {
        integrations::may_discard(store, keys, lost).await?.map_err(Exit::conflict)?;
    }
    if manner != Manner::Act {
        let would = integrations::reseal(&store.rehearsal(), keys, &operator, how).await?;
        if manner == Manner::Rehearse {
            return Ok(would);
        }
        if would.unopened > 0 {
            ask(&format!(
                "This re-encrypts {} and gives up {} that cannot be decrypted{}.\nWhat is given up must be set again. For \
                 {DISCARDED_DAYS} days, `tenantry reseal --take-back` puts it back where nobody has set it again.",
                counted(would.resealed, "secret"),
                counted(would.unopened, "secret"),
                match how {
                    Resealing::Discard { lost: Some(version) } =>
                        format!(", because the master key of version {version} is lost"),
                    _ => ", because they are damaged".to_owned(),
                },
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
        (true, Resealing::Discard { .. }) => ("to re-encrypt", "to give up, because they cannot be decrypted"),
        (true, Resealing::Reseal) => ("to re-encrypt", "cannot be decrypted"),
        (false, Resealing::Discard { .. }) => ("re-encrypted", "given up, because they could not be decrypted"),
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
    if *unopened > 0 && !dry_run && matches!(how, Resealing::Discard { .. }) {
        lines.push(format!("For {DISCARDED_DAYS} days, `tenantry reseal --take-back` puts back what was given up."));
    }
    if dry_run {
        lines.push("This was a dry run: nothing has changed.".to_owned());
    }
    lines.join("\n")
}

/// Puts back what was given up. That destroys nothing, so nobody is asked.
fn take_back(dry_run: bool, settings: &Settings, output: &Output) -> Result<(), Exit> {
    let keys = master_keys::present(settings)?;
    let (taken, missing) = with_store(settings, async |store| {
        let operator = operator(None)?;
        let store = if dry_run { store.rehearsal() } else { store.clone() };
        Ok(integrations::take_back_discarded(&store, keys.as_ref(), &operator).await?)
    })?;
    output.print(&json!({ "dryRun": dry_run, "takenBack": taken, "missingKeys": missing }), || {
        let verb = if dry_run { "to put back" } else { "put back" };
        let mut lines = vec![format!("{verb}: {}", counted(taken, "secret"))];
        lines.extend(missing.iter().map(|missing| format!("{missing}: `serve` does not start without it")));
        lines.extend(dry_run.then(|| "This was a dry run: nothing has changed.".to_owned()));
        lines.join("\n")
    })
}
