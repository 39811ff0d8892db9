//! A server that takes what it is sent and never answers, and one that is not there.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tenantry_tests::{Answer, App, Client, Proxy, TestDatabase};

use super::later;

/// A service that reaches its database through a proxy and is told after two seconds that a statement is not answered.
async fn through_a_proxy() -> (App, Proxy) {
    let database = TestDatabase::new();
    let proxy = Proxy::to(&database);
    let url = proxy.service_url().to_owned();
    let app = App::on(database, |options| {
        options.url = url;
        options.connections = 2;
        options.wait = Duration::from_secs(1);
        options.statement_timeout = Duration::from_secs(1);
    })
    .await;
    (app, proxy)
}

/// This answer, which must ask the caller to come back: from there being no database, or from having waited in vain for a seat
/// before that was known.
#[track_caller]
fn refused(answer: Answer) {
    let answer = answer.expect(503);
    assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{:?}", answer.headers);
}

/// Asks until the answer is good.
async fn until_good(client: &Client, path: &str) {
    loop {
        let answer = client.get(path).await;
        if answer.status == 200 {
            return;
        }
        refused(answer);
    }
}

#[tokio::test]
async fn connections_that_never_answer_again_are_replaced() {
    let (app, proxy) = through_a_proxy().await;
    let acme = app.tenant("Acme").await;
    for _ in 0..2 {
        for answer in join_all((0..4).map(|_| acme.owner.get("/api/brands"))).await {
            answer.expect(200);
        }
        proxy.swallow();
        for answer in join_all((0..6).map(|_| acme.owner.get("/api/brands"))).await {
            refused(answer);
        }
        acme.owner.get("/healthz").await.expect(200);
        proxy.heal_for_new_connections();
        until_good(&acme.owner, "/api/brands").await;
        acme.brand("After the silence").await;
        acme.owner.get("/readyz").await.expect(200);
    }
    let abandoned = app.store.state().abandoned;
    assert!(abandoned > 0, "their threads still wait");
    // They end when their connections do.
    proxy.cut();
    while app.store.state().abandoned > 0 {
        tokio::task::yield_now().await;
    }
    proxy.resume();
    until_good(&acme.owner, "/api/brands").await;
}

#[tokio::test]
async fn a_write_that_was_answered_503_has_no_effect_when_the_server_wakes_up() {
    let (app, proxy) = through_a_proxy().await;
    let acme = app.tenant("Acme").await;
    let path = format!("/api/workspaces/{}", acme.workspace("Before").await);
    let events = app.database.rows("SELECT 1 FROM audit_events");
    proxy.swallow();
    for answer in join_all((0..4).map(|_| acme.owner.patch(&path, json!({ "name": "After" })))).await {
        refused(answer);
    }
    proxy.resume();
    while app.store.state().abandoned > 0 {
        tokio::task::yield_now().await;
    }
    until_good(&acme.owner, &path).await;
    assert_eq!(acme.owner.get(&path).await.expect(200).body["name"], "Before");
    assert_eq!(app.database.rows("SELECT 1 FROM audit_events"), events, "nothing says that it happened");
    acme.owner.patch(&path, json!({ "name": "After" })).await.expect(200);
}

#[tokio::test]
async fn without_a_database_requests_do_not_try_to_connect_each_for_itself() {
    let (app, proxy) = through_a_proxy().await;
    let acme = app.tenant("Acme").await;
    proxy.cut();
    // Some are at work while it is found out, and each of them may try.
    for answer in join_all((0..4).map(|_| acme.owner.get("/api/brands"))).await {
        later(answer);
    }
    assert_eq!(app.store.state().open, 0, "no connection to the dead server is kept");
    // From here on only the probe connects, and it hangs.
    proxy.swallow();
    let before = proxy.accepted();
    for _ in 0..200 {
        later(acme.owner.get("/api/brands").await);
    }
    let tries = proxy.accepted() - before;
    assert!(tries < 50, "{tries} attempts for 200 requests");
    let unready = acme.owner.get("/readyz").await.expect(503);
    assert_eq!(unready.body["error"], "The database cannot be reached.");
    proxy.heal_for_new_connections();
    until_good(&acme.owner, "/api/brands").await;
    acme.owner.get("/readyz").await.expect(200);
}

#[tokio::test]
async fn whoever_waits_for_a_seat_hears_at_once_that_there_is_no_database() {
    let database = TestDatabase::new();
    let proxy = Proxy::to(&database);
    let url = proxy.service_url().to_owned();
    let app = App::on(database, |options| {
        options.url = url;
        options.connections = 1;
        // Nobody waits so long for a seat: the test would not end.
        options.wait = Duration::from_secs(3600);
        options.statement_timeout = Duration::from_secs(1);
    })
    .await;
    let acme = app.tenant("Acme").await;
    proxy.swallow();
    let requests: Vec<_> = (0..8)
        .map(|_| {
            let owner = acme.owner.clone();
            tokio::spawn(async move { owner.get("/api/brands").await })
        })
        .collect();
    for request in requests {
        later(request.await.unwrap());
    }
}
