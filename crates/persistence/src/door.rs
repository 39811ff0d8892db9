//! The door: the only way to data.
//!
//! In one transaction it finds the actor behind a credential, the place and what the actor was given there, asks the
//! policy, runs the closure, and for a write adds the audit event. No cache stands between a credential and its use, and
//! no query can be written that has no tenant and no permission: only the door makes a [`Tx`].

use diesel::{
    PgConnection, QueryResult,
    connection::{AnsiTransactionManager, TransactionManager},
};
use tenantry_domain::{
    Action, Actor, ApiKeyId, Change, Credential, Error, Grant, Holder, TenantId, Unauthenticated, permit,
};
use uuid::Uuid;

use crate::{
    api_keys, audit_events,
    fault::Fault,
    places::{Place, Sight},
    pool::{Pool, PoolOptions, PoolState},
    tx::Tx,
};

/// The data, behind its door. Clones share the connections.
#[derive(Clone)]
pub struct Store {
    pub(crate) pool: Pool,
}

#[derive(Clone, Copy)]
enum Access {
    Read,
    Write,
}

impl Store {
    /// A store that connects when it is first needed.
    ///
    /// # Errors
    ///
    /// The system gives no thread.
    pub fn new(options: &PoolOptions) -> Result<Self, Error> {
        Ok(Self { pool: Pool::new(options)? })
    }

    /// What the connections are doing, for metrics.
    pub fn state(&self) -> PoolState {
        self.pool.state()
    }

    /// Reads in a place, in a transaction that cannot write. The closure may run more than once and must have no effect
    /// outside the database.
    ///
    /// # Errors
    ///
    /// `Unauthenticated` when the tenant does not know the credential, `NotFound` when the place is not there or not to be
    /// seen, `Forbidden` when the policy refuses, `Unavailable` without a database, and whatever the closure returns.
    pub async fn read<P: Place, T: Send + 'static>(
        &self,
        credential: &Credential,
        place: P,
        action: Action,
        work: impl Fn(&mut Tx<'_, P>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Error> {
        self.enter(credential, place, action, Access::Read, move |tx| work(tx).map(Change::nothing)).await
    }

    /// Writes in a place. What the closure returns tells what was changed, and that goes into the audit log of the same
    /// transaction. The closure may run more than once and must have no effect outside the database.
    ///
    /// # Errors
    ///
    /// See [`Store::read`].
    pub async fn write<P: Place, T: Send + 'static>(
        &self,
        credential: &Credential,
        place: P,
        action: Action,
        work: impl Fn(&mut Tx<'_, P>) -> Result<Change<T>, Fault> + Send + 'static,
    ) -> Result<T, Error> {
        self.enter(credential, place, action, Access::Write, work).await
    }

    async fn enter<P: Place, T: Send + 'static>(
        &self,
        credential: &Credential,
        place: P,
        action: Action,
        access: Access,
        work: impl Fn(&mut Tx<'_, P>) -> Result<Change<T>, Fault> + Send + 'static,
    ) -> Result<T, Error> {
        let stand = P::stand_sql(credential.tenant()).ok_or(Error::Unauthenticated(Unauthenticated::Invalid))?;
        let begin = match access {
            Access::Read => format!("BEGIN READ ONLY; {stand}"),
            Access::Write => format!("BEGIN; {stand}"),
        };
        let credential = credential.clone();
        self.pool
            .run(
                move |connection| AnsiTransactionManager::begin_transaction_sql(connection, &begin),
                move |connection| visit(connection, &credential, place, action, &work),
            )
            .await
    }
}

/// One visit, from the credential to the commit; the transaction has begun.
fn visit<P: Place, T>(
    connection: &mut PgConnection,
    credential: &Credential,
    place: P,
    action: Action,
    work: &impl Fn(&mut Tx<'_, P>) -> Result<Change<T>, Fault>,
) -> Result<T, Fault> {
    let mut stale_key = None;
    let outcome = admit(connection, credential, place, action, &mut stale_key).and_then(|mut tx| {
        let change = work(&mut tx)?;
        if let Some(event) = &change.event {
            let tenant = P::audited_in(tx.found, event);
            audit_events::insert(tx.connection, tenant, action, &tx.actor, &credential.origin, event)?;
        }
        Ok(change.value)
    });
    match outcome {
        Ok(value) => {
            commit(connection)?;
            if let (Some(tenant), Some(key)) = (credential.tenant(), stale_key) {
                api_keys::touch(connection, tenant, key);
            }
            Ok(value)
        }
        Err(fault) => {
            // A failed rollback leaves the connection broken, and the pool drops it.
            let _ = <AnsiTransactionManager as TransactionManager<PgConnection>>::rollback_transaction(connection);
            Err(fault)
        }
    }
}

/// Finds actor, place and grant, and asks the policy: 401 before 404 before 403.
fn admit<'c, P: Place>(
    connection: &'c mut PgConnection,
    credential: &Credential,
    place: P,
    action: Action,
    stale_key: &mut Option<ApiKeyId>,
) -> Result<Tx<'c, P>, Fault> {
    let hash = match &credential.holder {
        Holder::ApiKey { hash, .. } => hash.as_bytes(),
        Holder::Operator { .. } | Holder::Job { .. } => &[],
    };
    let tenant = credential.tenant().map_or(Uuid::nil(), TenantId::uuid);
    let sight = place.find(connection, tenant, hash)?;
    let (actor, grant, found) = recognise(credential, sight, stale_key)?;
    let found = found.filter(|found| P::visible(*found, grant.reach())).ok_or(Error::NotFound(P::NOUN))?;
    permit(&grant, action)?;
    Ok(Tx { connection, actor, grant, found })
}

type Recognised<F> = (Actor, Grant, Option<F>);

fn recognise<F>(
    credential: &Credential,
    sight: Option<Sight<F>>,
    stale_key: &mut Option<ApiKeyId>,
) -> Result<Recognised<F>, Fault> {
    match (&credential.holder, sight) {
        (Holder::ApiKey { .. }, Some(Sight { key: Some(key), found })) => {
            *stale_key = key.is_stale().then(|| key.id());
            Ok((Actor::ApiKey(key.id()), key.grant()?, found))
        }
        (Holder::ApiKey { .. }, _) => Err(Error::Unauthenticated(Unauthenticated::Invalid).into()),
        (Holder::Operator { name, .. }, Some(sight)) => {
            Ok((Actor::Operator(name.as_str().to_owned()), Grant::Operator, sight.found))
        }
        (Holder::Job { name, .. }, Some(sight)) => Ok((Actor::Job(name), Grant::Job, sight.found)),
        // Whoever needs no key of the tenant may hear that there is no such tenant.
        (Holder::Operator { .. } | Holder::Job { .. }, None) => Err(Error::NotFound("tenant").into()),
    }
}

fn commit(connection: &mut PgConnection) -> QueryResult<()> {
    <AnsiTransactionManager as TransactionManager<PgConnection>>::commit_transaction(connection)
}
