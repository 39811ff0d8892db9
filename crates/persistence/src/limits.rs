//! Limits of a workspace, and how much of them is used.
//!
//! Whatever counts against them first makes others wait at a row: members at the tenant's (as all that changes members does),
//! agents and usage at the workspace's. A change of the limits waits at both.

use diesel::{pg::Pg, prelude::*};
use tenantry_domain::{Error, InWorkspace, LimitsInForce, Noun, TenantId, WorkspaceId, WorkspaceLimits};
use uuid::Uuid;

use crate::{
    agents, assignments,
    fault::{Fault, stored},
    schema::workspaces,
    tenants::{self, number, stored_cap},
    tx::{Tx, WriteTx},
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

#[derive(Queryable, Selectable)]
#[diesel(table_name = workspaces, check_for_backend(Pg))]
struct Row {
    max_members: Option<i32>,
    max_agents: Option<i32>,
    max_minutes: Option<i32>,
    time_zone: String,
    limits_version: i64,
}

#[derive(AsChangeset)]
#[diesel(table_name = workspaces, treat_none_as_null = true)]
struct Columns<'a> {
    max_members: Option<i32>,
    max_agents: Option<i32>,
    max_minutes: Option<i32>,
    time_zone: &'a str,
}

impl<'a> Columns<'a> {
    fn of(limits: &'a WorkspaceLimits) -> Self {
        Self {
            max_members: number(limits.max_members),
            max_agents: number(limits.max_agents),
            max_minutes: number(limits.max_minutes),
            time_zone: limits.time_zone.as_str(),
        }
    }
}

impl Row {
    fn into_limits(self) -> Result<WorkspaceLimits, Fault> {
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
        read(self.connection, self.found.tenant, self.found.id)
    }

    /// How many members have a place in the workspace, with those who are invited, and how many agents there are.
    pub fn members_and_agents(&mut self) -> Result<(i64, i64), Fault> {
        let (tenant, workspace) = (self.found.tenant, self.found.id);
        let members = assignments::places(self.connection, tenant, workspace)?;
        Ok((members, agents::count(self.connection, tenant, workspace)?))
    }
}

impl WriteTx<'_, InWorkspace> {
    /// The limits, while nobody else makes an agent, records usage or changes the workspace until the end of the transaction.
    pub fn lock_limits(&mut self) -> Result<FoundLimits, Fault> {
        self.lock_workspace()?;
        self.limits()
    }

    /// Stores new limits.
    pub fn update_limits(&mut self, limits: &WorkspaceLimits) -> Result<FoundLimits, Fault> {
        let this =
            workspaces::tenant_id.eq(self.tx.found.tenant.uuid()).and(workspaces::id.eq(self.tx.found.id.uuid()));
        diesel::update(workspaces::table.filter(this))
            .set((Columns::of(limits), workspaces::limits_version.eq(workspaces::limits_version + 1)))
            .execute(self.tx.connection)?;
        self.limits()
    }
}

/// The limits of a workspace, be it there or deleted.
pub(crate) fn read(
    connection: &mut PgConnection,
    tenant: TenantId,
    workspace: WorkspaceId,
) -> Result<FoundLimits, Fault> {
    let (tenant_id, id): (Uuid, Uuid) = (tenant.uuid(), workspace.uuid());
    let row = workspaces::table
        .filter(workspaces::tenant_id.eq(tenant_id).and(workspaces::id.eq(id)))
        .select(Row::as_select())
        .first(connection)
        .optional()?
        .ok_or(Error::NotFound(Noun::Workspace))?;
    let version = row.limits_version;
    let own = row.into_limits()?;
    let in_force = own.within(tenants::read(connection, tenant)?.limits);
    Ok(FoundLimits { own, in_force, version })
}
