//! Paths that two programs could read differently.

use serde_json::json;
use tenantry_tests::{App, exchange};

/// The status and the stable code of a path that is sent as it stands.
async fn outcome(app: &App, key: &str, path: &str) -> (u16, String) {
    let host = app.base.trim_start_matches("http://");
    let authorization = if key.is_empty() { String::new() } else { format!("Authorization: Bearer {key}\r\n") };
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{authorization}\r\n");
    let answer = exchange(&app.base, request.as_bytes()).await;
    (answer.status, answer.json()["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn an_odd_path_is_not_found_and_never_somebody_elses() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("DACH").await;
    let no_route = [
        "//api/workspaces",
        "/api//workspaces",
        "/api/./workspaces",
        "/api/x/../workspaces",
        "/api/workspaces/",
        "/API/workspaces",
        "/api/workspaces;v=1",
        "/api%2fworkspaces",
        "/api/workspaces%00",
        "/api/workspaces%20",
        "/./api/workspaces",
        "/../api/workspaces",
        "/api\\workspaces",
        "/api/workspaces/%2e%2e/brands",
        "/%2e/api/workspaces",
        "/docs/",
    ];
    for path in no_route {
        for key in ["", acme.owner.key()] {
            let (status, code) = outcome(&app, key, path).await;
            assert!(
                (status, &*code) == (404, "no_such_route") || (status == 400 && code.is_empty()),
                "{path}: {status} {code}"
            );
        }
    }
    for odd in [
        "%2e%2e",
        "..",
        ".",
        "%2e",
        "%ff",
        "%c0%ae",
        "%ed%a0%80",
        "%00",
        "%0d%0aX:%20y",
        "a;b=c",
        ";",
        "%3b",
        "%",
        "%zz",
        "%25",
        "a%2fb",
        "%2f",
        "~",
        "*",
        "%5c",
        "+",
        "%20",
    ] {
        let path = format!("/api/workspaces/{odd}");
        // Whoever has no key does not learn that the id is malformed.
        assert_eq!(outcome(&app, "", &path).await, (401, "missing_credentials".into()), "{path}");
        assert_eq!(outcome(&app, acme.owner.key(), &path).await, (404, "not_found".into()), "{path}");
        assert_eq!(
            outcome(&app, acme.owner.key(), &format!("{path}/effective")).await,
            (404, "not_found".into()),
            "{path}"
        );
    }
    for odd in ["", "%20", ";v=1", "%00", "%2f", "/", ".json", "%2feffective"] {
        let (status, _) = outcome(&app, acme.owner.key(), &format!("/api/workspaces/{id}{odd}")).await;
        assert_eq!(status, if odd.is_empty() { 200 } else { 404 }, "{odd}");
    }
    for (odd, statuses) in
        [("?", [200]), ("?&", [200]), ("?#", [200]), ("?x=1", [422]), ("?%00", [422]), ("?%ff", [400])]
    {
        let (status, code) = outcome(&app, acme.owner.key(), &format!("/api/workspaces/{id}{odd}")).await;
        assert!(statuses.contains(&status), "{odd}: {status} {code}");
    }
    let (status, _) = outcome(&app, acme.owner.key(), &format!("/api/workspaces/{id}#x")).await;
    assert!(matches!(status, 200 | 400 | 404), "{status}");
}

#[tokio::test]
async fn a_long_request_line_or_head_is_refused_and_hurts_nobody() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    for length in [16 * 1024, 60 * 1024, 70 * 1024, 200 * 1024] {
        let (status, _) = outcome(&app, acme.owner.key(), &format!("/api/workspaces/{}", "a".repeat(length))).await;
        assert!(matches!(status, 400 | 404 | 414 | 431), "{length}: {status}");
        let (status, _) = outcome(&app, acme.owner.key(), &format!("/api/workspaces?q={}", "a".repeat(length))).await;
        assert!(matches!(status, 400 | 414 | 422 | 431), "{length}: {status}");
    }
    let host = app.base.trim_start_matches("http://");
    let many: String = (0..1_000).map(|n| format!("X-{n}: y\r\n")).collect();
    for headers in [many, format!("X: {}\r\n", "y".repeat(200_000))] {
        let request = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n");
        assert_eq!(exchange(&app.base, request.as_bytes()).await.status, 431);
    }
    for line in [
        "GET",
        "GET /healthz",
        "GET /healthz HTTP/9.9",
        "GET  /healthz HTTP/1.1",
        "\0 / HTTP/1.1",
        "GET http:// HTTP/1.1",
        "GET /\u{1} HTTP/1.1",
    ] {
        let request = format!("{line}\r\nHost: {host}\r\n\r\n");
        assert_eq!(exchange(&app.base, request.as_bytes()).await.status, 400, "{line}");
    }
    assert_eq!(acme.owner.get("/api/workspaces").await.expect(200).body["data"], json!([]));
}

#[tokio::test]
async fn a_browser_at_the_root_is_led_to_the_documentation_and_nobody_else_is() {
    let app = App::start().await;
    let client = app.client();
    let at = async |method: &str, accept: &str| client.send(client.request(method, "/").header("Accept", accept)).await;
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for method in ["GET", "HEAD"] {
        let led = at(method, browser).await.expect(303);
        assert_eq!((led.header("location"), led.header("vary"), led.text.as_str()), ("/docs", "Accept", ""));
    }
    for accept in ["*/*", "application/json", "text/html;q=0.5, application/json;q=0.5", "text/html;q=0"] {
        let nothing = at("GET", accept).await.expect(404);
        assert_eq!(
            (nothing.body["code"].as_str(), nothing.header("vary")),
            (Some("no_such_route"), "Accept"),
            "{accept}"
        );
    }
    at("POST", browser).await.expect(404);
    let elsewhere = client.request("GET", "/nothing").header("Accept", browser);
    let elsewhere = client.send(elsewhere).await.expect(404);
    assert_eq!((elsewhere.body["code"].as_str(), elsewhere.header("vary")), (Some("no_such_route"), ""));
}
