//! External references: one of a kind in a workspace.

use futures_util::future::join_all;
use serde_json::json;
use tenantry_tests::App;

use super::path;

#[tokio::test]
async fn a_reference_is_taken_in_its_workspace_and_free_elsewhere() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let (home, other) = (acme.workspace("Home").await, acme.workspace("Other").await);
    let reference = json!({ "externalReference": "ext-1" });
    let first = acme.agent(&home, reference.clone()).await;
    let taken = acme.owner.post(&path(&home), json!({ "name": "x", "externalReference": " ext-1 " })).await.expect(409);
    assert_eq!(taken.body["code"], "reference_taken");
    assert!(taken.text_of("error").contains("\"ext-1\""));
    acme.agent(&other, reference.clone()).await;
    beta.agent(&beta.workspace("Theirs").await, reference.clone()).await;
    let second = acme.agent(&home, json!({ "externalReference": "EXT-1" })).await;
    let one = format!("{}/{second}", path(&home));
    assert_eq!(acme.owner.patch(&one, reference.clone()).await.expect(409).body["code"], "reference_taken");
    // Any number has none; and what is given up is free.
    acme.owner.patch(&one, json!({ "externalReference": null })).await.expect(200);
    acme.agent(&home, json!({})).await;
    acme.owner.delete(&format!("{}/{first}", path(&home))).await.expect(204);
    acme.owner.patch(&one, reference).await.expect(200);
}

#[tokio::test]
async fn of_many_who_want_one_reference_at_once_one_gets_it() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let replica = app.replica().with_key(acme.owner.key());
    let id = acme.workspace("DACH").await;
    let body = json!({ "name": "x", "externalReference": "ext-1" });
    let path = path(&id);
    let answers = join_all(
        (0..24).map(|n: usize| if n.is_multiple_of(2) { &acme.owner } else { &replica }.post(&path, body.clone())),
    )
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert!(
        answers.iter().all(|answer| answer.status == 201 || answer.body["code"] == "reference_taken"),
        "{answers:?}"
    );
    assert_eq!(app.database.rows("SELECT FROM agents"), 1);
}
