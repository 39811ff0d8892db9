//! Secrets that were put aside because they did not decrypt. They are kept for a while, in case their key is found.

use tenantry_auth::seal::MasterKeys;
use tenantry_domain::{Action, Change, Credential, Error, Fields, InTenant, Provider, WorkspaceId};
use tenantry_persistence::Store;

use super::master_keys::in_tenant;
use crate::housekeeping::Tenants;

/// For how many days they are kept.
pub const DISCARDED_DAYS: i32 = tenantry_persistence::DISCARDED_DAYS;

const TAKE_BACK: &str = "take back discarded secrets";

/// Puts back every secret that was put aside, where no other was set since; returns how many, and how many of them decrypt with
/// these keys. With [`Store::rehearsal`] it says what it would do.
///
/// # Errors
///
/// Those of [`Store::write`]; what was done until then stays done.
pub async fn take_back_discarded(
    store: &Store,
    keys: Option<&MasterKeys>,
    operator: &Credential,
) -> Result<(u64, Vec<String>), Error> {
    let mut taken = 0;
    let mut tenants = Tenants::new(TAKE_BACK);
    while let Some(ids) = tenants.next(store).await? {
        for id in ids {
            let operator = in_tenant(operator, id);
            let mut after = None;
            while let Some(place) = take_back_next(store, &operator, after).await? {
                (taken, after) = (taken + 1, Some(place));
            }
        }
    }
    let needed = super::needed_master_keys(store).await?;
    Ok((taken, keys.map(|keys| keys.objections(&needed)).unwrap_or_default()))
}

async fn take_back_next(
    store: &Store,
    operator: &Credential,
    after: Option<(WorkspaceId, Provider)>,
) -> Result<Option<(WorkspaceId, Provider)>, Error> {
    store
        .write(operator, InTenant, Action::IntegrationReseal, move |tx| {
            let Some((workspace, provider, key)) = tx.next_discarded(after)? else { return Ok(Change::nothing(None)) };
            tx.note_master_key(&key)?;
            tx.take_back_discarded(workspace, provider, &key)?;
            let name = format!("{provider}.{}", provider.secret_field());
            let (before, now) = (Fields::new(), Fields::new().with(&name, "set"));
            Ok(Change::between(Some((workspace, provider)), workspace, &before, &now))
        })
        .await
}
