//! What operators do at the command line, and that it is written down who did it.

use serde_json::{Value, json};
use tenantry_tests::{App, TestDatabase};

use super::kit::Tenantry;

#[test]
fn every_command_explains_itself() {
    let tenantry = Tenantry::embedded();
    let mut commands: Vec<Vec<String>> = vec![Vec::new()];
    let mut read = 0;
    while let Some(command) = commands.pop() {
        let mut arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        arguments.push("--help");
        let help = tenantry.run(&arguments).expect(0).out;
        let (about, rest) = help.split_once("Usage: tenantry").unwrap_or_else(|| panic!("{arguments:?}: {help}"));
        assert!(about.trim().len() > 10, "{arguments:?} says what it does: {help}");
        assert!(help.lines().all(|line| line.chars().count() <= 120), "{help}");
        read += 1;
        let below = rest.split_once("Commands:\n").map_or("", |(_, rest)| rest.split("\n\n").next().unwrap());
        for name in below.lines().map(|line| line.split_whitespace().next().unwrap()).filter(|name| *name != "help") {
            commands.push([command.clone(), vec![name.to_owned()]].concat());
        }
    }
    assert!(read >= 20, "{read} texts");
    assert!(!tenantry.path("data").exists(), "reading is free");
    tenantry.run(&["tenant", "crate"]).expect(2);
    tenantry.run(&[]).expect(2);
    assert!(tenantry.run(&["--help"]).out.contains("Exit codes:"));
    assert!(tenantry.run(&["--version"]).expect(0).out.starts_with("tenantry 0."));
}

#[test]
fn the_openapi_document_needs_neither_settings_nor_a_database() {
    let tenantry = Tenantry::embedded().with("TENANTRY_WORKERS", "none");
    let document = tenantry.json(&["openapi"]);
    assert!(document["paths"]["/api/workspaces/{workspaceId}"]["get"].is_object());
    let yaml = tenantry.run(&["openapi"]).expect(0).out;
    assert_eq!(yaml.trim_end(), tenantry_http::to_yaml(&tenantry_http::document()).unwrap().trim_end());
}

/// What the audit log says an operator named Ada did: actions, oldest first.
pub(crate) fn done_by_ada(database: &TestDatabase, action: &str) -> i64 {
    database.rows(&format!(
        "SELECT 1 FROM audit_events WHERE actor_type = 'operator' AND actor_id = 'ada' AND action = '{action}'"
    ))
}

#[tokio::test]
async fn a_tenant_that_is_created_has_a_brand_and_a_key_that_works() {
    let app = App::start().await;
    let tenantry = Tenantry::on(&app.database);
    let made = tenantry.json(&["tenant", "create", "--name", "Beta", "--country", "NL"]);
    let members: Vec<_> = made.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["tenant", "brand", "apiKey"]);
    let owner = app.client().with_key(made["apiKey"].as_str().unwrap());
    let seen = owner.get("/api/tenant").await.expect(200).body;
    for member in ["id", "name", "defaultCountry", "limits", "createdAt"] {
        assert_eq!(seen[member], made["tenant"][member], "{member}");
    }
    let brand = format!("/api/brands/{}", made["brand"]["id"].as_str().unwrap());
    assert_eq!(owner.get(&brand).await.expect(200).body, made["brand"]);
    assert_eq!((&made["tenant"]["name"], &made["brand"]["isDefault"]), (&json!("Beta"), &json!(true)));
    let id = made["tenant"]["id"].as_str().unwrap();
    assert_eq!(tenantry.json(&["tenant", "list"]), json!([made["tenant"]]));
    let shown = tenantry.json(&["tenant", "show", id]);
    assert_eq!(shown["use"], json!({ "workspaces": 0, "members": 0, "pendingInvitations": 0 }));
    for (member, value) in made["tenant"].as_object().unwrap() {
        assert_eq!(&shown[member], value, "{member}");
    }
    assert_eq!(done_by_ada(&app.database, "tenant.create"), 1);
    let text = tenantry.run(&["tenant", "create", "--name", "Gamma", "--country", "BE"]).expect(0).out;
    let key = text.split_whitespace().find(|word| word.starts_with("tnt_live_v1_")).unwrap();
    app.client().with_key(key).get("/api/me").await.expect(200);
    assert!(text.contains("it is not shown again"), "{text}");
    let list = tenantry.run(&["tenant", "list"]).expect(0).out;
    assert!(list.contains("Beta") && list.contains("Gamma") && !list.contains("tnt_"), "{list}");
}

#[test]
fn refused_values_are_all_named_and_nothing_is_made() {
    let database = TestDatabase::new();
    let tenantry = Tenantry::on(&database);
    let create = ["tenant", "create", "--name", " ", "--country", "de", "--language", "iw", "--currency", "HRK"];
    let create = [&create[..], &["--type", "B2B"]].concat();
    let refused = tenantry.run(&create).expect(2);
    for name in ["name:", "country:", "language:", "currency:", "type:"] {
        assert!(refused.err.contains(name), "{name} {}", refused.err);
    }
    let refused = tenantry.run(&[&create[..], &["--output", "json"]].concat()).expect(2);
    let error: Value = serde_json::from_str(&refused.err).expect("JSON for a script");
    let fields: Vec<_> = error["fields"].as_array().unwrap().iter().map(|field| field["field"].clone()).collect();
    assert_eq!(fields, ["name", "country", "language", "currency", "type"]);
    assert_eq!((&error["exitCode"], refused.out.as_str()), (&json!(2), ""));
    assert_eq!(database.rows("SELECT FROM tenants"), 0);
}

#[tokio::test]
async fn keys_are_made_listed_shown_rotated_and_revoked() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let tenantry = Tenantry::on(&app.database);
    let id = acme.id.to_string();
    let of = |command: &[&str]| tenantry.json(&[&["key"][..], command, &["--tenant", &id]].concat());
    let made = of(&["create", "--name", "CRM", "--scope", "tenant:read", "--brand", &acme.brand, "--mode", "test"]);
    let crm = app.client().with_key(made["apiKey"].as_str().unwrap());
    crm.get("/api/tenant").await.expect(200);
    crm.get("/api/brands").await.expect(403);
    let key = made["key"]["id"].as_str().unwrap();
    assert_eq!(made["key"]["brandId"], acme.brand.as_str());
    assert_eq!(of(&["show", key])["name"], "CRM");
    assert_eq!(of(&["list"]).as_array().unwrap().len(), 2);
    let rotated = of(&["rotate", key, "--overlap", "0s"]);
    crm.get("/api/tenant").await.expect(401);
    let crm = app.client().with_key(rotated["apiKey"].as_str().unwrap());
    crm.get("/api/tenant").await.expect(200);
    let key = rotated["key"]["id"].as_str().unwrap();
    assert_eq!(of(&["revoke", key, "--yes"]), json!({ "revoked": key }));
    crm.get("/api/tenant").await.expect(401);
    let shown = tenantry.run(&["key", "list", "--tenant", &id]).expect(0).out;
    assert!(shown.contains("revoked") && shown.contains("expired") && shown.contains("active"), "{shown}");
    for secret in [&made, &rotated] {
        assert!(!shown.contains(&secret["apiKey"].as_str().unwrap()[34..66]), "{shown}");
    }
    for action in ["api_key.create", "api_key.rotate", "api_key.revoke"] {
        assert_eq!(done_by_ada(&app.database, action), 1, "{action}");
    }
}

#[tokio::test]
async fn what_is_not_there_and_what_is_no_id_are_told_apart_for_an_operator() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let (_, key) = beta.key_with_id(&["tenant:read"], json!({})).await;
    let tenantry = Tenantry::on(&app.database);
    let (unused, id) = (uuid::Uuid::now_v7().to_string(), acme.id.to_string());
    let code = |arguments: &[&str]| tenantry.run(arguments).code;
    assert_eq!(code(&["tenant", "show", &unused]), 3);
    assert_eq!(code(&["tenant", "show", "Nobody"]), 3);
    assert_eq!(code(&["key", "list", "--tenant", &unused]), 3);
    assert_eq!(code(&["key", "create", "--tenant", &unused, "--name", "k"]), 3);
    assert_eq!(code(&["key", "show", &unused, "--tenant", &id]), 3);
    assert_eq!(code(&["key", "show", &key, "--tenant", &id]), 3, "another tenant's");
    assert_eq!(code(&["key", "revoke", "--yes", &key, "--tenant", &id]), 3);
    assert_eq!(code(&["key", "rotate", &key, "--tenant", &id, "--overlap", "8days"]), 2);
    let wrong = ["key", "create", "--tenant", &id, "--name", "k", "--scope", "everything", "--mode", "prod"];
    let refused = tenantry.run(&wrong).expect(2);
    assert!(refused.err.contains("scope:") && refused.err.contains("mode:"), "{}", refused.err);
    assert_eq!(code(&["key", "revoke", "--yes", &key, "--tenant", &beta.id.to_string()]), 0);
    assert_eq!(code(&["key", "rotate", &key, "--tenant", &beta.id.to_string()]), 4, "it has ended");
    assert_eq!(done_by_ada(&app.database, "api_key.revoke"), 1);
}
