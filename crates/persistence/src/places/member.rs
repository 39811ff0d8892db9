//! At a member.

use diesel::{PgConnection, QueryResult, prelude::*};
use tenantry_domain::{Identified, InMember, Member, MemberId, Noun, Reach, TenantId};
use uuid::Uuid;

use super::{FoundInTenant, Place, Sight, Visitor, sealed::Sealed, visitor::known};
use crate::schema::members;

/// A member that was found.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct FoundMember {
    pub(crate) tenant: TenantId,
    pub(crate) id: MemberId,
    /// Whether it is the visitor itself.
    pub(crate) itself: bool,
}

impl FoundInTenant for FoundMember {
    fn tenant(&self) -> TenantId {
        self.tenant
    }

    fn is_at(&self) -> Option<(Noun, Uuid)> {
        Some((Member::NOUN, self.id.uuid()))
    }

    fn visible(&self, reach: Reach) -> bool {
        reach == Reach::Tenant || self.itself
    }
}

impl Sealed for InMember {}
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
        let found = row.map(|_| FoundMember { tenant: visitor.tenant_id(), id: self.0, itself });
        Ok(Some(Sight { known, found }))
    }
}
