//! `tenantry tenant`: what operators do to tenants.

use std::fs;

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use tenantry_tests::App;

use super::{commands::done_by_ada, kit::Tenantry};

#[tokio::test]
async fn a_first_owner_is_invited_instead_of_given_a_key() {
    let app = App::start().await;
    let tenantry = Tenantry::on(&app.database);
    let create =
        ["tenant", "create", "--name", "Beta", "--country", "NL", "--max-workspaces", "2", "--max-members", "none"];
    let made = tenantry.json(&[&create[..], &["--owner-email", "ada@example.com"]].concat());
    let members: Vec<_> = made.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["tenant", "brand", "invitationId"]);
    assert_eq!(
        made["tenant"]["limits"],
        json!({ "maxWorkspaces": 2, "maxMembers": null, "maxAgents": null, "maxMinutes": null, "maxPendingInvitations": null, "maxEmailsPerDay": null, "maxEmailsPerRecipient": null, "requestsPerSecond": null, "requestBurst": null })
    );
    let invitation = made["invitationId"].as_str().unwrap();
    let queued = format!("SELECT FROM outbox_messages WHERE subject_id = '{invitation}' AND state = 'pending'");
    assert_eq!((app.database.rows(&queued), app.database.rows("SELECT FROM api_keys")), (1, 0));
    let text = tenantry.run(&[&create[..], &["--owner-email", "bob@example.com"]].concat()).expect(0).out;
    assert!(text.contains("invited  ") && !text.contains("API key"), "{text}");
    let wrong = ["--owner-email", "bob", "--max-workspaces", "-1", "--max-members", "many"];
    let refused = tenantry.run(&[&["tenant", "create", "--name", "C", "--country", "NL"][..], &wrong].concat());
    assert_eq!(refused.code, 2, "{}", refused.err);
}

#[tokio::test]
async fn a_tenant_is_changed_limited_suspended_deleted_and_brought_back() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    acme.workspace("DACH").await;
    let (tenantry, id) = (Tenantry::on(&app.database), acme.id.to_string());
    let of = |command: &[&str]| tenantry.json(&[&["tenant"][..], command].concat());
    assert_eq!(of(&["update", &id, "--name", "Acme Ltd", "--country", "CH"])["name"], "Acme Ltd");
    let limited = of(&["limit", &id, "--max-workspaces", "1"]);
    assert_eq!(
        limited["limits"],
        json!({ "maxWorkspaces": 1, "maxMembers": null, "maxAgents": null, "maxMinutes": null, "maxPendingInvitations": null, "maxEmailsPerDay": null, "maxEmailsPerRecipient": null, "requestsPerSecond": null, "requestBurst": null })
    );
    assert_eq!(limited["use"]["workspaces"], 1);
    acme.owner.post("/api/workspaces", json!({ "name": "More" })).await.expect(409);
    assert_eq!(of(&["limit", &id, "--max-workspaces", "none"])["limits"]["maxWorkspaces"], Value::Null);
    assert_eq!(of(&["suspend", &id])["state"], "suspended");
    assert_eq!(acme.owner.get("/api/me").await.expect(401).body["code"], "tenant_suspended");
    assert_eq!(of(&["reactivate", &id])["state"], "active");
    acme.owner.get("/api/me").await.expect(200);
    assert_eq!(of(&["delete", "--yes", &id]), json!({ "deleted": id }));
    acme.owner.get("/api/me").await.expect(401);
    beta.owner.get("/api/me").await.expect(200);
    let names = |filter: &[&str]| {
        let list = of(&[&["list"][..], filter].concat());
        list.as_array().unwrap().iter().map(|tenant| tenant["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), ["Acme Ltd", "Beta"]);
    assert_eq!(names(&["--state", "deleted"]), ["Acme Ltd"]);
    assert_eq!(names(&["--state", "active", "--search", "ET"]), ["Beta"]);
    let table = tenantry.run(&["tenant", "list"]).expect(0).out;
    assert!(table.contains("STATE") && table.contains("deleted") && table.contains("active"), "{table}");
    assert_eq!(tenantry.run(&["tenant", "suspend", &id]).code, 4, "it is deleted");
    assert_eq!(tenantry.run(&["tenant", "delete", "--yes", &id]).code, 3);
    assert_eq!(of(&["restore", &id])["state"], "active");
    acme.owner.get("/api/me").await.expect(200);
    for (action, times) in [("administer", 3), ("suspend", 1), ("reactivate", 1), ("delete", 1), ("restore", 1)] {
        assert_eq!(done_by_ada(&app.database, &format!("tenant.{action}")), times, "{action}");
    }
}

#[tokio::test]
async fn wrong_usage_is_told_from_what_is_not_there() {
    let app = App::start().await;
    let id = app.tenant("Acme").await.id.to_string();
    let (tenantry, unused) = (Tenantry::on(&app.database), uuid::Uuid::now_v7().to_string());
    let code = |arguments: &[&str]| tenantry.run(&[&["tenant"][..], arguments].concat()).code;
    for verb in ["suspend", "reactivate", "restore"] {
        assert_eq!((code(&[verb, &unused]), code(&[verb, "Nobody"]), code(&[verb])), (3, 3, 2), "{verb}");
    }
    assert_eq!((code(&["delete", "--yes", &unused]), code(&["delete", "--yes"])), (3, 2));
    assert_eq!((code(&["update", &id]), code(&["limit", &id])), (2, 2), "nothing to change");
    assert_eq!((code(&["update", &id, "--name", " "]), code(&["limit", &id, "--max-members", "1.5"])), (2, 2));
    assert_eq!((code(&["update", &unused, "--name", "A"]), code(&["limit", &unused, "--max-members", "1"])), (3, 3));
    assert_eq!(code(&["list", "--state", "gone"]), 2);
}

#[tokio::test]
async fn what_is_due_is_erased_as_the_owner_and_nothing_else() {
    let app = App::start().await;
    let (acme, beta, gamma) = (app.tenant("Acme").await, app.tenant("Beta").await, app.tenant("Gamma").await);
    let tenantry = Tenantry::on(&app.database);
    let [acme_id, beta_id, gamma_id] = [&acme, &beta, &gamma].map(|tenant| tenant.id.to_string());
    assert_eq!(tenantry.json(&["tenant", "erase", "--yes"]), json!({ "erased": [] }));
    tenantry.json(&["tenant", "delete", "--yes", &beta_id]);
    for id in [&acme_id, &gamma_id] {
        tenantry.json(&["tenant", "delete", "--yes", id]);
        let sql = format!("UPDATE tenants SET deleted_at = now() - interval '31 days' WHERE id = '{id}'");
        app.database.admin().batch_execute(&sql).unwrap();
    }
    let only = |id: &str| tenantry.run(&["tenant", "erase", "--yes", "--tenant", id]);
    let early = only(&beta_id).expect(4);
    assert!(early.err.contains("can be restored until"), "{}", early.err);
    only(&uuid::Uuid::now_v7().to_string()).expect(3);
    let service = Tenantry::at(&app.database.service_url()).run(&["tenant", "erase", "--yes"]);
    assert!(service.code == 1 && service.err.contains("TENANTRY_OWNER_DATABASE_URL"), "{}", service.err);
    assert_eq!(only(&gamma_id).expect(0).out, format!("erased  {gamma_id}\n"));
    assert_eq!(tenantry.json(&["tenant", "erase", "--yes"]), json!({ "erased": [acme_id] }));
    let left = tenantry.json(&["tenant", "list"]);
    assert_eq!((left.as_array().unwrap().len(), &left[0]["id"]), (1, &json!(beta_id)));
    assert_eq!(tenantry.run(&["tenant", "erase", "--yes"]).expect(0).out, "nothing to erase\n");
}

#[tokio::test]
async fn a_tenant_is_exported_to_a_file_or_the_standard_output_and_imported_into_an_empty_one() {
    let app = App::start().await;
    let (acme, beta, gamma) = (app.tenant("Acme").await, app.tenant("Beta").await, app.tenant("Gamma").await);
    acme.workspace("DACH").await;
    let tenantry = Tenantry::on(&app.database);
    let [acme_id, beta_id, gamma_id] = [&acme, &beta, &gamma].map(|tenant| tenant.id.to_string());
    let out = tenantry.run(&["tenant", "export", &acme_id]).expect(0).out;
    let header: Value = serde_json::from_str(out.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&header["type"], &header["version"], &header["tenant"]["name"]),
        (&json!("export"), &json!(2), &json!("Acme"))
    );
    let done = tenantry.json(&["tenant", "export", &acme_id, "--file", "acme.ndjson"]);
    assert_eq!((&done["exported"]["workspaces"], &done["file"]), (&json!(1), &json!("acme.ndjson")));
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(tenantry.path("acme.ndjson")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let imported = tenantry.json(&["tenant", "import", &beta_id, "--file", "acme.ndjson"]);
    assert_eq!((&imported["imported"]["brands"], &imported["imported"]["apiKeys"]), (&json!(1), &json!(0)));
    assert_eq!(beta.owner.get("/api/workspaces").await.expect(200).body["data"][0]["name"], "DACH");
    assert_eq!((done_by_ada(&app.database, "tenant.export"), done_by_ada(&app.database, "tenant.import")), (2, 1));
    let full = tenantry.run(&["tenant", "import", &acme_id, "--file", "acme.ndjson"]).expect(4);
    assert!(full.err.contains("needs an empty tenant"), "{}", full.err);
    let broken = out.replace("\"DACH\"", "\" \"");
    fs::write(tenantry.path("broken.ndjson"), broken).unwrap();
    let refused = tenantry.run(&["tenant", "import", &gamma_id, "--file", "broken.ndjson"]).expect(2);
    assert!(refused.err.contains("line 3 name: must not be empty"), "{}", refused.err);
    let nothing = tenantry.run(&["tenant", "import", &gamma_id]).expect(2);
    assert!(nothing.err.contains("line 1: must be the header"), "{}", nothing.err);
    tenantry.run(&["tenant", "import", &gamma_id, "--file", "missing.ndjson"]).expect(1);
    let unused = uuid::Uuid::now_v7().to_string();
    tenantry.run(&["tenant", "export", &unused, "--file", "unused.ndjson"]).expect(3);
    assert!(!tenantry.path("unused.ndjson").exists(), "nothing half is left");
}

#[tokio::test]
async fn an_export_overwrites_nothing_and_leaves_nothing_half() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    acme.workspace("DACH").await;
    let tenantry = Tenantry::on(&app.database);
    let export = ["tenant", "export", "Acme", "--file", "acme.ndjson"];
    fs::write(tenantry.path("acme.ndjson"), "dear").unwrap();
    let there = tenantry.run(&export).expect(4);
    assert!(there.err.contains("acme.ndjson already exists"), "{}", there.err);
    assert_eq!(fs::read_to_string(tenantry.path("acme.ndjson")).unwrap(), "dear");
    assert_eq!(done_by_ada(&app.database, "tenant.export"), 0, "it looked before it read");
    fs::remove_file(tenantry.path("acme.ndjson")).unwrap();
    let files = || fs::read_dir(tenantry.path(".")).unwrap().count();
    let before = files();
    // No file may be larger than 512 bytes.
    let small = tenantry.run_in_a_shell("trap '' XFSZ; ulimit -f 1; exec \"$@\"", &export).expect(1);
    assert!(small.err.contains("cannot write the export"), "{}", small.err);
    let nowhere = tenantry.run(&["tenant", "export", "Acme", "--file", "missing/acme.ndjson"]).expect(1);
    assert!(nowhere.err.contains("cannot write the export to missing/acme.ndjson"), "{}", nowhere.err);
    assert_eq!(files(), before, "nothing is left of either");
    let full = tenantry.run_in_a_shell("exec \"$@\" > /dev/full", &["tenant", "export", "Acme"]).expect(1);
    assert!(full.err.contains("The disk is full: free some space"), "{}", full.err);
    let out = tenantry.run(&["tenant", "export", "acme", "--file", "-"]).expect(0).out;
    fs::write(tenantry.path("piped.ndjson"), &out).unwrap();
    // A pipe cannot be read twice, and is copied.
    let import = ["tenant", "import", "Beta", "--file", "/dev/stdin"];
    tenantry.run_in_a_shell("cat piped.ndjson | \"$@\"", &import).expect(0);
    assert_eq!(beta.owner.get("/api/workspaces").await.expect(200).body["data"][0]["name"], "DACH");
    let directory = tenantry.run(&["tenant", "import", "Beta", "--file", "."]).expect(1);
    assert!(directory.err.contains("cannot read .: is a directory"), "{}", directory.err);
    let asked = tenantry.run_on_a_terminal(&["tenant", "import", "Beta"], "").expect(2);
    assert!(asked.err.contains("with --file, or pipe it in"), "{}", asked.err);
}
