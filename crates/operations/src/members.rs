//! Members: list, show, create, change, remove, and who owns the tenant.

use tenantry_domain::{
    Action, Actor, Assignment, Change, Conflict, Credential, Error, Grant, InMember, InTenant, Member, MemberDetails,
    MemberId, MemberPatch, MemberStatus, Noun, Page, PageRequest, Precondition, Refusal, Role, WorkspaceId, last_owner,
    may_manage_members,
};
use tenantry_persistence::{Fault, MemberFilter, Store, WriteTx, new_id};

use crate::invitations;

/// A page of the tenant's members.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn list(
    store: &Store,
    credential: &Credential,
    filter: MemberFilter,
    page: PageRequest,
) -> Result<Page<Member>, Error> {
    store.read(credential, InTenant, Action::MemberList, move |tx| tx.members(&filter, &page)).await
}

/// A member with its assignments.
#[derive(Debug)]
pub struct Shown {
    /// The member.
    pub member: Member,
    /// Its assignments by the workspace's name, at most [`tenantry_persistence::SHOWN_ASSIGNMENTS`].
    pub assignments: Vec<Assignment>,
    /// How many there are.
    pub count: i64,
}

/// A member, and which workspaces they can see and why.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn show(store: &Store, credential: &Credential, id: MemberId) -> Result<Shown, Error> {
    store
        .read(credential, InMember(id), Action::MemberRead, |tx| {
            let (assignments, count) = tx.assignments()?;
            Ok(Shown { member: tx.member()?, assignments, count })
        })
        .await
}

/// Makes somebody a member without an invitation, and assigns them to workspaces: for the first owner, and for imports.
///
/// # Errors
///
/// Those of [`Store::write`], `Conflict` for who is a member already, and `NotFound` for a workspace that is not there.
pub async fn create(
    store: &Store,
    credential: &Credential,
    details: MemberDetails,
    workspaces: Vec<WorkspaceId>,
) -> Result<Member, Error> {
    let id = new_id();
    store.write(credential, InTenant, Action::MemberCreate, move |tx| create_in(tx, id, &details, &workspaces)).await
}

pub(crate) fn create_in(
    tx: &mut WriteTx<'_, InTenant>,
    id: MemberId,
    details: &MemberDetails,
    workspaces: &[WorkspaceId],
) -> Result<Change<Member>, Fault> {
    tx.lock_members()?;
    tx.may_grant(details.role)?;
    let member = tx.create_member(id, details)?;
    tx.assign_to(id, workspaces)?;
    let fields = details.fields().with("workspaceIds", workspaces.iter().map(ToString::to_string).collect::<Vec<_>>());
    Ok(Change::created(member, id, &fields))
}

/// Changes a member: its role and status, its address, and by what it is recognised. Counts at its next request. It stays the same
/// member, whoever its tokens say it is. Pending invitations that the member may no longer give are revoked.
///
/// # Errors
///
/// Those of [`Store::write`], `PreconditionFailed`, `Forbidden` for a member in a role that the caller cannot give or take, and
/// `Conflict` for what would leave the tenant without an owner, and for an address or a person that is a member or invited already.
pub async fn update(
    store: &Store,
    credential: &Credential,
    id: MemberId,
    precondition: Precondition,
    patch: MemberPatch,
) -> Result<Member, Error> {
    store
        .write(credential, InMember(id), Action::MemberUpdate, move |tx| {
            tx.lock_members()?;
            may_manage_members(tx.grant())?;
            let before = tx.lock_member()?;
            let details = before.details.patched(patch.clone())?;
            tx.may_grant(before.details.role)?;
            tx.may_grant(details.role)?;
            tx.hold(&precondition, before.version)?;
            if details == before.details {
                return Ok(Change::nothing(before));
            }
            if before.details.owns() && !details.owns() && tx.active_owners()? <= 1 {
                return Err(last_owner().into());
            }
            if details.email.key() != before.details.email.key() {
                tx.check_not_invited(&details.email)?;
            }
            let after = tx.update_member(&before, &details)?;
            let still =
                (details.status == MemberStatus::Active).then_some(Grant::Role { member: id, role: details.role });
            let withdrawn = invitations::withdraw(tx, &Actor::Member(id), still.as_ref())?;
            Ok(Change::between(after, id, &before.details.fields(), &details.fields()).along(withdrawn))
        })
        .await
}

/// Removes a member, with its assignments and its pending invitations; removing oneself is leaving. Counts at its next request. API
/// keys that the member made stay: `createdBy` finds them.
///
/// # Errors
///
/// Those of [`Store::write`], `PreconditionFailed`, `Forbidden` for somebody whose role the caller cannot take, and `Conflict`
/// for what would leave the tenant without an owner.
pub async fn remove(
    store: &Store,
    credential: &Credential,
    id: MemberId,
    precondition: Precondition,
) -> Result<(), Error> {
    store
        .write(credential, InMember(id), Action::MemberRemove, move |tx| {
            tx.lock_members()?;
            if !tx.is_itself() {
                may_manage_members(tx.grant())?;
            }
            let before = tx.lock_member()?;
            if !tx.is_itself() {
                tx.may_grant(before.details.role)?;
            }
            tx.hold(&precondition, before.version)?;
            if before.details.owns() && tx.active_owners()? <= 1 {
                return Err(last_owner().into());
            }
            let withdrawn = invitations::withdraw(tx, &Actor::Member(id), None)?;
            tx.remove_member()?;
            Ok(Change::removed((), id, &before.details.fields()).along(withdrawn))
        })
        .await
}

/// Makes another member an owner and the caller an admin, both at once.
///
/// # Errors
///
/// Those of [`Store::write`], `Invalid` for who is not another member, and `Conflict` for one who is suspended.
pub async fn transfer_ownership(store: &Store, credential: &Credential, to: MemberId) -> Result<Member, Error> {
    store
        .write(credential, InTenant, Action::OwnershipTransfer, move |tx| {
            tx.lock_members()?;
            let Actor::Member(from) = *tx.actor() else {
                return Err(Error::forbidden("Only a member can transfer the ownership.").into());
            };
            if from == to {
                return Err(not_a_member("is your own id: name the member who will become an owner").into());
            }
            let (leaving, before) = (tx.lock_other_member(from)?, tx.lock_other_member(to)?);
            if before.details.status != MemberStatus::Active {
                return Err(Error::conflict(
                    Conflict::MemberSuspended,
                    "A suspended member cannot become the owner of the tenant.",
                )
                .into());
            }
            let details = MemberDetails { role: Role::Owner, ..before.details.clone() };
            let admin = MemberDetails { role: Role::Admin, ..leaving.details.clone() };
            tx.update_other_member(&leaving, &admin)?;
            let after = tx.update_other_member(&before, &details)?;
            let fields = details.fields().with("takesOverFrom", from.to_string());
            let still = Grant::Role { member: from, role: Role::Admin };
            let withdrawn = invitations::withdraw(tx, &Actor::Member(from), Some(&still))?;
            Ok(Change::between(after, to, &before.details.fields(), &fields).along(withdrawn))
        })
        .await
        // The member is a member of the request here, and not what was asked for.
        .map_err(|error| match error {
            Error::NotFound(Noun::Member) => not_a_member("is not the id of a member that you can see"),
            other => other,
        })
}

fn not_a_member(message: &str) -> Error {
    Error::invalid(Refusal::new("not_found", message).of("memberId"))
}
