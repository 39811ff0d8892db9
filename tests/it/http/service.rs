//! Health with and without a database, and figures that name no caller.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use serde_json::json;
use tenantry_tests::{App, TestDatabase, problem_body};

#[tokio::test]
async fn without_its_database_the_service_lives_and_says_that_it_is_not_ready() {
    let app = App::on(TestDatabase::new(), |pool| pool.wait = Duration::from_secs(1)).await;
    let acme = app.tenant("Acme").await;
    let client = app.client();
    assert_eq!(client.get("/readyz").await.expect(200).body, json!({ "status": "ok" }));
    // Connected to another database, because nobody can drop the one they are in.
    let other = TestDatabase::unmigrated();
    other.admin().batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", app.database.name())).unwrap();
    for _ in 0..2 {
        assert_eq!(client.get("/healthz").await.expect(200).body, json!({ "status": "ok" }));
        for (client, path) in [(&client, "/readyz"), (&acme.owner, "/api/tenant"), (&acme.owner, "/api/workspaces")] {
            let answer = client.get(path).await.expect(503);
            assert_eq!(
                (answer.body["code"].as_str(), answer.header("retry-after")),
                (Some("unavailable"), "2"),
                "{path}"
            );
            assert_eq!(answer.header("content-type"), "application/problem+json");
            problem_body(503, answer.header("x-request-id"), &answer.body);
            assert!(!answer.text.contains(app.database.name()), "no inside views");
        }
    }
    // What needs no database needs none.
    client.get("/openapi.json").await.expect(200);
    client.get("/api/tenant").await.expect(401);
    acme.owner.post("/api/workspaces", json!([])).await.expect(400);
    client.get("/metrics").await.expect(200);
}

#[tokio::test]
async fn the_service_is_not_ready_while_migrations_are_pending_or_while_it_closes() {
    let app = App::on(TestDatabase::unmigrated(), |_| {}).await;
    let answer = app.client().get("/readyz").await.expect(503);
    assert!(!answer.header("retry-after").is_empty());
    app.client().get("/healthz").await.expect(200);
    let app = App::start().await;
    app.client().get("/readyz").await.expect(200);
    app.closing.announce();
    assert_eq!(app.client().get("/readyz").await.expect(503).header("retry-after"), "2");
    app.client().get("/healthz").await.expect(200);
    app.tenant("Still answered").await.owner.get("/api/tenant").await.expect(200);
}

#[tokio::test]
async fn figures_show_route_templates_and_never_a_path_an_id_or_a_made_up_method() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("Secret name").await;
    acme.owner.get(&format!("/api/workspaces/{id}")).await.expect(200);
    acme.owner.get(&format!("/api/workspaces/{id}/effective?x=canary")).await;
    acme.owner.get("/api/workspaces/canary").await.expect(404);
    acme.owner.get("/canary/path").await.expect(404);
    acme.owner.get("/api/workspaces?q=canary").await.expect(200);
    acme.owner.send(acme.owner.request("CANARY", "/api/workspaces")).await.expect(405);
    acme.owner.send(acme.owner.request("GET", "/api/tenant").header("X-Request-Id", "canary")).await.expect(200);
    app.client().get("/docs/canary").await.expect(404);
    let figures = app.client().get("/metrics").await.expect(200);
    assert!(figures.header("content-type").starts_with("application/openmetrics-text"));
    for wanted in [
        "method=\"GET\",route=\"/api/workspaces/{workspaceId}\",status=\"200\"} 1\n",
        "method=\"GET\",route=\"/api/workspaces/{workspaceId}\",status=\"404\"} 1\n",
        "method=\"POST\",route=\"/api/workspaces\",status=\"201\"} 1\n",
        "method=\"other\",route=\"/api/workspaces\",status=\"405\"} 1\n",
        "method=\"GET\",route=\"(none)\",status=\"404\"} 1\n",
    ] {
        assert!(figures.text.contains(wanted), "{wanted}");
    }
    let lower = figures.text.to_lowercase();
    for never in
        ["canary", &id, &acme.id.to_string(), &acme.brand, "secret name", acme.owner.key(), app.database.name()]
    {
        assert!(!lower.contains(&never.to_lowercase()), "{never}");
    }
    assert!(figures.text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn figures_come_in_the_format_that_was_asked_for() {
    let app = App::start().await;
    let client = app.client();
    let ask =
        async |accept: &str| client.send(client.request("GET", "/metrics").header("Accept", accept)).await.expect(200);
    for accept in [
        "text/plain;version=0.0.4",
        "text/plain",
        "text/*;q=0.9, */*;q=0.1",
        "application/openmetrics-text;q=0.3,text/plain;q=0.5",
    ] {
        let figures = ask(accept).await;
        assert_eq!(figures.header("content-type"), "text/plain; version=0.0.4; charset=utf-8", "{accept}");
        assert_eq!(figures.header("vary"), "Accept");
        assert!(!figures.text.contains("# EOF") && figures.text.ends_with('\n'));
        assert!(figures.text.contains("# TYPE tenantry_rate_limited_total counter\n"), "{}", figures.text);
        // Each sample belongs to the type that was told before it.
        let mut name = "";
        for line in figures.text.lines() {
            match line.strip_prefix("# TYPE ") {
                Some(kind) => name = kind.split(' ').next().unwrap(),
                None => assert!(line.starts_with('#') || line.starts_with(name), "{line} after {name}"),
            }
        }
    }
    let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
                      text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    for accept in [prometheus, "*/*", "", "application/openmetrics-text", "application/json", "text/plain;q=0"] {
        let figures = ask(accept).await;
        assert_eq!(
            figures.header("content-type"),
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            "{accept}"
        );
        assert!(figures.text.ends_with("# EOF\n"), "{accept}");
    }
}
