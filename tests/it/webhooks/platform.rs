//! Webhooks of the platform: they are told of the lives of tenants, and of nothing inside them.

use serde_json::{Value, json};
use tenantry_domain::TenantId;
use tenantry_persistence::Eraser;
use tenantry_tests::{Answer, App, Received, Receiver, Receiving};

use super::{behind_the_back, deliver, verifies, wait_for_the_next_attempt};

/// A new webhook of the platform for these events; `null` for all.
async fn webhook(app: &App, receiver: &Receiver, events: Value) -> Answer {
    let wanted = json!({ "url": receiver.url(), "events": events });
    app.platform().post("/api/webhooks", wanted).await.expect(201)
}

/// Creates a tenant through the API of the platform; returns its id and its owner's key.
async fn created(app: &App, name: &str) -> (String, String) {
    let made = app.platform().post("/api/admin/tenants", json!({ "name": name, "country": "DE" })).await.expect(201);
    (made.id(), made.text_of("apiKey"))
}

/// What a receiver was sent about a tenant, in the order in which it came.
fn about(receiver: &Receiver, tenant: &str) -> Vec<Received> {
    let received = receiver.received().into_iter();
    received.filter(|request| request.event()["data"]["subject"]["id"] == tenant).collect()
}

fn kinds(received: &[Received]) -> Vec<String> {
    received.iter().map(Received::kind).collect()
}

/// How many rows of this table the platform has.
fn rows(app: &App, table: &str) -> usize {
    let column = if table == "tenants" { "id" } else { "tenant_id" };
    app.database.rows(&format!("SELECT FROM {table} WHERE {column} = '{}'", TenantId::PLATFORM)).try_into().unwrap()
}

#[tokio::test]
async fn the_platform_is_told_of_the_lives_of_tenants_and_of_nothing_inside_them() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let secret = webhook(&app, &receiver, Value::Null).await.text_of("secret");
    let (id, key) = created(&app, "Acme").await;
    let (platform, owner, one) = (app.platform(), app.client().with_key(&key), format!("/api/admin/tenants/{id}"));
    owner.patch("/api/tenant", json!({ "name": "Acme Europe" })).await.expect(200);
    owner.post("/api/workspaces", json!({ "name": "Berlin" })).await.expect(201);
    platform.patch(&one, json!({ "maxWorkspaces": 7 })).await.expect(200);
    // What is refused has not happened.
    platform.patch(&one, json!({ "maxWorkspaces": -1 })).await.expect(422);
    for verb in ["suspend", "reactivate"] {
        platform.post(&format!("{one}/{verb}"), json!({})).await.expect(200);
    }
    platform.delete(&one).await.expect(204);
    platform.post(&format!("{one}/restore"), json!({})).await.expect(200);
    deliver(&app).await;
    let told = about(&receiver, &id);
    let verbs = ["create", "update", "administer", "suspend", "reactivate", "delete", "restore"];
    assert_eq!(kinds(&told), verbs.map(|verb| format!("tenant.{verb}")));
    assert!(!receiver.received().iter().any(|request| request.kind().starts_with("workspace.")));
    let log = owner.get("/api/audit-events?action=tenant.administer").await.expect(200);
    let event = told[2].event();
    assert!(told.iter().all(|request| verifies(request, &secret) && request.event()["tenantId"] == *id));
    assert_eq!((&event["id"], &event["data"]["actor"]["type"]), (&log.body["data"][0]["id"], &json!("platform")));
    assert_eq!(event["data"]["changes"], json!({ "maxWorkspaces": { "before": null, "after": 7 } }));
    assert_eq!(event["data"]["subject"]["state"], platform.get(&one).await.expect(200).body);
}

#[tokio::test]
async fn neither_a_tenant_nor_the_platform_sees_the_others_webhooks() {
    let (app, own, theirs) = (App::start().await, Receiver::start(), Receiver::start());
    assert_eq!(app.platform().get("/api/webhooks").await.expect(200).body["data"], json!([]));
    let acme = app.tenant("Acme").await;
    let other = app.tenant("Other").await;
    let of_acme = super::webhook(&acme, &theirs, Value::Null).await.0;
    assert_eq!(rows(&app, "audit_events") + rows(&app, "tenants"), 0, "without a webhook nothing is kept");
    let id = webhook(&app, &own, json!(["tenant.suspend", "tenant.update"])).await.id();
    acme.owner.get(&format!("/api/webhooks/{id}")).await.expect(404);
    app.platform().get(&format!("/api/webhooks/{of_acme}")).await.expect(404);
    let listed = app.platform().get("/api/webhooks").await.expect(200).body;
    assert_eq!((listed["data"].as_array().unwrap().len(), &listed["data"][0]["id"]), (1, &json!(id)));
    other.owner.patch("/api/tenant", json!({ "name": "Another" })).await.expect(200);
    deliver(&app).await;
    assert_eq!(kinds(&own.received()), ["tenant.update"]);
    let of_others =
        theirs.received().iter().filter(|request| request.event()["tenantId"] != acme.id.to_string()).count();
    assert_eq!(of_others, 0, "another tenant's change");
}

#[tokio::test]
async fn the_platforms_own_is_nobodys_account() {
    let (app, receiver) = (App::start().await, Receiver::start());
    webhook(&app, &receiver, Value::Null).await;
    let (acme, own) = (app.tenant("Acme").await, format!("/api/admin/tenants/{}", TenantId::PLATFORM));
    let listed = app.platform().get("/api/admin/tenants").await.expect(200).body;
    let ids: Vec<_> = listed["data"].as_array().unwrap().iter().map(|tenant| tenant["id"].clone()).collect();
    assert_eq!(ids, [json!(acme.id.to_string())]);
    app.platform().get(&own).await.expect(404);
    app.platform().patch(&own, json!({ "name": "Mine" })).await.expect(404);
    app.platform().post(&format!("{own}/suspend"), json!({})).await.expect(404);
    app.platform().delete(&own).await.expect(404);
    // Nor is it a way into a tenant.
    for path in ["/api/tenant", "/api/workspaces", "/api/members", "/api/audit-events"] {
        app.platform().get(path).await.expect(403);
    }
}

#[tokio::test]
async fn a_webhook_of_the_platform_is_looked_after_like_any_other() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let inside = json!({ "url": receiver.url(), "events": ["tenant.update", "workspace.create"] });
    let refused = app.platform().post("/api/webhooks", inside.clone()).await.expect(422);
    assert_eq!(refused.refused(), [("events".to_owned(), "not_a_choice".to_owned())]);
    let made = webhook(&app, &receiver, json!(["tenant.update"])).await;
    let refused = app.platform().patch(&format!("/api/webhooks/{}", made.id()), inside).await.expect(422);
    assert_eq!(refused.refused(), [("events".to_owned(), "not_a_choice".to_owned())]);
    let (platform, path, since) =
        (app.platform(), format!("/api/webhooks/{}", made.id()), json!({ "since": "2020-01-01T00:00:00Z" }));
    let acme = app.tenant("Acme").await;
    platform.patch(&path, json!({ "enabled": false })).await.expect(200);
    acme.owner.patch("/api/tenant", json!({ "name": "One" })).await.expect(200);
    deliver(&app).await;
    assert_eq!(receiver.received().len(), 0, "it is paused");
    platform.patch(&path, json!({ "enabled": true })).await.expect(200);
    assert_eq!(platform.post(&format!("{path}/replay"), since).await.expect(202).body["events"], 1);
    deliver(&app).await;
    let first = receiver.until(1).await.remove(0);
    let resend = format!("{path}/deliveries/{}/resend", first.id());
    platform.post(&resend, json!({})).await.expect(202);
    let rotated = platform.post(&format!("{path}/rotate"), json!({ "overlapSeconds": 60 })).await.expect(200);
    deliver(&app).await;
    let second = receiver.until(2).await.remove(1);
    assert_eq!(first.id(), second.id());
    assert!(verifies(&second, &made.text_of("secret")) && verifies(&second, &rotated.text_of("secret")));
    let tested = platform.post(&format!("{path}/test"), json!({})).await.expect(202);
    deliver(&app).await;
    let third = receiver.until(3).await.remove(2);
    assert_eq!((third.id(), third.kind().as_str()), (tested.id().as_str(), "webhook.test"));
    let deliveries = platform.get(&format!("{path}/deliveries?state=delivered")).await.expect(200);
    assert_eq!(deliveries.body["data"].as_array().unwrap().len(), 2);
    platform.delete(&path).await.expect(204);
    assert_eq!(rows(&app, "webhook_deliveries"), 0);
}

#[tokio::test]
async fn of_a_tenant_that_is_erased_the_platform_keeps_its_id_and_that_it_was_erased() {
    let (app, receiver) = (App::start().await, Receiver::start());
    webhook(&app, &receiver, Value::Null).await;
    let acme = app.tenant("Zyxgone").await;
    let id = acme.id.to_string();
    // One is still waiting, as at a receiver that fails.
    receiver.receive(Receiving::Status(500, "", String::new()));
    acme.owner.patch("/api/tenant", json!({ "name": "Zyxother" })).await.expect(200);
    deliver(&app).await;
    app.platform().delete(&format!("/api/admin/tenants/{id}")).await.expect(204);
    behind_the_back(&app, &format!("UPDATE tenants SET deleted_at = now() - interval '31 days' WHERE id = '{id}'"));
    let mut eraser = Eraser::connect(&app.database.owner_url()).unwrap();
    eraser.rehearse(acme.id).unwrap().expect("it is due");
    assert!(rows(&app, "audit_events") > 1, "a rehearsal tells nobody");
    eraser.erase(acme.id).unwrap().expect("it is due");
    let dump = app.database.dump();
    assert!(!dump.contains("Zyxgone") && !dump.contains("Zyxother"));
    receiver.receive(Receiving::Well);
    let before = receiver.received().len();
    wait_for_the_next_attempt(&app);
    deliver(&app).await;
    let told = receiver.received().split_off(before);
    let last: Vec<_> = told.iter().filter(|request| request.event()["tenantId"] == *id).collect();
    let [erased] = last[..] else { panic!("{:?}", kinds(&told)) };
    let event = erased.event();
    assert_eq!((event["type"].as_str(), &event["data"]["changes"]), (Some("tenant.erase"), &json!({})));
    let subject = json!({ "type": "tenant", "id": id, "state": null });
    assert_eq!((&event["data"]["subject"], &event["data"]["actor"]["id"]), (&subject, &json!("erase tenants")));
}

#[tokio::test]
async fn nobody_gets_an_email_about_a_webhook_of_the_platform_that_is_disabled() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let id = webhook(&app, &receiver, Value::Null).await.id();
    receiver.receive(Receiving::Status(410, "", String::new()));
    app.tenant("Acme").await;
    deliver(&app).await;
    let shown = app.platform().get(&format!("/api/webhooks/{id}")).await.expect(200);
    assert_eq!(shown.body["disabledReason"], "gone");
    assert_eq!(rows(&app, "outbox_messages"), 0);
}
