//! The limit of agents: exact, whoever asks at once.

use diesel::connection::SimpleConnection;
use futures_util::future::join_all;
use serde_json::json;
use tenantry_operations::housekeeping;
use tenantry_tests::{App, Tenant};

use super::path;

const AGENTS: &str = "SELECT FROM agents";

async fn limit(tenant: &Tenant, workspace: &str, agents: Option<u32>) {
    let path = format!("/api/workspaces/{workspace}/limits");
    tenant.owner.patch(&path, json!({ "maxAgents": agents })).await.expect(200);
}

#[tokio::test]
async fn many_who_create_agents_on_two_replicas_end_exactly_at_the_limit() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let replica = app.replica().with_key(acme.owner.key());
    let (id, other) = (acme.workspace("DACH").await, acme.workspace("Other").await);
    app.database.admin().batch_execute("UPDATE tenants SET max_agents = 9").unwrap();
    limit(&acme, &id, Some(7)).await;
    acme.agent(&other, json!({})).await;
    let path = path(&id);
    let create =
        |n: usize| if n.is_multiple_of(2) { &acme.owner } else { &replica }.post(&path, json!({ "name": "Agent" }));
    let answers = join_all((0..100).map(create)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 7);
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!((refused.status, &refused.body["code"]), (409, &json!("limit_reached")), "{}", refused.text);
    }
    assert_eq!(app.database.rows(AGENTS), 8);
    let created = "SELECT FROM audit_events WHERE action = 'agent.create'";
    assert_eq!(app.database.rows(created), 8, "one event for each that is there");
    // Each workspace has the tenant's limit for itself.
    limit(&acme, &id, None).await;
    let answers = join_all((0..10).map(create)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 2);
}

#[tokio::test]
async fn agents_that_come_and_go_around_the_limit_are_never_more() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let replica = app.replica().with_key(acme.owner.key());
    let id = acme.workspace("DACH").await;
    limit(&acme, &id, Some(3)).await;
    let path = path(&id);
    let come_and_go = async |n: usize| {
        let client = if n.is_multiple_of(2) { &acme.owner } else { &replica };
        for turn in 0..4 {
            let made = client.post(&path, json!({ "name": "Agent" })).await;
            let listed = client.get(&path).await.expect(200);
            assert!(listed.body["data"].as_array().unwrap().len() <= 3, "{}", listed.text);
            // The last one stays.
            if made.status == 201 && turn < 3 {
                client.delete(&format!("{path}/{}", made.id())).await.expect(204);
            }
        }
    };
    join_all((0..12).map(come_and_go)).await;
    let used = acme.owner.get(&format!("/api/workspaces/{id}/limits")).await.expect(200).body["agents"]["used"].clone();
    assert_eq!(used, json!(app.database.rows(AGENTS)));
    assert!(app.database.rows(AGENTS) <= 3);
}

#[tokio::test]
async fn a_limit_below_what_is_there_keeps_that_and_lets_it_not_grow() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("DACH").await;
    let mut agents = Vec::new();
    for _ in 0..3 {
        agents.push(acme.agent(&id, json!({ "status": "paused" })).await);
    }
    limit(&acme, &id, Some(2)).await;
    let refused = acme.owner.post(&path(&id), json!({ "name": "One more" })).await.expect(409);
    assert_eq!(refused.body["error"], "This workspace has reached its limit of 2 agents. It has 3.");
    let one = |n: usize| format!("{}/{}", path(&id), agents[n]);
    acme.owner.patch(&one(0), json!({ "status": "active" })).await.expect(200);
    acme.owner.delete(&one(0)).await.expect(204);
    acme.owner.post(&path(&id), json!({ "name": "One more" })).await.expect(409);
    acme.owner.delete(&one(1)).await.expect(204);
    acme.agent(&id, json!({})).await;
    limit(&acme, &id, Some(0)).await;
    acme.owner.post(&path(&id), json!({ "name": "One more" })).await.expect(409);
    assert_eq!(app.database.rows(AGENTS), 2);
}

#[tokio::test]
async fn agents_and_usage_go_and_come_back_with_their_workspace() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (id, kept) = (acme.workspace("DACH").await, acme.workspace("Kept").await);
    for workspace in [&id, &kept] {
        acme.agent(workspace, json!({})).await;
        let usage = json!({ "seconds": 60, "reference": "call" });
        acme.owner.post(&format!("/api/workspaces/{workspace}/usage"), usage).await.expect(201);
    }
    let workspace = format!("/api/workspaces/{id}");
    let before = acme.owner.get(&path(&id)).await.expect(200).body;
    acme.owner.delete(&workspace).await.expect(204);
    acme.owner.get(&path(&id)).await.expect(404);
    acme.owner.post(&path(&id), json!({ "name": "x" })).await.expect(404);
    let usage = json!({ "seconds": 60, "reference": "late" });
    acme.owner.post(&format!("{workspace}/usage"), usage).await.expect(404);
    acme.owner.post(&format!("{workspace}/restore"), json!({})).await.expect(200);
    assert_eq!(acme.owner.get(&path(&id)).await.expect(200).body, before);
    acme.owner.delete(&workspace).await.expect(204);
    let due = "UPDATE workspaces SET deleted_at = now() - interval '31 days' WHERE deleted_at IS NOT NULL";
    app.database.admin().batch_execute(due).unwrap();
    assert_eq!(housekeeping::erase_deleted_workspaces(&app.store).await.unwrap(), 1);
    for table in ["agents", "usage_entries", "usage_months"] {
        assert_eq!(app.database.rows(&format!("SELECT FROM {table} WHERE workspace_id = '{id}'")), 0, "{table}");
        assert_eq!(app.database.rows(&format!("SELECT FROM {table} WHERE workspace_id = '{kept}'")), 1, "{table}");
    }
}
