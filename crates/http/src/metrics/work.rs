//! What the service does beside the requests: its jobs, its emails, and its questions to others.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use tenantry_auth::jwt::IssuerState;
use tenantry_domain::{Choice, Provider};
use tenantry_operations::{JobState, Seen, providers::Ended};

/// Not `job`: Prometheus has a label of this name already.
#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct JobLabels {
    name: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct OutcomeLabels {
    pub(super) outcome: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ProviderLabels {
    provider: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct IssuerLabels {
    issuer: String,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct FetchLabels {
    issuer: String,
    outcome: &'static str,
}

type Seconds = Gauge<f64, AtomicU64>;

/// The figures, as they were at the last scrape.
#[derive(Default)]
pub(super) struct Work {
    succeeded: Family<JobLabels, Seconds>,
    failed: Family<JobLabels, Counter>,
    migrations: Gauge,
    audit_months: Seconds,
    outbox: Gauge,
    oldest: Seconds,
    emails: Family<OutcomeLabels, Counter>,
    providers: Family<ProviderLabels, Counter>,
    issuer_keys: Family<IssuerLabels, Gauge>,
    issuer_keys_age: Family<IssuerLabels, Seconds>,
    issuer_fetches: Family<FetchLabels, Counter>,
}

impl Work {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let all = Self::default();
        registry.register(
            "tenantry_job_last_success_timestamp_seconds",
            "When a job of this process last succeeded, in seconds since 1970",
            all.succeeded.clone(),
        );
        registry.register("tenantry_job_failures", "How often a job of this process failed", all.failed.clone());
        registry.register(
            "tenantry_migrations_pending",
            "Migrations of this version that the database does not have",
            all.migrations.clone(),
        );
        registry.register(
            "tenantry_audit_months_until_timestamp_seconds",
            "Up to when the audit log has a partition for each month, in seconds since 1970; 0 while nobody has looked",
            all.audit_months.clone(),
        );
        registry.register("tenantry_outbox_pending", "Emails that wait in the outbox", all.outbox.clone());
        registry.register(
            "tenantry_outbox_oldest_age_seconds",
            "Age of the oldest of them; 0 if there is none",
            all.oldest.clone(),
        );
        registry.register(
            "tenantry_emails",
            "Attempts of this process to send an email, by what came of them",
            all.emails.clone(),
        );
        registry.register(
            "tenantry_provider_requests",
            "Requests to providers, by how they ended",
            all.providers.clone(),
        );
        registry.register(
            "tenantry_issuer_usable_keys",
            "Keys of an issuer that tokens are verified with; 0 when they could not be had",
            all.issuer_keys.clone(),
        );
        registry.register(
            "tenantry_issuer_keys_age_seconds",
            "How long ago the keys of an issuer were last fetched",
            all.issuer_keys_age.clone(),
        );
        registry.register(
            "tenantry_issuer_fetches",
            "Attempts to fetch the keys of an issuer, by outcome",
            all.issuer_fetches.clone(),
        );
        all
    }

    pub(super) fn saw(&self, seen: Seen, now: DateTime<Utc>) {
        let Seen { jobs, outbox, pending_migrations, audit_months_until, emails } = seen;
        for (name, JobState { succeeded_at, failures }) in jobs {
            if let Some(at) = succeeded_at {
                self.succeeded.get_or_create(&JobLabels { name }).set(at.timestamp_millis() as f64 / 1e3);
            }
            store(&self.failed.get_or_create(&JobLabels { name }), failures);
        }
        if let Some(pending) = pending_migrations {
            self.migrations.set(count(pending as u64));
        }
        if let Some(until) = audit_months_until {
            self.audit_months.set(until.timestamp() as f64);
        }
        if let Some(waiting) = outbox {
            self.outbox.set(count(waiting.messages));
            self.oldest.set(waiting.oldest.map_or(0.0, |oldest| seconds(now - oldest)));
        }
        for (outcome, number) in [
            ("sent", emails.sent),
            ("postponed", emails.postponed),
            ("given_up", emails.dead),
            ("dropped", emails.dropped),
        ] {
            store(&self.emails.get_or_create(&OutcomeLabels { outcome }), number as u64);
        }
    }

    pub(super) fn asked(&self, providers: Vec<(Provider, Ended, u64)>, issuers: Vec<IssuerState>) {
        for (provider, ended, number) in providers {
            let labels = ProviderLabels { provider: provider.word(), outcome: ended.word() };
            store(&self.providers.get_or_create(&labels), number);
        }
        for IssuerState { issuer, usable_keys, age, fetched, failed, .. } in issuers {
            let labels = IssuerLabels { issuer: issuer.clone() };
            self.issuer_keys.get_or_create(&labels).set(count(usable_keys as u64));
            if let Some(age) = age {
                self.issuer_keys_age.get_or_create(&labels).set(seconds(age));
            }
            for (outcome, number) in [("ok", fetched), ("failed", failed)] {
                store(&self.issuer_fetches.get_or_create(&FetchLabels { issuer: issuer.clone(), outcome }), number);
            }
        }
    }
}

/// Puts a counter at what was counted elsewhere.
pub(super) fn store(counter: &Counter, value: u64) {
    counter.inner().store(value, Ordering::Relaxed);
}

pub(super) fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn seconds(age: chrono::TimeDelta) -> f64 {
    (age.num_milliseconds() as f64 / 1e3).max(0.0)
}
