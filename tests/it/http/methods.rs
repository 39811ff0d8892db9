//! Every path with every method.

use serde_json::Value;
use tenantry_tests::{App, problem};

/// Every path of the documentation with its methods, and the path with something in its place holders.
fn routes() -> Vec<(String, Vec<String>)> {
    let document = serde_json::to_value(tenantry_http::document()).unwrap();
    let methods = |item: &Value| {
        let documented = |method: &&str| item.get(method.to_lowercase()).is_some();
        let mut methods: Vec<_> =
            ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter().filter(documented).map(str::to_owned).collect();
        if methods[0] == "GET" {
            methods.insert(1, "HEAD".to_owned());
        }
        methods.push("OPTIONS".to_owned());
        methods
    };
    let paths = document["paths"].as_object().unwrap().iter();
    let filled = |path: &str| {
        let part = |part: &str| if part.starts_with('{') { uuid::Uuid::now_v7().to_string() } else { part.to_owned() };
        path.split('/').map(part).collect::<Vec<_>>().join("/")
    };
    paths.map(|(path, item)| (filled(path), methods(item))).collect()
}

#[tokio::test]
async fn a_method_that_a_path_does_not_know_is_refused_with_those_it_knows() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let routes = routes();
    assert!(routes.len() > 15);
    for (path, known) in routes {
        let allow = known.join(", ");
        for client in [&acme.owner, &app.client()] {
            for method in
                ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "FOO", "get", "Get"]
            {
                let answer = client.send(client.request(method, &path)).await;
                if method == "OPTIONS" {
                    assert_eq!(
                        (answer.status, answer.header("allow"), answer.text.as_str()),
                        (204, &*allow, ""),
                        "{path}"
                    );
                } else if known.iter().any(|known| known == method) {
                    assert_ne!(answer.status, 405, "{method} {path}");
                    assert!(answer.status < 500, "{method} {path}: {}", answer.text);
                } else {
                    assert_eq!((answer.status, answer.header("allow")), (405, &*allow), "{method} {path}");
                    if method != "HEAD" {
                        assert_eq!(answer.body["code"], "method_not_allowed");
                        problem(&answer);
                    }
                }
            }
        }
        // Clients send CONNECT to proxies only.
        let host = app.base.trim_start_matches("http://");
        let connect = format!("CONNECT {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let answer = tenantry_tests::exchange(&app.base, connect.as_bytes()).await;
        assert_eq!((answer.status, answer.header("allow")), (405, &*allow), "CONNECT {path}");
    }
}

#[tokio::test]
async fn a_path_that_is_not_there_is_not_there_with_any_method() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    for path in
        ["/", "/api", "/api/", "/api/nothing", "/api/workspaces/x/y", "/apis", "/favicon.ico", "/.env", "/api/admin"]
    {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"] {
            let answer = acme.owner.send(acme.owner.request(method, path)).await.expect(404);
            assert_eq!(answer.body["code"], "no_such_route", "{method} {path}");
            problem(&answer);
        }
    }
}

#[tokio::test]
async fn nothing_but_the_method_says_what_the_method_is() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let path = format!("/api/workspaces/{}", acme.workspace("DACH").await);
    for header in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"] {
        acme.owner.send(acme.owner.request("GET", &path).header(header, "DELETE")).await.expect(200);
        acme.owner.send(acme.owner.request("POST", &path).header(header, "DELETE")).await.expect(405);
    }
    for header in ["X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix", "Forwarded"] {
        acme.owner.send(acme.owner.request("GET", &path).header(header, "/api/nothing")).await.expect(200);
        acme.owner.send(acme.owner.request("GET", "/api/nothing").header(header, &path)).await.expect(404);
    }
    acme.owner.get(&format!("{path}?_method=DELETE")).await.expect(422);
    acme.owner.get(&path).await.expect(200);
}
