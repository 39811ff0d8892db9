//! Examples of answers: what the demo tenant answers to the example of the request. A test sends the examples, and writes the answers
//! down where this reads them.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::openapi::{OpenApi, RefOr};

/// By operation, status and media type. `make golden` writes it.
const ANSWERS: &str = include_str!("answers.golden.json");

type Answers = BTreeMap<String, BTreeMap<String, BTreeMap<String, Value>>>;

/// Gives each response the example of it that is known.
pub(super) fn add(document: &mut OpenApi) {
    let answers: Answers = serde_json::from_str(ANSWERS).unwrap_or_default();
    super::for_each_operation(document, |_, operation| {
        let Some(known) = operation.operation_id.as_ref().and_then(|id| answers.get(id)) else { return };
        for (status, response) in &mut operation.responses.responses {
            let (RefOr::T(response), Some(known)) = (response, known.get(status)) else { continue };
            for (kind, content) in &mut response.content {
                if let RefOr::T(content) = content {
                    content.example = known.get(kind).cloned().or(content.example.take());
                }
            }
        }
    });
}
