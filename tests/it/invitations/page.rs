//! The page where an invitation leads, in a real browser.

use serde_json::json;
use tenantry_tests::App;

use super::preview::invited;
use crate::docs_page::{browser::Driver, press, refused_by_the_policy, strings, wait_for};

#[tokio::test]
async fn the_page_shows_the_invitation_and_accepts_it_with_an_access_token() {
    let app = App::start().await;
    let acme = app.tenant("Acme Industrial Supply").await;
    let (_, token) = invited(&app, &acme, "ada@example.com").await;
    let access = app.people.token("ada", None, json!({ "email": "ada@example.com" }));
    let other = app.people.token("eve", None, json!({ "email": "eve@example.com" }));
    let driver = Driver::start();
    let browser = driver.browser().await;
    browser.goto(&format!("{}/accept#{token}", app.base)).await.unwrap();
    // In the language of the tenant, whatever that of the browser is.
    wait_for(&browser, "//h1[. = 'Einladung zu Acme Industrial Supply']").await;
    for shown in ["DACH Region", "Agent/in", "a…@example.com", "@people.tenantry.test"] {
        wait_for(&browser, &format!("//dl[contains(., '{shown}')]")).await;
    }
    assert_eq!(strings(&browser, "return [document.documentElement.lang]").await, ["de"]);
    let field = wait_for(&browser, "//input[@type='password']").await;
    for (wrong, said) in [("nonsense", "nicht akzeptiert"), (other.as_str(), "anderen oder nicht bestätigten Adresse")]
    {
        field.clear().await.unwrap();
        field.send_keys(wrong).await.unwrap();
        press(&browser, &wait_for(&browser, "//button[. = 'Einladung annehmen']").await).await;
        wait_for(&browser, &format!("//*[@role='alert' and contains(., '{said}')]")).await;
    }
    field.clear().await.unwrap();
    field.send_keys(&format!("Bearer {access}")).await.unwrap();
    press(&browser, &wait_for(&browser, "//button[. = 'Einladung annehmen']").await).await;
    wait_for(&browser, "//h1[. = 'Sie sind dabei']").await;
    assert_eq!(app.database.rows("SELECT 1 FROM members WHERE email = 'ada@example.com'"), 1);
    // The token does not stay in the address.
    assert_eq!(strings(&browser, "return [window.location.href]").await, [format!("{}/accept", app.base)]);
    let requests = strings(&browser, "return performance.getEntriesByType('resource').map(entry => entry.name)").await;
    let elsewhere = |url: &&String| !url.starts_with(&app.base) || url.contains(&token);
    assert_eq!(requests.iter().filter(elsewhere).collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(refused_by_the_policy(&browser).await, Vec::<String>::new());
    browser.goto(&format!("{}/accept#{token}", app.base)).await.unwrap();
    wait_for(&browser, "//h1[. = 'Schon angenommen']").await;
    browser.close().await.unwrap();
}

#[tokio::test]
async fn a_link_that_does_not_work_is_said_so_in_plain_words() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (id, token) = invited(&app, &acme, "ada@example.com").await;
    acme.owner.delete(&format!("/api/invitations/{id}")).await.expect(204);
    let driver = Driver::start();
    let browser = driver.browser().await;
    for (hash, title) in [
        (format!("#{token}"), "Nicht mehr gültig"),
        ("#tnt_inv_v1_nonsense".to_owned(), "This link does not work"),
        ("#%E0%A4%A".to_owned(), "This link does not work"),
        (String::new(), "No invitation"),
    ] {
        browser.goto("about:blank").await.unwrap();
        browser.goto(&format!("{}/accept{hash}", app.base)).await.unwrap();
        wait_for(&browser, &format!("//h1[. = '{title}']")).await;
        assert!(strings(&browser, "return [`${document.getElementById('how').hidden}`]").await == ["true"], "{title}");
    }
    browser.close().await.unwrap();
}

#[tokio::test]
async fn the_policy_of_the_page_lets_nothing_in_or_out() {
    let app = App::start().await;
    let page = app.client().get("/accept").await.expect(200);
    let policy = page.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.split(';').any(|found| found.trim() == part), "{part}: {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"), "{policy}");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert!(!page.text.contains("https://") && !page.text.contains("=\"/"), "{}", page.text);
    for file in ["start.js", "accept.css", "texts.js", "icon.svg"] {
        app.client().get(&format!("/accept/{file}")).await.expect(200);
    }
    app.client().get("/accept/other.js").await.expect(404);
}
