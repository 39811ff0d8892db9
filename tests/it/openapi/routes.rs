//! The routes are those of the document: no more, no fewer, and each path says which methods it knows.

use std::collections::BTreeMap;

use tenantry_tests::{App, Operation, Target};

const METHODS: [&str; 11] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "QUERY", "FOO"];

/// Each path with the methods that it knows, in the order of `Allow`.
fn paths() -> BTreeMap<String, Vec<&'static str>> {
    let mut paths: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    for operation in Operation::all() {
        let known = paths.entry(operation.path).or_default();
        known.push(METHODS.iter().find(|method| **method == operation.method).unwrap());
    }
    for known in paths.values_mut() {
        if known.contains(&"GET") {
            known.push("HEAD");
        }
        known.push("OPTIONS");
        known.sort_by_key(|method| METHODS.iter().position(|m| m == method));
    }
    paths
}

#[tokio::test]
async fn each_path_knows_its_documented_methods_and_refuses_the_others_with_allow() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    for (path, known) in paths() {
        let allow = known.join(", ");
        let target = Target::of(&acme).await.path(&Operation { path: path.clone(), method: "GET".to_owned() }).await;
        for method in METHODS {
            for client in [&acme.owner, &app.client()] {
                let answer = client.send(client.request(method, &target)).await;
                let here = format!("{method} {path}: {} {}", answer.status, answer.text);
                if method == "OPTIONS" {
                    assert_eq!((answer.status, answer.header("allow")), (204, allow.as_str()), "{here}");
                } else if known.contains(&method) {
                    assert_ne!(answer.status, 405, "{here}");
                    assert_ne!(answer.body["code"], "no_such_route", "{here}");
                } else {
                    assert_eq!((answer.status, answer.header("allow")), (405, allow.as_str()), "{here}");
                    assert!(method == "HEAD" || answer.body["code"] == "method_not_allowed", "{here}");
                    assert_eq!(answer.header("content-type"), "application/problem+json", "{here}");
                }
            }
        }
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let of_a_tenant = |operation: &&Operation| !operation.is_of_the_platform() && operation.path != "/metrics";
    for operation in Operation::all().iter().filter(|operation| !operation.writes()).filter(of_a_tenant) {
        let path = Target::of(&acme).await.path(operation).await;
        acme.owner.get(&path).await;
        let (get, head) = (acme.owner.get(&path).await, acme.owner.send(acme.owner.request("HEAD", &path)).await);
        assert_eq!((head.status, head.text.as_str()), (200, ""), "{operation}");
        for name in ["content-type", "content-length", "etag", "cache-control", "vary"] {
            assert_eq!(head.header(name), get.header(name), "{operation} {name}");
        }
    }
}

#[tokio::test]
async fn there_is_nothing_beside_the_documented_paths() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let beside = ["", "/", "/api", "/api/", "/api/workspace", "/api/tenants", "/api/member", "/admin", "/favicon.ico"];
    let deeper = ["/api/workspaces/", "/api/workspaces//effective", "/api/me/me", "/docs/../openapi.yaml/x", "/API/me"];
    for path in beside.into_iter().chain(deeper) {
        for method in ["GET", "POST", "DELETE", "OPTIONS"] {
            let answer = acme.owner.send(acme.owner.request(method, path)).await;
            let here = format!("{method} {path}: {}", answer.text);
            assert_eq!(answer.status, 404, "{here}");
            assert_eq!(answer.body["code"], "no_such_route", "{here}");
        }
    }
}
