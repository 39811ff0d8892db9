//! Above all tenants, above one, and in one.

use diesel::{PgConnection, QueryResult};
use tenantry_domain::{AuditEvent, Identified, InTenant, Noun, OverTenant, Platform, Reach, Tenant, TenantId};
use uuid::Uuid;

use super::{Found, FoundInTenant, Known, Place, Sight, Visitor, in_tenant_sql, sealed::Sealed, visitor::known};

impl Found for () {
    fn visible(&self, _: Reach) -> bool {
        true
    }

    fn audited_in(&self, event: &AuditEvent) -> TenantId {
        // What the platform writes is a tenant.
        TenantId::from_uuid(event.subject_id)
    }

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    fn is_at(&self) -> Option<(Noun, Uuid)> {
        None
    }
}

impl FoundInTenant for TenantId {
    fn tenant(&self) -> TenantId {
        *self
    }

    /// Whoever it knows sees it.
    fn visible(&self, _: Reach) -> bool {
        true
    }

    fn is_at(&self) -> Option<(Noun, Uuid)> {
        None
    }
}

impl Sealed for Platform {}
impl Place for Platform {
    type Found = ();
    const NOUN: Noun = Tenant::NOUN;

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
}

impl Sealed for OverTenant {}
impl Place for OverTenant {
    type Found = TenantId;
    const NOUN: Noun = Tenant::NOUN;

    /// As at [`Platform`].
    fn stand_sql(&self, tenant: Option<TenantId>) -> Option<String> {
        self.writes_in(tenant).map(in_tenant_sql)
    }

    fn writes_in(&self, tenant: Option<TenantId>) -> Option<TenantId> {
        Some(tenant.unwrap_or(self.0))
    }

    fn find(self, connection: &mut PgConnection, visitor: &Visitor) -> QueryResult<Option<Sight<TenantId>>> {
        if visitor.is_of_a_tenant() {
            return Ok(known(connection, visitor)?.map(|known| Sight { known, found: Some(self.0) }));
        }
        let known = known(connection, &Visitor::nobody(self.0.uuid()))?.filter(|_| self.0 != TenantId::PLATFORM);
        Ok(known.map(|known| Sight { known, found: Some(self.0) }))
    }
}

impl Sealed for InTenant {}
impl Place for InTenant {
    type Found = TenantId;
    const NOUN: Noun = Tenant::NOUN;

    fn find(self, connection: &mut PgConnection, visitor: &Visitor) -> QueryResult<Option<Sight<TenantId>>> {
        let found = Some(visitor.tenant_id());
        // There is a row of it once there is something in it.
        if found == Some(TenantId::PLATFORM) && !visitor.is_of_a_tenant() {
            return Ok(Some(Sight { known: Known::nobody(), found }));
        }
        Ok(known(connection, visitor)?.map(|known| Sight { known, found }))
    }
}
