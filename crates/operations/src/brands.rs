//! Brands: list, show, create, update, delete.

use tenantry_domain::{
    Action, AuditEvent, Brand, BrandId, BrandName, BrandPatch, Change, Conflict, Credential, Error, ExternalId,
    InBrand, InTenant, NewBrand, Noun, Page, PageRequest, Precondition, Record, SenderName, Written,
};
use tenantry_persistence::{BrandFilter, Fault, Store, WriteTx, new_id};

use crate::labels::Put;

/// A page of the brands that the caller sees.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn list(
    store: &Store,
    credential: &Credential,
    filter: BrandFilter,
    page: PageRequest,
) -> Result<Page<Brand>, Error> {
    store.read(credential, InTenant, Action::BrandList, move |tx| tx.brands(&filter, &page)).await
}

/// A brand.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn show(store: &Store, credential: &Credential, id: BrandId) -> Result<Brand, Error> {
    store.read(credential, InBrand::Id(id), Action::BrandRead, |tx| tx.brand()).await
}

/// The brand that has this external ID. What cannot be one is `None`, which no brand has.
///
/// # Errors
///
/// Those of [`Store::read`], and `NotFound` for a brand that is not there or not to be seen.
pub async fn show_called(
    store: &Store,
    credential: &Credential,
    external_id: Option<ExternalId>,
) -> Result<Brand, Error> {
    store
        .read(credential, InTenant, Action::BrandRead, move |tx| {
            let found = external_id.as_ref().map(|id| tx.brand_called(id)).transpose()?.flatten();
            Ok(found.ok_or(Error::NotFound(Noun::Brand))?)
        })
        .await
}

/// Creates the brand that has this external ID, or changes it if it is there. Needs the permissions for both.
///
/// # Errors
///
/// Those of [`create`] and [`update`].
pub async fn put_called(
    store: &Store,
    credential: &Credential,
    external_id: ExternalId,
    precondition: Precondition,
    (name, email_from_name): (BrandName, SenderName),
    patch: BrandPatch,
) -> Result<Written<Put<Brand>>, Error> {
    let new_id = new_id();
    let patch = BrandPatch {
        name: Some(name.clone()),
        email_from_name: Some(email_from_name.clone()),
        external_id: Some(Some(external_id.clone())),
        ..patch
    };
    store
        .write_and_show(credential, InTenant, Action::BrandCreate, move |tx| {
            tx.permit(Action::BrandUpdate)?;
            // Whoever puts, creates or deletes one in the tenant waits, so that there is one or none until the end.
            tx.lock_tenant()?;
            if let Some(found) = tx.brand_called(&external_id)? {
                let place = InBrand::Id(found.id);
                let after = tx.step(place, Action::BrandUpdate, |tx| update_in(tx, &precondition, &patch))?;
                return Ok(Change::nothing(Put::updated(after)));
            }
            precondition.hold_of_nothing()?;
            let new = patch.creating(name.clone(), email_from_name.clone())?;
            Ok(create_in(tx, new_id, &new)?.map(Put::created))
        })
        .await
}

/// Creates a brand.
///
/// # Errors
///
/// Those of [`Store::write`], and `Conflict` for a slug that was asked for and is taken.
pub async fn create(store: &Store, credential: &Credential, new: NewBrand) -> Result<Written<Brand>, Error> {
    let id = new_id();
    store.write_and_show(credential, InTenant, Action::BrandCreate, move |tx| create_in(tx, id, &new)).await
}

pub(crate) fn create_in(tx: &mut WriteTx<'_, InTenant>, id: BrandId, new: &NewBrand) -> Result<Change<Brand>, Fault> {
    let former = match new.is_default {
        true => {
            tx.permit(Action::BrandSetDefault)?;
            Some(tx.lock_default_brand()?)
        }
        false => None,
    };
    let brand = tx.create_brand(id, new)?;
    let fields = brand.fields();
    Ok(Change::created(brand, id, &fields).along(former.as_ref().map(no_longer_default)))
}

/// What the audit log says of the brand that was the default.
fn no_longer_default(former: &Brand) -> AuditEvent {
    Record::between(former.id, &former.fields(), &former.fields().with("isDefault", false)).event
}

/// Changes a brand. The default brand stops being the default only when another one takes over, which is an action of its own
/// because it changes both.
///
/// # Errors
///
/// Those of [`Store::write`], `PreconditionFailed`, `Forbidden` for a new slug by who could not create the brand (whether it is free
/// tells of all brands), and `Conflict` for a slug that is taken or for a tenant that would be left without a default brand.
pub async fn update(
    store: &Store,
    credential: &Credential,
    id: BrandId,
    precondition: Precondition,
    patch: BrandPatch,
) -> Result<Written<Brand>, Error> {
    store
        .write_and_show(credential, InBrand::Id(id), Action::BrandUpdate, move |tx| {
            update_in(tx, &precondition, &patch)
        })
        .await
}

fn update_in(
    tx: &mut WriteTx<'_, InBrand>,
    precondition: &Precondition,
    patch: &BrandPatch,
) -> Result<Change<Brand>, Fault> {
    let before = tx.lock_brand()?;
    let id = before.id;
    tx.hold(precondition, before.version)?;
    let wanted = before.patched(patch)?;
    if wanted == before {
        return Ok(Change::nothing(before));
    }
    if wanted.slug != before.slug {
        tx.permit(Action::BrandCreate)?;
    }
    if before.is_default && !wanted.is_default {
        return Err(stays_default(
            "A tenant must always have a default brand. Make another brand the default instead.",
        )
        .into());
    }
    let before = match wanted.is_default {
        true if !before.is_default => tx.step(InBrand::Id(id), Action::BrandSetDefault, set_default_in)?,
        _ => before,
    };
    if before.fields() == wanted.fields() {
        return Ok(Change::nothing(before));
    }
    let after = tx.update_brand(&before, &wanted)?;
    Ok(Change::between(after, id, &before.fields(), &wanted.fields()))
}

fn set_default_in(tx: &mut WriteTx<'_, InBrand>) -> Result<Change<Brand>, Fault> {
    let (brand, former) = tx.make_default()?;
    let (id, fields) = (brand.id, brand.fields());
    let before = brand.fields().with("isDefault", false);
    Ok(Change::between(brand, id, &before, &fields).along([no_longer_default(&former)]))
}

/// Deletes a brand, and with it the API keys that are restricted to it.
///
/// # Errors
///
/// Those of [`Store::write`], `PreconditionFailed`, and `Conflict` for the default brand or one that has workspaces.
pub async fn delete(
    store: &Store,
    credential: &Credential,
    id: BrandId,
    precondition: Precondition,
) -> Result<(), Error> {
    store
        .write(credential, InBrand::Id(id), Action::BrandDelete, move |tx| {
            let before = tx.lock_brand()?;
            tx.hold(&precondition, before.version)?;
            if before.is_default {
                return Err(stays_default(
                    "The default brand cannot be deleted. Make another brand the default first.",
                )
                .into());
            }
            let keys = tx.api_keys_of_brand()?;
            tx.delete_brand()?;
            let removed = Change::removed((), id, &before.fields());
            Ok(removed.along(keys.iter().map(|key| Record::removed(key.id, &key.fields()).event)))
        })
        .await
}

fn stays_default(message: &str) -> Error {
    Error::conflict(Conflict::DefaultBrand, message)
}
