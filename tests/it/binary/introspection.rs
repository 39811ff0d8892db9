//! Service keys and declared permissions, from the commands and the settings file to a service that asks.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::json;
use tenantry_tests::TestDatabase;

use super::kit::Tenantry;

const PERMISSIONS: &str = "[[permissions]]\nname = \"conversations:read\"\nroles = [\"owner\", \"agent\"]\nlevel = \"brand\"\n\
     description = \"Reads conversations.\"\n";

fn with_file(tenantry: Tenantry, text: &str) -> Tenantry {
    let file = tenantry.path("tenantry.toml");
    fs::write(&file, text).unwrap();
    tenantry.with("TENANTRY_CONFIG", file.to_str().unwrap())
}

#[tokio::test]
async fn a_service_key_asks_about_a_key_with_a_declared_permission_and_the_log_has_neither() {
    let database = TestDatabase::new();
    let made = Tenantry::embedded().json(&["service-key"]);
    let service_key = made["serviceKey"].as_str().unwrap().to_owned();
    assert!(service_key.starts_with("tnt_svc_v1_"));
    let tenantry = with_file(Tenantry::on(&database), PERMISSIONS)
        .with("TENANTRY_SERVICE_KEY_SHA256", made["sha256"].as_str().unwrap())
        .with("TENANTRY_INTROSPECTION_MAX_AGE", "30s")
        .with("TENANTRY_LOG_LEVEL", "trace");
    tenantry.run(&["tenant", "create", "--name", "Acme", "--country", "DE"]).expect(0);
    let create = ["key", "create", "--tenant", "Acme", "--name", "Bot", "--scope", "conversations:read"];
    let created = tenantry.json(&create);
    let key = created["apiKey"].as_str().unwrap_or_else(|| panic!("{created}")).to_owned();
    let refused = tenantry.run(&[&create[..6], &["--scope", "conversations:write"]].concat()).expect(2);
    assert!(refused.err.contains("conversations:read"), "{}", refused.err);
    let service = tenantry.serve();
    let asker = service.client().with_key(&service_key);
    let questions = json!([{ "permission": "conversations:read" }]);
    let ask = async |token: &str| {
        asker.post("/api/introspect", json!({ "token": token, "questions": questions })).await.expect(200)
    };
    let answer = ask(&key).await;
    assert_eq!((&answer.body["active"], &answer.body["answers"][0]["allowed"]), (&json!(true), &json!(true)));
    assert_eq!(answer.header("cache-control"), "private, max-age=30");
    ask("tnt_live_v1_mistyped4711").await;
    ask("a.mistyped4711.c").await;
    asker.get("/api/tenant").await.expect(403);
    let form = format!("token={key}");
    let request = asker.request("POST", "/api/introspect").header("Content-Type", "application/x-www-form-urlencoded");
    asker.send(request.body(form)).await.expect(200);
    service.signal(Signal::SIGTERM);
    let (_, log) = service.wait();
    assert!(log.contains("/api/introspect"), "the control");
    for secret in [&key[12..], &service_key[11..], "mistyped4711"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn the_policy_is_printed_with_what_is_declared() {
    let tenantry = with_file(Tenantry::embedded(), PERMISSIONS);
    let text = tenantry.run(&["policy"]).expect(0).out;
    assert!(text.contains("\nworkspace.read     |"), "{text}");
    let last = text.trim_end().lines().last().unwrap();
    let columns: Vec<_> = last.split('|').map(str::trim).collect();
    let expected = ["conversations:read", "-", "-", "-", "yes", "-", "-", "yes", "-", "conversations:read (brand)"];
    assert_eq!(columns, expected);
    let json = tenantry.json(&["policy"]);
    assert_eq!(json["permissions"][0]["name"], "conversations:read");
    let record = json["actions"].as_array().unwrap().iter().find(|one| one["action"] == "usage.record").unwrap();
    assert_eq!((&record["scope"], &record["level"]), (&json!("usage:write"), &json!("workspace")));
    let shown = tenantry.run(&["config"]).expect(0).out;
    assert!(shown.contains("permissions[1].name") && shown.contains("owner, agent"), "{shown}");
    assert!(!Tenantry::embedded().run(&["policy"]).expect(0).out.contains("conversations"));
}

#[test]
fn what_is_wrong_with_a_declaration_or_a_hash_ends_the_start_with_6() {
    let wrong = "[[permissions]]\nname = \"workspaces:archive\"\nroles = [\"agent\"]\ndescription = \"Archives.\"\n";
    let refused = with_file(Tenantry::embedded(), wrong).run(&["serve"]).expect(6);
    for said in ["workspaces:archive is a name that Tenantry keeps", "roles must include owner"] {
        assert!(refused.err.contains(said), "{}", refused.err);
    }
    let key = Tenantry::embedded().json(&["service-key"])["serviceKey"].as_str().unwrap().to_owned();
    let refused = Tenantry::embedded().with("TENANTRY_SERVICE_KEY_SHA256", &key).run(&["serve"]).expect(6);
    assert!(refused.err.contains("not the key itself") && !refused.err.contains(&key[11..]), "{}", refused.err);
}
