//! The door: the only way to data.
//!
//! In one transaction it finds the actor behind a credential, the place and what the actor was given there, asks the
//! policy, runs the closure, and for a write adds the audit event, or several where a visit has several steps. No cache stands between a credential and its use, and
//! no query can be written that has no tenant and no permission: only the door makes a [`Tx`] or a [`WriteTx`].

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use diesel::{
    PgConnection, QueryResult,
    connection::{AnsiTransactionManager, TransactionManager},
};
use tenantry_domain::{
    Action, Actor, ApiKeyId, Change, Credential, Error, Grant, Holder, MailLimits, Noun, Record, Unauthenticated,
    Weight, Written, permit,
};

use crate::{
    fault::{Fault, Kind},
    places::{Found, Known, Place, TenantPlace, Visitor},
    pool::{Pool, PoolOptions, PoolState, Session},
    scope::TenantScope,
    seats::{Lately, Party, Recognised, Seat, Seats},
    tx::{Tx, WriteTx},
};

/// The data, behind its door. Clones share the connections.
#[derive(Clone)]
pub struct Store {
    pub(crate) pool: Pool,
    recognised: Arc<Recognised>,
    long_answers: (Seats, Duration),
    rehearsal: bool,
    heavy: bool,
    mail_limits: MailLimits,
}

/// How many long answers are in memory at once; one tenant has at most half of them.
const LONG_ANSWERS: usize = 32;

/// Leave to hold a long answer in memory, until it is dropped.
pub struct LongAnswer(#[expect(dead_code, reason = "it is given back when it is dropped")] Seat);

#[derive(Clone, Copy)]
enum Access {
    Read,
    Write,
    /// Sees the whole of it as it was at one moment, however long it takes.
    Snapshot,
}

impl Store {
    /// A store that connects when it is first needed.
    ///
    /// # Errors
    ///
    /// The system gives no thread.
    pub fn new(options: &PoolOptions) -> Result<Self, Error> {
        Ok(Self {
            pool: Pool::new(options)?,
            recognised: Arc::new(Recognised::new()),
            long_answers: (Seats::new(LONG_ANSWERS, options.wait), options.wait),
            rehearsal: false,
            heavy: false,
            mail_limits: MailLimits::default(),
        })
    }

    /// The same data, where tenants without limits of their own may cause so much email.
    #[must_use]
    pub fn limiting_mail(self, mail_limits: MailLimits) -> Self {
        Self { mail_limits, ..self }
    }

    /// The same data for a rehearsal: every visit runs as always, with the same refusals and the same result, and is then rolled
    /// back instead of committed. What one visit writes, the next one does not see.
    #[must_use]
    pub fn rehearsal(&self) -> Self {
        Self { rehearsal: true, ..self.clone() }
    }

    /// The same data for visits that read more than their action asks for, such as all of a list: they count as
    /// [heavy](Weight::Heavy).
    #[must_use]
    pub fn heavy(&self) -> Self {
        Self { heavy: true, ..self.clone() }
    }

    /// What is known of this credential, if the database has confirmed it lately. For shares and limits only: it may be revoked
    /// by now, and the door alone lets anybody in.
    pub fn lately(&self, credential: &Credential) -> Option<Lately> {
        self.recognised.lately(credential)
    }

    /// Leave to hold a long answer in memory until it is written, in the share of this credential: ask for it before the visit.
    ///
    /// # Errors
    ///
    /// `Overloaded` when too many are being written.
    pub async fn long_answer(&self, credential: &Credential) -> Result<LongAnswer, Error> {
        let (answers, wait) = &self.long_answers;
        let party = Party::of(credential, &self.recognised);
        Ok(LongAnswer(answers.take(party, Weight::Light, Instant::now() + *wait).await?))
    }

    /// What the connections are doing, for metrics.
    pub fn state(&self) -> PoolState {
        self.pool.state()
    }

    /// Reads in a place, in a transaction that cannot write: everything as it was at one moment. The closure may run more than
    /// once and must have no effect outside the database.
    ///
    /// ```
    /// # use tenantry_domain::{Action, Credential, Error, InTenant, Tenant};
    /// # use tenantry_persistence::Store;
    /// async fn show(store: &Store, credential: &Credential) -> Result<Tenant, Error> {
    ///     store.read(credential, InTenant, Action::TenantRead, |tx| tx.tenant()).await
    /// }
    /// ```
    ///
    /// A closure that writes or locks does not compile:
    ///
    /// ```compile_fail,E0599
    /// # use tenantry_domain::{Action, Credential, Error, InTenant, Tenant};
    /// # use tenantry_persistence::Store;
    /// async fn show(store: &Store, credential: &Credential) -> Result<Tenant, Error> {
    ///     store.read(credential, InTenant, Action::TenantRead, |tx| tx.lock_tenant()).await
    /// }
    /// ```
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
        work: impl Fn(&mut Tx<'_, P>) -> Result<T, Fault> + Send + Sync + 'static,
    ) -> Result<T, Error> {
        self.enter(credential, place, action, Access::Read, move |tx| work(&mut tx.tx).map(Change::nothing)).await
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
        work: impl Fn(&mut WriteTx<'_, P>) -> Result<Change<T>, Fault> + Send + Sync + 'static,
    ) -> Result<T, Error> {
        self.enter(credential, place, action, Access::Write, work).await
    }

    /// [`Store::write`], of what the caller is shown only if it may be read, see [`tenantry_domain::Action::reader`].
    ///
    /// # Errors
    ///
    /// See [`Store::read`].
    pub async fn write_and_show<P: Place, T: Send + 'static>(
        &self,
        credential: &Credential,
        place: P,
        action: Action,
        work: impl Fn(&mut WriteTx<'_, P>) -> Result<Change<T>, Fault> + Send + Sync + 'static,
    ) -> Result<Written<T>, Error> {
        let work = move |tx: &mut WriteTx<'_, P>| {
            let Change { value, record } = work(tx)?;
            Ok(Change { value: Written::new(value, tx.may_read()), record })
        };
        self.enter(credential, place, action, Access::Write, work).await
    }

    /// Reads a lot, all of it as it was at one moment, and writes down that it was read: the closure only reads, and the event
    /// that it returns is the one thing written. Otherwise as [`Store::read`].
    ///
    /// # Errors
    ///
    /// See [`Store::read`].
    pub async fn survey<P: Place, T: Send + 'static>(
        &self,
        credential: &Credential,
        place: P,
        action: Action,
        work: impl Fn(&mut Tx<'_, P>) -> Result<Change<T>, Fault> + Send + Sync + 'static,
    ) -> Result<T, Error> {
        self.enter(credential, place, action, Access::Snapshot, move |tx| work(&mut tx.tx)).await
    }

    async fn enter<P: Place, T: Send + 'static>(
        &self,
        credential: &Credential,
        place: P,
        action: Action,
        access: Access,
        work: impl Fn(&mut WriteTx<'_, P>) -> Result<Change<T>, Fault> + Send + Sync + 'static,
    ) -> Result<T, Error> {
        let stand = place.stand_sql(credential.tenant()).ok_or_else(|| nowhere(credential, action))?;
        let begin = match access {
            Access::Read => format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {stand}"),
            Access::Write => format!("BEGIN; {stand}"),
            Access::Snapshot => format!("BEGIN ISOLATION LEVEL REPEATABLE READ; {stand}"),
        };
        let weight = if self.heavy { Weight::Heavy } else { action.weight() };
        let share = (Party::of(credential, &self.recognised), weight);
        let Self { rehearsal, mail_limits, .. } = *self;
        let visit = Visit { credential: credential.clone(), action, rehearsal, mail_limits };
        let recognised = Arc::clone(&self.recognised);
        self.pool
            .run(share, begin, move |connection, session| visit.pay(connection, session, place, &recognised, &work))
            .await
    }
}

struct Visit {
    credential: Credential,
    action: Action,
    /// It ends with a rollback.
    rehearsal: bool,
    mail_limits: MailLimits,
}

/// What the door learns of a credential while it lets it in.
#[derive(Default)]
pub(crate) struct Learned {
    /// The tenant knows it, and this is what it may do.
    pub(crate) recognised: Option<Lately>,
    /// Its last use on record is some time ago.
    pub(crate) stale_key: Option<ApiKeyId>,
}

impl Visit {
    /// One visit, from the credential to the commit; the transaction has begun.
    fn pay<P: Place, T>(
        &self,
        connection: &mut PgConnection,
        session: &Session<'_>,
        place: P,
        recognised: &Recognised,
        work: &impl Fn(&mut WriteTx<'_, P>) -> Result<Change<T>, Fault>,
    ) -> Result<T, Fault> {
        let Self { credential, action, rehearsal, mail_limits } = self;
        let mut learned = Learned::default();
        let outcome =
            admit(connection, (credential, *mail_limits), (place, *action), &mut learned).and_then(|mut tx| {
                if credential.tenant().is_some_and(|tenant| !session.belongs_to(tenant)) {
                    // It runs again in the turn of its tenant; nobody sees this.
                    return Err(Error::Overloaded.into());
                }
                let may_read = tx.may_read();
                let change = work(&mut tx).map_err(|fault| if may_read { fault } else { fault.without_figures() })?;
                tx.record(change)
            });
        match (learned.recognised, &outcome) {
            (Some(lately), _) => recognised.remember(credential, lately),
            (None, Err(Fault(Kind::Refused(Error::Unauthenticated(_))))) => recognised.forget(credential),
            _ => {}
        }
        if *rehearsal {
            roll_back(connection)?;
            return outcome;
        }
        let value = finish(connection, session, outcome)?;
        if let (Some(tenant), Some(key)) = (credential.tenant(), learned.stale_key) {
            TenantScope { connection, tenant }.note_key_use(session, key);
        }
        Ok(value)
    }
}

impl<P: Place> WriteTx<'_, P> {
    /// Stores what a change leaves behind, under the action that the policy allowed.
    fn record<T>(&mut self, change: Change<T>) -> Result<T, Fault> {
        if let Some(Record { event, mail, along }) = change.record {
            let Tx { connection, actor, found, .. } = &mut self.tx;
            let mut scope = TenantScope { tenant: found.audited_in(&event), connection };
            for event in std::iter::once(&event).chain(&along) {
                scope.insert_audit_event(self.action, actor, &self.credential.origin, event)?;
            }
            if let Some(mail) = mail {
                // Here and nowhere else, so that no email gets past the limits.
                scope.check_mail(mail, self.mail_limits)?;
                scope.insert_message(mail)?;
            }
        }
        Ok(change.value)
    }
}

impl<P: TenantPlace> WriteTx<'_, P> {
    /// Does a part of the visit that is an action of its own, in this place of the tenant or another: goes through the door
    /// again, in the same transaction. What the part changed stands in the audit log under its own action.
    ///
    /// # Errors
    ///
    /// As at [`Store::write`].
    pub fn step<Q: TenantPlace, T>(
        &mut self,
        place: Q,
        action: Action,
        work: impl FnOnce(&mut WriteTx<'_, Q>) -> Result<Change<T>, Fault>,
    ) -> Result<T, Fault> {
        let credential = (self.credential, self.mail_limits);
        let mut tx = admit(self.tx.connection, credential, (place, action), &mut Learned::default())?;
        let change = work(&mut tx)?;
        tx.record(change)
    }
}

/// Commits what went well and takes back what did not.
pub(crate) fn finish<T>(
    connection: &mut PgConnection,
    session: &Session<'_>,
    outcome: Result<T, Fault>,
) -> Result<T, Fault> {
    match outcome {
        Ok(value) => {
            session.commit(connection)?;
            Ok(value)
        }
        Err(fault) => {
            // A failed rollback leaves the connection broken, and the pool drops it.
            let _ = roll_back(connection);
            Err(fault)
        }
    }
}

/// Why a credential of no tenant cannot stand in one: what the door answers it, for who must know before the door.
pub fn nowhere(credential: &Credential, action: Action) -> Error {
    match credential.holder {
        // Its key is good. What it may not do is said as to anybody else.
        Holder::Platform { .. } => permit(&Grant::Platform, action)
            .err()
            .unwrap_or_else(|| Error::forbidden("A platform key cannot access the data of a tenant.")),
        _ => Error::Unauthenticated(Unauthenticated::Invalid),
    }
}

/// Finds actor, place and grant, and asks the policy: 401 before 404 before 403.
fn admit<'c, P: Place>(
    connection: &'c mut PgConnection,
    (credential, mail_limits): (&'c Credential, MailLimits),
    (place, action): (P, Action),
    learned: &mut Learned,
) -> Result<WriteTx<'c, P>, Fault> {
    let sight = place.find(connection, &Visitor::of(credential))?;
    let (known, found) = sight.map_or((None, None), |sight| (Some(sight.known), sight.found));
    let (actor, grant) = recognise(credential, known.as_ref(), learned)?;
    let found = found.filter(|found| Found::visible(*found, grant.reach())).ok_or(Error::NotFound(P::NOUN))?;
    permit(&grant, action)?;
    Ok(WriteTx { tx: Tx { connection, actor, grant, found }, action, credential, mail_limits })
}

pub(crate) fn recognise(
    credential: &Credential,
    known: Option<&Known>,
    learned: &mut Learned,
) -> Result<(Actor, Grant), Fault> {
    let refused = |why| Err(Error::Unauthenticated(why).into());
    // Whoever needs no credential of the tenant may hear that there is no such tenant.
    let known = known.ok_or(Error::NotFound(Noun::Tenant));
    match &credential.holder {
        Holder::ApiKey { .. } => match known {
            Ok(Known { key: Some(key), tenant, .. }) if !tenant.is_deleted() => {
                if tenant.is_suspended() {
                    return refused(Unauthenticated::Suspended);
                }
                let recognised = Some(Lately { rate: tenant.request_rate()? });
                *learned = Learned { recognised, stale_key: key.is_stale().then(|| key.id()) };
                Ok((Actor::ApiKey(key.id()), key.grant()?))
            }
            _ => refused(Unauthenticated::Invalid),
        },
        Holder::Member { .. } => match known {
            Ok(Known { member: Some(member), tenant, .. }) if !tenant.is_deleted() => {
                if tenant.is_suspended() {
                    return refused(Unauthenticated::Suspended);
                }
                learned.recognised = Some(Lately { rate: tenant.request_rate()? });
                Ok((Actor::Member(member.id()), Grant::Role { member: member.id(), role: member.role()? }))
            }
            _ => refused(Unauthenticated::Token),
        },
        Holder::Platform { key } => known.map(|_| (Actor::Platform(key.clone()), Grant::Platform)).map_err(Fault::from),
        Holder::Operator { name, .. } => {
            known.map(|_| (Actor::Operator(name.as_str().to_owned()), Grant::Operator)).map_err(Fault::from)
        }
        Holder::Job { name, .. } => known.map(|_| (Actor::Job(name), Grant::Job)).map_err(Fault::from),
    }
}

pub(crate) fn roll_back(connection: &mut PgConnection) -> QueryResult<()> {
    <AnsiTransactionManager as TransactionManager<PgConnection>>::rollback_transaction(connection)
}
