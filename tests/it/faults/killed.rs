//! A service that is killed in the middle of a write.

use diesel::connection::SimpleConnection;
use nix::sys::signal::Signal;
use serde_json::json;
use tenantry_tests::TestDatabase;

use crate::binary::kit::Tenantry;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_stays_and_half_a_write_leaves_nothing() {
    let database = TestDatabase::new();
    let tenantry = Tenantry::on(&database).with("TENANTRY_STATEMENT_TIMEOUT", "4m");
    let made = tenantry.json(&["tenant", "create", "--name", "Acme", "--country", "DE"]);
    let key = made["apiKey"].as_str().unwrap();
    let service = tenantry.serve();
    let owner = service.client().with_key(key);
    let id = owner.post("/api/workspaces", json!({ "name": "Before" })).await.expect(201).id();
    let path = format!("/api/workspaces/{id}");
    let mut holder = database.admin();
    holder.batch_execute("BEGIN; SELECT FROM workspaces FOR UPDATE").unwrap();
    let write = owner.request("PATCH", &path).json(&json!({ "name": "After" }));
    let write = tokio::spawn(write.send());
    let of_the_service =
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND usename = 'tenantry_service'";
    while database.rows(&format!("{of_the_service} AND wait_event_type = 'Lock'")) == 0 {
        tokio::task::yield_now().await;
    }
    service.signal(Signal::SIGKILL);
    service.wait();
    assert!(write.await.unwrap().is_err(), "nobody is left to answer");
    holder.batch_execute("ROLLBACK").unwrap();
    // PostgreSQL notices that nobody is there when it wants to answer.
    while database.rows(of_the_service) > 0 {
        tokio::task::yield_now().await;
    }
    let again = tenantry.serve();
    let owner = again.client().with_key(key);
    assert_eq!(owner.get(&path).await.expect(200).body["name"], "Before");
    let event =
        |action: &str| format!("SELECT FROM audit_events WHERE subject_id = '{id}' AND action = 'workspace.{action}'");
    assert_eq!((database.rows(&event("create")), database.rows(&event("update"))), (1, 0));
    owner.patch(&path, json!({ "name": "After" })).await.expect(200);
    assert_eq!(database.rows(&event("update")), 1);
}
