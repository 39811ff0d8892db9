//! Who has a slot in a workspace: members who are assigned to it, and invitations that hold one until they are accepted.

use diesel::{dsl::now, prelude::*, sql_types::Timestamptz};
use tenantry_domain::{
    EmailAddress, Error, InTenant, InWorkspace, InvitationId, MemberId, Noun, Slot, SlotHolder, SlotNumber, WorkspaceId,
};
use uuid::Uuid;

use crate::{
    fault::{Fault, stored},
    schema::{assignments, invitation_workspaces, invitations, members, slots},
    scope::TenantScope,
    tx::Tx,
};

/// How somebody with an address stands to a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nobody in the tenant has the address, and no pending invitation.
    Unknown,
    /// This pending invitation has it; whether it holds a slot in the workspace.
    Invited(InvitationId, bool),
    /// This member has it; whether it is assigned to the workspace.
    Member(MemberId, bool),
}

#[derive(Clone, HasQuery)]
#[diesel(table_name = slots)]
pub(crate) struct Row {
    number: i64,
    holder_id: Uuid,
    email: String,
    role: String,
    is_member: bool,
}

impl Row {
    fn into_slot(self) -> Result<Slot, Fault> {
        Ok(Slot {
            number: SlotNumber::given(self.number),
            holder: match self.is_member {
                true => SlotHolder::Member(MemberId::from_uuid(self.holder_id)),
                false => SlotHolder::Invitation(InvitationId::from_uuid(self.holder_id)),
            },
            email: stored("slots.email", &self.email)?,
            role: stored("slots.role", &self.role)?,
        })
    }
}

/// By number.
pub(crate) fn in_order(rows: Vec<Row>) -> Result<Vec<Slot>, Fault> {
    let mut slots = rows.into_iter().map(Row::into_slot).collect::<Result<Vec<_>, Fault>>()?;
    slots.sort_by_key(|slot| slot.number.get());
    Ok(slots)
}

impl Tx<'_, InWorkspace> {
    /// Everybody with a slot in the workspace, by number.
    pub(crate) fn slots(&mut self) -> Result<Vec<Slot>, Fault> {
        let rows = Row::query()
            .filter(slots::tenant_id.eq(self.found.tenant.uuid()))
            .filter(slots::workspace_id.eq(self.found.id.uuid()))
            .load(self.connection)?;
        in_order(rows)
    }

    /// How somebody with this address stands to the workspace.
    pub fn standing_of(&mut self, email: &EmailAddress) -> Result<Standing, Fault> {
        let (tenant, workspace) = (self.found.tenant, self.found.id);
        let member: Option<Uuid> = members::table
            .filter(members::tenant_id.eq(tenant.uuid()).and(members::email_key.eq(email.key())))
            .select(members::id)
            .first(self.connection)
            .optional()?;
        if let Some(id) = member.map(MemberId::from_uuid) {
            return Ok(Standing::Member(id, self.assigned_since(id)?.is_some()));
        }
        let invitation: Option<Uuid> = invitations::table
            .filter(invitations::tenant_id.eq(tenant.uuid()).and(invitations::email_key.eq(email.key())))
            .filter(invitations::accepted_at.is_null().and(invitations::revoked_at.is_null()))
            .filter(invitations::expires_at.gt(now.into_sql::<Timestamptz>()))
            .select(invitations::id)
            .first(self.connection)
            .optional()?;
        let Some(id) = invitation.map(InvitationId::from_uuid) else { return Ok(Standing::Unknown) };
        let slots = self.scope().slots_of(id)?;
        Ok(Standing::Invited(id, slots.iter().any(|(held, _)| *held == workspace)))
    }
}

impl Tx<'_, InTenant> {
    /// The workspace that the slot with this number is in, who has it, and whether it is the only one that an invitation holds.
    pub fn slot(&mut self, number: SlotNumber) -> Result<(WorkspaceId, SlotHolder, bool), Fault> {
        let (workspace, holder) = self.scope().find_slot(number)?.ok_or(Error::NotFound(Noun::Workspace))?;
        let only = match holder {
            SlotHolder::Member(_) => false,
            SlotHolder::Invitation(id) => self.scope().slots_of(id)?.len() == 1,
        };
        Ok((workspace, holder, only))
    }
}

impl TenantScope<'_> {
    fn find_slot(&mut self, number: SlotNumber) -> Result<Option<(WorkspaceId, SlotHolder)>, Fault> {
        let assigned: Option<(Uuid, Uuid)> = assignments::table
            .filter(assignments::tenant_id.eq(self.tenant.uuid()).and(assignments::number.eq(number.get())))
            .select((assignments::workspace_id, assignments::member_id))
            .first(self.connection)
            .optional()?;
        if let Some((workspace, member)) = assigned {
            return Ok(Some((WorkspaceId::from_uuid(workspace), SlotHolder::Member(MemberId::from_uuid(member)))));
        }
        // What an accepted invitation held is an assignment now, or is no more.
        let held: Option<(Uuid, Uuid)> = invitation_workspaces::table
            .inner_join(invitations::table.on(invitations::id.eq(invitation_workspaces::invitation_id)))
            .filter(invitation_workspaces::tenant_id.eq(self.tenant.uuid()))
            .filter(invitation_workspaces::number.eq(number.get()).and(invitations::tenant_id.eq(self.tenant.uuid())))
            .filter(invitations::accepted_at.is_null().and(invitations::revoked_at.is_null()))
            .select((invitation_workspaces::workspace_id, invitation_workspaces::invitation_id))
            .first(self.connection)
            .optional()?;
        let holding = |id| SlotHolder::Invitation(InvitationId::from_uuid(id));
        Ok(held.map(|(workspace, id)| (WorkspaceId::from_uuid(workspace), holding(id))))
    }
}
