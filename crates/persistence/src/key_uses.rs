//! When an API key was last used: noted beside the requests, and written down together.

use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{Arc, Mutex},
    time::Duration,
};

use diesel::{
    PgConnection, QueryResult, RunQueryDsl,
    sql_types::{Array, Uuid as SqlUuid},
};
use tenantry_domain::{ApiKeyId, Error, TenantId, Weight};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{
    fault::Fault,
    pool::{Pool, Session, lock},
    seats::Party,
};

/// So many keys are noted at most. The next request with any other notes it again.
const NOTED: usize = 100_000;

/// How many keys are written in one transaction, which keeps their rows locked.
const TOGETHER: usize = 256;

/// Keys that were used and whose last use on record is some time ago. Clones share them.
#[derive(Clone)]
pub(crate) struct KeyUses(Arc<Noted>);

#[derive(Default)]
struct Noted {
    keys: Mutex<HashSet<(TenantId, ApiKeyId)>>,
    /// There are some to be written.
    first: Notify,
}

impl KeyUses {
    /// Writes down what is noted, so long after the first was. While nothing is noted, nothing wakes up.
    pub(crate) fn written_by(pool: &Pool, after: Duration) -> Self {
        let uses = Self(Arc::default());
        let (this, weak) = (uses.clone(), pool.downgrade());
        pool.spawn(async move {
            loop {
                this.0.first.notified().await;
                tokio::time::sleep(after).await;
                let Some(pool) = weak.upgrade() else { return };
                this.write(&pool).await;
            }
        });
        uses
    }

    /// This key was used.
    pub(crate) fn note(&self, tenant: TenantId, key: ApiKeyId) {
        let mut keys = lock(&self.0.keys);
        if keys.len() < NOTED && keys.insert((tenant, key)) && keys.len() == 1 {
            self.0.first.notify_one();
        }
    }

    /// Writes what is noted. A failure is logged and no more: no request depends on it.
    pub(crate) async fn write(&self, pool: &Pool) {
        let noted = mem::take(&mut *lock(&self.0.keys));
        let noted: Vec<_> = noted.into_iter().collect();
        for keys in noted.chunks(TOGETHER) {
            if let Err(error) = write(pool, keys).await {
                tracing::warn!(%error, keys = keys.len(), "could not record the use of API keys");
            }
        }
    }
}

async fn write(pool: &Pool, keys: &[(TenantId, ApiKeyId)]) -> Result<(), Error> {
    let mut tenants: HashMap<TenantId, Vec<Uuid>> = HashMap::new();
    for (tenant, key) in keys {
        tenants.entry(*tenant).or_default().push(key.uuid());
    }
    let work = move |connection: &mut PgConnection, session: &Session<'_>| {
        let touched = tenants.iter().try_for_each(|(tenant, keys)| touch(connection, *tenant, keys));
        session.finish(connection, touched.map_err(Fault::from))
    };
    pool.run((Party::House, Weight::Light), "BEGIN".to_owned(), work).await
}

/// Once a minute at most, whatever other replicas have noted, and waiting for nobody who has a key's row locked. The key that is used
/// next is noted again.
fn touch(connection: &mut PgConnection, tenant: TenantId, keys: &[Uuid]) -> QueryResult<()> {
    const TOUCH: &str = "UPDATE api_keys SET last_used_at = now(), version = version + 1
        WHERE tenant_id = $1 AND id IN (
            SELECT id FROM api_keys
            WHERE tenant_id = $1 AND id = ANY($2)
                AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
            FOR NO KEY UPDATE SKIP LOCKED)";
    // Beside the door on purpose: no credential asks for it, and it changes nothing else.
    diesel::sql_query(format!("SELECT set_tenant('{tenant}')")).execute(connection)?;
    diesel::sql_query(TOUCH).bind::<SqlUuid, _>(tenant.uuid()).bind::<Array<SqlUuid>, _>(keys).execute(connection)?;
    Ok(())
}
