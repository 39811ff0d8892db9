//! A turn of one webhook: whoever has leased it sends it what is due in batches, and gives it back. Within a batch, events about different
//! things are sent at once, and those about one thing one after the other.
//!
//! Nothing is sent in a transaction. If a worker dies, its lease ends, and what it has not written down is sent again with the same id.

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, stream};
use reqwest::StatusCode;
use tenantry_auth::WebhookSecrets;
use tenantry_domain::{
    Action, Change, DISABLED_AFTER_DAYS, DisabledReason, Error, InTenant, Mail, Noun, OverTenant, Record, TenantId,
    Webhook, WebhookDeliveryState, WebhookId, webhook_pause, webhook_rest,
};
use tenantry_persistence::{DueDelivery, Fault, Store, Subject, WebhookLease, WebhookOutcome, WebhookTurn, WriteTx};
use tokio::{sync::watch, time::Instant};
use uuid::Uuid;

use super::{
    client::{Answered, Message},
    job, opened, payload,
    shares::Share,
    worker::Sender,
};
use crate::{
    chance::chance,
    insist::{insist, is_passing},
};

/// How many deliveries a batch has.
const BATCH: i64 = 32;

/// How many of them are sent at once.
const AT_ONCE: usize = 8;

/// How long after its beginning a batch sends something new. With the time that an attempt may take it is shorter than a lease.
const BATCH_TIME: Duration = Duration::from_secs(20);

/// How long a turn is, so that others get theirs.
const TURN: Duration = Duration::from_secs(30);

/// How long a webhook rests whose secret does not open.
const WITHOUT_SECRET: TimeDelta = TimeDelta::minutes(5);

/// How long a webhook rests about whose events nothing could be read.
const WITHOUT_DATABASE: TimeDelta = TimeDelta::seconds(1);

/// One webhook, for as long as somebody sends to it.
pub(super) struct Turn {
    store: Store,
    sender: Arc<Sender>,
    tenant: TenantId,
    webhook: WebhookId,
    until: Instant,
    stop: watch::Receiver<bool>,
    _share: Share,
}

/// What a batch has come to.
#[derive(Debug, Clone, Default)]
struct Batch {
    outcomes: Vec<WebhookOutcome>,
    /// The receiver wants no more.
    gone: bool,
    /// How long the receiver asks to be left alone.
    wish: Option<TimeDelta>,
    /// How long the webhook rests because of us.
    rest: TimeDelta,
}

/// What comes after a batch.
enum Next {
    /// Another one.
    Batch(Box<WebhookTurn>),
    /// Nothing; so many deliveries are pending.
    Nothing(i64),
}

impl Turn {
    /// Begins now, and ends after a while or when `stop` becomes true.
    pub(super) fn new(
        store: Store,
        sender: Arc<Sender>,
        (tenant, webhook, share): (TenantId, WebhookId, Share),
        stop: watch::Receiver<bool>,
    ) -> Self {
        Self { store, sender, tenant, webhook, until: Instant::now() + TURN, stop, _share: share }
    }

    /// Sends what is due to the webhook of this lease, and gives it back.
    pub(super) async fn take(self, lease: WebhookLease) {
        let (tenant, webhook) = (self.tenant, self.webhook);
        if let Err(error) = self.batches(lease).await {
            // The lease ends by itself.
            tracing::warn!(%tenant, %webhook, ?error, "could not go on with a webhook; will try again");
        }
    }

    async fn batches(&self, mut lease: WebhookLease) -> Result<(), Error> {
        let mut batch = Batch::default();
        loop {
            let goes_on = Instant::now() < self.until && !*self.stop.borrow();
            let turn = match insist(|| self.settle(lease, batch.clone(), goes_on)).await? {
                Next::Batch(turn) => turn,
                Next::Nothing(pending) => {
                    self.sender.figures.pending(self.webhook, pending);
                    return Ok(());
                }
            };
            lease = turn.lease;
            batch = match self.with_accounts(turn).await {
                Ok(turn) => self.send(*turn).await,
                Err(error) if is_passing(&error) => {
                    let (tenant, webhook) = (self.tenant, self.webhook);
                    tracing::warn!(%tenant, %webhook, ?error, "could not read what events are about; will try again");
                    Batch { rest: WITHOUT_DATABASE, ..Batch::default() }
                }
                Err(error) => return Err(error),
            };
        }
    }

    async fn settle(&self, lease: WebhookLease, batch: Batch, goes_on: bool) -> Result<Next, Error> {
        self.store
            .write(&job(Some(self.tenant)), InTenant, Action::WebhookDeliver, move |tx| {
                settle(tx, lease, &batch, goes_on).map(Change::bookkeeping)
            })
            .await
    }

    /// Adds the tenants that events of the platform are about, as they are now. Nobody in its own tenant sees another one.
    async fn with_accounts(&self, mut turn: Box<WebhookTurn>) -> Result<Box<WebhookTurn>, Error> {
        if self.tenant != TenantId::PLATFORM {
            return Ok(turn);
        }
        let mut known: HashMap<Uuid, Option<Subject>> = HashMap::new();
        for delivery in &mut turn.deliveries {
            let (kind, id) = (delivery.event.subject_type.parse(), delivery.event.subject_id);
            if kind != Ok(Noun::Tenant) {
                continue;
            }
            let account = match known.get(&id) {
                Some(account) => account.clone(),
                None => account(&self.store, TenantId::from_uuid(id)).await?,
            };
            known.insert(id, account.clone());
            delivery.subject = account;
        }
        Ok(turn)
    }

    async fn send(&self, turn: WebhookTurn) -> Batch {
        let Some(secrets) = opened(&self.sender.keys, &turn.webhook) else {
            return Batch { rest: WITHOUT_SECRET, ..Batch::default() };
        };
        let webhook = turn.webhook.webhook;
        let with_previous = webhook.previous_until.is_some_and(|until| until > turn.now);
        let (signer, until) = ((&secrets, with_previous), Instant::now() + BATCH_TIME);
        let chains = stream::iter(chains(turn.deliveries));
        let sent = chains.map(|chain| self.send_in_order(&webhook, signer, chain, until));
        let sent: Vec<Batch> = sent.buffer_unordered(AT_ONCE).collect().await;
        let batch = sent.into_iter().fold(Batch::default(), Batch::with);
        for outcome in &batch.outcomes {
            self.sender.figures.attempted(outcome.state);
        }
        self.log(&batch);
        batch
    }

    /// Sends what is about one thing. If an event does not arrive, those behind it wait.
    async fn send_in_order(
        &self,
        webhook: &Webhook,
        signer: (&WebhookSecrets, bool),
        chain: Vec<DueDelivery>,
        until: Instant,
    ) -> Batch {
        let mut batch = Batch::default();
        for delivery in chain {
            if Instant::now() >= until || *self.stop.borrow() {
                break;
            }
            batch = batch.with(self.attempt(webhook, signer, &delivery).await);
            if batch.outcomes.last().is_none_or(|outcome| outcome.state != WebhookDeliveryState::Delivered) {
                break;
            }
        }
        batch
    }

    async fn attempt(
        &self,
        webhook: &Webhook,
        (secrets, with_previous): (&WebhookSecrets, bool),
        delivery: &DueDelivery,
    ) -> Batch {
        let (id, timestamp) = (delivery.event.id.to_string(), Utc::now().timestamp());
        let body = payload::body(delivery, self.sender.view).to_string().into_bytes();
        let signature = match secrets.sign(with_previous, &id, timestamp, &body) {
            Ok(signature) => signature,
            Err(error) => {
                tracing::error!(tenant = %self.tenant, webhook = %self.webhook, ?error, "cannot sign a delivery");
                return Batch { rest: WITHOUT_SECRET, ..Batch::default() };
            }
        };
        let message = Message { url: &webhook.details.url, id, timestamp, signature, body };
        let outcome = |state, pause, answered: Option<Answered>, error| WebhookOutcome {
            event: delivery.event.id.uuid(),
            attempts: delivery.attempts,
            state,
            pause,
            status: answered.as_ref().map(|answered| answered.status.as_u16().into()),
            answer: answered.and_then(|answered| answered.answer),
            error,
        };
        let (answered, why) = match self.sender.client.send(message).await {
            Ok(answered) if answered.status.is_success() => {
                let done = outcome(WebhookDeliveryState::Delivered, TimeDelta::zero(), Some(answered), None);
                return Batch { outcomes: vec![done], ..Batch::default() };
            }
            Ok(answered) => {
                let why = format!("The receiver answered {}.", answered.status.as_u16());
                (Some(answered), why)
            }
            Err(why) => (None, why),
        };
        let wish = answered.as_ref().and_then(|answered| answered.retry_after);
        let gone = answered.as_ref().is_some_and(|answered| answered.status == StatusCode::GONE);
        let (state, pause) = match webhook_pause(delivery.attempts + 1, chance(), wish) {
            Some(pause) => (WebhookDeliveryState::Pending, pause),
            None => (WebhookDeliveryState::Failed, TimeDelta::zero()),
        };
        let failed = outcome(state, pause, answered, Some(why));
        Batch { outcomes: vec![failed], gone, wish, ..Batch::default() }
    }

    fn log(&self, batch: &Batch) {
        let (tenant, webhook) = (self.tenant, self.webhook);
        let delivered = batch.delivered();
        let failed = batch.outcomes.len() - delivered;
        let status = batch.outcomes.iter().rev().find_map(|outcome| outcome.status);
        if failed > 0 {
            // Nothing for the operator to do: the tenant sees it, and hears of it when the webhook is disabled.
            tracing::info!(%tenant, %webhook, delivered, failed, status, "could not deliver some events to a webhook");
        } else {
            tracing::debug!(%tenant, %webhook, delivered, "delivered events to a webhook");
        }
    }
}

impl Batch {
    fn with(mut self, other: Self) -> Self {
        self.outcomes.extend(other.outcomes);
        self.gone |= other.gone;
        self.wish = self.wish.max(other.wish);
        self.rest = self.rest.max(other.rest);
        self
    }

    fn delivered(&self) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.state == WebhookDeliveryState::Delivered).count()
    }
}

/// A tenant as the platform sees it, unless it is erased.
async fn account(store: &Store, tenant: TenantId) -> Result<Option<Subject>, Error> {
    let seen = store.read(&job(None), OverTenant(tenant), Action::WebhookDeliver, |tx| tx.tenant_and_use()).await;
    match seen {
        Ok(seen) => Ok(Some(Subject::Account(Box::new(seen)))),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What is about one thing, in order; the things in the order of their first events.
fn chains(deliveries: Vec<DueDelivery>) -> Vec<Vec<DueDelivery>> {
    let (mut chains, mut known) = (Vec::<Vec<DueDelivery>>::new(), HashMap::new());
    for delivery in deliveries {
        let at = *known.entry(delivery.event.subject_id).or_insert(chains.len());
        match chains.get_mut(at) {
            Some(chain) => chain.push(delivery),
            None => chains.push(vec![delivery]),
        }
    }
    chains
}

/// Writes down what a batch has come to, and takes the next one, or gives the webhook back. A second time nothing changes: an outcome is
/// that of one attempt, and the lease is another one.
fn settle(tx: &mut WriteTx<'_, InTenant>, lease: WebhookLease, batch: &Batch, goes_on: bool) -> Result<Next, Fault> {
    let id = lease.webhook;
    for outcome in &batch.outcomes {
        tx.store_outcome(id, outcome)?;
    }
    let fails = !batch.outcomes.is_empty() && batch.delivered() == 0;
    let mut rest = batch.rest;
    if !batch.outcomes.is_empty()
        && let Some((since, failures)) = tx.note_failing(lease, fails)?
    {
        rest = webhook_rest(failures, chance()).max(batch.wish.unwrap_or_default().min(TimeDelta::hours(1)));
        if is_over(since, tx.clock()?) {
            disable(tx, id, DisabledReason::Failing)?;
        }
    }
    if batch.gone {
        disable(tx, id, DisabledReason::Gone)?;
    }
    // To a webhook that fails one delivery is sent first, to see whether it still does.
    if goes_on
        && rest.is_zero()
        && let Some(turn) =
            tx.next_turn(lease, if lease.failures > 0 && batch.outcomes.is_empty() { 1 } else { BATCH })?
    {
        if !turn.deliveries.is_empty() {
            return Ok(Next::Batch(Box::new(turn)));
        }
        return tx.end_lease(turn.lease, rest).map(Next::Nothing);
    }
    tx.end_lease(lease, rest).map(Next::Nothing)
}

fn is_over(since: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now - since >= TimeDelta::days(DISABLED_AFTER_DAYS)
}

/// Sends nothing to a webhook any more, writes that down as an event, and has the tenant's owner told. Of the platform there is nobody to
/// be told, and the log says it.
fn disable(tx: &mut WriteTx<'_, InTenant>, id: WebhookId, why: DisabledReason) -> Result<(), Fault> {
    tx.step(InTenant, Action::WebhookDisable, |tx| {
        let before = tx.lock_webhook(id)?.webhook;
        if !before.is_enabled() {
            return Ok(Change::nothing(()));
        }
        let after = tx.disable_webhook(id, why)?;
        let record = Record::between(id, &before.fields(), &after.fields());
        if tx.tenant_id() == TenantId::PLATFORM {
            // It has no owner with an address. Its operator reads the log.
            tracing::error!(webhook = %id, reason = %why.as_str(), "disabled a webhook of the platform");
            return Ok(Change::recorded((), record));
        }
        Ok(Change::recorded((), record.mailing(Mail::WebhookDisabled(id))))
    })
}
