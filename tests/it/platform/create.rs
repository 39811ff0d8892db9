//! New tenants, and how their first owners come in.

use insta::assert_snapshot;
use serde_json::{Value, json};
use tenantry_tests::{App, TestDatabase, view};

const TENANTS: &str = "/api/admin/tenants";

fn refused(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|(field, code)| ((*field).to_owned(), (*code).to_owned())).collect()
}

#[tokio::test]
async fn a_tenant_comes_with_its_default_brand_and_its_first_owners_key() {
    let app = App::start().await;
    let asked = json!({ "name": " Beta ", "country": "CH", "operatingLanguage": "fr", "currency": "EUR",
                        "workspaceType": "b2c", "maxWorkspaces": 0, "maxMembers": null });
    let made = app.platform().post(TENANTS, asked).await.expect(201);
    let id = made.id();
    let secret = made.text_of("apiKey");
    assert_snapshot!("tenant", view(&made, &[("tenant", &id), ("secret", &secret)]));
    assert_eq!(made.header("cache-control"), "no-store");
    let shown = app.platform().get(&format!("{TENANTS}/{id}")).await.expect(200);
    assert_eq!(shown.etag(), made.etag());
    for (member, value) in shown.body.as_object().unwrap() {
        assert_eq!(&made.body[member], value, "{member}");
    }
    assert!(!shown.text.contains(&secret) && !app.platform().get(TENANTS).await.text.contains(&secret[34..66]));
    let owner = app.client().with_key(&secret);
    assert_eq!(owner.get("/api/me").await.expect(200).body["tenant"]["id"], id);
    let tenant = owner.get("/api/tenant").await.expect(200).body;
    assert_eq!(tenant["defaultOperatingLanguage"], "fr");
    assert_eq!((&tenant["defaultCurrency"], &tenant["defaultWorkspaceType"]), (&json!("EUR"), &json!("b2c")));
    let brands = owner.get("/api/brands").await.expect(200).body;
    assert_eq!((&brands["data"][0]["name"], &brands["data"][0]["isDefault"]), (&json!("Beta"), &json!(true)));
}

#[tokio::test]
async fn what_is_left_out_follows_from_the_country_and_nothing_is_limited() {
    let app = App::start().await;
    let made = app.platform().post(TENANTS, json!({ "name": "Beta", "country": "SE" })).await.expect(201).body;
    assert_eq!((&made["defaultOperatingLanguage"], &made["defaultCurrency"]), (&json!("sv"), &json!("SEK")));
    assert_eq!(
        made["limits"],
        json!({ "maxWorkspaces": null, "maxMembers": null, "maxAgents": null, "maxMinutes": null, "maxPendingInvitations": null, "maxEmailsPerDay": null, "maxEmailsPerRecipient": null, "requestsPerSecond": null, "requestBurst": null })
    );
    let antarctica = app.platform().post(TENANTS, json!({ "name": "Base", "country": "AQ" })).await.expect(422);
    assert_eq!(antarctica.refused(), refused(&[("operatingLanguage", "required"), ("currency", "required")]));
}

/// How many rows there are, seen as the superuser.
fn rows(database: &TestDatabase, query: &str) -> i64 {
    database.rows(&format!("SELECT FROM {query}"))
}

#[tokio::test]
async fn a_first_owner_with_an_address_is_invited_and_no_key_is_made() {
    let app = App::start().await;
    let asked = json!({ "name": "Beta", "country": "NL", "ownerEmail": "Ada@Example.com", "invitationDays": 30 });
    let made = app.platform().post(TENANTS, asked).await.expect(201);
    let (id, invitation) = (made.id(), made.text_of("invitationId"));
    assert_eq!((&made.body["apiKey"], &made.body["use"]["pendingInvitations"]), (&Value::Null, &json!(1)));
    let of = format!("tenant_id = '{id}'");
    assert_eq!(rows(&app.database, &format!("api_keys WHERE {of}")), 0);
    let invited = format!(
        "invitations WHERE {of} AND id = '{invitation}' AND role = 'owner' AND email_key = 'ada@example.com'
         AND expires_at BETWEEN now() + interval '29 days' AND now() + interval '30 days'"
    );
    assert_eq!(rows(&app.database, &invited), 1);
    let queued = format!(
        "outbox_messages WHERE {of} AND kind = 'invitation' AND subject_id = '{invitation}' AND state = 'pending'"
    );
    assert_eq!(rows(&app.database, &queued), 1);
    let week = json!({ "name": "Gamma", "country": "NL", "ownerEmail": "ada@example.com" });
    let id = app.platform().post(TENANTS, week).await.expect(201).id();
    let week = format!("invitations WHERE tenant_id = '{id}' AND expires_at < now() + interval '7 days'");
    assert_eq!(rows(&app.database, &week), 1);
}

#[tokio::test]
async fn all_that_is_refused_is_said_at_once_and_nothing_is_made() {
    let app = App::start().await;
    let asked = json!({ "name": " ", "country": "de", "operatingLanguage": "in", "currency": 1, "workspaceType": "B2B",
                        "maxWorkspaces": -1, "maxMembers": "5", "ownerEmail": "ada", "invitationDays": 31, "colour": 1 });
    let answer = app.platform().post(TENANTS, asked).await.expect(422);
    let fields: Vec<_> = answer.refused().into_iter().map(|(field, _)| field).collect();
    assert_eq!(
        fields,
        [
            "colour",
            "country",
            "currency",
            "invitationDays",
            "maxMembers",
            "maxWorkspaces",
            "name",
            "operatingLanguage",
            "ownerEmail",
            "workspaceType"
        ]
    );
    let missing = app.platform().post(TENANTS, json!({})).await.expect(422);
    assert_eq!(missing.refused(), refused(&[("country", "required"), ("name", "required")]));
    let base = json!({ "name": "Beta", "country": "NL" });
    for (member, value, code) in [
        ("name", json!(null), "null"),
        ("country", json!(null), "null"),
        ("currency", json!(null), "null"),
        ("ownerEmail", json!(null), "null"),
        ("maxWorkspaces", json!(1_000_001), "out_of_range"),
        ("maxWorkspaces", json!(1.5), "wrong_type"),
        ("maxMembers", json!(true), "wrong_type"),
        ("limits", json!({ "maxWorkspaces": 5 }), "unknown_field"),
        ("id", json!("0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48"), "unknown_field"),
        ("state", json!("suspended"), "unknown_field"),
    ] {
        let mut asked = base.clone();
        asked[member] = value;
        let answer = app.platform().post(TENANTS, asked).await.expect(422);
        assert_eq!(answer.refused(), refused(&[(member, code)]));
    }
    let alone = json!({ "name": "Beta", "country": "NL", "invitationDays": 7 });
    let answer = app.platform().post(TENANTS, alone).await.expect(422);
    assert_eq!(answer.refused(), refused(&[("ownerEmail", "required")]));
    assert_eq!(rows(&app.database, "tenants"), 0);
}
