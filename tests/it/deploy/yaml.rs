//! YAML as JSON values, in which tests look around.

use serde_json::Value;

/// The documents in a file of the repository.
pub(super) fn documents(name: &str) -> Vec<Value> {
    let text = super::text(name);
    let each = yaml_serde::Deserializer::from_str(&text);
    each.map(|document| {
        let mut value: yaml_serde::Value =
            serde::Deserialize::deserialize(document).unwrap_or_else(|error| panic!("{name}: {error}"));
        // `<<: *anchor`.
        value.apply_merge().unwrap();
        serde_json::to_value(value).unwrap()
    })
    .collect()
}

/// The one document in a file.
pub(super) fn document(name: &str) -> Value {
    let mut documents = documents(name);
    assert_eq!(documents.len(), 1, "{name}");
    documents.remove(0)
}

/// Every object below this value, itself included, that has this member; with the member.
pub(super) fn having<'a>(value: &'a Value, member: &str) -> Vec<&'a Value> {
    let mut found: Vec<&Value> = value.get(member).into_iter().collect();
    match value {
        Value::Array(items) => found.extend(items.iter().flat_map(|item| having(item, member))),
        Value::Object(members) => found.extend(members.values().flat_map(|item| having(item, member))),
        _ => {}
    }
    found
}

/// A list of strings.
pub(super) fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}
