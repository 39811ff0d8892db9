//! Receives the events of Tenantry.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::Deserialize;
use standardwebhooks::{Webhook, WebhookError};

use crate::App;

pub struct Webhooks {
    webhook: Webhook,
    /// The ids of the events that arrived. Yours belong into a table with a unique key, in the transaction that stores the event.
    received: Mutex<HashSet<String>>,
}

#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
}

impl Webhooks {
    pub fn new(secret: &str) -> Result<Self, WebhookError> {
        Ok(Self { webhook: Webhook::new(secret)?, received: Mutex::default() })
    }
}

pub async fn receive(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    // The signature is that of the raw body, so it is verified before anything reads it.
    if app.webhooks.webhook.verify(&body, &headers).is_err() {
        return StatusCode::BAD_REQUEST;
    }
    let Ok(Event { id, kind }) = serde_json::from_slice(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    // Delivery is at least once: the same event can come again.
    let first = app.webhooks.received.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
    tracing::info!("{} {kind} {id}", if first { "received" } else { "again" });
    StatusCode::NO_CONTENT
}
