//! How the service ends while it is at work.

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use nix::sys::signal::Signal;
use serde_json::json;
use tenantry_tests::{Answer, Client, TestDatabase};
use tokio::task::JoinHandle;

use super::kit::{Service, Tenantry};

/// A service that is answering a request which waits for a row that the test holds.
struct AtWork {
    database: TestDatabase,
    tenantry: Tenantry,
    service: Service,
    client: Client,
    path: String,
    holder: PgConnection,
    request: JoinHandle<Answer>,
}

impl AtWork {
    async fn new() -> Self {
        let database = TestDatabase::new();
        let tenantry = Tenantry::on(&database).with("TENANTRY_STATEMENT_TIMEOUT", "4m");
        let made = tenantry.json(&["tenant", "create", "--name", "Acme", "--country", "DE"]);
        let service = tenantry.serve();
        let client = service.client().with_key(made["apiKey"].as_str().unwrap());
        let workspace = client.post("/api/workspaces", json!({ "name": "Before" })).await.expect(201).id();
        let path = format!("/api/workspaces/{workspace}");
        let mut holder = PgConnection::establish(&database.admin_url()).unwrap();
        holder.batch_execute("BEGIN; SELECT FROM workspaces FOR UPDATE").unwrap();
        let (requester, asked) = (client.clone(), path.clone());
        let request = tokio::spawn(async move { requester.patch(&asked, json!({ "name": "After" })).await });
        let waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
                       AND usename = 'tenantry_service' AND wait_event_type = 'Lock'";
        while database.rows(waiting) == 0 {
            tokio::task::yield_now().await;
        }
        Self { database, tenantry, service, client, path, holder, request }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_was_begun_is_finished_before_the_service_ends() {
    let mut at = AtWork::new().await;
    at.service.signal(Signal::SIGTERM);
    at.service.until_logged("stopping");
    assert!(!at.request.is_finished());
    at.holder.batch_execute("ROLLBACK").unwrap();
    at.request.await.unwrap().expect(200);
    let (code, log) = at.service.wait();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("\"stopped\""), "{log}");
    assert_eq!(at.database.rows("SELECT 1 FROM workspaces WHERE name = 'After'"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_stopping_is_not_ready_and_then_not_there() {
    let database = TestDatabase::new();
    let tenantry = Tenantry::on(&database).with("TENANTRY_SHUTDOWN_DELAY", "1h");
    let mut service = tenantry.serve();
    let ready = service.client().get("/readyz").await.expect(200);
    assert_eq!(ready.body["status"], "ok");
    service.signal(Signal::SIGTERM);
    service.until_logged("stopping");
    service.client().get("/readyz").await.expect(503);
    service.client().get("/healthz").await.expect(200);
    service.client().get("/api/me").await.expect(401);
    // Asked again, it does not wait for the hour.
    service.signal(Signal::SIGTERM);
    assert_eq!(service.wait().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_twice_the_service_ends_at_once() {
    let mut at = AtWork::new().await;
    at.service.signal(Signal::SIGINT);
    at.service.until_logged("stopping");
    // It has begun to stop when it no longer listens.
    let address = at.client.base().trim_start_matches("http://").to_owned();
    while tokio::net::TcpStream::connect(&address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    at.service.signal(Signal::SIGINT);
    let (code, log) = at.service.wait();
    assert_eq!(code, Some(0), "{log}");
    assert!(at.request.await.is_err(), "there was no answer");
    at.holder.batch_execute("ROLLBACK").unwrap();
    // What it had begun was either done whole or not at all, and the next one serves on.
    let again = at.tenantry.serve();
    at.client = again.client().with_key(at.client.key());
    let name = at.client.get(&at.path).await.expect(200).text_of("name");
    let renamed = at.database.rows("SELECT 1 FROM audit_events WHERE action = 'workspace.update'");
    assert_eq!(renamed, i64::from(name == "After"));
    again.signal(Signal::SIGTERM);
    assert_eq!(again.wait().0, Some(0));
}
