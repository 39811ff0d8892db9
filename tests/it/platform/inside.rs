//! The platform does not see inside tenants: neither through their own routes nor through its own.

use serde_json::json;
use tenantry_domain::{Action, Grant, permit};
use tenantry_tests::{App, Operation, Rows, Tenant, new_name, problem};

/// The ids of things that are there, by the name of the parameter; what else a path may name is looked for in vain.
async fn filled(operation: &Operation, acme: &Tenant) -> String {
    let workspace = acme.workspace("DACH").await;
    let nothing = tenantry_persistence::new_id::<()>().to_string();
    let path = operation.path.replace("{workspaceId}", &workspace).replace("{brandId}", &acme.brand);
    path.split('/')
        .map(|part| if part.starts_with('{') { nothing.as_str() } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

#[tokio::test]
async fn a_platform_key_is_refused_at_every_route_of_a_tenant() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let mut rows = Rows::of(&app.database);
    // Those of webhooks are the platform's as well: with its key, they are about its own.
    let of_tenants_alone =
        |one: &Operation| one.action().is_none_or(|action| permit(&Grant::Platform, action).is_err());
    for operation in Operation::of_the_api().into_iter().filter(of_tenants_alone) {
        let (path, body) = (filled(&operation, &acme).await, operation.body());
        let before = rows.all();
        let answer = operation.send(&app.platform(), &path, body.as_ref()).await;
        assert_eq!(answer.status, 403, "{operation}: {}", answer.text);
        assert_eq!(answer.body["code"], "forbidden", "{operation}");
        problem(&answer);
        assert!(answer.header("www-authenticate").contains("insufficient_scope"), "{operation}");
        assert!(!answer.text.contains(&acme.id.to_string()) && !answer.text.contains("Acme"), "{}", answer.text);
        assert_eq!(rows.all(), before, "{operation}");
        let stranger = app.client().with_key(tenantry_auth::issue_platform().unwrap().reveal());
        let unknown = operation.send(&stranger, &path, body.as_ref()).await;
        assert_eq!(unknown.status, 401, "{operation}: {}", unknown.text);
    }
}

const CANARY: &str = "Canary";

/// Something of every kind, with the canary in all of its text.
async fn plant(app: &App, acme: &Tenant) -> Vec<String> {
    let brand = json!({ "name": CANARY, "emailFromName": CANARY, "brandInstructions": CANARY, "slug": "canary" });
    let brand = acme.owner.post("/api/brands", brand).await.expect(201).id();
    let workspace = json!({ "name": CANARY, "brandId": brand, "workspaceInstructions": CANARY });
    let workspace = acme.owner.post("/api/workspaces", workspace).await.expect(201).id();
    let (_, key) = acme.key_with_id(&["tenant:read"], json!({ "name": CANARY })).await;
    let invited = json!({ "email": "canary@example.com", "role": "agent", "workspaceIds": [workspace] });
    let invitation = acme.owner.post("/api/invitations", invited).await.expect(201).id();
    let person = tenantry_domain::Person { issuer: CANARY.parse().unwrap(), subject: CANARY.parse().unwrap() };
    let details = tenantry_domain::MemberDetails {
        email: "member.canary@example.com".parse().unwrap(),
        role: tenantry_domain::Role::Owner,
        status: tenantry_domain::MemberStatus::Active,
        person,
        labels: Default::default(),
    };
    let member = tenantry_operations::members::create(&app.store, &acme.operator(), details, vec![]).await.unwrap();
    vec![acme.brand.clone(), brand, workspace, key, invitation, member.id.to_string(), CANARY.to_lowercase()]
}

#[tokio::test]
async fn no_answer_to_the_platform_tells_what_is_inside() {
    let app = App::start().await;
    for operation in Operation::of_the_platform() {
        let acme = app.tenant("Acme").await;
        let planted = plant(&app, &acme).await;
        let one = format!("/api/admin/tenants/{}", acme.id);
        if operation.action() == Some(Action::TenantRestore) {
            app.platform().delete(&one).await.expect(204);
        }
        let external_id = new_name("called").replace(' ', "-");
        if operation.path.contains("{externalId}") && !operation.puts() {
            acme.is_called(&external_id).await;
        }
        let path = operation.path.replace("{tenantId}", &acme.id.to_string()).replace("{externalId}", &external_id);
        let answer = operation.send(&app.platform(), &path, operation.body().as_ref()).await;
        assert!((200..300).contains(&answer.status), "{operation}: {}", answer.text);
        let shown = format!("{} {:?}", answer.text, answer.headers).to_lowercase();
        for inside in &planted {
            assert!(!shown.contains(inside.as_str()), "{operation} tells {inside}: {shown}");
        }
        if operation.has_id() && operation.method != "DELETE" {
            let used = json!({ "workspaces": 1, "members": 1, "pendingInvitations": 1 });
            assert_eq!(answer.body["use"], used, "{operation}: numbers, and no more");
        }
    }
}
