//! The master keys: the service starts with the right ones and with no others, and what they seal is nowhere else.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use nix::sys::signal::Signal;
use serde_json::json;
use tenantry_auth::seal::MasterKey;
use tenantry_tests::{Canary, Client, ProviderServer, TestDatabase};

use super::kit::{Service, Tenantry};

const PROVIDERS: [&str; 4] = ["twilio", "elevenlabs", "openai", "gohighlevel"];

fn fields(provider: &str, secret: &str) -> serde_json::Value {
    match provider {
        "twilio" => json!({ "sid": "AC0123456789abcdef0123456789abcdef", "authToken": secret }),
        "gohighlevel" => json!({ "locationId": "ve9EPM428h8vShlRW1KT", "accessToken": secret }),
        _ => json!({ "apiKey": secret }),
    }
}

/// Sets the integrations of a new workspace; returns where they are.
async fn connect(owner: &Client, secret: &str) -> String {
    let workspace = owner.post("/api/workspaces", json!({ "name": "DACH" })).await.expect(201).id();
    let path = format!("/api/workspaces/{workspace}/integrations");
    for provider in PROVIDERS {
        owner.put(&format!("{path}/{provider}"), fields(provider, secret)).await.expect(200);
    }
    path
}

fn stop(service: Service) {
    service.signal(Signal::SIGTERM);
    assert_eq!(service.wait().0, Some(0));
}

#[test]
fn without_a_key_nothing_is_served_and_everything_else_works() {
    let database = TestDatabase::new();
    let tenantry = Tenantry::on(&database).without("TENANTRY_MASTER_KEY_FILE");
    let refused = tenantry.run(&["serve"]).expect(6);
    assert!(
        refused.err.contains("TENANTRY_MASTER_KEY_FILE is not set")
            && refused.err.contains("`tenantry master-key FILE`")
    );
    tenantry.run(&["reseal"]).expect(6);
    tenantry.run(&["tenant", "list"]).expect(0);
    tenantry.run(&["migrate", "status"]).expect(0);
    tenantry.run(&["config"]).expect(0);
    let halfway = tenantry.with("TENANTRY_OTHER_MASTER_KEY_FILES", "old.key").run(&["serve"]).expect(6);
    assert!(halfway.err.contains("TENANTRY_MASTER_KEY_FILE is not"), "{}", halfway.err);
}

#[test]
fn a_key_that_is_none_is_refused_with_its_file_and_without_its_content() {
    let database = TestDatabase::new();
    let good = MasterKey::generate(1).unwrap();
    let (one, other) = (good.as_str(), MasterKey::generate(1).unwrap());
    let base64 = |bytes: &[u8]| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    for (text, why) in [
        ("", "must be one line such as v1:BASE64"),
        (&one[3..], "must be one line such as v1:BASE64"),
        (&one[..31], "but has 21"),
        (&format!("v1:{}", base64(&[0; 32])), "repeats itself"),
        (&format!("v1:{}", base64(&[7; 32])), "repeats itself"),
        (&format!("v1:{}", "00".repeat(32)), "repeats itself"),
    ] {
        let tenantry = Tenantry::on(&database);
        fs::write(tenantry.path("master.key"), text).unwrap();
        let refused = tenantry.run(&["serve"]).expect(6);
        assert!(refused.err.contains("the master key file master.key") && refused.err.contains(why), "{}", refused.err);
        assert!(text.len() < 10 || !refused.err.contains(&text[3..]), "{}", refused.err);
    }
    let tenantry = Tenantry::on(&database).with("TENANTRY_OTHER_MASTER_KEY_FILES", " old.key, missing.key ");
    fs::write(tenantry.path("old.key"), other.as_str()).unwrap();
    let refused = tenantry.run(&["serve"]).expect(6);
    let wrong = |name: &str| refused.err.lines().any(|line| line.contains(name) && line.contains("cannot be read"));
    assert!(wrong("missing.key") && !wrong("old.key"), "{}", refused.err);
    fs::write(tenantry.path("missing.key"), MasterKey::generate(2).unwrap().as_str()).unwrap();
    let refused = tenantry.run(&["serve"]).expect(6);
    assert!(refused.err.contains("two master key files have version 1"), "{}", refused.err);
}

#[tokio::test]
async fn a_key_that_does_not_open_what_is_stored_is_refused_at_the_start_until_all_is_sealed_anew() {
    let database = TestDatabase::new();
    let tenantry = Tenantry::on(&database);
    let made = tenantry.json(&["tenant", "create", "--name", "Beta", "--country", "NL"]);
    let service = tenantry.serve();
    let path = connect(&service.client().with_key(made["apiKey"].as_str().unwrap()), "canary-567890").await;
    stop(service);
    let (first, impostor) = (fs::read_to_string(tenantry.path("master.key")).unwrap(), MasterKey::generate(1).unwrap());
    let with = |files: &[(&str, &str)]| {
        let mut tenantry = Tenantry::on(&database).with("TENANTRY_MASTER_KEY_FILE", files[0].0);
        if files.len() > 1 {
            tenantry = tenantry.with("TENANTRY_OTHER_MASTER_KEY_FILES", files[1].0);
        }
        for (name, text) in files {
            fs::write(tenantry.path(name), text).unwrap();
        }
        tenantry
    };
    let second = MasterKey::generate(2).unwrap();
    let wrong = with(&[("a.key", &impostor)]).run(&["serve"]).expect(6);
    assert!(wrong.err.contains("version 1 is not the one"), "{}", wrong.err);
    let missing = with(&[("b.key", &second)]).run(&["serve"]).expect(6);
    assert!(
        missing.err.contains("version 1 is missing") && missing.err.contains("OTHER_MASTER_KEY_FILES"),
        "{}",
        missing.err
    );
    stop(with(&[("a.key", &first), ("b.key", &second)]).serve());
    let both = with(&[("b.key", &second), ("a.key", &first)]);
    let service = both.serve();
    let would = both.json(&["reseal", "--dry-run"]);
    assert_eq!((&would["resealed"], &would["left"]), (&json!(4), &json!([{ "version": 1, "secrets": 4 }])));
    let done = both.run(&["reseal"]).expect(0);
    assert!(done.out.contains("re-encrypted under version 2: 4 secrets of 1 tenant\n"), "{}", done.out);
    assert!(done.out.contains("no secret needs another key than version 2"), "{}", done.out);
    stop(service);
    stop(with(&[("b.key", &second)]).serve());
    let missing = with(&[("a.key", &first)]).run(&["serve"]).expect(6);
    assert!(missing.err.contains("version 2 is missing"), "{}", missing.err);
    let lost = with(&[("c.key", &MasterKey::generate(3).unwrap())]);
    assert!(lost.run(&["reseal"]).expect(1).out.contains("still under version 2: 4"));
    // What is given up is named, is really lost, and is kept for a while.
    let unnamed = lost.run(&["reseal", "--discard-unopened", "--yes"]).expect(4);
    assert!(unnamed.err.contains("version 2 is missing") && unnamed.err.contains("--lost-key"), "{}", unnamed.err);
    let never = lost.run(&["reseal", "--discard-unopened", "--lost-key", "9", "--yes"]).expect(4);
    assert!(never.err.contains("no stored secret is encrypted under a master key of version 9"), "{}", never.err);
    let here = with(&[("c.key", &MasterKey::generate(3).unwrap()), ("b.key", &second)]);
    let refused = here.run(&["reseal", "--discard-unopened", "--lost-key", "2", "--yes"]).expect(4);
    assert!(refused.err.contains("version 2 is here, so it is not lost"), "{}", refused.err);
    let discard = ["reseal", "--discard-unopened", "--lost-key", "2"];
    assert_eq!(lost.json(&[&discard[..], &["--dry-run"]].concat())["unopened"], 4);
    let declined = lost.run_on_a_terminal(&discard, "n\n").expect(1);
    assert!(
        declined.err.contains("gives up 4 secrets") && declined.err.contains("version 2 is lost"),
        "{}",
        declined.err
    );
    lost.run(&[&discard[..], &["--yes"]].concat()).expect(0);
    let service = lost.serve();
    let owner = service.client().with_key(made["apiKey"].as_str().unwrap());
    assert_eq!(owner.get(&format!("{path}/openai")).await.expect(200).body["status"], "not_connected");
    owner.put(&format!("{path}/twilio"), fields("twilio", "set-again-567890")).await.expect(200);
    stop(service);
    let found = lost.with("TENANTRY_OTHER_MASTER_KEY_FILES", "b.key");
    fs::write(found.path("b.key"), second.as_str()).unwrap();
    assert_eq!(found.json(&["reseal", "--take-back", "--dry-run"])["takenBack"], 3);
    assert_eq!(found.json(&["reseal", "--take-back"]), json!({ "dryRun": false, "takenBack": 3, "missingKeys": [] }));
    assert_eq!(found.json(&["reseal", "--take-back"])["takenBack"], 0);
    let service = found.serve();
    let owner = service.client().with_key(made["apiKey"].as_str().unwrap());
    for (provider, last_four) in [("openai", "7890"), ("twilio", "7890")] {
        let shown = owner.get(&format!("{path}/{provider}")).await.expect(200);
        assert!(shown.body["status"] == "connected" && shown.text.contains(last_four), "{}", shown.text);
    }
    stop(service);
    assert_eq!(found.json(&["reseal"])["left"], json!([]));
}

#[test]
fn a_key_that_others_can_change_is_refused() {
    let database = TestDatabase::new();
    let tenantry = Tenantry::on(&database);
    let mode = |mode| fs::set_permissions(tenantry.path("master.key"), fs::Permissions::from_mode(mode)).unwrap();
    for open in [0o666, 0o660, 0o602] {
        mode(open);
        let refused = tenantry.run(&["serve"]).expect(6);
        assert!(refused.err.contains(&format!("can be changed by other users (mode {open:04o})")), "{}", refused.err);
    }
    for (fine, warned) in [(0o644, true), (0o444, false), (0o400, false), (0o600, false)] {
        mode(fine);
        let ran = tenantry.run(&["reseal"]).expect(0);
        assert_eq!(ran.err.contains("everybody on this machine can read"), warned, "{fine:o}: {}", ran.err);
    }
}

#[test]
fn a_new_key_goes_into_a_file_of_its_own_with_the_next_version() {
    let database = TestDatabase::new();
    let tenantry = Tenantry::on(&database);
    let before = fs::read_to_string(tenantry.path("master.key")).unwrap();
    let made = tenantry.run(&["master-key", "new.key"]).expect(0);
    assert!(made.out.contains("a master key of version 2"), "{}", made.out);
    let text = fs::read_to_string(tenantry.path("new.key")).unwrap();
    assert!(text.starts_with("v2:") && text.ends_with('\n') && !made.out.contains(&text[3..20]), "{text}");
    assert_eq!(fs::metadata(tenantry.path("new.key")).unwrap().permissions().mode() & 0o777, 0o600);
    let there = tenantry.run(&["master-key", "new.key"]).expect(4);
    assert!(there.err.contains("new.key already exists"), "{}", there.err);
    tenantry.run(&["master-key", "master.key"]).expect(4);
    assert_eq!(tenantry.json(&["master-key", "--if-missing", "new.key"])["made"], false);
    assert_eq!(tenantry.json(&["master-key", "--version", "9", "nine.key"])["version"], 9);
    assert_eq!(fs::read_to_string(tenantry.path("master.key")).unwrap(), before);
    assert_eq!(fs::read_to_string(tenantry.path("new.key")).unwrap(), text);
    // The very first one, into the file that the settings name already.
    fs::remove_file(tenantry.path("master.key")).unwrap();
    assert_eq!(tenantry.json(&["master-key", "master.key"])["version"], 1);
}

#[tokio::test]
async fn the_embedded_database_gets_a_key_once_and_is_not_served_without_it() {
    let tenantry = Tenantry::embedded();
    let service = tenantry.serve();
    service.until_printed("API key");
    let key = fs::read_to_string(tenantry.path("data/demo.key")).unwrap().trim().to_owned();
    let path = tenantry.path("data/master.key");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&path).unwrap();
    service.stop(Signal::SIGTERM);
    let service = tenantry.serve();
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    connect(&service.client().with_key(&key), "canary-567890").await;
    service.stop(Signal::SIGTERM);
    fs::rename(&path, tenantry.path("elsewhere.key")).unwrap();
    let refused = tenantry.run(&["serve"]).expect(6);
    assert!(refused.err.contains("master.key is missing") && refused.err.contains("put it back"), "{}", refused.err);
    assert!(!path.exists(), "no other key in its place");
    fs::rename(tenantry.path("elsewhere.key"), &path).unwrap();
    assert!(tenantry.run(&["reseal"]).expect(0).out.contains("re-encrypted under version 1: 0 secrets of 0 tenants"));
    tenantry.serve().stop(Signal::SIGTERM);
}

#[tokio::test]
async fn a_secret_is_in_no_file_of_the_database_and_in_no_log_line_not_even_the_most_talkative() {
    let providers = ProviderServer::start();
    let mut tenantry = Tenantry::embedded().with("TENANTRY_LOG_LEVEL", "trace");
    for provider in ["TWILIO", "ELEVENLABS", "OPENAI", "GOHIGHLEVEL"] {
        tenantry = tenantry.with(&format!("TENANTRY_{provider}_URL"), &providers.base());
    }
    let service = tenantry.serve();
    service.until_printed("API key");
    let key = fs::read_to_string(tenantry.path("data/demo.key")).unwrap().trim().to_owned();
    let owner = service.client().with_key(&key);
    let canary = Canary::new("sk-proj-");
    let path = connect(&owner, canary.secret()).await;
    for provider in PROVIDERS {
        let verified = owner.post(&format!("{path}/{provider}/verify"), json!({})).await.expect(200);
        assert_eq!(verified.body["verificationStatus"], "ok", "{provider}: {}", verified.text);
        let refused = json!({ "apiKey": canary.secret(), "sid": canary.secret(), "unheardOf": canary.secret() });
        owner.put(&format!("{path}/{provider}"), refused).await.expect(422);
    }
    let metrics = service.client().get("/metrics").await.expect(200);
    assert_eq!(canary.found_in(metrics.text.as_bytes()), None);
    let log = service.stop(Signal::SIGTERM);
    assert!(log.contains("\"level\":\"TRACE\"") && log.contains("/integrations/openai/verify"));
    assert_eq!(canary.found_in(log.as_bytes()), None, "the log");
    let mut looked_at = 0;
    look(&tenantry.path("data"), &mut |file, bytes| {
        looked_at += bytes.len();
        assert_eq!(canary.found_in(bytes), None, "{}", file.display());
    });
    assert!(looked_at > 16 << 20, "the log of the database is among it: {looked_at}");
}

/// Shows every file below a directory.
fn look(directory: &Path, see: &mut impl FnMut(&Path, &[u8])) {
    for entry in fs::read_dir(directory).unwrap() {
        let (path, kind) = entry.map(|entry| (entry.path(), entry.file_type().unwrap())).unwrap();
        if kind.is_dir() {
            look(&path, see);
        } else if kind.is_file() {
            see(&path, &fs::read(&path).unwrap());
        }
    }
}
