//! What a request leaves to be done after it: emails to send, and webhooks to tell.

use std::ops::BitOrAssign;

use tokio::sync::Notify;

use crate::door::Store;

/// What was left by what was written.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Due {
    pub(crate) emails: bool,
    pub(crate) webhooks: bool,
}

impl BitOrAssign for Due {
    fn bitor_assign(&mut self, other: Self) {
        self.emails |= other.emails;
        self.webhooks |= other.webhooks;
    }
}

/// Wakes those who do it.
#[derive(Default)]
pub(crate) struct Bells {
    emails: Notify,
    webhooks: Notify,
}

impl Bells {
    /// To be called when what was written is committed.
    pub(crate) fn ring(&self, due: Due) {
        if due.emails {
            self.emails.notify_one();
        }
        if due.webhooks {
            self.webhooks.notify_one();
        }
    }
}

impl Store {
    /// Returns when something was written here of which a webhook is to be told: since the last time that this was asked, or from now
    /// on. Other replicas and other processes write as well.
    pub async fn webhooks_told(&self) {
        self.bells.webhooks.notified().await;
    }

    /// The same of emails: returns to one of those who wait when there is one to send.
    pub async fn emails_told(&self) {
        self.bells.emails.notified().await;
    }
}
