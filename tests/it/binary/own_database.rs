//! The service with a PostgreSQL of the operator's.

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tenantry_tests::TestDatabase;

use super::kit::Tenantry;

#[test]
fn a_role_that_row_security_does_not_bind_is_refused() {
    for migrated in [true, false] {
        let database = if migrated { TestDatabase::new() } else { TestDatabase::unmigrated() };
        for (url, why) in [
            (database.admin_url(), "the database role \"postgres\" is a superuser"),
            (database.owner_url(), "the database role \"tenantry_owner\" owns the database or its tables"),
        ] {
            let refused = Tenantry::at(&url).run(&["serve"]).expect(6);
            assert!(refused.err.contains(why) && refused.err.contains("tenantry_service"), "{}", refused.err);
            let refused = Tenantry::at(&url).run(&["tenant", "list"]).expect(6);
            assert!(refused.err.contains(why), "{}", refused.err);
        }
    }
}

#[tokio::test]
async fn with_migrations_pending_it_serves_but_is_not_ready_until_they_have_run() {
    let database = TestDatabase::unmigrated();
    let tenantry = Tenantry::on(&database);
    let service = tenantry.serve();
    let client = service.client();
    client.get("/readyz").await.expect(503);
    client.get("/healthz").await.expect(200);
    let key = "Bearer tnt_live_v1_mistyped";
    client.send(client.request("GET", "/api/me").header("Authorization", key)).await.expect(401);
    let pending = tenantry.run(&["tenant", "list"]).expect(5);
    assert!(pending.err.contains("pending: run `tenantry migrate run`"), "{}", pending.err);
    assert_eq!(database.rows("SELECT FROM pg_tables WHERE tablename = 'tenants'"), 0, "nobody migrates unasked");
    tenantry.run(&["migrate", "run"]).expect(0);
    client.get("/readyz").await.expect(200);
    let made = tenantry.json(&["tenant", "create", "--name", "Beta", "--country", "NL"]);
    client.with_key(made["apiKey"].as_str().unwrap()).get("/api/me").await.expect(200);
    tenantry.run(&["migrate", "revert", "--yes"]).expect(0);
    client.get("/readyz").await.expect(503);
    service.signal(Signal::SIGTERM);
    assert_eq!(service.wait().0, Some(0));
}

#[tokio::test]
async fn without_its_database_it_serves_but_is_not_ready() {
    let tenantry = Tenantry::at("postgres://tenantry_service:s3cret@/tenantry?host=/nowhere")
        .with("TENANTRY_DATABASE_WAIT", "300ms")
        .with("TENANTRY_LOG_LEVEL", "trace");
    let service = tenantry.serve();
    service.client().get("/readyz").await.expect(503);
    service.client().get("/healthz").await.expect(200);
    service.signal(Signal::SIGTERM);
    let (code, log) = service.wait();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("/nowhere") && !log.contains("s3cret"), "{log}");
    for command in [&["tenant", "list"][..], &["migrate", "run"], &["migrate", "status"]] {
        let failed = tenantry.run(command).expect(5);
        assert!(failed.err.contains("/nowhere") && !failed.err.contains("s3cret"), "{}", failed.err);
        assert!(failed.out.is_empty(), "{}", failed.out);
    }
}

#[tokio::test]
async fn an_api_key_is_never_in_the_log_not_even_in_the_most_talkative_one() {
    let database = TestDatabase::new();
    let tenantry = Tenantry::on(&database).with("TENANTRY_LOG_LEVEL", "trace");
    let made = tenantry.json(&["tenant", "create", "--name", "Beta", "--country", "NL"]);
    let service = tenantry.serve();
    let owner = service.client().with_key(made["apiKey"].as_str().unwrap());
    let body = json!({ "name": "CRM", "scopes": ["tenant:read"] });
    let crm = owner.post("/api/api-keys", body).await.expect(201);
    let rotated = owner.post(&format!("/api/api-keys/{}/rotate", crm.id()), json!({})).await.expect(201);
    let keys = [owner.key().to_owned(), crm.text_of("secret"), rotated.text_of("secret")];
    for key in &keys {
        service.client().with_key(key).get("/api/tenant").await.expect(200);
        service.client().with_key(&key[..70]).get("/api/tenant").await.expect(401);
        service.client().get(&format!("/api/brands?access_token={key}")).await.expect(401);
        service.client().with_key(key).get("/api/workspaces/w1").await;
    }
    service.signal(Signal::SIGTERM);
    let (_, log) = service.wait();
    assert!(log.contains("\"answered\"") && log.contains("\"level\":\"TRACE\""), "{log}");
    for random in keys.iter().map(|key| &key[34..66]) {
        for part in (0..=20).map(|at| &random[at..at + 12]) {
            let line = log.lines().find(|line| line.contains(part));
            assert_eq!(line, None, "a part of a key");
        }
    }
}

#[tokio::test]
async fn the_log_keeps_probes_for_debug_and_says_why_a_key_cannot_be_one() {
    let database = TestDatabase::new();
    let tenantry = Tenantry::on(&database).with("TENANTRY_LOG_LEVEL", "debug");
    let made = tenantry.json(&["tenant", "create", "--name", "Beta", "--country", "NL"]);
    let service = tenantry.serve();
    let client = service.client();
    for path in ["/healthz", "/readyz", "/metrics"] {
        client.get(path).await.expect(200);
    }
    let key = made["apiKey"].as_str().unwrap();
    client.with_key(key).get("/api/tenant").await.expect(200);
    let mistyped = format!("{}{}", &key[..71], if key.ends_with('x') { "y" } else { "x" });
    let platform = format!("tnt_plat_v1_{}", &key[12..]);
    let meant = [
        (key[..70].to_owned(), "refused an API key", "it is malformed: it has the wrong length"),
        (mistyped, "refused an API key", "it is malformed: its checksum is wrong"),
        (key[1..].to_owned(), "refused an API key", "it is malformed: it has another prefix"),
        (platform, "refused a platform key", "it has the wrong length"),
        ("eyJh.eyJh".to_owned(), "refused an access token", "the token does not have three parts"),
    ];
    for (credential, ..) in &meant {
        client.with_key(credential).get("/api/tenant").await.expect(401);
    }
    service.signal(Signal::SIGTERM);
    let (_, log) = service.wait();
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let said = |message: &str| lines.iter().filter(|line| line["message"] == message).collect::<Vec<_>>();
    let answered: Vec<_> = said("answered").iter().map(|line| (&line["route"], &line["level"])).collect();
    let levels = ["/healthz", "/readyz", "/metrics"].map(|route| (json!(route), json!("DEBUG")));
    for (route, level) in levels.iter().chain(&[(json!("/api/tenant"), json!("INFO"))]) {
        assert!(answered.contains(&(route, level)), "{log}");
    }
    assert_eq!(answered.iter().filter(|(_, level)| *level == "DEBUG").count(), 3, "{log}");
    for line in said("answered") {
        let ms = line["ms"].as_f64().unwrap() * 100.0;
        assert!((ms - ms.round()).abs() < 1e-6, "milliseconds with two digits: {line}");
    }
    for (_, message, reason) in &meant {
        assert!(said(message).iter().any(|line| line["reason"] == *reason), "{message}, {reason}: {log}");
    }
}

#[tokio::test]
async fn the_health_check_tells_a_service_that_is_ready_from_one_that_is_not() {
    let database = TestDatabase::unmigrated();
    let service = Tenantry::on(&database).serve();
    let address = service.base.trim_start_matches("http://").to_owned();
    let check = || Tenantry::on(&database).with("TENANTRY_BIND", &address);
    let not_ready = check().run(&["healthcheck"]).expect(1);
    assert!(not_ready.err.contains("is not ready (status 503)"), "{}", not_ready.err);
    check().run(&["migrate", "run"]).expect(0);
    assert_eq!(check().run(&["healthcheck"]).expect(0).out, "ready\n");
    assert_eq!(check().json(&["healthcheck"]), json!({ "ready": true }));
    let port = address.rsplit_once(':').unwrap().1;
    check().with("TENANTRY_BIND", &format!("0.0.0.0:{port}")).run(&["healthcheck"]).expect(0);
    let taken = check().run(&["serve"]).expect(1);
    assert!(taken.err.contains("cannot listen on") && taken.err.contains("TENANTRY_BIND"), "{}", taken.err);
    service.signal(Signal::SIGTERM);
    assert_eq!(service.wait().0, Some(0));
    let nobody = check().run(&["healthcheck"]).expect(1);
    assert!(nobody.err.contains("no service answers at"), "{}", nobody.err);
}
