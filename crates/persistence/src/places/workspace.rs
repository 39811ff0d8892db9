//! In a workspace.

use std::ops::Sub;

use diesel::{
    PgConnection, QueryResult,
    dsl::{AsExprOf, IntervalDsl, now},
    pg::data_types::PgInterval,
    prelude::*,
    sql_types::Timestamptz,
};
use tenantry_domain::{
    BrandId, Identified, InRestorableWorkspace, InWorkspace, Noun, RESTORABLE_DAYS, Reach, TenantId, Workspace,
    WorkspaceId,
};
use uuid::Uuid;

use super::{FoundInTenant, Known, Place, Sight, Visitor, sealed::Sealed, visitor::tenant_and_visitor};
use crate::schema::{assignments, members, tenants, workspaces};

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

impl FoundInTenant for FoundWorkspace {
    fn tenant(self) -> TenantId {
        self.tenant
    }

    fn visible(self, reach: Reach) -> bool {
        match reach {
            Reach::Tenant => true,
            Reach::Brand(id) => id == self.brand,
            Reach::Workspace(id) => id == self.id,
            Reach::Assigned(_) => self.of_member,
            Reach::Nothing => false,
        }
    }
}

/// Looks for the workspace of which this condition holds. A macro, because each condition has a type of its own.
macro_rules! search {
    ($connection:expr, $visitor:expr, $which:expr) => {
        tenant_and_visitor($visitor)
            .left_join(workspaces::table.on(workspaces::tenant_id.eq($visitor.tenant).and($which)))
            .left_join(
                assignments::table.on(assignments::tenant_id
                    .eq($visitor.tenant)
                    .and(assignments::workspace_id.nullable().eq(workspaces::id.nullable()))
                    .and(assignments::member_id.nullable().eq(members::id.nullable()))),
            )
            .filter(tenants::id.eq($visitor.tenant))
            .select((
                Known::as_select(),
                workspaces::id.nullable(),
                workspaces::brand_id.nullable(),
                assignments::member_id.nullable().is_not_null(),
            ))
            .first::<Row>($connection)
            .optional()
    };
}

/// What is known of the visitor, the workspace and its brand, and whether the visitor is assigned to it.
type Row = (Known, Option<Uuid>, Option<Uuid>, bool);

fn sight(visitor: &Visitor, row: Option<Row>) -> Option<Sight<FoundWorkspace>> {
    let (known, id, brand, of_member) = row?;
    let found = |(id, brand)| FoundWorkspace {
        tenant: visitor.tenant_id(),
        id: WorkspaceId::from_uuid(id),
        brand: BrandId::from_uuid(brand),
        of_member,
    };
    Some(Sight { known, found: id.zip(brand).map(found) })
}

impl Sealed for InWorkspace {}
impl Place for InWorkspace {
    type Found = FoundWorkspace;
    const NOUN: Noun = Workspace::NOUN;

    fn find(self, connection: &mut PgConnection, visitor: &Visitor) -> QueryResult<Option<Sight<FoundWorkspace>>> {
        let there = workspaces::deleted_at.is_null();
        let row = match self {
            Self::Id(id) => search!(connection, visitor, workspaces::id.eq(id.uuid()).and(there)),
            Self::Number(number) => search!(connection, visitor, workspaces::number.eq(number.get()).and(there)),
        };
        Ok(sight(visitor, row?))
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
        let row = search!(connection, visitor, workspaces::id.eq(self.0.uuid()).and(kept));
        Ok(sight(visitor, row?))
    }
}
