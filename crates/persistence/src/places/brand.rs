//! In a brand.

use diesel::{PgConnection, QueryResult, dsl::exists, prelude::*};
use tenantry_domain::{Brand, BrandId, Identified, InBrand, Noun, Reach, TenantId};
use uuid::Uuid;

use super::{FoundInTenant, Known, Place, Sight, Visitor, sealed::Sealed, visitor::tenant_and_visitor};
use crate::schema::{api_keys, assignments, brands, tenants, workspaces};

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
    fn tenant(self) -> TenantId {
        self.tenant
    }

    fn visible(self, reach: Reach) -> bool {
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
        let with_workspace = tenant_and_visitor(visitor).left_join(
            workspaces::table.on(workspaces::tenant_id
                .eq(visitor.tenant)
                .and(workspaces::id.nullable().eq(api_keys::workspace_id.nullable()))
                .and(workspaces::deleted_at.is_null())),
        );
        let columns = (Known::as_select(), brands::id.nullable(), workspaces::brand_id.nullable());
        let in_tenant = brands::tenant_id.eq(visitor.tenant);
        let row: Option<(Known, Option<Uuid>, Option<Uuid>)> = match self {
            Self::Id(id) => with_workspace
                .left_join(brands::table.on(in_tenant.and(brands::id.eq(id.uuid()))))
                .filter(tenants::id.eq(visitor.tenant))
                .select(columns)
                .first(connection)
                .optional()?,
            Self::Default => {
                let of_brand = api_keys::brand_id
                    .nullable()
                    .is_not_null()
                    .and(brands::id.nullable().eq(api_keys::brand_id.nullable()));
                let of_workspace = api_keys::workspace_id
                    .nullable()
                    .is_not_null()
                    .and(brands::id.nullable().eq(workspaces::brand_id.nullable()));
                let of_tenant = api_keys::brand_id
                    .nullable()
                    .is_null()
                    .and(api_keys::workspace_id.nullable().is_null())
                    .and(brands::is_default);
                with_workspace
                    .left_join(brands::table.on(in_tenant.and(of_brand.or(of_workspace).or(of_tenant))))
                    .filter(tenants::id.eq(visitor.tenant))
                    .select(columns)
                    .first(connection)
                    .optional()?
            }
        };
        let Some((known, brand, of_key)) = row else { return Ok(None) };
        let tenant = visitor.tenant_id();
        let of_member = match (&known.member, brand) {
            (Some(member), Some(brand)) => is_assigned_in(connection, visitor.tenant, member.id, brand)?,
            _ => false,
        };
        let found = |id| FoundBrand {
            tenant,
            id: BrandId::from_uuid(id),
            of_key: of_key.map(BrandId::from_uuid),
            of_member,
            implied: matches!(self, Self::Default),
        };
        Ok(Some(Sight { known, found: brand.map(found) }))
    }
}

fn is_assigned_in(connection: &mut PgConnection, tenant: Uuid, member: Uuid, brand: Uuid) -> QueryResult<bool> {
    let assigned = assignments::table
        .inner_join(
            workspaces::table
                .on(workspaces::tenant_id.eq(assignments::tenant_id).and(workspaces::id.eq(assignments::workspace_id))),
        )
        .filter(assignments::tenant_id.eq(tenant).and(assignments::member_id.eq(member)))
        .filter(workspaces::tenant_id.eq(tenant).and(workspaces::brand_id.eq(brand)))
        .filter(workspaces::deleted_at.is_null());
    diesel::select(exists(assigned)).get_result(connection)
}
