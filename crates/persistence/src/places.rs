//! Where the door can put a transaction: what each kind of place is once it was found, and who may know of it.
//!
//! Each kind of place finds tenant, key or member, and itself with one query, in a file of its own.

mod brand;
mod member;
mod tenant;
mod visitor;
mod workspace;

use diesel::{PgConnection, QueryResult};
use tenantry_domain::{AuditEvent, Noun, Reach, TenantId};
use uuid::Uuid;

pub(crate) use self::{
    member::FoundMember,
    visitor::{Known, Visitor, reach},
    workspace::{FoundWorkspace, WholeWorkspace, WorkspaceIds, erased_until, is_restorable},
};

/// What the door learns about a credential and a place.
#[doc(hidden)]
pub struct Sight<F> {
    pub(crate) known: Known,
    pub(crate) found: Option<F>,
}

mod sealed {
    pub trait Sealed {}
}

/// A kind of place in which the door can put a transaction.
pub trait Place: sealed::Sealed + Copy + Send + Sync + 'static {
    /// The place once it was found.
    #[doc(hidden)]
    type Found: Found + Clone + Send + Sync + 'static;

    /// What is not found when it is not there.
    #[doc(hidden)]
    const NOUN: Noun;

    /// The statement that tells row security where the transaction of a credential with this tenant stands; `None` in a
    /// tenant place without a tenant.
    #[doc(hidden)]
    fn stand_sql(&self, tenant: Option<TenantId>) -> Option<String> {
        tenant.map(in_tenant_sql)
    }

    /// The tenant in which a credential with this tenant writes there.
    #[doc(hidden)]
    fn writes_in(&self, tenant: Option<TenantId>) -> Option<TenantId> {
        tenant
    }

    /// Looks for the tenant, what it knows of the visitor, and the place; `None` when there is no such tenant.
    #[doc(hidden)]
    fn find(self, connection: &mut PgConnection, visitor: &Visitor) -> QueryResult<Option<Sight<Self::Found>>>;
}

/// A place inside one tenant.
pub trait TenantPlace: Place<Found: FoundInTenant> {}
impl<P: Place<Found: FoundInTenant>> TenantPlace for P {}

/// A place that was found.
#[doc(hidden)]
pub trait Found {
    /// Whether an actor of this reach may know of the place.
    fn visible(&self, reach: Reach) -> bool;

    /// The tenant in whose audit log a write in this place is kept.
    fn audited_in(&self, event: &AuditEvent) -> TenantId;

    /// The tenant that the place is in, if it is in one.
    fn tenant(&self) -> Option<TenantId>;

    /// What stands there in a tenant, if the place is not the tenant itself.
    fn is_at(&self) -> Option<(Noun, Uuid)>;
}

/// A place inside one tenant that was found.
#[doc(hidden)]
pub trait FoundInTenant {
    /// The tenant.
    fn tenant(&self) -> TenantId;

    /// See [`Found::visible`].
    fn visible(&self, reach: Reach) -> bool;

    /// See [`Found::is_at`].
    fn is_at(&self) -> Option<(Noun, Uuid)>;
}

impl<F: FoundInTenant> Found for F {
    fn visible(&self, reach: Reach) -> bool {
        FoundInTenant::visible(self, reach)
    }

    fn audited_in(&self, _: &AuditEvent) -> TenantId {
        FoundInTenant::tenant(self)
    }

    fn tenant(&self) -> Option<TenantId> {
        Some(FoundInTenant::tenant(self))
    }

    fn is_at(&self) -> Option<(Noun, Uuid)> {
        FoundInTenant::is_at(self)
    }
}

/// The statement that tells row security that the transaction stands in this tenant.
pub(crate) fn in_tenant_sql(tenant: TenantId) -> String {
    format!("SELECT set_tenant('{tenant}')")
}
