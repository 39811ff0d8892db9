//! Sends events to webhooks while the service runs.

use std::time::Duration;

use tenantry_auth::seal::MasterKeys;
use tenantry_http::subject_view;
use tenantry_operations::{
    Store,
    webhooks::{Sender, Timeouts, WebhookClient, Webhooks, Workers},
};
use tokio::{sync::watch, task::JoinHandle};

use crate::{exit::Exit, settings::Settings};

/// Whoever sends. Dropping it stops it at once, whatever it is doing: what was not written down is sent again.
pub(super) struct WebhookWorkers {
    stop: watch::Sender<bool>,
    running: Option<JoinHandle<()>>,
}

impl WebhookWorkers {
    pub(super) fn start(
        settings: &Settings,
        webhooks: &Webhooks,
        store: &Store,
        keys: &MasterKeys,
    ) -> Result<Self, Exit> {
        let stop = watch::Sender::new(false);
        let at_once = settings.webhooks.workers;
        if at_once == 0 {
            return Ok(Self { stop, running: None });
        }
        let client = WebhookClient::new(webhooks.destinations.clone(), Timeouts::default()).map_err(Exit::failed)?;
        let sender = Sender { client, keys: keys.clone(), view: subject_view, figures: webhooks.figures.clone() };
        let workers = Workers::new(store.clone(), sender, at_once, stop.subscribe());
        let running = Some(tokio::spawn(workers.run(settings.webhooks.poll)));
        Ok(Self { stop, running })
    }

    /// Lets what is being sent arrive, within this time, and sends nothing else.
    pub(super) async fn finish(&mut self, grace: Duration) {
        self.stop.send_replace(true);
        let Some(running) = self.running.as_mut() else { return };
        if tokio::time::timeout(grace, running).await.is_err() {
            tracing::warn!("an event took too long to deliver; it may be delivered a second time");
        }
    }
}

impl Drop for WebhookWorkers {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.abort();
        }
    }
}
