//! Looking after the master keys: which ones are needed, and sealing everything under the one that seals now.

use std::collections::BTreeMap;

use tenantry_auth::seal::{MasterKeys, SealContext};
use tenantry_domain::{
    Action, Change, Credential, Error, Fields, Holder, InTenant, MasterKeyId, Origin, Platform, Provider, TenantId,
    WebhookId, WorkspaceId,
};
use tenantry_persistence::Store;

use super::does_not_open;
use crate::webhooks;

const CHECK: &str = "check master keys";

/// How many tenants are looked up at a time.
const PAGE: u8 = 100;

/// The master keys that stored secrets are sealed under.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn needed_master_keys(store: &Store) -> Result<Vec<MasterKeyId>, Error> {
    let job = Credential { holder: Holder::Job { name: CHECK, tenant: None }, origin: Origin::default() };
    store.read(&job, Platform, Action::TenantList, |tx| tx.master_keys()).await
}

/// What resealing did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resealed {
    /// How many tenants had something to be sealed anew.
    pub tenants: u64,
    /// How many secrets are sealed under the new key now.
    pub resealed: u64,
    /// How many did not open.
    pub unopened: u64,
    /// How many are still sealed under another key, by its version. A key that is not among them is not needed any more.
    pub left: BTreeMap<u16, i64>,
}

/// What to do about secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resealing {
    /// Seal them anew, and leave those that do not open.
    Reseal,
    /// Seal them anew, and put those aside that do not open: somebody has to set them again. See [`may_discard`].
    Discard {
        /// The version of the key that is lost, if that is why they do not open. No others are put aside then.
        lost: Option<u16>,
    },
}

impl Resealing {
    /// Whether a secret that is stored under this version is put aside if it does not open.
    fn discards(self, version: u16) -> bool {
        match self {
            Self::Reseal => false,
            Self::Discard { lost } => lost.is_none_or(|lost| lost == version),
        }
    }
}

/// Whether secrets that do not open may be put aside: with a key that is lost, only if it really is not here; without one, only
/// if no key is missing, so that what does not open is damaged.
///
/// # Errors
///
/// Those of [`Store::read`]; the inner error is why not, in a sentence.
pub async fn may_discard(store: &Store, keys: &MasterKeys, lost: Option<u16>) -> Result<Result<(), String>, Error> {
    let needed = needed_master_keys(store).await?;
    let Some(lost) = lost else {
        let missing = keys.objections(&needed);
        return Ok(match missing.as_slice() {
            [] => Ok(()),
            missing => Err(format!(
                "{}. Name its file in TENANTRY_OTHER_MASTER_KEY_FILES. If it is lost for good, pass --lost-key with its version",
                missing.join("; ")
            )),
        });
    };
    let of_it: Vec<_> = needed.into_iter().filter(|key| key.version() == lost).collect();
    Ok(match of_it.as_slice() {
        [] => Err(format!("no stored secret is encrypted under a master key of version {lost}")),
        keys_of_it if keys.objections(keys_of_it).is_empty() => Err(format!(
            "the master key of version {lost} is here, so it is not lost, and its secrets can be decrypted"
        )),
        _ => Ok(()),
    })
}

/// Seals every secret under the key that seals now, tenant by tenant and one in each transaction, while the service runs. It may be
/// stopped anywhere, run again, and run twice at once. With [`Store::rehearsal`] it says what it would do, and what is left is what
/// is there now.
///
/// # Errors
///
/// Those of [`Store::write`]; what was done until then stays done.
pub async fn reseal(
    store: &Store,
    keys: &MasterKeys,
    operator: &Credential,
    how: Resealing,
) -> Result<Resealed, Error> {
    let (mut done, mut after) = (Resealed::default(), None);
    loop {
        let from = after;
        let tenants = store
            .read(operator, Platform, Action::TenantList, move |tx| tx.tenants_with_secrets(from, i64::from(PAGE)))
            .await?;
        let Some(last) = tenants.last() else { return Ok(done) };
        after = Some(*last);
        for tenant in tenants {
            let operator = in_tenant(operator, tenant);
            let stale = reseal_tenant(store, keys, &operator, (tenant, how), &mut done).await?;
            let counts = count(store, &operator).await?;
            done.tenants += u64::from(stale);
            for (version, count) in elsewise(keys, &counts) {
                *done.left.entry(version).or_default() += count;
            }
        }
    }
}

/// Says whether there was something to do.
async fn reseal_tenant(
    store: &Store,
    keys: &MasterKeys,
    operator: &Credential,
    (tenant, how): (TenantId, Resealing),
    done: &mut Resealed,
) -> Result<bool, Error> {
    let mut after = None;
    while let Some((workspace, provider, opened)) = reseal_next(store, keys, operator, (tenant, how), after).await? {
        *(if opened { &mut done.resealed } else { &mut done.unopened }) += 1;
        after = Some((workspace, provider));
    }
    let mut stale = after.is_some();
    let mut after = None;
    while let Some((webhook, opened)) = reseal_next_webhook(store, keys, operator, how, after).await? {
        *(if opened { &mut done.resealed } else { &mut done.unopened }) += 1;
        (after, stale) = (Some(webhook), true);
    }
    store
        .write(operator, InTenant, Action::IntegrationReseal, move |tx| {
            let (before, after) = tx.settle_master_keys()?;
            if before == after {
                return Ok(Change::nothing(stale));
            }
            let fields = |keys: &[MasterKeyId]| {
                let versions: Vec<_> = keys.iter().map(|key| key.version()).collect();
                Fields::new().with("masterKeyVersions", versions)
            };
            Ok(Change::between(true, tenant, &fields(&before), &fields(&after)))
        })
        .await
}

/// Seals the next secret anew; says which one, and whether it opened.
async fn reseal_next(
    store: &Store,
    keys: &MasterKeys,
    operator: &Credential,
    (tenant, how): (TenantId, Resealing),
    after: Option<(WorkspaceId, Provider)>,
) -> Result<Option<(WorkspaceId, Provider, bool)>, Error> {
    let keys = keys.clone();
    store
        .write(operator, InTenant, Action::IntegrationReseal, move |tx| {
            // The tenant before the row, as whoever sets a secret locks them.
            tx.note_master_key(keys.sealing())?;
            let Some(next) = tx.next_stale_secret(keys.sealing().version(), after)? else {
                return Ok(Change::nothing(None));
            };
            let (workspace, provider) = (next.workspace, next.provider);
            let field = provider.secret_field();
            let context = SealContext { tenant, workspace, provider, field, set_at: next.set_at };
            let Ok(secret) = keys.open(&context, &next.sealed) else {
                does_not_open(&context, &next.sealed);
                let value = Some((workspace, provider, false));
                if !how.discards(next.version) {
                    return Ok(Change::nothing(value));
                }
                tx.discard_sealed(workspace, provider, next.version)?;
                let name = format!("{provider}.{}", provider.secret_field());
                let (before, after) = (Fields::new().with(&name, "set"), Fields::new());
                return Ok(Change::between(value, workspace, &before, &after));
            };
            let sealed = keys.seal(&context, &secret)?;
            tx.store_resealed(workspace, provider, &sealed, keys.sealing())?;
            Ok(Change::bookkeeping(Some((workspace, provider, true))))
        })
        .await
}

/// [`reseal_next`] of the secrets of webhooks.
async fn reseal_next_webhook(
    store: &Store,
    keys: &MasterKeys,
    operator: &Credential,
    how: Resealing,
    after: Option<WebhookId>,
) -> Result<Option<(WebhookId, bool)>, Error> {
    let keys = keys.clone();
    store
        .write(operator, InTenant, Action::IntegrationReseal, move |tx| {
            let Some(next) = tx.next_stale_webhook(keys.sealing().version(), after)? else {
                return Ok(Change::nothing(None));
            };
            tx.note_master_key(keys.sealing())?;
            let (context, before) = (webhooks::context(&next.webhook), next.webhook);
            let Ok(secrets) = keys.open_webhook(&context, &next.sealed) else {
                webhooks::does_not_open(&before);
                let value = Some((before.id, false));
                if !how.discards(next.version) {
                    return Ok(Change::nothing(value));
                }
                let after = tx.discard_webhook_secrets(before.id)?;
                return Ok(Change::between(value, before.id, &before.fields(), &after.fields()));
            };
            let sealed = keys.seal_webhook(&context, &secrets)?;
            tx.store_resealed_webhook(before.id, &sealed, keys.sealing())?;
            Ok(Change::bookkeeping(Some((before.id, true))))
        })
        .await
}

async fn count(store: &Store, operator: &Credential) -> Result<BTreeMap<u16, i64>, Error> {
    store.read(operator, InTenant, Action::IntegrationReseal, |tx| tx.count_sealed()).await
}

/// The counts of the versions that do not seal now.
fn elsewise(keys: &MasterKeys, counts: &BTreeMap<u16, i64>) -> impl Iterator<Item = (u16, i64)> {
    let sealing = keys.sealing().version();
    counts.iter().map(|(version, count)| (*version, *count)).filter(move |(version, _)| *version != sealing)
}

/// The same operator inside a tenant.
pub(super) fn in_tenant(operator: &Credential, tenant: TenantId) -> Credential {
    let holder = match &operator.holder {
        Holder::Operator { name, .. } => Holder::Operator { name: name.clone(), tenant: Some(tenant) },
        other => other.clone(),
    };
    Credential { holder, origin: operator.origin.clone() }
}
