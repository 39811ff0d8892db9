//! Several requests in one write.

use tenantry_tests::{App, RawConnection};

use super::{authorized, post, request};

#[tokio::test]
async fn no_request_changes_how_the_answer_before_it_is_framed() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let key = authorized(acme.owner.key());
    let path = format!("/api/workspaces/{}", acme.workspace("DACH").await);
    let get = request("GET", &path, &key);
    for next in [
        request("HEAD", "/healthz", ""),
        request("GET", "/healthz", "Connection: close\r\n"),
        request("GET", "/healthz", "").replace("HTTP/1.1", "HTTP/1.0"),
        request("GET", "/healthz", "Connection: upgrade\r\nUpgrade: h2c\r\n"),
        request("CONNECT", "/healthz", ""),
        "nonsense\r\n\r\n".to_owned(),
    ] {
        let mut connection = RawConnection::open(&app.base).await;
        connection.send(format!("{get}{next}").as_bytes()).await;
        let answer = connection.answer().await;
        assert_eq!((answer.status, answer.header("connection")), (200, ""), "before {next}");
        assert!(answer.head.starts_with("HTTP/1.1"), "{}", answer.head);
        assert_eq!(answer.json()["name"], "DACH", "before {next}");
        let then = if next.starts_with("HEAD") { connection.answer_to_head().await } else { connection.answer().await };
        assert!(matches!(then.status, 200 | 400 | 405), "{next}: {}", then.head);
    }
    let mut connection = RawConnection::open(&app.base).await;
    connection.send(format!("{}{get}", request("HEAD", &path, &key)).as_bytes()).await;
    let head = connection.answer_to_head().await;
    let answer = connection.answer().await;
    assert_eq!(head.header("content-length"), answer.body.len().to_string());
    assert_eq!(answer.json()["name"], "DACH");
}

#[tokio::test]
async fn a_secret_that_is_shown_once_is_shown_whatever_follows() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let create = post("/api/api-keys", &authorized(acme.owner.key()), r#"{"name":"K","scopes":["tenant:read"]}"#);
    let mut connection = RawConnection::open(&app.base).await;
    connection.send(format!("{create}{}", request("HEAD", "/healthz", "")).as_bytes()).await;
    let made = connection.answer().await;
    assert_eq!(made.status, 201);
    app.client().with_key(made.json()["secret"].as_str().unwrap()).get("/api/tenant").await.expect(200);
    assert_eq!(connection.answer_to_head().await.status, 200);
}

#[tokio::test]
async fn a_hundred_requests_of_mixed_callers_are_answered_in_order_and_to_each_their_own() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let (ours, theirs) = (authorized(acme.owner.key()), authorized(beta.owner.key()));
    let all: String = (0..100)
        .map(|n| match n % 4 {
            0 => request("GET", "/api/tenant", &ours),
            1 => request("GET", "/api/tenant", &theirs),
            2 => request("GET", "/api/tenant", ""),
            _ => request("HEAD", "/api/tenant", &ours),
        })
        .collect();
    let mut connection = RawConnection::open(&app.base).await;
    connection.send(all.as_bytes()).await;
    for n in 0..100 {
        let answer = if n % 4 == 3 { connection.answer_to_head().await } else { connection.answer().await };
        let name = answer.json()["name"].as_str().map(str::to_owned);
        let expected = [(200, Some("Acme")), (200, Some("Beta")), (401, None), (200, None)][n % 4];
        assert_eq!((answer.status, name.as_deref()), expected, "{n}");
    }
}

#[tokio::test]
async fn what_follows_the_last_request_of_a_connection_is_not_carried_out() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let key = authorized(acme.owner.key());
    let create =
        |name: &str, more: &str| post("/api/workspaces", &format!("{key}{more}"), &format!("{{\"name\":\"{name}\"}}"));
    let last = create("Last", "Connection: close\r\n");
    let old = create("Old", "").replace("HTTP/1.1", "HTTP/1.0");
    let refused = create("Refused", "Transfer-Encoding: chunked\r\n");
    for first in [last, old, refused] {
        let mut connection = RawConnection::open(&app.base).await;
        connection.send(format!("{first}{}", create("Smuggled", "")).as_bytes()).await;
        let answer = connection.answer().await;
        assert!(matches!(answer.status, 201 | 400), "{}", answer.head);
        let ending = connection.ending().await;
        assert_eq!((ending.bytes, ending.in_order), (Vec::new(), true));
    }
    assert_eq!(app.database.rows("SELECT 1 FROM workspaces WHERE name = 'Smuggled'"), 0);
    assert_eq!(app.database.rows("SELECT 1 FROM workspaces"), 2);
}

#[tokio::test]
async fn a_refused_request_takes_its_body_with_it_and_the_connection_goes_on() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let mut connection = RawConnection::open(&app.base).await;
    for refused in [
        post("/api/workspaces", "", r#"{"name":"GET /healthz HTTP/1.1"}"#),
        post("/api/nothing", "", "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
        request("POST", "/api/workspaces", "Transfer-Encoding: chunked\r\n") + "5\r\nhello\r\n0\r\n\r\n",
    ] {
        connection.send(refused.as_bytes()).await;
        let answer = connection.answer().await;
        assert!(matches!(answer.status, 401 | 404), "{}", answer.head);
        assert_eq!(answer.header("connection"), "", "{}", answer.head);
    }
    connection.send(request("GET", "/api/tenant", &authorized(acme.owner.key())).as_bytes()).await;
    assert_eq!(connection.answer().await.json()["name"], "Acme");
}
