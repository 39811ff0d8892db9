//! What a member sees, and that it counts at its next request.

use serde_json::{Value, json};
use tenantry_domain::Role;
use tenantry_tests::{App, Client, Tenant, TestDatabase};

/// The names of the workspaces that somebody sees.
async fn seen(client: &Client) -> Vec<String> {
    let list = client.get("/api/workspaces?sort=name").await.expect(200);
    let names = list.body["data"].as_array().unwrap().iter().map(|workspace| workspace["name"].clone());
    names.map(|name| name.as_str().unwrap().to_owned()).collect()
}

async fn visible(client: &Client) -> Value {
    client.get("/api/me").await.expect(200).body["visibleWorkspaces"].clone()
}

async fn assign(tenant: &Tenant, workspace: &str, member: &str) {
    let path = format!("/api/workspaces/{workspace}/members/{member}");
    tenant.owner.send(tenant.owner.request("PUT", &path)).await.expect(200);
}

#[tokio::test]
async fn each_role_sees_what_is_its_to_see() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (dach, nordics) = (acme.workspace("DACH").await, acme.workspace("Nordics").await);
    for (role, names) in [
        (Role::Owner, vec!["DACH", "Nordics"]),
        (Role::Admin, vec!["DACH", "Nordics"]),
        (Role::Agent, vec!["DACH"]),
        (Role::Observer, vec!["DACH"]),
    ] {
        let (id, member) = acme.member(role, &[&dach]).await;
        assert_eq!(seen(&member).await, names, "{role}");
        assert_eq!(visible(&member).await, json!(names.len()), "{role}");
        let other = member.get(&format!("/api/workspaces/{nordics}")).await;
        assert_eq!(other.status, if names.len() == 2 { 200 } else { 404 }, "{role}");
        let me = member.get("/api/me").await.expect(200).body;
        assert_eq!((&me["member"]["id"], &me["member"]["role"]), (&json!(id), &json!(role.as_str())));
        assert!(me["apiKey"].is_null());
        assert_eq!(me["tenant"]["id"], acme.id.to_string());
    }
    let (_, billing) = acme.member(Role::Billing, &[&dach]).await;
    billing.get("/api/workspaces").await.expect(403);
    billing.get(&format!("/api/workspaces/{dach}")).await.expect(404);
    assert_eq!(visible(&billing).await, json!(0));
    assert_eq!(billing.get("/api/tenant").await.expect(200).body["use"]["workspaces"], 2);
}

#[tokio::test]
async fn who_is_assigned_sees_the_brand_and_no_other() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let second = acme.brand("Second").await;
    let (_, id) = (acme.workspace("Elsewhere").await, acme.workspace_of(&second, "Here").await);
    let (_, agent) = acme.member(Role::Agent, &[&id]).await;
    let list = agent.get("/api/brands").await.expect(200).body["data"].clone();
    assert_eq!((list.as_array().unwrap().len(), &list[0]["id"]), (1, &json!(second)));
    agent.get(&format!("/api/brands/{second}")).await.expect(200);
    agent.get(&format!("/api/brands/{}", acme.brand)).await.expect(404);
    acme.owner.delete(&format!("/api/workspaces/{id}")).await.expect(204);
    agent.get(&format!("/api/brands/{second}")).await.expect(404);
    assert_eq!(agent.get("/api/brands").await.expect(200).body["data"], json!([]));
    assert_eq!(seen(&agent).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_change_of_role_an_assignment_and_a_removal_count_at_the_next_request_on_every_replica() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let other = app.replica();
    let id = acme.workspace("DACH").await;
    let (member, here) = acme.member(Role::Observer, &[]).await;
    let there = other.with_key(here.key());
    let path = format!("/api/members/{member}");
    for replica in [&here, &there] {
        replica.get(&format!("/api/workspaces/{id}")).await.expect(404);
    }
    assign(&acme, &id, &member).await;
    for replica in [&here, &there] {
        replica.get(&format!("/api/workspaces/{id}")).await.expect(200);
        replica.patch(&format!("/api/workspaces/{id}"), json!({ "name": "Mine" })).await.expect(403);
    }
    acme.owner.patch(&path, json!({ "role": "admin" })).await.expect(200);
    for replica in [&there, &here] {
        replica.patch(&format!("/api/workspaces/{id}"), json!({ "name": "Mine" })).await.expect(200);
    }
    acme.owner.patch(&path, json!({ "status": "suspended" })).await.expect(200);
    // In the lane, and at the door.
    let asked = [(&here, "/api/me"), (&there, "/api/brands"), (&there, "/api/me"), (&here, "/api/brands")];
    for (replica, what) in asked {
        replica.get(what).await.expect(401);
    }
    acme.owner.patch(&path, json!({ "status": "active" })).await.expect(200);
    for (replica, what) in asked {
        replica.get(what).await.expect(200);
    }
    acme.owner.delete(&path).await.expect(204);
    for (replica, what) in asked {
        let refused = replica.get(what).await.expect(401);
        assert_eq!(refused.body["code"], "invalid_credentials");
        assert_eq!(refused.header("www-authenticate"), "Bearer realm=\"tenantry\", error=\"invalid_token\"");
    }
    acme.owner.get(&path).await.expect(404);
}

#[tokio::test]
async fn a_member_is_shown_with_the_reason_why_it_sees_a_workspace() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("DACH").await;
    for (role, workspaces, because, each) in [
        (Role::Owner, "all", "role", "role"),
        (Role::Admin, "all", "role", "role"),
        (Role::Billing, "none", "role", "none"),
        (Role::Agent, "assigned", "assignment", "assignment"),
        (Role::Observer, "assigned", "assignment", "assignment"),
    ] {
        let (member, client) = acme.member(role, &[&id]).await;
        // Everybody may look at themselves.
        for reader in [&acme.owner, &client] {
            let access = reader.get(&format!("/api/members/{member}")).await.expect(200).body["access"].clone();
            assert_eq!((&access["workspaces"], &access["because"]), (&json!(workspaces), &json!(because)), "{role}");
            let assignment = &access["assignments"][0];
            assert_eq!((&assignment["workspaceId"], &assignment["because"]), (&json!(id), &json!(each)), "{role}");
            assert_eq!((&assignment["workspaceName"], &access["assignmentCount"]), (&json!("DACH"), &json!(1)));
        }
    }
    let (member, _) = acme.member(Role::Agent, &[]).await;
    let access = acme.owner.get(&format!("/api/members/{member}")).await.expect(200).body["access"].clone();
    assert_eq!(access["assignments"], json!([]));
}

#[tokio::test]
async fn who_does_not_see_all_of_the_tenant_finds_itself_and_nobody_else_and_may_leave() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (other, _) = acme.member(Role::Agent, &[]).await;
    for role in [Role::Agent, Role::Observer, Role::Billing] {
        let (own, member) = acme.member(role, &[]).await;
        let never = member.get(&format!("/api/members/{}", uuid::Uuid::now_v7())).await.expect(404);
        let foreign = member.get(&format!("/api/members/{other}")).await.expect(404);
        assert_eq!(foreign.without_request_id(), never.without_request_id());
        member.get("/api/members").await.expect(403);
        member.delete(&format!("/api/members/{other}")).await.expect(404);
        member.patch(&format!("/api/members/{own}"), json!({ "role": "admin" })).await.expect(403);
        member.delete(&format!("/api/members/{own}")).await.expect(204);
        member.get("/api/me").await.expect(401);
    }
    acme.owner.get(&format!("/api/members/{other}")).await.expect(200);
}

#[tokio::test]
async fn the_tag_of_a_member_changes_with_whatever_is_shown_of_it() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("DACH").await;
    let (member, _) = acme.member(Role::Agent, &[]).await;
    let path = format!("/api/members/{member}");
    let tag = async || acme.owner.get(&path).await.expect(200).etag().to_owned();
    let mut tags = vec![tag().await];
    assign(&acme, &id, &member).await;
    tags.push(tag().await);
    acme.owner.patch(&format!("/api/workspaces/{id}"), json!({ "name": "Renamed" })).await.expect(200);
    tags.push(tag().await);
    acme.owner.patch(&path, json!({ "role": "observer" })).await.expect(200);
    tags.push(tag().await);
    acme.owner.delete(&format!("/api/workspaces/{id}/members/{member}")).await.expect(204);
    tags.push(tag().await);
    let distinct: std::collections::BTreeSet<_> = tags.iter().collect();
    assert_eq!(distinct.len(), tags.len(), "{tags:?}");
    // What a write holds against is the member itself.
    let request = |tag: &str| acme.owner.request("PATCH", &path).header("If-Match", tag);
    acme.owner.send(request(&tags[0]).json(&json!({ "role": "agent" }))).await.expect(412);
    acme.owner.send(request(&tags[4]).json(&json!({ "role": "agent" }))).await.expect(200);
}

#[tokio::test]
async fn the_members_of_a_tenant_do_not_show_in_another_database_of_the_same_service() {
    // Each service has a database of its own, and trusts its own issuer: the control of the kit itself.
    let (one, other) = (App::start().await, App::on(TestDatabase::new(), |_| {}).await);
    let acme = one.tenant("Acme").await;
    let (_, member) = acme.member(Role::Owner, &[]).await;
    member.get("/api/me").await.expect(200);
    other.client().with_key(member.key()).get("/api/me").await.expect(401);
}
