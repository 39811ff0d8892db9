//! Workspaces: list, show, create, update, delete, restore, and what is in force in one.

use tenantry_domain::{
    Action, Brand, BrandId, Change, Credential, Effective, Error, ExternalId, InBrand, InRestorableWorkspace, InTenant,
    InWorkspace, NewWorkspace, Noun, Page, PageRequest, Precondition, Workspace, WorkspaceId, WorkspaceName,
    WorkspacePatch, Written, unknown_brand,
};
use tenantry_persistence::{Fault, Store, WorkspaceFilter, WriteTx, new_id};

use crate::labels::Put;

/// A page of the workspaces that the caller sees; deleted ones only for a caller who may restore them.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn list(
    store: &Store,
    credential: &Credential,
    filter: WorkspaceFilter,
    page: PageRequest,
) -> Result<Page<Workspace>, Error> {
    store.page_of_workspaces(credential, filter, page).await
}

/// A workspace.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn show(store: &Store, credential: &Credential, id: WorkspaceId) -> Result<Workspace, Error> {
    store.workspace(credential, InWorkspace::Id(id)).await
}

/// The workspace that has this external ID. What cannot be one is `None`, which no workspace has.
///
/// # Errors
///
/// Those of [`Store::read`], and `NotFound` for a workspace that is not there or not to be seen.
pub async fn show_called(
    store: &Store,
    credential: &Credential,
    external_id: Option<ExternalId>,
) -> Result<Workspace, Error> {
    store
        .read(credential, InTenant, Action::WorkspaceRead, move |tx| {
            let found = external_id.as_ref().map(|id| tx.workspace_called(id)).transpose()?.flatten();
            Ok(found.ok_or(Error::NotFound(Noun::Workspace))?)
        })
        .await
}

/// Creates the workspace that has this external ID, or changes it if it is there. Needs the permissions for both.
///
/// # Errors
///
/// Those of [`create`] and [`update`].
pub async fn put_called(
    store: &Store,
    credential: &Credential,
    external_id: ExternalId,
    precondition: Precondition,
    name: WorkspaceName,
    patch: WorkspacePatch,
) -> Result<Written<Put<Workspace>>, Error> {
    let place = patch.brand_id.map_or(InBrand::Default, InBrand::Id);
    let new_id = new_id();
    let patch = WorkspacePatch { name: Some(name.clone()), external_id: Some(Some(external_id.clone())), ..patch };
    let put = store
        .write_and_show(credential, place, Action::WorkspaceCreate, move |tx| {
            tx.permit(Action::WorkspaceUpdate)?;
            // Whoever puts, creates or deletes one in the tenant waits, so that there is one or none until the end.
            tx.lock_tenant()?;
            if let Some(found) = tx.workspace_called(&external_id)? {
                let place = InWorkspace::Id(found.id);
                let after = tx.step(place, Action::WorkspaceUpdate, |tx| update_in(tx, &precondition, &patch))?;
                return Ok(Change::nothing(Put::updated(after)));
            }
            precondition.hold_of_nothing()?;
            Ok(create_in(tx, new_id, &patch.creating(name.clone())?)?.map(Put::created))
        })
        .await;
    put.map_err(brand_as_field)
}

/// What is in force in a workspace, with the brand it comes from.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn effective(
    store: &Store,
    credential: &Credential,
    id: WorkspaceId,
) -> Result<(Workspace, Brand, Effective), Error> {
    let (workspace, brand, limits) = store.workspace_with_brand(credential, InWorkspace::Id(id)).await?;
    let effective = Effective::of(&workspace.details, &brand, limits);
    Ok((workspace, brand, effective))
}

/// Creates a workspace under a brand; under the caller's default brand when none is named.
///
/// # Errors
///
/// Those of [`Store::write`], and `Invalid` for a brand that is not there or not to be seen.
pub async fn create(
    store: &Store,
    credential: &Credential,
    brand: Option<BrandId>,
    new: NewWorkspace,
) -> Result<Written<Workspace>, Error> {
    let place = brand.map_or(InBrand::Default, InBrand::Id);
    let id = new_id();
    let created =
        store.write_and_show(credential, place, Action::WorkspaceCreate, move |tx| create_in(tx, id, &new)).await;
    created.map_err(brand_as_field)
}

pub(crate) fn create_in(
    tx: &mut WriteTx<'_, InBrand>,
    id: WorkspaceId,
    new: &NewWorkspace,
) -> Result<Change<Workspace>, Fault> {
    let workspace = tx.create_workspace(id, new)?;
    let fields = workspace.details.fields();
    Ok(Change::created(workspace, id, &fields))
}

/// The brand is a member of the request here, and not what was asked for.
pub(crate) fn brand_as_field(error: Error) -> Error {
    match error {
        Error::NotFound(Noun::Brand) => unknown_brand(),
        other => other,
    }
}

/// Changes a workspace.
///
/// # Errors
///
/// Those of [`Store::write`], `PreconditionFailed`, and `Invalid` for a brand that is not there or not to be seen.
pub async fn update(
    store: &Store,
    credential: &Credential,
    id: WorkspaceId,
    precondition: Precondition,
    patch: WorkspacePatch,
) -> Result<Written<Workspace>, Error> {
    store
        .write_and_show(credential, InWorkspace::Id(id), Action::WorkspaceUpdate, move |tx| {
            update_in(tx, &precondition, &patch)
        })
        .await
}

pub(crate) fn update_in(
    tx: &mut WriteTx<'_, InWorkspace>,
    precondition: &Precondition,
    patch: &WorkspacePatch,
) -> Result<Change<Workspace>, Fault> {
    let before = if patch.brand_id.is_some() { tx.lock_counted_workspace()? } else { tx.lock_workspace()? };
    tx.hold(precondition, before.version)?;
    let details = before.details.patched(patch)?;
    if details == before.details {
        return Ok(Change::nothing(before));
    }
    let after = tx.update_workspace(&before.details, &details)?;
    Ok(Change::between(after, before.id, &before.details.fields(), &details.fields()))
}

/// Deletes a workspace: it is hidden at once and can be restored until it is erased.
///
/// # Errors
///
/// Those of [`Store::write`], and `PreconditionFailed`.
pub async fn delete(
    store: &Store,
    credential: &Credential,
    id: WorkspaceId,
    precondition: Precondition,
) -> Result<(), Error> {
    store.write(credential, InWorkspace::Id(id), Action::WorkspaceDelete, move |tx| delete_in(tx, &precondition)).await
}

pub(crate) fn delete_in(tx: &mut WriteTx<'_, InWorkspace>, precondition: &Precondition) -> Result<Change<()>, Fault> {
    let before = tx.lock_counted_workspace()?;
    tx.hold(precondition, before.version)?;
    tx.delete_workspace(&before)?;
    Ok(Change::removed((), before.id, &before.details.fields()))
}

/// Restores a deleted workspace; one that is there stays as it is.
///
/// # Errors
///
/// Those of [`Store::write`].
pub async fn restore(store: &Store, credential: &Credential, id: WorkspaceId) -> Result<Written<Workspace>, Error> {
    store
        .write_and_show(credential, InRestorableWorkspace(id), Action::WorkspaceRestore, move |tx| {
            let before = tx.lock_workspace()?;
            if before.deleted_at.is_none() {
                return Ok(Change::nothing(before));
            }
            let after = tx.restore_workspace(&before)?;
            let fields = after.details.fields();
            Ok(Change::created(after, id, &fields))
        })
        .await
}
