//! What goes with something else is in the log too, thing by thing.

use diesel::connection::SimpleConnection;
use serde_json::json;
use tenantry_operations::housekeeping;
use tenantry_tests::{App, Tenant};

/// The ids of the API keys that the log says went with this action.
async fn keys_gone(tenant: &Tenant, action: &str) -> Vec<String> {
    let path = format!("/api/audit-events?action={action}&subjectType=api_key");
    let log = tenant.owner.get(&path).await.expect(200);
    let events = log.body["data"].as_array().unwrap();
    assert!(events.iter().all(|event| event["changes"]["name"]["after"].is_null()), "{}", log.text);
    let mut ids: Vec<_> = events.iter().map(|event| event["subject"]["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn keys_that_go_with_their_brand_are_in_the_log() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let side = acme.brand("Side").await;
    let restricted = json!({ "brandId": side });
    let (live, first) = acme.key_with_id(&["brands:read"], restricted.clone()).await;
    let (_, second) = acme.key_with_id(&["brands:read"], restricted).await;
    acme.key(&["brands:read"], json!({ "brandId": acme.brand })).await;
    acme.owner.delete(&format!("/api/api-keys/{second}")).await.expect(204);
    acme.owner.delete(&format!("/api/brands/{side}")).await.expect(204);
    live.get("/api/me").await.expect(401);
    let mut gone = vec![first, second];
    gone.sort();
    assert_eq!(keys_gone(&acme, "brand.delete").await, gone);
}

#[tokio::test]
async fn keys_that_go_with_their_workspace_are_in_the_log_when_it_is_erased() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let workspace = acme.workspace("Gone").await;
    let (_, key) = acme.key_with_id(&["workspaces:read"], json!({ "workspaceId": workspace })).await;
    acme.owner.delete(&format!("/api/workspaces/{workspace}")).await.expect(204);
    assert_eq!(keys_gone(&acme, "workspace.delete").await, Vec::<String>::new(), "it can be restored, and so can they");
    let due = format!("UPDATE workspaces SET deleted_at = now() - interval '31 days' WHERE id = '{workspace}'");
    app.database.admin().batch_execute(&due).unwrap();
    assert_eq!(housekeeping::erase_deleted_workspaces(&app.store).await.unwrap(), 1);
    assert_eq!(keys_gone(&acme, "workspace.erase").await, [key]);
}
