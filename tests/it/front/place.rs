//! The service under a path.

use serde_json::json;
use tenantry_http::{Front, PublicUrl};
use tenantry_tests::App;

async fn published() -> App {
    let url = PublicUrl::parse("https://tenantry.example.com/tenantry").unwrap();
    App::behind(Front { url: Some(url), ..Front::default() }).await
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
        let root = app.client().request("GET", &format!("{prefix}/")).header("Accept", "text/html");
        let led = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let led = led.execute(root.build().unwrap()).await.unwrap();
        assert_eq!((led.status().as_u16(), led.headers()["location"].to_str().unwrap()), (303, "/tenantry/docs"));
        let document = app.client().get(&format!("{prefix}/openapi.json")).await.expect(200);
        assert_eq!(document.body["servers"][0]["url"], "https://tenantry.example.com/tenantry");
        app.client().get(&format!("{prefix}/openapi.yaml")).await.expect(200);
    }
    app.client().get("/tenantry").await.expect(404);
    app.client().get("/tenantryapi/me").await.expect(404);
}

#[tokio::test]
async fn without_a_path_nothing_is_put_in_front() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let made = acme.owner.post("/api/workspaces", json!({ "name": "Nordics" })).await.expect(201);
    assert_eq!(made.header("location"), format!("/api/workspaces/{}", made.id()));
    assert_eq!(app.client().get("/openapi.json").await.expect(200).body["servers"][0]["url"], "/");
    let page = app.client().get("/docs").await.expect(200);
    assert!(!page.text.contains("=\"/"), "addresses in the page are relative: {}", page.text);
}
