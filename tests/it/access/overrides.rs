//! The key names the tenant, and nothing else in a request does.

use serde_json::json;
use tenantry_tests::{Answer, App, Client, Operation, Rows, Target, Tenant, new_name};

use super::comparable;

/// Headers in which other services take a tenant.
const HEADERS: [&str; 8] = [
    "X-Tenant-Id",
    "X-Tenant",
    "X-Org",
    "X-Organization-Id",
    "X-Forwarded-Host",
    "X-Forwarded-User",
    "X-Original-URL",
    "X-HTTP-Method-Override",
];

struct Pair {
    app: App,
    ours: Tenant,
    theirs: Tenant,
}

impl Pair {
    async fn new() -> Self {
        let app = App::start().await;
        let (ours, theirs) = (app.tenant("Ours").await, app.tenant("Theirs").await);
        ours.workspace("Ours").await;
        Self { app, ours, theirs }
    }

    async fn with_header(&self, operation: &Operation, path: &str, name: &str, value: &str) -> Answer {
        let client: &Client = &self.theirs.owner;
        let request = client.request(&operation.method, path).header(name, value);
        let request = operation.body().iter().fold(request, |request, body| request.json(body));
        client.send(request).await
    }
}

#[tokio::test]
async fn no_header_chooses_another_tenant() {
    let pair = Pair::new().await;
    let mut rows = Rows::of(&pair.app.database);
    let before = rows.of_tenant(pair.ours.id);
    let ours = pair.ours.id.to_string();
    let mut headers: Vec<(&str, &str)> = HEADERS.iter().map(|name| (*name, ours.as_str())).collect();
    headers.extend([("Host", ours.as_str()), ("X-Original-URL", "/api/tenant"), ("X-HTTP-Method-Override", "DELETE")]);
    for operation in Operation::of_the_api() {
        for (name, value) in &headers {
            let path = Target::of(&pair.theirs).await.path(&operation).await;
            let plain = if operation.writes() { None } else { Some(pair.theirs.owner.get(&path).await) };
            let answer = pair.with_header(&operation, &path, name, value).await;
            assert!((200..300).contains(&answer.status), "{operation} with {name}: {}", answer.text);
            assert!(!answer.text.contains(&ours), "{operation} with {name}: {}", answer.text);
            if let Some(plain) = plain {
                assert_eq!(answer.body, plain.body, "{operation} with {name}");
            }
        }
    }
    assert_eq!(rows.of_tenant(pair.ours.id), before);
}

#[tokio::test]
async fn no_parameter_chooses_another_tenant() {
    let pair = Pair::new().await;
    for operation in Operation::of_the_api().iter().filter(|operation| !operation.writes()) {
        for name in ["tenantId", "tenant_id", "tenant", "org"] {
            let path = Target::of(&pair.theirs).await.path(operation).await;
            let answer = pair.theirs.owner.get(&format!("{path}?{name}={}", pair.ours.id)).await;
            // Probes and pages that anybody may read look at no parameter.
            if operation.needs_credential() {
                assert_eq!(
                    answer.expect(422).refused(),
                    [(name.to_owned(), "unknown_field".to_owned())],
                    "{operation}"
                );
            } else {
                assert_eq!(comparable(&answer.expect(200)), comparable(&pair.theirs.owner.get(&path).await));
            }
        }
    }
}

#[tokio::test]
async fn two_keys_in_one_request_are_no_key() {
    let pair = Pair::new().await;
    for (first, second) in [(&pair.ours, &pair.theirs), (&pair.theirs, &pair.ours)] {
        let request = first.owner.request("GET", "/api/me");
        let answer = first.owner.send(request.header("Authorization", format!("Bearer {}", second.owner.key()))).await;
        assert_eq!(answer.expect(400).body["code"], "several_credentials");
        let joined = format!("Bearer {}, Bearer {}", first.owner.key(), second.owner.key());
        let client = pair.app.client();
        client.send(client.request("GET", "/api/me").header("Authorization", joined)).await.expect(401);
    }
}

#[tokio::test]
async fn what_the_service_sets_itself_is_not_taken_from_a_body() {
    let pair = Pair::new().await;
    let mut rows = Rows::of(&pair.app.database);
    let id = pair.ours.id.to_string();
    let values =
        ["tenantId", "tenant_id", "id", "ownerId", "createdAt", "updatedAt", "version", "role", "quota", "plan"];
    for operation in Operation::writing() {
        let Some(body) = operation.body() else { continue };
        let path = Target::of(&pair.theirs).await.path(&operation).await;
        let before = rows.all();
        for member in values.into_iter().chain(["isAdmin", "lastFour", "revokedAt", "secret"]) {
            // The role is for managers to give, and nobody gives more than they have.
            if member == "role" && body.get("role").is_some() {
                continue;
            }
            let mut body = body.clone();
            body[member] = json!(id);
            let answer = operation.send(&pair.theirs.owner, &path, Some(&body)).await;
            assert_eq!(answer.expect(422).refused(), [(member.to_owned(), "unknown_field".to_owned())], "{operation}");
        }
        assert_eq!(rows.all(), before, "{operation}");
    }
}

#[tokio::test]
async fn names_and_slugs_are_unique_in_a_tenant_and_in_no_larger_place() {
    let pair = Pair::new().await;
    let name = new_name("Same");
    let mut made = Vec::new();
    for tenant in [&pair.ours, &pair.theirs] {
        let owner = &tenant.owner;
        let brand = json!({ "name": name, "emailFromName": name, "slug": "same" });
        owner.post("/api/brands", brand.clone()).await.expect(201);
        assert_eq!(owner.post("/api/brands", brand).await.expect(409).body["code"], "slug_taken");
        let derived = owner.post("/api/brands", json!({ "name": "Derived", "emailFromName": name })).await.expect(201);
        assert_eq!(derived.body["slug"], "derived");
        let workspace = owner.post("/api/workspaces", json!({ "name": name })).await.expect(201);
        owner.post("/api/api-keys", json!({ "name": name, "scopes": ["keys:read"] })).await.expect(201);
        made.push(owner.get(&format!("/api/workspaces/{}/effective", workspace.id())).await.expect(200));
    }
    assert_ne!(made[0].etag(), made[1].etag(), "a tag of the same content does not show that it is the same");
}

#[tokio::test]
async fn no_cache_keeps_an_answer_for_somebody_else() {
    let pair = Pair::new().await;
    for operation in Operation::of_the_api() {
        let path = Target::of(&pair.ours).await.path(&operation).await;
        let refused = operation.send(&pair.app.client(), &path, None).await.expect(401);
        assert_eq!(refused.header("cache-control"), "no-store", "{operation}");
        let answer = operation.send(&pair.ours.owner, &path, operation.body().as_ref()).await;
        let control = answer.header("cache-control");
        match (operation.writes(), answer.status) {
            (_, 204) => {}
            (true, _) if control == "no-store" => {}
            _ => {
                assert_eq!(control, "private, no-cache", "{operation}");
                assert_eq!(answer.header("vary"), "Authorization", "{operation}");
            }
        }
    }
}
