//! A receiver that takes nothing for days is sent nothing any more, and its tenant's owner is told.

use serde_json::{Value, json};
use tenantry_domain::Role;
use tenantry_tests::{App, Receiver, Receiving};

use super::{behind_the_back, deliver, deliveries, wait_for_the_next_attempt, webhook};
use crate::outbox;

#[tokio::test]
async fn after_days_of_failures_a_webhook_is_disabled_and_the_owner_gets_an_email() {
    let (app, receiver, server) = (App::start().await, Receiver::start(), outbox::server());
    let tenant = app.tenant("Acme").await;
    let (owner, _) = tenant.member(Role::Owner, &[]).await;
    let address = tenant.owner.get(&format!("/api/members/{owner}")).await.expect(200).text_of("email");
    let (id, _) = webhook(&tenant, &receiver, json!(["brand.create"])).await;
    receiver.receive(Receiving::Status(500, "", String::new()));
    tenant.brand("One").await;
    deliver(&app).await;
    let path = format!("/api/webhooks/{id}");
    assert_ne!(tenant.owner.get(&path).await.expect(200).body["failingSince"], Value::Null);
    behind_the_back(&app, "UPDATE webhooks SET failing_since = now() - interval '5 days'");
    wait_for_the_next_attempt(&app);
    deliver(&app).await;
    let shown = tenant.owner.get(&path).await.expect(200);
    assert_eq!((&shown.body["enabled"], &shown.body["disabledReason"]), (&json!(false), &json!("failing")));
    let log = tenant.owner.get("/api/audit-events?action=webhook.disable").await.expect(200);
    assert_eq!(log.body["data"][0]["actor"], json!({ "type": "job", "id": "deliver webhooks" }));
    assert_eq!(outbox::deliver(&app, &server).await.sent, 1);
    let mail = server.mail();
    assert_eq!(mail.to, [address]);
    assert!(mail.text().contains("nichts zugestellt werden konnte.") && mail.text().contains(&id), "{}", mail.text());
    wait_for_the_next_attempt(&app);
    deliver(&app).await;
    assert_eq!(receiver.received().len(), 2);
    // Enabled again, it is sent what waits.
    receiver.receive(Receiving::Well);
    behind_the_back(&app, "UPDATE webhooks SET next_turn_at = now() + interval '1 hour'");
    tenant.owner.patch(&path, json!({ "enabled": true })).await.expect(200);
    let soon = "SELECT FROM webhooks WHERE failures = 0 AND next_turn_at <= now() + interval '1 minute'";
    assert_eq!(app.database.rows(soon), 1);
    assert_eq!(app.database.rows("SELECT FROM tenants WHERE webhooks_due_at <= now()"), 1);
    wait_for_the_next_attempt(&app);
    deliver(&app).await;
    assert_eq!(deliveries(&tenant, &id).await[0]["state"], "delivered");
    assert_eq!(tenant.owner.get(&path).await.expect(200).body["failingSince"], Value::Null);
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_sent_nothing_any_more() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    let (id, _) = webhook(&tenant, &receiver, json!(["brand.create"])).await;
    receiver.receive(Receiving::Status(410, "", String::new()));
    tenant.brand("One").await;
    deliver(&app).await;
    let shown = tenant.owner.get(&format!("/api/webhooks/{id}")).await.expect(200);
    assert_eq!(shown.body["disabledReason"], "gone");
    tenant.owner.post(&format!("/api/webhooks/{id}/test"), json!({})).await.expect(409);
}

#[tokio::test]
async fn a_receiver_that_asks_for_it_is_left_alone() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    let (id, _) = webhook(&tenant, &receiver, json!(["brand.create"])).await;
    receiver.receive(Receiving::Status(429, "Retry-After: 7200\r\n", String::new()));
    tenant.brand("One").await;
    deliver(&app).await;
    let later = "SELECT 1 FROM webhook_deliveries WHERE next_attempt_at > now() + interval '7100 seconds'";
    assert_eq!(app.database.rows(later), 1);
    assert_eq!(app.database.rows("SELECT 1 FROM webhooks WHERE next_turn_at > now() + interval '59 minutes'"), 1);
    assert_eq!(deliveries(&tenant, &id).await[0]["responseStatus"], 429);
}

#[tokio::test]
async fn only_another_address_or_a_new_beginning_lets_a_failure_be_forgotten() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    let (id, _) = webhook(&tenant, &receiver, json!(["brand.create"])).await;
    let path = format!("/api/webhooks/{id}");
    receiver.receive(Receiving::Status(429, "Retry-After: 7200\r\n", String::new()));
    tenant.brand("One").await;
    let (address, resting) =
        (format!("{}?new", receiver.url()), "SELECT 1 FROM webhooks WHERE next_turn_at > now() + interval '1 minute'");
    for (changes, forgets) in [
        (vec![json!({ "description": "New" }), json!({ "events": ["brand.create", "brand.delete"] })], false),
        (vec![json!({ "url": address })], true),
        (vec![json!({ "enabled": false }), json!({ "enabled": true })], true),
    ] {
        wait_for_the_next_attempt(&app);
        deliver(&app).await;
        let fails = tenant.owner.get(&path).await.expect(200).body["failingSince"].clone();
        assert!(fails.is_string() && app.database.rows(resting) == 1);
        for change in &changes {
            tenant.owner.patch(&path, change.clone()).await.expect(200);
        }
        let shown = tenant.owner.get(&path).await.expect(200).body["failingSince"].clone();
        assert_eq!(shown, if forgets { Value::Null } else { fails }, "{changes:?}");
        assert_eq!(app.database.rows(resting), i64::from(!forgets), "{changes:?}");
    }
}

#[tokio::test]
async fn a_webhook_whose_secret_does_not_open_is_sent_nothing_and_not_blamed() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    let (id, _) = webhook(&tenant, &receiver, json!(["brand.create"])).await;
    tenant.brand("One").await;
    behind_the_back(
        &app,
        "UPDATE webhooks SET sealed_secrets = set_byte(sealed_secrets, 30, get_byte(sealed_secrets, 30) # 1)",
    );
    deliver(&app).await;
    assert_eq!(receiver.received().len(), 0);
    let rotated = tenant.owner.post(&format!("/api/webhooks/{id}/rotate"), json!({})).await.expect(200);
    assert_eq!((&rotated.body["previousSecretUntil"], &rotated.body["failingSince"]), (&Value::Null, &Value::Null));
    wait_for_the_next_attempt(&app);
    deliver(&app).await;
    assert!(super::verifies(&receiver.received()[0], &rotated.text_of("secret")));
}
