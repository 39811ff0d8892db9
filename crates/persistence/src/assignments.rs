//! Assignments: which members have a slot in a workspace.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use tenantry_domain::{
    Assignment, Error, InMember, InTenant, InWorkspace, Member, MemberId, Noun, Page, PageRequest, WorkspaceId,
};
use uuid::Uuid;

use crate::{
    fault::{Fault, violates},
    keyset,
    members::Row,
    places::FoundMember,
    schema::{assignments, members, workspaces},
    scope::TenantScope,
    tx::{Tx, WriteTx},
};

/// How many assignments of a member are shown with it.
pub const SHOWN_ASSIGNMENTS: usize = 1_000;

impl Tx<'_, InWorkspace> {
    /// A page of the members that are assigned to the workspace.
    pub fn assigned_members(&mut self, page: &PageRequest) -> Result<Page<Member>, Fault> {
        let (tenant, workspace) = (self.found.tenant.uuid(), self.found.id.uuid());
        let assigned = assignments::table
            .filter(assignments::tenant_id.eq(tenant).and(assignments::workspace_id.eq(workspace)))
            .select(assignments::member_id);
        let query = Row::query().filter(members::tenant_id.eq(tenant).and(members::id.eq_any(assigned))).into_boxed();
        let rows = keyset::page::<members::table, _>(query, page).load(self.connection)?;
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
    /// Assigns the member to the workspace, if there is a slot left.
    pub fn assign(&mut self, member: MemberId) -> Result<(), Fault> {
        let workspace = self.found.id;
        let mut scope = self.scope();
        scope.take_slot(workspace, member)?;
        Ok(scope.touch_member(member)?)
    }

    /// Takes the member off the workspace.
    pub fn unassign(&mut self, member: MemberId) -> Result<(), Fault> {
        diesel::delete(
            assignments::table.filter(assignments::tenant_id.eq(self.found.tenant.uuid())).filter(
                assignments::workspace_id.eq(self.found.id.uuid()).and(assignments::member_id.eq(member.uuid())),
            ),
        )
        .execute(self.connection)?;
        Ok(self.scope().touch_member(member)?)
    }
}

impl Tx<'_, InMember> {
    /// The member's assignments to workspaces that are there, by the workspace's name, at most [`SHOWN_ASSIGNMENTS`]; and how
    /// many there are.
    pub fn assignments(&mut self) -> Result<(Vec<Assignment>, i64), Fault> {
        let FoundMember { tenant, id, .. } = self.found;
        let here = || {
            assignments::table
                .inner_join(workspaces::table.on(workspaces::id.eq(assignments::workspace_id)))
                .filter(assignments::tenant_id.eq(tenant.uuid()).and(assignments::member_id.eq(id.uuid())))
                .filter(workspaces::tenant_id.eq(tenant.uuid()).and(workspaces::deleted_at.is_null()))
        };
        let rows: Vec<(Uuid, String, DateTime<Utc>)> = here()
            .select((workspaces::id, workspaces::name, assignments::created_at))
            .order((workspaces::name, workspaces::id))
            .limit(i64::try_from(SHOWN_ASSIGNMENTS).unwrap_or(i64::MAX))
            .load(self.connection)?;
        let count = here().count().get_result(self.connection)?;
        let shown = rows.into_iter().map(|(workspace, workspace_name, created_at)| Assignment {
            member_id: id,
            workspace_id: WorkspaceId::from_uuid(workspace),
            workspace_name,
            created_at,
        });
        Ok((shown.collect(), count))
    }
}

impl WriteTx<'_, InTenant> {
    /// Assigns a new member to these workspaces, if there is a slot in each.
    pub fn assign_to(&mut self, member: MemberId, workspaces: &[WorkspaceId]) -> Result<(), Fault> {
        let mut scope = self.scope();
        for workspace in workspaces {
            scope.take_slot(*workspace, member)?;
        }
        Ok(())
    }
}

impl TenantScope<'_> {
    /// Gives a member the next slot in a workspace, if there is one left.
    fn take_slot(&mut self, workspace: WorkspaceId, member: MemberId) -> Result<(), Fault> {
        self.check_slots(workspace)?;
        let number = self.next_slot_number()?;
        self.insert_assignment(workspace, member, number)
    }

    /// Assigns a member to a slot with this number, which exists.
    pub(crate) fn insert_assignment(
        &mut self,
        workspace: WorkspaceId,
        member: MemberId,
        number: i64,
    ) -> Result<(), Fault> {
        diesel::insert_into(assignments::table)
            .values((
                assignments::tenant_id.eq(self.tenant.uuid()),
                assignments::workspace_id.eq(workspace.uuid()),
                assignments::member_id.eq(member.uuid()),
                assignments::number.eq(number),
            ))
            .execute(self.connection)
            .map(drop)
            // Both were there a moment ago.
            .map_err(|error| match violates(&error, "assignments_workspace_fkey") {
                true => Error::NotFound(Noun::Workspace).into(),
                false => Fault::unless_violated(error, "assignments_member_fkey", || Error::NotFound(Noun::Member)),
            })
    }
}

/// The workspaces that a member is assigned to.
#[diesel::dsl::auto_type]
pub(crate) fn assigned_workspaces(tenant: Uuid, member: Uuid) -> _ {
    assignments::table
        .filter(assignments::tenant_id.eq(tenant).and(assignments::member_id.eq(member)))
        .select(assignments::workspace_id)
}
