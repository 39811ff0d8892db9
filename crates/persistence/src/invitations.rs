//! Invitations of a tenant.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::{dsl::now, prelude::*, sql_types::Timestamptz};
use tenantry_domain::{
    Actor, Conflict, Delivery, EmailAddress, Error, InTenant, Invitation, InvitationDetails, InvitationId,
    InvitationState, Mail, Maker, Noun, Page, PageRequest, Role, TenantId, WorkspaceId, unknown_workspace_among,
};
use uuid::Uuid;

use crate::{
    fault::{Fault, stored, stored_option, violates},
    keyset::{self, Keyset, search_form, search_pattern},
    members::already_member,
    places::TenantPlace,
    schema::{invitation_workspaces, invitations, workspaces},
    scope::TenantScope,
    tx::{Tx, WriteTx},
};

#[derive(HasQuery)]
#[diesel(table_name = invitations)]
pub(crate) struct Row {
    tenant_id: Uuid,
    pub(crate) id: Uuid,
    email: String,
    role: String,
    expires_at: DateTime<Utc>,
    accepted_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    invited_by: Option<String>,
}

impl Row {
    fn into_invitation(self, workspaces: Vec<WorkspaceId>, delivery: Delivery) -> Result<Invitation, Fault> {
        Ok(Invitation {
            id: InvitationId::from_uuid(self.id),
            tenant_id: TenantId::from_uuid(self.tenant_id),
            details: InvitationDetails {
                email: stored("invitations.email", &self.email)?,
                role: stored("invitations.role", &self.role)?,
                workspaces,
            },
            invited_by: stored_option("invitations.invited_by", self.invited_by)?,
            expires_at: self.expires_at,
            accepted_at: self.accepted_at,
            revoked_at: self.revoked_at,
            delivery,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// Which invitations a list shows; what is `None` does not restrict it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InvitationFilter {
    /// In this state.
    pub state: Option<InvitationState>,
    /// To this role.
    pub role: Option<Role>,
    /// By this actor: an id, or a name.
    pub invited_by: Option<String>,
    /// With this text somewhere in the address, as searches compare it.
    pub search: Option<String>,
}

impl Keyset for invitations::table {
    type Id = invitations::id;
    type Name = invitations::email_key;
    type CreatedAt = invitations::created_at;
    type UpdatedAt = invitations::updated_at;
}

impl Tx<'_, InTenant> {
    /// A page of the tenant's invitations.
    pub fn invitations(&mut self, filter: &InvitationFilter, page: &PageRequest) -> Result<Page<Invitation>, Fault> {
        let mut query = Row::query().filter(invitations::tenant_id.eq(self.found.uuid())).into_boxed();
        let open = invitations::accepted_at.is_null().and(invitations::revoked_at.is_null());
        let alive = invitations::expires_at.gt(now.into_sql::<Timestamptz>());
        match filter.state {
            Some(InvitationState::Accepted) => query = query.filter(invitations::accepted_at.is_not_null()),
            Some(InvitationState::Revoked) => query = query.filter(invitations::revoked_at.is_not_null()),
            Some(InvitationState::Pending) => query = query.filter(open.and(alive)),
            Some(InvitationState::Expired) => query = query.filter(open.and(diesel::dsl::not(alive))),
            None => {}
        }
        if let Some(role) = filter.role {
            query = query.filter(invitations::role.eq(role.as_str()));
        }
        if let Some(id) = &filter.invited_by {
            let makers: Vec<_> = Maker::with_id(id).iter().map(ToString::to_string).collect();
            query = query.filter(invitations::invited_by.eq_any(makers));
        }
        if let Some(search) = &filter.search {
            // The key is in ASCII, and people search for what they see.
            let pattern = search_pattern(search.clone());
            query = query.filter(
                search_form(invitations::email_key)
                    .like(pattern.clone())
                    .or(search_form(invitations::email).like(pattern)),
            );
        }
        let rows = keyset::page::<invitations::table, _>(query, page).load(self.connection)?;
        Ok(Page::cut(self.scope().completed(rows)?, page))
    }

    /// An invitation of the tenant.
    pub fn invitation(&mut self, id: InvitationId) -> Result<Invitation, Fault> {
        self.scope().read_invitation(id)
    }
}

impl WriteTx<'_, InTenant> {
    /// An invitation of the tenant, locked until the end of the transaction.
    pub fn lock_invitation(&mut self, id: InvitationId) -> Result<Invitation, Fault> {
        self.scope().lock_invitation(id)
    }

    /// Stores a new invitation, if the tenant may have one more, there is neither a member nor an invitation with the address, and a
    /// slot in each workspace. An expired one with the address makes way.
    pub fn create_invitation(
        &mut self,
        id: InvitationId,
        details: &InvitationDetails,
        expires_at: DateTime<Utc>,
    ) -> Result<Invitation, Fault> {
        let (limits, maker) = (self.rules.mail_limits, Maker::of(&self.actor));
        let mut scope = self.scope();
        scope.check_pending(limits)?;
        scope.insert_invitation(id, details, expires_at, &maker)
    }

    /// Lets the invitation be accepted until the time; what was sent before is good no longer. From now on it is the actor's.
    pub fn renew_invitation(&mut self, before: &Invitation, until: DateTime<Utc>) -> Result<Invitation, Fault> {
        // It holds its places while it is pending. An expired one has given them up.
        if before.expires_at <= self.clock()? {
            let limits = self.rules.mail_limits;
            self.scope().check_pending(limits)?;
            for workspace in &before.details.workspaces {
                self.scope().check_slots(*workspace)?;
            }
        }
        self.scope().replace_tokens(before.id)?;
        self.scope().drop_unsent(Mail::Invitation(before.id))?;
        let row = diesel::update(
            invitations::table
                .filter(invitations::tenant_id.eq(self.found.uuid()).and(invitations::id.eq(before.id.uuid()))),
        )
        .set((
            invitations::expires_at.eq(until),
            invitations::invited_by.eq(Maker::of(&self.tx.actor).to_string()),
            invitations::version.eq(invitations::version + 1),
            invitations::updated_at.eq(now),
        ))
        .returning(Row::as_returning())
        .get_result::<Row>(self.connection)?;
        let since = row.updated_at;
        let renewed = self.scope().one_invitation(Some(row))?;
        // The door puts the email into the outbox at the end.
        Ok(Invitation { delivery: Delivery::queued(since), ..renewed })
    }

    /// Has the invitation hold a slot in one more workspace.
    pub fn hold_slot(&mut self, before: &Invitation, workspace: WorkspaceId) -> Result<Invitation, Fault> {
        self.scope().hold_slot(before.id, workspace)?;
        self.scope().touch_invitation(before.id)
    }

    /// Has the invitation give up its slot in a workspace.
    pub fn give_up_slot(&mut self, before: &Invitation, workspace: WorkspaceId) -> Result<Invitation, Fault> {
        diesel::delete(
            invitation_workspaces::table
                .filter(invitation_workspaces::tenant_id.eq(self.found.uuid()))
                .filter(invitation_workspaces::invitation_id.eq(before.id.uuid()))
                .filter(invitation_workspaces::workspace_id.eq(workspace.uuid())),
        )
        .execute(self.connection)?;
        self.scope().touch_invitation(before.id)
    }
}

impl<P: TenantPlace> WriteTx<'_, P> {
    /// Refuses an address that has a pending invitation: whoever accepted it would be a second member.
    pub fn check_not_invited(&mut self, email: &EmailAddress) -> Result<(), Fault> {
        let pending = invitations::table
            .filter(invitations::tenant_id.eq(self.tenant_id().uuid()).and(invitations::email_key.eq(email.key())))
            .filter(invitations::accepted_at.is_null().and(invitations::revoked_at.is_null()))
            .filter(invitations::expires_at.gt(now.into_sql::<Timestamptz>()));
        match diesel::select(diesel::dsl::exists(pending)).get_result(self.connection)? {
            true => Err(already_invited(email).into()),
            false => Ok(()),
        }
    }

    /// The pending invitations by this actor, which nobody accepts or changes until the end of the transaction.
    pub fn lock_pending_invitations_by(&mut self, actor: &Actor) -> Result<Vec<Invitation>, Fault> {
        let rows: Vec<Row> = Row::query()
            .filter(invitations::tenant_id.eq(self.tenant_id().uuid()))
            .filter(invitations::invited_by.eq(Maker::of(actor).to_string()))
            .filter(invitations::accepted_at.is_null().and(invitations::revoked_at.is_null()))
            .filter(invitations::expires_at.gt(now.into_sql::<Timestamptz>()))
            .order(invitations::id)
            .for_no_key_update()
            .load(self.connection)?;
        self.scope().completed(rows)
    }

    /// Takes the invitation back.
    pub fn revoke_invitation(&mut self, id: InvitationId) -> Result<Invitation, Fault> {
        let tenant = self.tenant_id().uuid();
        let row = diesel::update(
            invitations::table.filter(invitations::tenant_id.eq(tenant).and(invitations::id.eq(id.uuid()))),
        )
        .set((
            invitations::revoked_at.eq(now),
            invitations::version.eq(invitations::version + 1),
            invitations::updated_at.eq(now),
        ))
        .returning(Row::as_returning())
        .get_result(self.connection)?;
        self.scope().drop_unsent(Mail::Invitation(id))?;
        self.scope().one_invitation(Some(row))
    }
}

impl TenantScope<'_> {
    /// See [`WriteTx::create_invitation`].
    pub(crate) fn insert_invitation(
        &mut self,
        id: InvitationId,
        details: &InvitationDetails,
        expires_at: DateTime<Utc>,
        maker: &Maker,
    ) -> Result<Invitation, Fault> {
        if self.has_member_with(&details.email)? {
            return Err(already_member(&details.email).into());
        }
        // An expired one can be sent again; who invites anew has something else in mind.
        diesel::delete(
            invitations::table
                .filter(
                    invitations::tenant_id.eq(self.tenant.uuid()).and(invitations::email_key.eq(details.email.key())),
                )
                .filter(invitations::accepted_at.is_null().and(invitations::revoked_at.is_null()))
                .filter(invitations::expires_at.le(now.into_sql::<Timestamptz>())),
        )
        .execute(self.connection)?;
        let row = diesel::insert_into(invitations::table)
            .values((
                invitations::tenant_id.eq(self.tenant.uuid()),
                invitations::id.eq(id.uuid()),
                invitations::email.eq(details.email.as_str()),
                invitations::email_key.eq(details.email.key()),
                invitations::role.eq(details.role.as_str()),
                invitations::expires_at.eq(expires_at),
                invitations::invited_by.eq(maker.to_string()),
            ))
            .returning(Row::as_returning())
            .get_result::<Row>(self.connection)
            .map_err(|error| {
                Fault::unless_violated(error, "invitations_open_key", || already_invited(&details.email))
            })?;
        let there: Vec<Uuid> = workspaces::table
            .filter(workspaces::tenant_id.eq(self.tenant.uuid()).and(workspaces::deleted_at.is_null()))
            .filter(workspaces::id.eq_any(details.workspaces.iter().map(|id| id.uuid()).collect::<Vec<_>>()))
            .select(workspaces::id)
            .load(self.connection)?;
        if let Some(id) = details.workspaces.iter().find(|id| !there.contains(&id.uuid())) {
            return Err(unknown_workspace_among(*id).into());
        }
        for workspace in &details.workspaces {
            self.hold_slot(id, *workspace)?;
        }
        let delivery = Delivery::queued(row.created_at);
        row.into_invitation(details.workspaces.clone(), delivery)
    }

    /// Holds a slot in the workspace for the invitee, if there is one left.
    fn hold_slot(&mut self, id: InvitationId, workspace: WorkspaceId) -> Result<(), Fault> {
        // The invitation itself does not count there yet.
        self.check_slots(workspace)?;
        let slot = (
            invitation_workspaces::tenant_id.eq(self.tenant.uuid()),
            invitation_workspaces::invitation_id.eq(id.uuid()),
            invitation_workspaces::workspace_id.eq(workspace.uuid()),
            invitation_workspaces::number.eq(self.next_slot_number()?),
        );
        diesel::insert_into(invitation_workspaces::table).values(slot).execute(self.connection).map(drop).map_err(
            |error| match violates(&error, "invitation_workspaces_workspace_fkey") {
                true => unknown_workspace_among(workspace).into(),
                false => Fault::from(error),
            },
        )
    }

    /// The slots that an invitation holds, with their numbers.
    pub(crate) fn slots_of(&mut self, id: InvitationId) -> Result<Vec<(WorkspaceId, i64)>, Fault> {
        let rows: Vec<(Uuid, i64)> = invitation_workspaces::table
            .filter(invitation_workspaces::tenant_id.eq(self.tenant.uuid()))
            .filter(invitation_workspaces::invitation_id.eq(id.uuid()))
            .select((invitation_workspaces::workspace_id, invitation_workspaces::number))
            .order(invitation_workspaces::number)
            .load(self.connection)?;
        Ok(rows.into_iter().map(|(id, number)| (WorkspaceId::from_uuid(id), number)).collect())
    }

    /// Counts a change that is seen at the invitation and stands elsewhere.
    fn touch_invitation(&mut self, id: InvitationId) -> Result<Invitation, Fault> {
        let row = diesel::update(
            invitations::table.filter(invitations::tenant_id.eq(self.tenant.uuid()).and(invitations::id.eq(id.uuid()))),
        )
        .set((invitations::version.eq(invitations::version + 1), invitations::updated_at.eq(now)))
        .returning(Row::as_returning())
        .get_result(self.connection)?;
        self.one_invitation(Some(row))
    }

    /// An invitation, locked until the end of the transaction.
    pub(crate) fn lock_invitation(&mut self, id: InvitationId) -> Result<Invitation, Fault> {
        let row = Row::query()
            .filter(invitations::tenant_id.eq(self.tenant.uuid()).and(invitations::id.eq(id.uuid())))
            .for_no_key_update()
            .first(self.connection)
            .optional()?;
        self.one_invitation(row)
    }

    /// An invitation as it is stored now.
    pub(crate) fn read_invitation(&mut self, id: InvitationId) -> Result<Invitation, Fault> {
        let row = Row::query()
            .filter(invitations::tenant_id.eq(self.tenant.uuid()).and(invitations::id.eq(id.uuid())))
            .first(self.connection)
            .optional()?;
        self.one_invitation(row)
    }

    fn one_invitation(&mut self, row: Option<Row>) -> Result<Invitation, Fault> {
        let row = row.ok_or(Error::NotFound(Noun::Invitation))?;
        let invitation = self.completed(vec![row])?.pop();
        invitation.ok_or_else(|| Error::NotFound(Noun::Invitation).into())
    }

    /// The rows with what belongs to them and stands elsewhere.
    fn completed(&mut self, rows: Vec<Row>) -> Result<Vec<Invitation>, Fault> {
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let links: Vec<(Uuid, Uuid)> = invitation_workspaces::table
            .filter(invitation_workspaces::tenant_id.eq(self.tenant.uuid()))
            .filter(invitation_workspaces::invitation_id.eq_any(&ids))
            .select((invitation_workspaces::invitation_id, invitation_workspaces::workspace_id))
            .order(invitation_workspaces::workspace_id)
            .load(self.connection)?;
        let mut workspaces: HashMap<Uuid, Vec<WorkspaceId>> = HashMap::new();
        for (invitation, workspace) in links {
            workspaces.entry(invitation).or_default().push(WorkspaceId::from_uuid(workspace));
        }
        let mut deliveries = self.deliveries(&ids)?;
        rows.into_iter()
            .map(|row| {
                let workspaces = workspaces.remove(&row.id).unwrap_or_default();
                let delivery = deliveries.remove(&row.id).unwrap_or_else(Delivery::none);
                row.into_invitation(workspaces, delivery)
            })
            .collect()
    }

    /// Stores invitations as they were elsewhere, without tokens and without slots.
    pub(crate) fn import_invitations(&mut self, invitations: &[Invitation]) -> QueryResult<()> {
        let rows = invitations.iter().map(|invitation| {
            (
                invitations::tenant_id.eq(self.tenant.uuid()),
                invitations::id.eq(invitation.id.uuid()),
                invitations::email.eq(invitation.details.email.as_str()),
                invitations::email_key.eq(invitation.details.email.key()),
                invitations::role.eq(invitation.details.role.as_str()),
                invitations::expires_at.eq(invitation.expires_at),
                invitations::invited_by.eq(invitation.invited_by.as_ref().map(ToString::to_string)),
                invitations::accepted_at.eq(invitation.accepted_at),
                invitations::revoked_at.eq(invitation.revoked_at),
                invitations::version.eq(invitation.version),
                invitations::created_at.eq(invitation.created_at),
                invitations::updated_at.eq(invitation.updated_at),
            )
        });
        let rows: Vec<_> = rows.collect();
        diesel::insert_into(invitations::table).values(rows).execute(self.connection).map(drop)
    }
}

fn already_invited(email: &EmailAddress) -> Error {
    Error::conflict(
        Conflict::AlreadyInvited,
        format!("{} already has a pending invitation. Send it again, or revoke it first.", email.as_str()),
    )
}
