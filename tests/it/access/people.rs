//! Who works with people: nobody opens a workspace, takes a place away or learns who is there without the permission to give the
//! role in question.

use serde_json::{Value, json};
use tenantry_domain::{Role, Scope};
use tenantry_tests::{App, Client, Tenant, new_email};

/// The scopes for everything that an agent may do, and to manage members.
const GIVES_AGENTS: [&str; 9] = [
    "members:write",
    "members:read",
    "tenant:read",
    "brands:read",
    "workspaces:read",
    "workspaces:write",
    "usage:read",
    "usage:write",
    "integrations:read",
];

async fn number_of(tenant: &Tenant, name: &str) -> i64 {
    let all = tenant.owner.get("/api/workspace/get-all").await.expect(200).body["workspaces"].clone();
    all.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap()["id"].as_i64().unwrap()
}

async fn put(client: &Client, path: &str) -> u16 {
    client.send(client.request("PUT", path)).await.status
}

async fn places(tenant: &Tenant, number: i64) -> Vec<Value> {
    let info = tenant.owner.get(&format!("/api/workspace/get/{number}")).await.expect(200);
    info.body["data"]["members"].as_array().unwrap().clone()
}

#[tokio::test]
async fn who_could_not_give_a_role_assigns_and_unassigns_nobody_in_it() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (open, closed) = (acme.workspace("Open").await, acme.workspace("Closed").await);
    let (agent, _) = acme.member(Role::Agent, &[&open]).await;
    let (owner, _) = acme.member(Role::Owner, &[&open]).await;
    let (_, admin) = acme.member(Role::Admin, &[]).await;
    let of = |workspace: &str, member: &str| format!("/api/workspaces/{workspace}/members/{member}");
    let number = number_of(&acme, "Closed").await;
    for missing in 0..GIVES_AGENTS.len() {
        let mut scopes = GIVES_AGENTS.to_vec();
        let without = scopes.remove(missing);
        let key = acme.key(&scopes, json!({})).await;
        assert_eq!(put(&key, &of(&closed, &agent)).await, 403, "without {without}");
        key.delete(&of(&open, &agent)).await.expect(403);
        let invite = json!({ "workspace_id": number, "email": new_email() });
        key.post("/api/workspace/invite-user", invite).await.expect(403);
    }
    assert_eq!(places(&acme, number).await, Vec::<Value>::new());
    let narrow = acme.key(&["members:write"], json!({})).await;
    let unknown = of(&closed, "0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48");
    assert_eq!(put(&narrow, &unknown).await, put(&narrow, &of(&closed, &agent)).await, "nor who is there");
    // Nobody but an owner moves owners.
    let all: Vec<_> = Scope::all().iter().map(|scope| scope.as_str()).collect();
    for client in [admin.clone(), acme.key(&all, json!({})).await] {
        assert_eq!(put(&client, &of(&closed, &owner)).await, 403);
        client.delete(&of(&open, &owner)).await.expect(403);
    }
    let key = acme.key(&GIVES_AGENTS, json!({})).await;
    assert_eq!(put(&key, &of(&closed, &agent)).await, 200);
    key.delete(&of(&closed, &agent)).await.expect(204);
    assert_eq!(put(&admin, &of(&closed, &agent)).await, 200);
}

#[tokio::test]
async fn nobody_takes_a_place_from_an_invitation_that_they_could_not_revoke() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (first, second) = (acme.workspace("First").await, acme.workspace("Second").await);
    let (_, owner) = acme.member(Role::Owner, &[]).await;
    let (_, admin) = acme.member(Role::Admin, &[]).await;
    let invitation =
        json!({ "email": "owner@tenantry.test", "role": "owner", "workspaceIds": [first.clone(), second.clone()] });
    let id = owner.post("/api/invitations", invitation).await.expect(201).id();
    let number = number_of(&acme, "First").await;
    let place = places(&acme, number).await[0]["id"].to_string();
    let narrow = acme.key(&["members:write"], json!({})).await;
    for client in [&admin, &acme.owner, &narrow] {
        client.delete(&format!("/api/workspace/invite-delete/{place}")).await.expect(403);
    }
    let path = format!("/api/invitations/{id}");
    assert_eq!(owner.get(&path).await.expect(200).body["workspaceIds"].as_array().unwrap().len(), 2);
    owner.delete(&format!("/api/workspace/invite-delete/{place}")).await.expect(200);
    assert_eq!(owner.get(&path).await.expect(200).body["workspaceIds"], json!([second]));
}

#[tokio::test]
async fn the_dialect_shows_invitations_to_nobody_who_may_not_list_them() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let workspace = acme.workspace("DACH").await;
    let (_, agent) = acme.member(Role::Agent, &[&workspace]).await;
    let (_, observer) = acme.member(Role::Observer, &[&workspace]).await;
    let (_, admin) = acme.member(Role::Admin, &[]).await;
    acme.invitation("secret@tenantry.test", json!({ "workspaceIds": [workspace] })).await;
    let all: Vec<_> = Scope::all().iter().map(|scope| scope.as_str()).collect();
    let path = format!("/api/workspace/get/{}", number_of(&acme, "DACH").await);
    let restricted =
        [json!({ "workspaceId": workspace }), json!({ "brandId": acme.brand })].map(|more| acme.key(&all, more));
    let [of_workspace, of_brand] = restricted;
    for client in [agent, observer, of_workspace.await, of_brand.await] {
        client.get("/api/invitations").await.expect(403);
        let info = client.get(&path).await.expect(200);
        assert!(!info.text.contains("secret@"), "{}", info.text);
        assert_eq!(info.body["data"]["members"].as_array().unwrap().len(), 2, "{}", info.text);
    }
    for client in [&admin, &acme.owner] {
        let info = client.get(&path).await.expect(200);
        assert_eq!(info.body["data"]["members"].as_array().unwrap().len(), 3, "{}", info.text);
    }
}

#[tokio::test]
async fn who_may_not_list_members_does_not_learn_who_is_one() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (id, _) = acme.member(Role::Billing, &[]).await;
    let email = acme.owner.get(&format!("/api/members/{id}")).await.expect(200).text_of("email");
    acme.invitation("invited@tenantry.test", json!({ "role": "billing" })).await;
    // All that the role may, without the permission to see who is there.
    let key = acme.key(&["members:write", "tenant:read"], json!({})).await;
    let ask = async |email: &str| {
        let one = key.post("/api/invitations", json!({ "email": email, "role": "billing" })).await;
        let batch = json!({ "emails": [email], "role": "billing" });
        let several = key.post("/api/invitations/batch", batch).await;
        (one.status, one.without_request_id(), several.status, several.without_request_id())
    };
    let unknown = ask("nobody@tenantry.test").await;
    assert_eq!((unknown.0, unknown.2), (403, 403));
    for known in [email.as_str(), "invited@tenantry.test"] {
        assert_eq!(ask(known).await, unknown, "{known}");
    }
    let path = format!("/api/members/{id}");
    let nobody = format!("/api/members/{}", uuid::Uuid::now_v7());
    for body in [json!({}), json!({ "status": "suspended" })] {
        let answer = key.patch(&path, body).await.expect(403);
        assert!(!answer.text.contains(&email), "{}", answer.text);
    }
    key.delete(&path).await.expect(403);
    // A tag says nothing to who is refused.
    let tagged = key.send(key.request("DELETE", &path).header("If-Match", "\"999\"")).await;
    tagged.expect(403);
    key.delete(&nobody).await.expect(404);
}

#[tokio::test]
async fn colleagues_do_not_see_how_one_is_known_to_the_issuer() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let workspace = acme.workspace("DACH").await;
    let (id, subject) = acme.member_called(Role::Agent, &[&workspace]).await;
    let (own, observer) = acme.member(Role::Observer, &[&workspace]).await;
    let key = acme.key(&["members:read"], json!({ "workspaceId": workspace })).await;
    for client in [&observer, &key, &acme.owner] {
        let list = client.get(&format!("/api/workspaces/{workspace}/members")).await.expect(200);
        assert_eq!(list.body["data"].as_array().unwrap().len(), 2);
        assert!(!list.text.contains(&subject) && !list.text.contains("issuer"), "{}", list.text);
    }
    observer.get(&format!("/api/members/{id}")).await.expect(404);
    observer.get(&format!("/api/members/{own}")).await.expect(200).text_of("subject");
    let member = acme.owner.get(&format!("/api/members/{id}")).await.expect(200);
    assert_eq!(member.text_of("subject"), subject);
}
