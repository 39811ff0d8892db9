//! The door: the only way to data.
//!
//! In one transaction it finds the actor behind a credential, the place and what the actor was given there, asks the
//! policy, runs the closure, and for a write adds the audit event, or several where a visit has several steps. No cache
//! stands between a credential and its use, and no query can be written that has no tenant and no permission: only the
//! door makes a [`Tx`] or a [`WriteTx`].

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use diesel::{
    PgConnection,
    connection::{AnsiTransactionManager, TransactionManager},
};
use tenantry_domain::{Action, Change, Credential, Error, Mail, MailLimits, Permissions, Record, Weight, Written};

use crate::{
    admission::{Learned, admit, nowhere},
    attempt::{Attempt, HandOver},
    due::{Bells, Due},
    fault::{Fault, Kind},
    freeze::{freeze_lock_sql, write_lock_sql},
    key_uses::KeyUse,
    lane::Lane,
    notes::Notes,
    places::{Found, Place, TenantPlace},
    pool::{Pool, PoolOptions, PoolState, Session, begin_sql, roll_back, set_local_sql},
    refusals::Refusal,
    scope::TenantScope,
    seats::{Lately, Party, Recognised, Seat, Seats},
    standby::{Passed, Staleness, Standby, age, committed},
    tx::{Rules, Tx, WriteTx},
};

/// The data, behind its door. Clones share the connections.
#[derive(Clone)]
pub struct Store {
    pub(crate) pool: Pool,
    pub(crate) recognised: Arc<Recognised>,
    pub(crate) key_uses: Notes<KeyUse>,
    pub(crate) refusals: Notes<Refusal>,
    pub(crate) lane: Option<Lane>,
    standby: Option<Standby>,
    long_answers: (Seats, Duration),
    pub(crate) rehearsal: bool,
    heavy: bool,
    rules: Arc<Rules>,
    pub(crate) bells: Arc<Bells>,
}

/// How many long answers are in memory at once; one tenant has at most half of them.
const LONG_ANSWERS: usize = 32;

/// Leave to hold a long answer in memory, until it is dropped.
pub struct LongAnswer(#[expect(dead_code, reason = "it is given back when it is dropped")] Seat);

#[derive(Clone, Copy)]
pub(crate) enum Access {
    Read,
    /// Reads what is written about later, and is refused where that would be.
    Ahead,
    Write,
    /// Sees the whole of it as it was at one moment, however long it takes.
    Snapshot,
    /// Writes while nobody else writes in the tenant.
    Alone,
}

impl Access {
    /// How this action writes.
    fn to_write(action: Action) -> Self {
        if action == Action::TenantFreeze { Self::Alone } else { Self::Write }
    }

    /// Whether it writes what the action is about, now or later.
    pub(crate) fn writes(self) -> bool {
        matches!(self, Self::Ahead | Self::Write | Self::Alone)
    }

    /// The statements that begin a transaction which stands in this place.
    fn begin<P: Place>(self, credential: &Credential, place: P, action: Action) -> Result<String, Error> {
        let stand = place.stand_sql(credential.tenant()).ok_or_else(|| nowhere(credential, action))?;
        let begin = match self {
            Self::Read | Self::Ahead => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Self::Write | Self::Alone => "BEGIN",
            Self::Snapshot => "BEGIN ISOLATION LEVEL REPEATABLE READ",
        };
        let lock = match (self, place.writes_in(credential.tenant())) {
            (Self::Write, Some(tenant)) => Some(write_lock_sql(tenant)),
            (Self::Alone, Some(tenant)) => Some(freeze_lock_sql(tenant)),
            _ => None,
        };
        // How a list is read best depends on how much there is and on what is looked for: it is planned each time. A page is never found
        // best by a merge, which reads both sides from their beginning.
        let plan = match action.weight() {
            Weight::Heavy => {
                Some(set_local_sql(&[("plan_cache_mode", "force_custom_plan"), ("enable_mergejoin", "off")]))
            }
            Weight::Light => None,
        };
        Ok(begin_sql(begin, plan.into_iter().chain([stand]).chain(lock)))
    }
}

impl Store {
    /// A store that connects when it is first needed.
    ///
    /// # Errors
    ///
    /// The system gives no thread.
    pub fn new(options: &PoolOptions) -> Result<Self, Error> {
        let pool = Pool::new(options)?;
        Ok(Self {
            key_uses: Notes::written_by(&pool, options.write_notes_after),
            refusals: Notes::written_by(&pool, options.write_notes_after),
            lane: options.look_up_lane.then(|| Lane::new(pool.clone(), options.wait)),
            pool,
            standby: None,
            recognised: Arc::new(Recognised::new()),
            long_answers: (Seats::new(LONG_ANSWERS, options.wait), options.wait),
            rehearsal: false,
            heavy: false,
            rules: Arc::default(),
            bells: Arc::default(),
        })
    }

    /// The same data, where tenants without limits of their own may cause so much email.
    #[must_use]
    pub fn limiting_mail(self, mail_limits: MailLimits) -> Self {
        Self { rules: Arc::new(Rules { mail_limits, ..(*self.rules).clone() }), ..self }
    }

    /// The same data, for a product with these permissions.
    #[must_use]
    pub fn declaring(self, permissions: Permissions) -> Self {
        Self { rules: Arc::new(Rules { permissions, ..(*self.rules).clone() }), ..self }
    }

    /// The permissions of the product.
    pub fn permissions(&self) -> &Permissions {
        &self.rules.permissions
    }

    /// The same data, where lists may come from a second database that follows the first and is at most so far behind, see
    /// [`Staleness`].
    ///
    /// # Errors
    ///
    /// The system gives no thread.
    pub fn reading_from(self, options: &PoolOptions, most_behind: Duration) -> Result<Self, Error> {
        Ok(Self { standby: Some(Standby::new(Pool::new(options)?, most_behind)), ..self })
    }

    /// Whether there is a second database.
    pub fn has_standby(&self) -> bool {
        self.standby.is_some()
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
        let lane = self.lane.as_ref().map(Lane::state).unwrap_or_default();
        let standby = self.standby.as_ref().map(Standby::state).unwrap_or_default();
        PoolState { lane, standby, ..self.pool.state() }
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
        let standby = self.standby.as_ref().filter(|standby| action.weight() == Weight::Heavy && standby.is_in());
        let Some((standby, staleness)) = standby.zip(Staleness::current()).filter(|_| !self.rehearsal) else {
            return self.see(credential, place, action, Access::Read, move |tx| work(tx).map(Change::nothing)).await;
        };
        let work = Arc::new(work);
        match self.read_from(standby, &staleness, credential, place, action, Arc::clone(&work)).await {
            Ok(value) => return Ok(value),
            Err(Passed::Refused(error)) => return Err(error),
            Err(Passed::On(why)) => standby.passes(&why),
        }
        self.see(credential, place, action, Access::Read, move |tx| work(tx).map(Change::nothing)).await
    }

    /// [`Store::read`] for who then does something outside of the database, and writes what came of it: refused where the write would be, so
    /// that nobody is asked for nothing.
    ///
    /// # Errors
    ///
    /// See [`Store::read`], and `TenantFrozen`.
    pub async fn read_ahead<P: Place, T: Send + 'static>(
        &self,
        credential: &Credential,
        place: P,
        action: Action,
        work: impl Fn(&mut Tx<'_, P>) -> Result<T, Fault> + Send + Sync + 'static,
    ) -> Result<T, Error> {
        self.see(credential, place, action, Access::Ahead, move |tx| work(tx).map(Change::nothing)).await
    }

    /// Lets the caller in at the first database, and reads from the second.
    async fn read_from<P: Place, T: Send + 'static>(
        &self,
        standby: &Standby,
        staleness: &Staleness,
        credential: &Credential,
        place: P,
        action: Action,
        work: Arc<impl Fn(&mut Tx<'_, P>) -> Result<T, Fault> + Send + Sync + 'static>,
    ) -> Result<T, Passed> {
        let begin = Access::Read.begin(credential, place, action)?;
        let ((party, weight), visit) = self.visit(credential, action, Access::Read);
        let let_in = move |connection: &mut PgConnection, session: &Session<'_>| {
            visit.pay(connection, session, place, &|tx: &mut WriteTx<'_, P>| {
                let Tx { connection, actor, grant, found } = &mut tx.tx;
                Ok((actor.clone(), grant.clone(), found.clone(), committed(connection)?))
            })
        };
        let admitted = self.pool.run((party, Weight::Light), begin.clone(), let_in);
        // What is wrong with the first database is wrong with the request.
        let (actor, grant, found, position) = admitted.await.map_err(Passed::Refused)?;
        let position = position.ok_or_else(|| Passed::On("the first database is itself a standby".to_owned()))?;
        // Whose it is, is known by now.
        let share = (Party::of(credential, &self.recognised), weight);
        let accepts = standby.clone();
        let read = move |connection: &mut PgConnection, session: &Session<'_>| {
            // Before the transaction that reads, so that it sees at least as much.
            let age = age(connection, &position).map_err(Fault::from);
            let age = session.finish(connection, age)?;
            let Some(age) = age.filter(|age| accepts.accepts(*age)) else { return Ok(Err(age)) };
            session.begin(connection, &begin)?;
            let value = work(&mut Tx { connection, actor: actor.clone(), grant: grant.clone(), found: found.clone() });
            Ok(Ok((session.finish(connection, value)?, age)))
        };
        match standby.pool().run(share, "BEGIN READ ONLY", read).await? {
            Ok((value, age)) => {
                staleness.note(age);
                standby.answered();
                Ok(value)
            }
            Err(Some(age)) => Err(Passed::On(format!("it is {:.1} s behind", age.as_secs_f64()))),
            Err(None) => Err(Passed::On("it is no standby, or has followed nothing yet".to_owned())),
        }
    }

    /// Writes down now what was noted beside the requests, such as which API keys were used; otherwise that is done a while later.
    pub async fn write_notes(&self) {
        self.key_uses.write(&self.pool).await;
        self.refusals.write(&self.pool).await;
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
        let access = Access::to_write(action);
        let Some(attempt) = Attempt::current().filter(|_| !self.rehearsal) else {
            return self.enter(credential, place, action, access, work).await;
        };
        let begin = access.begin(credential, place, action)?;
        let (share, visit) = self.visit(credential, action, access);
        let this = attempt.clone();
        let once = move |connection: &mut PgConnection, session: &Session<'_>, hand_over: &HandOver<T>| {
            // Another run, after a lost race at the very end, finds that the value is gone and gives up.
            visit.pay(connection, session, place, &|tx| tx.once(&this, hand_over, &work))
        };
        attempt.write(self.pool.clone(), share, begin, once).await
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
        self.write(credential, place, action, work).await
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
        self.see(credential, place, action, Access::Snapshot, work).await
    }

    /// Reads, unless the request has been answered before.
    async fn see<P: Place, T: Send + 'static>(
        &self,
        credential: &Credential,
        place: P,
        action: Action,
        access: Access,
        work: impl Fn(&mut Tx<'_, P>) -> Result<Change<T>, Fault> + Send + Sync + 'static,
    ) -> Result<T, Error> {
        let Some(attempt) = Attempt::current() else {
            return self.enter(credential, place, action, access, move |tx| work(&mut tx.tx)).await;
        };
        attempt.may_go_on()?;
        let this = attempt.clone();
        let look = move |tx: &mut WriteTx<'_, P>| match tx.answered(&this)? {
            Some(kept) => Ok(Change::nothing(Err(kept))),
            None => work(&mut tx.tx).map(|change| change.map(Ok)),
        };
        self.enter(credential, place, action, access, look).await?.map_err(|kept| attempt.answered(kept))
    }

    pub(crate) async fn enter<P: Place, T: Send + 'static>(
        &self,
        credential: &Credential,
        place: P,
        action: Action,
        access: Access,
        work: impl Fn(&mut WriteTx<'_, P>) -> Result<Change<T>, Fault> + Send + Sync + 'static,
    ) -> Result<T, Error> {
        let begin = access.begin(credential, place, action)?;
        let (share, visit) = self.visit(credential, action, access);
        self.pool
            .run(share, begin, move |connection, session| {
                visit.pay(connection, session, place, &|tx| {
                    let change = work(tx)?;
                    tx.record(change)
                })
            })
            .await
    }

    /// A visit of this credential, and the share of the connections that it takes.
    fn visit(&self, credential: &Credential, action: Action, access: Access) -> ((Party, Weight), Visit) {
        let weight = if self.heavy { Weight::Heavy } else { action.weight() };
        let share = (Party::of(credential, &self.recognised), weight);
        let (rehearsal, rules) = (self.rehearsal, Arc::clone(&self.rules));
        let (recognised, bells) = (Arc::clone(&self.recognised), Arc::clone(&self.bells));
        let (credential, key_uses, refusals) = (credential.clone(), self.key_uses.clone(), self.refusals.clone());
        (share, Visit { credential, action, access, rehearsal, rules, recognised, key_uses, refusals, bells })
    }
}

struct Visit {
    credential: Credential,
    action: Action,
    access: Access,
    /// It ends with a rollback.
    rehearsal: bool,
    rules: Arc<Rules>,
    recognised: Arc<Recognised>,
    key_uses: Notes<KeyUse>,
    refusals: Notes<Refusal>,
    bells: Arc<Bells>,
}

impl Visit {
    /// One visit, from the credential to the commit; the transaction has begun.
    fn pay<P: Place, T>(
        &self,
        connection: &mut PgConnection,
        session: &Session<'_>,
        place: P,
        work: &impl Fn(&mut WriteTx<'_, P>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let Self { credential, action, access, rehearsal, rules, .. } = self;
        let (mut learned, mut due) = (Learned::default(), Due::default());
        let outcome =
            admit(connection, (credential, rules), (place, *action, *access), &mut learned).and_then(|mut tx| {
                if credential.tenant().is_some_and(|tenant| !session.belongs_to(tenant)) {
                    // It runs again in the turn of its tenant; nobody sees this.
                    return Err(Error::Overloaded.into());
                }
                let may_read = tx.may_read();
                let outcome = work(&mut tx).map_err(|fault| if may_read { fault } else { fault.without_figures() });
                due = tx.due;
                outcome
            });
        learned.tell(&self.recognised, credential, outcome.as_ref().err());
        if *rehearsal {
            roll_back(connection)?;
            return outcome;
        }
        self.refusals.tell(credential, *action, &mut learned, outcome.as_ref().err());
        let value = session.finish(connection, outcome)?;
        if let (Some(tenant), Some(key)) = (credential.tenant(), learned.stale_key) {
            self.key_uses.note(KeyUse { tenant, key }, |_| ());
        }
        self.bells.ring(due);
        Ok(value)
    }
}

impl<P: Place> WriteTx<'_, P> {
    /// Stores what a change leaves behind, under the action that the policy allowed.
    pub(crate) fn record<T>(&mut self, change: Change<T>) -> Result<T, Fault> {
        if let Some(Record { event, mail, along }) = change.record {
            let Tx { connection, actor, found, .. } = &mut self.tx;
            let mut scope = TenantScope { tenant: found.audited_in(&event), connection };
            for event in std::iter::once(&event).chain(&along) {
                self.due.webhooks |= scope.insert_audit_event(self.action, actor, &self.credential.origin, event)?;
            }
            if let Some(mail) = mail {
                // Here and nowhere else, so that no email gets past the limits. What the service says on its own is not anybody's to limit.
                if let Mail::Invitation(id) = mail {
                    scope.check_mail(id, self.rules.mail_limits)?;
                }
                scope.insert_message(mail)?;
                self.due.emails = true;
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
        let credential = (self.credential, self.rules);
        let mut tx = admit(self.tx.connection, credential, (place, action, Access::Write), &mut Learned::default())?;
        let change = work(&mut tx)?;
        let value = tx.record(change)?;
        let due = tx.due;
        self.due |= due;
        Ok(value)
    }
}

impl<P: Place> WriteTx<'_, P> {
    /// Does a part of the visit that may be refused by itself: a conflict, an invalid value or a limit takes back what this part wrote, and
    /// nothing else. Any other failure ends the visit.
    ///
    /// # Errors
    ///
    /// As at [`Store::write`].
    pub fn part<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<Change<T>, Fault>,
    ) -> Result<Result<T, Error>, Fault> {
        <AnsiTransactionManager as TransactionManager<PgConnection>>::begin_transaction(self.tx.connection)?;
        match work(self).and_then(|change| self.record(change)) {
            Ok(value) => {
                <AnsiTransactionManager as TransactionManager<PgConnection>>::commit_transaction(self.tx.connection)?;
                Ok(Ok(value))
            }
            Err(Fault(Kind::Refused(error @ (Error::Conflict { .. } | Error::Invalid(_) | Error::TooMany { .. })))) => {
                roll_back(self.tx.connection)?;
                Ok(Err(if self.may_read() { error } else { error.without_figures() }))
            }
            Err(fault) => Err(fault),
        }
    }
}
