//! Looks for webhooks to which something is due, leases them as far as there is room, and begins a [turn](super::turn) with each.

use std::{sync::Arc, time::Duration};

use tenantry_auth::seal::MasterKeys;
use tenantry_domain::{Action, Change, Error, InTenant, Platform, TenantId};
use tenantry_persistence::Store;
use tokio::{sync::watch, task::JoinSet};

use super::{
    Figures, ViewOf,
    client::WebhookClient,
    job,
    shares::{Room, Shares},
    turn::Turn,
};
use crate::insist::is_passing;

/// How many tenants a round visits at most.
const TENANTS: i64 = 100;

/// The least time between two rounds.
const BREATH: Duration = Duration::from_millis(20);

/// The longest pause after a failed round.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Who sends, and how.
#[derive(Clone)]
pub struct Sender {
    /// Makes the attempts. One may take 15 seconds at most.
    pub client: WebhookClient,
    /// Opens the secrets.
    pub keys: MasterKeys,
    /// Shows what an event is about.
    pub view: ViewOf,
    /// Counts.
    pub figures: Figures,
}

/// What one round has come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// How many webhooks are being sent to since.
    pub begun: usize,
}

/// The workers of a process: so many webhooks are sent to at once.
pub struct Workers {
    store: Store,
    sender: Arc<Sender>,
    shares: Shares,
    turns: JoinSet<()>,
    stop: watch::Receiver<bool>,
}

impl Workers {
    /// Nobody sends yet. When `stop` becomes true, what is being sent is finished, and nothing else is begun.
    pub fn new(store: Store, sender: Sender, at_once: usize, stop: watch::Receiver<bool>) -> Self {
        Self { store, sender: Arc::new(sender), shares: Shares::new(at_once), turns: JoinSet::new(), stop }
    }

    /// Sends until it is told to stop: at once after something was written here, and otherwise after the pause.
    pub async fn run(mut self, poll: Duration) {
        let mut pause = poll;
        while !*self.stop.borrow() {
            pause = match self.round().await {
                Ok(_) => poll,
                Err(error) => {
                    tracing::warn!(?error, "could not read the queue of webhooks; trying again after a pause");
                    (pause * 2).min(LONGEST_PAUSE)
                }
            };
            let mut stop = self.stop.clone();
            tokio::select! {
                () = self.store.webhooks_told() => {}
                Some(_) = self.turns.join_next() => {}
                () = tokio::time::sleep(pause) => {}
                _ = stop.changed() => break,
            }
            tokio::time::sleep(BREATH).await;
        }
        self.finish().await;
    }

    /// Looks for what is due, and begins to send it, as far as there are shares.
    ///
    /// # Errors
    ///
    /// `Unavailable` without a database. What is wrong with one tenant goes to the log, and stops no other.
    pub async fn round(&mut self) -> Result<Round, Error> {
        while self.turns.try_join_next().is_some() {}
        let due = self
            .store
            .read(&job(None), Platform, Action::WebhookDeliver, |tx| {
                Ok((tx.tenants_with_webhooks_due(TENANTS)?, tx.clock()?))
            })
            .await?;
        let (tenants, now) = due;
        self.sender.figures.oldest(tenants.first().map_or(0, |(_, since)| (now - *since).num_seconds()));
        let mut round = Round::default();
        for (tenant, _) in tenants {
            if self.shares.are_taken() || *self.stop.borrow() {
                break;
            }
            match self.visit(tenant).await {
                Ok(begun) => round.begun += begun,
                Err(error) if is_passing(&error) => return Err(error),
                // It was erased or frozen meanwhile.
                Err(Error::NotFound(_) | Error::TenantFrozen) => {}
                Err(error) => tracing::error!(%tenant, ?error, "could not read a tenant's queue; will try again"),
            }
        }
        Ok(round)
    }

    /// Waits until everything that was begun is finished.
    pub async fn finish(&mut self) {
        while self.turns.join_next().await.is_some() {}
    }

    /// Begins to send to the webhooks of a tenant; returns to how many.
    async fn visit(&mut self, tenant: TenantId) -> Result<usize, Error> {
        let mut begun = 0;
        loop {
            let room = self.shares.room(tenant);
            if room == Room::None {
                return Ok(begun);
            }
            let healthy = room == Room::Healthy;
            let lease = self
                .store
                .write(&job(Some(tenant)), InTenant, Action::WebhookDeliver, move |tx| {
                    let lease = tx.lease_webhook(healthy)?;
                    if lease.is_none() {
                        tx.settle_webhooks_due(healthy)?;
                    }
                    Ok(Change::bookkeeping(lease))
                })
                .await?;
            let Some(lease) = lease else { return Ok(begun) };
            begun += 1;
            let share = self.shares.take(tenant, lease.failures > 0);
            let whose = (tenant, lease.webhook, share);
            let turn = Turn::new(self.store.clone(), Arc::clone(&self.sender), whose, self.stop.clone());
            self.turns.spawn(turn.take(lease));
        }
    }
}
