//! Limits: set from above, held inside, whoever asks at once.

use futures_util::future::join_all;
use serde_json::json;
use tenantry_tests::{Answer, App, Tenant, new_name};

use super::path;

async fn create(tenant: &Tenant) -> Answer {
    tenant.owner.post("/api/workspaces", json!({ "name": new_name("Workspace") })).await
}

async fn limit(app: &App, tenant: &Tenant, limits: serde_json::Value) {
    app.platform().patch(&path(tenant), limits).await.expect(200);
}

async fn used(app: &App, tenant: &Tenant) -> i64 {
    app.platform().get(&path(tenant)).await.expect(200).body["use"]["workspaces"].as_i64().unwrap()
}

#[tokio::test]
async fn beyond_its_limit_a_tenant_gets_no_further_workspace() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    limit(&app, &acme, json!({ "maxWorkspaces": 2 })).await;
    let first = create(&acme).await.expect(201).id();
    create(&acme).await.expect(201);
    let refused = create(&acme).await.expect(409);
    assert_eq!(refused.body["code"], "limit_reached");
    assert!(refused.text_of("error").contains("reached its limit of 2 workspaces. It has 2."), "{}", refused.text);
    for _ in 0..3 {
        create(&beta).await.expect(201);
    }
    // A deleted one makes way, and cannot come back when its place is taken.
    acme.owner.delete(&format!("/api/workspaces/{first}")).await.expect(204);
    create(&acme).await.expect(201);
    let full = acme.owner.post(&format!("/api/workspaces/{first}/restore"), json!({})).await.expect(409);
    assert_eq!(full.body["code"], "limit_reached");
    limit(&app, &acme, json!({ "maxWorkspaces": null })).await;
    acme.owner.post(&format!("/api/workspaces/{first}/restore"), json!({})).await.expect(200);
    assert_eq!(used(&app, &acme).await, 3);
}

#[tokio::test]
async fn a_limit_below_what_is_there_keeps_that_and_lets_it_not_grow() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(create(&acme).await.expect(201).id());
    }
    limit(&app, &acme, json!({ "maxWorkspaces": 1 })).await;
    for id in &ids {
        let one = format!("/api/workspaces/{id}");
        acme.owner.patch(&one, json!({ "name": new_name("Renamed") })).await.expect(200);
    }
    create(&acme).await.expect(409);
    for id in &ids[..2] {
        acme.owner.delete(&format!("/api/workspaces/{id}")).await.expect(204);
    }
    create(&acme).await.expect(409);
    acme.owner.delete(&format!("/api/workspaces/{}", ids[2])).await.expect(204);
    create(&acme).await.expect(201);
    assert_eq!(used(&app, &acme).await, 1);
}

#[tokio::test]
async fn who_asks_at_once_on_two_replicas_gets_exactly_as_many_as_there_may_be() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    limit(&app, &acme, json!({ "maxWorkspaces": 5 })).await;
    let replica = app.replica().with_key(acme.owner.key());
    let asked = (0..20).map(|n| {
        let client = if n % 2 == 0 { &acme.owner } else { &replica };
        client.post("/api/workspaces", json!({ "name": format!("Workspace {n}") }))
    });
    let (answers, _) = futures_util::future::join(join_all(asked), create(&beta)).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 409)), "{answers:#?}");
    assert_eq!((made, used(&app, &acme).await, used(&app, &beta).await), (5, 5, 1));
}

#[tokio::test]
async fn the_limit_of_members_counts_for_each_workspace_with_those_who_are_invited() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (first, second) = (acme.workspace("First").await, acme.workspace("Second").await);
    limit(&app, &acme, json!({ "maxMembers": 1 })).await;
    let invite = async |name: &str, workspace: &str| {
        let body = json!({ "email": format!("{name}@example.com"), "role": "agent", "workspaceIds": [workspace] });
        acme.owner.post("/api/invitations", body).await
    };
    invite("ada", &first).await.expect(201);
    assert_eq!(invite("bob", &first).await.expect(409).body["code"], "limit_reached");
    invite("bob", &second).await.expect(201);
    limit(&app, &acme, json!({ "maxMembers": 2 })).await;
    invite("cy", &first).await.expect(201);
}
