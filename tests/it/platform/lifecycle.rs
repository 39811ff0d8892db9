//! Suspension, deletion and their undoing: from the next request on, on every replica, and for this tenant alone.

use serde_json::{Value, json};
use tenantry_domain::Role;
use tenantry_tests::{App, Client};

use super::path;

#[tokio::test]
async fn a_suspended_tenant_is_refused_by_every_replica_at_its_next_request_until_it_is_reactivated() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let replica = app.replica();
    let on_both = |client: &Client| [client.clone(), replica.with_key(client.key())];
    let workspace = format!("/api/workspaces/{}", acme.workspace("DACH").await);
    let narrow = acme.key(&["workspaces:read"], json!({})).await;
    let (_, member) = acme.member(Role::Admin, &[]).await;
    for client in on_both(&acme.owner) {
        client.get(&workspace).await.expect(200);
    }
    let one = path(&acme);
    let suspended = app.platform().post(&format!("{one}/suspend"), json!({})).await.expect(200);
    assert_eq!(suspended.body["state"], "suspended");
    assert!(suspended.body["suspendedAt"].is_string() && suspended.body["deletedAt"].is_null());
    let all = || [&acme.owner, &narrow, &member].into_iter().flat_map(on_both);
    for client in all() {
        for path in [workspace.as_str(), "/api/me", "/api/workspaces", "/api/workspaces/x"] {
            let refused = client.get(path).await.expect(401);
            assert_eq!(refused.body["code"], "tenant_suspended", "{path}");
        }
        assert_eq!(
            client.post("/api/workspaces", json!({ "name": "New" })).await.expect(401).body["code"],
            "tenant_suspended"
        );
    }
    for client in on_both(&beta.owner) {
        client.get("/api/me").await.expect(200);
    }
    // A key that was never good is told no more than before.
    let stranger = tenantry_auth::issue(acme.id, tenantry_domain::KeyMode::Live).unwrap();
    assert_eq!(
        app.client().with_key(stranger.reveal()).get("/api/me").await.expect(401).body["code"],
        "invalid_credentials"
    );
    let again = app.platform().post(&format!("{one}/suspend"), json!({})).await.expect(200);
    assert_eq!((again.etag(), &again.body), (suspended.etag(), &suspended.body), "it stays so");
    let active = app.platform().post(&format!("{one}/reactivate"), json!({})).await.expect(200);
    assert_eq!((&active.body["state"], &active.body["suspendedAt"]), (&json!("active"), &Value::Null));
    for client in all() {
        client.get(&workspace).await.expect(200);
    }
    let again = app.platform().post(&format!("{one}/reactivate"), json!({})).await.expect(200);
    assert_eq!(again.body, active.body);
}

#[tokio::test]
async fn a_deleted_tenant_is_not_known_until_it_is_restored_as_suspended_as_it_was() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let replica = app.replica().with_key(acme.owner.key());
    let workspace = format!("/api/workspaces/{}", acme.workspace("DACH").await);
    let one = path(&acme);
    let (_, member) = acme.member(Role::Admin, &[]).await;
    app.platform().post(&format!("{one}/suspend"), json!({})).await.expect(200);
    assert_eq!(member.get(&workspace).await.expect(401).body["code"], "tenant_suspended");
    app.platform().delete(&one).await.expect(204);
    assert_ne!(member.get(&workspace).await.expect(401).body["code"], "tenant_suspended");
    for client in [&acme.owner, &replica] {
        assert_eq!(client.get(&workspace).await.expect(401).body["code"], "invalid_credentials");
    }
    beta.owner.get("/api/me").await.expect(200);
    let deleted = app.platform().get(&one).await.expect(200).body;
    assert_eq!(deleted["state"], "deleted");
    assert!(deleted["deletedAt"].is_string() && deleted["suspendedAt"].is_string());
    app.platform().delete(&one).await.expect(404);
    for verb in ["suspend", "reactivate"] {
        let refused = app.platform().post(&format!("{one}/{verb}"), json!({})).await.expect(409);
        assert_eq!(refused.body["code"], "tenant_deleted", "{verb}");
    }
    let refused = app.platform().patch(&one, json!({ "name": "Other" })).await.expect(409);
    assert_eq!(refused.body["code"], "tenant_deleted");
    assert_eq!(app.platform().get(&one).await.body, deleted);
    let restored = app.platform().post(&format!("{one}/restore"), json!({})).await.expect(200);
    assert_eq!((&restored.body["state"], &restored.body["deletedAt"]), (&json!("suspended"), &Value::Null));
    assert_eq!(acme.owner.get(&workspace).await.expect(401).body["code"], "tenant_suspended");
    app.platform().post(&format!("{one}/reactivate"), json!({})).await.expect(200);
    for client in [&acme.owner, &replica] {
        client.get(&workspace).await.expect(200);
    }
    let again = app.platform().post(&format!("{one}/restore"), json!({})).await.expect(200);
    assert_eq!(again.body["state"], "active", "it stays so");
}
