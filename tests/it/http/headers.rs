//! Request ids, and what every answer says or does not say.

use std::collections::HashSet;

use serde_json::json;
use tenantry_tests::{Answer, App, Client, exchange, problem};

async fn answers(client: &Client) -> Vec<Answer> {
    let mut answers = Vec::new();
    for path in [
        "/api/tenant",
        "/api/workspaces",
        "/api/workspaces/x",
        "/api/nothing",
        "/healthz",
        "/readyz",
        "/metrics",
        "/docs",
        "/openapi.json",
    ] {
        for method in ["GET", "HEAD", "OPTIONS", "DELETE"] {
            answers.push(client.send(client.request(method, path)).await);
        }
    }
    answers.push(client.post("/api/workspaces", json!({})).await);
    answers.push(client.post("/api/workspaces", json!([])).await);
    answers
}

#[tokio::test]
async fn every_answer_says_not_to_guess_and_nothing_about_the_service() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    for client in [&acme.owner, &app.client(), &app.client().with_key("tnt_live_v1_x")] {
        for answer in answers(client).await {
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            for silent in ["server", "x-powered-by", "via", "access-control-allow-origin", "set-cookie"] {
                assert!(!answer.headers.contains_key(silent), "{silent}");
            }
            if answer.status >= 400 && !answer.text.is_empty() {
                problem(&answer);
            }
        }
    }
    for path in ["/api/tenant", "/api/workspaces", "/api/me"] {
        let answer = acme.owner.get(path).await.expect(200);
        assert_eq!((answer.header("cache-control"), answer.header("vary")), ("private, no-cache", "Authorization"));
        assert_eq!(answer.header("content-type"), "application/json");
    }
    let docs = app.client().get("/docs").await.expect(200);
    assert!(docs.header("content-security-policy").contains("default-src 'none'"));
    // The one answer that holds a secret is kept by nobody.
    let key = acme.owner.post("/api/api-keys", json!({ "name": "x", "scopes": ["brands:read"] })).await.expect(201);
    assert_eq!(key.header("cache-control"), "no-store");
}

#[tokio::test]
async fn whatever_form_a_caller_would_like_it_gets_json() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    for accept in [
        "application/json",
        "application/xml",
        "*/*",
        "text/html",
        "application/problem+json",
        "application/json;q=0",
        "\u{e9}",
        "",
    ] {
        let found =
            acme.owner.send(acme.owner.request("GET", "/api/tenant").header("Accept", accept)).await.expect(200);
        assert_eq!(found.header("content-type"), "application/json", "{accept}");
        let missing =
            acme.owner.send(acme.owner.request("GET", "/api/brands/x").header("Accept", accept)).await.expect(404);
        problem(&missing);
    }
}

#[tokio::test]
async fn a_request_id_is_echoed_when_it_is_plain_and_replaced_when_it_is_not() {
    let app = App::start().await;
    let client = app.client();
    let ask = |id: &[u8]| {
        let id = reqwest::header::HeaderValue::from_bytes(id).unwrap();
        client.send(client.request("GET", "/api/tenant").header("X-Request-Id", id))
    };
    for id in ["a", "0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48", "trace_1.2-3", &"x".repeat(64)] {
        let answer = ask(id.as_bytes()).await.expect(401);
        assert_eq!(answer.header("x-request-id"), id);
        problem(&answer);
    }
    let mut made = HashSet::new();
    for id in [
        "",
        " ",
        "a b",
        "a\tb",
        "<script>",
        "a;b",
        "a,b",
        "\"a\"",
        "{}",
        "%0d%0a",
        "../x",
        "a:b",
        "ü",
        "${jndi:x}",
        &"x".repeat(65),
        &"x".repeat(5_000),
    ] {
        let answer = ask(id.as_bytes()).await.expect(401);
        problem(&answer);
        assert!(uuid::Uuid::try_parse(answer.header("x-request-id")).is_ok(), "{id:?}");
        assert!(made.insert(answer.header("x-request-id").to_owned()), "one of its own for each");
    }
    for _ in 0..5 {
        let answer = client.get("/healthz").await.expect(200);
        assert!(made.insert(answer.header("x-request-id").to_owned()));
        assert_eq!(answer.headers.get_all("x-request-id").iter().count(), 1);
    }
    let host = app.base.trim_start_matches("http://");
    let split = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nX-Request-Id: a\rX-Evil: b\r\n\r\n");
    let answer = exchange(&app.base, split.as_bytes()).await;
    assert!(!answer.head.to_lowercase().contains("x-evil"), "{}", answer.head);
}

/// Java's client offers HTTP/2 like this, with every request.
#[tokio::test]
async fn an_answer_to_an_offer_of_another_protocol_says_that_the_connection_ends() {
    let app = App::start().await;
    let offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk\r\n";
    for (path, status) in [("/healthz", 200), ("/api/workspaces", 401), ("/nothing", 404)] {
        let request = |headers: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        let answer = exchange(&app.base, request(offer).as_bytes()).await;
        assert_eq!((answer.status, answer.header("connection")), (status, "close"), "{}", answer.head);
        let answer = exchange(&app.base, request("").as_bytes()).await;
        assert_eq!((answer.status, answer.header("connection")), (status, ""), "{}", answer.head);
    }
}
