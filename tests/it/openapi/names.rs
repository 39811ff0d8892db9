//! What generators and people read in the document: names, words, forms and groups.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tenantry_tests::{Operation, document, is_of_text};

/// The codes in the table of errors, or in the one of fields.
fn table(of_fields: bool) -> BTreeSet<String> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api-design.md")).unwrap();
    let (head, cell) = if of_fields { ("| `code` | when |", 1) } else { ("| status | `code` | when |", 2) };
    let (_, rest) = page.split_once(&format!("\n{head}\n")).unwrap();
    let cells = rest.lines().take_while(|row| row.starts_with('|')).filter_map(|row| row.split('|').nth(cell));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

fn known(schema: &str) -> BTreeSet<String> {
    let words = document()["components"]["schemas"][schema]["x-extensible-enum"].clone();
    words.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_tables_of_errors_have_the_codes_that_the_document_names() {
    assert_eq!(table(false), known("ErrorCode"));
    assert_eq!(table(true), known("FieldErrorCode"));
}

#[test]
fn words_are_open_in_answers_and_closed_in_requests() {
    let document = document();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let closed = schema.get("enum").is_some();
        assert_eq!(closed, name.ends_with("Choice"), "{name}");
        assert!(!(closed && schema.get("x-extensible-enum").is_some()), "{name}");
    }
}

/// Names that mean something else in a language that clients are generated in.
const TAKEN: [&str; 14] = [
    "Error",
    "Exception",
    "Object",
    "String",
    "Record",
    "Module",
    "Process",
    "Thread",
    "Type",
    "Use",
    "Source",
    "Because",
    "Visible",
    "Option",
];

#[test]
fn no_schema_has_a_name_that_a_language_has_taken() {
    let document = document();
    let names: BTreeSet<&str> =
        document["components"]["schemas"].as_object().unwrap().keys().map(String::as_str).collect();
    for name in &names {
        assert!(!TAKEN.contains(name), "{name}");
        // Go's generator makes a constructor of this name.
        assert!(!names.contains(format!("New{name}").as_str()), "New{name}");
    }
}

/// The forms of the strings in here, by the name of their field.
fn forms(part: &Value, found: &mut BTreeMap<String, BTreeSet<String>>) {
    for (name, field) in part["properties"].as_object().into_iter().flatten() {
        // A secret is sent to be stored, or shown when it is made. These are not the same things.
        if field["writeOnly"] == true {
            continue;
        }
        if let Some(pattern) = field["pattern"].as_str() {
            found.entry(name.clone()).or_default().insert(pattern.to_owned());
        } else if field["type"] == "string" || field["type"][0] == "string" {
            found.entry(name.clone()).or_default().insert(String::new());
        }
    }
    match part {
        Value::Object(fields) => fields.values().for_each(|part| forms(part, found)),
        Value::Array(parts) => parts.iter().for_each(|part| forms(part, found)),
        _ => {}
    }
}

#[test]
fn a_field_with_a_pattern_has_the_same_one_in_requests_and_in_answers() {
    let mut found = BTreeMap::new();
    let mut schemas = document()["components"]["schemas"].clone();
    // Says what was sent, also where that is no address.
    schemas.as_object_mut().unwrap().remove("InvitationResult").unwrap();
    forms(&schemas, &mut found);
    // What free text must not contain is a rule for whoever sends it. An answer promises nothing about it.
    for patterns in found.values_mut() {
        patterns.retain(|pattern| !is_of_text(pattern));
    }
    let differ: Vec<_> = found.iter().filter(|(_, patterns)| patterns.len() > 1).collect();
    assert!(differ.is_empty(), "{differ:?}");
    assert!(found["country"].contains("^[A-Z]{2}$"));
}

#[test]
fn integers_have_one_width() {
    fn check(part: &Value) {
        if part["type"] == "integer" || part["type"].as_array().is_some_and(|types| types.contains(&"integer".into())) {
            assert_eq!(part["format"], "int64", "{part}");
        }
        match part {
            Value::Object(fields) => fields.values().for_each(check),
            Value::Array(parts) => parts.iter().for_each(check),
            _ => {}
        }
    }
    check(&document());
}

#[test]
fn each_tag_is_described_and_in_one_group() {
    let document = document();
    let tags: Vec<_> = document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].clone()).collect();
    assert!(document["tags"].as_array().unwrap().iter().all(|tag| !tag["description"].as_str().unwrap().is_empty()));
    let groups = document["x-tagGroups"].as_array().unwrap();
    let mut grouped: Vec<_> = groups.iter().flat_map(|group| group["tags"].as_array().unwrap().clone()).collect();
    assert_eq!(grouped.len(), tags.len());
    grouped.retain(|tag| !tags.contains(tag));
    assert_eq!(grouped, Vec::<Value>::new());
}

#[test]
fn a_body_is_required_if_a_field_is() {
    for operation in Operation::all() {
        let Some(schema) = operation.body_schema() else { continue };
        let fields = schema["required"].as_array().is_some_and(|fields| !fields.is_empty());
        let required = &operation.described()["requestBody"]["required"];
        assert_eq!(*required, fields || schema.get("anyOf").is_some(), "{operation}");
    }
}
