//! Other software asks about a credential that it was shown: what it hears, and who may ask.

mod agreement;
mod alike;
mod askers;

use std::time::Duration;

use chrono::Utc;
use serde_json::{Value, json};
use tenantry_domain::{Level, Permission, Permissions, Role};
use tenantry_http::Rates;
use tenantry_tests::{Answer, App, Client, Contract, Operation, TestDatabase};
use uuid::Uuid;

fn permission(name: &str, roles: &[Role], level: Level) -> Permission {
    let description = "What the product lets them do.".parse().unwrap();
    Permission { name: name.parse().unwrap(), roles: roles.to_vec(), level, description }
}

/// What the product of these tests lets people and keys do.
fn declared() -> Permissions {
    Permissions::new(vec![
        permission("conversations:read", &[Role::Owner, Role::Admin, Role::Agent], Level::Workspace),
        permission("conversations:export", &[Role::Owner], Level::Brand),
        permission("calls:make", &[Role::Owner, Role::Agent], Level::Tenant),
    ])
    .unwrap()
}

/// Asks about a credential, and holds the answer against the document.
async fn ask(service: &Client, token: &str, questions: Value) -> Answer {
    let answer = service.post("/api/introspect", json!({ "token": token, "questions": questions })).await;
    let operation = Operation { path: "/api/introspect".to_owned(), method: "POST".to_owned() };
    Contract::get().hold(&operation, &answer);
    answer
}

/// `true`, or why not, for each question.
fn said(answer: &Answer) -> Vec<String> {
    let one = |answer: &Value| match answer["reason"].as_str() {
        None => answer["allowed"].to_string(),
        Some(reason) => {
            assert_eq!(answer["allowed"], false);
            reason.to_owned()
        }
    };
    answer.body["answers"].as_array().unwrap_or_else(|| panic!("{}", answer.text)).iter().map(one).collect()
}

#[tokio::test]
async fn a_key_is_told_with_its_tenant_its_scopes_and_an_answer_to_each_question() {
    let app = App::declaring(declared()).await;
    let acme = app.tenant("Acme").await;
    let other = acme.brand("Other").await;
    let (here, there) = (acme.workspace("Here").await, acme.workspace_of(&other, "There").await);
    let gone = acme.workspace("Gone").await;
    acme.owner.delete(&format!("/api/workspaces/{gone}")).await.expect(204);
    let scopes = ["workspaces:read", "conversations:read", "calls:make"];
    let expiry = "2099-12-31T23:59:59.000Z";
    let (key, id) = acme.key_with_id(&scopes, json!({ "brandId": acme.brand, "expiresAt": expiry })).await;
    let questions = json!([
        { "workspaceId": here },
        { "permission": "conversations:read", "workspaceId": here },
        { "permission": "conversations:read", "workspaceId": there },
        { "permission": "conversations:read" },
        { "permission": "calls:make" },
        { "permission": "conversations:export", "workspaceId": here },
        { "permission": "usage.record", "workspaceId": here },
        { "permission": "usage.record", "workspaceId": there },
        { "permission": "workspaces:read" },
        { "workspaceId": gone },
        { "workspaceId": Uuid::now_v7() },
        { "workspaceId": "../1" },
        { "workspaceId": here, "permission": null },
    ]);
    let answer = ask(&app.service(), key.key(), questions.clone()).await.expect(200);
    assert_eq!(
        said(&answer),
        [
            "true",
            "true",
            "not_found",
            "true",
            "forbidden",
            "insufficient_scope",
            "insufficient_scope",
            "not_found",
            "unknown_permission",
            "not_found",
            "not_found",
            "not_found",
            "true"
        ]
    );
    for (question, said) in questions.as_array().unwrap().iter().zip(answer.body["answers"].as_array().unwrap()) {
        assert_eq!((&question["permission"], &question["workspaceId"]), (&said["permission"], &said["workspaceId"]));
    }
    let mut rest = answer.body.clone();
    rest.as_object_mut().unwrap().remove("answers");
    assert_eq!(
        rest,
        json!({
            "active": true,
            // It may carry calls:make, and does not reach far enough for it.
            "scope": "workspaces:read conversations:read",
            "client_id": id,
            "sub": id,
            "token_type": "Bearer",
            "exp": 4_102_444_799_i64,
            "tenant": { "id": acme.id.to_string(), "name": "Acme" },
            "actor": {
                "type": "api_key", "id": id, "name": "A key", "role": null, "brandId": acme.brand, "workspaceId": null,
                "scopes": ["workspaces:read", "conversations:read"], "expiresAt": expiry
            },
        })
    );
    assert_eq!(answer.header("cache-control"), "no-store");
    app.store.write_notes().await;
    let shown = acme.owner.get(&format!("/api/api-keys/{id}")).await.expect(200);
    assert!(shown.body["lastUsedAt"].is_string(), "that it was shown to a service is a use: {}", shown.text);
}

#[tokio::test]
async fn a_member_is_told_with_issuer_subject_role_and_the_end_of_the_token() {
    let app = App::declaring(declared()).await;
    let acme = app.tenant("Acme").await;
    let (here, there) = (acme.workspace("Here").await, acme.workspace("There").await);
    let (id, subject) = acme.member_called(Role::Agent, &[&here]).await;
    let exp = Utc::now().timestamp() + 300;
    let token = app.people.token(&subject, Some(acme.id), json!({ "exp": exp }));
    let questions = json!([
        { "workspaceId": here }, { "workspaceId": there },
        { "permission": "calls:make", "workspaceId": here }, { "permission": "calls:make", "workspaceId": there },
        { "permission": "conversations:export" }, { "permission": "workspace.create" },
        { "permission": "usage.record", "workspaceId": here }, { "permission": "member.remove" },
    ]);
    let answer = ask(&app.service(), &token, questions).await.expect(200);
    assert_eq!(
        said(&answer),
        ["true", "not_found", "true", "not_found", "forbidden", "forbidden", "true", "forbidden"]
    );
    let (body, email) = (&answer.body, tenantry_tests::People::email(&subject));
    assert_eq!(body["scope"], "conversations:read calls:make");
    assert_eq!((&body["sub"], &body["iss"]), (&json!(subject), &json!(tenantry_tests::People::ISSUER)));
    assert_eq!((&body["exp"], &body["username"]), (&json!(exp), &json!(email)));
    assert_eq!(body.get("client_id"), None);
    assert_eq!(
        (&body["actor"]["type"], &body["actor"]["id"], &body["actor"]["role"]),
        (&json!("member"), &json!(id), &json!("agent"))
    );
}

#[tokio::test]
async fn a_form_of_rfc_7662_is_as_good_as_json() {
    let app = App::declaring(declared()).await;
    let acme = app.tenant("Acme").await;
    let here = acme.workspace("Here").await;
    let service = app.service();
    let form = async |body: String, kind: &str| {
        service.send(service.request("POST", "/api/introspect").header("Content-Type", kind).body(body)).await
    };
    let usual = "application/x-www-form-urlencoded";
    let key = acme.owner.key();
    let plain = ask(&service, key, json!([])).await.expect(200);
    let token = format!("token={key}&token_type_hint=access_token&client_id=ignored");
    for kind in [usual, "Application/X-WWW-Form-URLencoded; charset=UTF-8"] {
        assert_eq!(form(token.clone(), kind).await.expect(200).body, plain.body);
    }
    let asked = form(format!("{token}&permission=conversations%3Aread&workspaceId={here}"), usual).await.expect(200);
    assert_eq!(said(&asked), ["true"], "an owner's first key carries what is declared");
    let asked = form(format!("{token}&workspaceId={here}"), usual).await.expect(200);
    assert_eq!(said(&asked), ["true"]);
    let refused = form(String::new(), usual).await.expect(422);
    assert_eq!(refused.refused(), [("token".to_owned(), "required".to_owned())]);
    assert_eq!(form(format!("{token}&token=2"), usual).await.expect(400).body["code"], "duplicate_field");
    form("token=%ff".to_owned(), usual).await.expect(400);
    form(token.clone(), "text/plain").await.expect(415);
    form(token, &format!("{usual}; charset=latin1")).await.expect(415);
    form(format!("token={}", "x".repeat(600_000)), usual).await.expect(413);
    acme.owner
        .send(acme.owner.request("PATCH", "/api/tenant").header("Content-Type", usual).body("name=A"))
        .await
        .expect(415);
}

#[tokio::test]
async fn questions_have_bounds_and_say_what_is_wrong_with_them() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (service, key) = (app.service(), acme.owner.key());
    let of = |number: usize| -> Value { (0..number).map(|_| json!({ "workspaceId": Uuid::now_v7() })).collect() };
    assert_eq!(said(&ask(&service, key, of(100)).await.expect(200)), vec!["not_found"; 100]);
    for (questions, field, code) in [
        (of(101), "questions", "too_many"),
        (json!([{}]), "questions", "required"),
        (json!([{ "permission": "a.b" }, { "workspaceId": 7 }]), "questions", "wrong_type"),
        (json!([{ "permision": "a.b" }]), "questions", "unknown_field"),
        (json!(["a.b"]), "questions", "wrong_type"),
        (json!("a.b"), "questions", "wrong_type"),
    ] {
        let refused = ask(&service, key, questions).await.expect(422);
        assert_eq!(refused.refused(), [(field.to_owned(), code.to_owned())], "{}", refused.text);
    }
    let second = ask(&service, key, json!([{ "permission": "a.b" }, { "workspaceId": 7 }])).await;
    assert!(second.text.contains("number 2 workspaceId must be a string"), "{}", second.text);
    service.post("/api/introspect", json!({ "token": key, "more": 1 })).await.expect(422);
    service.post("/api/introspect", json!({ "token": 1 })).await.expect(422);
    service.post("/api/introspect?token=1", json!({ "token": key })).await.expect(422);
    service.get("/api/introspect").await.expect(405);
}

#[tokio::test]
async fn nobody_in_a_suspended_tenant_is_active_and_every_answer_says_why() {
    let app = App::declaring(declared()).await;
    let door = app.replica_on(&App::store(&app.database.service_url(), |pool| pool.look_up_lane = false));
    let acme = app.tenant("Acme").await;
    let here = acme.workspace("Here").await;
    let member = acme.member(Role::Owner, &[]).await.1;
    let suspend = format!("/api/admin/tenants/{}/suspend", acme.id);
    app.platform().post(&suspend, json!({})).await.expect(200);
    let questions = json!([{ "workspaceId": here }, { "permission": "nothing:such" }]);
    for client in [&acme.owner, &member] {
        for service in [app.service(), app.service().at(&door)] {
            let answer = ask(&service, client.key(), questions.clone()).await.expect(200);
            assert_eq!(said(&answer), ["suspended", "suspended"]);
            assert_eq!((&answer.body["active"], &answer.body["reason"]), (&json!(false), &json!("suspended")));
            assert_eq!(answer.body.as_object().unwrap().len(), 3, "{}", answer.text);
        }
    }
    let (member, subject) = acme.member_called(Role::Admin, &[]).await;
    app.platform().post(&suspend.replace("suspend", "reactivate"), json!({})).await.expect(200);
    acme.owner.patch(&format!("/api/members/{member}"), json!({ "status": "suspended" })).await.expect(200);
    let token = app.people.token(&subject, Some(acme.id), json!({}));
    assert_eq!(ask(&app.service(), &token, questions).await.expect(200).text, "{\"active\":false}");
}

#[tokio::test]
async fn the_answer_says_how_long_it_may_be_kept_and_never_longer_than_the_credential_holds() {
    let app = App::introspected_for(Duration::from_secs(60), Rates::default()).await;
    let acme = app.tenant("Acme").await;
    let kept = async |token: &str| {
        let answer = ask(&app.service(), token, json!([])).await.expect(200);
        answer.header("cache-control").to_owned()
    };
    assert_eq!(kept(acme.owner.key()).await, "private, max-age=60");
    let subject = acme.member_called(Role::Agent, &[]).await.1;
    let token = app.people.token(&subject, Some(acme.id), json!({ "exp": Utc::now().timestamp() + 50 }));
    let kept_for: u64 = kept(&token).await.strip_prefix("private, max-age=").unwrap().parse().unwrap();
    assert!(kept_for <= 50, "{kept_for}");
    assert_eq!(kept("tnt_live_v1_mistyped").await, "no-store");
    let suspend = format!("/api/admin/tenants/{}/suspend", acme.id);
    app.platform().post(&suspend, json!({})).await.expect(200);
    assert_eq!(kept(acme.owner.key()).await, "no-store");
}

#[tokio::test]
async fn a_revoked_key_is_inactive_at_the_next_request_on_each_replica() {
    let app = App::on(TestDatabase::new(), |_| {}).await;
    let other = app.replica();
    let acme = app.tenant("Acme").await;
    let here = acme.workspace("Here").await;
    let services = [app.service(), app.service().at(&other)];
    for _ in 0..20 {
        let (key, id) = acme.key_with_id(&["workspaces:read"], json!({})).await;
        for service in &services {
            let answer = ask(service, key.key(), json!([{ "workspaceId": here }])).await.expect(200);
            assert_eq!(said(&answer), ["true"]);
        }
        acme.owner.delete(&format!("/api/api-keys/{id}")).await.expect(204);
        for service in &services {
            let answer = ask(service, key.key(), json!([{ "workspaceId": here }])).await.expect(200);
            assert_eq!(answer.text, "{\"active\":false}");
        }
    }
}
