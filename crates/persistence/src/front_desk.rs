//! What has no actor yet. A closed list, to be read whole: each function names the tenant that it stands in and what it lets
//! in, because no credential of that tenant and no row of the policy table does.
//!
//! 1. [`Store::accept_invitation`]: somebody whom a trusted issuer knows, with the token of an invitation.

use chrono::{DateTime, Utc};
use diesel::{connection::AnsiTransactionManager, dsl::now, prelude::*, sql_types::Timestamptz};
use tenantry_domain::{
    Action, Actor, Conflict, EmailAddress, Error, Invitation, InvitationId, InvitationState, Invitee, Mail, Member,
    MemberDetails, MemberId, MemberStatus, Noun, Record, SecretHash, TenantId, Unauthenticated,
};
use uuid::Uuid;

use crate::{
    Store, assignments, audit_events, door,
    fault::Fault,
    invitations, members, outbox,
    schema::{invitation_tokens, invitations as table, tenants as tenants_table},
    tenants,
};

impl Store {
    /// Makes the invitee a member, in one transaction: the invitation that the token belongs to is pending, and the invitee's
    /// verified address is the one that was invited. They are assigned to its workspaces, and the audit log says so.
    ///
    /// # Errors
    ///
    /// `NotFound` for a token of no invitation; `Forbidden` for another person's invitation; `Conflict` with its own code for
    /// one that was accepted, revoked or sent anew meanwhile or has expired, and for who is a member already; `Unavailable`
    /// without a database.
    pub async fn accept_invitation(
        &self,
        invitee: Invitee,
        tenant: TenantId,
        token: SecretHash,
        id: MemberId,
    ) -> Result<(Invitation, Member), Error> {
        let begin = format!("BEGIN; SELECT set_tenant('{tenant}')");
        self.pool
            .run(
                move |connection| AnsiTransactionManager::begin_transaction_sql(connection, &begin),
                move |connection| {
                    let outcome = accept(connection, &invitee, tenant, &token, id);
                    door::finish(connection, outcome)
                },
            )
            .await
    }
}

fn accept(
    connection: &mut PgConnection,
    invitee: &Invitee,
    tenant: TenantId,
    token: &SecretHash,
    id: MemberId,
) -> Result<(Invitation, Member), Fault> {
    // A token that was made up holds nobody up.
    find(connection, tenant, token)?;
    // Who is in the tenant changes only under this lock, and what was found may have changed before it was had.
    tenants::lock(connection, tenant)?;
    let (invitation, replaced) = find(connection, tenant, token)?;
    let invitation = invitations::lock(connection, tenant, invitation)?;
    let invited = invitation.details.email.key();
    let email = invitee.email.as_ref().map(EmailAddress::key).ok_or_else(|| {
        Error::forbidden("Your access token does not say that your e-mail address is verified, so nobody can tell whether this invitation is yours.")
    })?;
    if email != invited {
        return Err(Error::forbidden(
            "This invitation is for another e-mail address than the one in your access token: sign in with the address that was invited.",
        )
        .into());
    }
    let clock = diesel::select(now.into_sql::<Timestamptz>()).get_result(connection)?;
    open(&invitation, replaced, clock)?;
    let details = MemberDetails {
        email: invitation.details.email.clone(),
        role: invitation.details.role,
        status: MemberStatus::Active,
        person: invitee.person.clone(),
    };
    let member = members::insert(connection, tenant, id, &details)?;
    // A place keeps its number.
    for (workspace, number) in invitations::places(connection, tenant, invitation.id)? {
        assignments::insert(connection, tenant, workspace, id, number)?;
    }
    let accepted = mark_accepted(connection, tenant, invitation.id)?;
    let members = accepted.members().with("memberId", id.to_string());
    let Record { event, .. } = Record::between(accepted.id, &invitation.members(), &members);
    let (action, actor) = (Action::InvitationAccept, Actor::Member(id));
    audit_events::insert(connection, tenant, action, &actor, &invitee.origin, &event)?;
    Ok((accepted, member))
}

/// The invitation that the token was sent with, in a tenant that lets people in; and whether it was sent anew since.
fn find(connection: &mut PgConnection, tenant: TenantId, token: &SecretHash) -> Result<(InvitationId, bool), Fault> {
    type Found = (Uuid, bool, bool);
    let found: Option<Found> = invitation_tokens::table
        .inner_join(tenants_table::table.on(tenants_table::id.eq(invitation_tokens::tenant_id)))
        .filter(invitation_tokens::tenant_id.eq(tenant.uuid()).and(invitation_tokens::token_hash.eq(token.as_bytes())))
        .filter(tenants_table::id.eq(tenant.uuid()).and(tenants_table::deleted_at.is_null()))
        .select((
            invitation_tokens::invitation_id,
            invitation_tokens::replaced_at.is_not_null(),
            tenants_table::suspended_at.is_not_null(),
        ))
        .first(connection)
        .optional()?;
    match found.ok_or(Error::NotFound(Noun::Invitation))? {
        (_, _, true) => Err(Error::Unauthenticated(Unauthenticated::Suspended).into()),
        (id, replaced, false) => Ok((InvitationId::from_uuid(id), replaced)),
    }
}

/// Refuses an invitation that can no longer be accepted, each in its own words.
fn open(invitation: &Invitation, replaced: bool, clock: DateTime<Utc>) -> Result<(), Error> {
    let (code, message) = match (invitation.state(clock), replaced) {
        (InvitationState::Accepted, _) => (Conflict::InvitationAccepted, "This invitation has been accepted already."),
        (InvitationState::Revoked, _) => (Conflict::InvitationRevoked, "This invitation has been revoked."),
        (_, true) => (
            Conflict::InvitationReplaced,
            "This invitation has been sent again since: use the link in the newest message.",
        ),
        (InvitationState::Expired, false) => {
            (Conflict::InvitationExpired, "This invitation has expired: ask for it to be sent again.")
        }
        (InvitationState::Pending, false) => return Ok(()),
    };
    Err(Error::conflict(code, message))
}

fn mark_accepted(connection: &mut PgConnection, tenant: TenantId, id: InvitationId) -> Result<Invitation, Fault> {
    diesel::update(table::table.filter(table::tenant_id.eq(tenant.uuid()).and(table::id.eq(id.uuid()))))
        .set((table::accepted_at.eq(now), table::version.eq(table::version + 1), table::updated_at.eq(now)))
        .execute(connection)?;
    outbox::drop_unsent(connection, tenant, Mail::Invitation(id))?;
    invitations::lock(connection, tenant, id)
}
