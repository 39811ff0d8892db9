//! Answers are as the document says: status, media type, headers, and every member of the body.

use serde_json::{Value, json};
use tenantry_tests::{Answer, App, Client, Contract, Operation, Target, TestDatabase, document};

fn operation(method: &str, path: &str) -> Operation {
    Operation { path: path.to_owned(), method: method.to_owned() }
}

/// Sends requests and holds each answer against the document.
struct Session(Client);

impl Session {
    async fn ask(&self, operation: &Operation, path: &str, headers: &[(&str, &str)], body: Option<Vec<u8>>) -> Answer {
        let mut request = self.0.request(&operation.method, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let answer = self.0.send(request).await;
        Contract::get().hold(operation, &answer);
        answer
    }

    async fn json(&self, operation: &Operation, path: &str, body: &Value) -> Answer {
        let body = Some(serde_json::to_vec(body).unwrap());
        self.ask(operation, path, &[("Content-Type", "application/json")], body).await
    }
}

#[tokio::test]
async fn whatever_an_operation_answers_to_good_and_bad_requests_is_documented() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let session = Session(acme.owner.clone());
    let nobody = Session(app.client());
    let narrow = Session(acme.key(&["keys:read"], json!({})).await);
    let json = ("Content-Type", "application/json");
    for operation in Operation::all().into_iter().filter(|operation| !operation.is_of_the_platform()) {
        let mut target = Target::of(&acme).await;
        let path = target.path(&operation).await;
        let body = target.body(&operation).await.map(|body| serde_json::to_vec(&body).unwrap());
        nobody.ask(&operation, &path, &[], None).await;
        narrow.ask(&operation, &path, &[json], body.clone()).await;
        for header in [("Authorization", "Bearer another"), ("X-Request-Id", "mine"), ("Accept", "text/html")] {
            let answer = nobody.ask(&operation, &path, &[header, header], None).await;
            assert!(answer.status < 500, "{operation}");
        }
        // Another key beside the client's own, where one is asked for.
        session.ask(&operation, &path, &[("Authorization", "Bearer another"), json], body.clone()).await;
        for (name, value) in
            [("If-None-Match", "*"), ("If-None-Match", "nonsense"), ("If-Match", "\"999\""), ("If-Match", ";")]
        {
            if operation.writes() != (name == "If-Match") || !["GET", "PATCH", "DELETE"].contains(&&*operation.method) {
                continue;
            }
            session.ask(&operation, &path, &[(name, value), json], body.clone()).await;
        }
        if let Some(body) = body.clone() {
            for bad in [&b""[..], b"{", b"[]", b"null", b"{\"name\": 1, \"unheardOf\": 2}", &vec![b' '; 600_000]] {
                session.ask(&operation, &path, &[json], Some(bad.to_vec())).await;
            }
            session.ask(&operation, &path, &[("Content-Type", "text/plain")], Some(body)).await;
        }
        if !operation.writes() {
            session.ask(&operation, &format!("{path}?unheardOf=1&limit=0&cursor=%00"), &[], None).await;
            session.ask(&operation, &format!("{path}?cursor=nonsense"), &[], None).await;
            session.ask(&operation, &format!("{path}?cursor=a&cursor=b"), &[], None).await;
        }
        if operation.path.contains('{') && !operation.puts() {
            let gone = operation.path.replace(['{', '}'], "");
            session.ask(&operation, &gone, &[json], body.clone()).await.expect(404);
        }
        if operation.needs_a_person() {
            continue;
        }
        // Something new, for what was asked before may have taken the other away.
        let path = Target::of(&acme).await.path(&operation).await;
        let answer = session.ask(&operation, &path, &[json], body).await;
        assert!((200..300).contains(&answer.status), "{operation}: {}", answer.text);
    }
}

#[tokio::test]
async fn things_with_every_member_and_with_hardly_any_are_as_documented() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let session = Session(acme.owner.clone());
    let full_brand = json!({
        "name": "Full", "emailFromName": "Full", "slug": "full", "isDefault": true, "logoUrl": "https://example.com/l.png",
        "primaryColor": "#0055AA", "secondaryColor": "#FFB000", "emailSignatureHtml": "<p>Full</p>",
        "emailSignatureText": "Full", "aiSenderName": "Alex", "aiSenderTitle": "Care", "tone": "formal",
        "aiSenderAvatarUrl": "https://example.com/a.png", "brandInstructions": "Be brief.",
    });
    let full_workspace = json!({
        "name": "Full", "country": "CH", "operatingLanguage": "fr", "currency": "CHF", "workspaceType": "b2c",
        "workspaceInstructions": "Be brief.", "emailSignatureHtml": "<p>Full</p>", "emailSignatureText": "Full",
    });
    let expiry = "2999-01-20T10:00:00.000Z";
    let full_key =
        json!({ "name": "Full", "mode": "test", "scopes": ["keys:read"], "expiresAt": expiry, "brandId": acme.brand });
    for (noun, parameter, full) in [
        ("brands", "brandId", full_brand),
        ("workspaces", "workspaceId", full_workspace),
        ("api-keys", "apiKeyId", full_key),
    ] {
        let list = format!("/api/{noun}");
        let one = format!("{list}/{{{parameter}}}");
        let made = session.json(&operation("POST", &list), &list, &full).await.expect(201);
        for (member, value) in full.as_object().unwrap() {
            assert_eq!(&made.body[member], value, "{noun} {member}");
        }
        let path = format!("{list}/{}", made.id());
        assert_eq!(made.header("location"), path);
        let shown = session.ask(&operation("GET", &one), &path, &[], None).await.expect(200);
        let tag = shown.etag().to_owned();
        let known = session.ask(&operation("GET", &one), &path, &[("If-None-Match", &tag)], None).await.expect(304);
        assert_eq!(known.text, "");
        session.ask(&operation("GET", &list), &format!("{list}?limit=1"), &[], None).await.expect(200);
        if noun != "api-keys" {
            let cleared: serde_json::Map<_, _> = shown
                .body
                .as_object()
                .unwrap()
                .keys()
                .filter(|name| clearable(noun, name))
                .map(|name| (name.clone(), Value::Null))
                .collect();
            assert!(cleared.len() >= 3);
            let bare =
                session.json(&operation("PATCH", &one), &path, &Value::Object(cleared.clone())).await.expect(200);
            let is_clear = |name: &String| bare.body[name].is_null() || bare.body[name] == json!({});
            assert!(cleared.keys().all(is_clear), "{}", bare.text);
        }
    }
    let effective = "/api/workspaces/{workspaceId}/effective";
    let id = acme.workspace("Bare").await;
    session.ask(&operation("GET", effective), &format!("/api/workspaces/{id}/effective"), &[], None).await.expect(200);
    session.ask(&operation("GET", "/api/me"), "/api/me", &[], None).await.expect(200);
    session.ask(&operation("GET", "/api/tenant"), "/api/tenant", &[], None).await.expect(200);
}

/// Whether the document says that the member of an update may be null.
fn clearable(noun: &str, name: &str) -> bool {
    let schema = if noun == "brands" { "UpdateBrand" } else { "UpdateWorkspace" };
    let member = &document()["components"]["schemas"][schema]["properties"][name];
    let null = |value: &Value| {
        value["type"].as_array().is_some_and(|types| types.contains(&json!("null"))) || value["type"] == "null"
    };
    null(member) || member["oneOf"].as_array().is_some_and(|choices| choices.iter().any(null))
}

#[tokio::test]
async fn conflicts_are_documented() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    acme.workspace("DACH").await;
    let session = Session(acme.owner.clone());
    let brand = format!("/api/brands/{}", acme.brand);
    let one = "/api/brands/{brandId}";
    let taken = json!({ "name": "Taken", "emailFromName": "Taken", "slug": "taken" });
    let made = session.json(&operation("POST", "/api/brands"), "/api/brands", &taken).await.expect(201);
    session.json(&operation("POST", "/api/brands"), "/api/brands", &taken).await.expect(409);
    session.json(&operation("PATCH", one), &brand, &json!({ "slug": "taken" })).await.expect(409);
    session.json(&operation("PATCH", one), &brand, &json!({ "isDefault": false })).await.expect(409);
    session.ask(&operation("DELETE", one), &brand, &[], None).await.expect(409);
    acme.workspace_of(&made.id(), "Kept").await;
    session.ask(&operation("DELETE", one), &format!("/api/brands/{}", made.id()), &[], None).await.expect(409);
    let (_, key) = acme.key_with_id(&["keys:read"], json!({})).await;
    acme.owner.delete(&format!("/api/api-keys/{key}")).await.expect(204);
    let rotate = operation("POST", "/api/api-keys/{apiKeyId}/rotate");
    session.json(&rotate, &format!("/api/api-keys/{key}/rotate"), &json!({})).await.expect(409);
}

#[tokio::test]
async fn a_service_without_its_database_answers_as_documented() {
    let app = App::on(TestDatabase::unmigrated(), |_| {}).await;
    let key = tenantry_auth::issue(tenantry_persistence::new_id(), tenantry_domain::KeyMode::Live).unwrap();
    let machine = Session(app.client().with_key(key.reveal()));
    let token = app.people.token("somebody", Some(tenantry_persistence::new_id()), json!({}));
    let person = Session(app.client().with_key(&token));
    for operation in Operation::all() {
        let session = if operation.needs_a_person() { &person } else { &machine };
        let path = operation.path.replace("{file}", "start.js").replace(['{', '}'], "");
        let body = operation.body().map(|body| serde_json::to_vec(&body).unwrap());
        let answer = session.ask(&operation, &path, &[("Content-Type", "application/json")], body).await;
        let needs_it = operation.needs_credential() || operation.path == "/readyz";
        assert_eq!(answer.status, if needs_it { 503 } else { 200 }, "{operation}: {}", answer.text);
        assert_eq!(answer.header("retry-after").is_empty(), !needs_it, "{operation}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_documented_is_noticed() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let one = operation("GET", "/api/workspaces/{workspaceId}");
    let path = format!("/api/workspaces/{}", acme.workspace("DACH").await);
    let answer = acme.owner.get(&path).await.expect(200);
    let contract = Contract::get();
    let faults = |change: &dyn Fn(&mut Answer)| {
        let mut changed = answer.clone();
        change(&mut changed);
        contract.faults(&one, &changed).len()
    };
    assert_eq!(faults(&|_| {}), 0);
    assert_eq!(faults(&|answer| answer.status = 418), 1);
    assert_eq!(faults(&|answer| answer.body["unheardOf"] = json!(1)), 1);
    assert_eq!(faults(&|answer| answer.body["country"] = json!(1)), 1);
    assert_eq!(faults(&|answer| answer.body["workspaceType"] = json!("b2g")), 1);
    assert_eq!(faults(&|answer| answer.body["id"] = json!("not an id")), 1);
    assert_eq!(faults(&|answer| drop(answer.body.as_object_mut().unwrap().remove("emailSignatureText"))), 1);
    assert_eq!(faults(&|answer| drop(answer.headers.remove("etag"))), 1);
    assert_eq!(faults(&|answer| drop(answer.headers.remove("content-type"))), 1);
}
