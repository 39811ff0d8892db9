//! The tenant itself, for those inside it; and tenants as such, for operators.

use tenantry_auth::Secret;
use tenantry_domain::{
    Action, ApiKeyDetails, Brand, BrandDetails, BrandId, Change, Conflict, Credential, EmailAddress, Error, ExternalId,
    InTenant, InvitationDays, InvitationDetails, InvitationId, KeyMode, Mail, NewApiKey, NewBrand, NewTenant, Noun,
    OverTenant, Page, PageRequest, Permissions, Platform, PlatformPatch, Precondition, Record, Role, Tenant,
    TenantDetails, TenantId, TenantPatch, Use, Written,
};
use tenantry_persistence::{Fault, FirstOwner, Founding, Store, TenantFilter, WriteTx, new_id};

/// The caller's tenant, and how much it uses of its limits.
///
/// # Errors
///
/// Those of [`Store::tenant_and_use`].
pub async fn show(store: &Store, credential: &Credential) -> Result<(Tenant, Use), Error> {
    store.tenant_and_use(credential).await
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
) -> Result<Written<(Tenant, Use)>, Error> {
    store
        .write_and_show(credential, InTenant, Action::TenantUpdate, move |tx| {
            tx.lock_tenant()?;
            let (before, used) = tx.tenant_and_use()?;
            tx.hold(&precondition, before.version)?;
            let details = before.details.patched(&patch);
            if details == before.details {
                return Ok(Change::nothing((before, used)));
            }
            let after = tx.update_tenant(&details)?;
            Ok(Change::between((after, used), before.id, &before.details.fields(), &details.fields()))
        })
        .await
}

/// How a tenant's first owner is to come in.
#[derive(Debug, Clone)]
pub enum Owner {
    /// With an API key that may do everything, and can be read once.
    Key,
    /// By an invitation to this address.
    Invitation(EmailAddress, InvitationDays),
}

/// A tenant that was just created.
#[derive(Debug)]
pub struct Founded {
    /// The tenant.
    pub tenant: Tenant,
    /// Its default brand, which has its name.
    pub brand: Brand,
    /// How its first owner comes in.
    pub owner: FoundedOwner,
}

/// How the first owner of a new tenant comes in.
#[derive(Debug)]
pub enum FoundedOwner {
    /// With this key; this is the only time it can be read.
    Key(Secret),
    /// By accepting this invitation, which is being sent.
    Invitation(InvitationId),
}

/// Creates a tenant with a default brand and what lets its first owner in.
///
/// # Errors
///
/// Those of [`Store::write`], and `Invalid` for a country that has no language or currency to start from.
pub async fn create(store: &Store, credential: &Credential, new: NewTenant, owner: Owner) -> Result<Founded, Error> {
    found(store, credential, (new_id(), new_id()), new, owner).await
}

/// [`create`], with these ids of the tenant and of its default brand.
pub(crate) async fn found(
    store: &Store,
    credential: &Credential,
    (id, brand_id): (TenantId, BrandId),
    new: NewTenant,
    owner: Owner,
) -> Result<Founded, Error> {
    let details = TenantDetails { defaults: new.locale.resolve(None).map_err(Error::Invalid)?, name: new.name };
    let (first, founded) = first_owner(id, owner, store.permissions())?;
    let mail = match founded {
        FoundedOwner::Key(_) => None,
        FoundedOwner::Invitation(id) => Some(Mail::Invitation(id)),
    };
    let brand = NewBrand { details: BrandDetails::named(details.name.clone()), slug: None, is_default: true };
    let founding =
        Founding { tenant: (id, details, new.limits), labels: new.labels, brand: (brand_id, brand), owner: first };
    let (tenant, brand) = store
        .write(credential, Platform, Action::TenantCreate, move |tx| {
            let (tenant, brand) = tx.found_tenant(&founding)?;
            let fields = tenant.fields();
            let record = Record::created(id, &fields);
            let record = mail.into_iter().fold(record, Record::mailing);
            Ok(Change::recorded((tenant, brand), record))
        })
        .await?;
    Ok(Founded { tenant, brand, owner: founded })
}

fn first_owner(tenant: TenantId, owner: Owner, permissions: &Permissions) -> Result<(FirstOwner, FoundedOwner), Error> {
    match owner {
        Owner::Key => {
            let secret = tenantry_auth::issue(tenant, KeyMode::Live)?;
            let name = "Owner".parse().map_err(|refusal| Error::internal(format!("{refusal}")))?;
            let key = NewApiKey {
                details: ApiKeyDetails { scopes: permissions.every_scope(), ..ApiKeyDetails::owner(name) },
                hash: secret.hash(),
                last_four: secret.last_four().to_owned(),
            };
            Ok((FirstOwner::Key(new_id(), Box::new(key)), FoundedOwner::Key(secret)))
        }
        Owner::Invitation(email, days) => {
            let id = new_id();
            let details = InvitationDetails { email, role: Role::Owner, workspaces: Vec::new() };
            Ok((FirstOwner::Invitation(id, details, days), FoundedOwner::Invitation(id)))
        }
    }
}

/// A page of all tenants.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn list(
    store: &Store,
    credential: &Credential,
    filter: TenantFilter,
    page: PageRequest,
) -> Result<Page<Tenant>, Error> {
    store.read(credential, Platform, Action::TenantList, move |tx| tx.tenants(&filter, &page)).await
}

/// Whether there is any tenant yet.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn any(store: &Store, credential: &Credential) -> Result<bool, Error> {
    store.read(credential, Platform, Action::TenantList, |tx| tx.any_tenant()).await
}

/// Any tenant, and how much it uses of its limits, seen from above.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn inspect(store: &Store, credential: &Credential, id: TenantId) -> Result<(Tenant, Use), Error> {
    store.read(credential, OverTenant(id), Action::TenantInspect, |tx| tx.tenant_and_use()).await
}

/// The tenant that has this external ID, and how much it uses of its limits. What cannot be one is `None`, which no tenant has.
///
/// # Errors
///
/// Those of [`Store::read`], and `NotFound`.
pub async fn inspect_called(
    store: &Store,
    credential: &Credential,
    external_id: Option<ExternalId>,
) -> Result<(Tenant, Use), Error> {
    match called(store, credential, Action::TenantInspect, external_id).await? {
        Some(id) => inspect(store, credential, id).await,
        None => Err(Error::NotFound(Noun::Tenant)),
    }
}

async fn called(
    store: &Store,
    credential: &Credential,
    action: Action,
    external_id: Option<ExternalId>,
) -> Result<Option<TenantId>, Error> {
    store
        .read(credential, Platform, action, move |tx| {
            Ok(external_id.as_ref().map(|id| tx.tenant_called(id)).transpose()?.flatten())
        })
        .await
}

/// What was put under an external ID: a new tenant with what lets its first owner in, or one that was there.
#[derive(Debug)]
pub enum PutTenant {
    /// It was created.
    Created(Box<Founded>),
    /// It was there, and is now as it was asked to be.
    Updated(Box<(Tenant, Use)>),
}

/// Creates the tenant that has this external ID, or changes it if it is there. What both need comes in the form of each.
///
/// # Errors
///
/// Those of [`create`] and [`administer`].
pub async fn put_called(
    store: &Store,
    credential: &Credential,
    external_id: ExternalId,
    precondition: Precondition,
    (new, owner): (NewTenant, Owner),
    (patch, platform): (TenantPatch, PlatformPatch),
) -> Result<PutTenant, Error> {
    let mut tries = 3;
    loop {
        tries -= 1;
        // Above the tenants nothing can be locked: whoever loses a race looks again.
        let outcome = match called(store, credential, Action::TenantCreate, Some(external_id.clone())).await? {
            Some(id) => administer(store, credential, id, precondition.clone(), patch.clone(), platform.clone())
                .await
                .map(|changed| PutTenant::Updated(Box::new(changed))),
            None => {
                precondition.hold_of_nothing()?;
                create(store, credential, new.clone(), owner.clone())
                    .await
                    .map(|founded| PutTenant::Created(Box::new(founded)))
            }
        };
        match outcome {
            Err(Error::NotFound(_) | Error::Conflict { code: Conflict::ExternalIdTaken, .. }) if tries > 0 => {}
            outcome => return outcome,
        }
    }
}

/// Changes any tenant and its limits, from above. A limit below current usage removes nothing; it only
/// blocks additions.
///
/// # Errors
///
/// Those of [`Store::write`], and `PreconditionFailed`.
pub async fn administer(
    store: &Store,
    credential: &Credential,
    id: TenantId,
    precondition: Precondition,
    patch: TenantPatch,
    platform: PlatformPatch,
) -> Result<(Tenant, Use), Error> {
    store
        .write(credential, OverTenant(id), Action::TenantAdminister, move |tx| {
            let before = tx.lock_tenant()?;
            tx.hold(&precondition, before.version)?;
            let (details, limits) = (before.details.patched(&patch), before.limits.patched(platform.limits));
            let labels = before.labels.patched(&platform.external_id, &platform.metadata)?;
            if details == before.details && limits == before.limits && labels == before.labels {
                return Ok(Change::nothing(tx.tenant_and_use()?));
            }
            let after = tx.update_tenant(&details, limits, &labels)?;
            Ok(Change::between(tx.tenant_and_use()?, id, &before.fields(), &after.fields()))
        })
        .await
}

/// Refuses a tenant's credentials from their next request on. One that is suspended already stays so.
///
/// # Errors
///
/// Those of [`Store::write`], and `Conflict` for a tenant that is deleted.
pub async fn suspend(store: &Store, credential: &Credential, id: TenantId) -> Result<(Tenant, Use), Error> {
    set_suspended(store, credential, id, Action::TenantSuspend, true).await
}

/// Lets a suspended tenant's credentials in again. One that is not suspended stays as it is.
///
/// # Errors
///
/// Those of [`Store::write`], and `Conflict` for a tenant that is deleted.
pub async fn reactivate(store: &Store, credential: &Credential, id: TenantId) -> Result<(Tenant, Use), Error> {
    set_suspended(store, credential, id, Action::TenantReactivate, false).await
}

/// The tenant, locked, unless it is deleted.
fn lock_present(tx: &mut WriteTx<'_, OverTenant>) -> Result<Tenant, Fault> {
    let tenant = tx.lock_tenant()?;
    if tenant.deleted_at.is_some() {
        return Err(Error::tenant_deleted().into());
    }
    Ok(tenant)
}

async fn set_suspended(
    store: &Store,
    credential: &Credential,
    id: TenantId,
    action: Action,
    suspended: bool,
) -> Result<(Tenant, Use), Error> {
    store
        .write(credential, OverTenant(id), action, move |tx| {
            let before = lock_present(tx)?;
            if before.suspended_at.is_some() == suspended {
                return Ok(Change::nothing(tx.tenant_and_use()?));
            }
            let after = tx.set_suspended(suspended)?;
            Ok(Change::between(tx.tenant_and_use()?, id, &before.fields(), &after.fields()))
        })
        .await
}

/// Lets nobody write in a tenant until it is unfrozen, to move it. Waits for those who are writing, so that afterwards nothing changes
/// any more; what they wrote is there. One that is frozen already stays so.
///
/// # Errors
///
/// Those of [`Store::write`], and `Conflict` for a tenant that is deleted.
pub async fn freeze(store: &Store, credential: &Credential, id: TenantId) -> Result<(Tenant, Use), Error> {
    set_frozen(store, credential, id, Action::TenantFreeze, true).await
}

/// Lets everybody write in a tenant again. One that is not frozen stays as it is.
///
/// # Errors
///
/// Those of [`Store::write`], and `Conflict` for a tenant that is deleted.
pub async fn unfreeze(store: &Store, credential: &Credential, id: TenantId) -> Result<(Tenant, Use), Error> {
    set_frozen(store, credential, id, Action::TenantUnfreeze, false).await
}

async fn set_frozen(
    store: &Store,
    credential: &Credential,
    id: TenantId,
    action: Action,
    frozen: bool,
) -> Result<(Tenant, Use), Error> {
    store
        .write(credential, OverTenant(id), action, move |tx| {
            let before = lock_present(tx)?;
            if before.frozen_at.is_some() == frozen {
                return Ok(Change::nothing(tx.tenant_and_use()?));
            }
            let after = tx.set_frozen(frozen)?;
            Ok(Change::between(tx.tenant_and_use()?, id, &before.fields(), &after.fields()))
        })
        .await
}

/// Deletes a tenant: its credentials are refused from their next request on, and it can be restored until it is erased.
///
/// # Errors
///
/// Those of [`Store::write`], `PreconditionFailed`, and `NotFound` for one that is deleted already.
pub async fn delete(
    store: &Store,
    credential: &Credential,
    id: TenantId,
    precondition: Precondition,
) -> Result<(), Error> {
    store
        .write(credential, OverTenant(id), Action::TenantDelete, move |tx| {
            let before = tx.lock_tenant()?;
            if before.deleted_at.is_some() {
                return Err(Error::NotFound(Noun::Tenant).into());
            }
            tx.hold(&precondition, before.version)?;
            let after = tx.set_deleted(&before, true)?;
            Ok(Change::between((), id, &before.fields(), &after.fields()))
        })
        .await
}

/// Restores a deleted tenant, as suspended as it was; one that is not deleted stays as it is.
///
/// # Errors
///
/// Those of [`Store::write`].
pub async fn restore(store: &Store, credential: &Credential, id: TenantId) -> Result<(Tenant, Use), Error> {
    store
        .write(credential, OverTenant(id), Action::TenantRestore, move |tx| {
            let before = tx.lock_tenant()?;
            if before.deleted_at.is_none() {
                return Ok(Change::nothing(tx.tenant_and_use()?));
            }
            let after = tx.set_deleted(&before, false)?;
            Ok(Change::between(tx.tenant_and_use()?, id, &before.fields(), &after.fields()))
        })
        .await
}
