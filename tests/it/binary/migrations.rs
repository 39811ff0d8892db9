//! `tenantry migrate`.

use serde_json::{Value, json};
use tenantry_tests::TestDatabase;

use super::kit::Tenantry;

fn states(status: &Value) -> Vec<&str> {
    status.as_array().unwrap().iter().map(|migration| migration["state"].as_str().unwrap()).collect()
}

#[test]
fn migrations_run_are_undone_and_say_where_they_stand() {
    let database = TestDatabase::unmigrated();
    let tenantry = Tenantry::on(&database);
    let pending = tenantry.run(&["migrate", "status", "--output", "json"]).expect(5);
    let names: Vec<_> = pending.json().as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert!(states(&pending.json()).iter().all(|state| *state == "pending"));
    assert!(pending.err.contains("pending"), "{}", pending.err);
    assert_eq!(tenantry.json(&["migrate", "run"]), json!({ "ran": names }));
    assert_eq!(tenantry.json(&["migrate", "run"]), json!({ "ran": [] }));
    let status = tenantry.json(&["migrate", "status"]);
    assert!(states(&status).iter().all(|state| *state == "applied"));
    let last = names.last().unwrap();
    assert_eq!(tenantry.json(&["migrate", "revert", "--yes"]), json!({ "undid": [last] }));
    let one = tenantry.run(&["migrate", "status", "--output", "json"]).expect(5);
    assert_eq!(states(&one.json()).iter().filter(|state| **state == "pending").count(), 1);
    tenantry.run(&["migrate", "run"]).expect(0);
    assert_eq!(tenantry.json(&["migrate", "redo", "--yes"]), json!({ "undid": [last], "ran": [last] }));
    let all: Vec<_> = names.iter().rev().cloned().collect();
    assert_eq!(tenantry.json(&["migrate", "revert", "--yes", "--count", "100"]), json!({ "undid": all }));
    let own = "SELECT FROM pg_tables WHERE schemaname = 'public' AND tablename <> '__diesel_schema_migrations'";
    assert_eq!(database.rows(own), 0);
}

#[test]
fn people_read_the_same_in_words() {
    let database = TestDatabase::unmigrated();
    let tenantry = Tenantry::on(&database);
    let status = tenantry.run(&["migrate", "status"]).expect(5);
    assert!(status.out.starts_with("MIGRATION ") && status.out.contains("_create_tenants"), "{}", status.out);
    assert!(status.err.contains("migrations are pending: run `tenantry migrate run`"), "{}", status.err);
    let ran = tenantry.run(&["migrate", "run"]).expect(0).out;
    assert!(ran.lines().all(|line| line.starts_with("ran 20")), "{ran}");
    assert_eq!(tenantry.run(&["migrate", "run"]).expect(0).out, "nothing to run: the database is up to date\n");
    let redone = tenantry.run(&["migrate", "redo", "--yes"]).expect(0).out;
    let verbs: Vec<_> = redone.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(verbs, ["undid", "ran"]);
    assert!(!tenantry.run(&["migrate", "status"]).expect(0).out.contains("pending"));
}

#[test]
fn only_the_owner_migrates() {
    let database = TestDatabase::unmigrated();
    let refused = Tenantry::at(&database.service_url()).run(&["migrate", "run"]);
    assert_ne!(refused.code, 0);
    assert!(refused.err.contains("TENANTRY_OWNER_DATABASE_URL"), "{}", refused.err);
    assert_eq!(database.rows("SELECT FROM pg_tables WHERE schemaname = 'public'"), 0);
}

#[test]
fn processes_that_migrate_at_once_take_turns() {
    let database = TestDatabase::unmigrated();
    let tenantry = Tenantry::on(&database);
    let ran: usize = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| tenantry.json(&["migrate", "run"]))).collect();
        runs.into_iter().map(|run| run.join().unwrap()["ran"].as_array().unwrap().len()).sum()
    });
    assert_eq!(ran, states(&tenantry.json(&["migrate", "status"])).len(), "each ran once");
}
