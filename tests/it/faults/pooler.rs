//! A pooler that lends the sessions of the database for a transaction each.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use futures_util::future::join_all;
use serde_json::json;
use tenantry_persistence::Prepare;
use tenantry_tests::{App, Pooler, TestDatabase, lines};

use super::{as_superuser, dawdle, later};
use crate::binary::kit::Tenantry;

/// So long that nobody is refused because of what is before them.
const PATIENCE: Duration = Duration::from_secs(3600);

async fn behind(pooler: &Pooler, database: TestDatabase, prepare: Prepare) -> App {
    App::on(database, |options| {
        options.url = pooler.service_url();
        options.connections = 6;
        options.prepare = prepare;
        options.statement_timeout = Duration::from_secs(2);
        // 120 requests at once share two sessions. On a busy machine that takes its time.
        options.wait = PATIENCE;
    })
    .await
}

#[tokio::test]
async fn nothing_fails_and_nobody_sees_what_is_anothers() {
    for prepare in [Prepare::Auto, Prepare::Never] {
        let database = TestDatabase::new();
        let Some(pooler) = Pooler::to(&database) else { return };
        let app = behind(&pooler, database, prepare).await;
        // Another replica, whose statements have the same names.
        let other = App::store(&pooler.service_url(), |options| {
            (options.connections, options.prepare, options.wait) = (6, prepare, PATIENCE);
        });
        let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
        for tenant in [&acme, &beta] {
            for n in 0..3 {
                tenant.workspace(&format!("Workspace {n}")).await;
            }
        }
        let rounds = (0..60).flat_map(|n| [(n, &acme), (n, &beta)]).map(|(n, tenant)| {
            let other = &other;
            async move {
                let list = tenant.owner.get("/api/workspaces").await.expect(200);
                let data = list.body["data"].as_array().unwrap();
                assert!(data.iter().all(|item| item["tenantId"] == tenant.id.to_string()), "{}", list.text);
                let name = json!({ "name": format!("Brand {n}"), "emailFromName": "Brand" });
                tenant.owner.post("/api/brands", name).await.expect(201);
                tenant.owner.get("/api/audit-events").await.expect(200);
                other.ready().await.unwrap();
            }
        });
        join_all(rounds).await;
        assert_eq!(app.database.rows("SELECT 1 FROM brands WHERE name LIKE 'Brand %'"), 120);
        acme.owner.get("/readyz").await.expect(200);
    }
}

#[tokio::test]
async fn a_look_up_does_not_read_in_a_session_that_is_anothers() {
    let app = App::on(TestDatabase::new(), |options| (options.connections, options.prepare) = (1, Prepare::Auto)).await;
    let acme = app.tenant("Acme").await;
    let path = format!("/api/workspaces/{}", acme.workspace("DACH").await);
    let mut admin = app.database.admin();
    let function = lines(&mut admin, "SELECT pg_get_functiondef('look_ups'::regproc) AS line").remove(0);
    // After a look-up, the session bears another name, as if a pooler had put another one in its place.
    let other = function.replacen("BEGIN\n", "BEGIN PERFORM set_config('app.connection', 'another', false);\n", 1);
    admin.batch_execute(&other).unwrap();
    let sessions = "SELECT pid::text AS line FROM pg_stat_activity
        WHERE datname = current_database() AND usename = 'tenantry_service'";
    acme.owner.get(&path).await.expect(200);
    let before = lines(&mut admin, sessions);
    acme.owner.get(&path).await.expect(200);
    let after = lines(&mut admin, sessions);
    assert!(!before.is_empty() && before.iter().all(|session| !after.contains(session)), "{before:?} {after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_says_which_setting_it_needs_and_serves() {
    let database = TestDatabase::new();
    let Some(pooler) = Pooler::to(&database) else { return };
    let mut service = Tenantry::at(&pooler.service_url()).serve();
    for _ in 0..4 {
        for ready in join_all((0..16).map(|_| async { service.client().get("/readyz").await })).await {
            ready.expect(200);
        }
    }
    service.until_logged("Set TENANTRY_PREPARE_STATEMENTS=false");
}

#[tokio::test]
async fn its_sessions_have_the_time_limits_in_each_transaction() {
    let database = TestDatabase::new();
    let Some(pooler) = Pooler::to(&database) else { return };
    let app = behind(&pooler, database, Prepare::Auto).await;
    let acme = app.tenant("Acme").await;
    let path = format!("/api/workspaces/{}", acme.workspace("Before").await);
    dawdle(&app);
    for answer in join_all((0..3).map(|_| acme.owner.patch(&path, json!({ "name": "After" })))).await {
        later(answer);
    }
    as_superuser(&app, "DROP TRIGGER dawdle ON workspaces");
    let mut holder = app.database.admin();
    holder.batch_execute("BEGIN; SELECT FROM workspaces FOR UPDATE").unwrap();
    later(acme.owner.patch(&path, json!({ "name": "After" })).await);
    holder.batch_execute("ROLLBACK").unwrap();
    acme.owner.patch(&path, json!({ "name": "After" })).await.expect(200);
}
