//! Freezing: a tenant that moves to another database can be read and not written.
//!
//! Whoever writes in a tenant holds a lock of it together with everybody else who does, from before they ask whether it is frozen until
//! the end of their transaction. Whoever freezes it takes the lock alone, and so waits for all of them. Hence nothing that was let in
//! before is written after the freeze has returned. The locks are PostgreSQL's, end with the transaction, and touch no row.

use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query, sql_types::Bool, sql_types::Uuid as SqlUuid};
use tenantry_domain::TenantId;

use crate::{attempt::lock_number, fault::Fault};

/// The statement that takes the lock of a tenant together with others who write there.
pub(crate) fn write_lock_sql(tenant: TenantId) -> String {
    format!("SELECT pg_advisory_xact_lock_shared({})", key(tenant))
}

/// The statement that takes the lock of a tenant alone: it waits for everybody who writes there, and they wait for it.
pub(crate) fn freeze_lock_sql(tenant: TenantId) -> String {
    format!("SELECT pg_advisory_xact_lock({})", key(tenant))
}

fn key(tenant: TenantId) -> i64 {
    lock_number(&[b"writes", tenant.uuid().as_bytes()])
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    yes: bool,
}

/// Whether somebody who writes beside the door may do so in this tenant, in which the transaction stands. They hold the lock from here on,
/// and do not wait for it: one tenant that is being frozen would hold up what is written for others.
pub(crate) fn may_write(connection: &mut PgConnection, tenant: TenantId) -> Result<bool, Fault> {
    // First the lock, and then what is seen under it.
    let lock = format!("SELECT pg_try_advisory_xact_lock_shared({}) AS yes", key(tenant));
    if !sql_query(lock).get_result::<Answer>(connection)?.yes {
        return Ok(false);
    }
    let sql = "SELECT EXISTS (SELECT FROM tenants WHERE id = $1 AND frozen_at IS NULL) AS yes";
    Ok(sql_query(sql).bind::<SqlUuid, _>(tenant.uuid()).get_result::<Answer>(connection)?.yes)
}
