//! API keys: what they open, when they end, and that nobody sees one twice.

mod escalation;
mod lifetime;
mod presented;
mod secrecy;
mod use_on_record;

use diesel::connection::SimpleConnection;
use insta::assert_snapshot;
use serde_json::json;
use tenantry_tests::{App, view};

/// Says something to the database as the superuser.
fn behind_the_back(app: &App, sql: &str) {
    app.database.admin().batch_execute(sql).unwrap();
}

#[tokio::test]
async fn a_key_is_shown_whole_and_its_secret_once() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (workspace, tenant) = (acme.workspace("DACH").await, acme.id.to_string());
    let all = json!({ "name": " Reception ", "scopes": ["workspaces:read", "tenant:read"], "mode": "test",
                      "workspaceId": workspace, "expiresAt": "9999-12-31T23:59:59Z" });
    let made = acme.owner.post("/api/api-keys", all).await.expect(201);
    let (key, secret) = (made.id(), made.text_of("secret"));
    let named = [("key", key.as_str()), ("secret", &secret), ("workspace", &workspace), ("tenant", &tenant)];
    let named = [named.as_slice(), &[("last four", &secret[secret.len() - 4..])]].concat();
    assert_snapshot!("made", view(&made, &named));
    let shown = acme.owner.get(&format!("/api/api-keys/{key}")).await.expect(200);
    assert_snapshot!("shown", view(&shown, &named));
}
