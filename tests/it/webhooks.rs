//! Webhooks: what happens in a tenant reaches its receivers, whoever fails meanwhile, and nobody else.

mod access;
mod delivery;
mod destinations;
mod email;
mod failing;
mod lists;
mod load;
mod neighbours;
mod platform;
mod refused;
mod resealing;
mod signature;

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tenantry_domain::{Choice, WebhookEvent};
use tenantry_http::subject_view;
use tenantry_operations::webhooks::{Figures, Sender, Timeouts, WebhookClient, Workers};
use tenantry_tests::{Answer, App, Received, Receiver, Tenant, loopback};
use tokio::sync::watch;

/// What sends to receivers on this machine.
fn sender(app: &App) -> Sender {
    let client = WebhookClient::new(loopback(), Timeouts::default()).unwrap();
    Sender { client, keys: app.integrations.keys.clone(), view: subject_view, figures: Figures::default() }
}

/// The workers of one process, which do something when the test says so.
pub(crate) fn workers(app: &App) -> Workers {
    workers_with(app, sender(app))
}

fn workers_with(app: &App, sender: Sender) -> Workers {
    // Nobody stops it.
    let (stop, stopped) = watch::channel(false);
    std::mem::forget(stop);
    Workers::new(app.store.clone(), sender, 8, stopped)
}

/// Sends everything that is due now, and waits until it was sent.
pub(crate) async fn deliver(app: &App) {
    deliver_with(app, sender(app)).await;
}

async fn deliver_with(app: &App, sender: Sender) {
    let mut workers = workers_with(app, sender);
    while workers.round().await.unwrap().begun > 0 {
        workers.finish().await;
    }
}

/// A new webhook for these events; `null` for all. Returns its id and its secret.
pub(crate) async fn webhook(tenant: &Tenant, receiver: &Receiver, events: Value) -> (String, String) {
    let made = create(tenant, &receiver.url(), events).await.expect(201);
    (made.id(), made.text_of("secret"))
}

async fn create(tenant: &Tenant, url: &str, events: Value) -> Answer {
    tenant.owner.post("/api/webhooks", json!({ "url": url, "events": events })).await
}

fn behind_the_back(app: &App, sql: &str) {
    app.database.admin().batch_execute(sql).unwrap();
}

/// Lets the time pass until everything that is pending is due.
pub(crate) fn wait_for_the_next_attempt(app: &App) {
    behind_the_back(
        app,
        "UPDATE webhook_deliveries SET next_attempt_at = next_attempt_at - interval '10 days'
         WHERE state = 'pending' AND next_attempt_at > now();
         UPDATE webhooks SET next_turn_at = now() - interval '1 second';
         UPDATE tenants SET webhooks_due_at = now() - interval '1 second'
         WHERE id IN (SELECT tenant_id FROM webhook_deliveries WHERE state = 'pending')",
    );
}

/// Whether the published library accepts a request with this secret.
fn verifies(received: &Received, secret: &str) -> bool {
    let mut headers = http_headers();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(name, received.header(name).parse().unwrap());
    }
    Webhook::new(secret).unwrap().verify(&received.body, &headers).is_ok()
}

fn http_headers() -> reqwest::header::HeaderMap {
    reqwest::header::HeaderMap::new()
}

#[test]
fn the_page_about_webhooks_lists_every_event() {
    let page = include_str!("../../docs/webhooks.md");
    let table = page.split_once("| object | events |").unwrap().1.split_once("\n\n").unwrap().0;
    let mut listed: Vec<_> = table.split('`').filter(|word| word.contains('.') && !word.contains(' ')).collect();
    let mut events: Vec<_> = WebhookEvent::ALL.iter().map(|(_, name)| *name).collect();
    listed.sort_unstable();
    events.sort_unstable();
    assert_eq!(listed, events);
}

/// The deliveries of a webhook, the oldest first.
pub(crate) async fn deliveries(tenant: &Tenant, id: &str) -> Vec<Value> {
    let path = format!("/api/webhooks/{id}/deliveries?sort=occurredAt&limit=100");
    let list = tenant.owner.get(&path).await.expect(200);
    list.body["data"].as_array().unwrap().clone()
}
