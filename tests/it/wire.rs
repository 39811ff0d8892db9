//! Connections, byte by byte: one request at a time, answers that are framed right, bounds, and how a service leaves.

mod bounds;
mod framing;
mod operators;
mod pipelining;
mod stopping;
mod user;

/// The head of a request without a body.
fn request(method: &str, path: &str, headers: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")
}

/// A request with this JSON.
fn post(path: &str, headers: &str, body: &str) -> String {
    let head = format!("Content-Type: application/json\r\nContent-Length: {}\r\n{headers}", body.len());
    request("POST", path, &head) + body
}

/// The header with the key of a client.
fn authorized(key: &str) -> String {
    format!("Authorization: Bearer {key}\r\n")
}
