//! A whole answer as a snapshot keeps it.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::Answer;

/// Status, ETag, Location and body of an answer. What differs from run to run is replaced: each value in `named` by its name in
/// brackets, every other UUID by `[id]`, a time within the last hour, in the one format of the API, by `[now]`, and the hash in an
/// ETag by `[hash]`.
pub fn view(answer: &Answer, named: &[(&str, &str)]) -> String {
    let mut head = answer.status.to_string();
    if !answer.header("etag").is_empty() {
        head += &format!("\netag: {}", without_hash(answer.etag()));
    }
    if !answer.header("location").is_empty() {
        head += &format!("\nlocation: {}", masked(answer.header("location"), named));
    }
    let mut body = answer.body.clone();
    mask(&mut body, named);
    format!("{head}\n\n{body:#}")
}

/// The version in an ETag stays.
fn without_hash(etag: &str) -> String {
    let is_version = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = etag.trim_matches('"').split('.').map(|part| if is_version(part) { part } else { "[hash]" });
    format!("\"{}\"", parts.collect::<Vec<_>>().join("."))
}

fn mask(value: &mut Value, named: &[(&str, &str)]) {
    match value {
        Value::String(text) => *text = masked(text, named),
        Value::Array(values) => values.iter_mut().for_each(|value| mask(value, named)),
        Value::Object(fields) => fields.values_mut().for_each(|value| mask(value, named)),
        _ => {}
    }
}

fn masked(text: &str, named: &[(&str, &str)]) -> String {
    let text = named.iter().fold(text.to_owned(), |text, (name, value)| text.replace(value, &format!("[{name}]")));
    if Uuid::try_parse(&text).is_ok() {
        "[id]".to_owned()
    } else if is_now(&text) {
        "[now]".to_owned()
    } else {
        text
    }
}

fn is_now(text: &str) -> bool {
    let Ok(time) = DateTime::parse_from_rfc3339(text) else { return false };
    let age = Utc::now().signed_duration_since(time);
    text.len() == "2026-01-20T10:00:00.000Z".len()
        && text.ends_with('Z')
        && age >= TimeDelta::zero()
        && age < TimeDelta::hours(1)
}
