//! Backups: what is restored is what was there, and what is no whole backup is neither written nor restored.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use diesel::connection::SimpleConnection;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tenantry_tests::{Client, Rows, TestDatabase, lines};

use super::kit::{Service, Tenantry};

const SECRET: &str = "sk-proj-canary-567890";

/// Settings for a backup of this database.
fn on(database: &TestDatabase) -> Tenantry {
    Tenantry::on(database).with("TENANTRY_BACKUP_DATABASE_URL", &database.admin_url())
}

/// The same settings as others, with their files, for another database.
fn moved(from: &Tenantry, database: &TestDatabase) -> Tenantry {
    let to = on(database);
    for name in ["master.key", "backup.tar"] {
        fs::copy(from.path(name), to.path(name)).unwrap();
    }
    to
}

fn stop(service: Service) {
    service.signal(Signal::SIGTERM);
    assert_eq!(service.wait().0, Some(0));
}

/// A tenant with a workspace, an integration and an email that waits; returns its key and the workspace's path.
async fn fill(service: &Service, made: &Value) -> (String, String) {
    let key = made["apiKey"].as_str().unwrap().to_owned();
    let owner = service.client().with_key(&key);
    let workspace = owner.post("/api/workspaces", json!({ "name": "DACH" })).await.expect(201).id();
    let path = format!("/api/workspaces/{workspace}");
    owner.put(&format!("{path}/integrations/openai"), json!({ "apiKey": SECRET })).await.expect(200);
    owner.post("/api/invitations", json!({ "email": "bob@example.com", "role": "agent" })).await.expect(201);
    (key, path)
}

/// A filled database, with a backup of it that was written while the service runs.
struct Stage {
    database: TestDatabase,
    tenantry: Tenantry,
    key: String,
    workspace: String,
}

impl Stage {
    async fn new() -> Self {
        let database = TestDatabase::new();
        let tenantry = on(&database).with("TENANTRY_MAIL_WORKERS", "0");
        let made = ["Acme", "Beta"].map(|name| tenantry.json(&["tenant", "create", "--name", name, "--country", "NL"]));
        let service = tenantry.serve();
        let (key, workspace) = fill(&service, &made[0]).await;
        fill(&service, &made[1]).await;
        // The uses of both keys are written down a moment later.
        while database.rows("SELECT FROM api_keys WHERE last_used_at IS NOT NULL") < 2 {
            tokio::task::yield_now().await;
        }
        let written = tenantry.json(&["backup", "backup.tar"]);
        assert_eq!((&written["backup"]["tenants"], &written["masterKeyIncluded"]), (&json!(2), &json!(false)));
        assert_eq!(written["backup"]["masterKeyVersions"], json!([1]));
        stop(service);
        Self { database, tenantry, key, workspace }
    }

    fn owner(&self, service: &Service) -> Client {
        service.client().with_key(&self.key)
    }
}

/// What is not a row of a tenant: row security, policies, owners, permissions.
fn walls(database: &TestDatabase) -> Vec<String> {
    lines(
        &mut database.admin(),
        "SELECT concat_ws(' ', relname, relkind, relrowsecurity, relforcerowsecurity, relowner::regrole, array_to_string(coalesce(relacl, acldefault('r', relowner)), ','),
             (SELECT string_agg(concat_ws(' ', polname, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)), ';' ORDER BY polname)
              FROM pg_policy WHERE polrelid = pg_class.oid)) AS line
         FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1",
    )
}

#[tokio::test]
async fn what_is_restored_is_what_was_there_and_the_service_goes_on_with_it() {
    let stage = Stage::new().await;
    let backup = stage.tenantry.path("backup.tar");
    assert_eq!(fs::metadata(&backup).unwrap().permissions().mode() & 0o777, 0o600);
    let bytes = fs::read(&backup).unwrap();
    let key = fs::read_to_string(stage.tenantry.path("master.key")).unwrap();
    for secret in [SECRET, key.trim().trim_start_matches("v1:"), &stage.key] {
        assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "in the backup");
    }
    let check = stage.tenantry.json(&["restore", "--check", "backup.tar"]);
    assert_eq!((&check["check"], &check["backup"]["tenants"]), (&json!("passed"), &json!(2)));

    let empty = TestDatabase::unmigrated();
    let there = moved(&stage.tenantry, &empty);
    let plan = there.json(&["restore", "--dry-run", "backup.tar"]);
    assert_eq!((&plan["dryRun"], &plan["restore"]["tenants"]), (&json!(true), &json!(2)));
    let restored = there.json(&["restore", "backup.tar"]);
    assert_eq!((&restored["emailsHeldBack"], &restored["masterKeys"]["missing"]), (&json!(2), &json!([])));
    assert!(restored["undone"].to_string().contains("API keys that were revoked"), "{restored}");
    assert_eq!(walls(&empty), walls(&stage.database));
    let (mut before, mut after) = (Rows::of(&stage.database).all(), Rows::of(&empty).all());
    // The emails are held back, which is the one difference.
    let (waiting, held) = (before.remove("outbox_messages").unwrap(), after.remove("outbox_messages").unwrap());
    assert!(waiting.len() == 2 && held.iter().all(|row| row.contains("held back by a restore")), "{held:?}");
    let tenants = [before.remove("tenants").unwrap(), after.remove("tenants").unwrap()];
    assert_eq!(tenants.map(|rows| rows.len()), [2, 2]);
    assert_eq!(after, before);
    let public = "SELECT 1 WHERE has_database_privilege('public', current_database(), 'CONNECT')";
    assert_eq!(empty.rows(public), 0, "not everybody may connect");

    let service = there.serve();
    let shown = stage.owner(&service).get(&format!("{}/integrations/openai", stage.workspace)).await.expect(200);
    assert_eq!(shown.body["status"], "connected", "{}", shown.text);
    stop(service);
    assert_eq!(there.json(&["outbox", "retry", "--all-dead"]).as_array().unwrap().len(), 2);
    let again = there.run(&["restore", "backup.tar"]).expect(4);
    assert!(again.err.contains("is not empty") && again.err.contains("CREATE DATABASE"), "{}", again.err);
}

#[tokio::test]
async fn without_the_master_key_all_but_the_secrets_comes_back() {
    let stage = Stage::new().await;
    let empty = TestDatabase::unmigrated();
    let there = moved(&stage.tenantry, &empty);
    fs::remove_file(there.path("master.key")).unwrap();
    there.run(&["master-key", "--version", "2", "master.key"]).expect(0);
    let restored = there.run(&["restore", "backup.tar"]).expect(0);
    assert!(restored.out.contains("the master key of version 1 is missing"), "{}", restored.out);
    assert!(restored.out.contains("`tenantry reseal --discard-unopened --lost-key 1`"), "{}", restored.out);
    let refused = there.run(&["serve"]).expect(6);
    assert!(refused.err.contains("version 1 is missing"), "{}", refused.err);
    there.run(&["reseal", "--discard-unopened", "--lost-key", "1", "--yes"]).expect(0);
    let service = there.serve();
    let owner = stage.owner(&service);
    owner.get(&stage.workspace).await.expect(200);
    let path = format!("{}/integrations/openai", stage.workspace);
    assert_eq!(owner.get(&path).await.expect(200).body["status"], "not_connected");
    owner.put(&path, json!({ "apiKey": SECRET })).await.expect(200);
    stop(service);
}

#[test]
fn a_role_that_does_not_see_all_rows_makes_no_backup() {
    let database = TestDatabase::new();
    let tenantry = Tenantry::on(&database);
    let unset = tenantry.run(&["backup", "backup.tar"]).expect(6);
    assert!(unset.err.contains("TENANTRY_BACKUP_DATABASE_URL is not set"), "{}", unset.err);
    for (url, role) in [(database.service_url(), "tenantry_service"), (database.owner_url(), "tenantry_owner")] {
        let refused = Tenantry::on(&database).with("TENANTRY_BACKUP_DATABASE_URL", &url).run(&["backup", "backup.tar"]);
        assert!(refused.code == 6 && refused.err.contains(role) && refused.err.contains("BYPASSRLS"), "{refused:?}");
    }
    let empty = TestDatabase::unmigrated();
    let nothing = on(&empty).run(&["backup", "backup.tar"]).expect(2);
    assert!(nothing.err.contains("no tables of Tenantry"), "{}", nothing.err);
    let wrong = Tenantry::at(&empty.service_url());
    fs::write(wrong.path("backup.tar"), "").unwrap();
    wrong.run(&["restore", "backup.tar"]).expect(2);
}

#[tokio::test]
async fn a_role_that_does_not_own_the_database_restores_nothing() {
    let stage = Stage::new().await;
    let empty = TestDatabase::unmigrated();
    let there = Tenantry::at(&empty.service_url());
    fs::copy(stage.tenantry.path("backup.tar"), there.path("backup.tar")).unwrap();
    let refused = there.run(&["restore", "backup.tar"]).expect(6);
    assert!(refused.err.contains("does not own the database") && refused.err.contains("OWNER_DATABASE_URL"));
}

/// Programs of PostgreSQL of which one does something else first.
fn wrapped(tenantry: &Tenantry, name: &str, script: &str) -> String {
    let real = lines(&mut TestDatabase::new().admin(), "SELECT setting AS line FROM pg_config WHERE name = 'BINDIR'")
        .remove(0);
    let directory = tenantry.path("bin");
    fs::create_dir_all(&directory).unwrap();
    for program in ["pg_dump", "pg_restore", "psql"] {
        let before = if program == name { script } else { "" };
        let path = directory.join(program);
        fs::write(&path, format!("#!/bin/sh\n{before}\nexec {real}/{program} $MORE \"$@\"\n")).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    }
    directory.display().to_string()
}

#[tokio::test]
async fn a_dump_that_lacks_rows_is_no_backup() {
    let stage = Stage::new().await;
    let script =
        "case \"$1\" in --version) ;; *) MORE=--exclude-table-data=agents\\ --exclude-table-data=brands ;; esac";
    let bin = wrapped(&stage.tenantry, "pg_dump", script);
    let lacking = on(&stage.database).with("TENANTRY_PG_BIN", &bin);
    let refused = lacking.run(&["backup", "less.tar"]).expect(1);
    assert!(
        refused.err.contains("does not have all rows") && refused.err.contains("brands: 2 counted, 0 dumped"),
        "{refused:?}"
    );
    assert!(!lacking.path("less.tar").exists() && left_in(&lacking.path(".")).is_empty(), "nothing is left");
}

#[tokio::test]
async fn no_program_is_told_a_password_where_others_can_read_it() {
    let stage = Stage::new().await;
    let note = "{ echo \"$0 $*\"; env; } >> \"$HOME/said\"";
    let mut seen = String::new();
    for program in ["pg_dump", "pg_restore", "psql"] {
        let empty = TestDatabase::unmigrated();
        let with_password = |url: &str| format!("{url}&password=s3cret");
        let tenantry = Tenantry::at(&with_password(&stage.database.service_url()));
        let bin = wrapped(&tenantry, program, note);
        let home = tenantry.path(".").display().to_string();
        let tenantry = tenantry
            .with("TENANTRY_PG_BIN", &bin)
            .with("HOME", &home)
            .with("TENANTRY_BACKUP_DATABASE_URL", &with_password(&stage.database.admin_url()))
            .with("TENANTRY_OWNER_DATABASE_URL", &with_password(&empty.owner_url()));
        tenantry.run(&["backup", "backup.tar"]).expect(0);
        tenantry.run(&["restore", "backup.tar"]).expect(0);
        assert_eq!(tenantry.run(&["psql", "--", "-Atc", "SELECT current_user"]).expect(0).out, "tenantry_owner\n");
        seen += &fs::read_to_string(tenantry.path("said")).unwrap();
    }
    assert!(seen.contains("--dbname=service=tenantry") && seen.contains("PGSERVICEFILE="), "{seen}");
    assert!(!seen.contains("s3cret"), "{seen}");
}

#[tokio::test]
async fn a_file_that_is_no_whole_backup_restores_nothing() {
    let stage = Stage::new().await;
    let whole = fs::read(stage.tenantry.path("backup.tar")).unwrap();
    let empty = TestDatabase::unmigrated();
    let there = on(&empty);
    let refused = |bytes: &[u8], why: &str| {
        fs::write(there.path("bad.tar"), bytes).unwrap();
        for command in
            [&["restore", "bad.tar"][..], &["restore", "--check", "bad.tar"], &["restore", "--dry-run", "bad.tar"]]
        {
            let ran = there.run(command).expect(2);
            assert!(ran.err.contains(why), "{why}: {}", ran.err);
        }
    };
    for length in [0, 100, 512, 1_000, whole.len() / 2, whole.len() - 4_000] {
        refused(&whole[..length], "not a backup of Tenantry, or it was cut off");
    }
    refused(b"PGDMP and so on, which is a dump without its numbers", "not a backup of Tenantry");
    // Somebody may name the file with the settings.
    let settings =
        format!("database_url = \"postgres://owner:s3cret@db.example/tenantry\"\n{}", "# comment\n".repeat(99));
    refused(settings.as_bytes(), "not a backup of Tenantry");
    let ran = there.run(&["restore", "--check", "bad.tar"]).expect(2);
    assert!(!ran.err.contains("database_url") && !ran.err.contains("s3cret"), "{}", ran.err);
    for at in [600, whole.len() / 3, whole.len() / 2] {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        refused(&flipped, "damaged");
    }
    let changed = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let at = whole.windows(from.len()).position(|part| part == from.as_bytes()).expect(from);
        let mut bytes = whole.clone();
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        bytes
    };
    refused(&changed("\"format\": 1", "\"format\": 7"), "the backup has version 7");
    fs::write(there.path("newer.tar"), changed("\"20261120000100\"", "\"20991120000100\"")).unwrap();
    let newer = there.run(&["restore", "newer.tar"]).expect(2);
    assert!(newer.err.contains("20991120000100") && newer.err.contains("newer program"), "{}", newer.err);
    let server = lines(
        &mut empty.admin(),
        "SELECT '\"server\": ' || current_setting('server_version_num')::int / 10000 AS line",
    );
    fs::write(there.path("newer.tar"), changed(&server[0], "\"server\": 99")).unwrap();
    let newer = there.run(&["restore", "newer.tar"]).expect(2);
    assert!(newer.err.contains("PostgreSQL 99") && newer.err.contains("or later"), "{}", newer.err);
    assert_eq!(empty.rows("SELECT FROM pg_tables WHERE schemaname = 'public'"), 0);
    // A number of rows that is not so is found after the restore.
    let there = on(&empty);
    fs::write(there.path("other.tar"), changed("\"brands\": 2", "\"brands\": 3")).unwrap();
    let other = there.run(&["restore", "other.tar"]).expect(1);
    assert!(other.err.contains("brands: 2 instead of 3") && other.err.contains("do not use it"), "{}", other.err);
}

/// The hidden files in a directory: what a command has begun and not finished.
fn left_in(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with('.')).collect()
}

#[tokio::test]
async fn a_full_disk_and_a_file_that_exists_leave_everything_as_it_was() {
    let stage = Stage::new().await;
    let there = stage.tenantry.run(&["backup", "backup.tar"]).expect(4);
    assert!(there.err.contains("already exists"), "{}", there.err);
    let small =
        stage.tenantry.run_in_a_shell("trap '' XFSZ; ulimit -f 16; exec \"$@\"", &["backup", "full.tar"]).expect(1);
    assert!(small.err.contains("cannot write the backup to full.tar"), "{}", small.err);
    assert!(!stage.tenantry.path("full.tar").exists() && left_in(&stage.tenantry.path(".")).is_empty());
    // A restore that the database cannot take is one transaction that did not happen.
    let empty = TestDatabase::unmigrated();
    let into = moved(&stage.tenantry, &empty);
    let bin = wrapped(&into, "pg_restore", "case \"$1\" in --version) ;; *) exec head -c 20000 | false ;; esac");
    let failed = into.with("TENANTRY_PG_BIN", &bin).run(&["restore", "backup.tar"]).expect(1);
    assert!(failed.err.contains("pg_restore failed"), "{}", failed.err);
    assert_eq!(empty.rows("SELECT FROM pg_tables WHERE schemaname = 'public'"), 0);
}

#[tokio::test]
async fn the_embedded_database_is_replaced_with_consent_and_comes_back() {
    let tenantry = Tenantry::embedded();
    tenantry.json(&["tenant", "create", "--name", "Acme", "--country", "NL"]);
    tenantry.run(&["backup", "backup.tar"]).expect(0);
    tenantry.json(&["tenant", "create", "--name", "Later", "--country", "NL"]);
    let names = |tenantry: &Tenantry| {
        let tenants = tenantry.json(&["tenant", "list"]);
        tenants.as_array().unwrap().iter().map(|tenant| tenant["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    tenantry.run(&["restore", "backup.tar"]).expect(2);
    let declined = tenantry.run_on_a_terminal(&["restore", "backup.tar"], "n\n").expect(1);
    assert!(declined.err.contains("of 2 tenants, which is kept"), "{}", declined.err);
    let plan = tenantry.json(&["restore", "--dry-run", "backup.tar"]);
    assert_eq!((&plan["restore"]["tenants"], &plan["replace"]["tenants"]), (&json!(1), &json!(2)));
    assert_eq!(names(&tenantry), ["Acme", "Later"]);
    // Also while the service runs, which then serves what was restored.
    let service = tenantry.serve();
    let restored = tenantry.json(&["restore", "--yes", "backup.tar"]);
    assert!(restored["keptAs"].as_str().unwrap().starts_with("tenantry_before_"), "{restored}");
    assert_eq!(names(&tenantry), ["Acme"]);
    // While the databases change places there is none for a moment, and the service may have noticed.
    service.client().until_recovered("/readyz").await;
    tenantry.run(&["restore", "--take-back"]).expect(2);
    tenantry.run(&["restore", "--take-back", "--yes"]).expect(0);
    assert_eq!(names(&tenantry), ["Acme", "Later"]);
    service.client().until_recovered("/readyz").await;
    service.stop(Signal::SIGTERM);
    let own = Tenantry::on(&TestDatabase::new()).run(&["restore", "--take-back", "--yes"]).expect(2);
    assert!(own.err.contains("only a restore of the embedded database"), "{}", own.err);
}

#[test]
fn psql_is_opened_wherever_the_database_is() {
    let tenantry = Tenantry::embedded();
    let asked = tenantry.run(&["psql", "--", "-Atc", "SELECT current_user, current_database()"]).expect(0);
    assert_eq!(asked.out, "postgres|tenantry\n");
    assert_eq!(
        tenantry.run(&["psql", "--as", "service", "--", "-Atc", "SELECT current_user"]).expect(0).out,
        "tenantry_service\n"
    );
    let failed = tenantry.run(&["psql", "--", "-v", "ON_ERROR_STOP=1", "-c", "SELECT nonsense"]).expect(1);
    assert!(failed.err.contains("psql ended with exit code"), "{}", failed.err);
    let own = Tenantry::on(&TestDatabase::new()).run(&["psql", "--as", "admin"]).expect(2);
    assert!(own.err.contains("embedded database only"), "{}", own.err);
}

#[test]
fn the_counts_of_a_backup_are_of_the_moment_that_it_shows() {
    let database = TestDatabase::new();
    let tenantry = on(&database);
    tenantry.json(&["tenant", "create", "--name", "Acme", "--country", "NL"]);
    let rows =
        "INSERT INTO audit_events SELECT (jsonb_populate_record(event, jsonb_build_object('id', gen_random_uuid()))).*
                FROM audit_events AS event";
    for _ in 0..8 {
        database.admin().batch_execute(rows).unwrap();
    }
    // Somebody writes while it is counted and dumped.
    std::thread::scope(|scope| {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let (mut admin, one) = (database.admin(), format!("{rows} LIMIT 1"));
        scope.spawn(move || {
            while matches!(stopped.try_recv(), Err(std::sync::mpsc::TryRecvError::Empty)) {
                admin.batch_execute(&one).unwrap();
            }
        });
        for name in ["one.tar", "two.tar", "three.tar"] {
            tenantry.run(&["backup", name]).expect(0);
        }
        drop(stop);
    });
    tenantry.run(&["restore", "--check", "three.tar"]).expect(0);
}
