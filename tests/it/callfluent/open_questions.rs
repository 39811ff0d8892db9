//! What the page leaves open: unknown numbers, bad bodies, missing keys, other tenants, and who may do what.

use serde_json::{Value, json};
use tenantry_domain::Role;
use tenantry_tests::App;

use super::{ADA, call, create, forbidden, get, info, invite, not_found, update, with_workspaces};

/// All routes, for the workspace or the place with this number.
fn routes(number: &str) -> Vec<(&'static str, String, Option<Value>)> {
    vec![
        ("POST", "/api/workspace/create".to_owned(), Some(json!({ "name": "New" }))),
        ("GET", "/api/workspace/get-all".to_owned(), None),
        ("GET", format!("/api/workspace/get/{number}"), None),
        ("GET", format!("/api/workspace/{number}/voices"), None),
        ("PUT", format!("/api/workspace/update/{number}"), Some(json!({ "name": "New" }))),
        (
            "POST",
            "/api/workspace/invite-user".to_owned(),
            Some(
                json!({ "workspace_id": if number.starts_with('0') { 0 } else { number.parse::<i64>().unwrap_or(0) }, "email": ADA }),
            ),
        ),
        ("DELETE", format!("/api/workspace/invite-delete/{number}"), None),
        ("DELETE", format!("/api/workspace/delete/{number}"), None),
        ("GET", format!("/api/workspace/calendars/{number}"), None),
    ]
}

#[tokio::test]
async fn a_number_that_nothing_has_is_not_found_whatever_it_looks_like() {
    let app = App::start().await;
    let acme = with_workspaces(&app, &["first"]).await;
    for number in ["2", "0", "-1", "01", "1.0", "x", "9223372036854775808", "%31%00"] {
        for (method, path, body) in routes(number) {
            if path.ends_with("/create") || path.ends_with("/get-all") {
                continue;
            }
            let answer = call(&acme.owner, method, &path, body).await.expect(404);
            assert_eq!(answer.body, not_found(), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_number_of_another_tenant_says_nothing_about_it() {
    let app = App::start().await;
    let acme = with_workspaces(&app, &["first", "second"]).await;
    let beta = app.tenant("Beta").await;
    invite(&acme.owner, 2, ADA).await.expect(200);
    let before = info(&acme.owner, 2).await;
    for (method, path, body) in routes("2") {
        if path.ends_with("/create") || path.ends_with("/get-all") {
            continue;
        }
        assert_eq!(call(&beta.owner, method, &path, body).await.expect(404).body, not_found(), "{method} {path}");
    }
    call(&beta.owner, "DELETE", "/api/workspace/invite-delete/1", None).await.expect(404);
    assert_eq!(info(&acme.owner, 2).await, before);
    let own = create(&beta.owner, "own").await.expect(200).body;
    assert_eq!(own["data"], json!([{ "id": 1, "name": "own" }]), "its numbers begin at 1");
}

#[tokio::test]
async fn who_has_no_credential_that_holds_is_told_in_the_dialect() {
    let app = App::start().await;
    let acme = with_workspaces(&app, &["first"]).await;
    let strangers = [app.client(), app.client().with_key(&format!("{}x", acme.owner.key()))];
    for (method, path, body) in routes("1") {
        for stranger in &strangers {
            let answer = call(stranger, method, &path, body.clone()).await.expect(401);
            assert_eq!((answer.body["status"].clone(), answer.body["error"].is_string()), (json!(false), true));
            assert!(answer.header("www-authenticate").starts_with("Bearer"));
        }
    }
}

#[tokio::test]
async fn who_lacks_the_permission_is_told_the_sentence_of_the_page() {
    let app = App::start().await;
    let acme = with_workspaces(&app, &["first"]).await;
    let id = acme.owner.get("/api/workspaces").await.expect(200).body["data"][0]["id"].as_str().unwrap().to_owned();
    let scopeless = acme.key(&["brands:read"], json!({})).await;
    for (method, path, body) in routes("1") {
        let answer = call(&scopeless, method, &path, body).await.expect(403);
        assert_eq!(answer.body, forbidden(), "{method} {path}");
    }
    let (_, reader) = acme.member(Role::Observer, &[&id]).await;
    for (method, path, body) in routes("1") {
        let answer = call(&reader, method, &path, body).await;
        match method {
            "GET" => drop(answer.expect(200)),
            _ => assert_eq!(answer.expect(403).body, forbidden(), "{method} {path}"),
        }
    }
    assert_eq!(info(&acme.owner, 1).await["name"], "first");
}

#[tokio::test]
async fn an_update_changes_nothing_unless_all_of_it_is_allowed() {
    let app = App::start().await;
    let acme = with_workspaces(&app, &["first"]).await;
    let writer = acme.key(&["workspaces:read", "workspaces:write"], json!({})).await;
    let body = json!({ "name": "Renamed", "maxMins": 5, "openai_key": "sk-proj-0123456789" });
    assert_eq!(update(&writer, 1, body).await.expect(403).body, forbidden());
    let shown = info(&acme.owner, 1).await;
    assert_eq!((&shown["name"], &shown["maxMins"]), (&json!("first"), &Value::Null));
    update(&writer, 1, json!({ "name": "Renamed", "maxMins": 5 })).await.expect(200);
    let shown = info(&writer, 1).await;
    assert_eq!((&shown["secrets"], &shown["sid"], &shown["members"]), (&Value::Null, &Value::Null, &Value::Null));
}

#[tokio::test]
async fn who_may_write_and_not_read_is_shown_no_workspace() {
    let app = App::start().await;
    let acme = with_workspaces(&app, &["first"]).await;
    let writer = acme.key(&["workspaces:write"], json!({})).await;
    let done = update(&writer, 1, json!({ "name": "Renamed" })).await.expect(200);
    assert_eq!(done.body, json!({ "status": true, "data": [] }));
}

#[tokio::test]
async fn a_key_of_one_workspace_sees_that_one() {
    let app = App::start().await;
    let acme = with_workspaces(&app, &["first", "second"]).await;
    let all = acme.owner.get("/api/workspaces?sort=name").await.expect(200).body["data"].clone();
    let second = all[1]["id"].as_str().unwrap().to_owned();
    let key = acme.key(&["workspaces:read", "workspaces:write"], json!({ "workspaceId": second })).await;
    let listed = get(&key, "/api/workspace/get-all").await.expect(200).body;
    assert_eq!(listed, json!({ "workspaces": [{ "id": 2, "name": "second" }] }));
    assert_eq!(get(&key, "/api/workspace/get/1").await.expect(404).body, not_found());
    update(&key, 2, json!({ "name": "Renamed" })).await.expect(200);
    assert_eq!(
        update(&key, 2, json!({ "maxMins": 5 })).await.expect(403).body,
        forbidden(),
        "its limits are not its own"
    );
}

#[tokio::test]
async fn a_key_of_one_workspace_takes_nobody_off_another() {
    let app = App::start().await;
    let acme = with_workspaces(&app, &["first", "second", "third"]).await;
    for number in [1, 2, 3] {
        invite(&acme.owner, number, ADA).await.expect(200);
    }
    let all = acme.owner.get("/api/workspaces?sort=name").await.expect(200).body["data"].clone();
    let second = all[1]["id"].as_str().unwrap().to_owned();
    let scopes = ["members:read", "members:write", "workspaces:read", "workspaces:write"];
    let key = acme.key(&scopes, json!({ "workspaceId": second })).await;
    for number in [1, 3] {
        let refused = call(&key, "DELETE", &format!("/api/workspace/invite-delete/{number}"), None).await;
        assert!([403, 404].contains(&refused.status), "{}", refused.text);
        assert_eq!(info(&acme.owner, number).await["members"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_said_in_the_dialect() {
    let app = App::start().await;
    let acme = with_workspaces(&app, &["first"]).await;
    for body in [
        json!({}),
        json!({ "name": "" }),
        json!({ "name": 1 }),
        json!({ "name": "a", "x": 1 }),
        json!({ "name": null }),
    ] {
        let answer = call(&acme.owner, "POST", "/api/workspace/create", Some(body)).await.expect(422);
        assert_eq!((&answer.body["status"], answer.body["error"].is_string()), (&json!(false), true));
    }
    for body in [
        json!({ "maxMins": -1 }),
        json!({ "maxMins": 1.5 }),
        json!({ "maxMembers": "5" }),
        json!({ "maxAgents": null }),
        json!({ "sid": "AC12" }),
        json!({ "openai_key": " sk" }),
        json!({ "accessToken": "x" }),
    ] {
        update(&acme.owner, 1, body).await.expect(422);
    }
    for body in [json!({ "workspace_id": 1 }), json!({ "email": ADA }), json!({ "workspace_id": "1", "email": ADA })] {
        call(&acme.owner, "POST", "/api/workspace/invite-user", Some(body)).await.expect(422);
    }
    let request = acme.owner.request("POST", "/api/workspace/create").header("content-type", "application/json");
    let broken = acme.owner.send(request.body("{\"name\": ")).await.expect(400);
    assert_eq!(broken.body["status"], false);
}

#[tokio::test]
async fn both_dialects_see_each_others_changes_at_once() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let native = acme.workspace("Native").await;
    assert_eq!(
        get(&acme.owner, "/api/workspace/get-all").await.body,
        json!({ "workspaces": [{ "id": 1, "name": "Native" }] })
    );
    update(&acme.owner, 1, json!({ "name": "Renamed", "maxAgents": 2, "openai_key": "sk-proj-0123456789" }))
        .await
        .expect(200);
    let one = format!("/api/workspaces/{native}");
    assert_eq!(acme.owner.get(&one).await.expect(200).body["name"], "Renamed");
    assert_eq!(acme.owner.get(&format!("{one}/limits")).await.expect(200).body["agents"]["own"], 2);
    let openai = acme.owner.get(&format!("{one}/integrations/openai")).await.expect(200).body;
    assert_eq!(openai["status"], "connected");
    acme.owner.delete(&format!("{one}/integrations/openai")).await.expect(204);
    assert_eq!(info(&acme.owner, 1).await["secrets"]["openai_key"], false);
    let (member, _) = acme.member(Role::Agent, &[&native]).await;
    let people = info(&acme.owner, 1).await["members"].clone();
    assert_eq!((people.as_array().unwrap().len(), &people[0]["pending"]), (1, &json!(false)));
    call(&acme.owner, "DELETE", &format!("/api/workspace/invite-delete/{}", people[0]["id"]), None).await.expect(200);
    acme.owner.get(&format!("/api/members/{member}")).await.expect(200);
    assert_eq!(info(&acme.owner, 1).await["members"], json!([]), "off the workspace, and still a member");
    call(&acme.owner, "DELETE", "/api/workspace/delete/1", None).await.expect(200);
    acme.owner.get(&one).await.expect(404);
    acme.owner.post(&format!("{one}/restore"), json!({})).await.expect(200);
    assert_eq!(info(&acme.owner, 1).await["name"], "Renamed", "with its number");
}
