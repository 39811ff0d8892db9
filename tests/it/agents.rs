//! AI agents of a workspace through the API.

mod limit;
mod references;

use serde_json::{Value, json};
use tenantry_domain::Role;
use tenantry_tests::App;
use uuid::Uuid;

fn path(workspace: &str) -> String {
    format!("/api/workspaces/{workspace}/agents")
}

#[tokio::test]
async fn an_agent_is_made_found_changed_and_taken_away() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("DACH").await;
    let least = acme.owner.post(&path(&id), json!({ "name": " Reception\u{a0}" })).await.expect(201);
    let mut members: Vec<_> = least.body.as_object().unwrap().keys().cloned().collect();
    members.sort();
    assert_eq!(
        members,
        ["createdAt", "externalReference", "id", "name", "status", "tenantId", "updatedAt", "voice", "workspaceId"]
    );
    assert_eq!([&least.body["name"], &least.body["status"]], ["Reception", "active"]);
    assert_eq!([&least.body["voice"], &least.body["externalReference"]], [&Value::Null; 2]);
    assert_eq!([&least.body["workspaceId"], &least.body["tenantId"]], [&json!(id), &json!(acme.id.to_string())]);
    assert_eq!(least.header("location"), format!("{}/{}", path(&id), least.id()));
    let found = acme.owner.get(least.header("location")).await.expect(200);
    assert_eq!((&found.body, found.etag()), (&least.body, least.etag()));
    let all = json!({ "name": "Sales", "externalReference": "ext-1", "voice": "shimmer", "status": "paused" });
    let full = acme.owner.post(&path(&id), all.clone()).await.expect(201);
    for (member, value) in all.as_object().unwrap() {
        assert_eq!(&full.body[member], value, "{member}");
    }
    let one = format!("{}/{}", path(&id), full.id());
    let patch_if = async |tag: &str, body: Value| {
        acme.owner.send(acme.owner.request("PATCH", &one).header("If-Match", tag).json(&body)).await
    };
    let changed = patch_if(full.etag(), json!({ "status": "active", "voice": null })).await.expect(200);
    assert_eq!((&changed.body["status"], &changed.body["voice"]), (&json!("active"), &Value::Null));
    assert_eq!(changed.body["externalReference"], "ext-1", "what is left out stays");
    patch_if(full.etag(), json!({ "name": "Stale" })).await.expect(412);
    let same = acme.owner.patch(&one, json!({ "status": "active" })).await.expect(200);
    assert_eq!((same.etag(), &same.body), (changed.etag(), &changed.body));
    acme.owner.send(acme.owner.request("DELETE", &one).header("If-Match", full.etag())).await.expect(412);
    acme.owner.delete(&one).await.expect(204);
    acme.owner.delete(&one).await.expect(404);
    acme.owner.get(&one).await.expect(404);
    assert_eq!(acme.owner.get(&path(&id)).await.expect(200).body, json!({ "data": [least.body] }));
}

#[tokio::test]
async fn what_is_wrong_with_an_agent_is_said_all_at_once() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("DACH").await;
    let all =
        json!({ "name": "", "externalReference": "a\nb", "voice": "x".repeat(201), "status": "Active", "colour": 1 });
    let refused = acme.owner.post(&path(&id), all).await.expect(422).refused();
    let refused: Vec<_> = refused.iter().map(|(field, code)| (field.as_str(), code.as_str())).collect();
    let five = [
        ("colour", "unknown_field"),
        ("externalReference", "forbidden_character"),
        ("name", "empty"),
        ("status", "wrong_case"),
        ("voice", "too_long"),
    ];
    assert_eq!(refused, five);
    let one = format!("{}/{}", path(&id), acme.agent(&id, json!({ "voice": "alloy" })).await);
    let before = acme.owner.get(&one).await.expect(200).body;
    for (member, bad, code) in [
        ("name", json!(null), "null"),
        ("status", json!(null), "null"),
        ("status", json!("retired"), "not_a_choice"),
        ("voice", json!(""), "empty"),
        ("name", json!("x".repeat(121)), "too_long"),
        ("externalReference", json!(4711), "wrong_type"),
        ("workspaceId", json!(id), "unknown_field"),
        ("version", json!(1), "unknown_field"),
    ] {
        let refused = acme.owner.patch(&one, json!({ member: bad })).await.expect(422);
        assert_eq!(refused.refused(), [(member.to_owned(), code.to_owned())]);
    }
    assert_eq!(acme.owner.get(&one).await.expect(200).body, before);
    for length in [120, 200] {
        let member = if length == 120 { "name" } else { "externalReference" };
        let fits = "😀".repeat(length);
        assert_eq!(acme.owner.patch(&one, json!({ member: fits })).await.expect(200).body[member], fits);
    }
}

#[tokio::test]
async fn an_agent_is_found_in_its_own_workspace_and_in_no_other() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (home, other) = (acme.workspace("Home").await, acme.workspace("Other").await);
    let agent = acme.agent(&home, json!({})).await;
    let before = acme.owner.get(&format!("{}/{agent}", path(&home))).await.expect(200);
    let wrong = format!("{}/{agent}", path(&other));
    let unused = acme.owner.get(&format!("{}/{}", path(&other), Uuid::now_v7())).await.expect(404);
    assert_eq!(unused.body["error"], "Agent not found");
    for answer in [
        acme.owner.get(&wrong).await,
        acme.owner.patch(&wrong, json!({ "name": "Taken over" })).await,
        acme.owner.delete(&wrong).await,
    ] {
        assert_eq!(answer.expect(404).without_request_id(), unused.without_request_id());
    }
    let key = acme.key(&["workspaces:read", "workspaces:write"], json!({ "workspaceId": other })).await;
    key.get(&wrong).await.expect(404);
    let hidden = key.get(&format!("{}/{agent}", path(&home))).await.expect(404);
    assert_eq!(hidden.body["error"], "Workspace not found");
    assert_eq!(acme.owner.get(&path(&other)).await.expect(200).body, json!({ "data": [] }));
    let after = acme.owner.get(&format!("{}/{agent}", path(&home))).await.expect(200);
    assert_eq!((after.etag(), &after.body), (before.etag(), &before.body));
}

#[tokio::test]
async fn who_works_in_a_workspace_keeps_its_agents_and_who_observes_sees_them() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (mine, other) = (acme.workspace("Mine").await, acme.workspace("Other").await);
    let (_, agent) = acme.member(Role::Agent, &[&mine]).await;
    let (_, observer) = acme.member(Role::Observer, &[&mine]).await;
    let (_, billing) = acme.member(Role::Billing, &[]).await;
    let made = agent.post(&path(&mine), json!({ "name": "Reception" })).await.expect(201);
    let one = format!("{}/{}", path(&mine), made.id());
    agent.patch(&one, json!({ "status": "paused" })).await.expect(200);
    observer.get(&one).await.expect(200);
    observer.patch(&one, json!({ "status": "active" })).await.expect(403);
    observer.delete(&one).await.expect(403);
    billing.get(&one).await.expect(404);
    agent.post(&path(&other), json!({ "name": "Reception" })).await.expect(404);
    agent.delete(&one).await.expect(204);
}

#[tokio::test]
async fn agents_are_listed_in_each_order_and_by_each_filter() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (id, other) = (acme.workspace("DACH").await, acme.workspace("Other").await);
    for (name, status) in [("Beta", "active"), ("alpha", "paused"), ("Ärger", "active"), ("50%_off", "active")] {
        acme.agent(&id, json!({ "name": name, "status": status, "externalReference": name })).await;
        acme.agent(&other, json!({ "name": name })).await;
    }
    let names = async |query: &str| {
        let page = acme.owner.get(&format!("{}?{query}", path(&id))).await.expect(200);
        let names =
            page.body["data"].as_array().unwrap().iter().map(|agent| agent["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names("").await, "Beta alpha Ärger 50%_off");
    assert_eq!(names("sort=name").await, "50%_off alpha Ärger Beta");
    assert_eq!(names("sort=-createdAt").await, "50%_off Ärger alpha Beta");
    assert_eq!(names("status=paused").await, "alpha");
    assert_eq!(names("q=%25_").await, "50%_off");
    assert_eq!(names("q=BET&status=active").await, "Beta");
    assert_eq!(names("externalReference=alpha").await, "alpha");
    assert_eq!(names("externalReference=ALPHA").await, "");
    let first = acme.owner.get(&format!("{}?limit=3&sort=name", path(&id))).await.expect(200);
    let cursor = first.text_of("nextCursor");
    assert_eq!(names(&format!("limit=3&sort=name&cursor={cursor}")).await, "Beta");
    // A cursor is of one workspace.
    let elsewhere = acme.owner.get(&format!("{}?limit=3&sort=name&cursor={cursor}", path(&other))).await.expect(400);
    assert_eq!(elsewhere.body["code"], "bad_cursor");
}
