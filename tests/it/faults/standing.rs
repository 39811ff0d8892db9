//! One connection that serves everybody in turn: what the last one was does not stick to it.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use tenantry_domain::KeyMode;
use tenantry_tests::{App, Tenant, TestDatabase};

use super::until_waiting;

/// What this tenant sees of everything that can be listed must be its own, and complete.
async fn sees_only_its_own(tenant: &Tenant, workspace: &str) {
    let ids = |body: &Value| -> Vec<String> {
        let data = body["data"].as_array().unwrap();
        assert!(data.iter().all(|item| item["tenantId"] == tenant.id.to_string()), "{body}");
        data.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    let owner = &tenant.owner;
    assert_eq!(ids(&owner.get("/api/workspaces").await.expect(200).body), [workspace]);
    assert_eq!(ids(&owner.get("/api/brands").await.expect(200).body), [tenant.brand.as_str()]);
    ids(&owner.get("/api/api-keys").await.expect(200).body);
    assert_eq!(owner.get("/api/tenant").await.expect(200).id(), tenant.id.to_string());
}

#[tokio::test]
async fn on_one_connection_each_tenant_sees_its_own_whatever_came_before() {
    let app = App::on(TestDatabase::new(), |options| options.connections = 1).await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let (of_acme, of_beta) = (acme.workspace("DACH Region").await, beta.workspace("Benelux").await);
    let reader = acme.key(&["tenant:read"], json!({})).await;
    let unknown = app.client().with_key(tenantry_auth::issue(acme.id, KeyMode::Live).unwrap().reveal());
    let brand = format!("/api/brands/{}", acme.brand);
    let name = json!({ "name": "X" });
    for _ in 0..3 {
        sees_only_its_own(&acme, &of_acme).await;
        sees_only_its_own(&beta, &of_beta).await;
        acme.owner.get(&format!("/api/workspaces/{of_acme}")).await.expect(200);
        beta.owner.get(&format!("/api/workspaces/{of_acme}")).await.expect(404);
        acme.owner.patch(&brand, name.clone()).await.expect(200);
        unknown.get("/api/brands").await.expect(401);
        sees_only_its_own(&beta, &of_beta).await;
        app.client().get("/api/brands").await.expect(401);
        reader.get("/api/brands").await.expect(403);
        beta.owner.patch(&brand, name.clone()).await.expect(404);
        acme.owner.post("/api/workspaces", name.clone()).await.expect(201);
        acme.owner.delete(&format!("/api/workspaces/{}", newest(&acme).await)).await.expect(204);
        acme.owner.delete(&brand).await.expect(409);
        unknown.patch(&brand, name.clone()).await.expect(401);
        app.client().get("/readyz").await.expect(200);
    }
    sees_only_its_own(&acme, &of_acme).await;
    assert_eq!(app.store.state().open, 1);
}

async fn newest(tenant: &Tenant) -> String {
    let list = tenant.owner.get("/api/workspaces?sort=-createdAt&limit=1").await.expect(200);
    list.body["data"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_client_that_hangs_up_leaves_no_tenant_behind_on_the_connection() {
    let app = App::on(TestDatabase::new(), |options| {
        options.connections = 1;
        options.wait = Duration::from_secs(60);
        options.statement_timeout = Duration::from_secs(120);
    })
    .await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let (of_acme, of_beta) = (acme.workspace("DACH Region").await, beta.workspace("Benelux").await);
    let mut holder = app.database.admin();
    for _ in 0..3 {
        holder.batch_execute("BEGIN; SELECT FROM workspaces FOR UPDATE").unwrap();
        let (owner, path) = (acme.owner.clone(), format!("/api/workspaces/{of_acme}"));
        let write = tokio::spawn(async move { owner.patch(&path, json!({ "name": "X" })).await });
        until_waiting(&app, 1).await;
        write.abort();
        holder.batch_execute("ROLLBACK").unwrap();
        sees_only_its_own(&beta, &of_beta).await;
    }
    sees_only_its_own(&acme, &of_acme).await;
}
