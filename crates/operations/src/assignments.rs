//! Assignments: which members have a place in a workspace.

use tenantry_domain::{
    Action, Change, Credential, Error, Fields, InWorkspace, Member, MemberId, Noun, Page, PageRequest, Precondition,
    WorkspaceId, may_manage_members,
};
use tenantry_persistence::{Fault, Store, WriteTx};

/// A page of the members that are assigned to a workspace. Who sees all workspaces needs no assignment and is not in it.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn list(
    store: &Store,
    credential: &Credential,
    workspace: WorkspaceId,
    page: PageRequest,
) -> Result<Page<Member>, Error> {
    store
        .read(credential, InWorkspace::Id(workspace), Action::AssignmentList, move |tx| tx.assigned_members(&page))
        .await
}

/// Assigns a member to a workspace; one that is assigned already stays so. Counts at its next request.
///
/// # Errors
///
/// Those of [`Store::write`], `Forbidden` for a member whose role the caller could not give, `NotFound` for a member that is not there, and `Conflict` where the workspace has no place left.
pub async fn assign(
    store: &Store,
    credential: &Credential,
    workspace: WorkspaceId,
    member: MemberId,
) -> Result<Member, Error> {
    store.write(credential, InWorkspace::Id(workspace), Action::AssignmentCreate, move |tx| assign_in(tx, member)).await
}

pub(crate) fn assign_in(tx: &mut WriteTx<'_, InWorkspace>, member: MemberId) -> Result<Change<Member>, Fault> {
    tx.lock_members()?;
    may_manage_members(tx.grant())?;
    let before = tx.lock_other_member(member)?;
    tx.may_grant(before.details.role)?;
    if tx.assigned_since(member)?.is_some() {
        return Ok(Change::nothing(before));
    }
    tx.assign(member)?;
    let slot = slot(tx.workspace_id());
    Ok(Change::created(tx.lock_other_member(member)?, member, &slot))
}

/// Takes a member off a workspace. Counts at its next request.
///
/// # Errors
///
/// Those of [`Store::write`], `PreconditionFailed` for the member, `Forbidden` for one whose role the caller could not take away, and
/// `NotFound` for a member that is not there or not assigned.
pub async fn unassign(
    store: &Store,
    credential: &Credential,
    workspace: WorkspaceId,
    member: MemberId,
    precondition: Precondition,
) -> Result<(), Error> {
    store
        .write(credential, InWorkspace::Id(workspace), Action::AssignmentRemove, move |tx| {
            unassign_in(tx, member, &precondition)
        })
        .await
}

pub(crate) fn unassign_in(
    tx: &mut WriteTx<'_, InWorkspace>,
    member: MemberId,
    precondition: &Precondition,
) -> Result<Change<()>, Fault> {
    tx.lock_members()?;
    may_manage_members(tx.grant())?;
    let before = tx.lock_other_member(member)?;
    tx.may_grant(before.details.role)?;
    if tx.assigned_since(member)?.is_none() {
        return Err(Error::NotFound(Noun::Member).into());
    }
    tx.hold(precondition, before.version)?;
    tx.unassign(member)?;
    Ok(Change::removed((), member, &slot(tx.workspace_id())))
}

/// What the audit log says of the member.
fn slot(workspace: WorkspaceId) -> Fields {
    Fields::new().with("workspaceId", workspace.to_string())
}
