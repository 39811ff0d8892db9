//! The tenant itself, for those inside it; and tenants as such, for operators.

use tenantry_auth::Secret;
use tenantry_domain::{
    Action, ApiKeyDetails, Brand, BrandDetails, Change, Credential, Error, InTenant, KeyMode, NewApiKey, NewBrand,
    NewTenant, Page, PageRequest, Platform, Precondition, Tenant, TenantDetails, TenantPatch,
};
use tenantry_persistence::{Founding, Store, new_id};

/// The caller's tenant.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn show(store: &Store, credential: &Credential) -> Result<Tenant, Error> {
    store.read(credential, InTenant, Action::TenantRead, |tx| tx.tenant()).await
}

/// Changes the caller's tenant.
///
/// # Errors
///
/// Those of [`Store::write`], and `PreconditionFailed`.
pub async fn update(
    store: &Store,
    credential: &Credential,
    precondition: Precondition,
    patch: TenantPatch,
) -> Result<Tenant, Error> {
    store
        .write(credential, InTenant, Action::TenantUpdate, move |tx| {
            let before = tx.lock_tenant()?;
            precondition.hold(before.version)?;
            let details = before.details.patched(&patch);
            if details == before.details {
                return Ok(Change::nothing(before));
            }
            let after = tx.update_tenant(&details)?;
            Ok(Change::between(after, before.id, &before.details.members(), &details.members()))
        })
        .await
}

/// A tenant that was just created.
#[derive(Debug)]
pub struct Founded {
    /// The tenant.
    pub tenant: Tenant,
    /// Its default brand, which has its name.
    pub brand: Brand,
    /// Its owner's first key; this is the only time it can be read.
    pub secret: Secret,
}

/// Creates a tenant with a default brand and a first key that may do everything in it.
///
/// # Errors
///
/// Those of [`Store::write`], and `Invalid` for a country that has no language or currency to start from.
pub async fn create(store: &Store, credential: &Credential, new: NewTenant) -> Result<Founded, Error> {
    let details = TenantDetails { defaults: new.locale.resolve(None).map_err(Error::Invalid)?, name: new.name };
    let id = new_id();
    let secret = tenantry_auth::issue(id, KeyMode::Live)?;
    let key = NewApiKey {
        details: ApiKeyDetails::owner("Owner".parse().map_err(|refusal| Error::internal(format!("{refusal}")))?),
        hash: secret.hash(),
        last_four: secret.last_four().to_owned(),
    };
    let brand = NewBrand { details: BrandDetails::named(details.name.clone()), slug: None, is_default: true };
    let founding = Founding { tenant: (id, details), brand: (new_id(), brand), key: (new_id(), key) };
    let (tenant, brand) = store
        .write(credential, Platform, Action::TenantCreate, move |tx| {
            let (tenant, brand, _) = tx.found_tenant(&founding)?;
            let members = tenant.details.members();
            Ok(Change::created((tenant, brand), id, &members))
        })
        .await?;
    Ok(Founded { tenant, brand, secret })
}

/// A page of all tenants.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn list(store: &Store, credential: &Credential, page: PageRequest) -> Result<Page<Tenant>, Error> {
    store.read(credential, Platform, Action::TenantList, move |tx| tx.tenants(&page)).await
}

/// Whether there is any tenant yet.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn any(store: &Store, credential: &Credential) -> Result<bool, Error> {
    store.read(credential, Platform, Action::TenantList, |tx| tx.any_tenant()).await
}
