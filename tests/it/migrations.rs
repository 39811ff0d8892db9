//! Migrations: what goes up comes down and goes up again to the very same schema, one process at a time.

use std::{process::Command, sync::Barrier, thread};

use diesel::{QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Text};
use tenantry_persistence::{MigrateError, Migrator};
use tenantry_tests::{App, TestDatabase};

/// All that makes the schema, policies and grants and comments included, as the server's own pg_dump writes it.
fn schema(database: &TestDatabase) -> String {
    let dump = Command::new(program(database, "pg_dump")).arg("-s").arg(database.admin_url()).output().unwrap();
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    let text = String::from_utf8(dump.stdout).unwrap();
    // Newer minor versions fence the dump with a word of their own for each run.
    let lines = text.lines().filter(|line| !line.starts_with("\\restrict ") && !line.starts_with("\\unrestrict "));
    lines.filter(|line| !line.is_empty() && !line.starts_with("--")).collect::<Vec<_>>().join("\n")
}

/// A program that came with the server.
fn program(database: &TestDatabase, name: &str) -> String {
    #[derive(QueryableByName)]
    struct Directory {
        #[diesel(sql_type = Text)]
        setting: String,
    }
    let directory: Directory =
        sql_query("SELECT setting FROM pg_config WHERE name = 'BINDIR'").get_result(&mut database.admin()).unwrap();
    format!("{}/{name}", directory.setting)
}

fn migrator(database: &TestDatabase) -> Migrator {
    Migrator::connect(&database.owner_url()).unwrap()
}

#[test]
fn up_down_and_up_again_leaves_the_very_same_schema() {
    let database = TestDatabase::unmigrated();
    let mut migrator = migrator(&database);
    let up = migrator.run().unwrap();
    let first = schema(&database);
    for part in ["CREATE POLICY", "FORCE ROW LEVEL SECURITY", "GRANT SELECT", "CREATE UNIQUE INDEX", "CREATE FUNCTION"]
    {
        assert!(first.contains(part), "{part}");
    }
    let mut down = migrator.revert(usize::MAX).unwrap();
    down.reverse();
    assert_eq!(down, up);
    assert_eq!(database.rows("SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"), 1);
    assert_eq!(
        database.rows("SELECT FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'set_%'"),
        0
    );
    assert_eq!(migrator.run().unwrap(), up);
    assert_eq!(schema(&database), first);
}

#[test]
fn each_migration_can_be_undone_and_done_again() {
    let database = TestDatabase::new();
    let mut migrator = migrator(&database);
    let count = migrator.status().unwrap().len();
    let mut schemas = vec![schema(&database)];
    for _ in 0..count {
        migrator.revert(1).unwrap();
        schemas.push(schema(&database));
    }
    for (at, pair) in schemas.windows(2).enumerate() {
        assert_ne!(pair[0], pair[1], "undoing migration {} from the end does something", at + 1);
    }
    migrator.run().unwrap();
    for again in 1..=2 {
        let undone = migrator.revert(1).unwrap();
        assert_eq!(schema(&database), schemas[1]);
        assert_eq!(migrator.run().unwrap(), undone);
        assert_eq!(schema(&database), schemas[0], "time {again}");
    }
}

#[test]
fn the_schema_is_the_same_in_every_database() {
    assert_eq!(schema(&TestDatabase::new()), schema(&TestDatabase::new()));
}

#[test]
fn several_processes_at_once_migrate_once() {
    let database = TestDatabase::unmigrated();
    let start = Barrier::new(4);
    let ran: Vec<_> = thread::scope(|scope| {
        let migrate = || {
            start.wait();
            migrator(&database).run().unwrap().len()
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(migrate)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let all = migrator(&database).status().unwrap();
    assert!(all.iter().all(|migration| migration.applied));
    let mut ran = ran;
    ran.sort_unstable();
    assert_eq!(ran, [0, 0, 0, all.len()]);
}

#[test]
fn two_databases_of_one_server_are_migrated_at_once() {
    let databases: Vec<_> = (0..4).map(|_| TestDatabase::unmigrated()).collect();
    let start = Barrier::new(databases.len());
    thread::scope(|scope| {
        for database in &databases {
            scope.spawn(|| {
                start.wait();
                assert!(!migrator(database).run().unwrap().is_empty());
            });
        }
    });
}

#[test]
fn a_migration_of_a_newer_binary_is_refused_by_name() {
    let database = TestDatabase::new();
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000100')";
    database.admin().batch_execute(newer).unwrap();
    let before = schema(&database);
    let mut migrator = migrator(&database);
    let refusals = [migrator.run().unwrap_err(), migrator.revert(1).unwrap_err(), migrator.status().unwrap_err()];
    for refusal in refusals {
        assert!(matches!(refusal, MigrateError::Unknown(_)), "{refusal:?}");
        let words = refusal.to_string();
        assert!(words.contains("20991231000100") && words.contains("use the newer binary"), "{words}");
    }
    assert_eq!(schema(&database), before);
}

#[test]
fn a_migration_that_fails_is_rolled_back_and_those_before_it_stay() {
    let database = TestDatabase::unmigrated();
    let in_the_way = "CREATE TABLE workspaces (in_the_way int); GRANT ALL ON workspaces TO tenantry_owner";
    database.admin().batch_execute(in_the_way).unwrap();
    let failure = migrator(&database).run().unwrap_err();
    assert!(matches!(failure, MigrateError::Migration(_)), "{failure:?}");
    assert!(failure.to_string().contains("relation \"workspaces\" already exists"), "{failure}");
    let applied = migrator(&database).status().unwrap().iter().filter(|migration| migration.applied).count();
    assert_eq!(applied, 3, "the door, tenants and brands");
    database.admin().batch_execute("DROP TABLE workspaces").unwrap();
    let rest = migrator(&database).run().unwrap();
    assert!(rest[0].ends_with("create_workspaces"), "{rest:?}");
    assert_eq!(schema(&database), schema(&TestDatabase::new()));
}

#[tokio::test]
async fn the_role_of_the_service_cannot_migrate() {
    let app = App::start().await;
    app.store.ready().await.unwrap();
    let mut as_service = Migrator::connect(&app.database.service_url()).unwrap();
    let refusal = as_service.revert(1).unwrap_err().to_string();
    assert!(refusal.contains("must be owner") || refusal.contains("permission denied"), "{refusal}");
    let unmigrated = TestDatabase::unmigrated();
    let refusal = Migrator::connect(&unmigrated.service_url()).unwrap().run().unwrap_err().to_string();
    assert!(refusal.contains("permission denied"), "{refusal}");
}
