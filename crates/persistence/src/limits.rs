//! Limits of a workspace, and how much of them is used.
//!
//! Whatever counts against them first makes others wait at a row: members at the tenant's (as all that changes members does),
//! agents and usage at the workspace's. A change of the limits waits at both.

use chrono::{DateTime, Utc};
use diesel::{
    dsl::{count_star, now},
    prelude::*,
    sql_types::Timestamptz,
};
use tenantry_domain::{
    Error, InWorkspace, LimitsInForce, Noun, Workspace, WorkspaceId, WorkspaceLimits, limit_reached,
};
use uuid::Uuid;

use crate::{
    fault::{Fault, stored},
    places::FoundWorkspace,
    schema::{agents, assignments, invitation_workspaces, invitations, tenants as tenants_table, workspaces},
    scope::TenantScope,
    tenants::{self, number, stored_cap},
    tx::{Tx, WriteTx},
    workspaces::Row as WorkspaceRow,
};

/// The limits of a workspace as its own row and its tenant's have them.
#[derive(Debug, Clone)]
pub struct FoundLimits {
    /// Its own.
    pub own: WorkspaceLimits,
    /// Those together with the tenant's.
    pub in_force: LimitsInForce,
    /// Counts the changes of its own, from 1.
    pub version: i64,
}

/// What of the limits of a workspace is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// By members who have a slot in it, and by those who are invited.
    pub members: i64,
    /// By agents.
    pub agents: i64,
    /// When that was, by the clock of the database.
    pub clock: DateTime<Utc>,
}

#[derive(Clone, HasQuery)]
#[diesel(table_name = workspaces)]
pub(crate) struct Row {
    max_members: Option<i32>,
    max_agents: Option<i32>,
    max_minutes: Option<i32>,
    time_zone: String,
    pub(crate) limits_version: i64,
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = workspaces, treat_none_as_null = true)]
pub(crate) struct Columns<'a> {
    max_members: Option<i32>,
    max_agents: Option<i32>,
    max_minutes: Option<i32>,
    time_zone: &'a str,
}

impl<'a> Columns<'a> {
    pub(crate) fn of(limits: &'a WorkspaceLimits) -> Self {
        Self {
            max_members: number(limits.max_members),
            max_agents: number(limits.max_agents),
            max_minutes: number(limits.max_minutes),
            time_zone: limits.time_zone.as_str(),
        }
    }
}

impl Row {
    /// Together with those of the tenant.
    pub(crate) fn found(self, tenant: tenants::Row) -> Result<FoundLimits, Fault> {
        let version = self.limits_version;
        let own = self.into_limits()?;
        let in_force = own.within(tenant.into_tenant()?.limits);
        Ok(FoundLimits { own, in_force, version })
    }

    pub(crate) fn into_limits(self) -> Result<WorkspaceLimits, Fault> {
        Ok(WorkspaceLimits {
            max_members: stored_cap("workspaces.max_members", self.max_members)?,
            max_agents: stored_cap("workspaces.max_agents", self.max_agents)?,
            max_minutes: stored_cap("workspaces.max_minutes", self.max_minutes)?,
            time_zone: stored("workspaces.time_zone", &self.time_zone)?,
        })
    }
}

impl Tx<'_, InWorkspace> {
    /// The limits.
    pub fn limits(&mut self) -> Result<FoundLimits, Fault> {
        let id = self.found.id;
        self.scope().limits(id)
    }

    /// The workspace itself and its limits.
    pub fn workspace_and_limits(&mut self) -> Result<(Workspace, FoundLimits), Fault> {
        let (tenant, id): (Uuid, Uuid) = (self.found.tenant.uuid(), self.found.id.uuid());
        let (workspace, row, of): (WorkspaceRow, Row, tenants::Row) = workspaces::table
            .inner_join(tenants_table::table.on(tenants_table::id.eq(tenant)))
            .filter(workspaces::tenant_id.eq(tenant).and(workspaces::id.eq(id)))
            .filter(workspaces::deleted_at.is_null())
            .select((WorkspaceRow::as_select(), Row::as_select(), tenants::Row::as_select()))
            .first(self.connection)
            .optional()?
            .ok_or(Error::NotFound(Noun::Workspace))?;
        Ok((workspace.into_workspace()?, row.found(of)?))
    }

    /// What of the limits is taken now.
    pub fn taken(&mut self) -> Result<Taken, Fault> {
        let (tenant, workspace) = (self.found.tenant.uuid(), self.found.id.uuid());
        let (assigned, invited, agents, clock): (Option<i64>, Option<i64>, Option<i64>, DateTime<Utc>) =
            diesel::select((
                assigned(tenant, workspace).single_value(),
                invited(tenant, workspace).single_value(),
                agents_in(tenant, workspace).single_value(),
                now.into_sql::<Timestamptz>(),
            ))
            .get_result(self.connection)?;
        let members = assigned.unwrap_or(0) + invited.unwrap_or(0);
        Ok(Taken { members, agents: agents.unwrap_or(0), clock })
    }
}

impl WriteTx<'_, InWorkspace> {
    /// The limits, while nobody else makes an agent, records usage or changes the workspace until the end of the transaction.
    pub fn lock_limits(&mut self) -> Result<FoundLimits, Fault> {
        let FoundWorkspace { tenant, id, .. } = self.found;
        workspaces::table
            .filter(workspaces::tenant_id.eq(tenant.uuid()).and(workspaces::id.eq(id.uuid())))
            .filter(workspaces::deleted_at.is_null())
            .select(workspaces::id)
            .for_no_key_update()
            .first::<Uuid>(self.connection)
            .optional()?
            .ok_or(Error::NotFound(Noun::Workspace))?;
        self.limits()
    }

    /// Stores new limits.
    pub fn update_limits(&mut self, limits: &WorkspaceLimits) -> Result<FoundLimits, Fault> {
        let this = workspaces::tenant_id.eq(self.found.tenant.uuid()).and(workspaces::id.eq(self.found.id.uuid()));
        diesel::update(workspaces::table.filter(this))
            .set((Columns::of(limits), workspaces::limits_version.eq(workspaces::limits_version + 1)))
            .execute(self.connection)?;
        self.limits()
    }
}

impl TenantScope<'_> {
    /// The limits of a workspace, be it there or deleted.
    pub(crate) fn limits(&mut self, workspace: WorkspaceId) -> Result<FoundLimits, Fault> {
        let (tenant_id, id): (Uuid, Uuid) = (self.tenant.uuid(), workspace.uuid());
        let (row, tenant): (Row, tenants::Row) = workspaces::table
            .inner_join(tenants_table::table.on(tenants_table::id.eq(tenant_id)))
            .filter(workspaces::tenant_id.eq(tenant_id).and(workspaces::id.eq(id)))
            .select((Row::as_select(), tenants::Row::as_select()))
            .first(self.connection)
            .optional()?
            .ok_or(Error::NotFound(Noun::Workspace))?;
        row.found(tenant)
    }

    /// Refuses one more slot in a workspace that has as many as it may, counting those that are held for the invited. Meaningful
    /// while the tenant is locked, so that nobody else takes one meanwhile.
    pub(crate) fn check_slots(&mut self, workspace: WorkspaceId) -> Result<(), Fault> {
        let Some(cap) = self.limits(workspace)?.in_force.members.effective() else { return Ok(()) };
        let used = self.slots_taken(workspace)?;
        if used >= i64::from(cap.get()) {
            return Err(limit_reached("This workspace", Noun::Member, cap, used).into());
        }
        Ok(())
    }

    /// How many slots in a workspace are taken, by members and by those who are invited.
    pub(crate) fn slots_taken(&mut self, workspace: WorkspaceId) -> QueryResult<i64> {
        let (tenant, workspace) = (self.tenant.uuid(), workspace.uuid());
        let assigned: i64 = assigned(tenant, workspace).get_result(self.connection)?;
        Ok(assigned + invited(tenant, workspace).get_result::<i64>(self.connection)?)
    }

    /// How many agents a workspace has.
    pub(crate) fn count_agents(&mut self, workspace: WorkspaceId) -> QueryResult<i64> {
        agents_in(self.tenant.uuid(), workspace.uuid()).get_result(self.connection)
    }
}

/// How many members have a slot in a workspace.
#[diesel::dsl::auto_type]
fn assigned(tenant: Uuid, workspace: Uuid) -> _ {
    assignments::table
        .filter(assignments::tenant_id.eq(tenant).and(assignments::workspace_id.eq(workspace)))
        .select(count_star())
}

/// How many slots in a workspace are held for those who are invited.
#[diesel::dsl::auto_type]
fn invited(tenant: Uuid, workspace: Uuid) -> _ {
    invitation_workspaces::table
        .inner_join(invitations::table.on(invitations::id.eq(invitation_workspaces::invitation_id)))
        .filter(invitation_workspaces::tenant_id.eq(tenant).and(invitation_workspaces::workspace_id.eq(workspace)))
        .filter(invitations::tenant_id.eq(tenant))
        .filter(invitations::accepted_at.is_null().and(invitations::revoked_at.is_null()))
        .filter(invitations::expires_at.gt(now.into_sql::<Timestamptz>()))
        .select(count_star())
}

/// How many agents a workspace has.
#[diesel::dsl::auto_type]
fn agents_in(tenant: Uuid, workspace: Uuid) -> _ {
    agents::table.filter(agents::tenant_id.eq(tenant).and(agents::workspace_id.eq(workspace))).select(count_star())
}
