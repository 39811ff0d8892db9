//! The tenant and the caller, seen from inside.

use insta::assert_snapshot;
use serde_json::{Value, json};
use tenantry_tests::{App, view};

#[tokio::test]
async fn a_tenant_is_read_and_changed_by_its_owner() {
    let app = App::start().await;
    let acme = app.tenant("Acme Industrial Supply").await;
    let shown = acme.owner.get("/api/tenant").await.expect(200);
    assert_snapshot!("tenant", view(&shown, &[("tenant", &acme.id.to_string())]));
    let patch = json!({ "name": "  Acme \u{a0}", "defaultCountry": "SE", "defaultWorkspaceType": "b2c" });
    let changed = acme.owner.patch("/api/tenant", patch).await.expect(200).body;
    assert_eq!((&changed["name"], &changed["defaultCountry"]), (&json!("Acme"), &json!("SE")));
    assert_eq!(changed["defaultWorkspaceType"], "b2c");
    // Language and currency do not follow.
    assert_eq!((&changed["defaultOperatingLanguage"], &changed["defaultCurrency"]), (&json!("de"), &json!("EUR")));
    assert_eq!(acme.owner.get("/api/tenant").await.body, changed);
    let beta = app.tenant("Beta").await;
    assert_eq!(beta.owner.get("/api/tenant").await.expect(200).body["defaultCountry"], "DE", "nobody else's");
}

#[tokio::test]
async fn what_a_tenant_must_have_cannot_be_cleared_and_what_is_not_its_own_cannot_be_set() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let before = acme.owner.get("/api/tenant").await.expect(200);
    let members = ["name", "defaultCountry", "defaultOperatingLanguage", "defaultCurrency", "defaultWorkspaceType"];
    for member in members {
        let refused = acme.owner.patch("/api/tenant", json!({ member: Value::Null })).await.expect(422);
        assert_eq!(refused.refused(), [(member.to_owned(), "null".to_owned())]);
    }
    for member in ["id", "tenantId", "createdAt", "updatedAt", "version", "limits", "Name", "default_country"] {
        let refused = acme.owner.patch("/api/tenant", json!({ member: before.body["id"] })).await.expect(422);
        assert_eq!(refused.refused(), [(member.to_owned(), "unknown_field".to_owned())]);
    }
    let all = json!({ "name": " ", "defaultCountry": "EU", "defaultOperatingLanguage": "in", "defaultCurrency": "XXX",
                      "defaultWorkspaceType": "B2C", "colour": 1 });
    let refused = acme.owner.patch("/api/tenant", all).await.expect(422);
    let fields: Vec<_> = refused.refused().into_iter().map(|(field, _)| field).collect();
    assert_eq!(
        fields,
        ["colour", "defaultCountry", "defaultCurrency", "defaultOperatingLanguage", "defaultWorkspaceType", "name"]
    );
    let after = acme.owner.get("/api/tenant").await.expect(200);
    assert_eq!((before.etag(), &before.body), (after.etag(), &after.body));
}

#[tokio::test]
async fn the_tenants_defaults_fill_what_a_workspace_leaves_out() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let defaults = json!({ "defaultCountry": "CH", "defaultOperatingLanguage": "fr", "defaultCurrency": "EUR", "defaultWorkspaceType": "b2c" });
    acme.owner.patch("/api/tenant", defaults).await.expect(200);
    for (request, expected) in [
        (json!({}), ["CH", "fr", "EUR", "b2c"]),
        (json!({ "operatingLanguage": "it" }), ["CH", "it", "EUR", "b2c"]),
        (json!({ "currency": "CHF", "workspaceType": "b2b" }), ["CH", "fr", "CHF", "b2b"]),
        // Who names a country means that country's language and currency, even where it is the tenant's own.
        (json!({ "country": "CH" }), ["CH", "de", "CHF", "b2c"]),
        (json!({ "country": "JP", "currency": "USD" }), ["JP", "ja", "USD", "b2c"]),
    ] {
        let mut body = request.clone();
        body["name"] = json!("A workspace");
        let made = acme.owner.post("/api/workspaces", body).await.expect(201).body;
        let got = ["country", "operatingLanguage", "currency", "workspaceType"].map(|member| made[member].clone());
        assert_eq!(json!(got), json!(expected), "{request}");
    }
}

#[tokio::test]
async fn me_shows_the_tenant_the_key_and_how_many_workspaces_it_sees() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let beta = app.tenant("Beta").await;
    beta.workspace("Not Acme's").await;
    let second = acme.brand("Second").await;
    let ids = [acme.workspace("One").await, acme.workspace("Two").await, acme.workspace_of(&second, "Three").await];
    app.store.write_notes().await;
    let me = acme.owner.get("/api/me").await.expect(200);
    assert!(!me.text.contains(acme.owner.key()), "never the secret");
    let last_four = me.body["apiKey"]["lastFour"].as_str().unwrap();
    assert!(acme.owner.key().ends_with(last_four));
    assert_snapshot!("me", view(&me, &[("tenant", &acme.id.to_string()), ("last four", last_four)]));
    let (of_brand, id) = acme.key_with_id(&["workspaces:read"], json!({ "brandId": second })).await;
    let me = of_brand.get("/api/me").await.expect(200).body;
    assert_eq!((&me["visibleWorkspaces"], &me["apiKey"]["id"]), (&json!(1), &json!(id)));
    let of_workspace = acme.key(&["workspaces:read"], json!({ "workspaceId": ids[0] })).await;
    assert_eq!(of_workspace.get("/api/me").await.expect(200).body["visibleWorkspaces"], 1);
    acme.owner.delete(&format!("/api/workspaces/{}", ids[0])).await.expect(204);
    assert_eq!(acme.owner.get("/api/me").await.expect(200).body["visibleWorkspaces"], 2, "a deleted one is not seen");
}
