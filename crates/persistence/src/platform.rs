//! What the platform has for itself: webhooks, and a log of what happened to tenants, which is kept only while there are webhooks. It
//! is in a tenant of its own, [`TenantId::PLATFORM`], with rows like those of any other.

use diesel::{
    PgConnection,
    dsl::exists,
    prelude::*,
    sql_query,
    sql_types::{Text, Uuid as SqlUuid},
};
use tenantry_domain::{Action, Actor, AuditEvent, Fields, InTenant, Origin, Platform, Record, TenantId};

use crate::{
    fault::Fault,
    schema::{tenants, webhooks},
    scope::TenantScope,
    tx::{Tx, WriteTx},
};

/// Moves the transaction into a tenant.
pub(crate) fn stand_in(connection: &mut PgConnection, tenant: TenantId) -> QueryResult<()> {
    sql_query("SELECT set_tenant($1)").bind::<Text, _>(tenant.to_string()).execute(connection).map(drop)
}

impl WriteTx<'_, InTenant> {
    /// Makes the row of the tenant if it is the platform's, which has none before it has anything.
    pub fn found_platform(&mut self) -> Result<(), Fault> {
        if self.found != TenantId::PLATFORM {
            return Ok(());
        }
        // Nobody reads these defaults: nothing in it has a language or a currency.
        let sql = "
            INSERT INTO tenants (id, name, default_country, default_operating_language, default_currency, default_workspace_type)
            VALUES ($1, 'Platform', 'US', 'en', 'USD', 'b2b') ON CONFLICT DO NOTHING";
        sql_query(sql).bind::<SqlUuid, _>(self.found.uuid()).execute(self.connection)?;
        Ok(())
    }
}

impl Tx<'_, Platform> {
    /// Whether the platform has a row, and so may have something of its own.
    pub fn has_own(&mut self) -> Result<bool, Fault> {
        let own = tenants::table.filter(tenants::id.eq(TenantId::PLATFORM.uuid())).select(tenants::id);
        Ok(diesel::select(exists(own)).get_result(self.connection)?)
    }
}

impl TenantScope<'_> {
    /// Writes an event about the tenant into the log of the platform too, under its id, and tells the platform's webhooks. Without any
    /// it does nothing. Says whether one is to be told.
    pub(crate) fn tell_platform(
        &mut self,
        action: Action,
        actor: &Actor,
        origin: &Origin,
        event: &AuditEvent,
    ) -> Result<bool, Fault> {
        stand_in(self.connection, TenantId::PLATFORM)?;
        let mut platform = TenantScope { tenant: TenantId::PLATFORM, connection: self.connection };
        let tells = platform.has_a_webhook()? && platform.insert_audit_event(action, actor, origin, event)?;
        stand_in(self.connection, self.tenant)?;
        Ok(tells)
    }

    fn has_a_webhook(&mut self) -> QueryResult<bool> {
        let some = webhooks::table.filter(webhooks::tenant_id.eq(self.tenant.uuid()));
        diesel::select(exists(some)).get_result(self.connection)
    }
}

/// Takes what the log of the platform says about a tenant away, and tells the platform's webhooks that the tenant is erased. The event
/// has its id and nothing else. Only the owner may delete events.
pub(crate) fn forget(connection: &mut PgConnection, tenant: TenantId, actor: &Actor) -> Result<(), Fault> {
    stand_in(connection, TenantId::PLATFORM)?;
    for about in [
        "DELETE FROM webhook_deliveries USING audit_events AS e
         WHERE webhook_deliveries.tenant_id = $1 AND e.tenant_id = $1 AND e.id = event_id AND e.subject_id = $2",
        "DELETE FROM audit_events WHERE tenant_id = $1 AND subject_id = $2",
    ] {
        let about = sql_query(about).bind::<SqlUuid, _>(TenantId::PLATFORM.uuid());
        about.bind::<SqlUuid, _>(tenant.uuid()).execute(connection)?;
    }
    let event = Record::between(tenant, &Fields::new(), &Fields::new()).event;
    TenantScope { tenant, connection }.tell_platform(Action::TenantErase, actor, &Origin::default(), &event)?;
    Ok(())
}
