//! The nine routes as the page has them.

use serde_json::json;
use tenantry_tests::{
    App,
    provider_accounts::{ProviderServer, elevenlabs_voice, gohighlevel_calendar},
};

use super::{ADA, call, create, get, info, invite, update, with_workspaces};

#[tokio::test]
async fn create_makes_a_workspace_of_a_name_and_lists_all() {
    let app = App::start().await;
    let acme = with_workspaces(&app, &["first workspace"]).await;
    let listed = create(&acme.owner, "second workspace").await.expect(200);
    let both = json!([{ "id": 1, "name": "first workspace" }, { "id": 2, "name": "second workspace" }]);
    assert_eq!(listed.body, json!({ "status": true, "data": both }));
    assert!(listed.text.starts_with(r#"{"status":true,"data":[{"id":1,"name":"first workspace"}"#), "{}", listed.text);
    let native = acme.owner.get("/api/workspaces?sort=name").await.expect(200).body["data"][0].clone();
    assert_eq!(
        (&native["name"], &native["country"]),
        (&json!("first workspace"), &json!("DE")),
        "the tenant's country"
    );
}

#[tokio::test]
async fn create_beyond_the_limit_says_what_the_page_says() {
    let app = App::start().await;
    let acme = with_workspaces(&app, &["first"]).await;
    let tenant = format!("/api/admin/tenants/{}", acme.id);
    app.platform().patch(&tenant, json!({ "maxWorkspaces": 1 })).await.expect(200);
    let told = json!({ "status": false, "error": "Workspace creation limit exceeded.",
                       "message": "Please delete some before creating new ones." });
    assert_eq!(create(&acme.owner, "second").await.expect(400).body, told);
}

#[tokio::test]
async fn get_all_has_an_envelope_of_its_own() {
    let app = App::start().await;
    let acme = with_workspaces(&app, &["b", "a"]).await;
    let all = get(&acme.owner, "/api/workspace/get-all").await.expect(200);
    assert_eq!(all.body, json!({ "workspaces": [{ "id": 1, "name": "b" }, { "id": 2, "name": "a" }] }), "by number");
}

#[tokio::test]
async fn get_tells_limits_use_secrets_and_people() {
    let app = App::start().await;
    let acme = with_workspaces(&app, &["first"]).await;
    let shown = get(&acme.owner, "/api/workspace/get/1").await.expect(200);
    assert!(shown.text.starts_with(r#"{"status":true,"data":{"id":1,"name":"first""#), "{}", shown.text);
    let secrets = json!({ "auth_token": false, "elevenlabs_key": false, "openai_key": false });
    let empty = json!({ "id": 1, "name": "first", "maxMins": null, "maxMembers": null, "maxAgents": null, "usedMins": 0,
                        "usedMembers": 0, "usedAgents": 0, "sid": null, "secrets": secrets, "members": [] });
    assert_eq!(shown.body["data"], empty);
}

#[tokio::test]
async fn voices_are_a_bare_list_and_calendars_an_envelope() {
    let (app, server) = (App::start().await, ProviderServer::start().await);
    let acme = with_workspaces(&app, &["first"]).await;
    let owner = app.replica_reaching(&server.urls()).with_key(acme.owner.key());
    let built_in = get(&owner, "/api/workspace/1/voices").await.expect(200).body;
    let alloy = json!({ "value": "alloy", "label": "Friendly and expressive male", "brand": "openai" });
    assert_eq!((built_in.as_array().unwrap().len(), &built_in[0]), (13, &alloy));
    let none = get(&owner, "/api/workspace/calendars/1").await.expect(200);
    assert_eq!(none.body, json!({ "status": true, "data": [] }), "nothing is connected");

    server.elevenlabs("sk_good_key", vec![elevenlabs_voice("v1", "Rachel")]);
    update(&owner, 1, json!({ "elevenlabs_key": "sk_good_key" })).await.expect(200);
    let all = get(&owner, "/api/workspace/1/voices").await.expect(200).body;
    assert_eq!(all[13], json!({ "value": "v1", "label": "Rachel", "brand": "elevenlabs" }));

    server.gohighlevel("pit-good-token", "location", vec![gohighlevel_calendar("c", "Calls")]);
    let id = owner.get("/api/workspaces").await.expect(200).body["data"][0]["id"].as_str().unwrap().to_owned();
    let highlevel = json!({ "accessToken": "pit-good-token", "locationId": "location" });
    owner.put(&format!("/api/workspaces/{id}/integrations/gohighlevel"), highlevel).await.expect(200);
    let calendars = get(&owner, "/api/workspace/calendars/1").await.expect(200).body;
    let calls = json!({ "id": "c", "name": "Calls", "description": null, "isActive": true });
    assert_eq!(calendars, json!({ "status": true, "data": [calls] }));
}

#[tokio::test]
async fn update_takes_each_field_alone_and_all_together() {
    const SID: &str = "AC0123456789abcdef0123456789abcdef";
    let app = App::start().await;
    let acme = with_workspaces(&app, &["first", "second"]).await;
    let fields = [
        ("name", json!("New Workspace"), "/name", json!("New Workspace")),
        ("sid", json!(SID), "/sid", json!(SID)),
        ("auth_token", json!("b3a1d0123456789"), "/secrets/auth_token", json!(true)),
        ("elevenlabs_key", json!("sk_0123456789"), "/secrets/elevenlabs_key", json!(true)),
        ("openai_key", json!("sk-proj-0123456789"), "/secrets/openai_key", json!(true)),
        ("maxMins", json!(300), "/maxMins", json!(300)),
        ("maxMembers", json!(10), "/maxMembers", json!(10)),
        ("maxAgents", json!(6), "/maxAgents", json!(6)),
    ];
    let mut expected = info(&acme.owner, 1).await;
    for (field, value, at, shown) in &fields {
        let listed = update(&acme.owner, 1, json!({ *field: value })).await.expect(200);
        *expected.pointer_mut(at).unwrap() = shown.clone();
        assert_eq!(info(&acme.owner, 1).await, expected, "{field} and nothing else");
        let list = json!([{ "id": 1, "name": "New Workspace" }, { "id": 2, "name": "second" }]);
        assert_eq!(listed.body, json!({ "status": true, "data": list }));
    }
    let all = fields.iter().map(|(field, value, ..)| ((*field).to_owned(), value.clone())).collect();
    update(&acme.owner, 2, serde_json::Value::Object(all)).await.expect(200);
    expected["id"] = json!(2);
    assert_eq!(info(&acme.owner, 2).await, expected);
    update(&acme.owner, 2, json!({})).await.expect(200);
    assert_eq!(info(&acme.owner, 2).await, expected, "nothing named is nothing changed");
}

#[tokio::test]
async fn invite_user_holds_a_place_and_invite_delete_frees_it() {
    let app = App::start().await;
    let acme = with_workspaces(&app, &["first", "second"]).await;
    let list = json!({ "status": true, "data": [{ "id": 1, "name": "first" }, { "id": 2, "name": "second" }] });
    assert_eq!(invite(&acme.owner, 1, ADA).await.expect(200).body, list);
    let pending = json!([{ "id": 1, "email": ADA, "role": "agent", "pending": true }]);
    assert_eq!(info(&acme.owner, 1).await["members"], pending);
    let letters =
        async || acme.owner.get("/api/audit-events?action=invitation.resend").await.expect(200).body["data"].clone();
    assert_eq!(letters().await, json!([]));
    // The same address again is sent the invitation again.
    assert_eq!(invite(&acme.owner, 1, "ADA@example.com").await.expect(200).body, list);
    assert_eq!(info(&acme.owner, 1).await["members"], pending);
    assert_eq!(letters().await.as_array().unwrap().len(), 1);
    // To a second workspace, with the same invitation.
    invite(&acme.owner, 2, ADA).await.expect(200);
    assert_eq!(info(&acme.owner, 2).await["members"][0]["id"], 2);
    assert_eq!(acme.owner.get("/api/invitations").await.expect(200).body["data"].as_array().unwrap().len(), 1);

    let gone = call(&acme.owner, "DELETE", "/api/workspace/invite-delete/2", None).await.expect(200);
    assert_eq!((gone.body, info(&acme.owner, 2).await["members"].clone()), (list, json!([])));
    assert_eq!(info(&acme.owner, 1).await["members"], pending, "the other place is still held");
    call(&acme.owner, "DELETE", "/api/workspace/invite-delete/1", None).await.expect(200);
    assert_eq!(info(&acme.owner, 1).await["members"], json!([]));
    let revoked = acme.owner.get("/api/invitations?state=revoked").await.expect(200).body;
    assert_eq!(revoked["data"].as_array().unwrap().len(), 1, "the last place was all of the invitation");
    call(&acme.owner, "DELETE", "/api/workspace/invite-delete/1", None).await.expect(404);
}

#[tokio::test]
async fn delete_lists_what_is_left_and_its_number_is_not_given_again() {
    let app = App::start().await;
    let acme = with_workspaces(&app, &["first workspace", "second workspace"]).await;
    let left = call(&acme.owner, "DELETE", "/api/workspace/delete/1", None).await.expect(200);
    assert_eq!(left.body, json!({ "status": true, "data": [{ "id": 2, "name": "second workspace" }] }));
    let more = create(&acme.owner, "third").await.expect(200).body;
    assert_eq!(more["data"][1], json!({ "id": 3, "name": "third" }));
}
