//! Tenants, workspaces and brands by their names, and the commands of the latter two.

use serde_json::{Value, json};
use tenantry_tests::App;

use super::{commands::done_by_ada, kit::Tenantry};

#[tokio::test]
async fn a_tenant_is_named_by_its_id_or_by_its_name() {
    let app = App::start().await;
    let (acme, first, second) = (app.tenant("Acme").await, app.tenant("Twin").await, app.tenant("Twin").await);
    let (tenantry, id) = (Tenantry::on(&app.database), acme.id.to_string());
    for named in [&id, "Acme", "acme", " ACME "] {
        assert_eq!(tenantry.json(&["tenant", "show", named])["id"], json!(id), "{named}");
    }
    for command in [
        &["key", "list", "--tenant"][..],
        &["member", "list", "--tenant"],
        &["outbox", "list", "--tenant"],
        &["workspace", "list", "--tenant"],
        &["brand", "list", "--tenant"],
        &["tenant", "suspend"],
        &["tenant", "reactivate"],
        &["tenant", "limit", "--max-agents", "1"],
        &["tenant", "update", "--country", "BE"],
        &["tenant", "export"],
    ] {
        let with = |named| tenantry.run(&[command, &[named]].concat());
        with("Acme").expect(0);
        let unknown = with("Acm").expect(3);
        assert!(unknown.err.contains("no tenant with the id or name \"Acm\""), "{command:?} {}", unknown.err);
        let several = with("Twin").expect(4);
        for id in [first.id, second.id] {
            assert!(several.err.contains(&format!("\n  {id}  active")), "{command:?} {}", several.err);
        }
    }
    // Of two with one name the deleted one is meant only where deleted ones are.
    let named = ["tenant", "delete", "--yes", &first.id.to_string()];
    tenantry.json(&named);
    assert_eq!(tenantry.json(&["tenant", "show", "Twin"])["id"], json!(second.id.to_string()));
    assert_eq!(tenantry.json(&["tenant", "restore", "Twin"])["id"], json!(first.id.to_string()));
}

#[tokio::test]
async fn people_read_what_a_tenant_is() {
    let app = App::start().await;
    app.tenant("Acme").await.workspace("DACH").await;
    let tenantry = Tenantry::on(&app.database);
    tenantry.json(&["tenant", "limit", "Acme", "--max-workspaces", "5"]);
    let text = tenantry.run(&["tenant", "show", "Acme"]).expect(0).out;
    for line in ["name               Acme", "state              active", "workspaces         1, at most 5"] {
        assert!(text.lines().any(|it| it == line), "{line}: {text}");
    }
    tenantry.json(&["tenant", "delete", "Acme", "--yes"]);
    let text = tenantry.run(&["tenant", "show", "Acme"]).expect(0).out;
    assert!(text.contains("deleted on ") && text.contains("erased after "), "{text}");
}

#[tokio::test]
async fn workspaces_are_made_listed_shown_deleted_and_restored() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let tenantry = Tenantry::on(&app.database);
    let of = |command: &[&str]| tenantry.json(&[&["workspace"][..], command, &["--tenant", "Acme"]].concat());
    let made = of(&["create", "--name", "DACH", "--country", "CH", "--brand", "acme", "--instructions", "Be brief."]);
    let id = made["id"].as_str().unwrap();
    assert_eq!(acme.owner.get(&format!("/api/workspaces/{id}")).await.expect(200).body, made, "the view of the API");
    let locale = ["country", "operatingLanguage", "currency", "workspaceType"].map(|name| made[name].clone());
    assert_eq!(locale, ["CH", "de", "CHF", "b2b"].map(Value::from));
    let plain = of(&["create", "--name", "Nordics"]);
    assert_eq!(of(&["list"]), json!([made, plain]));
    assert_eq!(of(&["list", "--search", "nord", "--brand", "Acme"]), json!([plain]));
    assert_eq!(of(&["show", "dach"]), made);
    let text = tenantry.run(&["workspace", "show", "DACH", "--tenant", "Acme"]).expect(0).out;
    assert!(text.contains("instructions    Be brief.") && text.contains("brand           Acme ("), "{text}");
    assert_eq!(of(&["delete", "DACH", "--yes"]), json!({ "deleted": id }));
    assert_eq!((of(&["list"]), of(&["list", "--deleted"])[0]["id"].clone()), (json!([plain]), json!(id)));
    let deleted = tenantry.run(&["workspace", "list", "--deleted", "--tenant", "Acme"]).expect(0).out;
    assert!(deleted.contains("RESTORABLE UNTIL") && deleted.contains("DACH"), "{deleted}");
    tenantry.run(&["workspace", "show", "DACH", "--tenant", "Acme"]).expect(3);
    assert_eq!(of(&["restore", "DACH"])["id"], json!(id));
    assert_eq!(of(&["list", "--deleted"]), json!([]));
    let twin = of(&["create", "--name", "dach"]);
    let several = tenantry.run(&["workspace", "show", "Dach", "--tenant", "Acme"]).expect(4);
    assert!(several.err.contains(twin["id"].as_str().unwrap()) && several.err.contains(id), "{}", several.err);
    // Both brands are in the log: the new default one, and the one that was.
    for (action, times) in [("create", 3), ("delete", 1), ("restore", 1)] {
        assert_eq!(done_by_ada(&app.database, &format!("workspace.{action}")), times, "{action}");
    }
    let wrong = ["workspace", "create", "--tenant", "Acme", "--name", " ", "--country", "de", "--type", "B2B"];
    let refused = tenantry.run(&wrong).expect(2);
    assert!(["name:", "country:", "type:"].iter().all(|name| refused.err.contains(name)), "{}", refused.err);
    let beta = app.tenant("Beta").await.workspace("Theirs").await;
    tenantry.run(&["workspace", "show", &beta, "--tenant", "Acme"]).expect(3);
}

#[tokio::test]
async fn brands_and_workspaces_are_changed_and_moved() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let tenantry = Tenantry::on(&app.database);
    let of = |command: &[&str]| tenantry.json(&[command, &["--tenant", "Acme"]].concat());
    let brand = of(&["brand", "create", "--name", "Shop", "--tone", "friendly", "--metadata", "tier=gold"]);
    let id = brand["id"].as_str().unwrap();
    let twice = ["brand", "create", "--name", "Twice", "--metadata", "tier=gold", "--metadata", "tier=iron"];
    let refused = tenantry.run(&[&twice[..], &["--tenant", "Acme"]].concat()).expect(2);
    assert!(refused.err.contains("has \"tier\" twice"), "{}", refused.err);
    let endless = ["key", "create", "--name", "Endless", "--expires-in", "9000years", "--tenant", "Acme"];
    let refused = tenantry.run(&endless).expect(2);
    assert!(refused.err.contains("must end before the year 10000"), "{}", refused.err);
    let labels = ["--external-id", "crm-7", "--metadata", "tier=", "--metadata", "region=eu"];
    let change =
        ["brand", "update", "shop", "--name", "Store", "--slug", "store", "--email-from-name", "Us", "--tone", ""];
    let changed = of(&[&change[..], &["--instructions", "Be brief."], &labels].concat());
    assert_eq!(acme.owner.get(&format!("/api/brands/{id}")).await.expect(200).body, changed, "the view of the API");
    let of_both = json!({ "externalId": "crm-7", "metadata": { "region": "eu" } });
    let expected = json!({ "name": "Store", "slug": "store", "emailFromName": "Us", "tone": null,
                           "brandInstructions": "Be brief.", "isDefault": false });
    for (name, value) in expected.as_object().unwrap().iter().chain(of_both.as_object().unwrap()) {
        assert_eq!(&changed[name], value, "{name}");
    }
    of(&["workspace", "create", "--name", "DACH", "--country", "DE", "--metadata", "tier=gold"]);
    let change =
        ["workspace", "update", "DACH", "--name", "Alps", "--brand", "store", "--country", "CH", "--currency", "EUR"];
    let more = ["--language", "fr", "--type", "b2c", "--instructions", "Be kind."];
    let changed = of(&[&change[..], &more, &labels].concat());
    assert_eq!(of(&["workspace", "show", "alps"]), changed);
    let expected = json!({ "name": "Alps", "brandId": id, "country": "CH", "currency": "EUR", "operatingLanguage": "fr",
                           "workspaceType": "b2c", "workspaceInstructions": "Be kind." });
    for (name, value) in expected.as_object().unwrap().iter().chain(of_both.as_object().unwrap()) {
        assert_eq!(&changed[name], value, "{name}");
    }
    let removed = of(&["workspace", "update", "Alps", "--instructions", "", "--external-id", ""]);
    assert_eq!((&removed["workspaceInstructions"], &removed["externalId"]), (&json!(null), &json!(null)));
    for (noun, name) in [("brand", "store"), ("workspace", "Alps")] {
        tenantry.run(&[noun, "update", "--tenant", "Acme", name]).expect(2);
        let wrong = [noun, "update", "--tenant", "Acme", name, "--name", " ", "--metadata", "tier"];
        let refused = tenantry.run(&wrong).expect(2);
        assert!(["name:", "metadata:"].iter().all(|name| refused.err.contains(name)), "{}", refused.err);
        assert_eq!(done_by_ada(&app.database, &format!("{noun}.update")), if noun == "brand" { 1 } else { 2 });
    }
    // Nothing of another tenant.
    app.tenant("Beta").await;
    tenantry.run(&["brand", "update", "--tenant", "Beta", id, "--name", "Mine"]).expect(3);
}

#[tokio::test]
async fn brands_are_made_listed_shown_and_deleted() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let tenantry = Tenantry::on(&app.database);
    let of = |command: &[&str]| tenantry.json(&[&["brand"][..], command, &["--tenant", "Acme"]].concat());
    let first = of(&["show", "Acme"]);
    let made = of(&["create", "--name", "Acme Consumer", "--slug", "shop", "--tone", "friendly"]);
    let path = format!("/api/brands/{}", made["id"].as_str().unwrap());
    assert_eq!(acme.owner.get(&path).await.expect(200).body, made, "the view of the API");
    assert_eq!(
        (&made["slug"], &made["emailFromName"], &made["tone"]),
        (&json!("shop"), &json!("Acme Consumer"), &json!("friendly"))
    );
    assert_eq!(of(&["list"]), json!([first, made]));
    assert_eq!(of(&["list", "--search", "consumer"]), json!([made]));
    assert_eq!((of(&["show", "shop"]), of(&["show", "acme consumer"])), (made.clone(), made.clone()));
    assert_eq!(of(&["set-default", "shop"])["isDefault"], true);
    let text = tenantry.run(&["brand", "show", "shop", "--tenant", "Acme"]).expect(0).out;
    assert!(text.contains("default           yes") && text.contains("tone              friendly"), "{text}");
    let default = tenantry.run(&["brand", "delete", "shop", "--tenant", "Acme", "--yes"]).expect(4);
    assert!(default.err.contains("default brand"), "{}", default.err);
    assert_eq!(of(&["delete", "Acme", "--yes"]), json!({ "deleted": first["id"] }));
    let key = tenantry.json(&["key", "create", "--tenant", "Acme", "--name", "Shop", "--brand", "shop"]);
    assert_eq!(key["key"]["brandId"], made["id"]);
    for (action, times) in [("create", 1), ("set_default", 2), ("delete", 1)] {
        assert_eq!(done_by_ada(&app.database, &format!("brand.{action}")), times, "{action}");
    }
    tenantry.run(&["brand", "show", "nobody", "--tenant", "Acme"]).expect(3);
    let refused = tenantry.run(&["brand", "create", "--tenant", "Acme", "--name", "B", "--tone", "rude"]).expect(2);
    assert!(refused.err.contains("tone:"), "{}", refused.err);
}
