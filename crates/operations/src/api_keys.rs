//! API keys: list, show, create, rotate, revoke.

use chrono::{DateTime, Utc};
use tenantry_auth::Secret;
use tenantry_domain::{
    Action, Actor, ApiKey, ApiKeyDetails, ApiKeyId, Change, Conflict, Credential, Error, InTenant, NewApiKey, Overlap,
    Page, PageRequest, Precondition, own_api_key,
};
use tenantry_persistence::{ApiKeyFilter, Fault, Store, WriteTx, new_id, nowhere};

use crate::invitations;

/// A page of the tenant's keys.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn list(
    store: &Store,
    credential: &Credential,
    filter: ApiKeyFilter,
    page: PageRequest,
) -> Result<Page<ApiKey>, Error> {
    store.read(credential, InTenant, Action::ApiKeyList, move |tx| tx.api_keys(&filter, &page)).await
}

/// A key, without its secret.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn show(store: &Store, credential: &Credential, id: ApiKeyId) -> Result<ApiKey, Error> {
    store.read(credential, InTenant, Action::ApiKeyRead, move |tx| tx.api_key(id)).await
}

/// Makes a key. The secret can be read this once.
///
/// # Errors
///
/// Those of [`Store::write`], `Forbidden` for a key that would grant more than the caller has, and `Invalid` for an expiry that is
/// past or a restriction to something that is not there.
pub async fn create(store: &Store, credential: &Credential, details: ApiKeyDetails) -> Result<(ApiKey, Secret), Error> {
    store.permissions().all_are_known(&details.scopes)?;
    let (secret, new) = prepare(credential, Action::ApiKeyCreate, details)?;
    let id = new_id();
    let key = store.write(credential, InTenant, Action::ApiKeyCreate, move |tx| create_in(tx, id, &new)).await?;
    Ok((key, secret))
}

pub(crate) fn create_in(
    tx: &mut WriteTx<'_, InTenant>,
    id: ApiKeyId,
    new: &NewApiKey,
) -> Result<Change<ApiKey>, Fault> {
    // Nobody gives while they are being removed or revoked.
    tx.lock_members()?;
    new.details.lives_at(tx.clock()?)?;
    new.details.within(tx.grant(), tx.permissions())?;
    let key = tx.create_api_key(id, new)?;
    let fields = key.fields();
    Ok(Change::created(key, id, &fields))
}

/// Makes a new key that is like an existing one, which ends after the overlap. The secret can be read this once. A key is rotated
/// once: its details are copied as they were before its own end was brought forward.
///
/// # Errors
///
/// Those of [`Store::write`], `Forbidden` for a key that grants more than the caller has or that it may not read, and `Conflict` for
/// one that has ended or was rotated.
pub async fn rotate(
    store: &Store,
    credential: &Credential,
    old: ApiKeyId,
    overlap: Overlap,
) -> Result<(ApiKey, Secret), Error> {
    let details = show_for_rotation(store, credential, old).await?.details;
    let (secret, prepared) = prepare(credential, Action::ApiKeyRotate, details)?;
    let id: ApiKeyId = new_id();
    let key = store
        .write(credential, InTenant, Action::ApiKeyRotate, move |tx| {
            tx.lock_members()?;
            let before = tx.lock_api_key(old)?;
            let now = tx.clock()?;
            rotatable(&before, now)?;
            let new = NewApiKey { details: before.details.clone(), ..prepared.clone() };
            new.details.within(tx.grant(), tx.permissions())?;
            let key = tx.create_api_key(id, &new)?;
            let end = now + overlap.duration();
            let end = before.details.expires_at.map_or(end, |at| at.min(end));
            let after = tx.replace_api_key(old, id, end)?;
            Ok(Change::between(key, old, &before.fields(), &after.fields()))
        })
        .await?;
    Ok((key, secret))
}

fn rotatable(key: &ApiKey, now: DateTime<Utc>) -> Result<(), Error> {
    match key.replaced_by {
        Some(replacement) if key.revoked_at.is_none() => Err(Error::conflict(
            Conflict::ApiKeyRotated,
            format!(
                "This API key was already rotated. If you do not have the secret of the new key {replacement}, rotate that one."
            ),
        )),
        _ if key.revoked_at.is_some() || key.details.expires_at.is_some_and(|at| at <= now) => {
            Err(Error::conflict(Conflict::ApiKeyEnded, "This API key is revoked or expired. Create a new one instead."))
        }
        _ => Ok(()),
    }
}

/// The key that is to be rotated, read ahead of the transaction: its secret says its mode, which never changes.
async fn show_for_rotation(store: &Store, credential: &Credential, id: ApiKeyId) -> Result<ApiKey, Error> {
    store
        .read(credential, InTenant, Action::ApiKeyRotate, move |tx| {
            // The new key shows what this one may do. A key knows that of itself.
            if *tx.actor() != Actor::ApiKey(id) {
                tx.permit(Action::ApiKeyRead)?;
            }
            tx.api_key(id)
        })
        .await
}

/// A secret for a new key, and what is stored of it.
pub(crate) fn prepare(
    credential: &Credential,
    action: Action,
    details: ApiKeyDetails,
) -> Result<(Secret, NewApiKey), Error> {
    let tenant = credential.tenant().ok_or_else(|| nowhere(credential, action))?;
    let secret = tenantry_auth::issue(tenant, details.mode)?;
    let new = NewApiKey { details, hash: secret.hash(), last_four: secret.last_four().to_owned() };
    Ok((secret, new))
}

/// Ends a key at once, everywhere, and revokes the pending invitations that were made with it. A key that has been revoked already stays as it is. The caller's own key ends only if
/// `own` says so.
///
/// # Errors
///
/// Those of [`Store::write`], `PreconditionFailed`, and `Conflict` for the caller's own key.
pub async fn revoke(
    store: &Store,
    credential: &Credential,
    id: ApiKeyId,
    precondition: Precondition,
    own: bool,
) -> Result<(), Error> {
    store
        .write(credential, InTenant, Action::ApiKeyRevoke, move |tx| {
            tx.lock_members()?;
            let before = tx.lock_api_key(id)?;
            tx.hold(&precondition, before.version)?;
            if before.revoked_at.is_some() {
                return Ok(Change::nothing(()));
            }
            if !own && *tx.actor() == Actor::ApiKey(id) {
                return Err(own_api_key().into());
            }
            let after = tx.revoke_api_key(id)?;
            let withdrawn = invitations::withdraw(tx, &Actor::ApiKey(id), None)?;
            Ok(Change::between((), id, &before.fields(), &after.fields()).along(withdrawn))
        })
        .await
}
