//! A key never grants more than it has.

use chrono::{SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};
use tenantry_tests::{App, Client};

fn in_days(days: i64) -> String {
    (Utc::now() + TimeDelta::days(days)).to_rfc3339_opts(SecondsFormat::Millis, true)
}

async fn make(client: &Client, scopes: &[&str], expires_at: Value) -> tenantry_tests::Answer {
    client.post("/api/api-keys", json!({ "name": "k", "scopes": scopes, "expiresAt": expires_at })).await
}

const KEYS: &str = "SELECT 1 FROM api_keys";
const EVENTS: &str = "SELECT 1 FROM audit_events";

#[tokio::test]
async fn a_key_cannot_make_one_with_more_scopes() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let maker = acme.key(&["keys:write", "brands:read"], json!({ "expiresAt": in_days(10) })).await;
    let before = (app.database.rows(KEYS), app.database.rows(EVENTS));
    for scopes in [&["brands:write"][..], &["brands:read", "workspaces:read"], &["keys:read"]] {
        let refused = make(&maker, scopes, json!(in_days(1))).await.expect(403);
        assert_eq!(refused.body["code"], "insufficient_scope", "{scopes:?}");
        let more = scopes[scopes.len() - 1];
        assert!(refused.header("www-authenticate").ends_with(&format!("scope=\"{more}\"")), "{:?}", refused.headers);
    }
    assert_eq!((app.database.rows(KEYS), app.database.rows(EVENTS)), before, "a refusal leaves nothing behind");
    make(&maker, &["keys:write", "brands:read"], json!(in_days(1))).await.expect(201);
}

#[tokio::test]
async fn a_key_cannot_make_one_that_lives_longer() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let maker = acme.key(&["keys:write", "brands:read"], json!({ "expiresAt": in_days(10) })).await;
    let before = app.database.rows(KEYS);
    let forever = maker.post("/api/api-keys", json!({ "name": "k", "scopes": ["brands:read"] }));
    assert_eq!(forever.await.expect(403).body["code"], "forbidden");
    make(&maker, &["brands:read"], json!(in_days(11))).await.expect(403);
    assert_eq!(app.database.rows(KEYS), before);
    make(&maker, &["brands:read"], json!(in_days(9))).await.expect(201);
}

#[tokio::test]
async fn a_key_cannot_rotate_itself_into_more() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (_, wider) = acme.key_with_id(&["workspaces:write"], json!({ "expiresAt": in_days(1) })).await;
    let (_, longer) = acme.key_with_id(&["keys:write"], json!({})).await;
    let (maker, own) = acme.key_with_id(&["keys:write"], json!({ "expiresAt": in_days(10) })).await;
    let before = (app.database.rows(KEYS), app.database.rows(EVENTS));
    for id in [wider, longer] {
        maker.post(&format!("/api/api-keys/{id}/rotate"), json!({})).await.expect(403);
    }
    assert_eq!((app.database.rows(KEYS), app.database.rows(EVENTS)), before);
    let rotated = maker.post(&format!("/api/api-keys/{own}/rotate"), json!({})).await.expect(201);
    maker.with_key(&rotated.text_of("secret")).get("/api/me").await.expect(200);
}

#[tokio::test]
async fn a_restricted_key_touches_no_keys_at_all() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let workspace = acme.workspace("DACH Region").await;
    let (_, other) = acme.key_with_id(&["tenant:read"], json!({})).await;
    let before = (app.database.rows(KEYS), app.database.rows(EVENTS));
    for restriction in [json!({ "brandId": acme.brand }), json!({ "workspaceId": workspace })] {
        let (restricted, own) = acme.key_with_id(&["keys:read", "keys:write", "tenant:read"], restriction).await;
        restricted.get("/api/tenant").await.expect(200);
        make(&restricted, &["tenant:read"], json!(in_days(1))).await.expect(403);
        restricted.get("/api/api-keys").await.expect(403);
        for id in [&own, &other] {
            restricted.get(&format!("/api/api-keys/{id}")).await.expect(403);
            restricted.post(&format!("/api/api-keys/{id}/rotate"), json!({})).await.expect(403);
            restricted.delete(&format!("/api/api-keys/{id}")).await.expect(403);
        }
    }
    let after = (app.database.rows(KEYS), app.database.rows(EVENTS));
    assert_eq!(after, (before.0 + 2, before.1 + 2), "the two restricted keys themselves and nothing more");
}

#[tokio::test]
async fn a_key_is_not_restricted_to_what_is_another_tenants() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let workspace = beta.workspace("Benelux").await;
    let before = app.database.rows(KEYS);
    let unused = uuid::Uuid::now_v7().to_string();
    for (member, foreign) in [("brandId", &beta.brand), ("workspaceId", &workspace)] {
        let make =
            |id: &str| acme.owner.post("/api/api-keys", json!({ "name": "k", "scopes": ["brands:read"], member: id }));
        let (foreign, unused) = (make(foreign).await.expect(422), make(&unused).await.expect(422));
        assert_eq!(foreign.without_request_id(), unused.without_request_id());
        assert_eq!(foreign.refused(), [(member.to_owned(), "not_found".to_owned())]);
    }
    assert_eq!(app.database.rows(KEYS), before);
}
