//! Webhooks, without their secrets.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tenantry_domain::{
    DisabledReason, FieldRefusal, InTenant, Webhook, WebhookDescription, WebhookDetails, WebhookEvent,
};
use tenantry_persistence::{Fault, Tx};

use super::{Counts, Line, Reading, Target, text};
use crate::transfer::export::{Out, PAGE, by_id};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::transfer) struct WebhookLine {
    id: String,
    url: String,
    events: Option<Vec<String>>,
    description: Option<String>,
    enabled: bool,
    disabled_reason: Option<String>,
    secret_set_at: DateTime<Utc>,
    previous_until: Option<DateTime<Utc>>,
    failing_since: Option<DateTime<Utc>>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl WebhookLine {
    /// Writes every webhook.
    pub(super) fn export(tx: &mut Tx<'_, InTenant>, out: &mut Out<'_>, counts: &mut Counts) -> Result<(), Fault> {
        by_id(
            |last| tx.webhooks_after(last, PAGE),
            |webhook| {
                let id = webhook.id;
                counts.webhooks += out.line(&Line::Webhook(Self::of(webhook)))?;
                Ok(id)
            },
        )
    }

    fn of(webhook: Webhook) -> Box<Self> {
        let (enabled, details) = (webhook.is_enabled(), webhook.details);
        let names = |events: Vec<WebhookEvent>| events.into_iter().map(|event| event.to_string()).collect();
        Box::new(Self {
            id: webhook.id.to_string(),
            url: details.url.as_str().to_owned(),
            events: details.events.map(names),
            description: text(details.description.as_ref(), WebhookDescription::as_str),
            enabled,
            disabled_reason: webhook.disabled.map(|reason| reason.to_string()),
            secret_set_at: webhook.secret_set_at,
            previous_until: webhook.previous_until,
            failing_since: webhook.failing_since,
            version: webhook.version,
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
        })
    }

    /// The webhook as it is stored: its secret did not come along, so that it is not enabled.
    pub(super) fn into_webhook(self, target: Target) -> Result<Webhook, Vec<FieldRefusal>> {
        let mut reading = Reading::at(target.now);
        let (id, url) = (reading.value("id", &self.id), reading.value("url", &self.url));
        let events = self.events.map(|events| {
            events.iter().filter_map(|event| reading.value::<WebhookEvent>("events", event)).collect::<Vec<_>>()
        });
        let description = reading.optional("description", self.description.as_deref());
        let version = reading.version("version", self.version);
        let secret_set_at = reading.time("secretSetAt", self.secret_set_at);
        let created_at = reading.time("createdAt", self.created_at);
        let updated_at = reading.time("updatedAt", self.updated_at);
        reading.end(id.zip(url).map(|(id, url)| Webhook {
            id,
            tenant_id: target.tenant_id,
            details: WebhookDetails { url, events, description },
            disabled: Some(DisabledReason::SecretLost),
            failing_since: None,
            secret_set_at,
            previous_until: None,
            version,
            created_at,
            updated_at,
        }))
    }
}
