//! The examples of the page, byte by byte, and what they leave in the audit log and the outbox.

use std::fmt::Write;

use serde_json::{Value, json};
use tenantry_tests::{
    App, Client, lines,
    provider_accounts::{ProviderServer, elevenlabs_voice, gohighlevel_calendar},
};

use super::{ADA, call};

/// Calls and answers, as they are written to the golden file.
#[derive(Default)]
struct Script(String);

impl Script {
    async fn call(&mut self, (who, client): (&str, &Client), method: &str, path: &str, body: Option<Value>) {
        let asked = body.as_ref().map(|body| format!(" {body}")).unwrap_or_default();
        let answer = call(client, method, path, body).await;
        writeln!(self.0, "{who}: {method} {path}{asked}\n{} {}\n", answer.status, answer.text).unwrap();
    }
}

/// The golden file: rewrite it with `UPDATE_GOLDEN=1 cargo test -p tenantry-tests --test callfluent examples` and read the
/// difference.
#[tokio::test]
async fn the_nine_routes_answer_the_examples_of_the_page_as_the_golden_file_says() {
    let (app, server) = (App::start().await, ProviderServer::start().await);
    let acme = app.tenant("Acme").await;
    let client = app.replica_reaching(&server.urls()).with_key(acme.owner.key());
    let reading = acme.key(&["workspaces:read"], json!({})).await;
    let (owner, reader, mut script) = (("owner", &client), ("reader", &reading), Script::default());
    for name in ["First Workspace", "Second Workspace"] {
        script.call(owner, "POST", "/api/workspace/create", Some(json!({ "name": name }))).await;
    }
    script.call(owner, "GET", "/api/workspace/get-all", None).await;
    script.call(owner, "GET", "/api/workspace/get/1", None).await;
    script.call(owner, "GET", "/api/workspace/calendars/1", None).await;
    let update = json!({
        "name": "New Workspace", "sid": "AC0123456789abcdef0123456789abcdef", "auth_token": "b3a1d0123456789",
        "elevenlabs_key": "sk_good_key", "openai_key": "sk-proj-0123456789",
        "maxMins": 300, "maxMembers": 10, "maxAgents": 6,
    });
    script
        .call(owner, "PUT", "/api/workspace/update/1", Some(json!({ "name": "New Workspace", "maxMins": 9999 })))
        .await;
    script.call(owner, "PUT", "/api/workspace/update/1", Some(update)).await;
    script.call(reader, "PUT", "/api/workspace/update/1", Some(json!({ "name": "New Workspace" }))).await;
    script.call(owner, "GET", "/api/workspace/get/1", None).await;
    script.call(reader, "GET", "/api/workspace/get/1", None).await;

    server.elevenlabs("sk_good_key", vec![elevenlabs_voice("v1", "Rachel")]);
    script.call(owner, "GET", "/api/workspace/1/voices", None).await;
    server.gohighlevel("pit-good-token", "location", vec![gohighlevel_calendar("c", "Calls")]);
    let workspaces = client.get("/api/workspaces?sort=name").await.expect(200).body;
    let highlevel = json!({ "accessToken": "pit-good-token", "locationId": "location" });
    let path = format!("/api/workspaces/{}/integrations/gohighlevel", workspaces["data"][0]["id"].as_str().unwrap());
    client.put(&path, highlevel).await.expect(200);
    script.call(owner, "GET", "/api/workspace/calendars/1", None).await;

    let invitation = json!({ "workspace_id": 1, "email": ADA });
    script.call(owner, "POST", "/api/workspace/invite-user", Some(invitation.clone())).await;
    script.call(reader, "POST", "/api/workspace/invite-user", Some(invitation)).await;
    script.call(owner, "GET", "/api/workspace/get/1", None).await;
    script.call(reader, "DELETE", "/api/workspace/invite-delete/1", None).await;
    script.call(owner, "DELETE", "/api/workspace/invite-delete/1", None).await;
    script.call(owner, "DELETE", "/api/workspace/invite-delete/1", None).await;
    let tenant = format!("/api/admin/tenants/{}", acme.id);
    app.platform().patch(&tenant, json!({ "maxWorkspaces": 2 })).await.expect(200);
    script.call(owner, "POST", "/api/workspace/create", Some(json!({ "name": "Third Workspace" }))).await;
    script.call(reader, "DELETE", "/api/workspace/delete/1", None).await;
    script.call(owner, "DELETE", "/api/workspace/delete/1", None).await;
    script.call(owner, "GET", "/api/workspace/get/1", None).await;

    let events = "SELECT concat_ws(' ', action, subject_type,
                                   (SELECT string_agg(key, ', ') FROM jsonb_object_keys(changes) AS key)) AS line
                  FROM audit_events ORDER BY id";
    script.0 += &format!("The audit log:\n{}\n", lines(&mut app.database.admin(), events).join("\n"));

    let messages = "SELECT kind || ' ' || state AS line FROM outbox_messages ORDER BY id";
    script.0 += &format!("\nThe outbox:\n{}\n", lines(&mut app.database.admin(), messages).join("\n"));

    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/it/callfluent/examples.golden.txt");
    #[expect(clippy::disallowed_methods, reason = "a test's own switch")]
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &script.0).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap_or_default();
    assert!(script.0 == golden, "the file is not what the service does:\n{}", script.0);
}
