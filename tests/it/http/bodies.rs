//! What the headers say of a body, and how it arrives.

use serde_json::json;
use tenantry_tests::{App, Client, RawAnswer, exchange, problem, problem_body};

const MAX_BODY: usize = 512 * 1024;

/// The head of a request that creates a workspace, up to the headers about its body.
fn head(client: &Client) -> String {
    let host = client.base().trim_start_matches("http://");
    format!("POST /api/workspaces HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\n", client.key())
}

async fn send(client: &Client, headers: &str, body: &[u8]) -> RawAnswer {
    let head = format!("{}{headers}\r\n", head(client));
    exchange(client.base(), &[head.as_bytes(), body].concat()).await
}

#[track_caller]
fn refused(answer: &RawAnswer, status: u16, code: &str) {
    let body = answer.json();
    assert_eq!((answer.status, body["code"].as_str()), (status, Some(code)), "{}\n{body}", answer.head);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    problem_body(status, answer.header("x-request-id"), &body);
}

#[tokio::test]
async fn a_body_is_json_in_utf_8_or_it_is_not_looked_at() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let post = |kind: &str| {
        let request = acme.owner.request("POST", "/api/workspaces").header("Content-Type", kind);
        acme.owner.send(request.body("{\"name\":\"x\"}"))
    };
    for good in [
        "application/json",
        "application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\"",
        "application/merge-patch+json",
        "application/json; profile=x",
        "application/json;charset=utf8",
    ] {
        post(good).await.expect(201);
    }
    for bad in [
        "text/plain",
        "text/plain; x=application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "text/json",
        "application/jsonx",
        "application/json, text/plain",
        "application/json; charset=latin1",
        "application/json; charset=utf-16",
        "application/json-patch+json",
        "*/*",
        "json",
        "",
    ] {
        let answer = post(bad).await.expect(415);
        assert_eq!(answer.body["code"], "unsupported_media_type", "{bad}");
        problem(&answer);
    }
    let missing = acme.owner.request("POST", "/api/workspaces").body("{\"name\":\"x\"}");
    problem(&acme.owner.send(missing).await.expect(415));
    let request = acme.owner.request("POST", "/api/workspaces").header("Content-Type", "application/json");
    let two = request.header("Content-Type", "text/plain").body("{\"name\":\"x\"}");
    problem(&acme.owner.send(two).await.expect(415));
    for encoding in ["gzip", "br", "deflate", "zstd", "gzip, gzip", "identity, gzip", "x"] {
        let request = acme.owner.request("POST", "/api/workspaces").header("Content-Encoding", encoding);
        let answer = acme.owner.send(request.json(&json!({ "name": "x" }))).await.expect(415);
        assert_eq!(answer.body["code"], "unsupported_encoding", "{encoding}");
        problem(&answer);
    }
    let plain = acme.owner.request("POST", "/api/workspaces").header("Content-Encoding", "identity");
    acme.owner.send(plain.json(&json!({ "name": "x" }))).await.expect(201);
    // A change takes the same types.
    let patch = acme.owner.request("PATCH", "/api/tenant").header("Content-Type", "text/plain");
    acme.owner.send(patch.body("{}")).await.expect(415);
}

#[tokio::test]
async fn no_body_is_an_empty_object() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let empty = acme.owner.send(acme.owner.request("POST", "/api/workspaces")).await.expect(422);
    assert_eq!(empty.refused(), [("name".to_owned(), "required".to_owned())]);
    let json = acme.owner.request("PATCH", "/api/tenant").header("Content-Type", "application/json");
    acme.owner.send(json.body("")).await.expect(200);
    // What takes no body does not look at one.
    let get = acme.owner.request("GET", "/api/tenant").header("Content-Type", "text/plain").body("{");
    acme.owner.send(get).await.expect(200);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_before_it_is_read() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let json = "Content-Type: application/json\r\n";
    for length in [MAX_BODY + 1, 10_000_000, usize::MAX] {
        // Not a byte of it is sent.
        let answer = send(&acme.owner, &format!("{json}Content-Length: {length}\r\n"), b"").await;
        refused(&answer, 413, "body_too_large");
        assert_eq!(answer.header("connection"), "close", "nobody waits for the rest");
    }
    let waiting = format!("{json}Expect: 100-continue\r\nContent-Length: {}\r\n", MAX_BODY + 1);
    refused(&send(&acme.owner, &waiting, b"").await, 413, "body_too_large");
    let body = format!("{{\"name\":\"x\"{}}}", " ".repeat(MAX_BODY));
    let chunks: String = body
        .as_bytes()
        .chunks(60_000)
        .map(|chunk| format!("{:x}\r\n{}\r\n", chunk.len(), String::from_utf8_lossy(chunk)))
        .collect();
    let chunked = format!("{json}Transfer-Encoding: chunked\r\n");
    refused(&send(&acme.owner, &chunked, format!("{chunks}0\r\n\r\n").as_bytes()).await, 413, "body_too_large");
    // It never ends.
    refused(&send(&acme.owner, &chunked, chunks.as_bytes()).await, 413, "body_too_large");
    let fits = format!("{{\"name\":\"x\"{}}}", " ".repeat(MAX_BODY - 12));
    assert_eq!(fits.len(), MAX_BODY);
    let request = acme.owner.request("POST", "/api/workspaces").header("Content-Type", "application/json");
    acme.owner.send(request.body(fits)).await.expect(201);
    assert_eq!(app.database.rows("SELECT FROM workspaces"), 1, "of all these, one was accepted");
}

#[tokio::test]
async fn who_asks_before_sending_a_body_is_told_to_go_on() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let headers = "Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 12\r\n";
    assert_eq!(send(&acme.owner, headers, b"{\"name\":\"x\"}").await.status, 201);
    let chunked = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
    let chunks = b"4;ext=1\r\n{\"na\r\n8\r\nme\":\"y\"}\r\n0\r\nTrailer: x\r\n\r\n";
    let answer = send(&acme.owner, chunked, chunks).await;
    assert!(matches!(answer.status, 201 | 400), "{}", answer.head);
}

#[tokio::test]
async fn a_body_whose_length_is_a_lie_is_unreadable() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let json = "Content-Type: application/json\r\n";
    for headers in [
        "Content-Length: 12\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 12\r\nContent-Length: 13\r\n",
        "Content-Length: +12\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 0x0c\r\n",
        "Content-Length: 99999999999999999999999\r\n",
        "Content-Length : 12\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "X-Folded: a\r\n b\r\nContent-Length: 12\r\n",
        "X-Nul: a\0b\r\nContent-Length: 12\r\n",
    ] {
        let answer = send(&acme.owner, &format!("{json}{headers}"), b"{\"name\":\"x\"}").await;
        assert!(matches!(answer.status, 400 | 413), "{headers:?}: {}", answer.head);
    }
    for chunks in ["zz\r\n{}\r\n0\r\n\r\n", "-1\r\n\r\n", "ffffffffffffffffff\r\n", "2\r\n{}x\r\n0\r\n\r\n"] {
        let answer = send(&acme.owner, &format!("{json}Transfer-Encoding: chunked\r\n"), chunks.as_bytes()).await;
        refused(&answer, 400, "unreadable_body");
        let message = answer.json()["error"].as_str().unwrap().to_owned();
        assert_eq!(message, "The request body was incomplete or did not match its headers.");
    }
    // Shorter than the body: what is left over is no request of anybody.
    let answer =
        send(&acme.owner, &format!("{json}Content-Length: 2\r\n"), b"{}DELETE /api/workspaces HTTP/1.1\r\n\r\n").await;
    refused(&answer, 422, "invalid_fields");
    assert_eq!(acme.owner.get("/api/workspaces").await.body["data"], json!([]));
}
