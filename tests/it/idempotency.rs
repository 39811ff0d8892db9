//! A request with an `Idempotency-Key` that is sent again: one effect, one answer, whoever fails meanwhile.

mod faults;
mod keys;
mod routes;
mod secrecy;

use serde_json::{Value, json};
use tenantry_tests::{Answer, App, Client};

/// Sends a `POST` with this value of the header.
async fn post(client: &Client, path: &str, key: &str, body: &Value) -> Answer {
    client.send(client.request("POST", path).header("Idempotency-Key", key).json(body)).await
}

/// Asserts that an answer is the one of before, byte for byte, and says so.
#[track_caller]
fn assert_replayed(first: &Answer, second: &Answer) {
    assert_eq!(
        (first.header("idempotency-replayed"), second.header("idempotency-replayed")),
        ("", "true"),
        "{second:?}"
    );
    assert_eq!((first.status, &first.text), (second.status, &second.text));
    let rest = |answer: &Answer| {
        let mut headers = answer.headers.clone();
        for name in ["idempotency-replayed", "x-request-id", "date"] {
            headers.remove(name);
        }
        headers
    };
    assert_eq!(rest(first), rest(second));
}

fn brand(name: &str) -> Value {
    json!({ "name": name, "emailFromName": name })
}

fn brands(app: &App, name: &str) -> i64 {
    app.database.rows(&format!("SELECT 1 FROM brands WHERE name = '{name}'"))
}
