//! What the door hands out: a transaction that already stands in a place.

use chrono::{DateTime, Utc};
use diesel::{IntoSql, PgConnection, RunQueryDsl, dsl::now, sql_types::Timestamptz};
use tenantry_domain::{Actor, Grant, TenantId};

use crate::{
    fault::Fault,
    places::{FoundInTenant, Place, TenantPlace},
};

/// A transaction in the place `P`. Its methods say what can be done there; none of them takes the id of the place, so that
/// there is never a second one to compare.
pub struct Tx<'c, P: Place> {
    pub(crate) connection: &'c mut PgConnection,
    pub(crate) actor: Actor,
    pub(crate) grant: Grant,
    pub(crate) found: P::Found,
}

impl<P: Place> Tx<'_, P> {
    /// Who is at work.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The database's time, which all replicas share.
    pub fn clock(&mut self) -> Result<DateTime<Utc>, Fault> {
        Ok(diesel::select(now.into_sql::<Timestamptz>()).get_result(self.connection)?)
    }

    /// What the actor has been given here.
    pub fn grant(&self) -> &Grant {
        &self.grant
    }
}

impl<P: TenantPlace> Tx<'_, P> {
    /// The tenant the transaction stands in.
    pub fn tenant_id(&self) -> TenantId {
        self.found.tenant()
    }
}
