//! Webhooks.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tenantry_auth::seal::{MasterKeys, WebhookContext};
use tenantry_domain::{
    DisabledReason, FieldRefusal, InTenant, MasterKeyId, PlainSecret, Refusal, SealedSecret, TenantId, Webhook,
    WebhookDescription, WebhookDetails, WebhookEvent,
};
use tenantry_persistence::{Fault, StoredWebhook, Tx};
use zeroize::Zeroizing;

use super::{Counts, Line, Reading, Target, text};
use crate::{
    transfer::{
        export::{Out, PAGE, by_id},
        sealing::{Sealing, Secrets},
    },
    webhooks::context,
};

/// What its secrets are called where they are sealed.
const KIND: &str = "webhook";

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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl WebhookLine {
    /// Writes every webhook.
    pub(super) fn export(tx: &mut Tx<'_, InTenant>, out: &mut Out<'_>, counts: &mut Counts) -> Result<(), Fault> {
        by_id(
            |last| tx.webhooks_after(last, PAGE),
            |stored| {
                let id = stored.webhook.id;
                let line = Self::of(stored, out.secrets())?;
                counts.webhooks += out.line(Line::Webhook(line))?;
                Ok(id)
            },
        )
    }

    fn of(StoredWebhook { webhook, sealed }: StoredWebhook, secrets: &Secrets) -> Result<Box<Self>, Fault> {
        let open = |keys: &MasterKeys| {
            let secrets = keys.open_webhook(&context(&webhook), sealed.as_ref()?).ok()?;
            Some(Zeroizing::new(secrets.reveal().as_bytes().to_vec()))
        };
        let place = (webhook.tenant_id, KIND, &*place(&webhook.id.to_string(), webhook.secret_set_at));
        let sealed = sealed.is_some().then(|| secrets.written(place, open)).transpose()?.flatten();
        let (enabled, details) = (webhook.is_enabled(), webhook.details);
        let names = |events: Vec<WebhookEvent>| events.into_iter().map(|event| event.to_string()).collect();
        Ok(Box::new(Self {
            id: webhook.id.to_string(),
            url: details.url.as_str().to_owned(),
            events: details.events.map(names),
            description: text(details.description.as_ref(), WebhookDescription::as_str),
            enabled,
            disabled_reason: webhook.disabled.map(|reason| reason.to_string()),
            secret_set_at: webhook.secret_set_at,
            previous_until: webhook.previous_until,
            failing_since: webhook.failing_since,
            sealed,
            version: webhook.version,
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
        }))
    }

    /// The secrets that came along, sealed under the master key of this service; none where there were none.
    pub(super) fn secret(
        &self,
        target: Target,
        sealing: &Sealing,
    ) -> Result<Option<(SealedSecret, MasterKeyId)>, Vec<FieldRefusal>> {
        let Some(sealed) = &self.sealed else { return Ok(None) };
        let place = (target.tenant_id, KIND, &*place(&self.id, self.secret_set_at));
        let opened = sealing.opened(place, Some(sealed)).map_err(|refused| vec![refused])?;
        let unreadable = || vec![Refusal::new("not_sealed", "does not hold a secret").of("sealed")];
        let secrets: PlainSecret =
            std::str::from_utf8(&opened).ok().and_then(|text| text.parse().ok()).ok_or_else(unreadable)?;
        let mut reading = Reading::at(target.now);
        let id = reading.value("id", &self.id);
        let webhook = reading.end(id)?;
        let context = WebhookContext { tenant: target.tenant_id, webhook, set_at: self.secret_set_at };
        let sealed = sealing.keys.seal_webhook(&context, &secrets).map_err(|_| unreadable())?;
        Ok(Some((sealed, sealing.keys.sealing().clone())))
    }

    /// The same line with what its secrets are compared by.
    pub(super) fn revealed(
        mut self: Box<Self>,
        tenant: TenantId,
        sealing: &Sealing,
    ) -> Result<Box<Self>, FieldRefusal> {
        sealing.reveal((tenant, KIND, &place(&self.id, self.secret_set_at)), &mut self.sealed)?;
        Ok(self)
    }

    /// The same line as it is without a secret, and so not enabled, which is a change that its version counts.
    pub(super) fn bare(mut self: Box<Self>) -> Box<Self> {
        let lost = DisabledReason::SecretLost.to_string();
        (self.enabled, self.disabled_reason, self.version) = (false, Some(lost), self.version.saturating_add(1));
        (self.sealed, self.previous_until, self.failing_since) = (None, None, None);
        self
    }

    /// [`Self::bare`] as often as one likes, for comparisons: it is not told whether it was done before.
    pub(super) fn comparable(self: Box<Self>) -> Box<Self> {
        Box::new(Self { version: 0, ..*self.bare() })
    }

    /// The webhook as it is stored.
    pub(super) fn into_webhook(self: Box<Self>, target: Target) -> Result<Webhook, Vec<FieldRefusal>> {
        let line = if target.sealed { self } else { self.bare() };
        let mut reading = Reading::at(target.now);
        let (id, url) = (reading.value("id", &line.id), reading.value("url", &line.url));
        let events = line.events.map(|events| {
            events.iter().filter_map(|event| reading.value::<WebhookEvent>("events", event)).collect::<Vec<_>>()
        });
        let description = reading.optional("description", line.description.as_deref());
        let disabled = reading.optional("disabledReason", line.disabled_reason.as_deref());
        let version = reading.version("version", line.version);
        let secret_set_at = reading.time("secretSetAt", line.secret_set_at);
        let previous_until = line.previous_until.map(|until| reading.someday("previousUntil", until));
        let failing_since = reading.optional_time("failingSince", line.failing_since);
        let created_at = reading.time("createdAt", line.created_at);
        let updated_at = reading.time("updatedAt", line.updated_at);
        reading.end(id.zip(url).map(|(id, url)| Webhook {
            id,
            tenant_id: target.tenant_id,
            details: WebhookDetails { url, events, description },
            disabled,
            failing_since,
            secret_set_at,
            previous_until,
            version,
            created_at,
            updated_at,
        }))
    }
}

/// What the secrets of a webhook are bound to.
fn place(id: &str, set_at: DateTime<Utc>) -> String {
    format!("{id}/{}", set_at.timestamp_micros())
}
