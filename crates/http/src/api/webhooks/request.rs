//! What a caller asks of webhooks.

use tenantry_domain::{
    Instant, LogSort, Overlap, Sort, WebhookDeliveryState, WebhookDescription, WebhookDetails, WebhookEvent,
    WebhookPatch, WebhookUrl,
};
use tenantry_operations::WebhookDeliveryFilter;

use crate::extract::{Clearable, Distinct, Entry, Filters, Nullable, Optional, OrDefault, Required, query, request};

impl Entry for WebhookEvent {
    const NAMES: (&'static str, &'static str) = ("event", "events");
}

type Events = Distinct<WebhookEvent, 1, { usize::MAX }>;

request! {
    /// A webhook to create.
    #[example({
        "url": "https://example.com/webhooks",
        "events": ["workspace.create", "workspace.update", "workspace.delete"],
        "description": "Keeps the CRM up to date",
    })]
    pub(crate) struct CreateWebhook {
        /// Where events are sent. The host must have public addresses only, unless the operator allows others.
        url: Required<WebhookUrl>,
        /// Which events are sent. Default: all.
        events: Nullable<Events>,
        /// What the webhook is for.
        description: Nullable<WebhookDescription>,
    }
}

impl CreateWebhook {
    pub(super) fn into_domain(self) -> WebhookDetails {
        let events = self.events.map(|events| events.0);
        WebhookDetails { url: self.url, events, description: self.description }
    }
}

request! {
    /// A change to a webhook, as a JSON merge patch (RFC 7396): fields you leave out keep their value, and `null` clears a field.
    #[example({ "description": "Keeps the CRM up to date", "events": null })]
    pub(crate) struct UpdateWebhook {
        /// Where events are sent.
        url: Optional<WebhookUrl>,
        /// Which events are sent. `null`: all.
        events: Clearable<Events>,
        /// What the webhook is for.
        description: Clearable<WebhookDescription>,
        /// Whether events are sent. `true` also sends again to a webhook that was disabled because it failed.
        enabled: Optional<bool>,
    }
}

impl UpdateWebhook {
    pub(super) fn into_domain(self) -> WebhookPatch {
        let events = self.events.map(|events| events.map(|events| events.0));
        WebhookPatch { url: self.url, events, description: self.description, enabled: self.enabled }
    }
}

request! {
    /// How to rotate the secret of a webhook.
    #[example({ "overlapSeconds": 3600 })]
    pub(crate) struct RotateWebhook {
        /// For how long requests are signed with the old secret, too.
        overlap_seconds: OrDefault<Overlap>,
    }
}

request! {
    /// Which events to send again.
    #[example({ "since": "2026-03-01T16:45:00.000Z" })]
    pub(crate) struct ReplayWebhook {
        /// Events that happened at this time or later.
        since: Required<Instant>,
    }
}

query! {
    /// Which webhooks.
    pub(crate) struct WebhookFilters {
    }
}

impl Filters for WebhookFilters {
    type Sort = Sort;
}

query! {
    /// Which deliveries.
    pub(crate) struct WebhookDeliveryFilters => WebhookDeliveryFilter {
        /// Only deliveries in this state.
        state: Optional<WebhookDeliveryState>,
    }
}

impl Filters for WebhookDeliveryFilters {
    type Sort = LogSort;
}
