//! The documentation page in a real browser: it shows the API, sends a request, and asks nobody else for anything.

pub(crate) mod browser;
mod files;

use std::time::Duration;

use browser::Driver;
use fantoccini::{Client, Locator, elements::Element, key::Key};
use serde_json::{Value, json};
use tenantry_tests::App;

/// How long the page may take to show what is waited for; it is waited for no longer than it takes.
const PATIENCE: Duration = Duration::from_secs(60);

const LOOK_UP: &str = "get /api/workspaces/{workspaceId}";
const LIST: &str = "(get /api/workspaces)";

#[tokio::test]
async fn the_page_shows_the_look_up_and_runs_it_against_this_service_alone() {
    let app = App::start().await;
    let acme = app.tenant("Acme Industrial Supply").await;
    let id = acme.workspace("DACH Region").await;
    let driver = Driver::start();
    let browser = driver.browser().await;
    browser.goto(&format!("{}/docs#tag/workspaces/GET/api/workspaces/{{workspaceId}}", app.base)).await.unwrap();
    assert_eq!(browser.title().await.unwrap(), "Tenantry API");

    wait_for(&browser, "//h3[contains(., 'Get workspace by ID')] | //h2[contains(., 'Get workspace by ID')]").await;
    let script = "const script = performance.getEntriesByType('resource').find(entry => entry.name.includes('/docs/scalar.')); \
                  return [`${script.decodedBodySize > 3 * script.encodedBodySize}`]";
    assert_eq!(strings(&browser, script).await, ["true"], "the script comes compressed");
    wait_for(&browser, "//input[@placeholder='Token']").await.send_keys(acme.owner.key()).await.unwrap();
    let button =
        wait_for(&browser, &format!("//button[contains(., 'Test Request') and contains(., '{LOOK_UP}')]")).await;
    press(&browser, &button).await;
    let value = wait_for(&browser, "(//*[@contenteditable and normalize-space(@aria-label)='Value'])[1]").await;
    value.click().await.unwrap();
    // The example of the document stands there already.
    let select_all = format!("{}a{}", char::from(Key::Control), char::from(Key::Null));
    value.send_keys(&format!("{select_all}{id}")).await.unwrap();
    let send =
        wait_for(&browser, "//button[starts-with(normalize-space(.), 'Send') and contains(., 'Send get request to')]")
            .await;
    press(&browser, &send).await;
    wait_for(&browser, "//*[contains(@class, 'cm-content') and contains(., 'DACH Region')]").await;
    wait_for(&browser, "//*[contains(normalize-space(.), '200 OK')]").await;

    let requests = strings(&browser, "return performance.getEntriesByType('resource').map(entry => entry.name)").await;
    assert!(requests.contains(&format!("{}/api/workspaces/{id}", app.base)), "{requests:?}");
    let elsewhere: Vec<_> = requests
        .iter()
        .filter(|url| !url.starts_with(&format!("{}/", app.base)) && !url.starts_with("data:"))
        .collect();
    assert!(elsewhere.is_empty(), "the page asked somebody else: {elsewhere:?}");
    // A library of Scalar tries whether it may compile code, and does without.
    let refused: Vec<_> = refused_by_the_policy(&browser).await.into_iter().filter(|what| what != "eval").collect();
    assert!(refused.is_empty(), "the page tried to load {refused:?}");
    browser.close().await.unwrap();
}

#[tokio::test]
async fn a_list_is_sent_whole_and_a_second_visit_brings_no_file_again() {
    let app = App::start().await;
    let acme = app.tenant("Acme Industrial Supply").await;
    let swedish = json!({ "name": "Nordics", "country": "SE" });
    acme.owner.post("/api/workspaces", swedish).await.expect(201);
    let driver = Driver::start();
    let browser = driver.browser().await;
    let page = format!("{}/docs#tag/workspaces/GET/api/workspaces", app.base);
    browser.goto(&page).await.unwrap();
    wait_for(&browser, "//input[@placeholder='Token']").await.send_keys(acme.owner.key()).await.unwrap();
    let button = wait_for(&browser, &format!("//button[contains(., 'Test Request') and contains(., '{LIST}')]")).await;
    press(&browser, &button).await;
    let send = wait_for(&browser, "//button[contains(., 'Send get request to')]").await;
    press(&browser, &send).await;
    // The document's examples of filters are German.
    wait_for(&browser, "//*[contains(@class, 'cm-content') and contains(., 'Nordics')]").await;

    browser.goto("about:blank").await.unwrap();
    browser.goto(&page).await.unwrap();
    wait_for(&browser, "//input[@placeholder='Token']").await;
    let sent = "return performance.getEntriesByType('resource') \
                .filter(entry => entry.name.includes('/docs/') && entry.transferSize > 0).map(entry => entry.name)";
    assert_eq!(strings(&browser, sent).await, Vec::<String>::new(), "what is kept is asked for again");
    browser.close().await.unwrap();
}

#[tokio::test]
async fn the_policy_of_the_page_lets_nothing_in_from_elsewhere() {
    let app = App::start().await;
    let page = app.client().get("/docs").await.expect(200);
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    assert!(!policy.contains("http") && !policy.contains('*') && !policy.contains("unsafe-eval"), "{policy}");
    assert!(!page.text.contains("//cdn") && !page.text.contains("https://"), "{}", page.text);
    app.client().get("/docs/other.js").await.expect(404);
}

pub(crate) async fn wait_for(browser: &Client, path: &str) -> Element {
    match browser.wait().at_most(PATIENCE).for_element(Locator::XPath(path)).await {
        Ok(element) => element,
        Err(error) => {
            let text = browser.execute("return document.body.innerText", Vec::new()).await.unwrap();
            panic!("{path}: {error}; the page shows: {text}")
        }
    }
}

/// Presses a button wherever it is on the page, as the keyboard would.
pub(crate) async fn press(browser: &Client, button: &Element) {
    let button = serde_json::to_value(button).unwrap();
    browser.execute("arguments[0].click()", vec![button]).await.unwrap();
}

/// What the policy kept the page from, since the page began.
pub(crate) async fn refused_by_the_policy(browser: &Client) -> Vec<String> {
    let script = "const observer = new ReportingObserver(() => {}, { types: ['csp-violation'], buffered: true }); \
                  observer.observe(); return observer.takeRecords().map(report => report.body.blockedURL)";
    strings(browser, script).await
}

pub(crate) async fn strings(browser: &Client, script: &str) -> Vec<String> {
    let value = browser.execute(script, Vec::new()).await.unwrap();
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
