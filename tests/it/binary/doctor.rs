//! `tenantry doctor`: silent about what is well, and right about each thing that is not.

use std::fs;

use diesel::connection::SimpleConnection;
use nix::sys::signal::Signal;
use serde_json::Value;
use tenantry_auth::seal::MasterKey;
use tenantry_tests::{
    Encryption, Pooler, Presented, SmtpServer, TestDatabase,
    issuer::{AUDIENCE, Issuer},
};

use super::kit::{Ran, Tenantry};

/// What one run found.
struct Found(Vec<Value>);

impl Found {
    #[track_caller]
    fn of(ran: Ran) -> Self {
        let report = ran.json();
        let found = Self(report["findings"].as_array().unwrap().clone());
        let problems = found.of_state("problem").len();
        assert_eq!(
            (ran.code, &report["healthy"]),
            (i32::from(problems > 0), &Value::Bool(problems == 0)),
            "{}",
            ran.out
        );
        for finding in &found.0 {
            let is_ok = finding["state"] == "ok";
            assert!(finding["action"].is_null() == is_ok, "what is not well has a remedy: {finding}");
        }
        found
    }

    fn of_state(&self, state: &str) -> Vec<&str> {
        let those = self.0.iter().filter(|finding| finding["state"] == state);
        those.map(|finding| finding["check"].as_str().unwrap()).collect()
    }

    /// What was found in a check, which must be in this state.
    #[track_caller]
    fn expect(&self, check: &str, state: &str) -> String {
        let found: Vec<_> = self.0.iter().filter(|finding| finding["check"] == check).collect();
        assert!(found.iter().any(|finding| finding["state"] == state), "{check} is not {state}: {:?}", self.0);
        found.iter().map(|finding| format!("{} -> {}\n", finding["message"], finding["action"])).collect()
    }
}

fn examine(tenantry: &Tenantry, more: &[&str]) -> Found {
    Found::of(tenantry.run(&[&["doctor", "--output", "json"], more].concat()))
}

/// Everything that can be there.
async fn whole(database: &TestDatabase, server: &SmtpServer, issuer: &Issuer) -> Tenantry {
    let tenantry = Tenantry::on(database)
        .sending_to(server)
        .with("TENANTRY_BACKUP_DATABASE_URL", &database.admin_url())
        .with("TENANTRY_CONFIG", "tenantry.toml");
    let name = &issuer.name;
    let settings = format!("[[issuers]]\nissuer = \"{name}\"\naudience = \"{AUDIENCE}\"\njwks_url = \"{name}/jwks\"\n");
    fs::write(tenantry.path("tenantry.toml"), settings).unwrap();
    fs::create_dir(tenantry.path("backups")).unwrap();
    tenantry.run(&["tenant", "create", "--name", "Acme", "--country", "DE"]).expect(0);
    tenantry.run(&["backup", "backups/one.tar"]).expect(0);
    tenantry
}

#[tokio::test(flavor = "multi_thread")]
async fn where_all_is_well_it_says_so_and_nothing_happens() {
    let (database, server, issuer) = (TestDatabase::new(), SmtpServer::start(), Issuer::start().await);
    let tenantry = whole(&database, &server, &issuer).await;
    let before = database.dump();
    let found = examine(&tenantry, &["--backups", "backups"]);
    assert_eq!((found.of_state("problem"), found.of_state("warning")), (Vec::new(), Vec::new()), "{:?}", found.0);
    let checks = found.of_state("ok");
    let all = [
        "settings",
        "database",
        "extensions",
        "connections",
        "role",
        "row security",
        "rights",
        "clock",
        "pooler",
        "audit log",
        "migrations",
        "owner",
        "master key",
        "open files",
        "mail",
        "issuers",
        "platform keys",
        "backup role",
        "backups",
    ];
    assert_eq!(checks, all);
    assert!(before == database.dump(), "it changes nothing");
    // It went as far as for an email, and sent none.
    server.ended(1).await;
    assert!(server.mails().is_empty());
    // Without a directory of backups, nobody knows how old they are.
    let text = tenantry.run(&["doctor"]).expect(0).out;
    assert!(text.contains("warning  backups") && text.contains("-> name the directory"), "{text}");
    assert!(text.ends_with("\n0 problems and 1 warning\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_around_the_database_is_found() {
    let (database, server, issuer) = (TestDatabase::new(), SmtpServer::start(), Issuer::start().await);
    let tenantry = whole(&database, &server, &issuer).await;
    // The mail server is away, or offers no encryption.
    server.close().await;
    issuer.fail(500);
    fs::write(tenantry.path("backups/two.tar"), "half of a backup").unwrap();
    let found = examine(&tenantry, &["--backups", "backups"]);
    assert_eq!(found.of_state("problem"), ["mail", "issuers", "backups"], "{:?}", found.0);
    assert!(found.expect("mail", "problem").contains("no connection to"));
    assert!(found.expect("issuers", "problem").contains(&issuer.name));
    assert!(found.expect("backups", "problem").contains("two.tar"));
    fs::remove_file(tenantry.path("backups/two.tar")).unwrap();
    let old = examine(&tenantry, &["--backups", "backups", "--backup-age", "0s"]);
    assert!(old.expect("backups", "problem").contains("is whole and"));
    fs::remove_file(tenantry.path("backups/one.tar")).unwrap();
    assert!(examine(&tenantry, &["--backups", "backups"]).expect("backups", "problem").contains("there is no backup"));
    assert!(examine(&tenantry, &["--backups", "elsewhere"]).expect("backups", "problem").contains("cannot be read"));
    let plain = SmtpServer::with(Encryption::Nothing, Presented::Own);
    // The first setting is overridden by the later one.
    let port = plain.options().port.unwrap().to_string();
    let tenantry = tenantry.without("TENANTRY_SMTP_PORT").with("TENANTRY_SMTP_PORT", &port);
    examine(&tenantry, &[]).expect("mail", "problem");
    let blind = tenantry.without("TENANTRY_BACKUP_DATABASE_URL");
    let blind = blind.with("TENANTRY_BACKUP_DATABASE_URL", &database.service_url());
    assert!(examine(&blind, &[]).expect("backup role", "problem").contains("BYPASSRLS"));
    // One connection is one open file.
    let few = Tenantry::on(&database).run_in_a_shell("ulimit -n 48; exec \"$@\"", &["doctor", "--output", "json"]);
    assert!(Found::of(few).expect("open files", "problem").contains("may open 48 files"));
}

#[test]
fn what_is_wrong_in_the_database_is_found() {
    for (sql, check, said) in [
        ("ALTER TABLE brands NO FORCE ROW LEVEL SECURITY", "row security", "not in force on brands"),
        ("ALTER TABLE agents DISABLE ROW LEVEL SECURITY", "row security", "not in force on agents"),
        ("REVOKE SELECT ON agents FROM tenantry_service", "rights", "may not read agents"),
        ("ALTER COLLATION pg_catalog.\"und-x-icu\" RENAME TO \"gone\"", "extensions", "no ICU collations"),
        ("ALTER DATABASE {} SET default_transaction_read_only = on", "database", "takes no writes"),
        // A clock of an hour later stands before that of the server.
        (
            "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
             'SELECT pg_catalog.clock_timestamp() + interval ''1 hour''';
             ALTER DATABASE {} SET search_path = public, pg_catalog",
            "clock",
            "3600.0 s behind",
        ),
        (
            "DELETE FROM __diesel_schema_migrations WHERE version = (SELECT max(version) FROM __diesel_schema_migrations)",
            "migrations",
            "1 migration pending",
        ),
    ] {
        let database = TestDatabase::new();
        let tenantry = Tenantry::on(&database);
        assert_eq!(examine(&tenantry, &[]).of_state("problem"), Vec::<&str>::new(), "before: {sql}");
        database.admin().batch_execute(&sql.replace("{}", database.name())).unwrap();
        let found = examine(&tenantry, &[]);
        assert!(found.expect(check, "problem").contains(said), "{sql}: {:?}", found.0);
    }
}

#[test]
fn roles_that_must_not_serve_or_cannot_migrate_are_found_and_so_is_a_database_that_is_not_there() {
    let database = TestDatabase::new();
    for (url, said) in [(database.owner_url(), "owns the database"), (database.admin_url(), "is a superuser")] {
        assert!(examine(&Tenantry::at(&url), &[]).expect("role", "problem").contains(said));
    }
    let nobody = Tenantry::at(&database.service_url()).with("TENANTRY_OWNER_DATABASE_URL", &database.service_url());
    assert!(examine(&nobody, &[]).expect("owner", "problem").contains("does not own the database"));
    let away = Tenantry::at("postgres://tenantry_service:s3cret@127.0.0.1:1/tenantry");
    let found = examine(&away, &[]);
    let said = found.expect("database", "problem");
    assert!(said.contains("127.0.0.1") && !said.contains("s3cret"), "{said}");
    // What is around the database is looked at all the same.
    found.expect("open files", "ok");
    let many = Tenantry::on(&database).with("TENANTRY_DATABASE_CONNECTIONS", "1000");
    assert!(examine(&many, &[]).expect("connections", "warning").contains("1003 connections"));
}

#[test]
fn wrong_settings_are_named_without_a_secret_and_nothing_else_is_looked_at() {
    let tenantry = Tenantry::at("postgres://tenantry_service:s3c%ret@db/tenantry").with("TENANTRY_WORKERS", "none");
    let found = examine(&tenantry, &[]);
    let said = found.expect("settings", "problem");
    assert!(
        said.contains("TENANTRY_WORKERS must be") && said.contains("DATABASE_URL") && !said.contains("s3c"),
        "{said}"
    );
    assert!(found.0.iter().all(|finding| finding["check"] == "settings"), "{:?}", found.0);
    // A start with an embedded database would create it. The doctor does not.
    let new = Tenantry::embedded();
    assert!(examine(&new, &[]).expect("database", "warning").contains("no embedded database yet"));
    assert!(!new.path("data").exists());
}

#[test]
fn months_of_the_audit_log_that_nobody_made_are_found() {
    let database = TestDatabase::new();
    let tenantry = Tenantry::on(&database);
    examine(&tenantry, &[]).expect("audit log", "ok");
    // As if the months had been made until in three weeks.
    let sql = "DO $$ BEGIN
            ALTER TABLE audit_events DETACH PARTITION audit_events_newest;
            ALTER TABLE audit_events DETACH PARTITION audit_events_oldest;
            EXECUTE format('ALTER TABLE audit_events ATTACH PARTITION audit_events_oldest FOR VALUES FROM (MINVALUE) TO (%L)',
                           first_event_id(now() + interval '21 days'));
            EXECUTE format('ALTER TABLE audit_events ATTACH PARTITION audit_events_newest FOR VALUES FROM (%L) TO (MAXVALUE)',
                           first_event_id(now() + interval '21 days'));
        END $$";
    database.admin().batch_execute(sql).unwrap();
    let found = examine(&tenantry, &[]);
    assert!(found.expect("audit log", "warning").contains("goes into one partition"), "{:?}", found.0);
}

#[test]
fn a_master_key_that_is_missing_or_another_one_is_found() {
    let database = TestDatabase::new();
    let tenantry = Tenantry::on(&database);
    tenantry.run(&["tenant", "create", "--name", "Acme", "--country", "DE"]).expect(0);
    examine(&tenantry, &[]).expect("master key", "ok");
    let needed: MasterKey = MasterKey::generate(7).unwrap().as_str().parse().unwrap();
    let sql = format!("UPDATE tenants SET sealed_under = '{{{}}}'", needed.id());
    database.admin().batch_execute(&sql).unwrap();
    assert!(examine(&tenantry, &[]).expect("master key", "problem").contains("version 7 is missing"));
    let without = tenantry.without("TENANTRY_MASTER_KEY_FILE");
    assert!(examine(&without, &[]).expect("master key", "problem").contains("TENANTRY_MASTER_KEY_FILE is not set"));
}

#[test]
fn a_pooler_that_shares_sessions_is_found_with_the_setting_that_it_needs() {
    let database = TestDatabase::new();
    let Some(pooler) = Pooler::to(&database) else { return };
    let with = |prepare: &str| {
        let tenantry = Tenantry::at(&pooler.service_url()).with("TENANTRY_PREPARE_STATEMENTS", prepare);
        examine(&tenantry, &[])
    };
    assert!(with("auto").expect("pooler", "warning").contains("TENANTRY_PREPARE_STATEMENTS="));
    assert!(with("false").expect("pooler", "ok").contains("one shares sessions"));
    let direct = Tenantry::on(&database).with("TENANTRY_PREPARE_STATEMENTS", "false");
    assert!(examine(&direct, &[]).expect("pooler", "warning").contains("leave TENANTRY_PREPARE_STATEMENTS at auto"));
    // PgBouncer tracks prepared statements since 1.21, if it is told to. This one is not.
    assert!(with("true").expect("pooler", "problem").contains("does not track"));
    // What it told the sessions of the server does not stay with them: whoever gets one next can write.
    let next = Tenantry::at(&pooler.service_url()).with("TENANTRY_PREPARE_STATEMENTS", "false");
    next.run(&["migrate", "status"]).expect(0);
    for name in ["Acme", "Beta", "Gamma"] {
        next.run(&["tenant", "create", "--name", name, "--country", "DE"]).expect(0);
    }
}

#[test]
fn the_embedded_database_is_looked_at_while_the_service_runs_and_while_it_does_not() {
    let tenantry = Tenantry::embedded();
    let service = tenantry.serve();
    let found = examine(&tenantry, &[]);
    assert_eq!(found.of_state("problem"), Vec::<&str>::new(), "{:?}", found.0);
    assert!(found.expect("mail", "warning").contains("reach nobody"));
    service.stop(Signal::SIGTERM);
    let found = examine(&tenantry, &[]);
    assert_eq!(found.of_state("problem"), Vec::<&str>::new(), "{:?}", found.0);
    found.expect("master key", "ok");
}
