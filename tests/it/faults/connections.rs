//! Connections that break, that are all taken, or that are not to be had.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use futures_util::future::join_all;
use serde_json::json;
use tenantry_tests::{App, Client, Proxy, TestDatabase};

use super::{as_superuser, busy, hang_up, later, until_waiting};

fn rename(client: &Client, path: &str, name: &str) -> tokio::task::JoinHandle<tenantry_tests::Answer> {
    let (client, path, body) = (client.clone(), path.to_owned(), json!({ "name": name }));
    tokio::spawn(async move { client.patch(&path, body).await })
}

#[tokio::test]
async fn broken_connections_are_replaced_and_nobody_notices() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let look_up = format!("/api/workspaces/{}", acme.workspace("DACH").await);
    for path in ["/api/brands", &look_up, "/api/brands"] {
        for answer in join_all((0..8).map(|_| acme.owner.get(path))).await {
            answer.expect(200);
        }
        hang_up(&app);
        for answer in join_all((0..8).map(|_| acme.owner.get(path))).await {
            answer.expect(200);
        }
        hang_up(&app);
        acme.brand("After the fall").await;
    }
}

#[tokio::test]
async fn a_connection_that_breaks_while_it_is_opened_is_replaced_too() {
    let database = TestDatabase::new();
    let proxy = Proxy::to(&database);
    let app = App::on(database, |_| {}).await;
    let acme = app.tenant("Acme").await;
    let replica = app.replica_on(&App::store(proxy.service_url(), |_| {}));
    proxy.swallow();
    let asked = tokio::spawn({
        let client = acme.owner.at(&replica);
        async move { client.get("/api/brands").await }
    });
    while proxy.accepted() == 0 {
        tokio::task::yield_now().await;
    }
    proxy.cut_once();
    asked.await.unwrap().expect(200);
}

#[tokio::test]
async fn a_connection_that_breaks_under_a_write_fails_that_write_alone() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let path = format!("/api/workspaces/{}", acme.workspace("Before").await);
    let events = app.database.rows("SELECT 1 FROM audit_events");
    let mut holder = app.database.admin();
    holder.batch_execute("BEGIN; SELECT FROM workspaces FOR UPDATE").unwrap();
    let write = rename(&acme.owner, &path, "After");
    until_waiting(&app, 1).await;
    hang_up(&app);
    later(write.await.unwrap());
    holder.batch_execute("ROLLBACK").unwrap();
    assert_eq!(acme.owner.get(&path).await.expect(200).body["name"], "Before");
    assert_eq!(app.database.rows("SELECT 1 FROM audit_events"), events, "nothing says that it happened");
    acme.owner.patch(&path, json!({ "name": "After" })).await.expect(200);
}

#[tokio::test]
async fn with_every_connection_taken_a_request_is_told_to_come_back_and_the_rest_goes_on() {
    let app = App::on(TestDatabase::new(), |options| {
        options.connections = 2;
        options.wait = Duration::from_millis(200);
        options.statement_timeout = Duration::from_secs(120);
    })
    .await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let path = format!("/api/workspaces/{}", acme.workspace("Before").await);
    let other = format!("/api/workspaces/{}", beta.workspace("Before").await);
    let mut holder = app.database.admin();
    holder.batch_execute("BEGIN; SELECT FROM workspaces FOR UPDATE").unwrap();
    let writes = [rename(&acme.owner, &path, "After"), rename(&beta.owner, &other, "After")];
    until_waiting(&app, 2).await;
    busy(acme.owner.get(&path).await);
    acme.owner.get("/readyz").await.expect(503);
    acme.owner.get("/healthz").await.expect(200);
    acme.owner.get("/openapi.json").await.expect(200);
    app.client().get(&path).await.expect(401);
    app.client().with_key("tnt_live_v1_mistyped").get(&path).await.expect(401);
    let figures = acme.owner.get("/metrics").await.expect(200);
    assert!(figures.text.contains("busy"), "{}", figures.text);
    holder.batch_execute("ROLLBACK").unwrap();
    for write in writes {
        write.await.unwrap().expect(200);
    }
    acme.owner.get(&path).await.expect(200);
    acme.owner.get("/readyz").await.expect(200);
}

#[tokio::test]
async fn clients_that_hang_up_take_no_connection_with_them() {
    let app = App::on(TestDatabase::new(), |options| {
        options.connections = 4;
        options.statement_timeout = Duration::from_secs(120);
    })
    .await;
    let acme = app.tenant("Acme").await;
    let path = format!("/api/workspaces/{}", acme.workspace("Before").await);
    let mut holder = app.database.admin();
    holder.batch_execute("BEGIN; SELECT FROM workspaces FOR UPDATE").unwrap();
    let writes = [rename(&acme.owner, &path, "One"), rename(&acme.owner, &path, "Two")];
    until_waiting(&app, 2).await;
    writes.iter().for_each(tokio::task::JoinHandle::abort);
    holder.batch_execute("ROLLBACK").unwrap();
    for answer in join_all((0..6).map(|_| acme.owner.get(&path))).await {
        answer.expect(200);
    }
}

#[tokio::test]
async fn a_database_that_lets_nobody_in_is_unavailable_until_it_does() {
    let app = App::on(TestDatabase::new(), |options| options.wait = Duration::from_millis(500)).await;
    let acme = app.tenant("Acme").await;
    let limit = |n: i32| as_superuser(&app, &format!("ALTER DATABASE {} CONNECTION LIMIT {n}", app.database.name()));
    limit(0);
    hang_up(&app);
    later(acme.owner.get("/api/brands").await);
    later(acme.owner.post("/api/brands", json!({ "name": "B", "emailFromName": "B" })).await);
    let unready = app.client().get("/readyz").await.expect(503);
    assert_eq!(unready.body["error"], "The database accepts no more connections.");
    app.client().get("/healthz").await.expect(200);
    limit(-1);
    // Who waits for a connection while the door opens may be just too late; then it is the next one.
    while acme.owner.get("/api/brands").await.status == 503 {}
    acme.owner.get("/api/brands").await.expect(200);
    app.client().get("/readyz").await.expect(200);
}

#[tokio::test]
async fn a_database_that_is_gone_is_unavailable_and_says_so_to_nobody() {
    let app = App::on(TestDatabase::new(), |options| options.wait = Duration::from_millis(500)).await;
    let acme = app.tenant("Acme").await;
    let gone = app.database.name().to_owned();
    let renamed = format!("{gone}_away");
    let elsewhere = TestDatabase::unmigrated();
    let mut other = elsewhere.admin();
    hang_up(&app);
    other.batch_execute(&format!("ALTER DATABASE {gone} RENAME TO {renamed}")).unwrap();
    let refused = later(acme.owner.get("/api/brands").await);
    assert!(!refused.text.contains(&gone));
    let unready = app.client().get("/readyz").await.expect(503);
    assert_eq!(unready.body["error"], "The database cannot be reached.");
    app.client().get("/healthz").await.expect(200);
    other.batch_execute(&format!("ALTER DATABASE {renamed} RENAME TO {gone}")).unwrap();
    while acme.owner.get("/api/brands").await.status == 503 {}
    acme.owner.get("/api/brands").await.expect(200);
}

#[tokio::test]
async fn a_read_only_database_answers_reads_and_recovers_by_itself() {
    let app = App::on(TestDatabase::new(), |options| options.connections = 3).await;
    let acme = app.tenant("Acme").await;
    // From another database, because in this one the superuser may not write either.
    let elsewhere = TestDatabase::unmigrated();
    let mut other = elsewhere.admin();
    let mut set = |sql: &str| other.batch_execute(&format!("ALTER DATABASE {} {sql}", app.database.name())).unwrap();
    set("SET default_transaction_read_only = on");
    hang_up(&app);
    let brand = json!({ "name": "Beta", "emailFromName": "Beta" });
    for _ in 0..3 {
        acme.owner.get("/api/brands").await.expect(200);
        later(acme.owner.post("/api/brands", brand.clone()).await);
        let unready = acme.owner.get("/readyz").await.expect(503);
        let sentence = "The database is read-only: reads are answered, and no write can succeed.";
        assert_eq!(unready.body["error"], sentence);
    }
    set("RESET default_transaction_read_only");
    // Each connection from before is dropped when it refuses a write.
    let mut refusals = 0;
    while acme.owner.post("/api/brands", brand.clone()).await.status == 503 {
        refusals += 1;
        assert!(refusals <= 3, "one for each connection");
    }
    assert_eq!(app.database.rows("SELECT 1 FROM brands WHERE name = 'Beta'"), 1);
}
