//! The service behind a real nginx, which publishes it under a path and compresses its answers.

use serde_json::json;
use tenantry_http::{Front, ProxyHeader, PublicUrl, TrustedProxies};
use tenantry_tests::{App, Nginx};

use crate::docs_page::{browser::Driver, press, strings, wait_for};

async fn published() -> App {
    let proxies = TrustedProxies {
        networks: vec![TrustedProxies::network("127.0.0.1").unwrap()],
        header: ProxyHeader::XForwardedFor,
    };
    let url = Some(PublicUrl::parse("https://tenantry.example.com/tenantry").unwrap());
    App::behind(Front { proxies, url, ..Front::default() }).await
}

#[tokio::test]
async fn a_client_behind_a_compressing_proxy_is_not_locked_out_of_if_match() {
    let app = published().await;
    let Some(nginx) = Nginx::before(&app.base) else { return };
    let acme = app.tenant("Acme").await;
    let path = format!("{}/api/workspaces/{}", nginx.base, acme.workspace("Nordics").await);
    let http = reqwest::Client::new();
    let ask = |method: reqwest::Method| {
        http.request(method, &path).bearer_auth(acme.owner.key()).header("Accept-Encoding", "gzip")
    };
    let seen = ask(reqwest::Method::GET).send().await.unwrap();
    let etag = seen.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!((seen.headers()["content-encoding"].to_str().unwrap(), etag.as_str()), ("gzip", "W/\"1\""));
    let known = ask(reqwest::Method::GET).header("If-None-Match", &etag).send().await.unwrap();
    assert_eq!(known.status(), 304);
    let change = |name| ask(reqwest::Method::PATCH).header("If-Match", &etag).json(&json!({ "name": name })).send();
    assert_eq!(change("Baltics").await.unwrap().status(), 200);
    assert_eq!(change("Too late").await.unwrap().status(), 412);
}

#[tokio::test]
async fn the_audit_log_has_the_client_of_the_proxy_and_location_its_path() {
    let app = published().await;
    let Some(nginx) = Nginx::before(&app.base) else { return };
    let acme = app.tenant("Acme").await;
    let http = reqwest::Client::new();
    let create = http.post(format!("{}/api/workspaces", nginx.base)).bearer_auth(acme.owner.key());
    // What a client writes itself stands to the left of what nginx adds, which is this machine: a trusted proxy.
    let made =
        create.header("X-Forwarded-For", "203.0.113.9").json(&json!({ "name": "Nordics" })).send().await.unwrap();
    assert_eq!(made.status(), 201);
    assert!(made.headers()["location"].to_str().unwrap().starts_with("/tenantry/api/workspaces/"));
    let event = acme.owner.get("/api/audit-events?limit=1").await.expect(200);
    assert_eq!(event.body["data"][0]["address"], "203.0.113.9");
}

#[tokio::test]
async fn the_documentation_page_works_under_the_path_of_the_proxy() {
    let app = published().await;
    let Some(nginx) = Nginx::before(&app.base) else { return };
    let acme = app.tenant("Acme Industrial Supply").await;
    let driver = Driver::start();
    let browser = driver.browser().await;
    browser.goto(&format!("{}/docs#tag/tenant/GET/api/tenant", nginx.base)).await.unwrap();
    wait_for(&browser, "//input[@placeholder='Token']").await.send_keys(acme.owner.key()).await.unwrap();
    let button = wait_for(&browser, "//button[contains(., 'Test Request') and contains(., '(get /api/tenant)')]").await;
    press(&browser, &button).await;
    let send = wait_for(&browser, "//button[contains(., 'Send get request to')]").await;
    press(&browser, &send).await;
    wait_for(&browser, "//*[contains(@class, 'cm-content') and contains(., 'Acme Industrial Supply')]").await;
    let requests = strings(&browser, "return performance.getEntriesByType('resource').map(entry => entry.name)").await;
    assert!(requests.contains(&format!("{}/api/tenant", nginx.base)), "{requests:?}");
    let elsewhere: Vec<_> =
        requests.iter().filter(|url| !url.starts_with(&nginx.base) && !url.starts_with("data:")).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    browser.close().await.unwrap();
}
