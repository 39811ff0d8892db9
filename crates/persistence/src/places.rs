//! Finding the actor, the place and what the actor was given there: one query for each kind of place.

use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryResult,
    dsl::{IntervalDsl, exists, now},
    pg::Pg,
    prelude::*,
    sql_types::Timestamptz,
};
use tenantry_domain::{
    ApiKeyId, AuditEvent, Brand, BrandId, Credential, Grant, Holder, Identified, InBrand, InMember,
    InNumberedWorkspace, InRestorableWorkspace, InTenant, InWorkspace, Member, MemberId, MemberStatus, Noun,
    OverTenant, Platform, RESTORABLE_DAYS, Reach, Role, Scope, Tenant, TenantId, Workspace, WorkspaceId,
};
use uuid::Uuid;

use crate::{
    fault::{Fault, stored},
    schema::{api_keys, assignments, brands, members, tenants, workspaces},
};

/// What the door learns about a credential and a place.
#[doc(hidden)]
pub struct Sight<F> {
    pub(crate) known: Known,
    pub(crate) found: Option<F>,
}

/// What the tenant knows of a credential, and whether the tenant itself lets anybody in.
#[derive(Queryable, Selectable)]
#[diesel(table_name = tenants, check_for_backend(Pg))]
pub(crate) struct Known {
    #[diesel(embed)]
    pub(crate) tenant: TenantRow,
    #[diesel(embed)]
    pub(crate) key: Option<KeyRow>,
    #[diesel(embed)]
    pub(crate) member: Option<MemberRow>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = tenants, check_for_backend(Pg))]
pub(crate) struct TenantRow {
    suspended_at: Option<DateTime<Utc>>,
    deleted_at: Option<DateTime<Utc>>,
}

impl TenantRow {
    pub(crate) fn is_suspended(&self) -> bool {
        self.suspended_at.is_some()
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.deleted_at.is_some()
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = members, check_for_backend(Pg))]
pub(crate) struct MemberRow {
    id: Uuid,
    role: String,
}

impl MemberRow {
    pub(crate) fn id(&self) -> MemberId {
        MemberId::from_uuid(self.id)
    }

    pub(crate) fn role(&self) -> Result<Role, Fault> {
        stored("members.role", &self.role)
    }
}

/// A credential as the look-up takes it: at most one of key and person.
#[doc(hidden)]
pub struct Visitor {
    tenant: Uuid,
    key: Option<Vec<u8>>,
    issuer: Option<String>,
    subject: Option<String>,
}

impl Visitor {
    pub(crate) fn of(credential: &Credential) -> Self {
        let tenant = credential.tenant().map_or(Uuid::nil(), TenantId::uuid);
        let nobody = Self { tenant, key: None, issuer: None, subject: None };
        match &credential.holder {
            Holder::ApiKey { hash, .. } => Self { key: Some(hash.as_bytes().to_vec()), ..nobody },
            Holder::Member { person, .. } => Self {
                issuer: Some(person.issuer.as_str().to_owned()),
                subject: Some(person.subject.as_str().to_owned()),
                ..nobody
            },
            Holder::Platform | Holder::Operator { .. } | Holder::Job { .. } => nobody,
        }
    }

    fn is_of_a_tenant(&self) -> bool {
        self.key.is_some() || self.issuer.is_some()
    }
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
    const NOUN: Noun;

    /// The statement that tells row security where the transaction of a credential with this tenant stands; `None` in a
    /// tenant place without a tenant.
    #[doc(hidden)]
    fn stand_sql(&self, tenant: Option<TenantId>) -> Option<String> {
        tenant.map(in_tenant_sql)
    }

    /// Looks for the tenant, what it knows of the visitor, and the place; `None` when there is no such tenant.
    #[doc(hidden)]
    fn find(self, connection: &mut PgConnection, visitor: &Visitor) -> QueryResult<Option<Sight<Self::Found>>>;

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

fn in_tenant_sql(tenant: TenantId) -> String {
    format!("SELECT set_tenant('{tenant}')")
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

/// The start of every search: the tenant, its key with this hash if it is neither revoked nor expired, and its member that is
/// this person if it is active. Of key and person one is NULL at least, which finds nothing.
macro_rules! tenant_and_visitor {
    ($visitor:expr) => {
        tenants::table
            .left_join(
                api_keys::table.on(api_keys::tenant_id
                    .eq($visitor.tenant)
                    .and(api_keys::secret_hash.nullable().eq($visitor.key.clone()))
                    .and(api_keys::revoked_at.is_null())
                    .and(
                        api_keys::expires_at
                            .is_null()
                            .or(api_keys::expires_at.assume_not_null().gt(now.into_sql::<Timestamptz>())),
                    )),
            )
            .left_join(
                members::table.on(members::tenant_id
                    .eq($visitor.tenant)
                    .and(members::issuer.nullable().eq($visitor.issuer.clone()))
                    .and(members::subject.nullable().eq($visitor.subject.clone()))
                    .and(members::status.eq(MemberStatus::Active.as_str()))),
            )
    };
}

/// What the visitor's own tenant knows of it.
fn known(connection: &mut PgConnection, visitor: &Visitor) -> QueryResult<Option<Known>> {
    tenant_and_visitor!(visitor)
        .filter(tenants::id.eq(visitor.tenant))
        .select(Known::as_select())
        .first(connection)
        .optional()
}

impl sealed::Sealed for Platform {}
impl Place for Platform {
    type Found = ();
    const NOUN: Noun = Noun::Tenant;

    /// A tenant's credential stands in its own tenant, which knows whether it is good; the policy then says that it may not.
    fn stand_sql(&self, tenant: Option<TenantId>) -> Option<String> {
        Some(tenant.map_or_else(|| "SELECT set_platform()".to_owned(), in_tenant_sql))
    }

    fn find(self, connection: &mut PgConnection, visitor: &Visitor) -> QueryResult<Option<Sight<()>>> {
        if visitor.is_of_a_tenant() {
            return Ok(known(connection, visitor)?.map(|known| Sight { known, found: Some(()) }));
        }
        Ok(Some(Sight { known: Known::nobody(), found: Some(()) }))
    }

    fn visible((): (), _: Reach) -> bool {
        true
    }

    fn audited_in((): (), event: &AuditEvent) -> TenantId {
        // What the platform writes is a tenant.
        TenantId::from_uuid(event.subject_id)
    }
}

impl Known {
    /// Who comes with nothing that a tenant could know.
    fn nobody() -> Self {
        Self { tenant: TenantRow { suspended_at: None, deleted_at: None }, key: None, member: None }
    }
}

impl sealed::Sealed for OverTenant {}
impl Place for OverTenant {
    type Found = TenantId;
    const NOUN: Noun = Tenant::NOUN;

    /// As at [`Platform`].
    fn stand_sql(&self, tenant: Option<TenantId>) -> Option<String> {
        Some(in_tenant_sql(tenant.unwrap_or(self.0)))
    }

    fn find(self, connection: &mut PgConnection, visitor: &Visitor) -> QueryResult<Option<Sight<TenantId>>> {
        if visitor.is_of_a_tenant() {
            return Ok(known(connection, visitor)?.map(|known| Sight { known, found: Some(self.0) }));
        }
        let row = tenants::table.filter(tenants::id.eq(self.0.uuid())).select(tenants::id).first::<Uuid>(connection);
        Ok(Some(Sight { known: Known::nobody(), found: row.optional()?.map(TenantId::from_uuid) }))
    }

    fn visible(_: TenantId, _: Reach) -> bool {
        true
    }

    fn audited_in(found: TenantId, _: &AuditEvent) -> TenantId {
        found
    }
}
impl TenantPlace for OverTenant {
    fn tenant(found: TenantId) -> TenantId {
        found
    }
}

impl sealed::Sealed for InTenant {}
impl Place for InTenant {
    type Found = TenantId;
    const NOUN: Noun = Tenant::NOUN;

    fn find(self, connection: &mut PgConnection, visitor: &Visitor) -> QueryResult<Option<Sight<TenantId>>> {
        let found = Some(TenantId::from_uuid(visitor.tenant));
        Ok(known(connection, visitor)?.map(|known| Sight { known, found }))
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
    /// Whether the member is assigned to a workspace of the brand.
    of_member: bool,
    /// Whether nobody named the brand, so that to find it tells nothing.
    implied: bool,
}

impl sealed::Sealed for InBrand {}
impl Place for InBrand {
    type Found = FoundBrand;
    const NOUN: Noun = Brand::NOUN;

    fn find(self, connection: &mut PgConnection, visitor: &Visitor) -> QueryResult<Option<Sight<FoundBrand>>> {
        let with_workspace = tenant_and_visitor!(visitor).left_join(
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
        let tenant = TenantId::from_uuid(visitor.tenant);
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

    fn visible(found: FoundBrand, reach: Reach) -> bool {
        match reach {
            Reach::Tenant => true,
            Reach::Brand(id) => id == found.id,
            Reach::Workspace(_) => found.of_key == Some(found.id),
            Reach::Assigned(_) => found.of_member || found.implied,
            Reach::Nothing => found.implied,
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

/// A member that was found.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct FoundMember {
    pub(crate) tenant: TenantId,
    pub(crate) id: MemberId,
    /// Whether it is the visitor itself.
    pub(crate) itself: bool,
}

impl sealed::Sealed for InMember {}
impl Place for InMember {
    type Found = FoundMember;
    const NOUN: Noun = Member::NOUN;

    fn find(self, connection: &mut PgConnection, visitor: &Visitor) -> QueryResult<Option<Sight<FoundMember>>> {
        let Some(known) = known(connection, visitor)? else { return Ok(None) };
        let row = members::table
            .filter(members::tenant_id.eq(visitor.tenant).and(members::id.eq(self.0.uuid())))
            .select(members::id)
            .first::<Uuid>(connection)
            .optional()?;
        let itself = known.member.as_ref().is_some_and(|member| member.id() == self.0);
        let found = row.map(|_| FoundMember { tenant: TenantId::from_uuid(visitor.tenant), id: self.0, itself });
        Ok(Some(Sight { known, found }))
    }

    fn visible(found: FoundMember, reach: Reach) -> bool {
        reach == Reach::Tenant || found.itself
    }

    fn audited_in(found: FoundMember, _: &AuditEvent) -> TenantId {
        found.tenant
    }
}
impl TenantPlace for InMember {
    fn tenant(found: FoundMember) -> TenantId {
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
    /// Whether the member is assigned to it.
    of_member: bool,
}

impl FoundWorkspace {
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

/// The two places in a workspace differ in the rows they take and in nothing else.
macro_rules! workspace_place {
    ($place:ident, $taken:expr) => {
        workspace_place!($place, |place: &$place| workspaces::id.eq(place.0.uuid()), $taken);
    };
    ($place:ident, $named:expr, $taken:expr) => {
        impl sealed::Sealed for $place {}
        impl Place for $place {
            type Found = FoundWorkspace;
            const NOUN: Noun = Workspace::NOUN;

            fn find(
                self,
                connection: &mut PgConnection,
                visitor: &Visitor,
            ) -> QueryResult<Option<Sight<FoundWorkspace>>> {
                let tenant = visitor.tenant;
                let row = tenant_and_visitor!(visitor)
                    .left_join(workspaces::table.on(workspaces::tenant_id.eq(tenant).and($named(&self)).and($taken)))
                    .left_join(
                        assignments::table.on(assignments::tenant_id
                            .eq(tenant)
                            .and(assignments::workspace_id.nullable().eq(workspaces::id.nullable()))
                            .and(assignments::member_id.nullable().eq(members::id.nullable()))),
                    )
                    .filter(tenants::id.eq(tenant))
                    .select((
                        Known::as_select(),
                        workspaces::id.nullable(),
                        workspaces::brand_id.nullable(),
                        assignments::member_id.nullable().is_not_null(),
                    ))
                    .first::<(Known, Option<Uuid>, Option<Uuid>, bool)>(connection)
                    .optional()?;
                Ok(row.map(|(known, id, brand, of_member)| {
                    let found = |(id, brand)| FoundWorkspace {
                        tenant: TenantId::from_uuid(tenant),
                        id: WorkspaceId::from_uuid(id),
                        brand: BrandId::from_uuid(brand),
                        of_member,
                    };
                    Sight { known, found: id.zip(brand).map(found) }
                }))
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
    InNumberedWorkspace,
    |place: &InNumberedWorkspace| workspaces::number.eq(place.0.get()),
    workspaces::deleted_at.is_null()
);
workspace_place!(
    InRestorableWorkspace,
    workspaces::deleted_at
        .is_null()
        .or(workspaces::deleted_at.assume_not_null().gt(now.into_sql::<Timestamptz>() - RESTORABLE_DAYS.days()))
);
