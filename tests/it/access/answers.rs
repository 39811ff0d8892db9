//! No write tells more than its caller may read: neither in its answer nor by a tag.

use serde_json::{Value, json};
use tenantry_domain::{Action, KeyRule};
use tenantry_tests::{Answer, App, Client, Contract, Operation, Target, Tenant};

/// What a key with the scope to write may do with no scope to read. What works with people needs both.
fn needs_to_read(action: Action) -> bool {
    use Action::*;
    matches!(
        action,
        MemberUpdate
            | MemberRemove
            | AssignmentCreate
            | AssignmentRemove
            | InvitationCreate
            | InvitationResend
            | InvitationRevoke
            | ApiKeyRotate
            | WebhookRotate
    )
}

/// The scope that a key needs for the action.
fn scope(action: Action) -> &'static str {
    match action.rule().key {
        KeyRule::Scoped(scope, _) => scope.as_str(),
        _ => panic!("{} is for keys", action.rule().name),
    }
}

/// Sends the operation with a key of these scopes to something new.
async fn send(tenant: &Tenant, operation: &Operation, scopes: &[&str], body: Option<Value>) -> (Answer, Option<Value>) {
    let mut target = Target::of(tenant).await;
    let key = tenant.key(scopes, json!({})).await;
    let path = target.path(operation).await;
    let body = match body {
        Some(body) => Some(body),
        None => target.body(operation).await,
    };
    let answer = operation.send(&key, &path, body.as_ref()).await;
    Contract::get().hold(operation, &answer);
    (answer, body)
}

#[tokio::test]
async fn a_write_shows_nothing_to_a_key_that_may_not_read_what_it_writes() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    for operation in Operation::writing() {
        let action = operation.action().unwrap();
        let mut bodies = vec![None];
        if operation.method == "PATCH" {
            bodies.push(Some(json!({})));
        }
        for body in bodies {
            let (answer, sent) = send(&acme, &operation, &[scope(action)], body).await;
            let here = format!("{operation} with {sent:?}: {} {}", answer.status, answer.text);
            match (answer.status, action) {
                (403, action) => assert!(needs_to_read(action), "{here}"),
                (204, _) => assert_eq!((answer.text.as_str(), answer.header("etag")), ("", ""), "{here}"),
                // What was sent, and what only this answer can tell.
                (201, Action::ApiKeyCreate) => {
                    let sent = sent.unwrap();
                    let told = ["name", "scopes"].map(|field| answer.body[field] == sent[field]);
                    assert_eq!((told, answer.text_of("secret").is_empty()), ([true, true], false), "{here}");
                }
                (201, Action::WebhookCreate) => {
                    let sent = sent.unwrap();
                    let told = ["url", "events"].map(|field| answer.body[field] == sent[field]);
                    assert_eq!((told, answer.text_of("secret").is_empty()), ([true, true], false), "{here}");
                }
                (201, Action::UsageRecord) => assert_eq!(answer.body["month"], Value::Null, "{here}"),
                _ => panic!("{here}"),
            }
        }
        // The control: with the scope to read, the same key is shown the thing.
        let Some(reader) = action.reader() else { continue };
        let (answer, _) = send(&acme, &operation, &[scope(action), scope(reader)], None).await;
        let here = format!("{operation}: {} {}", answer.status, answer.text);
        assert_eq!(answer.text.is_empty(), operation.method == "DELETE", "{here}");
    }
}

#[tokio::test]
async fn where_a_new_thing_is_is_told_to_who_made_it() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let maker = acme.key(&["brands:write"], json!({})).await;
    acme.brand("Taken").await;
    let made = maker.post("/api/brands", json!({ "name": "Taken", "emailFromName": "Taken" })).await.expect(204);
    let brand = acme.owner.get(made.header("location")).await.expect(200);
    assert_eq!(brand.body["slug"], "taken-2", "which the maker was not told");
}

#[tokio::test]
async fn who_may_not_read_a_thing_cannot_name_a_version_of_it() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let conditional = |one: &Operation| one.parameters().iter().any(|parameter| parameter["name"] == "If-Match");
    for operation in Operation::writing().into_iter().filter(conditional) {
        let action = operation.action().unwrap();
        // What is put is not there yet, and has no version.
        if needs_to_read(action) || operation.puts() {
            continue;
        }
        let key = acme.key(&[scope(action)], json!({})).await;
        let mut target = Target::of(&acme).await;
        let (path, body) = (target.path(&operation).await, target.body(&operation).await);
        let with = async |tag: &str| {
            let request = key.request(&operation.method, &path).header("If-Match", tag);
            key.send(body.iter().fold(request, |request, body| request.json(body))).await
        };
        let versions = [with("\"1\"").await, with("\"2\"").await, with("\"99\"").await];
        for answer in versions {
            assert_eq!(answer.status, 412, "{operation}: {}", answer.text);
        }
        if action != Action::IntegrationUpdate {
            let answer = with("*").await;
            assert!((200..300).contains(&answer.status), "{operation}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn a_conflict_tells_no_figures_to_who_may_not_read_them() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let workspace = acme.workspace("DACH").await;
    let (path, limits) = (format!("/api/workspaces/{workspace}/usage"), format!("/api/workspaces/{workspace}/limits"));
    acme.owner.post(&path, json!({ "seconds": 77, "reference": "hidden" })).await.expect(201);
    acme.owner.patch(&limits, json!({ "maxMinutes": 2 })).await.expect(200);
    let recorder = acme.key(&["usage:write", "tenant:write"], json!({})).await;
    for (body, code) in [
        (json!({ "seconds": 1, "reference": "hidden" }), "reference_conflict"),
        (json!({ "seconds": 86, "reference": "more" }), "limit_reached"),
        (json!({ "seconds": 85, "reference": "back", "kind": "refund" }), "refund_exceeds_usage"),
    ] {
        let refused = recorder.post(&path, body.clone()).await.expect(409);
        assert_eq!(refused.body["code"], code, "{}", refused.text);
        // The sentence alone: the id of a request may have the figure in it.
        let sentence = |answer: &Answer| answer.body["error"].as_str().unwrap().to_owned();
        assert!(!sentence(&refused).contains("77"), "{}", refused.text);
        let told = acme.owner.post(&path, body).await.expect(409);
        assert!(sentence(&told).contains("77"), "the control: {}", told.text);
    }
}

#[tokio::test]
async fn a_key_of_a_brand_is_not_told_how_many_workspaces_its_tenant_has() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let deleted = acme.workspace("Deleted").await;
    acme.owner.delete(&format!("/api/workspaces/{deleted}")).await.expect(204);
    acme.workspace("DACH").await;
    app.platform().patch(&format!("/api/admin/tenants/{}", acme.id), json!({ "maxWorkspaces": 1 })).await.expect(200);
    let with = async |scopes: &[&str]| acme.key(scopes, json!({ "brandId": acme.brand })).await;
    let counts = with(&["workspaces:read", "workspaces:write", "tenant:read"]).await;
    let writes = with(&["workspaces:read", "workspaces:write"]).await;
    for (path, body) in [
        ("/api/workspaces".to_owned(), json!({ "name": "More", "brandId": acme.brand })),
        (format!("/api/workspaces/{deleted}/restore"), json!({})),
    ] {
        let sentence = async |key: &Client| {
            let refused = key.post(&path, body.clone()).await.expect(409);
            assert_eq!(refused.body["code"], "limit_reached", "{}", refused.text);
            refused.body["error"].as_str().unwrap().to_owned()
        };
        assert_eq!(sentence(&writes).await, "This would exceed a limit.", "{path}");
        assert!(sentence(&counts).await.contains("its limit of 1 workspace. It has 1."), "the control: {path}");
    }
}
