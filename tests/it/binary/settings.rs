//! Settings: where they come from, what is shown of them, and what is said when they are wrong.

use std::fs;

use serde_json::{Value, json};
use tenantry_tests::TestDatabase;

use super::kit::Tenantry;

#[test]
fn the_settings_are_shown_with_their_origin_and_without_a_password() {
    let tenantry = Tenantry::at("postgres://tenantry_service:s3cret@db:5432/tenantry")
        .with("TENANTRY_OWNER_DATABASE_URL", "host=db user=owner password=s3cret")
        .with("TENANTRY_CONFIG", "tenantry.toml");
    fs::write(tenantry.path("tenantry.toml"), "\u{feff}workers = 3\nlog_level = \"debug\"\n").unwrap();
    let text = tenantry.run(&["config"]).expect(0).out;
    assert!(text.contains("postgres://tenantry_service:***@db:5432/tenantry"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
    let shown = tenantry.json(&["config"]);
    let of = |variable: &str| {
        let all = shown.as_array().unwrap();
        let one = all.iter().find(|setting| setting["variable"] == variable).unwrap();
        (one["value"].as_str().unwrap_or_default().to_owned(), one["source"].as_str().unwrap().to_owned())
    };
    assert!(!shown.to_string().contains("s3cret"));
    assert_eq!(of("TENANTRY_WORKERS"), ("1".to_owned(), "environment".to_owned()), "before the file");
    assert_eq!(of("TENANTRY_LOG_LEVEL"), ("debug".to_owned(), "file".to_owned()));
    assert_eq!(of("TENANTRY_DATABASE_WAIT"), ("2s".to_owned(), "default".to_owned()));
    assert_eq!(of("TENANTRY_OWNER_DATABASE_URL").0, "host=db user=owner password=***");
}

#[test]
fn all_wrong_settings_are_named_at_once_and_every_command_refuses_them() {
    let tenantry = Tenantry::at("postgres://tenantry_service:s3c%ret@db/tenantry")
        .with("TENANTRY_WORKERS", "none")
        .with("TENANTRY_STATEMENT_TIMEOUT", "soon")
        .with("TENANTRY_LOG_FORMAT", "xml")
        .with("TENANTRY_BNID", "127.0.0.1:0")
        .with("TENANTRY_CONFIG", "tenantry.toml");
    fs::write(tenantry.path("tenantry.toml"), "colour = \"blue\"\n").unwrap();
    for command in [&["serve"][..], &["tenant", "list"], &["migrate", "run"], &["healthcheck"]] {
        let refused = tenantry.run(command).expect(6);
        for named in [
            "WORKERS",
            "STATEMENT_TIMEOUT",
            "LOG_FORMAT",
            "TENANTRY_BNID: is not a setting. Did you mean TENANTRY_BIND?",
            "DATABASE_URL",
        ] {
            assert!(refused.err.contains(named), "{named}: {}", refused.err);
        }
        assert!(refused.err.contains("\"colour\" in the settings file"), "{}", refused.err);
        assert!(!refused.err.contains("s3c") && refused.out.is_empty(), "{} {}", refused.out, refused.err);
    }
    let refused = tenantry.run(&["healthcheck", "--output", "json"]).expect(6);
    let error: Value = serde_json::from_str(&refused.err).expect("JSON for a script");
    let fields: Vec<_> = error["fields"].as_array().unwrap().iter().map(|field| field["field"].clone()).collect();
    assert!(fields.contains(&json!("TENANTRY_WORKERS")) && fields.contains(&json!("TENANTRY_BNID")), "{error}");
}

#[test]
fn the_table_marks_what_is_wrong_where_it_stands() {
    let tenantry = Tenantry::at("s3cret")
        .with("TENANTRY_WORKERS", "none")
        .with("TENANTRY_SMTP_PASSWROD", "s3cret")
        .with("TENANTRY_CONFIG", "tenantry.toml");
    fs::write(tenantry.path("tenantry.toml"), "databse_wait = \"1s\"\n").unwrap();
    let wrong = tenantry.run(&["config"]).expect(6);
    assert!(wrong.out.starts_with("  SETTING ") && wrong.out.contains("\n  TENANTRY_BIND "), "{}", wrong.out);
    let lines: Vec<_> = wrong.out.lines().collect();
    let below = |start: &str| {
        let at =
            lines.iter().position(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start}: {}", wrong.out));
        lines[at + 1]
    };
    assert_eq!(below("! TENANTRY_WORKERS"), "    ^ must be a whole number from 1 to 256, not \"none\"");
    assert!(below("! TENANTRY_DATABASE_URL").starts_with("    ^ must be a URL"), "{}", wrong.out);
    assert!(wrong.out.contains("\n! TENANTRY_SMTP_PASSWROD is not a setting. Did you mean TENANTRY_SMTP_PASSWORD?"));
    let file = "\n! \"databse_wait\" in the settings file is not a setting. Did you mean database_wait?";
    assert!(wrong.out.contains(file), "{}", wrong.out);
    assert_eq!(wrong.err, "tenantry: 4 faults in the settings, marked with ! above\n");
    let script = tenantry.run(&["config", "--output", "json"]).expect(6);
    let setting = script.json().as_array().unwrap().iter().find(|it| it["name"] == "workers").unwrap().clone();
    assert_eq!(setting["faults"], json!(["must be a whole number from 1 to 256, not \"none\""]));
    let error: Value = serde_json::from_str(&script.err).unwrap();
    assert_eq!((error["fields"].as_array().unwrap().len(), &error["exitCode"]), (4, &json!(6)));
    assert!(![wrong.out, wrong.err, script.out, script.err].concat().contains("s3cret"));
}

#[test]
fn a_settings_file_that_is_not_there_or_cannot_be_read_is_said_so() {
    let tenantry = Tenantry::embedded().with("TENANTRY_CONFIG", "tenantry.toml");
    let missing = tenantry.run(&["config"]).expect(6);
    assert!(missing.out.contains("! the settings file tenantry.toml cannot be read"), "{}", missing.out);
    fs::write(tenantry.path("tenantry.toml"), "workers = \n").unwrap();
    let broken = tenantry.run(&["config"]).expect(6);
    assert!(broken.out.contains("tenantry.toml is not valid TOML: line 1"), "{}", broken.out);
    let refused = tenantry.run(&["tenant", "list"]).expect(6);
    assert!(refused.err.contains("tenantry.toml is not valid TOML: line 1"), "{}", refused.err);
}

/// What Kubernetes adds to a container for services called `tenantry` and `tenantry-smtp`.
const SERVICE_LINKS: [(&str, &str); 9] = [
    ("TENANTRY_PORT", "tcp://10.96.0.7:8080"),
    ("TENANTRY_SERVICE_HOST", "10.96.0.7"),
    ("TENANTRY_SERVICE_PORT", "8080"),
    ("TENANTRY_SERVICE_PORT_HTTP", "8080"),
    ("TENANTRY_PORT_8080_TCP", "tcp://10.96.0.7:8080"),
    ("TENANTRY_PORT_8080_TCP_PROTO", "tcp"),
    ("TENANTRY_PORT_8080_TCP_PORT", "8080"),
    ("TENANTRY_PORT_8080_TCP_ADDR", "10.96.0.7"),
    ("TENANTRY_SMTP_PORT", "tcp://10.96.0.8:25"),
];

#[tokio::test]
async fn variables_that_kubernetes_adds_do_not_stop_the_start_and_a_misspelt_setting_does() {
    let database = TestDatabase::new();
    let linked = |tenantry: Tenantry| SERVICE_LINKS.iter().fold(tenantry, |all, (name, value)| all.with(name, value));
    let tenantry = linked(Tenantry::on(&database));
    for command in [&["config"][..], &["migrate", "status"], &["tenant", "list"]] {
        tenantry.run(command).expect(0);
    }
    let service = tenantry.serve();
    service.client().get("/readyz").await.expect(200);
    service.stop(nix::sys::signal::Signal::SIGTERM);
    for (name, value, meant) in [
        ("TENANTRY_PRT", "8080", ""),
        ("TENANTRY_SMTP_PROT", "25", "Did you mean TENANTRY_SMTP_PORT?"),
        ("TENANTRY_PORT", "8080", ""),
    ] {
        let refused = linked(Tenantry::on(&database)).with(name, value).run(&["serve"]).expect(6);
        assert!(
            refused.err.contains(&format!("{name}: is not a setting")) && refused.err.contains(meant),
            "{}",
            refused.err
        );
    }
}

#[test]
fn a_database_url_that_cannot_work_is_a_wrong_setting_everywhere() {
    for (query, named) in
        [("schema=public", "\"schema\""), ("sslmode=no-verify", "no-verify"), ("pgbouncer=true", "\"pgbouncer\"")]
    {
        let tenantry = Tenantry::at(&format!("postgres://u:s3cret@127.0.0.1:1/db?{query}"));
        for command in [&["serve"][..], &["tenant", "list"], &["migrate", "run"], &["config"]] {
            let refused = tenantry.run(command).expect(6);
            let said = [refused.out, refused.err].concat();
            assert!(said.contains("TENANTRY_DATABASE_URL") && said.contains(named), "{command:?}: {said}");
            assert!(!said.contains("s3cret"), "{said}");
        }
    }
    // One that may work later is none.
    Tenantry::at("postgres://u:s3cret@127.0.0.1:1/db?sslmode=require").run(&["config"]).expect(0);
}
