//! What the table shows, and who can read an answer in it.

use serde_json::json;
use tenantry_tests::{App, master_keys};

use super::{assert_replayed, post};

#[tokio::test]
async fn a_secret_that_is_shown_once_is_shown_again_to_its_retry_and_stands_in_no_table() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let body = json!({ "name": "Canary of a name", "scopes": ["tenant:read"] });
    let first = post(&acme.owner, "/api/api-keys", "canary-of-a-key", &body).await.expect(201);
    let tenant = json!({ "name": "New", "country": "DE" });
    let founded = post(&app.platform(), "/api/admin/tenants", "canary-of-a-key", &tenant).await.expect(201);
    let rotate = format!("/api/api-keys/{}/rotate", first.id());
    let rotated = post(&acme.owner, &rotate, "canary-of-a-key", &json!({})).await.expect(201);
    let replica = app.replica();
    for client in [acme.owner.clone(), replica.with_key(acme.owner.key())] {
        assert_replayed(&first, &post(&client, "/api/api-keys", "canary-of-a-key", &body).await);
        assert_replayed(&rotated, &post(&client, &rotate, "canary-of-a-key", &json!({})).await);
    }
    replica.with_key(&rotated.text_of("secret")).get("/api/tenant").await.expect(200);
    let dump = app.database.dump();
    let raw = "SELECT encode(key_hash || request_hash || sealed_answer, 'escape') AS line FROM idempotency_keys";
    let raw = tenantry_tests::lines(&mut app.database.admin(), raw);
    assert_eq!(raw.len(), 3);
    let shown =
        [first.text_of("secret"), rotated.text_of("secret"), founded.text_of("apiKey"), "canary-of-a-key".into()];
    for secret in shown {
        let hexadecimal: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(!dump.contains(&secret) && !dump.contains(&hexadecimal) && !raw.concat().contains(&secret), "{secret}");
    }
    assert!(!raw.concat().contains("Canary of a name"));
}

#[tokio::test]
async fn an_answer_opens_under_its_master_key_and_in_its_place_only() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let body = json!({ "name": "A", "scopes": ["tenant:read"] });
    let keys = || app.database.rows("SELECT 1 FROM api_keys");
    post(&acme.owner, "/api/api-keys", "one", &body).await.expect(201);
    let made = keys();
    let other = app.replica_with(master_keys(&[2])).with_key(acme.owner.key());
    let refused = post(&other, "/api/api-keys", "one", &body).await.expect(409);
    assert_eq!(refused.body["code"], "answer_unreadable");
    // Somebody who can write the table gives the answer of one key to another one.
    let (eve, id) = acme.key_with_id(&["keys:write", "tenant:read"], json!({})).await;
    let moved = format!("UPDATE idempotency_keys SET actor_id = '{id}'");
    diesel::connection::SimpleConnection::batch_execute(&mut app.database.admin(), &moved).unwrap();
    let refused = post(&eve, "/api/api-keys", "one", &body).await.expect(409);
    assert_eq!(refused.body["code"], "answer_unreadable");
    assert_eq!(keys(), made + 1, "only the one that was made to ask");
}
