//! Limits, whoever asks at once.

use futures_util::future::join_all;
use serde_json::json;
use tenantry_tests::{App, new_email, new_name};

use super::{get, info, invite, update, with_workspaces};

#[tokio::test]
async fn who_creates_at_once_on_two_replicas_gets_five_of_five() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    app.platform().patch(&format!("/api/admin/tenants/{}", acme.id), json!({ "maxWorkspaces": 5 })).await.expect(200);
    let replica = app.replica().with_key(acme.owner.key());
    let created = join_all((0..100).map(|n| {
        let client = if n % 2 == 0 { &acme.owner } else { &replica };
        client.post("/api/workspace/create", json!({ "name": new_name("Workspace") }))
    }))
    .await;
    let told = json!({ "status": false, "error": "Workspace creation limit exceeded.",
                       "message": "Please delete some before creating new ones." });
    assert_eq!(created.iter().filter(|answer| answer.status == 200).count(), 5);
    assert!(
        created.iter().filter(|answer| answer.status != 200).all(|answer| answer.status == 400 && answer.body == told)
    );
    let all = get(&acme.owner, "/api/workspace/get-all").await.expect(200).body;
    let numbers: Vec<_> = all["workspaces"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn places_are_held_for_as_many_as_there_may_be() {
    let app = App::start().await;
    let acme = with_workspaces(&app, &["first"]).await;
    update(&acme.owner, 1, json!({ "maxMembers": 3 })).await.expect(200);
    let invited = join_all((0..12).map(|_| async {
        let email = new_email();
        invite(&acme.owner, 1, &email).await
    }))
    .await;
    assert_eq!(invited.iter().filter(|answer| answer.status == 200).count(), 3);
    let refused = invited.iter().find(|answer| answer.status != 200).unwrap();
    assert_eq!((refused.status, &refused.body["status"]), (400, &json!(false)));
    assert!(refused.body["error"].as_str().unwrap().contains("3 members"), "{}", refused.text);
    let shown = info(&acme.owner, 1).await;
    assert_eq!((&shown["usedMembers"], shown["members"].as_array().unwrap().len()), (&json!(3), 3));
}
