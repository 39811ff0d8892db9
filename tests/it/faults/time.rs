//! Statements that take too long.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use serde_json::json;
use tenantry_tests::{App, TestDatabase};

use super::{as_superuser, dawdle, later};

/// An application whose statements may take no longer than a moment.
async fn impatient() -> App {
    App::on(TestDatabase::new(), |options| options.statement_timeout = Duration::from_millis(400)).await
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended() {
    let app = impatient().await;
    let acme = app.tenant("Acme").await;
    let path = format!("/api/workspaces/{}", acme.workspace("Before").await);
    dawdle(&app);
    later(acme.owner.patch(&path, json!({ "name": "After" })).await);
    assert_eq!(acme.owner.get(&path).await.expect(200).body["name"], "Before");
    as_superuser(&app, "DROP TRIGGER dawdle ON workspaces");
    acme.owner.patch(&path, json!({ "name": "After" })).await.expect(200);
}

#[tokio::test]
async fn nobody_waits_for_a_lock_without_end() {
    let app = impatient().await;
    let acme = app.tenant("Acme").await;
    let path = format!("/api/workspaces/{}", acme.workspace("Before").await);
    let mut holder = app.database.admin();
    holder.batch_execute("BEGIN; SELECT FROM workspaces FOR UPDATE").unwrap();
    later(acme.owner.patch(&path, json!({ "name": "After" })).await);
    assert_eq!(acme.owner.get(&path).await.expect(200).body["name"], "Before", "reading waits for no writer");
    holder.batch_execute("ROLLBACK").unwrap();
    acme.owner.patch(&path, json!({ "name": "After" })).await.expect(200);
}
