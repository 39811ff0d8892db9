//! Events that the service sends while it runs.

use diesel::connection::SimpleConnection;
use nix::sys::signal::Signal;
use serde_json::json;
use tenantry_tests::{Receiver, Receiving, TestDatabase};

use super::kit::Tenantry;

/// A tenant whose owner's key this is, in a service that looks for what other processes wrote once an hour.
fn prepared(database: &TestDatabase) -> (Tenantry, String) {
    let tenantry = Tenantry::on(database)
        .with("TENANTRY_WEBHOOK_ALLOWED_NETWORKS", "127.0.0.0/8")
        .with("TENANTRY_WEBHOOK_POLL", "1h");
    let made = tenantry.json(&["tenant", "create", "--name", "Acme", "--country", "DE"]);
    let key = made["apiKey"].as_str().unwrap().to_owned();
    (tenantry, key)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_service_sends_events_at_once() {
    let (database, receiver) = (TestDatabase::new(), Receiver::start());
    let (tenantry, key) = prepared(&database);
    let service = tenantry.serve();
    let owner = service.client().with_key(&key);
    let made =
        owner.post("/api/webhooks", json!({ "url": receiver.url(), "events": ["brand.create"] })).await.expect(201);
    for (n, name) in ["One", "Two"].into_iter().enumerate() {
        owner.post("/api/brands", json!({ "name": name, "emailFromName": name })).await.expect(201);
        assert_eq!(receiver.until(n + 1).await[n].event()["data"]["changes"]["name"]["after"], name);
    }
    service.signal(Signal::SIGTERM);
    let (code, log) = service.wait();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains(made.text_of("secret").trim_start_matches("whsec_")), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_service_loses_nothing() {
    let (database, receiver) = (TestDatabase::new(), Receiver::start());
    let (tenantry, key) = prepared(&database);
    let service = tenantry.serve();
    let owner = service.client().with_key(&key);
    owner.post("/api/webhooks", json!({ "url": receiver.url(), "events": ["brand.create"] })).await.expect(201);
    receiver.receive(Receiving::Held);
    owner.post("/api/brands", json!({ "name": "One", "emailFromName": "One" })).await.expect(201);
    let held = receiver.until(1).await.remove(0);
    service.signal(Signal::SIGKILL);
    service.wait();
    receiver.receive(Receiving::Well);
    // The lease of the dead ends.
    database
        .admin()
        .batch_execute("UPDATE webhooks SET next_turn_at = now(); UPDATE tenants SET webhooks_due_at = now()")
        .unwrap();
    let service = tenantry.serve();
    let again = receiver.until(2).await.remove(1);
    assert_eq!((again.id(), &again.body), (held.id(), &held.body));
    service.signal(Signal::SIGTERM);
    assert_eq!(service.wait().0, Some(0));
}
