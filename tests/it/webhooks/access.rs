//! Who sees webhooks, and how many there may be.

use serde_json::{Value, json};
use tenantry_tests::{App, Receiver};

use super::{create, deliver, deliveries, webhook};

#[tokio::test]
async fn another_tenants_webhook_is_not_found() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let (acme, other) = (app.tenant("Acme").await, app.tenant("Other").await);
    let (id, _) = webhook(&acme, &receiver, Value::Null).await;
    acme.brand("One").await;
    deliver(&app).await;
    let event = deliveries(&acme, &id).await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/webhooks/{id}");
    other.owner.get(&path).await.expect(404);
    other.owner.patch(&path, json!({ "enabled": false })).await.expect(404);
    other.owner.delete(&path).await.expect(404);
    other.owner.get(&format!("{path}/deliveries")).await.expect(404);
    other.owner.get(&format!("{path}/deliveries/{event}")).await.expect(404);
    for verb in ["rotate", "test", &format!("deliveries/{event}/resend")] {
        other.owner.post(&format!("{path}/{verb}"), json!({})).await.expect(404);
    }
    other.owner.post(&format!("{path}/replay"), json!({ "since": "2026-01-01T00:00:00Z" })).await.expect(404);
}

#[tokio::test]
async fn a_tenant_has_a_hundred_webhooks_at_most() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    for _ in 0..100 {
        webhook(&tenant, &receiver, json!(["brand.create"])).await;
    }
    let refused = create(&tenant, &receiver.url(), Value::Null).await.expect(409);
    assert_eq!(refused.body["code"], "limit_reached");
}

#[tokio::test]
async fn a_key_without_the_scope_for_reading_is_shown_nothing_it_changes() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    let (id, _) = webhook(&tenant, &receiver, Value::Null).await;
    let writer = tenant.key(&["webhooks:write"], json!({})).await;
    let path = format!("/api/webhooks/{id}");
    writer.patch(&path, json!({ "description": "CRM" })).await.expect(204);
    writer.post(&format!("{path}/test"), json!({})).await.expect(204);
    writer.get(&path).await.expect(403);
    let of_a_brand = tenant.key(&["webhooks:read"], json!({ "brandId": tenant.brand })).await;
    of_a_brand.get(&path).await.expect(403);
}
