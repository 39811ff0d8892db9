//! `lastUsedAt`: written once a minute at most, after the requests, and never in anybody's way.

use diesel::connection::SimpleConnection;
use futures_util::future::join_all;
use serde_json::json;
use tenantry_operations::Store;
use tenantry_tests::App;

use super::behind_the_back;

#[tokio::test]
async fn the_use_of_a_key_is_written_down_once_however_many_requests_there_are() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (key, id) = acme.key_with_id(&["tenant:read"], json!({})).await;
    let path = format!("/api/api-keys/{id}");
    assert_eq!(acme.owner.get(&path).await.expect(200).body["lastUsedAt"], json!(null));
    let writes = |count: i64| {
        // Every write counts the version up.
        let row = format!("SELECT 1 FROM api_keys WHERE id = '{id}' AND version = {}", count + 1);
        assert_eq!(app.database.rows(&row), 1, "{count} writes");
    };
    for answer in join_all((0..50).map(|_| key.get("/api/tenant"))).await {
        answer.expect(200);
    }
    writes(0);
    app.store.write_notes().await;
    writes(1);
    assert!(acme.owner.get(&path).await.expect(200).body["lastUsedAt"].is_string());
    let used = |ago: &str| {
        let sql = format!("UPDATE api_keys SET last_used_at = now() - interval '{ago}' WHERE id = '{id}'");
        behind_the_back(&app, &sql);
    };
    used("50 seconds");
    key.get("/api/tenant").await.expect(200);
    app.store.write_notes().await;
    writes(1);
    used("61 seconds");
    for answer in join_all((0..50).map(|_| key.get("/api/tenant"))).await {
        answer.expect(200);
    }
    app.store.write_notes().await;
    writes(2);
}

#[tokio::test]
async fn replicas_that_all_noted_a_use_write_it_once() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (key, id) = acme.key_with_id(&["brands:read"], json!({})).await;
    let stores: Vec<_> = (0..4).map(|_| App::store(&app.database.service_url(), |_| {})).collect();
    let replicas: Vec<_> = stores.iter().map(|store| app.replica_on(store)).collect();
    for round in 1..=5 {
        behind_the_back(&app, &format!("UPDATE api_keys SET last_used_at = NULL WHERE id = '{id}'"));
        for replica in &replicas {
            replica.with_key(key.key()).get("/api/brands").await.expect(200);
        }
        join_all(stores.iter().map(Store::write_notes)).await;
        let row = format!("SELECT 1 FROM api_keys WHERE id = '{id}' AND version = {}", round + 1);
        assert_eq!(app.database.rows(&row), 1, "one write in each round");
    }
}

#[tokio::test]
async fn a_key_whose_row_somebody_has_locked_works_all_the_same() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (key, id) = acme.key_with_id(&["tenant:read"], json!({})).await;
    let mut holder = app.database.admin();
    holder.batch_execute(&format!("BEGIN; SELECT FROM api_keys WHERE id = '{id}' FOR UPDATE")).unwrap();
    for answer in join_all((0..50).map(|_| key.get("/api/tenant"))).await {
        answer.expect(200);
    }
    app.store.write_notes().await;
    holder.batch_execute("ROLLBACK").unwrap();
    let unused = format!("SELECT 1 FROM api_keys WHERE id = '{id}' AND last_used_at IS NULL");
    assert_eq!(app.database.rows(&unused), 1, "whoever found the row locked went on");
    key.get("/api/tenant").await.expect(200);
    app.store.write_notes().await;
    assert_eq!(app.database.rows(&unused), 0);
}

#[tokio::test]
async fn a_refused_request_is_no_use_of_a_key() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (key, id) = acme.key_with_id(&["tenant:read"], json!({})).await;
    acme.owner.delete(&format!("/api/api-keys/{id}")).await.expect(204);
    key.get("/api/tenant").await.expect(401);
    app.store.write_notes().await;
    let unused = format!("SELECT 1 FROM api_keys WHERE id = '{id}' AND last_used_at IS NULL");
    assert_eq!(app.database.rows(&unused), 1);
}
