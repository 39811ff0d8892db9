//! Every error leads to what the guide says about it.

use serde_json::json;
use tenantry_http::{Front, PublicUrl};
use tenantry_tests::{Answer, App, Client, document};
use url::Url;

use super::Shown;

fn known(schema: &str) -> Vec<String> {
    let words = document()["components"]["schemas"][schema]["x-extensible-enum"].clone();
    words.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_code_has_an_entry_with_a_sentence_and_there_is_no_other() {
    let app = App::start().await;
    let page = Shown::get(&app.client(), "/docs/errors").await;
    let entries: Vec<_> =
        page.article().split("<h3 id=\"").skip(1).map(|entry| entry.split_once('"').unwrap()).collect();
    let (codes, fields) = (known("ErrorCode"), known("FieldErrorCode"));
    assert!(codes.len() > 60 && fields.len() > 30);
    let wanted = codes.iter().cloned().chain(fields.iter().map(|code| format!("field-{code}")));
    for code in wanted {
        let entry = entries.iter().find(|(id, _)| *id == code).unwrap_or_else(|| panic!("{code} has no entry"));
        let sentence = entry.1.split("<p>").nth(1).unwrap().split("</p>").next().unwrap();
        assert!(sentence.ends_with('.') && sentence.len() > 10, "{code}: {sentence:?}");
    }
    assert_eq!(entries.len(), codes.len() + fields.len());
}

/// Problems of several layers of the service.
async fn provoked(app: &App, client: &Client, prefix: &str) -> Vec<(String, Answer)> {
    let nobody = app.client();
    let mut problems = Vec::new();
    let mut ask = async |client: &Client, method: &str, path: &str, body: Option<&str>| {
        let path = format!("{prefix}{path}");
        let request = client.request(method, &path);
        let request = match body {
            Some(body) => request.header("Content-Type", "application/json").body(body.to_owned()),
            None => request,
        };
        problems.push((path, client.send(request).await));
    };
    ask(client, "GET", "/api/workspaces/0193a4c2-0000-7000-8000-000000000000", None).await;
    ask(client, "GET", "/nothing/here", None).await;
    ask(client, "GET", "/docs/nothing", None).await;
    ask(client, "PUT", "/api/workspaces", None).await;
    ask(client, "POST", "/api/workspaces", Some("{")).await;
    ask(client, "POST", "/api/workspaces", Some("{}")).await;
    ask(client, "GET", "/api/admin/tenants", None).await;
    ask(&nobody, "GET", "/api/me", None).await;
    ask(&nobody.with_key("nonsense"), "GET", "/api/me", None).await;
    problems
}

#[tokio::test]
async fn the_type_of_every_problem_is_the_address_of_its_entry() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let entries = Shown::get(&app.client(), "/docs/errors").await.ids;
    for (path, answer) in provoked(&app, &acme.owner, "").await {
        let kind = answer.text_of("type");
        let address = Url::parse(&app.base).unwrap().join(&path).unwrap().join(&kind).unwrap();
        assert_eq!(address.path(), "/docs/errors", "{path}: {kind}");
        assert_eq!(address.fragment().unwrap(), answer.text_of("code"), "{path}");
        assert!(entries.iter().any(|id| Some(id.as_str()) == address.fragment()), "{path}: {kind}");
    }
    // Clients of the dialect expect its form and nothing else.
    let other = acme.owner.get("/api/workspace/get/999").await.expect(404);
    assert_eq!(other.body, json!({ "status": false, "error": "Workspace not found." }));
}

#[tokio::test]
async fn a_service_that_knows_its_public_address_names_it_in_full() {
    let url = PublicUrl::parse("https://tenantry.example.com/tenantry").unwrap();
    let app = App::behind(Front { url: Some(url), ..Front::default() }).await;
    let acme = app.tenant("Acme").await;
    for prefix in ["", "/tenantry"] {
        for (path, answer) in provoked(&app, &acme.owner, prefix).await {
            let wanted = format!("https://tenantry.example.com/tenantry/docs/errors#{}", answer.text_of("code"));
            assert_eq!(answer.text_of("type"), wanted, "{path}");
        }
        Shown::get(&app.client(), &format!("{prefix}/docs/errors")).await;
    }
}
