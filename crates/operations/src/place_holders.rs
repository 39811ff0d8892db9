//! Who has a place in a workspace, seen from the workspace: list, invite, vacate.

use tenantry_domain::{
    Action, Change, Conflict, Credential, EmailAddress, Error, Holding, InTenant, InWorkspace, InvitationDays,
    InvitationDetails, Mail, Noun, PlaceHolder, PlaceNumber, Precondition, Role, WorkspaceId, may_grant,
};
use tenantry_persistence::{Standing, Store};

use crate::{assignments, invitations};

/// Everybody with a place in the workspace, by number; also those who are invited.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn list(store: &Store, credential: &Credential, workspace: WorkspaceId) -> Result<Vec<PlaceHolder>, Error> {
    store.read(credential, InWorkspace::Id(workspace), Action::AssignmentList, |tx| tx.place_holders()).await
}

/// Gives somebody a place in the workspace: who is no member is invited as an agent, who is invited already is sent the
/// invitation again, and a member is assigned.
///
/// # Errors
///
/// Those of [`Store::write`], `Forbidden` for who cannot make an agent, and `Conflict` where there is no place left.
pub async fn invite(
    store: &Store,
    credential: &Credential,
    workspace: WorkspaceId,
    email: EmailAddress,
) -> Result<(), Error> {
    let mut tries = 0;
    loop {
        let standing = standing(store, credential, workspace, email.clone()).await?;
        match give_place(store, credential, workspace, &email, standing).await {
            // Somebody else was quicker, and things stand otherwise now.
            Err(Error::Conflict {
                code: Conflict::AlreadyInvited | Conflict::AlreadyMember | Conflict::InvitationAccepted,
                ..
            }) if tries < 3 => {
                tries += 1;
            }
            outcome => return outcome,
        }
    }
}

async fn standing(
    store: &Store,
    credential: &Credential,
    workspace: WorkspaceId,
    email: EmailAddress,
) -> Result<Standing, Error> {
    store
        .read(credential, InWorkspace::Id(workspace), Action::InvitationCreate, move |tx| {
            may_grant(tx.grant(), Role::Agent)?;
            tx.standing_of(&email)
        })
        .await
}

async fn give_place(
    store: &Store,
    credential: &Credential,
    workspace: WorkspaceId,
    email: &EmailAddress,
    standing: Standing,
) -> Result<(), Error> {
    let days = InvitationDays::default();
    match standing {
        Standing::Unknown => {
            let details = InvitationDetails { email: email.clone(), role: Role::Agent, workspaces: vec![workspace] };
            invitations::create(store, credential, details, days).await.map(drop)
        }
        Standing::Invited(id, true) => invitations::resend(store, credential, id, days).await.map(drop),
        Standing::Invited(id, false) => {
            store
                .write(credential, InTenant, Action::InvitationResend, move |tx| {
                    tx.lock_members()?;
                    let before = tx.lock_invitation(id)?;
                    may_grant(tx.grant(), before.details.role)?;
                    if before.accepted_at.is_some() || before.revoked_at.is_some() {
                        return Err(invitations::accepted().into());
                    }
                    tx.hold_place(&before, workspace)?;
                    let until = tx.clock()? + days.duration();
                    let after = tx.renew_invitation(&before, until)?;
                    let members = after.members();
                    Ok(Change::between((), id, &before.members(), &members).mailing(Mail::Invitation(id)))
                })
                .await
        }
        Standing::Member(_, true) => Ok(()),
        Standing::Member(id, false) => assignments::assign(store, credential, workspace, id).await.map(drop),
    }
}

/// Takes whoever has it off the place: an assignment ends, and an invitation that holds no other place is revoked.
///
/// # Errors
///
/// Those of [`Store::write`], and `NotFound` for a place that nobody has.
pub async fn vacate(store: &Store, credential: &Credential, number: PlaceNumber) -> Result<(), Error> {
    let (workspace, holder, only) =
        store.read(credential, InTenant, Action::AssignmentRemove, move |tx| tx.place(number)).await?;
    let id = match holder {
        Holding::Member(id) => {
            return assignments::unassign(store, credential, workspace, id, Precondition::None).await;
        }
        Holding::Invitation(id) => id,
    };
    if only {
        return invitations::revoke(store, credential, id, Precondition::None).await;
    }
    store
        .write(credential, InTenant, Action::AssignmentRemove, move |tx| {
            tx.lock_members()?;
            let before = tx.lock_invitation(id)?;
            if before.accepted_at.is_some() || before.revoked_at.is_some() {
                return Err(Error::NotFound(Noun::Member).into());
            }
            let after = tx.give_up_place(&before, workspace)?;
            Ok(Change::between((), id, &before.members(), &after.members()))
        })
        .await
}
