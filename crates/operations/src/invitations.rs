//! Invitations: create, list, show, send again, revoke, accept.

use tenantry_domain::{
    Action, Actor, AuditEvent, Change, Conflict, Credential, Error, Grant, InTenant, Invitation, InvitationDays,
    InvitationDetails, InvitationId, InvitationPreview, InvitationState, Invitee, Mail, Member, Noun, Origin, Page,
    PageRequest, Precondition, Record, Unauthenticated, WorkspaceId, may_grant, may_manage_members,
};
use tenantry_persistence::{Fault, InvitationFilter, Store, TenantPlace, WriteTx, new_id};

/// A page of the tenant's invitations.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn list(
    store: &Store,
    credential: &Credential,
    filter: InvitationFilter,
    page: PageRequest,
) -> Result<Page<Invitation>, Error> {
    store.read(credential, InTenant, Action::InvitationList, move |tx| tx.invitations(&filter, &page)).await
}

/// An invitation, without its token.
///
/// # Errors
///
/// Those of [`Store::read`].
pub async fn show(store: &Store, credential: &Credential, id: InvitationId) -> Result<Invitation, Error> {
    store.read(credential, InTenant, Action::InvitationRead, move |tx| tx.invitation(id)).await
}

/// Invites somebody; the message is sent once that is committed.
///
/// # Errors
///
/// Those of [`Store::write`], `Forbidden` for a role that the caller cannot give, `Conflict` for an address that is a member's or
/// is invited already and where a workspace or the tenant has no place left, `TooMany` where the limits on emails leave no room,
/// and `Invalid` for a workspace that is not there.
pub async fn create(
    store: &Store,
    credential: &Credential,
    details: InvitationDetails,
    days: InvitationDays,
) -> Result<Invitation, Error> {
    let id = new_id();
    store.write(credential, InTenant, Action::InvitationCreate, move |tx| create_in(tx, id, &details, days)).await
}

/// Invites several people, each for themselves: one who is refused does not affect the others. Returns what became of each.
///
/// # Errors
///
/// Those of [`create`] that concern the caller and not an address.
pub async fn create_each(
    store: &Store,
    credential: &Credential,
    each: Vec<InvitationDetails>,
    days: InvitationDays,
) -> Result<Vec<Result<Invitation, Error>>, Error> {
    let each: Vec<_> = each.into_iter().map(|details| (new_id(), details)).collect();
    store
        .write(credential, InTenant, Action::InvitationCreate, move |tx| {
            let invited = each.iter().map(|(id, details)| tx.part(|tx| create_in(tx, *id, details, days)));
            Ok(Change::nothing(invited.collect::<Result<_, _>>()?))
        })
        .await
}

pub(crate) fn create_in(
    tx: &mut WriteTx<'_, InTenant>,
    id: InvitationId,
    details: &InvitationDetails,
    days: InvitationDays,
) -> Result<Change<Invitation>, Fault> {
    tx.lock_members()?;
    tx.may_grant(details.role)?;
    let until = tx.clock()? + days.duration();
    let invitation = tx.create_invitation(id, details, until)?;
    let record = Record::created(id, &invitation.fields()).mailing(Mail::Invitation(id));
    Ok(Change::recorded(invitation, record))
}

/// Sends an invitation again, also one that has expired: with a new token and new time. What was sent before is good no longer.
///
/// # Errors
///
/// Those of [`Store::write`], `Forbidden` for a role that the caller cannot give, and `Conflict` for one that was accepted or
/// revoked or that finds no place left, and `TooMany` where the limits on emails leave no room.
pub async fn resend(
    store: &Store,
    credential: &Credential,
    id: InvitationId,
    days: InvitationDays,
) -> Result<Invitation, Error> {
    store.write(credential, InTenant, Action::InvitationResend, move |tx| resend_in(tx, id, days, None)).await
}

/// Sends the invitation again, and has it hold a slot in one more workspace if one is named; then without another email where
/// the limits leave no room for one.
pub(crate) fn resend_in(
    tx: &mut WriteTx<'_, InTenant>,
    id: InvitationId,
    days: InvitationDays,
    workspace: Option<WorkspaceId>,
) -> Result<Change<Invitation>, Fault> {
    tx.lock_members()?;
    may_manage_members(tx.grant())?;
    let before = tx.lock_invitation(id)?;
    tx.may_grant(before.details.role)?;
    let now = tx.clock()?;
    match before.state(now) {
        InvitationState::Accepted => return Err(accepted().into()),
        InvitationState::Revoked => {
            let message = "This invitation has been revoked. Invite the address again.";
            return Err(Error::conflict(Conflict::InvitationRevoked, message).into());
        }
        InvitationState::Pending | InvitationState::Expired => {}
    }
    if let Some(workspace) = workspace {
        let held = tx.hold_slot(&before, workspace)?;
        // The email that was sent is good for this workspace too.
        if !tx.may_email(&before)? {
            return Ok(Change::between(held.clone(), id, &before.fields(), &held.fields()));
        }
    }
    let after = tx.renew_invitation(&before, now + days.duration())?;
    let record = Record::between(id, &before.fields(), &after.fields()).mailing(Mail::Invitation(id));
    Ok(Change::recorded(after, record))
}

/// Takes an invitation back. One that has been revoked already stays so.
///
/// # Errors
///
/// Those of [`Store::write`], `PreconditionFailed`, `Forbidden` for a role that the caller cannot give, and `Conflict` for one
/// that was accepted.
pub async fn revoke(
    store: &Store,
    credential: &Credential,
    id: InvitationId,
    precondition: Precondition,
) -> Result<(), Error> {
    store.write(credential, InTenant, Action::InvitationRevoke, move |tx| revoke_in(tx, id, &precondition)).await
}

pub(crate) fn revoke_in(
    tx: &mut WriteTx<'_, InTenant>,
    id: InvitationId,
    precondition: &Precondition,
) -> Result<Change<()>, Fault> {
    tx.lock_members()?;
    may_manage_members(tx.grant())?;
    let before = tx.lock_invitation(id)?;
    tx.may_grant(before.details.role)?;
    tx.hold(precondition, before.version)?;
    if before.accepted_at.is_some() {
        return Err(accepted().into());
    }
    if before.revoked_at.is_some() {
        return Ok(Change::nothing(()));
    }
    let after = tx.revoke_invitation(id)?;
    Ok(Change::between((), id, &before.fields(), &after.fields()))
}

/// Revokes the pending invitations by somebody who can no longer give what is in them: all of them, or those to roles that what they
/// `still` have does not allow them to give. Returns what the audit log says of each.
pub(crate) fn withdraw<P: TenantPlace>(
    tx: &mut WriteTx<'_, P>,
    maker: &Actor,
    still: Option<&Grant>,
) -> Result<Vec<AuditEvent>, Fault> {
    let mut events = Vec::new();
    for before in tx.lock_pending_invitations_by(maker)? {
        if still.is_some_and(|grant| may_grant(grant, before.details.role, tx.permissions()).is_ok()) {
            continue;
        }
        let after = tx.revoke_invitation(before.id)?;
        events.push(Record::between(before.id, &before.fields(), &after.fields()).event);
    }
    Ok(events)
}

/// The refusal of what can no longer be done to an invitation that was accepted.
fn accepted() -> Error {
    Error::conflict(
        Conflict::InvitationAccepted,
        "This invitation has already been accepted. Update or remove the member instead.",
    )
}

/// Makes the invitee a member.
///
/// # Errors
///
/// Those of [`Store::accept_invitation`]; a token that cannot be one is of no invitation. `Unauthenticated` for who comes from an
/// issuer that is not trusted for the tenant.
pub async fn accept(store: &Store, invitee: Invitee, token: &str) -> Result<(Invitation, Member), Error> {
    let (tenant, hash) = tenantry_auth::present_invitation(token).ok_or(Error::NotFound(Noun::Invitation))?;
    if !invitee.trusted_for.includes(tenant) {
        let reason = "its issuer is not trusted for the tenant of the invitation";
        tracing::info!(reason, "refused an access token");
        return Err(Error::Unauthenticated(Unauthenticated::Token));
    }
    store.accept_invitation(invitee, tenant, hash, new_id()).await
}

/// What an invitation is for, for whoever has its token.
///
/// # Errors
///
/// Those of [`Store::preview_invitation`]; a token that cannot be one is of no invitation.
pub async fn preview(store: &Store, origin: Origin, token: &str) -> Result<InvitationPreview, Error> {
    let (tenant, hash) = tenantry_auth::present_invitation(token).ok_or(Error::NotFound(Noun::Invitation))?;
    store.preview_invitation(origin, tenant, hash).await
}
