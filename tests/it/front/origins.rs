//! Which pages of other origins may call the API.

use serde_json::json;
use tenantry_http::{Front, Origins};
use tenantry_tests::{Answer, App, Client};

const PAGE: &str = "https://app.example.com";

/// What a page sends: what the API reads, and what programs add that trace requests.
const ASKED: &str =
    "authorization,content-type,if-match,if-none-match,idempotency-key,traceparent,sentry-trace,x-requested-with";

async fn preflight(client: &Client, origin: &str, method: &str, headers: &str) -> Answer {
    let request = client.request("OPTIONS", "/api/workspaces/x").header("Origin", origin);
    let request = request.header("Access-Control-Request-Method", method);
    client.send(request.header("Access-Control-Request-Headers", headers)).await
}

async fn with_origin(client: &Client, path: &str, origin: &str) -> Answer {
    client.send(client.request("GET", path).header("Origin", origin)).await
}

/// The words of a header that is a list, in lower case.
fn list(answer: &Answer, name: &str) -> Vec<String> {
    let all = answer.headers.get_all(name).iter().map(|line| line.to_str().unwrap().to_lowercase());
    all.collect::<Vec<_>>().join(",").split(',').map(|word| word.trim().to_owned()).collect()
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_calls_the_api_with_all_that_it_needs() {
    let origins = Origins::These(vec![PAGE.to_owned(), "http://localhost:3000".to_owned()]);
    let app = App::behind(Front { origins, ..Front::default() }).await;
    let acme = app.tenant("Acme").await;
    for origin in [PAGE, "http://localhost:3000"] {
        let allowed = preflight(&app.client(), origin, "PATCH", ASKED).await;
        let allowed = allowed.expect(200);
        assert_eq!(allowed.header("access-control-allow-origin"), origin);
        assert!(list(&allowed, "access-control-allow-methods").contains(&"patch".to_owned()));
        for header in ASKED.split(',') {
            assert!(list(&allowed, "access-control-allow-headers").contains(&header.to_owned()), "{header}");
        }
        assert!(list(&allowed, "vary").contains(&"origin".to_owned()));
        assert!(!allowed.headers.contains_key("access-control-allow-credentials"));
        let answer = with_origin(&acme.owner, "/api/tenant", origin).await.expect(200);
        assert_eq!(answer.header("access-control-allow-origin"), origin);
        for shown in ["etag", "location", "ratelimit", "ratelimit-policy", "retry-after", "x-request-id", "link"] {
            assert!(list(&answer, "access-control-expose-headers").contains(&shown.to_owned()), "{shown}");
        }
        for varies in ["origin", "authorization"] {
            assert!(list(&answer, "vary").contains(&varies.to_owned()), "{varies}");
        }
        assert!(!answer.headers.contains_key("access-control-allow-credentials"));
    }
    // A page can read what went wrong, too.
    for path in ["/api/tenant", "/api/nothing", "/api/workspaces?limit=x"] {
        let refused = with_origin(&app.client(), path, PAGE).await;
        assert!(refused.status >= 400 && refused.header("access-control-allow-origin") == PAGE, "{path}");
    }
}

#[tokio::test]
async fn a_page_of_another_origin_gets_nothing_that_lets_it_read_an_answer() {
    let origins = Origins::These(vec![PAGE.to_owned()]);
    let app = App::behind(Front { origins, ..Front::default() }).await;
    let acme = app.tenant("Acme").await;
    for origin in [
        "https://evil.example",
        "https://app.example.com.evil.example",
        "https://app.example.com:8443",
        "http://app.example.com",
        "https://sub.app.example.com",
        "null",
    ] {
        let refused = preflight(&app.client(), origin, "PATCH", "authorization").await.expect(403);
        assert!(!refused.headers.contains_key("access-control-allow-origin"), "{origin}");
        assert_eq!(refused.body["code"], "preflight_refused");
        assert!(
            refused.text_of("error").contains(&format!("{origin:?} may not call this service")),
            "{}",
            refused.text
        );
        let answer = with_origin(&acme.owner, "/api/tenant", origin).await.expect(200);
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{origin}");
    }
    let refused = preflight(&app.client(), PAGE, "TRACE", "authorization").await.expect(403);
    assert_eq!(refused.header("content-type"), "application/problem+json");
    assert!(refused.text_of("error").contains("the method \"TRACE\""), "{}", refused.text);
    // What is not from a page is as it was.
    let plain = app.client().send(app.client().request("OPTIONS", "/api/tenant")).await.expect(204);
    assert_eq!(plain.header("allow"), "GET, HEAD, PATCH, OPTIONS");
}

#[tokio::test]
async fn all_origins_are_allowed_only_without_credentials() {
    let app = App::behind(Front { origins: Origins::Any, ..Front::default() }).await;
    let acme = app.tenant("Acme").await;
    let allowed = preflight(&app.client(), PAGE, "DELETE", "authorization").await.expect(200);
    let answer = acme.owner.send(acme.owner.request("POST", "/api/brands").header("Origin", PAGE).json(&json!({
        "name": "Second", "emailFromName": "Second",
    })));
    for answer in [allowed, answer.await.expect(201)] {
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert!(!answer.headers.contains_key("access-control-allow-credentials"));
    }
}

#[tokio::test]
async fn by_default_no_page_of_another_origin_may_call_the_api() {
    let app = App::start().await;
    let refused = preflight(&app.client(), PAGE, "PATCH", "authorization").await.expect(204);
    let acme = app.tenant("Acme").await;
    let answer = with_origin(&acme.owner, "/api/tenant", PAGE).await.expect(200);
    for answer in [refused, answer] {
        assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control-")));
    }
}
