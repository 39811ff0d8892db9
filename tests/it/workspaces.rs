//! Workspaces through the API, as the published page has it.

use insta::assert_snapshot;
use serde_json::{Value, json};
use tenantry_tests::{App, view};

mod create;
mod deleted;
mod effective;
mod signature_shapes;
mod signatures;

#[tokio::test]
async fn a_workspace_is_looked_up_with_all_its_fields_and_no_other() {
    let app = App::start().await;
    let acme = app.tenant("Acme Industrial Supply").await;
    let id = acme.workspace("DACH Region").await;
    let found = acme.owner.get(&format!("/api/workspaces/{id}")).await.expect(200);
    let named = [("workspace", id.as_str()), ("brand", &acme.brand), ("tenant", &acme.id.to_string())];
    assert_snapshot!("workspace", view(&found, &named));
    let beta = app.tenant("Beta").await;
    let foreign = beta.owner.get(&format!("/api/workspaces/{id}")).await.expect(404);
    let unused = beta.owner.get(&format!("/api/workspaces/{}", uuid::Uuid::now_v7())).await.expect(404);
    let malformed = beta.owner.get("/api/workspaces/w1a2b3c4-5678-9abc-def0-1234567890ab").await.expect(404);
    assert_eq!(foreign.without_request_id(), unused.without_request_id());
    assert_eq!(foreign.without_request_id(), malformed.without_request_id());
    assert_eq!(foreign.body["error"], "Workspace not found");
}

#[tokio::test]
async fn null_clears_what_may_be_absent_and_nothing_else() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let clearable = ["workspaceInstructions", "emailSignatureHtml", "emailSignatureText"];
    let all = json!({ "name": "DACH", "workspaceInstructions": "a\r\nb", "emailSignatureHtml": "<p>x</p>", "emailSignatureText": "x" });
    let made = acme.owner.post("/api/workspaces", all).await.expect(201);
    assert_eq!(made.body["workspaceInstructions"], "a\nb");
    let path = format!("/api/workspaces/{}", made.id());
    for member in clearable {
        let cleared = acme.owner.patch(&path, json!({ member: null })).await.expect(200);
        assert_eq!(cleared.body[member], Value::Null);
    }
    let before = acme.owner.get(&path).await.expect(200).body;
    for member in ["name", "brandId", "country", "operatingLanguage", "currency", "workspaceType"] {
        let refused = acme.owner.patch(&path, json!({ member: null })).await.expect(422);
        assert_eq!(refused.refused(), [(member.to_owned(), "null".to_owned())]);
    }
    for member in clearable {
        let refused = acme.owner.patch(&path, json!({ member: "" })).await.expect(422);
        assert_eq!(refused.body["error"], format!("{member} must not be empty (send null to clear it)."));
    }
    for member in ["id", "tenantId", "createdAt", "updatedAt", "deletedAt", "version", "Name", "brand_id"] {
        let refused = acme.owner.patch(&path, json!({ member: before["id"] })).await.expect(422);
        assert_eq!(refused.refused(), [(member.to_owned(), "unknown_field".to_owned())]);
    }
    assert_eq!(acme.owner.get(&path).await.expect(200).body, before);
    // Language and currency do not follow a new country.
    let moved = acme.owner.patch(&path, json!({ "country": "SE" })).await.expect(200).body;
    assert_eq!([&moved["country"], &moved["operatingLanguage"], &moved["currency"]], ["SE", "de", "EUR"]);
    for unknown in [uuid::Uuid::now_v7().to_string(), app.tenant("Beta").await.brand] {
        let refused = acme.owner.patch(&path, json!({ "brandId": unknown })).await.expect(422);
        assert_eq!(refused.refused(), [("brandId".to_owned(), "not_found".to_owned())]);
    }
}

#[tokio::test]
async fn a_deleted_workspace_is_hidden_at_once_and_can_be_restored() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let path = format!("/api/workspaces/{}", acme.workspace("DACH").await);
    let before = acme.owner.get(&path).await.expect(200).body;
    let there = acme.owner.post(&format!("{path}/restore"), json!({})).await.expect(200);
    assert_eq!(there.body, before, "restoring what is there changes nothing");
    assert_eq!(acme.owner.delete(&path).await.expect(204).text, "");
    acme.owner.get(&path).await.expect(404);
    acme.owner.get(&format!("{path}/effective")).await.expect(404);
    acme.owner.patch(&path, json!({ "name": "x" })).await.expect(404);
    acme.owner.delete(&path).await.expect(404);
    assert_eq!(acme.owner.get("/api/workspaces").await.body["data"], json!([]));
    let beta = app.tenant("Beta").await;
    beta.owner.post(&format!("{path}/restore"), json!({})).await.expect(404);
    // The request has no body, and needs none.
    let restored = acme.owner.send(acme.owner.request("POST", &format!("{path}/restore"))).await.expect(200);
    let mut without_time = restored.body.clone();
    without_time["updatedAt"] = before["updatedAt"].clone();
    assert_eq!(without_time, before);
    assert_eq!(acme.owner.get(&path).await.expect(200).body, restored.body);
    let again = acme.owner.post(&format!("{path}/restore"), json!({})).await.expect(200);
    assert_eq!(again.body, restored.body);
    // After 30 days there is nothing to restore.
    acme.owner.delete(&path).await.expect(204);
    let long_ago = "UPDATE workspaces SET deleted_at = now() - interval '30 days 1 minute'";
    diesel::connection::SimpleConnection::batch_execute(&mut app.database.admin(), long_ago).unwrap();
    let gone = acme.owner.post(&format!("{path}/restore"), json!({})).await.expect(404);
    let unused = acme.owner.post(&format!("/api/workspaces/{}/restore", uuid::Uuid::now_v7()), json!({})).await;
    assert_eq!(gone.without_request_id(), unused.without_request_id());
}
