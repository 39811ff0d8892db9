//! The OpenAPI document as a judge of answers: what it does not promise is not an answer.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::{Answer, Operation, operation::RESOLVED};

/// Judges answers and bodies by the document.
pub struct Contract {
    document: Value,
    /// By where the schema stands in the document.
    validators: BTreeMap<String, Validator>,
}

/// Made once: it is large.
static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::of(RESOLVED.clone()));

impl Contract {
    /// By the document of the running code.
    pub fn get() -> &'static Self {
        &CONTRACT
    }

    /// By this document, in which everything but schemas stands in its place.
    fn of(mut document: Value) -> Self {
        forbid_what_is_not_named(&mut document);
        close_open_lists(&mut document);
        let mut schemas = BTreeMap::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let here = format!("{} {path}", method.to_uppercase());
                let bodies = operation["responses"].as_object().into_iter().flatten();
                let bodies = bodies.map(|(status, response)| (status.as_str(), &response["content"]));
                for (what, content) in bodies.chain([("request", &operation["requestBody"]["content"])]) {
                    for (kind, content) in content.as_object().into_iter().flatten() {
                        schemas.insert(format!("{here} {what} {kind}"), content["schema"].clone());
                    }
                }
            }
        }
        let validators = schemas.into_iter().map(|(key, schema)| (key, validator(&document, schema))).collect();
        Self { document, validators }
    }

    fn operation(&self, operation: &Operation) -> &Value {
        &self.document["paths"][&operation.path][operation.method.to_lowercase()]
    }

    /// What is wrong with an answer to this operation, in words; nothing when it is as promised.
    pub fn faults(&self, operation: &Operation, answer: &Answer) -> Vec<String> {
        let here = format!("{operation} {}", answer.status);
        let response = &self.operation(operation)["responses"][answer.status.to_string()];
        if response.is_null() {
            return vec![format!("{here}: the status is not documented: {}", answer.text)];
        }
        let mut faults = Vec::new();
        for name in response["headers"].as_object().into_iter().flatten().map(|(name, _)| name) {
            // This one marks an answer that came before, and those the answer to a tenant's credential: the platform's requests are not
            // counted.
            let may_be_missing = name == "Idempotency-Replayed"
                || name.starts_with("RateLimit") && operation.credentials().contains(&"platformKey");
            if answer.header(name).is_empty() && !may_be_missing {
                faults.push(format!("{here}: the header {name} is documented and missing"));
            }
        }
        let kind = answer.header("content-type").split(';').next().unwrap_or_default();
        let Some(content) = response["content"].as_object().filter(|content| !content.is_empty()) else {
            if !answer.text.is_empty() {
                faults.push(format!("{here}: a body is not documented: {}", answer.text));
            }
            return faults;
        };
        if !content.contains_key(kind) {
            faults.push(format!("{here}: the media type {kind:?} is not documented"));
        } else if kind == "application/json" || kind.ends_with("+json") {
            let schema = format!("{here} {kind}");
            faults.extend(self.errors(&schema, &answer.body).into_iter().map(|error| format!("{here}: {error}")));
        }
        if let (409, Some(code)) = (answer.status, answer.body["code"].as_str())
            && content[kind]["examples"].get(code).is_none()
        {
            faults.push(format!("{here}: the conflict {code} is not documented"));
        }
        faults
    }

    /// What is wrong with a body that is to be sent; nothing when it is as documented.
    pub fn faults_of_body(&self, operation: &Operation, body: &Value) -> Vec<String> {
        self.errors(&format!("{operation} request application/json"), body)
    }

    /// What is wrong with an example of an answer; nothing when the service may answer it.
    pub fn faults_of_example(&self, operation: &Operation, status: &str, kind: &str, example: &Value) -> Vec<String> {
        let faults = self.errors(&format!("{operation} {status} {kind}"), example);
        faults.into_iter().map(|fault| format!("{operation} {status}: {fault}")).collect()
    }

    fn errors(&self, schema: &str, value: &Value) -> Vec<String> {
        let Some(validator) = self.validators.get(schema) else { return vec![format!("no schema for {schema}")] };
        validator.iter_errors(value).map(|error| format!("{} at {:?}", error, error.instance_path())).collect()
    }

    /// Panics unless the answer is as promised.
    #[track_caller]
    pub fn hold(&self, operation: &Operation, answer: &Answer) {
        let faults = self.faults(operation, answer);
        assert!(faults.is_empty(), "{}\n{}", faults.join("\n"), answer.text);
    }
}

/// OpenAPI 3.1 writes schemas as JSON Schema 2020-12, and points into the document.
fn validator(document: &Value, schema: Value) -> Validator {
    let root = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "components": document["components"],
        "allOf": [schema],
    });
    jsonschema::options().should_validate_formats(true).build(&root).expect("every schema of the document is one")
}

/// A client must accept any word in an open list; the service must not send any that the document does not name.
fn close_open_lists(part: &mut Value) {
    if let Some(words) = part.get("x-extensible-enum").cloned() {
        part["enum"] = words;
    }
    match part {
        Value::Object(members) => members.values_mut().for_each(close_open_lists),
        Value::Array(values) => values.iter_mut().for_each(close_open_lists),
        _ => {}
    }
}

/// A schema allows members that it does not name; the service must not have any, or the document forgot them. A schema that
/// is a part of another is left alone: the whole has further members.
fn forbid_what_is_not_named(document: &mut Value) {
    let mut parts = BTreeSet::new();
    collect_parts(document, &mut parts);
    for (name, schema) in document["components"]["schemas"].as_object_mut().unwrap() {
        let is_object = schema.get("properties").is_some() || schema.get("allOf").is_some();
        if is_object && !parts.contains(name) {
            schema["unevaluatedProperties"] = json!(false);
        }
    }
}

fn collect_parts(value: &Value, parts: &mut BTreeSet<String>) {
    for part in value["allOf"].as_array().into_iter().flatten() {
        let name = part["$ref"].as_str().and_then(|path| path.strip_prefix("#/components/schemas/"));
        parts.extend(name.map(str::to_owned));
    }
    match value {
        Value::Object(members) => members.values().for_each(|value| collect_parts(value, parts)),
        Value::Array(values) => values.iter().for_each(|value| collect_parts(value, parts)),
        _ => {}
    }
}
