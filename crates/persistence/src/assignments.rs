//! Assignments: which members have a place in a workspace, and how many places there are.

use chrono::{DateTime, Utc};
use diesel::{dsl::now, prelude::*, sql_types::Timestamptz};
use tenantry_domain::{
    Error, InWorkspace, Member, MemberId, Noun, Page, PageRequest, TenantId, WorkspaceId, limit_reached,
};

use crate::{
    fault::{Fault, violates},
    keyset, limits,
    members::{self, Row},
    schema::{assignments, invitation_workspaces, invitations, members as members_table},
    tx::{Tx, WriteTx},
};

impl Tx<'_, InWorkspace> {
    /// A page of the members that are assigned to the workspace.
    pub fn assigned_members(&mut self, page: &PageRequest) -> Result<Page<Member>, Fault> {
        let (tenant, workspace) = (self.found.tenant.uuid(), self.found.id.uuid());
        let assigned = assignments::table
            .filter(assignments::tenant_id.eq(tenant).and(assignments::workspace_id.eq(workspace)))
            .select(assignments::member_id);
        let mut query = members_table::table
            .filter(members_table::tenant_id.eq(tenant).and(members_table::id.eq_any(assigned)))
            .select(Row::as_select())
            .into_boxed();
        if let Some(position) = &page.after {
            query = query.filter(keyset::after("members", page.sort, position));
        }
        let rows = query.order(keyset::order("members", page.sort)).limit(keyset::limit(page)).load(self.connection)?;
        Ok(Page::cut(rows.into_iter().map(Row::into_member).collect::<Result<_, _>>()?, page))
    }

    /// Since when the member is assigned to the workspace; `None` when it is not.
    pub fn assigned_since(&mut self, member: MemberId) -> Result<Option<DateTime<Utc>>, Fault> {
        Ok(assignments::table
            .filter(assignments::tenant_id.eq(self.found.tenant.uuid()))
            .filter(assignments::workspace_id.eq(self.found.id.uuid()).and(assignments::member_id.eq(member.uuid())))
            .select(assignments::created_at)
            .first(self.connection)
            .optional()?)
    }
}

impl WriteTx<'_, InWorkspace> {
    /// Assigns the member to the workspace, if there is a place left.
    pub fn assign(&mut self, member: MemberId) -> Result<(), Fault> {
        let (tenant, workspace) = (self.tx.found.tenant, self.tx.found.id);
        check_places(self.tx.connection, tenant, workspace)?;
        let number = crate::tenants::next_place_number(self.tx.connection, tenant)?;
        insert(self.tx.connection, tenant, workspace, member, number)?;
        Ok(members::touch(self.tx.connection, tenant, member)?)
    }

    /// Takes the member off the workspace.
    pub fn unassign(&mut self, member: MemberId) -> Result<(), Fault> {
        diesel::delete(assignments::table.filter(assignments::tenant_id.eq(self.tx.found.tenant.uuid())).filter(
            assignments::workspace_id.eq(self.tx.found.id.uuid()).and(assignments::member_id.eq(member.uuid())),
        ))
        .execute(self.tx.connection)?;
        Ok(members::touch(self.tx.connection, self.tx.found.tenant, member)?)
    }
}

/// Assigns a member to a place with this number; the place is there.
pub(crate) fn insert(
    connection: &mut PgConnection,
    tenant: TenantId,
    workspace: WorkspaceId,
    member: MemberId,
    number: i64,
) -> Result<(), Fault> {
    diesel::insert_into(assignments::table)
        .values((
            assignments::tenant_id.eq(tenant.uuid()),
            assignments::workspace_id.eq(workspace.uuid()),
            assignments::member_id.eq(member.uuid()),
            assignments::number.eq(number),
        ))
        .execute(connection)
        .map(drop)
        // Both were there a moment ago.
        .map_err(|error| match violates(&error, "assignments_workspace_fkey") {
            true => Error::NotFound(Noun::Workspace).into(),
            false => Fault::unless_violated(error, "assignments_member_fkey", || Error::NotFound(Noun::Member)),
        })
}

/// Refuses one more place in a workspace that has as many as it may, counting those that are held for the invited. Meaningful
/// while the tenant is locked, so that nobody else takes one meanwhile.
pub(crate) fn check_places(
    connection: &mut PgConnection,
    tenant: TenantId,
    workspace: WorkspaceId,
) -> Result<(), Fault> {
    let Some(cap) = limits::read(connection, tenant, workspace)?.in_force.members.effective() else { return Ok(()) };
    let used = places(connection, tenant, workspace)?;
    if used >= i64::from(cap.get()) {
        return Err(limit_reached("members in the workspace, with those who are invited,", cap, used).into());
    }
    Ok(())
}

/// How many places in a workspace are taken, by members and by those who are invited.
pub(crate) fn places(connection: &mut PgConnection, tenant: TenantId, workspace: WorkspaceId) -> QueryResult<i64> {
    let assigned: i64 = assignments::table
        .filter(assignments::tenant_id.eq(tenant.uuid()).and(assignments::workspace_id.eq(workspace.uuid())))
        .count()
        .get_result(connection)?;
    let invited: i64 = invitation_workspaces::table
        .inner_join(
            invitations::table.on(invitations::tenant_id
                .eq(invitation_workspaces::tenant_id)
                .and(invitations::id.eq(invitation_workspaces::invitation_id))),
        )
        .filter(invitation_workspaces::tenant_id.eq(tenant.uuid()))
        .filter(invitation_workspaces::workspace_id.eq(workspace.uuid()))
        .filter(invitations::tenant_id.eq(tenant.uuid()))
        .filter(invitations::accepted_at.is_null().and(invitations::revoked_at.is_null()))
        .filter(invitations::expires_at.gt(now.into_sql::<Timestamptz>()))
        .count()
        .get_result(connection)?;
    Ok(assigned + invited)
}
