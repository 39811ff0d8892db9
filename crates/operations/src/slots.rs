//! Slots in a workspace: a member has one by an assignment, an invitation holds one until it is accepted. Fill, vacate. Each
//! decides under the lock of the tenant, so that nobody changes meanwhile who is in it.

use tenantry_domain::{
    Action, Change, Credential, EmailAddress, Error, InTenant, InWorkspace, InvitationDays, InvitationDetails,
    Precondition, Role, SlotHolder, SlotNumber, WorkspaceNumber, may_manage_members,
};
use tenantry_persistence::{Standing, Store, new_id};

use crate::{
    assignments, invitations,
    numbered::{self, NumberedList},
};

/// Gives somebody a slot in the workspace: who is no member is invited as an agent, who is invited already is sent the
/// invitation again, and a member is assigned.
///
/// # Errors
///
/// Those of [`Store::write`], `Forbidden` for who cannot make an agent, and `Conflict` where there is no slot left.
pub async fn fill(
    store: &Store,
    credential: &Credential,
    number: WorkspaceNumber,
    email: EmailAddress,
) -> Result<NumberedList, Error> {
    let (place, days, new) = (InWorkspace::Number(number), InvitationDays::default(), new_id());
    store
        .heavy()
        .write(credential, place, Action::InvitationCreate, move |tx| {
            tx.lock_members()?;
            tx.may_grant(Role::Agent)?;
            let workspace = tx.workspace_id();
            match tx.standing_of(&email)? {
                Standing::Unknown => {
                    let (role, workspaces) = (Role::Agent, vec![workspace]);
                    let details = InvitationDetails { email: email.clone(), role, workspaces };
                    tx.step(InTenant, Action::InvitationCreate, |tx| invitations::create_in(tx, new, &details, days))?;
                }
                Standing::Invited(id, holds_one) => {
                    let one_more = (!holds_one).then_some(workspace);
                    tx.step(InTenant, Action::InvitationResend, |tx| invitations::resend_in(tx, id, days, one_more))?;
                }
                Standing::Member(_, true) => {}
                Standing::Member(id, false) => {
                    tx.step(place, Action::AssignmentCreate, |tx| assignments::assign_in(tx, id))?;
                }
            }
            Ok(Change::nothing(numbered::list_in(tx)?))
        })
        .await
}

/// Vacates a slot: an assignment ends, and an invitation that holds no other slot is revoked.
///
/// # Errors
///
/// Those of [`Store::write`], `Forbidden` for who could not give the role of who has it, and `NotFound` for a slot that nobody has.
pub async fn vacate(store: &Store, credential: &Credential, number: SlotNumber) -> Result<NumberedList, Error> {
    store
        .heavy()
        .write(credential, InTenant, Action::AssignmentRemove, move |tx| {
            tx.lock_members()?;
            may_manage_members(tx.grant())?;
            let any = &Precondition::None;
            match tx.slot(number)? {
                (workspace, SlotHolder::Member(id), _) => {
                    let place = InWorkspace::Id(workspace);
                    tx.step(place, Action::AssignmentRemove, |tx| assignments::unassign_in(tx, id, any))?;
                }
                (_, SlotHolder::Invitation(id), true) => {
                    tx.step(InTenant, Action::InvitationRevoke, |tx| invitations::revoke_in(tx, id, any))?;
                }
                (workspace, SlotHolder::Invitation(id), false) => {
                    let before = tx.lock_invitation(id)?;
                    tx.may_grant(before.details.role)?;
                    let after = tx.give_up_slot(&before, workspace)?;
                    let list = numbered::list_in(tx)?;
                    return Ok(Change::between(list, id, &before.fields(), &after.fields()));
                }
            }
            Ok(Change::nothing(numbered::list_in(tx)?))
        })
        .await
}
