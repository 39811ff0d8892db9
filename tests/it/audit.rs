//! The audit log: each write leaves exactly one event, in the right tenant, and nothing else leaves any.

mod along;
mod reading;
mod refusals;

use diesel::{
    QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    sql_query,
    sql_types::{Nullable, Text},
};
use serde_json::{Value, json};
use tenantry_domain::{Action, Change, Error, Fields, Id, InTenant, Noun, Workspace};
use tenantry_operations::housekeeping;
use tenantry_tests::{Answer, App, Client, Operation, Target, Tenant, TestDatabase};

#[derive(Debug, Clone, PartialEq, QueryableByName)]
struct Event {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    tenant: String,
    #[diesel(sql_type = Text)]
    action: String,
    /// Kind and id.
    #[diesel(sql_type = Text)]
    actor: String,
    /// Kind and id.
    #[diesel(sql_type = Text)]
    subject: String,
    #[diesel(sql_type = Text)]
    changes: String,
    #[diesel(sql_type = Nullable<Text>)]
    request_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    address: Option<String>,
}

fn events(database: &TestDatabase) -> Vec<Event> {
    let all = "SELECT id::text, tenant_id::text AS tenant, action, actor_type || ' ' || actor_id AS actor,
                      subject_type || ' ' || subject_id AS subject, changes::text, request_id, address
               FROM audit_events ORDER BY audit_events.id";
    sql_query(all).load(&mut database.admin()).unwrap()
}

/// What is in the log since then.
fn events_since(database: &TestDatabase, before: &[Event]) -> Vec<Event> {
    let now = events(database);
    assert!(before.iter().all(|event| now.contains(event)), "the log only grows");
    now.into_iter().filter(|event| !before.contains(event)).collect()
}

/// The id of what an operation is about: the one in its path, or the one in its answer where the path names something else.
fn subject(operation: &Operation, kind: Noun, path: &str, answer: &Answer) -> String {
    let parameter = format!("{{{}id}}", kind.as_str().replace('_', ""));
    match operation.path.split('/').position(|segment| segment.to_lowercase() == parameter) {
        Some(at) => path.split('/').nth(at).unwrap().to_owned(),
        None => [&answer.body, &answer.body["data"][0]["invitation"]]
            .iter()
            .find_map(|made| made["id"].as_str())
            .unwrap()
            .to_owned(),
    }
}

async fn key_id(client: &Client) -> String {
    client.get("/api/me").await.expect(200).body["apiKey"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_write_leaves_one_event_that_says_who_did_what_to_what_for_which_request() {
    let app = App::start().await;
    let (acme, _) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let owner = key_id(&acme.owner).await;
    for operation in Operation::writing() {
        let path = Target::of(&acme).await.path(&operation).await;
        let before = events(&app.database);
        let answer = operation.send(&acme.owner, &path, operation.body().as_ref()).await;
        assert!((200..300).contains(&answer.status), "{operation}: {}", answer.text);
        let new = events_since(&app.database, &before);
        let [event] = new.as_slice() else { panic!("{operation} leaves {new:#?}") };
        let rule = operation.action().unwrap().rule();
        let kind = rule.subjects[0];
        assert_eq!(event.action, rule.name, "{operation}");
        assert_eq!(event.tenant, acme.id.to_string(), "{operation}");
        assert_eq!(event.actor, format!("api_key {owner}"), "{operation}");
        assert_eq!(event.subject, format!("{kind} {}", subject(&operation, kind, &path, &answer)), "{operation}");
        assert_eq!(event.request_id.as_deref(), Some(answer.header("x-request-id")), "{operation}");
        assert_eq!(event.address.as_deref(), Some("127.0.0.1"), "{operation}");
        let changes: Value = serde_json::from_str(&event.changes).unwrap();
        assert!(!changes.as_object().unwrap().is_empty(), "{operation} says what it changed");
    }
}

#[tokio::test]
async fn an_event_tells_what_was_before_and_what_is_after() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("DACH").await;
    let before = events(&app.database);
    let patch = json!({ "name": "DACH Region", "country": "DE", "workspaceInstructions": "Prices with VAT." });
    acme.owner.patch(&format!("/api/workspaces/{id}"), patch).await.expect(200);
    let changes: Value = serde_json::from_str(&events_since(&app.database, &before)[0].changes).unwrap();
    let name = json!({ "before": "DACH", "after": "DACH Region" });
    assert_eq!(changes["name"], name);
    assert_eq!(changes["workspaceInstructions"]["after"], "Prices with VAT.");
    assert_eq!(changes.as_object().unwrap().len(), 2, "and nothing that stayed: {changes}");
}

#[tokio::test]
async fn what_is_read_refused_or_left_as_it_was_leaves_no_event() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let reader = acme.key(&["workspaces:read", "brands:read", "keys:read", "tenant:read"], json!({})).await;
    for operation in Operation::of_the_api() {
        let (path, body) = (Target::of(&acme).await.path(&operation).await, operation.body());
        let before = events(&app.database);
        let mut answers = vec![operation.send(&reader, &path, body.as_ref()).await];
        if operation.writes() {
            answers[0].clone().expect(403);
            answers.push(operation.send(&app.client(), &path, body.as_ref()).await.expect(401));
            answers.extend(refusals(&operation, &acme.owner, &path).await);
        }
        if operation.has_id() {
            answers.push(operation.send(&beta.owner, &path, body.as_ref()).await.expect(404));
        }
        let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(events_since(&app.database, &before), [], "{operation} {statuses:?}");
    }
    // In conflict with what is there.
    acme.brand("Taken").await;
    let default = format!("/api/brands/{}", acme.brand);
    let before = events(&app.database);
    let taken = json!({ "name": "Taken", "emailFromName": "Taken", "slug": "taken" });
    acme.owner.post("/api/brands", taken).await.expect(409);
    acme.owner.delete(&default).await.expect(409);
    acme.owner.patch(&default, json!({ "isDefault": false })).await.expect(409);
    assert_eq!(events_since(&app.database, &before), []);
}

/// The owner itself, refused for what it says: a stale tag, a body that is not good.
async fn refusals(operation: &Operation, owner: &Client, path: &str) -> Vec<Answer> {
    let mut refused = Vec::new();
    if ["PATCH", "DELETE"].contains(&operation.method.as_str()) {
        let request = owner.request(&operation.method, path).header("If-Match", "\"999\"");
        let request = operation.body().iter().fold(request, |request, body| request.json(body));
        refused.push(owner.send(request).await.expect(412));
    }
    if let Some(mut body) = operation.body() {
        body["unheardOf"] = json!(true);
        refused.push(operation.send(owner, path, Some(&body)).await.expect(422));
    }
    refused
}

#[tokio::test]
async fn a_write_that_changes_nothing_leaves_no_event() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let workspace = format!("/api/workspaces/{}", acme.workspace("DACH").await);
    let brand = format!("/api/brands/{}", acme.brand);
    let (_, key) = acme.key_with_id(&["keys:read"], json!({})).await;
    let key = format!("/api/api-keys/{key}");
    acme.owner.delete(&key).await.expect(204);
    let before = events(&app.database);
    for path in [&workspace, &brand, &"/api/tenant".to_owned()] {
        let name = acme.owner.get(path).await.expect(200).text_of("name");
        acme.owner.patch(path, json!({})).await.expect(200);
        acme.owner.patch(path, json!({ "name": name })).await.expect(200);
    }
    acme.owner.patch(&brand, json!({ "isDefault": true, "tone": null })).await.expect(200);
    acme.owner.post(&format!("{workspace}/restore"), json!({})).await.expect(200);
    acme.owner.delete(&key).await.expect(204);
    assert_eq!(events_since(&app.database, &before), []);
}

#[tokio::test]
async fn a_new_tenant_and_an_erased_workspace_are_in_the_log_of_that_tenant() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let founded = events(&app.database);
    let [event] = founded.as_slice() else { panic!("{founded:#?}") };
    assert_eq!((event.action.as_str(), event.actor.as_str()), ("tenant.create", "operator test"));
    assert_eq!((&event.tenant, &event.subject), (&acme.id.to_string(), &format!("tenant {}", acme.id)));
    let id = acme.workspace("Gone").await;
    let due = format!("UPDATE workspaces SET deleted_at = now() - interval '31 days' WHERE id = '{id}'");
    app.database.admin().batch_execute(&due).unwrap();
    let before = events(&app.database);
    assert_eq!(housekeeping::erase_deleted_workspaces(&app.store).await.unwrap(), 1);
    assert_eq!(housekeeping::erase_deleted_workspaces(&app.store).await.unwrap(), 0);
    let erased = events_since(&app.database, &before);
    let [event] = erased.as_slice() else { panic!("{erased:#?}") };
    assert_eq!(
        (event.action.as_str(), event.subject.as_str()),
        ("workspace.erase", format!("workspace {id}").as_str())
    );
    assert_eq!((event.tenant.as_str(), event.request_id.as_deref()), (acme.id.to_string().as_str(), None));
    assert!(event.actor.starts_with("job "), "{event:?}");
}

#[tokio::test]
async fn no_event_holds_a_secret() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let mut secrets = vec![acme.owner.key().to_owned()];
    let made = acme.owner.post("/api/api-keys", json!({ "name": "A key", "scopes": ["keys:read"] })).await.expect(201);
    secrets.push(made.text_of("secret"));
    let path = format!("/api/api-keys/{}", made.id());
    secrets.push(acme.owner.post(&format!("{path}/rotate"), json!({})).await.expect(201).text_of("secret"));
    acme.owner.delete(&path).await.expect(204);
    let log = format!("{:?}", events(&app.database));
    assert!(log.contains("api_key.rotate") && log.contains("api_key.revoke") && log.contains("A key"));
    for secret in &secrets {
        // Past the prefix and the tenant's id, which are no secrets.
        let random = &secret[34..66];
        for at in 0..=random.len() - 12 {
            assert!(!log.contains(&random[at..at + 12]), "a part of a key");
        }
    }
    let hashes =
        "SELECT FROM api_keys, audit_events AS event WHERE event::text LIKE '%' || encode(secret_hash, 'hex') || '%'";
    assert_eq!(app.database.rows(hashes), 0, "the hash of a key");
}

#[tokio::test]
async fn the_id_that_a_caller_gives_a_request_is_the_one_in_the_log() {
    let app = App::start().await;
    let acme: Tenant = app.tenant("Acme").await;
    let before = events(&app.database);
    let request = acme.owner.request("POST", "/api/workspaces").header("X-Request-Id", "order-4711");
    acme.owner.send(request.json(&json!({ "name": "DACH" }))).await.expect(201);
    assert_eq!(events_since(&app.database, &before)[0].request_id.as_deref(), Some("order-4711"));
}

#[tokio::test]
async fn an_event_about_another_kind_of_thing_than_the_policy_table_says_is_refused_and_nothing_stays() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let before = events(&app.database);
    let operator = acme.operator();
    let about_a_workspace = |action| {
        let fields = Fields::new().with("name", "A");
        let id: Id<Workspace> = tenantry_persistence::new_id();
        app.store.write(&operator, InTenant, action, move |_| Ok(Change::created((), id, &fields)))
    };
    let refused = about_a_workspace(Action::ApiKeyCreate).await.unwrap_err();
    assert!(matches!(&refused, Error::Internal { cause } if cause.contains("workspace")), "{refused:?}");
    assert_eq!(events_since(&app.database, &before), []);
    about_a_workspace(Action::LimitsUpdate).await.unwrap();
    assert_eq!(events_since(&app.database, &before).len(), 1, "the control");
}
