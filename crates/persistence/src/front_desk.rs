//! What has no actor yet. A closed list, to be read whole: each function names the tenant that it stands in and what it lets
//! in, because no credential of that tenant and no row of the policy table does.
//!
//! 1. [`Store::accept_invitation`]: somebody whom a trusted issuer knows, with the token of an invitation.
//! 2. [`Store::preview_invitation`]: anybody with the token of an invitation, who is told what its email says, and changes nothing.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel::{dsl::now, prelude::*, sql_types::Timestamptz};
use tenantry_domain::{
    Action, Actor, Conflict, Error, Invitation, InvitationId, InvitationOffer, InvitationPreview, Invitee, Labels,
    Mail, Member, MemberDetails, MemberId, MemberStatus, Noun, Origin, PreviewState, Record, SecretHash, TenantId,
    Unauthenticated, Weight,
};
use uuid::Uuid;

use crate::{
    attempt::{Attempt, Claim, HandOver},
    door::Store,
    due::Due,
    fault::{Fault, Kind},
    freeze::write_lock_sql,
    idempotency_keys,
    invitation_mail::DueInvitation,
    places::in_tenant_sql,
    pool::{Session, begin_sql},
    schema::{invitation_tokens, invitations, members, tenants},
    scope::TenantScope,
    seats::Party,
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
        let begin = begin_sql("BEGIN", [in_tenant_sql(tenant), write_lock_sql(tenant)]);
        let share = (Party::stranger(invitee.origin.address), Weight::Light);
        let bells = Arc::clone(&self.bells);
        let Some(attempt) = Attempt::current() else {
            let accept = move |connection: &mut PgConnection, session: &Session<'_>| {
                let mut due = Due::default();
                let outcome = TenantScope { connection, tenant }.accept(&invitee, &token, id, &mut due);
                session.finish(connection, outcome).inspect(|_| bells.ring(due))
            };
            return self.pool.run(share, begin, accept).await;
        };
        let this = attempt.clone();
        let accept = move |connection: &mut PgConnection, session: &Session<'_>, hand_over: &HandOver<_>| {
            let mut due = Due::default();
            let outcome =
                TenantScope { connection, tenant }.accept_once(&invitee, &token, id, (&this, hand_over), &mut due);
            session.finish(connection, outcome).inspect(|()| bells.ring(due))
        };
        attempt.write(self.pool.clone(), share, begin, accept).await
    }
}

impl Store {
    /// What whoever has this token may know of its invitation.
    ///
    /// # Errors
    ///
    /// `NotFound` for a token of no invitation, and for one of a tenant that lets nobody in; `Unavailable` without a database.
    pub async fn preview_invitation(
        &self,
        origin: Origin,
        tenant: TenantId,
        token: SecretHash,
    ) -> Result<InvitationPreview, Error> {
        let begin = begin_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", [in_tenant_sql(tenant)]);
        let share = (Party::stranger(origin.address), Weight::Light);
        let preview = move |connection: &mut PgConnection, session: &Session<'_>| {
            let outcome = TenantScope { connection, tenant }.preview(&token);
            session.finish(connection, outcome)
        };
        self.pool.run(share, begin, preview).await
    }
}

/// What a token leads to.
struct Invited {
    id: InvitationId,
    /// The invitation was sent anew since.
    replaced: bool,
    /// Its tenant can only be read.
    frozen: bool,
}

impl TenantScope<'_> {
    fn preview(&mut self, token: &SecretHash) -> Result<InvitationPreview, Fault> {
        let Invited { id, replaced, .. } = self.find_invited(token).map_err(|fault| match fault {
            // Who has no token learns nothing about a tenant, and who has one not that it is suspended.
            Fault(Kind::Refused(Error::Unauthenticated(_))) => Error::NotFound(Noun::Invitation).into(),
            fault => fault,
        })?;
        let invitation = self.read_invitation(id)?;
        let clock = diesel::select(now.into_sql::<Timestamptz>()).get_result(self.connection)?;
        let state = PreviewState::of(invitation.state(clock), replaced);
        let told = self.invitation_in_words(invitation)?;
        let language = told.language();
        let DueInvitation { invitation, tenant, workspaces, brand, invited_by } = told;
        let offer = (state == PreviewState::Pending).then(|| InvitationOffer {
            email: invitation.details.email,
            role: invitation.details.role,
            workspaces: workspaces.into_iter().map(|workspace| workspace.details.name).collect(),
            invited_by,
            expires_at: invitation.expires_at,
        });
        Ok(InvitationPreview {
            tenant: tenant.details.name,
            brand: brand.details.name,
            color: brand.details.primary_color,
            language,
            state,
            offer,
        })
    }

    /// [`TenantScope::accept`], of a request that may come again. The answer is kept for the person as the member that they become,
    /// so that it is for nobody who is no member any more.
    fn accept_once(
        &mut self,
        invitee: &Invitee,
        token: &SecretHash,
        id: MemberId,
        (attempt, hand_over): (&Attempt, &HandOver<(Invitation, Member)>),
        due: &mut Due,
    ) -> Result<(), Fault> {
        self.find_open(token)?;
        let (issuer, subject) = (invitee.person.issuer.as_str(), invitee.person.subject.as_str());
        let tenant = self.tenant.uuid();
        let parts = [tenant.as_bytes(), issuer.as_bytes(), subject.as_bytes(), &attempt.key_hash()];
        idempotency_keys::lock(self.connection, &parts)?;
        let member: Option<Uuid> = members::table
            .filter(members::tenant_id.eq(tenant).and(members::status.eq(MemberStatus::Active.as_str())))
            .filter(members::issuer.eq(issuer).and(members::subject.eq(subject)))
            .select(members::id)
            .first(self.connection)
            .optional()?;
        let claim = |id| Claim::of(attempt, self.tenant, &Actor::Member(id));
        let known = member.map(|member| claim(MemberId::from_uuid(member)));
        if let Some(kept) = known.and_then(|claim| claim.answered(self.connection).transpose()).transpose()? {
            return hand_over.answered(kept);
        }
        let claim = claim(id);
        let accepted = self.accept(invitee, token, id, due)?;
        let answer = hand_over.value(accepted, claim.clone())?;
        claim.keep(self.connection, &answer)
    }

    fn accept(
        &mut self,
        invitee: &Invitee,
        token: &SecretHash,
        id: MemberId,
        due: &mut Due,
    ) -> Result<(Invitation, Member), Fault> {
        // A token that was made up holds nobody up.
        self.find_open(token)?;
        // Who is in the tenant changes only under this lock, and what was found may have changed before it was had.
        self.lock_tenant()?;
        let Invited { id: invitation, replaced, .. } = self.find_invited(token)?;
        let invitation = self.lock_invitation(invitation)?;
        let invited = invitation.details.email.key();
        let email = invitee.email.as_ref().map_err(|reason| Error::forbidden(reason.sentence()))?;
        if email.key() != invited {
            return Err(Error::forbidden(
                "This invitation is for a different email address. Sign in with the address that was invited.",
            )
            .into());
        }
        let clock = diesel::select(now.into_sql::<Timestamptz>()).get_result(self.connection)?;
        open(&invitation, replaced, clock)?;
        let details = MemberDetails {
            email: invitation.details.email.clone(),
            role: invitation.details.role,
            status: MemberStatus::Active,
            person: invitee.person.clone(),
            labels: Labels::default(),
        };
        let member = self.insert_member(id, &details)?;
        // A slot keeps its number.
        for (workspace, number) in self.slots_of(invitation.id)? {
            self.insert_assignment(workspace, id, number)?;
        }
        let accepted = self.mark_accepted(invitation.id)?;
        let fields = accepted.fields().with("memberId", id.to_string());
        let Record { event, .. } = Record::between(accepted.id, &invitation.fields(), &fields);
        due.webhooks |=
            self.insert_audit_event(Action::InvitationAccept, &Actor::Member(id), &invitee.origin, &event)?;
        Ok((accepted, member))
    }

    /// The invitation that the token was sent with, in a tenant that lets people in.
    fn find_invited(&mut self, token: &SecretHash) -> Result<Invited, Fault> {
        type Found = (Uuid, bool, bool, bool);
        let found: Option<Found> = invitation_tokens::table
            .inner_join(tenants::table.on(tenants::id.eq(self.tenant.uuid())))
            .filter(
                invitation_tokens::tenant_id
                    .eq(self.tenant.uuid())
                    .and(invitation_tokens::token_hash.eq(token.as_bytes())),
            )
            .filter(tenants::deleted_at.is_null())
            .select((
                invitation_tokens::invitation_id,
                invitation_tokens::replaced_at.is_not_null(),
                tenants::suspended_at.is_not_null(),
                tenants::frozen_at.is_not_null(),
            ))
            .first(self.connection)
            .optional()?;
        match found.ok_or(Error::NotFound(Noun::Invitation))? {
            (_, _, true, _) => Err(Error::Unauthenticated(Unauthenticated::Suspended).into()),
            (id, replaced, false, frozen) => Ok(Invited { id: InvitationId::from_uuid(id), replaced, frozen }),
        }
    }

    /// [`Self::find_invited`], in a tenant that can be written.
    fn find_open(&mut self, token: &SecretHash) -> Result<(), Fault> {
        if self.find_invited(token)?.frozen { Err(Error::TenantFrozen.into()) } else { Ok(()) }
    }

    fn mark_accepted(&mut self, id: InvitationId) -> Result<Invitation, Fault> {
        diesel::update(
            invitations::table.filter(invitations::tenant_id.eq(self.tenant.uuid()).and(invitations::id.eq(id.uuid()))),
        )
        .set((
            invitations::accepted_at.eq(now),
            invitations::version.eq(invitations::version + 1),
            invitations::updated_at.eq(now),
        ))
        .execute(self.connection)?;
        self.drop_unsent(Mail::Invitation(id))?;
        self.lock_invitation(id)
    }
}

/// Refuses an invitation that can no longer be accepted, each in its own words.
fn open(invitation: &Invitation, replaced: bool, clock: DateTime<Utc>) -> Result<(), Error> {
    let (code, message) = match PreviewState::of(invitation.state(clock), replaced) {
        PreviewState::Accepted => (Conflict::InvitationAccepted, "This invitation has already been accepted."),
        PreviewState::Revoked => (Conflict::InvitationRevoked, "This invitation has been revoked."),
        PreviewState::Replaced => (
            Conflict::InvitationReplaced,
            "This link has been replaced by a newer one. Use the link in the latest email.",
        ),
        PreviewState::Expired => {
            (Conflict::InvitationExpired, "This invitation has expired. Ask for it to be sent again.")
        }
        PreviewState::Pending => return Ok(()),
    };
    Err(Error::conflict(code, message))
}
