//! Idempotency keys: one attempt at a time, and the answers of those that were carried out, for a day.

use diesel::{
    PgConnection, define_sql_function,
    dsl::{IntervalDsl, now},
    prelude::*,
    sql_types::{BigInt, Text, Timestamptz},
};
use tenantry_domain::{Actor, AuditEvent, Change, Error, IDEMPOTENCY_DAYS, TenantId};
use uuid::Uuid;

use crate::{
    attempt::{Attempt, Claim, HandOver, Kept, in_progress, lock_number},
    fault::Fault,
    places::{Found, Place},
    prepared::Prepare,
    schema::{idempotency_keys, tenants},
    tx::{Tx, WriteTx},
};

define_sql_function! {
    /// Takes a lock until the end of the transaction, or says that somebody else has it.
    fn pg_try_advisory_xact_lock(key: BigInt) -> Bool;
}

/// The hash of the request, and the answer.
type Row = (Vec<u8>, Vec<u8>);

impl<P: Place> Tx<'_, P> {
    /// What an earlier attempt of this actor was answered.
    pub(crate) fn answered(&mut self, attempt: &Attempt) -> Result<Option<Kept>, Fault> {
        let Some(tenant) = Found::tenant(&self.found) else { return Ok(None) };
        Claim::of(attempt, tenant, &self.actor).answered(self.connection)
    }
}

impl<P: Place> WriteTx<'_, P> {
    /// Does work that is not being done elsewhere and was not answered yet, or hands its answer over. What it is answered now is
    /// stored before the commit.
    pub(crate) fn once<T>(
        &mut self,
        attempt: &Attempt,
        hand_over: &HandOver<T>,
        work: &impl Fn(&mut Self) -> Result<Change<T>, Fault>,
    ) -> Result<(), Fault> {
        if let Some(kept) = self.begin_attempt(attempt)? {
            return hand_over.answered(kept);
        }
        let change = work(self)?;
        let claim = self.claim(attempt, change.record.as_ref().map(|record| &record.event))?;
        let value = self.record(change)?;
        let answer = hand_over.value(value, claim.clone())?;
        claim.keep(self.tx.connection, &answer)
    }

    /// Lets one attempt of this actor go on at a time, and says what an earlier one was answered.
    fn begin_attempt(&mut self, attempt: &Attempt) -> Result<Option<Kept>, Fault> {
        let Tx { connection, actor, found, .. } = &mut self.tx;
        let tenant = Found::tenant(found);
        let nowhere = TenantId::from_uuid(Uuid::nil());
        Claim::of(attempt, tenant.unwrap_or(nowhere), actor).lock(connection)?;
        let Some(tenant) = (match tenant {
            Some(tenant) => Some(tenant),
            // What the platform asked for without a tenant was one, and its answer is in there.
            None => enter_founded(connection, attempt)?,
        }) else {
            return Ok(None);
        };
        Claim::of(attempt, tenant, actor).answered(connection)
    }

    /// What the answer of this attempt belongs to, whose work left this event. A tenant that it created is found by the attempt.
    fn claim(&mut self, attempt: &Attempt, event: Option<&AuditEvent>) -> Result<Claim, Fault> {
        let found = &self.tx.found;
        let tenant = Found::tenant(found).or_else(|| event.map(|event| found.audited_in(event)));
        let tenant = tenant.ok_or_else(|| Error::internal("an answer that belongs to no tenant cannot be kept"))?;
        if Found::tenant(found).is_none() {
            diesel::update(tenants::table.filter(tenants::id.eq(tenant.uuid())))
                .set(tenants::founding_key_hash.eq(attempt.key_hash().as_slice()))
                .execute(self.tx.connection)?;
        }
        Ok(Claim::of(attempt, tenant, &self.tx.actor))
    }
}

/// Stands in the tenant that an earlier attempt created, if there is one.
fn enter_founded(connection: &mut PgConnection, attempt: &Attempt) -> Result<Option<TenantId>, Fault> {
    let founded: Option<Uuid> = tenants::table
        .filter(tenants::founding_key_hash.eq(attempt.key_hash().as_slice()))
        .order(tenants::created_at.desc())
        .select(tenants::id)
        .first(connection)
        .optional()?;
    if let Some(tenant) = founded {
        diesel::sql_query("SELECT set_tenant($1)").bind::<Text, _>(tenant.to_string()).execute(connection)?;
    }
    Ok(founded.map(TenantId::from_uuid))
}

impl Claim {
    pub(crate) fn of(attempt: &Attempt, tenant: TenantId, actor: &Actor) -> Self {
        Self {
            tenant,
            actor_kind: actor.kind(),
            actor_id: actor.id(),
            key_hash: attempt.key_hash(),
            request_hash: attempt.request_hash(),
        }
    }

    /// Nobody waits: who comes second is told so at once.
    fn lock(&self, connection: &mut PgConnection) -> Result<(), Fault> {
        let tenant = self.tenant.uuid();
        lock(connection, &[tenant.as_bytes(), self.actor_kind.as_bytes(), self.actor_id.as_bytes(), &self.key_hash])
    }

    /// What was answered, unless that was to another request.
    pub(crate) fn answered(&self, connection: &mut PgConnection) -> Result<Option<Kept>, Fault> {
        let counts = idempotency_keys::created_at.gt(now.into_sql::<Timestamptz>() - IDEMPOTENCY_DAYS.days());
        let row: Option<Row> = idempotency_keys::table
            .filter(idempotency_keys::tenant_id.eq(self.tenant.uuid()))
            .filter(idempotency_keys::actor_kind.eq(self.actor_kind).and(idempotency_keys::actor_id.eq(&self.actor_id)))
            .filter(idempotency_keys::key_hash.eq(self.key_hash.as_slice()).and(counts))
            .select((idempotency_keys::request_hash, idempotency_keys::sealed_answer))
            .first(connection)
            .optional()?;
        match row {
            Some((request_hash, sealed)) if request_hash == self.request_hash => {
                Ok(Some(Kept { claim: self.clone(), sealed }))
            }
            Some(_) => Err(Error::KeyReused.into()),
            None => Ok(None),
        }
    }

    /// Stores the answer, in the place of one that no longer counts.
    pub(crate) fn keep(&self, connection: &mut PgConnection, sealed: &[u8]) -> Result<(), Fault> {
        diesel::delete(idempotency_keys::table)
            .filter(idempotency_keys::tenant_id.eq(self.tenant.uuid()))
            .filter(idempotency_keys::actor_kind.eq(self.actor_kind).and(idempotency_keys::actor_id.eq(&self.actor_id)))
            .filter(idempotency_keys::key_hash.eq(self.key_hash.as_slice()))
            .execute(connection)?;
        diesel::insert_into(idempotency_keys::table)
            .values((
                idempotency_keys::tenant_id.eq(self.tenant.uuid()),
                idempotency_keys::actor_kind.eq(self.actor_kind),
                idempotency_keys::actor_id.eq(&self.actor_id),
                idempotency_keys::key_hash.eq(self.key_hash.as_slice()),
                idempotency_keys::request_hash.eq(self.request_hash.as_slice()),
                idempotency_keys::sealed_answer.eq(sealed),
            ))
            .prepared()
            .execute(connection)?;
        Ok(())
    }
}

/// Lets one attempt at a time go on, of those that these parts name. A lock and not a row: it is had or not had at once, while a
/// row that is not committed would have to be waited for.
pub(crate) fn lock(connection: &mut PgConnection, parts: &[&[u8]]) -> Result<(), Fault> {
    match diesel::select(pg_try_advisory_xact_lock(lock_number(parts))).get_result(connection)? {
        true => Ok(()),
        false => Err(in_progress().into()),
    }
}
