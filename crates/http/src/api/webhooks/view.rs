//! What a caller is shown of webhooks.

use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_auth::WebhookSecret;
use tenantry_domain::{DisabledReason, Webhook, WebhookDelivery, WebhookDeliveryState, WebhookEvent};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    api::{audit_events::AuditAction, millis, millis_option},
    extract::List,
    schema::Word,
};

type WebhookEventWord = Word<WebhookEvent>;
type DisabledReasonWord = Word<DisabledReason>;
type WebhookDeliveryStateWord = Word<WebhookDeliveryState>;

/// A webhook is an address to which events of the tenant are sent. Its secret is shown only once, when it is made.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Webhook)]
pub(crate) struct WebhookView {
    /// Unique identifier.
    #[schema(example = "11a2b3c4-5678-4abc-9ef0-1234567890ab")]
    id: Uuid,
    /// The tenant this webhook belongs to. For a webhook of the platform `ffffffff-ffff-ffff-ffff-ffffffffffff`.
    #[schema(example = "a0b1c2d3-4567-49ab-8def-0123456789ab")]
    tenant_id: Uuid,
    /// Where events are sent.
    #[schema(example = "https://example.com/webhooks", format = "uri")]
    url: String,
    /// Which events are sent. `null`: all.
    #[schema(required, example = json!(["workspace.create", "workspace.update"]))]
    events: Option<Vec<WebhookEventWord>>,
    /// What the webhook is for.
    #[schema(required, example = "Keeps the CRM up to date")]
    description: Option<String>,
    /// Whether events are sent.
    enabled: bool,
    /// Why no events are sent. `null` if they are.
    #[schema(required)]
    disabled_reason: Option<DisabledReasonWord>,
    /// Since when nothing could be delivered. After five days the webhook is disabled. `null` if the last attempt succeeded.
    #[serde(serialize_with = "millis_option")]
    #[schema(required, example = json!(null))]
    failing_since: Option<DateTime<Utc>>,
    /// When its secret was made.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-01-20T10:00:00.000Z")]
    secret_set_at: DateTime<Utc>,
    /// Until when requests are signed with the secret before it, too.
    #[serde(serialize_with = "millis_option")]
    #[schema(required, example = json!(null))]
    previous_secret_until: Option<DateTime<Utc>>,
    /// When it was created.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-01-20T10:00:00.000Z")]
    created_at: DateTime<Utc>,
    /// When it was last updated.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-03-01T16:45:00.000Z")]
    updated_at: DateTime<Utc>,
}

impl From<Webhook> for WebhookView {
    fn from(webhook: Webhook) -> Self {
        let (enabled, details) = (webhook.is_enabled(), webhook.details);
        Self {
            id: webhook.id.uuid(),
            tenant_id: webhook.tenant_id.uuid(),
            url: details.url.as_str().to_owned(),
            events: details.events.map(|events| events.into_iter().map(Word).collect()),
            description: details.description.map(String::from),
            enabled,
            disabled_reason: webhook.disabled.map(Word),
            failing_since: webhook.failing_since,
            secret_set_at: webhook.secret_set_at,
            previous_secret_until: webhook.previous_until,
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
        }
    }
}

/// A webhook with a new secret, which is not shown again.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebhookCreated {
    #[serde(flatten)]
    webhook: WebhookView,
    /// The secret that requests are signed with, as the libraries of Standard Webhooks take it. Store it now: it is not shown again.
    #[schema(example = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    secret: String,
}

impl WebhookCreated {
    pub(super) fn of(webhook: Webhook, secret: &WebhookSecret) -> Self {
        Self { webhook: webhook.into(), secret: secret.reveal().to_owned() }
    }
}

/// An event on its way to a webhook, and what became of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WebhookDelivery)]
pub(crate) struct WebhookDeliveryView {
    /// The id of the event, in the audit log and in the header `webhook-id`.
    #[schema(example = "0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48")]
    id: Uuid,
    /// The tenant it belongs to.
    #[schema(example = "a0b1c2d3-4567-49ab-8def-0123456789ab")]
    tenant_id: Uuid,
    /// The webhook.
    #[schema(example = "11a2b3c4-5678-4abc-9ef0-1234567890ab")]
    webhook_id: Uuid,
    /// What happened.
    #[serde(rename = "type")]
    #[schema(value_type = AuditAction)]
    event_type: String,
    /// When it happened.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-03-01T16:45:00.000Z")]
    occurred_at: DateTime<Utc>,
    /// How far the delivery is.
    #[schema(example = "delivered")]
    state: WebhookDeliveryStateWord,
    /// How many attempts there were.
    #[schema(example = 1)]
    attempts: i32,
    /// When it is tried next. `null` if it is not.
    #[serde(serialize_with = "millis_option")]
    #[schema(required, example = json!(null))]
    next_attempt_at: Option<DateTime<Utc>>,
    /// When it was tried last.
    #[serde(serialize_with = "millis_option")]
    #[schema(required, example = "2026-03-01T16:45:01.000Z")]
    last_attempt_at: Option<DateTime<Utc>>,
    /// The status of the last answer. `null` if there was none.
    #[schema(required, example = 200)]
    response_status: Option<i32>,
    /// The first characters of the last answer.
    #[schema(required, example = "ok")]
    response_body: Option<String>,
    /// Why the last attempt failed.
    #[schema(required, example = json!(null))]
    last_error: Option<String>,
}

impl From<WebhookDelivery> for WebhookDeliveryView {
    fn from(delivery: WebhookDelivery) -> Self {
        let pending = delivery.state == WebhookDeliveryState::Pending;
        Self {
            id: delivery.event.id.uuid(),
            tenant_id: delivery.event.tenant_id.uuid(),
            webhook_id: delivery.webhook_id.uuid(),
            event_type: delivery.event.action,
            occurred_at: delivery.event.occurred_at,
            state: Word(delivery.state),
            attempts: delivery.attempts,
            next_attempt_at: pending.then_some(delivery.next_attempt_at),
            last_attempt_at: delivery.last_attempt_at,
            response_status: delivery.last_status,
            response_body: delivery.last_answer,
            last_error: delivery.last_error,
        }
    }
}

/// How many events are sent again.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookReplayed {
    /// How many events.
    #[schema(example = 12)]
    pub(super) events: usize,
}

/// A page of them.
pub(crate) type WebhookList = List<WebhookView>;

/// A page of them.
pub(crate) type WebhookDeliveryList = List<WebhookDeliveryView>;
