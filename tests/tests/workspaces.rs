//! Workspaces through the API, as the published page has it.

use serde_json::json;
use tenantry_tests::App;

#[tokio::test]
async fn a_workspace_is_looked_up_with_exactly_the_thirteen_members() {
    let app = App::start().await;
    let acme = app.tenant("Acme Industrial Supply").await;
    let id = acme.workspace("DACH Region").await;
    let found = acme.owner.get(&format!("/api/workspaces/{id}")).await.expect(200);
    let mut members: Vec<_> = found.body.as_object().unwrap().keys().cloned().collect();
    members.sort();
    assert_eq!(
        members,
        [
            "brandId",
            "country",
            "createdAt",
            "currency",
            "emailSignatureHtml",
            "emailSignatureText",
            "id",
            "name",
            "operatingLanguage",
            "tenantId",
            "updatedAt",
            "workspaceInstructions",
            "workspaceType"
        ]
    );
    assert_eq!(found.body["workspaceInstructions"], json!(null));
    assert_eq!(found.body["createdAt"].as_str().unwrap().len(), "2026-01-20T10:00:00.000Z".len());
    let beta = app.tenant("Beta").await;
    let foreign = beta.owner.get(&format!("/api/workspaces/{id}")).await.expect(404);
    let unused = beta.owner.get(&format!("/api/workspaces/{}", uuid::Uuid::now_v7())).await.expect(404);
    let malformed = beta.owner.get("/api/workspaces/w1a2b3c4-5678-9abc-def0-1234567890ab").await.expect(404);
    assert_eq!(foreign.without_request_id(), unused.without_request_id());
    assert_eq!(foreign.without_request_id(), malformed.without_request_id());
    assert_eq!(foreign.body["error"], "Workspace not found");
}
