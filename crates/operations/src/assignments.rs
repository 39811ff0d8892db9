//! Assignments: which members have a place in a workspace.

use tenantry_domain::{
    Action, Change, Credential, Error, InWorkspace, Member, MemberId, Members, Noun, Page, PageRequest, Precondition,
    WorkspaceId,
};
use tenantry_persistence::Store;

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
/// Those of [`Store::write`], `NotFound` for a member that is not there, and `Conflict` where the workspace has no place left.
pub async fn assign(
    store: &Store,
    credential: &Credential,
    workspace: WorkspaceId,
    member: MemberId,
) -> Result<Member, Error> {
    store
        .write(credential, InWorkspace::Id(workspace), Action::AssignmentCreate, move |tx| {
            tx.lock_members()?;
            let before = tx.lock_other_member(member)?;
            if tx.assigned_since(member)?.is_some() {
                return Ok(Change::nothing(before));
            }
            tx.assign(member)?;
            Ok(Change::created(tx.lock_other_member(member)?, member, &place(workspace)))
        })
        .await
}

/// Takes a member off a workspace. Counts at its next request.
///
/// # Errors
///
/// Those of [`Store::write`], `PreconditionFailed` for the member, and `NotFound` for a member that is not there or not assigned.
pub async fn unassign(
    store: &Store,
    credential: &Credential,
    workspace: WorkspaceId,
    member: MemberId,
    precondition: Precondition,
) -> Result<(), Error> {
    store
        .write(credential, InWorkspace::Id(workspace), Action::AssignmentRemove, move |tx| {
            tx.lock_members()?;
            let before = tx.lock_other_member(member)?;
            if tx.assigned_since(member)?.is_none() {
                return Err(Error::NotFound(Noun::Member).into());
            }
            precondition.hold(before.version)?;
            tx.unassign(member)?;
            Ok(Change::removed((), member, &place(workspace)))
        })
        .await
}

/// What the audit log says of the member.
fn place(workspace: WorkspaceId) -> Members {
    Members::new().with("workspaceId", workspace.to_string())
}
