//! Brands: list, show, create, update, delete.

use tenantry_domain::{
    Action, Brand, BrandId, BrandPatch, Change, Conflict, Credential, Error, InBrand, InTenant, NewBrand, Page,
    PageRequest, Precondition,
};
use tenantry_persistence::{Fault, Store, WriteTx, new_id};

/// A page of the brands that the caller sees, with `search` somewhere in the name if given.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn list(
    store: &Store,
    credential: &Credential,
    search: Option<String>,
    page: PageRequest,
) -> Result<Page<Brand>, Error> {
    store.read(credential, InTenant, Action::BrandList, move |tx| tx.brands(search.as_deref(), &page)).await
}

/// A brand.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn show(store: &Store, credential: &Credential, id: BrandId) -> Result<Brand, Error> {
    store.read(credential, InBrand::Id(id), Action::BrandRead, |tx| tx.brand()).await
}

/// Creates a brand.
///
/// # Errors
///
/// Those of [`Store::write`], and `Conflict` for a slug that was asked for and is taken.
pub async fn create(store: &Store, credential: &Credential, new: NewBrand) -> Result<Brand, Error> {
    let id = new_id();
    store.write(credential, InTenant, Action::BrandCreate, move |tx| create_in(tx, id, &new)).await
}

pub(crate) fn create_in(tx: &mut WriteTx<'_, InTenant>, id: BrandId, new: &NewBrand) -> Result<Change<Brand>, Fault> {
    let brand = tx.create_brand(id, new)?;
    let members = brand.members();
    Ok(Change::created(brand, id, &members))
}

/// Changes a brand. The default brand stops being the default only when another one takes over.
///
/// # Errors
///
/// Those of [`Store::write`], `PreconditionFailed`, and `Conflict` for a slug that is taken or for a tenant that would be left
/// without a default brand.
pub async fn update(
    store: &Store,
    credential: &Credential,
    id: BrandId,
    precondition: Precondition,
    patch: BrandPatch,
) -> Result<Brand, Error> {
    store
        .write(credential, InBrand::Id(id), Action::BrandUpdate, move |tx| {
            let before = tx.lock_brand()?;
            precondition.hold(before.version)?;
            let wanted = before.patched(&patch);
            if wanted == before {
                return Ok(Change::nothing(before));
            }
            if before.is_default && !wanted.is_default {
                return Err(stays_default(
                    "A tenant must always have a default brand. Make another brand the default instead.",
                )
                .into());
            }
            let after = tx.update_brand(&wanted)?;
            Ok(Change::between(after, id, &before.members(), &wanted.members()))
        })
        .await
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
            precondition.hold(before.version)?;
            if before.is_default {
                return Err(stays_default(
                    "The default brand cannot be deleted. Make another brand the default first.",
                )
                .into());
            }
            tx.delete_brand()?;
            Ok(Change::removed((), id, &before.members()))
        })
        .await
}

fn stays_default(message: &str) -> Error {
    Error::conflict(Conflict::DefaultBrand, message)
}
