//! Migrations while requests go on, and after somebody else has left something behind.

use std::thread;

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use serde_json::json;
use tenantry_persistence::{MigrateError, Migrator, migration_state};
use tenantry_tests::{App, TestDatabase, count};

use super::later;
use crate::binary::kit::Tenantry;

/// What the lock of migrations is called in the database.
const LOCK: &str = "SELECT pg_advisory_lock(x'74656e616e747279'::bigint)";

/// How many migrations to undo so that this one is undone too.
fn back_to(app: &App, name: &str) -> usize {
    let migrations = migration_state(&app.database.owner_url()).unwrap().migrations;
    migrations.iter().rev().position(|migration| migration.name.ends_with(name)).unwrap() + 1
}

#[test]
fn a_lock_that_somebody_left_behind_is_named_and_nothing_hangs() {
    let database = TestDatabase::new();
    let mut forgetful = PgConnection::establish(&database.owner_url()).unwrap();
    forgetful.batch_execute(LOCK).unwrap();
    let tenantry = Tenantry::on(&database);
    let status = tenantry.run(&["migrate", "status"]).expect(0);
    assert!(status.err.contains("holds the lock of migrations"), "{}", status.err);
    let refused = tenantry.run(&["migrate", "run"]).expect(5);
    assert!(refused.err.contains("waiting for process"), "{}", refused.err);
    assert!(refused.err.contains("SELECT pg_terminate_backend("), "{}", refused.err);
    drop(forgetful);
    tenantry.run(&["migrate", "run"]).expect(0);
}

#[test]
fn the_role_of_the_service_may_ask_where_the_migrations_stand() {
    let database = TestDatabase::unmigrated();
    let as_service = Tenantry::at(&database.service_url());
    let pending = as_service.run(&["migrate", "status"]).expect(5);
    assert!(pending.err.contains("migrations are pending"), "{}", pending.err);
    assert_eq!(database.rows("SELECT FROM pg_tables WHERE schemaname = 'public'"), 0, "asking changes nothing");
    Tenantry::on(&database).run(&["migrate", "run"]).expect(0);
    as_service.run(&["migrate", "status"]).expect(0);
}

#[tokio::test]
async fn numbers_that_were_given_out_are_not_lost() {
    let app = App::start().await;
    let (acme, count) = (app.tenant("Acme").await, back_to(&app, "_number_workspaces"));
    let mut migrator = Migrator::connect(&app.database.owner_url()).unwrap();
    let undone = migrator.revert(count).unwrap();
    assert_eq!(undone.len(), count, "nobody had a number");
    migrator.run().unwrap();
    acme.workspace("DACH").await;
    let before = migrator.status().unwrap();
    let refusal = migrator.revert(count).unwrap_err();
    assert!(matches!(refusal, MigrateError::Numbered(_)), "{refusal}");
    assert_eq!(migrator.status().unwrap(), before, "nothing is undone");
    migrator.revert(usize::MAX).unwrap();
}

#[tokio::test]
async fn while_something_is_undone_requests_are_asked_to_come_back() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let mut migrator = Migrator::connect(&app.database.owner_url()).unwrap();
    for name in
        ["_number_workspaces", "_create_agents", "_add_workspace_limits", "_read_audit_events", "_add_tenant_states"]
    {
        acme.owner.get("/api/workspaces").await.expect(200);
        migrator.revert(back_to(&app, name)).unwrap();
        for path in ["/api/workspaces", "/api/tenant", "/api/audit-events", "/api/members", "/api/workspace/get/1"] {
            let answer = acme.owner.get(path).await;
            assert!(matches!(answer.status, 200 | 404 | 503), "without {name}, {path}: {}", answer.text);
        }
        later(acme.owner.post("/api/workspaces", json!({ "name": "DACH" })).await);
        let unready = acme.owner.get("/readyz").await.expect(503);
        assert_eq!(unready.body["error"], "Migrations are pending: run `tenantry migrate run`.");
        migrator.run().unwrap();
    }
    acme.workspace("DACH").await;
    acme.owner.get("/readyz").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn undoing_waits_for_a_reader_and_says_so_and_requests_go_on() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let mut reader = app.database.admin();
    reader.batch_execute("BEGIN; SELECT FROM tenants").unwrap();
    let process = count(&mut reader, "SELECT generate_series(1, pg_backend_pid())");
    let tenantry = Tenantry::on(&app.database);
    let undoing = thread::spawn(move || tenantry.run(&["migrate", "revert", "--yes"]));
    // It waits for a while, lets the others go on, and waits again.
    let waits = "SELECT FROM pg_stat_activity WHERE application_name = 'tenantry migrate' AND wait_event_type = 'Lock'
                 AND datname = current_database()";
    for _ in 0..3 {
        while app.database.rows(waits) == 0 {
            assert!(!undoing.is_finished());
        }
        acme.owner.get("/api/brands").await.expect(200);
        while app.database.rows(waits) > 0 {}
        acme.owner.get("/api/brands").await.expect(200);
    }
    reader.batch_execute("ROLLBACK").unwrap();
    let undone = undoing.join().unwrap().expect(0);
    let line = format!("waiting for process {process} ");
    assert!(undone.err.contains(&line), "{line}: {}", undone.err);
}
