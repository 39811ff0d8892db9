//! In a workspace.

use std::ops::Sub;

use diesel::{
    PgConnection, QueryResult,
    dsl::{AsExprOf, IntervalDsl, now},
    pg::{Pg, data_types::PgInterval},
    prelude::*,
    sql_types::Timestamptz,
};
use tenantry_domain::{
    BrandId, Identified, InRestorableWorkspace, InWorkspace, Noun, RESTORABLE_DAYS, Reach, TenantId, Workspace,
    WorkspaceId,
};
use uuid::Uuid;

use super::{
    FoundInTenant, Known, Place, Sight, Visitor,
    sealed::Sealed,
    visitor::{KeyRow, Kind, MemberRow, TenantRow, tenant_and_key, tenant_and_member},
};
use crate::{
    schema::{assignments, members, tenants, workspaces},
    workspaces::Row,
};

/// A workspace that was found.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct FoundWorkspace {
    pub(crate) tenant: TenantId,
    pub(crate) id: WorkspaceId,
    pub(crate) brand: BrandId,
    /// Whether the member is assigned to it.
    pub(crate) of_member: bool,
}

impl FoundWorkspace {
    /// Of the ids of tenant, workspace and brand.
    pub(crate) fn of((tenant, id, brand): (Uuid, Uuid, Uuid), of_member: bool) -> Self {
        Self {
            tenant: TenantId::from_uuid(tenant),
            id: WorkspaceId::from_uuid(id),
            brand: BrandId::from_uuid(brand),
            of_member,
        }
    }
}

impl FoundInTenant for FoundWorkspace {
    fn tenant(&self) -> TenantId {
        self.tenant
    }

    fn is_at(&self) -> Option<(Noun, Uuid)> {
        Some((Workspace::NOUN, self.id.uuid()))
    }

    fn visible(&self, reach: Reach) -> bool {
        match reach {
            Reach::Tenant => true,
            Reach::Brand(id) => id == self.brand,
            Reach::Workspace(id) => id == self.id,
            Reach::Assigned(_) => self.of_member,
            Reach::Nothing => false,
        }
    }
}

/// Reads a row of the workspace of which this condition holds, together with what is known of the visitor. A macro, because each
/// condition has a type of its own.
macro_rules! search {
    ($row:ty, $connection:expr, $visitor:expr, $which:expr) => {{
        let own = tenants::id.eq($visitor.tenant);
        let here = workspaces::tenant_id.eq($visitor.tenant).and($which);
        let tenant = TenantRow::as_select();
        let columns = Option::<$row>::as_select();
        match $visitor.kind() {
            Kind::Key(hash) => tenant_and_key($visitor.tenant, hash)
                .left_join(workspaces::table.on(here))
                .filter(own)
                .select((tenant, Option::<KeyRow>::as_select(), columns))
                .first($connection)
                .optional()
                .map(|row| row.map(|(tenant, key, found)| (Known { tenant, key, member: None }, found, false))),
            Kind::Person(issuer, subject) => tenant_and_member($visitor.tenant, issuer, subject)
                .left_join(workspaces::table.on(here))
                .left_join(
                    assignments::table.on(assignments::tenant_id
                        .eq($visitor.tenant)
                        .and(assignments::workspace_id.nullable().eq(workspaces::id.nullable()))
                        .and(assignments::member_id.nullable().eq(members::id.nullable()))),
                )
                .filter(own)
                .select((
                    tenant,
                    Option::<MemberRow>::as_select(),
                    columns,
                    assignments::member_id.nullable().is_not_null(),
                ))
                .first($connection)
                .optional()
                .map(|row| {
                    row.map(|(tenant, member, found, assigned)| (Known { tenant, key: None, member }, found, assigned))
                }),
            Kind::Nobody => tenants::table
                .left_join(workspaces::table.on(here))
                .filter(own)
                .select((tenant, columns))
                .first($connection)
                .optional()
                .map(|row| row.map(|(tenant, found)| (Known { tenant, key: None, member: None }, found, false))),
        }
    }};
}

/// The same of a workspace that is there, by id or number.
macro_rules! search_in {
    ($row:ty, $connection:expr, $visitor:expr, $place:expr) => {{
        let there = workspaces::deleted_at.is_null();
        match $place {
            InWorkspace::Id(id) => search!($row, $connection, $visitor, workspaces::id.eq(id.uuid()).and(there)),
            InWorkspace::Number(number) => {
                search!($row, $connection, $visitor, workspaces::number.eq(number.get()).and(there))
            }
        }
    }};
}

/// Which workspace it is.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = workspaces, check_for_backend(Pg))]
pub(crate) struct WorkspaceIds {
    tenant_id: Uuid,
    id: Uuid,
    brand_id: Uuid,
}

impl WorkspaceIds {
    /// The place that it is.
    pub(crate) fn found(&self, of_member: bool) -> FoundWorkspace {
        FoundWorkspace::of((self.tenant_id, self.id, self.brand_id), of_member)
    }
}

fn sight(row: Option<(Known, Option<WorkspaceIds>, bool)>) -> Option<Sight<FoundWorkspace>> {
    let (known, ids, of_member) = row?;
    Some(Sight { known, found: ids.map(|ids| ids.found(of_member)) })
}

impl Sealed for InWorkspace {}
impl Place for InWorkspace {
    type Found = FoundWorkspace;
    const NOUN: Noun = Workspace::NOUN;

    fn find(self, connection: &mut PgConnection, visitor: &Visitor) -> QueryResult<Option<Sight<FoundWorkspace>>> {
        Ok(sight(search_in!(WorkspaceIds, connection, visitor, self)?))
    }
}

/// In a workspace of which nothing more is asked than itself: its row is read when it is looked for.
#[derive(Clone, Copy)]
pub(crate) struct WholeWorkspace(pub(crate) InWorkspace);

/// A workspace that was found, with its row.
#[derive(Clone)]
pub(crate) struct FoundRow {
    found: FoundWorkspace,
    pub(crate) row: Row,
}

impl FoundInTenant for FoundRow {
    fn tenant(&self) -> TenantId {
        self.found.tenant
    }

    fn visible(&self, reach: Reach) -> bool {
        FoundInTenant::visible(&self.found, reach)
    }

    fn is_at(&self) -> Option<(Noun, Uuid)> {
        FoundInTenant::is_at(&self.found)
    }
}

impl Sealed for WholeWorkspace {}
impl Place for WholeWorkspace {
    type Found = FoundRow;
    const NOUN: Noun = Workspace::NOUN;

    fn find(self, connection: &mut PgConnection, visitor: &Visitor) -> QueryResult<Option<Sight<FoundRow>>> {
        let row: Option<(Known, Option<Row>, bool)> = search_in!(Row, connection, visitor, self.0)?;
        Ok(row.map(|(known, row, of_member)| {
            let found = row.map(|row| FoundRow { found: row.found(of_member), row });
            Sight { known, found }
        }))
    }
}

/// That a workspace is deleted and can still be restored.
#[diesel::dsl::auto_type]
pub(crate) fn is_restorable() -> _ {
    let until: ErasedUntil = erased_until();
    workspaces::deleted_at.is_not_null().and(workspaces::deleted_at.assume_not_null().gt(until))
}

/// A workspace that was deleted at this time or before can no longer be restored.
pub(crate) fn erased_until() -> ErasedUntil {
    now.into_sql::<Timestamptz>() - RESTORABLE_DAYS.days()
}

type ErasedUntil = <AsExprOf<now, Timestamptz> as Sub<PgInterval>>::Output;

impl Sealed for InRestorableWorkspace {}
impl Place for InRestorableWorkspace {
    type Found = FoundWorkspace;
    const NOUN: Noun = Workspace::NOUN;

    fn find(self, connection: &mut PgConnection, visitor: &Visitor) -> QueryResult<Option<Sight<FoundWorkspace>>> {
        let kept = workspaces::deleted_at.is_null().or(is_restorable());
        Ok(sight(search!(WorkspaceIds, connection, visitor, workspaces::id.eq(self.0.uuid()).and(kept))?))
    }
}
