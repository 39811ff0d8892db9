//! A secret is shown once, to its maker, and is nowhere else.

use serde_json::json;
use tenantry_tests::App;

/// What must not be found: each part of the random characters, twelve long, as it is, backwards and in hexadecimal digits.
fn traces(key: &str) -> Vec<String> {
    let random = &key[34..66];
    let parts = (0..=random.len() - 12).map(|at| &random[at..at + 12]);
    parts.flat_map(|part| [part.to_owned(), part.chars().rev().collect(), hex(part.as_bytes())]).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn assert_no_trace(of: &[String], in_text: &str, what: &str) {
    for trace in of.iter().flat_map(|key| traces(key)) {
        assert!(!in_text.contains(&trace), "{what} holds {trace}, a part of an API key");
    }
}

#[tokio::test]
async fn a_secret_is_never_in_the_database_and_never_in_a_later_answer() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (key, id) = acme.key_with_id(&["tenant:read", "keys:read"], json!({})).await;
    let rotated = acme.owner.post(&format!("/api/api-keys/{id}/rotate"), json!({})).await.expect(201);
    let secrets = [acme.owner.key().to_owned(), key.key().to_owned(), rotated.text_of("secret")];
    assert_eq!(secrets[1].len(), 72);
    key.get("/api/tenant").await.expect(200);
    let later = [
        acme.owner.get("/api/api-keys").await.expect(200),
        acme.owner.get(&format!("/api/api-keys/{id}")).await.expect(200),
        acme.owner.get(&format!("/api/api-keys/{}", rotated.id())).await.expect(200),
        key.get("/api/me").await.expect(200),
        key.get("/metrics").await.expect(200),
        key.get("/api/brands").await.expect(403),
        key.get(&format!("/api/api-keys/{}", uuid::Uuid::now_v7())).await.expect(404),
        key.delete(&format!("/api/api-keys/{id}")).await.expect(403),
        acme.owner.delete(&format!("/api/api-keys/{id}")).await.expect(204),
        key.get("/api/me").await.expect(401),
    ];
    for answer in &later {
        assert_no_trace(&secrets, &format!("{}\n{:?}", answer.text, answer.headers), "a later answer");
        assert!(!answer.text.contains("\"secret\""), "{}", answer.text);
    }
    let dump = app.database.dump();
    assert_no_trace(&secrets, &dump, "the database");
    // The dump does see what is stored: the hash, and the four characters by which people recognise a key.
    let hash = format!("SELECT 1 FROM api_keys WHERE secret_hash = sha256('{}')", secrets[1]);
    assert_eq!(app.database.rows(&hash), 1);
    assert!(dump.contains(&secrets[1][68..]) && dump.contains("\\x"), "{dump}");
}

#[tokio::test]
async fn the_one_answer_with_the_secret_is_kept_by_nobody() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let body = json!({ "name": "CRM", "scopes": ["workspaces:read"], "mode": "test" });
    let made = acme.owner.post("/api/api-keys", body).await.expect(201);
    assert_eq!(made.header("cache-control"), "no-store");
    assert_eq!(made.header("location"), format!("/api/api-keys/{}", made.id()));
    let secret = made.text_of("secret");
    assert!(secret.starts_with("tnt_test_v1_") && secret.ends_with(&made.text_of("lastFour")), "{}", made.text);
    let mut shown = made.body.clone();
    shown.as_object_mut().unwrap().remove("secret");
    let read = acme.owner.get(made.header("location")).await.expect(200);
    assert_eq!(read.body, shown, "the same key without its secret");
    assert_eq!(read.etag(), made.etag());
}

#[tokio::test]
async fn the_audit_log_names_the_key_that_acted_and_the_one_that_was_made() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (maker, maker_id) = acme.key_with_id(&["keys:write", "keys:read"], json!({})).await;
    let body = json!({ "name": "Made", "scopes": ["keys:write"] });
    let made = maker.post("/api/api-keys", body).await.expect(201).id();
    let new = maker.post(&format!("/api/api-keys/{made}/rotate"), json!({})).await.expect(201).id();
    maker.delete(&format!("/api/api-keys/{new}")).await.expect(204);
    let by_maker = |action: &str, subject: &str, more: &str| {
        app.database.rows(&format!(
            "SELECT 1 FROM audit_events WHERE tenant_id = '{}' AND actor_type = 'api_key' AND actor_id = '{maker_id}'
             AND subject_type = 'api_key' AND action = '{action}' AND subject_id = '{subject}' {more}",
            acme.id
        ))
    };
    assert_eq!(by_maker("api_key.create", &made, ""), 1);
    let replaced = format!("AND changes->'replacedBy'->>'after' = '{new}'");
    assert_eq!(by_maker("api_key.rotate", &made, &replaced), 1);
    assert_eq!(by_maker("api_key.revoke", &new, "AND changes ? 'revokedAt'"), 1);
}
