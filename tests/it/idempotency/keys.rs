//! What a key is, whose it is, and for how long.

use diesel::connection::SimpleConnection;
use serde_json::json;
use tenantry_domain::Role;
use tenantry_tests::{App, People};

use super::{assert_replayed, brand, brands, post};
use crate::outbox::cleared;

const BRANDS: &str = "/api/brands";

#[tokio::test]
async fn a_key_with_quotes_and_without_is_the_same_and_a_bad_one_is_refused() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let first = post(&acme.owner, BRANDS, "8e03978e-40d5", &brand("One")).await.expect(201);
    assert_replayed(&first, &post(&acme.owner, BRANDS, "\"8e03978e-40d5\"", &brand("One")).await);
    for bad in ["", "\"\"", "\"a", "a b", "a,b", "\"a\";p=1", &"k".repeat(256)] {
        let refused = post(&acme.owner, BRANDS, bad, &brand("Two")).await.expect(400);
        assert_eq!(refused.body["code"], "bad_idempotency_key", "{bad}");
    }
    let twice = acme.owner.request("POST", BRANDS).header("Idempotency-Key", "a").header("Idempotency-Key", "b");
    acme.owner.send(twice.json(&brand("Two"))).await.expect(400);
    let dialect = post(&acme.owner, "/api/workspace/create", "\"", &json!({ "name": "Two" })).await.expect(400);
    assert_eq!(dialect.body["status"], false);
    assert_eq!(brands(&app, "Two"), 0);
    // Other methods are idempotent by themselves.
    let path = format!("{BRANDS}/{}", first.id());
    for name in ["Three", "Four"] {
        let patch = acme.owner.request("PATCH", &path).header("Idempotency-Key", "\"").json(&json!({ "name": name }));
        assert_eq!(acme.owner.send(patch).await.expect(200).text_of("name"), name);
    }
}

#[tokio::test]
async fn a_key_is_of_one_tenant_one_credential_and_one_route() {
    let app = App::start().await;
    let (acme, other) = (app.tenant("Acme").await, app.tenant("Other").await);
    let member = acme.member(Role::Admin, &[]).await.1;
    let second = acme.key(&["brands:read", "brands:write"], json!({})).await;
    let mut ids = Vec::new();
    for client in [&acme.owner, &member, &second, &other.owner] {
        let first = post(client, BRANDS, "same", &brand("One")).await.expect(201);
        assert_eq!(first.header("idempotency-replayed"), "");
        ids.push(first.id());
        assert_replayed(&first, &post(client, BRANDS, "same", &brand("One")).await);
    }
    ids.dedup();
    assert_eq!((ids.len(), brands(&app, "One")), (4, 4));
    post(&acme.owner, "/api/workspaces", "same", &json!({ "name": "One" })).await.expect(201);
}

#[tokio::test]
async fn a_key_is_of_one_path_and_one_body() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (one, two) = (acme.workspace("One").await, acme.workspace("Two").await);
    let agents = |workspace: &str| format!("/api/workspaces/{workspace}/agents");
    post(&acme.owner, &agents(&one), "same", &json!({ "name": "A" })).await.expect(201);
    for (path, name) in [(agents(&two), "A"), (agents(&one), "B")] {
        let refused = post(&acme.owner, &path, "same", &json!({ "name": name })).await.expect(422);
        assert_eq!(refused.body["code"], "idempotency_key_reused");
    }
    assert_eq!(app.database.rows("SELECT 1 FROM agents"), 1);
}

#[tokio::test]
async fn a_refused_request_uses_up_no_key() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let slugged = json!({ "name": "One", "emailFromName": "One", "slug": "one" });
    let taken = acme.owner.post(BRANDS, slugged.clone()).await.expect(201).id();
    post(&acme.owner, BRANDS, "key", &json!({ "name": 1 })).await.expect(422);
    acme.key(&["brands:read"], json!({})).await.get(BRANDS).await.expect(200);
    post(&acme.owner, BRANDS, "key", &slugged).await.expect(409);
    assert_eq!(app.database.rows("SELECT 1 FROM idempotency_keys"), 0);
    acme.owner.delete(&format!("{BRANDS}/{taken}")).await.expect(204);
    let first = post(&acme.owner, BRANDS, "key", &slugged).await.expect(201);
    assert_replayed(&first, &post(&acme.owner, BRANDS, "key", &slugged).await);
}

#[tokio::test]
async fn an_old_answer_is_for_those_who_may_still_ask() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (id, subject) = acme.member_called(Role::Admin, &[]).await;
    let member = app.client().with_key(&app.people.token(&subject, Some(acme.id), json!({})));
    assert!(!People::email(&subject).is_empty());
    let (key, key_id) = acme.key_with_id(&["brands:read", "brands:write"], json!({})).await;
    for client in [&member, &key] {
        post(client, BRANDS, "mine", &brand("One")).await.expect(201);
    }
    acme.owner.patch(&format!("/api/members/{id}"), json!({ "role": "observer" })).await.expect(200);
    post(&member, BRANDS, "mine", &brand("One")).await.expect(403);
    acme.owner.delete(&format!("/api/members/{id}")).await.expect(204);
    acme.owner.delete(&format!("/api/api-keys/{key_id}")).await.expect(204);
    for client in [&member, &key] {
        post(client, BRANDS, "mine", &brand("One")).await.expect(401);
    }
    assert_eq!(brands(&app, "One"), 2);
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let age = |interval: &str| {
        let sql = format!("UPDATE idempotency_keys SET created_at = now() - interval '{interval}'");
        app.database.admin().batch_execute(&sql).unwrap();
    };
    let tenant = json!({ "name": "New", "country": "DE" });
    let first = post(&acme.owner, BRANDS, "key", &brand("One")).await.expect(201);
    let founded = post(&app.platform(), "/api/admin/tenants", "key", &tenant).await.expect(201);
    age("23 hours 59 minutes");
    assert_eq!(cleared(&app).await, 0);
    assert_replayed(&first, &post(&acme.owner, BRANDS, "key", &brand("One")).await);
    assert_replayed(&founded, &post(&app.platform(), "/api/admin/tenants", "key", &tenant).await);
    age("24 hours 1 second");
    let second = post(&acme.owner, BRANDS, "key", &brand("Two")).await.expect(201);
    let another = post(&app.platform(), "/api/admin/tenants", "key", &tenant).await.expect(201);
    assert_ne!(founded.text, another.text);
    assert_replayed(&second, &post(&acme.owner, BRANDS, "key", &brand("Two")).await);
    assert_replayed(&another, &post(&app.platform(), "/api/admin/tenants", "key", &tenant).await);
    age("25 hours");
    assert_eq!(cleared(&app).await, 3);
    assert_eq!(app.database.rows("SELECT 1 FROM idempotency_keys"), 0);
}
