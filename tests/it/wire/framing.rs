//! What is a request, and what is not.

use tenantry_tests::{App, RawConnection, TestDatabase, problem_body};

use super::{authorized, post, request};
use crate::binary::kit::Tenantry;

#[tokio::test]
async fn a_line_that_ends_without_its_carriage_return_is_refused_and_nothing_behind_it_is_carried_out() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let create = post("/api/workspaces", &authorized(acme.owner.key()), r#"{"name":"Smuggled"}"#);
    let whole = request("GET", "/healthz", "X: y\r\n");
    for (at, _) in whole.match_indices('\r') {
        let mut lone = whole.clone();
        lone.remove(at);
        let mut connection = RawConnection::open(&app.base).await;
        connection.send(format!("{lone}{create}").as_bytes()).await;
        let answer = connection.answer().await;
        assert_eq!((answer.status, answer.header("connection")), (400, "close"), "{lone:?}");
        problem_body(400, answer.header("x-request-id"), &answer.json());
        assert_eq!(answer.json()["code"], "malformed_request");
        assert!(connection.ending().await.in_order);
    }
    let chunked = request(
        "POST",
        "/api/workspaces",
        &format!("{}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n", authorized(acme.owner.key())),
    );
    for body in [
        "13\n{\"name\":\"Smuggled\"}\r\n0\r\n\r\n",
        "13\r\n{\"name\":\"Smuggled\"}\n0\r\n\r\n",
        "13\r\n{\"name\":\"Smuggled\"}\r\n0\n\r\n",
    ] {
        let mut connection = RawConnection::open(&app.base).await;
        connection.send(format!("{chunked}{body}{create}").as_bytes()).await;
        assert_eq!(connection.answer().await.status, 400, "{body:?}");
        assert!(connection.ending().await.bytes.is_empty(), "{body:?}");
    }
    assert_eq!(app.database.rows("SELECT 1 FROM workspaces"), 0);
}

#[tokio::test]
async fn what_is_no_request_is_refused_at_once_also_when_it_is_not_whole() {
    let app = App::start().await;
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"\0",
        b"GET / HTTP/9.9\r\n",
        b"PRI * HTTP/2.0\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nbad header\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
    ] {
        let mut connection = RawConnection::open(&app.base).await;
        connection.send(bytes).await;
        assert_eq!(connection.answer().await.status, 400, "{:?}", String::from_utf8_lossy(bytes));
        assert!(connection.ending().await.in_order);
    }
}

#[tokio::test]
async fn nobody_is_told_to_go_on_who_is_refused_anyway() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let key = authorized(acme.owner.key());
    let (json, asks) = ("Content-Type: application/json\r\n", "Expect: 100-continue\r\n");
    for (path, headers, status) in [
        ("/api/workspaces", format!("{json}Content-Length: 14\r\n"), 401),
        ("/api/workspaces", format!("{key}{json}Content-Length: 99999999\r\n"), 413),
        ("/api/workspaces", format!("{key}Content-Type: text/plain\r\nContent-Length: 14\r\n"), 415),
        ("/api/workspaces", format!("{key}{json}Content-Encoding: gzip\r\nContent-Length: 14\r\n"), 415),
        ("/api/nothing", format!("{key}{json}Content-Length: 14\r\n"), 404),
        ("/healthz", format!("{key}{json}Content-Length: 14\r\n"), 405),
    ] {
        let mut connection = RawConnection::open(&app.base).await;
        connection.send(request("POST", path, &format!("{headers}{asks}")).as_bytes()).await;
        let ending = connection.ending().await;
        let text = String::from_utf8(ending.bytes).unwrap();
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{headers}: {text}");
        assert!(text.contains("connection: close\r\n"), "the body may come yet: {text}");
        assert!(ending.in_order);
    }
    let mut connection = RawConnection::open(&app.base).await;
    let headers = format!("{key}{json}Content-Length: 14\r\n{asks}");
    connection.send(request("POST", "/api/workspaces", &headers).as_bytes()).await;
    let mut told = [0; 25];
    connection.read_exactly(&mut told).await;
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    connection.send(br#"{"name":"Ask"}"#).await;
    assert_eq!(connection.answer().await.status, 201);
    // Who does not wait is told nothing.
    connection.send(post("/api/workspaces", &format!("{key}{asks}"), r#"{"name":"All"}"#).as_bytes()).await;
    let mut answered = [0; 12];
    connection.read_exactly(&mut answered).await;
    assert_eq!(&answered, b"HTTP/1.1 201");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_caller_without_a_credential_sends_is_an_error_in_the_log() {
    let database = TestDatabase::new();
    let service = Tenantry::on(&database).with("TENANTRY_LOG_LEVEL", "debug").serve();
    for bytes in [
        &b"nonsense\r\n\r\n"[..],
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"\x16\x03\x01",
        b"POST /api/workspaces HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: ",
    ] {
        let mut connection = RawConnection::open(&service.base).await;
        connection.send(bytes).await;
        connection.half_close();
        connection.ending().await;
    }
    let figures = service.client().get("/metrics").await.expect(200).text;
    assert!(figures.contains("method=\"other\",route=\"(none)\",status=\"400\"} 3\n"), "{figures}");
    let log = service.stop(nix::sys::signal::Signal::SIGTERM);
    assert!(!log.contains("\"ERROR\"") && !log.contains("\"WARN\""), "{log}");
    assert!(log.contains("a line ends without CR"), "{log}");
}
