//! Transactions of which PostgreSQL lets only one win.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use futures_util::future::join_all;
use serde_json::json;
use tenantry_tests::{App, TestDatabase};

use super::{as_superuser, hang_up, until_waiting};

#[tokio::test]
async fn the_loser_of_a_deadlock_runs_again() {
    let app = App::on(TestDatabase::new(), |options| options.statement_timeout = Duration::from_secs(120)).await;
    let acme = app.tenant("Acme").await;
    let (id, brand) = (acme.workspace("Before").await, acme.brand("Other").await);
    let mut other = app.database.admin();
    // Moving a workspace to a brand locks the workspace and then the brand; this does it the other way round, and leaves it to the
    // service to notice.
    let lock = format!("SET deadlock_timeout = '1h'; BEGIN; SELECT FROM brands WHERE id = '{brand}' FOR UPDATE");
    other.batch_execute(&lock).unwrap();
    let (owner, path, to) = (acme.owner.clone(), format!("/api/workspaces/{id}"), json!({ "brandId": brand }));
    let move_it = tokio::spawn(async move { owner.patch(&path, to).await });
    until_waiting(&app, 1).await;
    let lock = format!("SELECT FROM workspaces WHERE id = '{id}' FOR UPDATE; COMMIT");
    std::thread::spawn(move || other.batch_execute(&lock)).join().unwrap().unwrap();
    move_it.await.unwrap().expect(200);
    let deadlocks = "SELECT 1 FROM pg_stat_database WHERE datname = current_database() AND deadlocks > 0";
    while app.database.rows(deadlocks) == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(app.database.rows("SELECT 1 FROM audit_events WHERE action = 'workspace.update'"), 1);
    assert_eq!(app.database.rows(&format!("SELECT 1 FROM workspaces WHERE brand_id = '{brand}'")), 1);
}

#[tokio::test]
async fn whoever_loses_a_race_runs_again_or_is_told_to_come_back() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let path = format!("/api/workspaces/{}", acme.workspace("Before").await);
    let database = app.database.name();
    as_superuser(&app, &format!("ALTER DATABASE {database} SET default_transaction_isolation = 'repeatable read'"));
    hang_up(&app);
    let before = app.database.rows("SELECT 1 FROM audit_events");
    let (path, owner) = (&path, &acme.owner);
    let renamings = (0..24).map(|n| async move { owner.patch(path, json!({ "name": format!("Name {n}") })).await });
    let answers = join_all(renamings).await;
    let written = answers.iter().filter(|answer| answer.status == 200).count();
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 503)), "{answers:?}");
    assert!(written > 0);
    let events = app.database.rows("SELECT 1 FROM audit_events") - before;
    assert_eq!(events, i64::try_from(written).unwrap(), "one event for each that succeeded");
}
