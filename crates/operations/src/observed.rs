//! What the service has seen of its own work: when each job last succeeded, what waits in the outbox, and which migrations are pending.
//!
//! It is for metrics. A scrape must not wait for the database, so a job looks once a minute and the scrape reads what it found.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use tenantry_domain::{Action, Error, InTenant, Platform};
use tenantry_persistence::{Store, Waiting};

use crate::{housekeeping, outbox::Report};

/// The look itself, as a job.
pub const LOOK: &str = "look at the outbox";

/// In how many tenants to count what waits. Beyond that, the figures say "at least".
const TENANTS: i64 = 500;

/// What was seen. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Observed(Arc<Mutex<Seen>>);

/// What was seen so far.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Each job that has run.
    pub jobs: BTreeMap<&'static str, JobState>,
    /// What waits in the outbox; `None` until somebody has looked.
    pub outbox: Option<Waiting>,
    /// Migrations of this version that have not run; `None` until somebody has looked.
    pub pending_migrations: Option<usize>,
    /// Up to when the audit log has a partition for each month; `None` until somebody has looked.
    pub audit_months_until: Option<DateTime<Utc>>,
    /// What has become of the emails that this process tried to send.
    pub emails: Report,
}

/// How a job fares.
#[derive(Debug, Clone, Copy, Default)]
pub struct JobState {
    /// When it last succeeded.
    pub succeeded_at: Option<DateTime<Utc>>,
    /// How often it failed.
    pub failures: u64,
}

impl Observed {
    /// What was seen so far.
    pub fn seen(&self) -> Seen {
        self.state().clone()
    }

    /// Notes how a job ended, and hands on how.
    ///
    /// # Errors
    ///
    /// The job's own.
    pub fn job<T, E>(&self, name: &'static str, outcome: Result<T, E>) -> Result<T, E> {
        let mut state = self.state();
        let job = state.jobs.entry(name).or_default();
        match &outcome {
            Ok(_) => job.succeeded_at = Some(Utc::now()),
            Err(_) => job.failures += 1,
        }
        drop(state);
        outcome
    }

    /// Adds what has become of some emails.
    pub fn emails(&self, report: &Report) {
        self.state().emails += *report;
    }

    /// Looks at the outbox, at the migrations and at the partitions of the audit log.
    ///
    /// # Errors
    ///
    /// Those of [`Store::read`].
    pub async fn look(&self, store: &Store) -> Result<(), Error> {
        // First, because the rest cannot be read while tables are missing.
        let pending = store.pending_migrations().await?;
        self.state().pending_migrations = Some(pending);
        let until = store.audit_months_until().await?;
        self.state().audit_months_until = until;
        let waiting = waiting(store).await?;
        self.state().outbox = Some(waiting);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What waits in the outbox, over all tenants. Row security lets nobody count across tenants, so each is asked.
async fn waiting(store: &Store) -> Result<Waiting, Error> {
    let job = |tenant| housekeeping::job(LOOK, tenant);
    let tenants =
        store.read(&job(None), Platform, Action::OutboxDeliver, |tx| tx.tenants_with_mail_waiting(TENANTS)).await?;
    let mut waiting = Waiting::default();
    for tenant in tenants {
        match store.read(&job(Some(tenant)), InTenant, Action::OutboxDeliver, |tx| tx.mail_waiting()).await {
            Ok(some) => waiting = waiting.and(some),
            // It was erased meanwhile.
            Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(waiting)
}
