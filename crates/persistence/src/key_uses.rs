//! When an API key was last used.

use diesel::{
    PgConnection, RunQueryDsl,
    sql_types::{Array, Uuid as SqlUuid},
};
use tenantry_domain::{ApiKeyId, TenantId};
use uuid::Uuid;

use crate::{fault::Fault, notes::Note};

/// A key that was used and whose last use on record is some time ago.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct KeyUse {
    pub(crate) tenant: TenantId,
    pub(crate) key: ApiKeyId,
}

impl Note for KeyUse {
    type More = ();

    const AT_MOST: usize = 100_000;
    const WHAT: &'static str = "the use of API keys";

    fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Once a minute at most, whatever other replicas have noted, and waiting for nobody who has a key's row locked. The key that
    /// is used next is noted again.
    fn write(connection: &mut PgConnection, tenant: TenantId, uses: &[&(Self, ())]) -> Result<(), Fault> {
        const TOUCH: &str = "UPDATE api_keys SET last_used_at = now(), version = version + 1
            WHERE tenant_id = $1 AND id IN (
                SELECT id FROM api_keys
                WHERE tenant_id = $1 AND id = ANY($2)
                    AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
                FOR NO KEY UPDATE SKIP LOCKED)";
        let keys: Vec<Uuid> = uses.iter().map(|(used, ())| used.key.uuid()).collect();
        diesel::sql_query(TOUCH)
            .bind::<SqlUuid, _>(tenant.uuid())
            .bind::<Array<SqlUuid>, _>(keys)
            .execute(connection)?;
        Ok(())
    }
}
