//! What destroys something asks first, and can be rehearsed.

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use tenantry_tests::{App, Rows, TestDatabase};

use super::{commands::done_by_ada, kit::Tenantry};

#[tokio::test]
async fn without_a_terminal_nothing_is_destroyed_unless_somebody_said_yes() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (_, key) = acme.key_with_id(&["tenant:read"], json!({})).await;
    acme.workspace("DACH").await;
    let tenantry = Tenantry::on(&app.database);
    let before = Rows::of(&app.database).all();
    let of_acme = ["--tenant", "Acme"];
    for command in [
        &["tenant", "delete", "Acme"][..],
        &["tenant", "erase"],
        &["migrate", "revert"],
        &["migrate", "redo"],
        &["reseal", "--discard-unopened"],
        &[&["key", "revoke", &key][..], &of_acme].concat(),
        &[&["member", "remove", "--email", "ada@example.com"][..], &of_acme].concat(),
        &[&["workspace", "delete", "DACH"][..], &of_acme].concat(),
        &[&["brand", "delete", "Acme"][..], &of_acme].concat(),
    ] {
        let refused = tenantry.run(command).expect(2);
        assert!(refused.err.contains("--yes") && refused.err.contains("--dry-run"), "{command:?} {}", refused.err);
        let both = tenantry.run(&[command, &["--yes", "--dry-run"]].concat()).expect(2);
        assert!(both.err.contains("cannot be used with"), "{command:?} {}", both.err);
    }
    assert_eq!(Rows::of(&app.database).all(), before);
}

#[tokio::test]
async fn on_a_terminal_the_answer_decides() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let tenantry = Tenantry::on(&app.database);
    for answer in ["n\n", "\n", "yes please\n"] {
        let declined = tenantry.run_on_a_terminal(&["tenant", "delete", "Acme"], answer).expect(1);
        assert!(
            declined.err.contains("Go ahead? [y/N]") && declined.err.contains("nothing has changed"),
            "{declined:?}"
        );
        assert_eq!(done_by_ada(&app.database, "tenant.delete"), 0);
    }
    let agreed = tenantry.run_on_a_terminal(&["tenant", "delete", "Acme"], "y\n").expect(0);
    let (id, back) = (acme.id.to_string(), format!("`tenantry tenant restore {}`", acme.id));
    for said in ["tenant \"Acme\"", &id, "0 workspaces, 0 members", "1 usable API key", "For 30 days", &back] {
        assert!(agreed.err.contains(said), "{said}: {}", agreed.err);
    }
    assert!(agreed.out.starts_with(&format!("deleted  {id}")), "{}", agreed.out);
    assert_eq!(done_by_ada(&app.database, "tenant.delete"), 1);
    // Nothing is made in it that nobody can use; reading goes on.
    for made in [["key", "create"], ["workspace", "create"]] {
        let refused = tenantry.run(&[&made[..], &["--tenant", &id, "--name", "Late"]].concat()).expect(4);
        assert!(refused.err.contains("This tenant is deleted. Restore it first."), "{}", refused.err);
    }
    tenantry.run(&["workspace", "list", "--tenant", &id]).expect(0);
    let gone = tenantry.run_on_a_terminal(&["tenant", "delete", &id], "y\n").expect(3);
    assert!(!gone.err.contains("Go ahead?"), "what cannot be done is not asked: {}", gone.err);
    assert_eq!(tenantry.json(&["tenant", "restore", "Acme"])["state"], "active");
}

#[tokio::test]
async fn a_rehearsal_says_what_would_happen_and_changes_nothing() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (_, key) = acme.key_with_id(&["tenant:read"], json!({ "name": "CRM" })).await;
    let workspace = acme.workspace("DACH").await;
    let other = acme.owner.post("/api/brands", json!({ "name": "Other", "emailFromName": "Other" })).await.expect(201);
    acme.key_with_id(&["tenant:read"], json!({ "brandId": other.id() })).await;
    let tenantry = Tenantry::on(&app.database);
    let person = ["--issuer", "https://login.example.com/", "--subject", "bob", "--workspace", "DACH"];
    let create = ["member", "create", "--tenant", "Acme", "--email", "bob@example.com", "--role", "agent"];
    tenantry.json(&[&create[..], &person].concat());
    let before = Rows::of(&app.database).all();
    let would = |command: &[&str]| {
        let plan = tenantry.json(&[command, &["--dry-run"]].concat());
        assert_eq!(plan["dryRun"], true, "{command:?}");
        let words = tenantry.run(&[command, &["--dry-run"]].concat()).expect(0).out;
        assert!(words.contains("This was a dry run: nothing has changed."), "{words}");
        plan
    };
    let deleted = would(&["tenant", "delete", "Acme"]);
    let numbers = ["workspaces", "members", "pendingInvitations", "apiKeys", "restorableDays"];
    assert_eq!(numbers.map(|name| deleted[name].clone()), [1, 1, 0, 3, 30].map(Value::from));
    assert_eq!(deleted["delete"], json!({ "id": acme.id.to_string(), "name": "Acme" }));
    let of_acme = |command: &[&str]| would(&[command, &["--tenant", "Acme"]].concat());
    assert_eq!(of_acme(&["key", "revoke", &key])["revoke"], json!({ "id": key, "name": "CRM" }));
    let removed = of_acme(&["member", "remove", "--email", "bob@example.com"]);
    assert_eq!((&removed["remove"]["email"], &removed["assignments"]), (&json!("bob@example.com"), &json!(1)));
    let gone = of_acme(&["workspace", "delete", "DACH"]);
    assert_eq!((&gone["delete"]["id"], &gone["members"], &gone["agents"]), (&json!(workspace), &json!(1), &json!(0)));
    assert_eq!(of_acme(&["brand", "delete", "Other"])["apiKeys"], 1);
    assert_eq!(would(&["reseal", "--discard-unopened"])["unopened"], 0);
    // What would be refused is refused.
    let refused = tenantry.run(&["brand", "delete", "--tenant", "Acme", "acme", "--dry-run"]).expect(4);
    assert!(refused.err.contains("default brand"), "{}", refused.err);
    assert_eq!(Rows::of(&app.database).all(), before);
}

#[tokio::test]
async fn a_rehearsed_erasure_counts_the_rows() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    acme.workspace("DACH").await;
    let tenantry = Tenantry::on(&app.database);
    assert_eq!(tenantry.json(&["tenant", "erase", "--dry-run"]), json!({ "dryRun": true, "erase": [] }));
    tenantry.json(&["tenant", "delete", "Acme", "--yes"]);
    let sql = "UPDATE tenants SET deleted_at = now() - interval '31 days'";
    app.database.admin().batch_execute(sql).unwrap();
    let before = Rows::of(&app.database).all();
    let plan = tenantry.json(&["tenant", "erase", "--tenant", "Acme", "--dry-run"]);
    assert_eq!(plan["erase"][0]["tenant"], json!({ "id": acme.id.to_string(), "name": "Acme" }));
    assert_eq!((&plan["erase"][0]["rows"]["workspaces"], &plan["erase"][0]["rows"]["brands"]), (&json!(1), &json!(1)));
    let declined = tenantry.run_on_a_terminal(&["tenant", "erase"], "n\n").expect(1);
    assert!(declined.err.contains("1 deleted tenant, with everything in them"), "{}", declined.err);
    assert_eq!(Rows::of(&app.database).all(), before);
    assert_eq!(tenantry.json(&["tenant", "erase", "--yes"]), json!({ "erased": [acme.id.to_string()] }));
}

#[tokio::test]
async fn a_rehearsed_reversal_names_the_tables_with_their_rows() {
    let app = App::start().await;
    for name in ["Acme", "Beta"] {
        app.tenant(name).await.workspace("DACH").await;
    }
    let tenantry = Tenantry::on(&app.database);
    let (before, schema) = (Rows::of(&app.database).all(), tenantry.json(&["migrate", "status"]));
    let count = schema.as_array().unwrap().len().to_string();
    let plan = tenantry.json(&["migrate", "revert", "--count", &count, "--dry-run"]);
    assert_eq!(plan["undo"].as_array().unwrap().len().to_string(), count);
    let tables = plan["dropTables"].as_array().unwrap();
    for (name, rows) in [("tenants", 2), ("brands", 2), ("workspaces", 2), ("members", 0)] {
        assert!(tables.contains(&json!({ "name": name, "rows": rows })), "{name}: {plan}");
    }
    // Back to where a column was added that other migrations follow.
    let migrations = schema.as_array().unwrap();
    let after = migrations.iter().rev().position(|one| one.to_string().contains("_number_workspaces")).unwrap();
    let count = (after + 1).to_string();
    let last = tenantry.json(&["migrate", "revert", "--count", &count, "--dry-run"]);
    assert!(last["dropColumns"].as_array().unwrap().contains(&json!("workspaces.number")), "{last}");
    let declined = tenantry.run_on_a_terminal(&["migrate", "revert", "--count", &count], "n\n").expect(1);
    assert!(declined.err.contains("column workspaces.number"), "{}", declined.err);
    assert_eq!(tenantry.json(&["migrate", "status"]), schema);
    assert_eq!(Rows::of(&app.database).all(), before);
}

#[test]
fn nothing_to_undo_is_said_and_not_asked() {
    let database = TestDatabase::unmigrated();
    let tenantry = Tenantry::on(&database);
    let dry = tenantry.run(&["migrate", "revert", "--dry-run"]).expect(0);
    assert!(dry.out.starts_with("There is nothing to undo."), "{}", dry.out);
    let nothing = tenantry.run_on_a_terminal(&["migrate", "revert"], "").expect(0);
    assert_eq!(nothing.out, "nothing to undo\n");
}

#[tokio::test]
async fn what_is_done_is_what_was_asked_about_whatever_happens_meanwhile() {
    let app = App::start().await;
    let tenantry = Tenantry::on(&app.database);
    let behind = |sql: &str| app.database.admin().batch_execute(sql).unwrap();

    // A name that has come to mean another workspace.
    let acme = app.tenant("Acme").await;
    let (nordics, dach) = (acme.workspace("Nordics").await, acme.workspace("DACH").await);
    let swap = "UPDATE workspaces SET name = 'Baltics' WHERE name = 'Nordics';
                UPDATE workspaces SET name = 'Nordics' WHERE name = 'DACH'";
    let delete = ["workspace", "delete", "--tenant", "Acme", "Nordics"];
    tenantry.run_while_it_asks(&delete, || behind(swap), "y\n").expect(0);
    acme.owner.get(&format!("/api/workspaces/{nordics}")).await.expect(404);
    acme.owner.get(&format!("/api/workspaces/{dach}")).await.expect(200);

    // A tenant that has become due.
    for name in ["Beta", "Gamma"] {
        app.tenant(name).await;
        tenantry.json(&["tenant", "delete", name, "--yes"]);
    }
    let due = |name: &str| behind(&format!("UPDATE tenants SET deleted_at = '2026-01-01' WHERE name = '{name}'"));
    due("Beta");
    let erased = tenantry.run_while_it_asks(&["tenant", "erase"], || due("Gamma"), "y\n").expect(0);
    assert_eq!(erased.out.lines().count(), 1, "{}", erased.out);
    assert_eq!(app.database.rows("SELECT 1 FROM tenants WHERE name = 'Gamma'"), 1);

    // A migration that somebody else has undone.
    let undo = ["migrate", "revert"];
    let meanwhile = || drop(tenantry.run(&["migrate", "revert", "--yes"]).expect(0));
    let refused = tenantry.run_while_it_asks(&undo, meanwhile, "y\n").expect(4);
    assert!(refused.err.contains("nothing was undone"), "{}", refused.err);
    let pending = tenantry.run(&["migrate", "status", "--output", "json"]).expect(5).out;
    assert_eq!(pending.matches("pending").count(), 1, "{pending}");
}
