//! How many workspaces and members there are.
//!
//! Whoever makes or removes one counts it in the same transaction, under the lock of the tenant, so that no question is answered by
//! counting rows. Whatever else writes rows, such as a binary that knows no counts, is put right by [`WriteTx::recount`].

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Uuid as SqlUuid},
};
use tenantry_domain::{BrandId, Error, InTenant, Noun, Reach, Tenant, Use, limit_reached};
use uuid::Uuid;

use crate::{
    fault::Fault,
    prepared::Prepare,
    schema::{brands, tenants},
    scope::TenantScope,
    tenants::Row,
    tx::{Tx, WriteTx},
    workspaces::visible,
};

/// A workspace that was counted and is not there yet.
pub(crate) struct OneMore {
    pub(crate) tenant: Tenant,
    /// Its number, if it got one.
    pub(crate) number: i64,
    /// How many there are with it.
    count: i64,
}

impl OneMore {
    /// Refuses it in a tenant that has as many as it may.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        match self.tenant.limits.max_workspaces {
            Some(cap) if self.count > i64::from(cap.get()) => {
                Err(limit_reached("This tenant", Noun::Workspace, cap, self.count - 1).into())
            }
            _ => Ok(()),
        }
    }
}

impl TenantScope<'_> {
    /// Counts one more workspace of a brand, with so many new numbers. Whoever counts another one in the tenant waits for the end of
    /// the transaction.
    pub(crate) fn one_more_workspace(&mut self, brand: BrandId, numbers: i64) -> Result<OneMore, Fault> {
        let (row, number, count): (Row, _, _) =
            diesel::update(tenants::table.filter(tenants::id.eq(self.tenant.uuid())))
                .set((
                    tenants::workspace_count.eq(tenants::workspace_count + 1),
                    tenants::last_workspace_number.eq(tenants::last_workspace_number + numbers),
                ))
                .returning((Row::as_returning(), tenants::last_workspace_number, tenants::workspace_count))
                .prepared()
                .get_result(self.connection)?;
        self.count_in_brand(brand, 1)?;
        Ok(OneMore { tenant: row.into_tenant()?, number, count })
    }

    /// Counts one workspace less of a brand. The tenant is locked.
    pub(crate) fn one_workspace_less(&mut self, brand: BrandId) -> QueryResult<()> {
        diesel::update(tenants::table.filter(tenants::id.eq(self.tenant.uuid())))
            .set(tenants::workspace_count.eq(tenants::workspace_count - 1))
            .prepared()
            .execute(self.connection)?;
        self.count_in_brand(brand, -1)
    }

    /// Counts a workspace under another brand than before. The tenant is locked.
    pub(crate) fn workspace_moves(&mut self, from: BrandId, to: BrandId) -> QueryResult<()> {
        self.count_in_brand(from, -1)?;
        self.count_in_brand(to, 1)
    }

    fn count_in_brand(&mut self, brand: BrandId, more: i64) -> QueryResult<()> {
        let this = brands::tenant_id.eq(self.tenant.uuid()).and(brands::id.eq(brand.uuid()));
        diesel::update(brands::table.filter(this))
            .set(brands::workspace_count.eq(brands::workspace_count + more))
            .prepared()
            .execute(self.connection)
            .map(drop)
    }

    /// Counts members who came, or who went. The tenant is locked.
    pub(crate) fn count_members(&mut self, more: i64) -> QueryResult<()> {
        diesel::update(tenants::table.filter(tenants::id.eq(self.tenant.uuid())))
            .set(tenants::member_count.eq(tenants::member_count + more))
            .prepared()
            .execute(self.connection)
            .map(drop)
    }

    /// The tenant, and how much of its limits it uses.
    pub(crate) fn tenant_and_use(&mut self) -> Result<(Tenant, Use), Fault> {
        let (row, workspaces, members): (Row, _, _) = tenants::table
            .filter(tenants::id.eq(self.tenant.uuid()))
            .select((Row::as_select(), tenants::workspace_count, tenants::member_count))
            .first(self.connection)
            .optional()?
            .ok_or(Error::NotFound(Noun::Tenant))?;
        // Their number has a limit, and whether one is pending depends on the clock: these are counted.
        let pending_invitations = self.pending_invitations()?;
        Ok((row.into_tenant()?, Use { workspaces, members, pending_invitations }))
    }

    /// Counts all there is. The tenant is locked.
    pub(crate) fn recount(&mut self) -> QueryResult<()> {
        for (table, set, found) in COUNTS {
            let sql = format!("UPDATE {table} SET {set} FROM {found}");
            sql_query(sql).bind::<SqlUuid, _>(self.tenant.uuid()).execute(self.connection)?;
        }
        Ok(())
    }

    /// How many of the counts are not what there is.
    fn wrong_counts(&mut self) -> QueryResult<i64> {
        COUNTS.iter().try_fold(0, |wrong, (table, _, found)| {
            let sql = format!("SELECT count(*) AS number FROM {table}, {found}");
            let found: Wrong = sql_query(sql).bind::<SqlUuid, _>(self.tenant.uuid()).get_result(self.connection)?;
            Ok(wrong + found.number)
        })
    }
}

#[derive(QueryableByName)]
struct Wrong {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// A table with counts, what they are set to, and what was found to be otherwise.
const COUNTS: [(&str, &str, &str); 2] = [
    (
        "tenants",
        "workspace_count = found.workspaces, member_count = found.members",
        "(SELECT (SELECT count(*) FROM workspaces WHERE tenant_id = $1 AND deleted_at IS NULL) AS workspaces,
                 (SELECT count(*) FROM members WHERE tenant_id = $1) AS members) AS found
         WHERE tenants.id = $1 AND (workspace_count, member_count) IS DISTINCT FROM (found.workspaces, found.members)",
    ),
    (
        "brands",
        "workspace_count = found.workspaces",
        "(SELECT own.id, count(w.id) AS workspaces FROM brands AS own
          LEFT JOIN workspaces AS w ON w.tenant_id = $1 AND w.brand_id = own.id AND w.deleted_at IS NULL
          WHERE own.tenant_id = $1 GROUP BY own.id) AS found
         WHERE brands.tenant_id = $1 AND brands.id = found.id AND brands.workspace_count <> found.workspaces",
    ),
];

impl Tx<'_, InTenant> {
    /// The tenant, and how much of its limits it uses.
    pub fn tenant_and_use(&mut self) -> Result<(Tenant, Use), Fault> {
        self.scope().tenant_and_use()
    }

    /// The tenant, and how many of its workspaces the actor reaches.
    pub fn tenant_and_reached(&mut self) -> Result<(Tenant, i64), Fault> {
        let tenant: Uuid = self.found.uuid();
        let (row, all): (Row, i64) = tenants::table
            .filter(tenants::id.eq(tenant))
            .select((Row::as_select(), tenants::workspace_count))
            .first(self.connection)
            .optional()?
            .ok_or(Error::NotFound(Noun::Tenant))?;
        let reached = match self.grant.reach() {
            Reach::Tenant => all,
            Reach::Brand(id) => brands::table
                .filter(brands::tenant_id.eq(tenant).and(brands::id.eq(id.uuid())))
                .select(brands::workspace_count)
                .first(self.connection)
                .optional()?
                .unwrap_or(0),
            // One, or as many as somebody was given one by one.
            reach => visible(self.found, reach).count().get_result(self.connection)?,
        };
        Ok((row.into_tenant()?, reached))
    }
}

impl WriteTx<'_, InTenant> {
    /// Compares the counts of the tenant with its rows, and puts them right; returns how many seemed wrong. Locks nothing when none
    /// does.
    pub fn recount(&mut self) -> Result<i64, Fault> {
        let wrong = self.scope().wrong_counts()?;
        if wrong > 0 {
            // What was written meanwhile is there now, and counted.
            self.scope().lock_tenant()?;
            self.scope().recount()?;
        }
        Ok(wrong)
    }
}
