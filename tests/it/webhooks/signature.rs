//! Requests are signed as Standard Webhooks defines it: the published library says so.

use insta::assert_snapshot;
use serde_json::{Value, json};
use tenantry_tests::{App, Receiver, view};

use super::{behind_the_back, deliver, verifies, webhook};

#[tokio::test]
async fn the_published_library_verifies_what_is_sent_and_nothing_that_was_changed() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    let (_, secret) = webhook(&tenant, &receiver, json!(["workspace.create"])).await;
    let workspace = tenant.workspace("Berlin").await;
    deliver(&app).await;
    let [request] = receiver.received().try_into().unwrap();
    assert!(request.head.starts_with("POST /hook HTTP/1.1\r\n"), "{}", request.head);
    assert_eq!(request.header("content-type"), "application/json");
    assert!(verifies(&request, &secret));
    let mut forged = request.clone();
    forged.body.push(b' ');
    assert!(!verifies(&forged, &secret));
    let mut event = request.event();
    assert_eq!(event["id"], request.id());
    assert_eq!(event["tenantId"], tenant.id.to_string());
    assert_eq!(event["data"]["subject"]["id"], workspace);
    assert_eq!(event["data"]["changes"]["name"], json!({ "before": null, "after": "Berlin" }));
    let state = event["data"]["subject"]["state"].take();
    assert_eq!(state, tenant.owner.get(&format!("/api/workspaces/{workspace}")).await.expect(200).body);
    let log = tenant.owner.get(&format!("/api/audit-events?subjectId={workspace}")).await.expect(200);
    let logged = &log.body["data"][0];
    let same = [
        ("/id", "/id"),
        ("/type", "/action"),
        ("/timestamp", "/occurredAt"),
        ("/data/actor", "/actor"),
        ("/data/changes", "/changes"),
    ];
    for (sent, stored) in same {
        assert_eq!(event.pointer(sent), logged.pointer(stored), "{sent}");
    }
}

#[tokio::test]
async fn both_secrets_sign_during_the_overlap_and_then_only_the_new_one() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    let (id, old) = webhook(&tenant, &receiver, json!(["brand.create"])).await;
    let rotated = tenant.owner.post(&format!("/api/webhooks/{id}/rotate"), json!({ "overlapSeconds": 3600 })).await;
    let new = rotated.expect(200).text_of("secret");
    assert_ne!(old, new);
    tenant.brand("One").await;
    deliver(&app).await;
    let first = receiver.until(1).await.remove(0);
    assert_eq!(first.header("webhook-signature").split(' ').count(), 2);
    assert!(verifies(&first, &old) && verifies(&first, &new));
    behind_the_back(&app, "UPDATE webhooks SET previous_until = now() - interval '1 second'");
    tenant.brand("Two").await;
    deliver(&app).await;
    let second = receiver.until(2).await.remove(1);
    assert_eq!(second.header("webhook-signature").split(' ').count(), 1);
    assert!(!verifies(&second, &old) && verifies(&second, &new));
}

#[tokio::test]
async fn a_secret_is_shown_once_and_is_in_no_answer_event_log_or_table() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    let made = super::create(&tenant, &receiver.url(), Value::Null).await.expect(201);
    assert_eq!(made.header("cache-control"), "no-store");
    let (id, secret) = (made.id(), made.text_of("secret"));
    let rotated = tenant.owner.post(&format!("/api/webhooks/{id}/rotate"), json!({})).await.expect(200);
    let secrets = [secret, rotated.text_of("secret")];
    tenant.owner.patch(&format!("/api/webhooks/{id}"), json!({ "description": "CRM" })).await.expect(200);
    tenant.brand("One").await;
    deliver(&app).await;
    let mut said: Vec<String> =
        receiver.received().iter().map(|request| String::from_utf8_lossy(&request.body).into_owned()).collect();
    assert!(said.len() >= 3, "{said:?}");
    for path in [
        "/api/webhooks",
        &format!("/api/webhooks/{id}"),
        "/api/audit-events",
        &format!("/api/webhooks/{id}/deliveries"),
    ] {
        said.push(tenant.owner.get(path).await.expect(200).body.to_string());
    }
    let dump = tenantry_tests::lines(
        &mut app.database.admin(),
        "SELECT w::text AS line FROM webhooks AS w UNION ALL SELECT e::text FROM audit_events AS e",
    );
    for secret in secrets {
        let core = secret.trim_start_matches("whsec_");
        let hex: String = core.bytes().map(|byte| format!("{byte:02x}")).collect();
        for text in said.iter().chain(&dump) {
            assert!(!text.contains(core) && !text.contains(&hex), "{text}");
        }
    }
}

#[tokio::test]
async fn a_webhook_is_shown_with_all_its_fields() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    let (id, _) = webhook(&tenant, &receiver, json!(["workspace.create"])).await;
    let shown = tenant.owner.get(&format!("/api/webhooks/{id}")).await.expect(200);
    let (url, tenant) = (receiver.url(), tenant.id.to_string());
    let named = [("webhook", id.as_str()), ("url", &url), ("tenant", &tenant)];
    assert_snapshot!("webhook", view(&shown, &named));
}
