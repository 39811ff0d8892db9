//! How long a connection may take, and how many there may be.

use std::time::Duration;

use nix::sys::signal::Signal;
use tenantry_tests::{App, RawConnection, TestDatabase};
use tokio::time::sleep;

use super::{authorized, post, request};
use crate::binary::kit::Tenantry;

/// Sends one byte after another until nobody takes them any more.
async fn drip(connection: &mut RawConnection, bytes: &str) {
    for byte in bytes.bytes().cycle() {
        if !connection.try_send(&[byte]).await {
            return;
        }
        sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn an_idle_connection_is_kept_as_long_as_the_setting_says() {
    let service = Tenantry::on(&TestDatabase::new()).with("TENANTRY_KEEP_ALIVE", "1s").serve();
    let mut connection = RawConnection::open(&service.base).await;
    connection.send(request("GET", "/healthz", "").as_bytes()).await;
    assert_eq!(connection.answer().await.status, 200);
    // Without the setting it is kept for longer than this waits.
    let ending = tokio::time::timeout(Duration::from_secs(30), connection.ending()).await.expect("it is closed");
    assert_eq!((ending.bytes.len(), ending.in_order), (0, true));
    service.stop(Signal::SIGTERM);
}

#[tokio::test]
async fn nobody_holds_a_connection_without_asking_for_something() {
    let app = App::start().await;
    let silent = async {
        let ending = RawConnection::open(&app.base).await.ending().await;
        assert_eq!((ending.bytes.len(), ending.in_order), (0, true));
    };
    let head = async {
        let mut connection = RawConnection::open(&app.base).await;
        connection.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: ").await;
        let dripping = drip(&mut connection, "y");
        tokio::time::timeout(Duration::from_secs(60), dripping).await.expect("it is closed");
        assert_eq!(connection.answer().await.status, 408);
    };
    let unread = async {
        let mut connection = RawConnection::open(&app.base).await;
        connection.send(request("GET", "/healthz", "Transfer-Encoding: chunked\r\n").as_bytes()).await;
        let answer = connection.answer().await;
        assert_eq!((answer.status, answer.header("connection")), (200, "close"));
        let dripping = drip(&mut connection, "1\r\nx\r\n");
        tokio::time::timeout(Duration::from_secs(60), dripping).await.expect("it is closed");
    };
    let body = async {
        let acme = app.tenant("Acme").await;
        let mut connection = RawConnection::open(&app.base).await;
        let whole = post("/api/workspaces", &authorized(acme.owner.key()), &"x".repeat(5_000));
        connection.send(&whole.as_bytes()[..400]).await;
        let dripping = drip(&mut connection, "x");
        tokio::time::timeout(Duration::from_secs(60), dripping).await.expect("it is closed");
        assert_eq!(connection.answer().await.status, 408);
    };
    let reader = async {
        let mut connection = RawConnection::open(&app.base).await;
        // More than the system keeps for a reader, so that the service has to wait for it.
        let all = request("GET", "/docs/scalar.js", "").repeat(40);
        tokio::time::timeout(Duration::from_secs(60), connection.send_without_reading(all.as_bytes())).await.ok();
        connection.until_cut_off().await;
    };
    tokio::join!(silent, head, unread, body, reader);
    app.client().get("/healthz").await.expect(200);
}

#[tokio::test]
async fn an_answer_reaches_who_is_still_sending() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let whole = post("/api/workspaces", &authorized(acme.owner.key()), &"x".repeat(4_000_000));
    for _ in 0..5 {
        let mut connection = RawConnection::open(&app.base).await;
        connection.send(whole.as_bytes()).await;
        let answer = connection.answer().await;
        assert_eq!((answer.status, answer.header("connection")), (413, "close"));
        assert!(connection.ending().await.in_order);
    }
}

#[tokio::test]
async fn when_there_are_too_many_who_waits_longest_leaves_and_who_asks_is_answered() {
    let app = App::with_connections(8).await;
    let acme = app.tenant("Acme").await;
    let key = authorized(acme.owner.key());
    let mut waiting = Vec::new();
    for n in 0..30 {
        let mut connection = RawConnection::open(&app.base).await;
        connection.send(if n % 2 == 0 { b"GET /he" } else { b"" }).await;
        waiting.push(connection);
        let mut asking = RawConnection::open(&app.base).await;
        asking.send(request("GET", "/api/tenant", &key).as_bytes()).await;
        assert_eq!(asking.answer().await.status, 200, "{n}");
    }
    // The first have left, the last are still there.
    let last = waiting.pop().unwrap();
    for connection in waiting.drain(..10) {
        assert!(connection.ending().await.bytes.is_empty());
    }
    let mut last = last;
    last.send(request("GET", "/healthz", "").as_bytes()).await;
    assert_eq!(last.answer().await.status, 200);
}

#[tokio::test]
async fn a_request_that_is_being_answered_does_not_leave() {
    let app = App::with_connections(4).await;
    let acme = app.tenant("Acme").await;
    let path = format!("/api/workspaces/{}", acme.workspace("Before").await);
    let mut holder = app.database.admin();
    diesel::connection::SimpleConnection::batch_execute(&mut holder, "BEGIN; SELECT FROM workspaces FOR UPDATE")
        .unwrap();
    let mut working = RawConnection::open(&app.base).await;
    let change = post(&path, &authorized(acme.owner.key()), r#"{"name":"After"}"#).replace("POST", "PATCH");
    working.send(change.as_bytes()).await;
    let waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
                   AND usename = 'tenantry_service' AND wait_event_type = 'Lock'";
    while app.database.rows(waiting) == 0 {
        tokio::task::yield_now().await;
    }
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(RawConnection::open(&app.base).await);
        let mut asking = RawConnection::open(&app.base).await;
        asking.send(request("GET", "/healthz", "").as_bytes()).await;
        assert_eq!(asking.answer().await.status, 200);
    }
    diesel::connection::SimpleConnection::batch_execute(&mut holder, "ROLLBACK").unwrap();
    let answer = working.answer().await;
    assert_eq!((answer.status, answer.json()["name"].as_str()), (200, Some("After")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_gets_in_however_long_the_service_takes_to_accept_it() {
    let database = TestDatabase::new();
    let service = Tenantry::on(&database).serve();
    service.signal(Signal::SIGSTOP);
    let mut crowd = Vec::new();
    for n in 0..600 {
        let connecting = tokio::time::timeout(Duration::from_secs(60), RawConnection::open(&service.base));
        let mut connection = connecting.await.unwrap_or_else(|_| panic!("{n} are in, and no more get in"));
        connection.send(request("GET", "/healthz", "").as_bytes()).await;
        crowd.push(connection);
    }
    service.signal(Signal::SIGCONT);
    for mut connection in crowd {
        assert_eq!(connection.answer().await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn four_hundred_dripping_clients_at_256_descriptors_keep_nobody_out() {
    let database = TestDatabase::new();
    let tenantry = Tenantry::on(&database);
    let made = tenantry.json(&["tenant", "create", "--name", "Acme", "--country", "DE"]);
    let service = tenantry.serve_in_a_shell("ulimit -n 256; exec \"$@\"");
    let key = authorized(made["apiKey"].as_str().unwrap());
    let mut dripping = tokio::task::JoinSet::new();
    for n in 0..400 {
        let base = service.base.clone();
        // A quarter of them in a head, the others in a body that nobody reads.
        let head = request("GET", "/healthz", "Transfer-Encoding: chunked\r\n");
        let (begin, go_on) = if n % 4 == 0 { (head.trim_end().to_owned(), "y") } else { (head, "1\r\nx\r\n") };
        dripping.spawn(async move {
            loop {
                let mut connection = RawConnection::open(&base).await;
                connection.send(begin.as_bytes()).await;
                drip(&mut connection, go_on).await;
            }
        });
    }
    for _ in 0..50 {
        for path in ["/healthz", "/api/tenant"] {
            let mut asking = RawConnection::open(&service.base).await;
            asking.send(request("GET", path, &key).as_bytes()).await;
            assert_eq!(asking.answer().await.status, 200, "{path}");
        }
    }
    dripping.shutdown().await;
    let log = service.stop(Signal::SIGTERM);
    assert!(!log.contains("\"ERROR\"") && !log.contains("\"WARN\""), "{log}");
}
