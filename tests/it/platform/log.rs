//! What the platform does stands in the log of the tenant that it did it to.

use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::Text};
use serde_json::{Value, json};
use tenantry_tests::{App, Operation, TestDatabase};

use super::path;

#[derive(Debug, Clone, PartialEq, QueryableByName)]
struct Event {
    #[diesel(sql_type = Text)]
    line: String,
    #[diesel(sql_type = Text)]
    changes: String,
}

fn events(database: &TestDatabase) -> Vec<Event> {
    let all = "SELECT concat_ws(' ', tenant_id, action, actor_type, actor_id, subject_type, subject_id, request_id, address) AS line,
                      changes::text
               FROM audit_events ORDER BY id";
    sql_query(all).load(&mut database.admin()).unwrap()
}

#[tokio::test]
async fn each_write_of_the_platform_leaves_one_event_in_the_log_of_the_tenant() {
    let app = App::start().await;
    for operation in Operation::of_the_platform() {
        let (tenant, path) = app.admin_target(&operation).await;
        let before = events(&app.database);
        let answer = operation.send(&app.platform(), &path, operation.body().as_ref()).await;
        assert!((200..300).contains(&answer.status), "{operation}: {}", answer.text);
        let new = &events(&app.database)[before.len()..];
        if !operation.writes() {
            assert_eq!(new, [], "{operation}");
            continue;
        }
        let [event] = new else { panic!("{operation} leaves {new:#?}") };
        let id = if operation.has_id() { tenant.id.to_string() } else { answer.id() };
        let (action, request) = (operation.action().unwrap().rule().name, answer.header("x-request-id"));
        let [key, _] = app.platform_fingerprints();
        assert_eq!(event.line, format!("{id} {action} platform {key} tenant {id} {request} 127.0.0.1"));
        let changes: Value = serde_json::from_str(&event.changes).unwrap();
        assert!(!changes.as_object().unwrap().is_empty(), "{operation} says what it changed");
        if let Some(secret) = answer.body["apiKey"].as_str() {
            assert!(!event.changes.contains(&secret[34..66]), "never a secret");
        }
    }
}

#[tokio::test]
async fn the_tenant_reads_in_its_own_log_what_the_platform_did_and_nobody_elses_log_has_it() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let [key, _] = app.platform_fingerprints();
    app.platform().patch(&path(&acme), json!({ "maxWorkspaces": 7 })).await.expect(200);
    let log = acme.owner.get("/api/audit-events?actorType=platform").await.expect(200).body;
    let [event] = log["data"].as_array().unwrap().as_slice() else { panic!("{log}") };
    assert_eq!((&event["action"], &event["actor"]["id"]), (&json!("tenant.administer"), &json!(key)));
    assert_eq!(event["changes"], json!({ "maxWorkspaces": { "before": null, "after": 7 } }));
    let log = beta.owner.get("/api/audit-events?actorType=platform").await.expect(200).body;
    assert_eq!(log["data"], json!([]));
}

#[tokio::test]
async fn two_platform_keys_are_told_apart_in_the_log() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let [first, second] = app.platform_fingerprints();
    app.platform().patch(&path(&acme), json!({ "maxWorkspaces": 7 })).await.expect(200);
    app.other_platform().patch(&path(&acme), json!({ "maxWorkspaces": 8 })).await.expect(200);
    for (key, limit) in [(first, 7), (second, 8)] {
        let log = acme.owner.get(&format!("/api/audit-events?actorId={key}")).await.expect(200).body;
        let [event] = log["data"].as_array().unwrap().as_slice() else { panic!("{log}") };
        assert_eq!(event["changes"]["maxWorkspaces"]["after"], limit);
    }
}

#[tokio::test]
async fn what_changes_nothing_or_is_refused_leaves_no_event() {
    let app = App::start().await;
    let (acme, gone) = (app.tenant("Acme").await, app.tenant("Gone").await);
    let platform = app.platform();
    platform.delete(&path(&gone)).await.expect(204);
    let before = events(&app.database);
    platform.patch(&path(&acme), json!({})).await.expect(200);
    platform.patch(&path(&acme), json!({ "name": "Acme", "maxWorkspaces": null })).await.expect(200);
    platform.post(&format!("{}/reactivate", path(&acme)), json!({})).await.expect(200);
    platform.post(&format!("{}/restore", path(&acme)), json!({})).await.expect(200);
    platform.patch(&path(&acme), json!({ "maxWorkspaces": -1 })).await.expect(422);
    platform.post(&format!("{}/suspend", path(&gone)), json!({})).await.expect(409);
    platform.delete(&path(&gone)).await.expect(404);
    acme.owner.patch(&path(&acme), json!({ "maxWorkspaces": 1 })).await.expect(403);
    acme.owner.delete(&path(&gone)).await.expect(403);
    assert_eq!(events(&app.database), before);
}
