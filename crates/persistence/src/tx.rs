//! What the door hands out: a transaction that already stands in a place.

use std::ops::{Deref, DerefMut};

use chrono::{DateTime, Utc};
use diesel::{IntoSql, PgConnection, RunQueryDsl, dsl::now, sql_types::Timestamptz};
use tenantry_domain::{
    Action, Actor, Credential, Error, Grant, MailLimits, Permissions, Precondition, Role, TenantId, may_grant, permit,
};

use crate::{
    due::Due,
    fault::Fault,
    places::{FoundInTenant, Place, TenantPlace},
    scope::TenantScope,
};

/// A transaction in the place `P`, with what can be read there. None of its methods takes the id of the place, so that there
/// is never a second one to compare.
pub struct Tx<'c, P: Place> {
    pub(crate) connection: &'c mut PgConnection,
    pub(crate) actor: Actor,
    pub(crate) grant: Grant,
    pub(crate) found: P::Found,
}

/// A transaction that may write: all that [`Tx`] can do, and every method that writes or locks.
pub struct WriteTx<'c, P: Place> {
    pub(crate) tx: Tx<'c, P>,
    pub(crate) action: Action,
    pub(crate) credential: &'c Credential,
    pub(crate) rules: &'c Rules,
    /// What was left to be done by others.
    pub(crate) due: Due,
}

/// What the operator has set for all tenants.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    /// How much email a tenant may cause that has no limits of its own.
    pub(crate) mail_limits: MailLimits,
    /// What the product lets API keys and members do.
    pub(crate) permissions: Permissions,
}

impl<'c, P: Place> Deref for WriteTx<'c, P> {
    type Target = Tx<'c, P>;

    fn deref(&self) -> &Self::Target {
        &self.tx
    }
}

impl<P: Place> DerefMut for WriteTx<'_, P> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.tx
    }
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

    /// Whether the policy also allows the actor this action here.
    pub fn allows(&self, action: Action) -> bool {
        permit(&self.grant, action).is_ok()
    }

    /// Refuses an actor that the policy does not allow this action here.
    ///
    /// # Errors
    ///
    /// `Forbidden`, as the door answers it.
    pub fn permit(&self, action: Action) -> Result<(), Fault> {
        Ok(permit(&self.grant, action)?)
    }
}

impl<P: Place> WriteTx<'_, P> {
    /// What is declared for the product.
    pub fn permissions(&self) -> &Permissions {
        &self.rules.permissions
    }

    /// Refuses an actor that may not give this role or take it away, see [`tenantry_domain::may_grant`].
    ///
    /// # Errors
    ///
    /// `Forbidden`.
    pub fn may_grant(&self, role: Role) -> Result<(), Fault> {
        Ok(may_grant(&self.grant, role, &self.rules.permissions)?)
    }

    /// Whether the actor may read what this transaction writes, see [`tenantry_domain::Action::reader`].
    pub fn may_read(&self) -> bool {
        self.action.reader().is_none_or(|action| self.allows(action))
    }

    /// Holds a precondition against the present version. Who may not read the thing cannot have seen a version of it: to them no
    /// version is the right one, so that nobody finds out by trying whether something changed.
    ///
    /// # Errors
    ///
    /// `PreconditionFailed`.
    pub fn hold(&self, precondition: &Precondition, version: i64) -> Result<(), Fault> {
        match precondition {
            Precondition::VersionIn(_) if !self.may_read() => Err(Error::PreconditionFailed.into()),
            _ => Ok(precondition.hold(version)?),
        }
    }
}

impl<P: TenantPlace> Tx<'_, P> {
    /// The tenant the transaction stands in.
    pub fn tenant_id(&self) -> TenantId {
        self.found.tenant()
    }

    /// All of that tenant.
    pub(crate) fn scope(&mut self) -> TenantScope<'_> {
        TenantScope { tenant: self.tenant_id(), connection: self.connection }
    }
}
