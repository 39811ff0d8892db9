//! In a brand.

use diesel::{PgConnection, QueryResult, dsl::exists, prelude::*};
use tenantry_domain::{Brand, BrandId, Identified, InBrand, Noun, Reach, TenantId};
use uuid::Uuid;

use super::{
    FoundInTenant, Place, Sight, Visitor,
    sealed::Sealed,
    visitor::{KeyRow, known},
};
use crate::schema::{assignments, brands, workspaces};

/// A brand that was found.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct FoundBrand {
    pub(crate) tenant: TenantId,
    pub(crate) id: BrandId,
    /// The brand of the workspace that the key is restricted to, if it is.
    of_key: Option<BrandId>,
    /// Whether the member is assigned to a workspace of the brand.
    of_member: bool,
    /// Whether nobody named the brand, so that to find it tells nothing.
    implied: bool,
}

impl FoundInTenant for FoundBrand {
    fn tenant(&self) -> TenantId {
        self.tenant
    }

    fn is_at(&self) -> Option<(Noun, Uuid)> {
        Some((Brand::NOUN, self.id.uuid()))
    }

    fn visible(&self, reach: Reach) -> bool {
        match reach {
            Reach::Tenant => true,
            Reach::Brand(id) => id == self.id,
            Reach::Workspace(_) => self.of_key == Some(self.id),
            Reach::Assigned(_) => self.of_member || self.implied,
            Reach::Nothing => self.implied,
        }
    }
}

impl Sealed for InBrand {}
impl Place for InBrand {
    type Found = FoundBrand;
    const NOUN: Noun = Brand::NOUN;

    fn find(self, connection: &mut PgConnection, visitor: &Visitor) -> QueryResult<Option<Sight<FoundBrand>>> {
        let Some(known) = known(connection, visitor)? else { return Ok(None) };
        let key = known.key.as_ref();
        // Each of these is one row, found by an index: together in one statement they are planned badly.
        let of_key = match key.and_then(|key| key.workspace_id) {
            Some(workspace) => brand_of(connection, visitor.tenant, workspace)?,
            None => None,
        };
        let brand = match (self, key) {
            (Self::Id(id), _) => brand_with(connection, visitor.tenant, id.uuid())?,
            (Self::Default, Some(KeyRow { workspace_id: Some(_), .. })) => of_key,
            (Self::Default, Some(KeyRow { brand_id: Some(id), .. })) => brand_with(connection, visitor.tenant, *id)?,
            (Self::Default, _) => brands::table
                .filter(brands::tenant_id.eq(visitor.tenant).and(brands::is_default))
                .select(brands::id)
                .first(connection)
                .optional()?,
        };
        let of_member = match (&known.member, brand) {
            (Some(member), Some(brand)) => is_assigned_in(connection, visitor.tenant, member.id, brand)?,
            _ => false,
        };
        let found = |id| FoundBrand {
            tenant: visitor.tenant_id(),
            id: BrandId::from_uuid(id),
            of_key: of_key.map(BrandId::from_uuid),
            of_member,
            implied: matches!(self, Self::Default),
        };
        Ok(Some(Sight { found: brand.map(found), known }))
    }
}

/// This brand, if it is there.
fn brand_with(connection: &mut PgConnection, tenant: Uuid, id: Uuid) -> QueryResult<Option<Uuid>> {
    let brand = brands::table.filter(brands::tenant_id.eq(tenant).and(brands::id.eq(id)));
    brand.select(brands::id).first(connection).optional()
}

/// The brand of a workspace, if that is there.
fn brand_of(connection: &mut PgConnection, tenant: Uuid, workspace: Uuid) -> QueryResult<Option<Uuid>> {
    workspaces::table
        .filter(workspaces::tenant_id.eq(tenant).and(workspaces::id.eq(workspace)))
        .filter(workspaces::deleted_at.is_null())
        .select(workspaces::brand_id)
        .first(connection)
        .optional()
}

fn is_assigned_in(connection: &mut PgConnection, tenant: Uuid, member: Uuid, brand: Uuid) -> QueryResult<bool> {
    let assigned = assignments::table
        .inner_join(workspaces::table.on(workspaces::id.eq(assignments::workspace_id)))
        .filter(assignments::tenant_id.eq(tenant).and(assignments::member_id.eq(member)))
        .filter(workspaces::tenant_id.eq(tenant).and(workspaces::brand_id.eq(brand)))
        .filter(workspaces::deleted_at.is_null());
    diesel::select(exists(assigned)).get_result(connection)
}
