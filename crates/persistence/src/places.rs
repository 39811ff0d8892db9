//! Finding the actor, the place and what the actor was given there: one query for each kind of place.

use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryResult,
    dsl::{IntervalDsl, now},
    pg::Pg,
    prelude::*,
    sql_types::Timestamptz,
};
use tenantry_domain::{
    ApiKeyId, AuditEvent, Brand, BrandId, Grant, Identified, InBrand, InRestorableWorkspace, InTenant, InWorkspace,
    Platform, RESTORABLE_DAYS, Reach, Scope, Tenant, TenantId, Workspace, WorkspaceId,
};
use uuid::Uuid;

use crate::{
    fault::{Fault, stored},
    schema::{api_keys, brands, tenants, workspaces},
};

/// What the door learns about a key and a place.
#[doc(hidden)]
pub struct Sight<F> {
    pub(crate) key: Option<KeyRow>,
    pub(crate) found: Option<F>,
}

mod sealed {
    pub trait Sealed {}
}

/// A kind of place in which the door can put a transaction.
pub trait Place: sealed::Sealed + Copy + Send + 'static {
    /// The place once it was found.
    #[doc(hidden)]
    type Found: Copy;

    /// What is not found when it is not there.
    #[doc(hidden)]
    const NOUN: &'static str;

    /// The statement that tells row security where the transaction stands; `None` in a tenant place without a tenant.
    #[doc(hidden)]
    fn stand_sql(tenant: Option<TenantId>) -> Option<String> {
        tenant.map(|tenant| format!("SELECT set_tenant('{tenant}')"))
    }

    /// Looks for the tenant, the key with this hash and the place; `None` when there is no such tenant.
    #[doc(hidden)]
    fn find(self, connection: &mut PgConnection, tenant: Uuid, key: &[u8]) -> QueryResult<Option<Sight<Self::Found>>>;

    /// Whether an actor of this reach may know of the place.
    #[doc(hidden)]
    fn visible(found: Self::Found, reach: Reach) -> bool;

    /// The tenant in whose audit log a write in this place is kept.
    #[doc(hidden)]
    fn audited_in(found: Self::Found, event: &AuditEvent) -> TenantId;
}

/// A place inside one tenant.
pub trait TenantPlace: Place {
    /// The tenant.
    #[doc(hidden)]
    fn tenant(found: Self::Found) -> TenantId;
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_keys, check_for_backend(Pg))]
pub(crate) struct KeyRow {
    id: Uuid,
    scopes: Vec<String>,
    brand_id: Option<Uuid>,
    workspace_id: Option<Uuid>,
    expires_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
}

impl KeyRow {
    pub(crate) fn id(&self) -> ApiKeyId {
        ApiKeyId::from_uuid(self.id)
    }

    pub(crate) fn grant(&self) -> Result<Grant, Fault> {
        let scopes =
            self.scopes.iter().map(|scope| stored::<Scope>("api_keys.scopes", scope)).collect::<Result<_, _>>()?;
        Ok(Grant::Scopes { scopes, reach: reach(self.brand_id, self.workspace_id), until: self.expires_at })
    }

    /// Whether the last use on record is more than a minute ago.
    pub(crate) fn is_stale(&self) -> bool {
        self.last_used_at.is_none_or(|at| Utc::now() - at > chrono::Duration::minutes(1))
    }
}

/// A key's restriction as its two columns have it.
pub(crate) fn reach(brand_id: Option<Uuid>, workspace_id: Option<Uuid>) -> Reach {
    match (workspace_id, brand_id) {
        (Some(id), _) => Reach::Workspace(WorkspaceId::from_uuid(id)),
        (None, Some(id)) => Reach::Brand(BrandId::from_uuid(id)),
        (None, None) => Reach::Tenant,
    }
}

/// The start of every search: the tenant, and its key with this hash if it is neither revoked nor expired.
macro_rules! tenant_and_key {
    ($tenant:expr, $key:expr) => {
        tenants::table.left_join(
            api_keys::table.on(api_keys::tenant_id
                .eq($tenant)
                .and(api_keys::secret_hash.eq($key.to_vec()))
                .and(api_keys::revoked_at.is_null())
                .and(
                    api_keys::expires_at
                        .is_null()
                        .or(api_keys::expires_at.assume_not_null().gt(now.into_sql::<Timestamptz>())),
                )),
        )
    };
}

impl sealed::Sealed for Platform {}
impl Place for Platform {
    type Found = ();
    const NOUN: &'static str = "platform";

    fn stand_sql(_: Option<TenantId>) -> Option<String> {
        Some("SELECT set_platform()".to_owned())
    }

    fn find(self, _: &mut PgConnection, _: Uuid, _: &[u8]) -> QueryResult<Option<Sight<()>>> {
        Ok(Some(Sight { key: None, found: Some(()) }))
    }

    fn visible((): (), _: Reach) -> bool {
        true
    }

    fn audited_in((): (), event: &AuditEvent) -> TenantId {
        // What the platform writes is a tenant.
        TenantId::from_uuid(event.subject_id)
    }
}

impl sealed::Sealed for InTenant {}
impl Place for InTenant {
    type Found = TenantId;
    const NOUN: &'static str = Tenant::NOUN;

    fn find(self, connection: &mut PgConnection, tenant: Uuid, key: &[u8]) -> QueryResult<Option<Sight<TenantId>>> {
        let row = tenant_and_key!(tenant, key)
            .filter(tenants::id.eq(tenant))
            .select(Option::<KeyRow>::as_select())
            .first::<Option<KeyRow>>(connection)
            .optional()?;
        Ok(row.map(|key| Sight { key, found: Some(TenantId::from_uuid(tenant)) }))
    }

    fn visible(_: TenantId, _: Reach) -> bool {
        true
    }

    fn audited_in(found: TenantId, _: &AuditEvent) -> TenantId {
        found
    }
}
impl TenantPlace for InTenant {
    fn tenant(found: TenantId) -> TenantId {
        found
    }
}

/// A brand that was found.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct FoundBrand {
    pub(crate) tenant: TenantId,
    pub(crate) id: BrandId,
    /// The brand of the workspace that the key is restricted to, if it is.
    of_key: Option<BrandId>,
}

impl sealed::Sealed for InBrand {}
impl Place for InBrand {
    type Found = FoundBrand;
    const NOUN: &'static str = Brand::NOUN;

    fn find(self, connection: &mut PgConnection, tenant: Uuid, key: &[u8]) -> QueryResult<Option<Sight<FoundBrand>>> {
        type Found = (Option<KeyRow>, Option<Uuid>, Option<Uuid>);
        let with_workspace = tenant_and_key!(tenant, key).left_join(
            workspaces::table.on(workspaces::tenant_id
                .eq(tenant)
                .and(workspaces::id.nullable().eq(api_keys::workspace_id.nullable()))
                .and(workspaces::deleted_at.is_null())),
        );
        let columns = (Option::<KeyRow>::as_select(), brands::id.nullable(), workspaces::brand_id.nullable());
        let in_tenant = brands::tenant_id.eq(tenant);
        let row: Option<Found> = match self {
            Self::Id(id) => with_workspace
                .left_join(brands::table.on(in_tenant.and(brands::id.eq(id.uuid()))))
                .filter(tenants::id.eq(tenant))
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
                    .filter(tenants::id.eq(tenant))
                    .select(columns)
                    .first(connection)
                    .optional()?
            }
        };
        let tenant = TenantId::from_uuid(tenant);
        Ok(row.map(|(key, brand, of_key)| {
            let of_key = of_key.map(BrandId::from_uuid);
            Sight { key, found: brand.map(|id| FoundBrand { tenant, id: BrandId::from_uuid(id), of_key }) }
        }))
    }

    fn visible(found: FoundBrand, reach: Reach) -> bool {
        match reach {
            Reach::Tenant => true,
            Reach::Brand(id) => id == found.id,
            Reach::Workspace(_) => found.of_key == Some(found.id),
        }
    }

    fn audited_in(found: FoundBrand, _: &AuditEvent) -> TenantId {
        found.tenant
    }
}
impl TenantPlace for InBrand {
    fn tenant(found: FoundBrand) -> TenantId {
        found.tenant
    }
}

/// A workspace that was found.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct FoundWorkspace {
    pub(crate) tenant: TenantId,
    pub(crate) id: WorkspaceId,
    pub(crate) brand: BrandId,
}

impl FoundWorkspace {
    fn visible(self, reach: Reach) -> bool {
        match reach {
            Reach::Tenant => true,
            Reach::Brand(id) => id == self.brand,
            Reach::Workspace(id) => id == self.id,
        }
    }
}

/// The two places in a workspace differ in the rows they take and in nothing else.
macro_rules! workspace_place {
    ($place:ident, $taken:expr) => {
        impl sealed::Sealed for $place {}
        impl Place for $place {
            type Found = FoundWorkspace;
            const NOUN: &'static str = Workspace::NOUN;

            fn find(
                self,
                connection: &mut PgConnection,
                tenant: Uuid,
                key: &[u8],
            ) -> QueryResult<Option<Sight<FoundWorkspace>>> {
                let row = tenant_and_key!(tenant, key)
                    .left_join(
                        workspaces::table
                            .on(workspaces::tenant_id.eq(tenant).and(workspaces::id.eq(self.0.uuid())).and($taken)),
                    )
                    .filter(tenants::id.eq(tenant))
                    .select((Option::<KeyRow>::as_select(), workspaces::brand_id.nullable()))
                    .first::<(Option<KeyRow>, Option<Uuid>)>(connection)
                    .optional()?;
                let tenant = TenantId::from_uuid(tenant);
                let found = |brand| FoundWorkspace { tenant, id: self.0, brand: BrandId::from_uuid(brand) };
                Ok(row.map(|(key, brand)| Sight { key, found: brand.map(found) }))
            }

            fn visible(found: FoundWorkspace, reach: Reach) -> bool {
                found.visible(reach)
            }

            fn audited_in(found: FoundWorkspace, _: &AuditEvent) -> TenantId {
                found.tenant
            }
        }
        impl TenantPlace for $place {
            fn tenant(found: FoundWorkspace) -> TenantId {
                found.tenant
            }
        }
    };
}
workspace_place!(InWorkspace, workspaces::deleted_at.is_null());
workspace_place!(
    InRestorableWorkspace,
    workspaces::deleted_at
        .is_null()
        .or(workspaces::deleted_at.assume_not_null().gt(now.into_sql::<Timestamptz>() - RESTORABLE_DAYS.days()))
);
