//! The service under a path.

use serde_json::json;
use tenantry_http::{Front, PublicUrl};
use tenantry_tests::App;

async fn published() -> App {
    let url = PublicUrl::parse("https://tenantry.example.com/tenantry").unwrap();
    App::behind(Front { url: Some(url), ..Front::default() }).await
}

/// Where a browser is led.
async fn led_to(app: &App, path: &str) -> (u16, String) {
    let request = app.client().request("GET", path).header("Accept", "text/html").build().unwrap();
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = browser.execute(request).await.unwrap();
    let location = answer.headers().get("location").map(|location| location.to_str().unwrap().to_owned());
    (answer.status().as_u16(), location.unwrap_or_default())
}

#[tokio::test]
async fn paths_in_answers_are_those_that_callers_know() {
    let app = published().await;
    let acme = app.tenant("Acme").await;
    // A proxy may take the path off, or leave it on.
    for prefix in ["", "/tenantry"] {
        let key = format!("\"{prefix}key\"");
        let create = || {
            let request = acme.owner.request("POST", &format!("{prefix}/api/workspaces"));
            request.header("Idempotency-Key", &key).json(&json!({ "name": "Nordics" }))
        };
        let made = acme.owner.send(create()).await.expect(201);
        assert_eq!(made.header("location"), format!("/tenantry/api/workspaces/{}", made.id()));
        acme.owner.get(&format!("{prefix}/api/workspaces/{}", made.id())).await.expect(200);
        let again = acme.owner.send(create()).await.expect(201);
        assert_eq!(again.header("location"), made.header("location"));
        let page = acme.owner.get(&format!("{prefix}/api/audit-events/export?limit=1")).await.expect(200);
        assert!(page.header("link").starts_with("</tenantry/api/audit-events/export?limit=1&cursor="));
        for (asked, page) in [("/", "/docs"), ("/docs/", "/docs"), ("/docs/guide/", "/docs/guide")] {
            assert_eq!(led_to(&app, &format!("{prefix}{asked}")).await, (303, format!("/tenantry{page}")));
        }
        let document = app.client().get(&format!("{prefix}/openapi.json")).await.expect(200);
        assert_eq!(document.body["servers"][0]["url"], "https://tenantry.example.com/tenantry");
        app.client().get(&format!("{prefix}/openapi.yaml")).await.expect(200);
    }
    // As people write it.
    assert_eq!(led_to(&app, "/tenantry").await, (303, "/tenantry/docs".to_owned()));
    assert_eq!(led_to(&app, "/tenantryapi/").await.0, 404);
    for nothing in ["/tenantry", "/tenantry/api/nothing", "/api/nothing", "/tenantry/docs/nothing.js"] {
        let said = app.client().get(nothing).await.expect(404);
        let page = "See https://tenantry.example.com/tenantry/docs for all paths.";
        assert!(said.body["error"].as_str().unwrap().contains(page), "{nothing}: {}", said.text);
    }
    app.client().get("/tenantryapi/me").await.expect(404);
}

#[tokio::test]
async fn without_a_path_nothing_is_put_in_front() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let made = acme.owner.post("/api/workspaces", json!({ "name": "Nordics" })).await.expect(201);
    assert_eq!(made.header("location"), format!("/api/workspaces/{}", made.id()));
    assert_eq!(app.client().get("/openapi.json").await.expect(200).body["servers"][0]["url"], "/");
    for path in ["/docs", "/docs/guide", "/docs/quick-start", "/docs/errors"] {
        let page = app.client().get(path).await.expect(200);
        assert!(!page.text.contains("=\"/"), "addresses in the page are relative: {path}");
    }
}
