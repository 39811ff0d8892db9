//! Changes to a tenant from above, and to the state that was seen only.

use serde_json::{Value, json};
use tenantry_tests::App;

use super::path;

#[tokio::test]
async fn a_patch_changes_what_it_names_and_null_takes_a_limit_off() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let (one, untouched) = (path(&acme), app.platform().get(&path(&beta)).await.body);
    let patch = json!({ "name": " Acme Ltd ", "defaultCountry": "SE", "maxWorkspaces": 5, "maxMembers": 0 });
    let changed = app.platform().patch(&one, patch).await.expect(200);
    assert_eq!((&changed.body["name"], &changed.body["defaultCountry"]), (&json!("Acme Ltd"), &json!("SE")));
    assert_eq!(changed.body["defaultCurrency"], "EUR", "does not follow");
    assert_eq!(
        changed.body["limits"],
        json!({ "maxWorkspaces": 5, "maxMembers": 0, "maxAgents": null, "maxMinutes": null, "maxPendingInvitations": null, "maxEmailsPerDay": null, "maxEmailsPerRecipient": null, "requestsPerSecond": null, "requestBurst": null })
    );
    let seen = acme.owner.get("/api/tenant").await.expect(200).body;
    assert_eq!((&seen["limits"], &seen["name"]), (&changed.body["limits"], &json!("Acme Ltd")));
    let cleared = app.platform().patch(&one, json!({ "maxWorkspaces": null })).await.expect(200);
    assert_eq!(
        cleared.body["limits"],
        json!({ "maxWorkspaces": null, "maxMembers": 0, "maxAgents": null, "maxMinutes": null, "maxPendingInvitations": null, "maxEmailsPerDay": null, "maxEmailsPerRecipient": null, "requestsPerSecond": null, "requestBurst": null })
    );
    let same = app.platform().patch(&one, json!({ "maxMembers": 0, "name": "Acme Ltd" })).await.expect(200);
    assert_eq!((same.etag(), &same.body), (cleared.etag(), &cleared.body));
    assert_eq!(app.platform().get(&one).await.expect(200).body, cleared.body);
    assert_eq!(app.platform().get(&path(&beta)).await.body, untouched);
}

#[tokio::test]
async fn all_that_a_patch_must_not_say_is_refused_at_once() {
    let app = App::start().await;
    let one = path(&app.tenant("Acme").await);
    let before = app.platform().get(&one).await.expect(200);
    let all = json!({ "name": "", "defaultCountry": "EU", "defaultOperatingLanguage": "in", "defaultCurrency": "XXX",
                      "defaultWorkspaceType": null, "maxWorkspaces": -1, "maxMembers": 1000001, "state": "suspended",
                      "suspendedAt": null, "limits": {}, "country": "DE" });
    let refused = app.platform().patch(&one, all).await.expect(422).refused();
    let fields: Vec<_> = refused.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "country",
            "defaultCountry",
            "defaultCurrency",
            "defaultOperatingLanguage",
            "defaultWorkspaceType",
            "limits",
            "maxMembers",
            "maxWorkspaces",
            "name",
            "state",
            "suspendedAt"
        ]
    );
    assert_eq!(app.platform().get(&one).await.body, before.body);
}

#[tokio::test]
async fn tags_tell_what_was_seen() {
    let app = App::start().await;
    let (platform, acme) = (app.platform(), app.tenant("Acme").await);
    let one = path(&acme);
    let seen = platform.get(&one).await.expect(200);
    let unless = async |tag: &str| platform.send(platform.request("GET", &one).header("If-None-Match", tag)).await;
    let known = unless(seen.etag()).await.expect(304);
    assert_eq!((known.text.as_str(), known.etag()), ("", seen.etag()));
    // What it uses is a part of the answer, and not of what a change is held against.
    acme.workspace("DACH").await;
    let grown = unless(seen.etag()).await.expect(200);
    assert_eq!(grown.body["use"]["workspaces"], 1);
    let patch = async |tag: &str, body: Value| {
        platform.send(platform.request("PATCH", &one).header("If-Match", tag).json(&body)).await
    };
    let changed = patch(seen.etag(), json!({ "name": "First" })).await.expect(200);
    patch(seen.etag(), json!({ "name": "Second" })).await.expect(412);
    let delete = async |tag: &str| platform.send(platform.request("DELETE", &one).header("If-Match", tag)).await;
    delete(grown.etag()).await.expect(412);
    delete("\"nonsense").await.expect(400);
    delete(changed.etag()).await.expect(204);
    delete(changed.etag()).await.expect(404);
}

#[tokio::test]
async fn what_is_no_tenant_is_not_found() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let unused = tenantry_persistence::new_id::<()>().to_string();
    for id in [unused.as_str(), "1", &acme.brand, "00000000-0000-0000-0000-000000000000"] {
        let one = format!("/api/admin/tenants/{id}");
        let missing = app.platform().get(&one).await.expect(404);
        assert_eq!((&missing.body["error"], &missing.body["code"]), (&json!("Tenant not found"), &json!("not_found")));
        app.platform().patch(&one, json!({ "name": "Beta" })).await.expect(404);
        app.platform().delete(&one).await.expect(404);
        for verb in ["suspend", "reactivate", "restore"] {
            app.platform().post(&format!("{one}/{verb}"), json!({})).await.expect(404);
        }
    }
}
