//! Permissions that the operator declares for the product: who has them, who gives them, and what becomes of them when they are not
//! declared any more.

use serde_json::{Value, json};
use tenantry_domain::{KeyMode, Level, Permission, Permissions, Role, Scope};
use tenantry_tests::{Answer, App, Client, Tenant};

fn declared(roles: &[Role]) -> Permissions {
    let description = "Reads | the <b>conversations</b>.".parse().unwrap();
    let name = "conversations:read".parse().unwrap();
    Permissions::new(vec![Permission { name, roles: roles.to_vec(), level: Level::Workspace, description }]).unwrap()
}

/// What a service hears of the permission.
async fn hears(service: &Client, token: &str) -> Value {
    let body = json!({ "token": token, "questions": [{ "permission": "conversations:read" }] });
    let answer = service.post("/api/introspect", body).await.expect(200);
    assert_eq!(answer.body["active"], true, "{}", answer.text);
    let carries = answer.body["scope"].as_str().unwrap_or_default().contains("conversations:read");
    let answer = answer.body["answers"][0].clone();
    assert_eq!(answer["allowed"], carries, "the list of scopes says the same");
    if carries { json!(true) } else { answer["reason"].clone() }
}

async fn make_key(client: &Client, scopes: &[&str]) -> Answer {
    client.post("/api/api-keys", json!({ "name": "A key", "scopes": scopes })).await
}

async fn invite(client: &Client, role: &str) -> Answer {
    let email = tenantry_tests::new_email();
    client.post("/api/invitations", json!({ "email": email, "role": role })).await
}

/// A service that has these permissions, and one that has none.
async fn world(permissions: Permissions) -> (App, Client, Tenant) {
    let app = App::declaring(permissions).await;
    let without = app.replica_on(&App::store(&app.database.service_url(), |_| {}));
    let acme = app.tenant("Acme").await;
    (app, without, acme)
}

#[tokio::test]
async fn a_key_carries_a_declared_permission_and_a_member_has_it_by_the_role() {
    let (app, _, acme) = world(declared(&[Role::Owner, Role::Agent])).await;
    let owner = acme.member(Role::Owner, &[]).await.1;
    let made = make_key(&owner, &["conversations:read", "workspaces:read"]).await.expect(201);
    assert_eq!(made.body["scopes"], json!(["conversations:read", "workspaces:read"]));
    let secret = made.text_of("secret");
    assert_eq!(hears(&app.service(), &secret).await, true);
    let without = make_key(&owner, &["workspaces:read"]).await.expect(201);
    assert_eq!(hears(&app.service(), &without.text_of("secret")).await, "insufficient_scope");
    for (role, expected) in [
        (Role::Owner, json!(true)),
        (Role::Agent, json!(true)),
        (Role::Admin, json!("forbidden")),
        (Role::Billing, json!("forbidden")),
        (Role::Observer, json!("forbidden")),
    ] {
        let member = acme.member(role, &[]).await.1;
        assert_eq!(hears(&app.service(), member.key()).await, expected, "{role}");
    }
    let client = acme.owner.with_key(&secret);
    client.get("/api/workspaces").await.expect(200);
    client.get("/api/brands").await.expect(403);
    let log = acme.owner.get(&format!("/api/audit-events?subjectId={}", made.id())).await.expect(200);
    assert!(log.text.contains("conversations:read"), "{}", log.text);
}

#[tokio::test]
async fn nobody_gives_what_they_do_not_have() {
    let (_app, without, acme) = world(declared(&[Role::Owner, Role::Agent])).await;
    let (owner, admin) = (acme.member(Role::Owner, &[]).await.1, acme.member(Role::Admin, &[]).await.1);
    let own: Vec<_> = Scope::all().iter().map(|scope| scope.as_str()).collect();
    let poor = acme.key(&own, json!({})).await;
    for (client, code) in [(&admin, "forbidden"), (&poor, "insufficient_scope")] {
        let refused = make_key(client, &["conversations:read"]).await.expect(403);
        assert_eq!(refused.body["code"], code, "{}", refused.text);
        let refused = invite(client, "agent").await.expect(403);
        assert_eq!(refused.body["code"], code, "{}", refused.text);
        invite(client, "observer").await.expect(201);
        make_key(client, &["workspaces:read"]).await.expect(201);
    }
    invite(&owner, "agent").await.expect(201);
    invite(&admin.at(&without), "agent").await.expect(201);
    let member = acme.member(Role::Observer, &[]).await.0;
    let change = json!({ "role": "agent" });
    admin.patch(&format!("/api/members/{member}"), change.clone()).await.expect(403);
    owner.patch(&format!("/api/members/{member}"), change).await.expect(200);
    // Who has it, gives it: a key as well.
    make_key(&acme.owner, &["conversations:read"]).await.expect(201);
    invite(&acme.owner, "agent").await.expect(201);
}

#[tokio::test]
async fn a_permission_that_is_no_longer_declared_counts_for_nothing_and_comes_back_with_its_declaration() {
    let (app, without, acme) = world(declared(&[Role::Owner, Role::Agent])).await;
    let (owner, admin) = (acme.member(Role::Owner, &[]).await.1, acme.member(Role::Admin, &[]).await.1);
    let made = make_key(&owner, &["conversations:read", "keys:read", "keys:write"]).await.expect(201);
    let (id, secret) = (made.id(), made.text_of("secret"));
    let (service, there) = (app.service(), app.service().at(&without));
    assert_eq!(hears(&service, &secret).await, true);
    assert_eq!(hears(&there, &secret).await, "unknown_permission");
    assert_eq!(hears(&there, owner.key()).await, "unknown_permission");
    let path = format!("/api/api-keys/{id}");
    let shown = owner.at(&without).get(&path).await.expect(200);
    assert_eq!(shown.body["scopes"], json!(["conversations:read", "keys:read", "keys:write"]), "it is not lost");
    // Nobody makes a new key with it, and a key that has it is replaced by one that has it.
    let refused = make_key(&owner.at(&without), &["conversations:read"]).await.expect(422);
    assert_eq!(refused.refused(), [("scopes".to_owned(), "not_a_choice".to_owned())]);
    admin.at(&without).post(&format!("{path}/rotate"), json!({})).await.expect(403);
    let key = acme.owner.with_key(&secret);
    let rotated = key.at(&without).post(&format!("{path}/rotate"), json!({})).await.expect(201);
    assert_eq!(rotated.body["scopes"], shown.body["scopes"]);
    let path = format!("/api/api-keys/{}", rotated.id());
    let rotated = owner.at(&without).post(&format!("{path}/rotate"), json!({})).await.expect(201);
    let secret = rotated.text_of("secret");
    assert_eq!(hears(&there, &secret).await, "unknown_permission");
    assert_eq!(hears(&service, &secret).await, true, "declared again, it counts again");
}

#[tokio::test]
async fn a_service_that_declares_permissions_says_so_in_its_document() {
    let (app, without, acme) = world(declared(&[Role::Owner, Role::Agent])).await;
    let document = app.client().get("/openapi.json").await.expect(200).body;
    let schemas = &document["components"]["schemas"];
    let has = |list: &Value| list.as_array().unwrap().contains(&json!("conversations:read"));
    assert!(has(&schemas["ScopeChoice"]["enum"]) && has(&schemas["Scope"]["x-extensible-enum"]));
    let text = document["info"]["description"].as_str().unwrap();
    let row = "| `conversations:read` | Reads \\| the &lt;b>conversations&lt;/b>. | `owner`, `agent` | `workspace` |";
    assert!(text.contains(row), "{text}");
    assert!(app.client().get("/openapi.yaml").await.expect(200).text.contains("conversations:read"));
    let plain = without.get("/openapi.json").await.expect(200).text;
    assert!(!plain.contains("Permissions of this service"), "a service without any has the document of all");
    let unknown = tenantry_auth::issue(acme.id, KeyMode::Live).unwrap();
    make_key(&acme.owner.with_key(unknown.reveal()), &["conversations:read"]).await.expect(401);
    let refused = make_key(&acme.owner, &["conversations:reed"]).await.expect(422);
    assert!(refused.text.contains("conversations:read"), "the list has what is declared: {}", refused.text);
}
