//! Who may ask: a service key, and nothing else. And what a service key may do: ask, and nothing else.

use serde_json::json;
use tenantry_auth::{issue, issue_invitation, issue_service};
use tenantry_domain::{KeyMode, RequestRate, Requests, Role, Scope};
use tenantry_http::Rates;
use tenantry_tests::{App, new_name};

use super::ask;

#[tokio::test]
async fn no_other_credential_may_ask_and_each_is_told_which_one_may() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let all: Vec<_> = Scope::all().iter().map(|scope| scope.as_str()).collect();
    let service = app.service();
    let mistyped = &service.key()[..service.key().len() - 1];
    let stranger = app.people.token(&new_name("Stranger"), Some(acme.id), json!({}));
    let (missing, invalid, other) = ("missing_credentials", "invalid_credentials", "not_a_service_key");
    let realm = "Bearer realm=\"tenantry\"";
    for (what, client, code) in [
        ("nothing", app.client(), missing),
        ("an unknown service key", app.client().with_key(issue_service().unwrap().reveal()), invalid),
        ("a mistyped service key", app.client().with_key(mistyped), invalid),
        ("the owner's key", acme.owner.clone(), other),
        ("a key of all scopes", acme.key(&all, json!({})).await, other),
        ("an unknown key", app.client().with_key(issue(acme.id, KeyMode::Live).unwrap().reveal()), other),
        ("the platform key", app.platform(), other),
        ("an invitation", app.client().with_key(issue_invitation(acme.id).unwrap().reveal()), other),
        ("an owner", acme.member(Role::Owner, &[]).await.1, other),
        ("a stranger", app.client().with_key(&stranger), other),
        ("something", app.client().with_key("something"), other),
    ] {
        let answer = ask(&client, acme.owner.key(), json!([])).await.expect(401);
        assert_eq!(answer.body["code"], code, "{what}");
        let challenge = if code == missing { realm.to_owned() } else { format!("{realm}, error=\"invalid_token\"") };
        assert_eq!(answer.header("www-authenticate"), challenge, "{what}");
        assert!(!answer.text.contains("active"), "{what}: {}", answer.text);
    }
    ask(&service, acme.owner.key(), json!([])).await.expect(200);
    // Who may not ask is told so before anybody reads the body.
    let request = acme.owner.request("POST", "/api/introspect").header("Content-Type", "text/plain").body("{");
    acme.owner.send(request).await.expect(401);
}

#[tokio::test]
async fn a_service_key_has_a_limit_of_its_own_and_the_tenant_it_asks_about_pays_nothing() {
    let one = |burst: i64| {
        let number = |number: i64| Requests::try_from(number).unwrap();
        Some(RequestRate { per_second: number(1), burst: number(burst) })
    };
    let app = App::limiting(Rates { service: one(3), credential: one(2), address: None }).await;
    let acme = app.tenant("Acme").await;
    let service = app.service();
    let many = (0..30).map(|_| ask(&service, acme.owner.key(), json!([])));
    let answers = futures_util::future::join_all(many).await;
    for answer in &answers {
        assert!(answer.header("ratelimit-policy").contains("q=3"), "{:?}", answer.headers);
    }
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert!(statuses.contains(&200) && statuses.contains(&429), "{statuses:?}");
    acme.owner.get("/api/tenant").await.expect(200);
    acme.owner.get("/api/tenant").await.expect(200);
}

#[tokio::test]
async fn each_result_is_counted_and_nothing_is_written_down() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let before = app.database.rows("SELECT FROM audit_events");
    for shown in [acme.owner.key(), "tnt_live_v1_mistyped", "a.mistyped.c"] {
        ask(&app.service(), shown, json!([])).await.expect(200);
    }
    let metrics = app.client().get("/metrics").await.expect(200).text;
    for line in ["{result=\"active\"} 1", "{result=\"inactive\"} 2"] {
        assert!(metrics.contains(&format!("tenantry_introspections_total{line}")), "{metrics}");
    }
    assert_eq!(app.database.rows("SELECT FROM audit_events"), before, "to ask changes nothing");
}

#[tokio::test]
async fn an_idempotency_key_means_nothing_here() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (key, id) = acme.key_with_id(&["workspaces:read"], json!({})).await;
    let body = json!({ "token": key.key() });
    let door = app.replica_on(&App::store(&app.database.service_url(), |pool| pool.look_up_lane = false));
    for active in [true, false] {
        for service in [app.service(), app.service().at(&door)] {
            let request = service.request("POST", "/api/introspect").header("Idempotency-Key", "once");
            let answer = service.send(request.json(&body)).await.expect(200);
            assert_eq!(answer.body["active"], active, "an answer of before is no answer");
        }
        acme.owner.delete(&format!("/api/api-keys/{id}")).await.expect(204);
    }
}
