//! What every failure has in common.

use serde_json::Value;

use crate::Answer;

/// Holds a failure against the documented form: its media type, its members, and nothing that is meant for the log.
#[track_caller]
pub fn problem(answer: &Answer) {
    let (status, text) = (answer.status, &answer.text);
    assert!((400..500).contains(&status), "{status} {text}");
    assert_eq!(answer.header("content-type"), "application/problem+json", "{text}");
    assert_eq!(answer.header("cache-control"), "no-store", "{text}");
    problem_body(status, answer.header("x-request-id"), &answer.body);
}

/// [`problem`], of a body alone.
#[track_caller]
pub fn problem_body(status: u16, request_id: &str, body: &Value) {
    let members: Vec<_> = body.as_object().expect("an object").keys().map(String::as_str).collect();
    let known = ["code", "detail", "error", "fields", "requestId", "status", "title", "type"];
    assert!(members.iter().all(|member| known.contains(member)), "{members:?}");
    for member in ["error", "title", "code", "requestId", "type"] {
        assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {body}");
    }
    assert_eq!((&body["detail"], &body["status"]), (&body["error"], &Value::from(status)));
    assert_eq!(body["requestId"], request_id);
    // Relative, because no service of the tests that asks this is told its public address.
    assert_eq!(body["type"], format!("/docs/errors#{}", body["code"].as_str().unwrap_or_default()));
    assert_eq!(status == 422, body["fields"].is_array(), "fields exactly with 422: {body}");
    for field in body["fields"].as_array().into_iter().flatten() {
        let members: Vec<_> = field.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(members, ["field", "code", "message"]);
    }
    for inner in ["diesel", "postgres", "serde", "panicked", "src/", "SELECT ", "deserialize"] {
        assert!(!body["error"].as_str().unwrap_or_default().contains(inner), "{inner}: {body}");
    }
}
