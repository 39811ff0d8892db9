//! The guide in browsers: what it does with what is typed, on a phone, in the dark, and under the path of a proxy.

use fantoccini::{Client, Locator, key::Key};
use tenantry_http::{Front, ProxyHeader, PublicUrl, TrustedProxies};
use tenantry_tests::{App, Nginx};

use super::pages;
use crate::docs_page::{browser::Driver, refused_by_the_policy, strings, wait_for};

/// Not one of the keys that are accepted somewhere.
const KEY: &str = "tnt_live_v1_0123456789";

async fn samples(browser: &Client) -> String {
    strings(browser, "return [...document.querySelectorAll('.sample')].map(sample => sample.textContent)")
        .await
        .join("\n")
}

#[tokio::test]
async fn what_the_reader_types_fills_the_samples_and_goes_nowhere() {
    let app = App::start().await;
    let driver = Driver::start();
    let browser = driver.browser().await;
    browser.goto(&format!("{}/docs/quick-start", app.base)).await.unwrap();
    let field = wait_for(&browser, "//input[@id='reader-key']").await;
    let before = samples(&browser).await;
    assert!(
        before.contains(&format!("\"{}/api/me\"", app.base)) && before.contains("Bearer $TENANTRY_KEY"),
        "{before}"
    );
    let count = "return [`${performance.getEntriesByType('resource').length}`]";
    let requests = strings(&browser, count).await;
    field.send_keys(&format!(" Bearer {KEY}")).await.unwrap();
    let address = browser.find(Locator::Id("reader-url")).await.unwrap();
    address.clear().await.unwrap();
    address.send_keys("https://tenantry.example.com/t/").await.unwrap();
    let after = samples(&browser).await;
    assert!(
        after.contains(&format!("Bearer {KEY}\"")) && after.contains("\"https://tenantry.example.com/t/api/me\""),
        "{after}"
    );
    assert!(!after.contains("$TENANTRY"), "{after}");
    assert_eq!(strings(&browser, count).await, requests, "it was sent");
    let kept = "return [localStorage.length, sessionStorage.length, document.cookie, location.href].map(String)";
    assert_eq!(strings(&browser, kept).await, ["0", "0", "", &format!("{}/docs/quick-start", app.base)]);
    // What would mean something else to a shell is not put into a sample.
    for wrong in ["https://x.example/$(id)", "https://x.example/;id", "javascript:alert(1)", "x"] {
        address.clear().await.unwrap();
        address.send_keys(wrong).await.unwrap();
        assert!(samples(&browser).await.contains("\"$TENANTRY_URL/api/me\""), "{wrong}");
        wait_for(&browser, "//*[@role='alert' and contains(., 'must be such as')]").await;
    }
    field.clear().await.unwrap();
    field.send_keys("x\"; id; \"").await.unwrap();
    assert!(samples(&browser).await.contains("Bearer $TENANTRY_KEY"));
    browser.refresh().await.unwrap();
    assert_eq!(wait_for(&browser, "//input[@id='reader-key']").await.prop("value").await.unwrap().unwrap(), "");
    assert_eq!(refused_by_the_policy(&browser).await, Vec::<String>::new());
    browser.close().await.unwrap();
}

#[tokio::test]
async fn search_finds_codes_headings_and_operations() {
    let app = App::start().await;
    let driver = Driver::start();
    let browser = driver.browser().await;
    for (words, address) in [
        ("already_invited", "/docs/errors#already_invited"),
        ("optimistic", "/docs/optimistic-locking"),
        ("restore workspace", "/docs#tag/workspaces/POST/api/workspaces/{workspaceId}/restore"),
        ("Sunset", "/docs/versioning#how-something-ends"),
    ] {
        browser.goto("about:blank").await.unwrap();
        browser.goto(&format!("{}/docs/guide", app.base)).await.unwrap();
        let body = wait_for(&browser, "//body[.//div[@class='search' and not(@hidden)]]").await;
        // The key that leads to the field wherever one reads.
        body.send_keys("/").await.unwrap();
        let field = browser.active_element().await.unwrap();
        assert_eq!(field.attr("id").await.unwrap().as_deref(), Some("search"));
        field.send_keys(words).await.unwrap();
        let first = wait_for(&browser, "(//*[@id='found']/a)[1]").await;
        let href = first.prop("href").await.unwrap().unwrap();
        assert_eq!(href, format!("{}{address}", app.base), "{words}");
        field.send_keys(&char::from(Key::Enter).to_string()).await.unwrap();
        browser.wait().for_url(&href.parse().unwrap()).await.unwrap();
    }
    browser.goto(&format!("{}/docs/guide", app.base)).await.unwrap();
    let field = wait_for(&browser, "//input[@id='search']").await;
    field.send_keys("xyzzy <b>").await.unwrap();
    wait_for(&browser, "//*[@id='found']/p[. = 'Nothing found for “xyzzy <b>”.']").await;
    field.send_keys(&char::from(Key::Escape).to_string()).await.unwrap();
    assert_eq!(strings(&browser, "return [String(document.getElementById('found').hidden)]").await, ["true"]);
    assert_eq!(refused_by_the_policy(&browser).await, Vec::<String>::new());
    browser.close().await.unwrap();
}

#[tokio::test]
async fn no_page_scrolls_sideways_on_a_phone_and_the_contents_are_at_hand() {
    let app = App::start().await;
    let pages = pages(&app.client()).await;
    let driver = Driver::start();
    let browser = driver.phone().await;
    for path in pages.keys() {
        browser.goto(&format!("{}{path}", app.base)).await.unwrap();
        let script = "const wide = [...document.querySelectorAll('body *')].filter(one => one.getBoundingClientRect().right > innerWidth + 1 \
                      && !one.closest('.table, pre, svg, .skip')).map(one => one.outerHTML.slice(0, 80)); \
                      return [`${innerWidth} ${document.documentElement.scrollWidth}`, ...wide]";
        assert_eq!(strings(&browser, script).await, ["360 360"], "{path}");
    }
    browser.goto(&format!("{}/docs/errors", app.base)).await.unwrap();
    let link = "//nav[@id='contents']//a[. = 'The model']";
    assert!(!browser.find(Locator::XPath(link)).await.unwrap().is_displayed().await.unwrap());
    wait_for(&browser, "//a[. = 'Contents']").await.click().await.unwrap();
    let link = wait_for(&browser, link).await;
    assert!(link.is_displayed().await.unwrap());
    link.click().await.unwrap();
    wait_for(&browser, "//h1[. = 'The model']").await;
    browser.close().await.unwrap();
}

/// Texts with less contrast to what is behind them than WCAG 2.2 asks for (1.4.3).
const PALE: &str = "
const parsed = (color) => { const [r, g, b, a = 1] = color.match(/[\\d.]+/g).map(Number); return { r, g, b, a } };
const over = (top, below) => ({ r: top.r * top.a + below.r * (1 - top.a), g: top.g * top.a + below.g * (1 - top.a),
  b: top.b * top.a + below.b * (1 - top.a), a: 1 });
const light = ({ r, g, b }) => { const [x, y, z] = [r, g, b].map((one) => { const part = one / 255;
  return part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4 }); return .2126 * x + .7152 * y + .0722 * z };
const ground = (node) => node ? over(parsed(getComputedStyle(node).backgroundColor), ground(node.parentElement))
  : { r: 255, g: 255, b: 255, a: 1 };
const pale = new Set();
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode.parentElement;
  if (!walker.currentNode.textContent.trim() || node.closest('script, svg, [hidden]') || node.getClientRects().length === 0) continue;
  const below = ground(node);
  const [a, b] = [light(over(parsed(getComputedStyle(node).color), below)), light(below)];
  const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (contrast < 4.5) pale.add(`${node.outerHTML.slice(0, 80)} ${contrast.toFixed(2)}`);
}
const ground_of_page = light(parsed(getComputedStyle(document.body).backgroundColor));
const boxes = [...document.querySelectorAll('.model .name, .model .note')].map((text) => parsed(getComputedStyle(text).fill));
for (const box of boxes) if (Math.abs(light(box) - ground_of_page) < .1) pale.add('the picture');
return [ground_of_page < .2 ? 'dark' : 'light', ...pale]";

#[tokio::test]
async fn every_text_has_contrast_in_the_light_and_in_the_dark() {
    let app = App::start().await;
    let pages = pages(&app.client()).await;
    for mode in ["light", "dark"] {
        let driver = Driver::start();
        let browser = if mode == "dark" { driver.dark_browser().await } else { driver.browser().await };
        for path in pages.keys() {
            browser.goto(&format!("{}{path}", app.base)).await.unwrap();
            assert_eq!(strings(&browser, PALE).await, [mode], "{path}");
        }
        browser.close().await.unwrap();
    }
}

#[tokio::test]
async fn the_guide_works_under_the_path_of_a_proxy() {
    let proxies = TrustedProxies {
        networks: vec![TrustedProxies::network("127.0.0.1").unwrap()],
        header: ProxyHeader::XForwardedFor,
    };
    let url = Some(PublicUrl::parse("https://tenantry.example.com/tenantry").unwrap());
    let app = App::behind(Front { proxies, url, ..Front::default() }).await;
    let Some(nginx) = Nginx::before(&app.base) else { return };
    let driver = Driver::start();
    let browser = driver.browser().await;
    browser.goto(&format!("{}/docs", nginx.base)).await.unwrap();
    wait_for(&browser, "//*[@id='bar']//a[. = 'Guide']").await.click().await.unwrap();
    wait_for(&browser, "//main//a[. = 'Quick start']").await.click().await.unwrap();
    wait_for(&browser, "//form[@id='reader' and not(@hidden)]").await;
    assert!(samples(&browser).await.contains(&format!("\"{}/api/me\"", nginx.base)));
    let field = wait_for(&browser, "//input[@id='search']").await;
    field.send_keys("restore workspace").await.unwrap();
    let found = wait_for(&browser, "(//*[@id='found']/a)[1]").await;
    let wanted = format!("{}/docs#tag/workspaces/POST/api/workspaces/{{workspaceId}}/restore", nginx.base);
    assert_eq!(found.prop("href").await.unwrap().unwrap(), wanted);
    let requests = strings(&browser, "return performance.getEntriesByType('resource').map(entry => entry.name)").await;
    assert!(requests.iter().all(|url| url.starts_with(&nginx.base)), "{requests:?}");
    assert_eq!(refused_by_the_policy(&browser).await, Vec::<String>::new());
    browser.close().await.unwrap();
}
