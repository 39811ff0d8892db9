//! Every example of a request works on the demo tenant as it is written, and the example of the answer is what comes back.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, SecondsFormat, TimeZone, Utc};
use serde_json::{Map, Value, json};
use tenantry_domain::{Choice, Noun, Role, demo};
use tenantry_tests::{Answer, App, Client, Contract, Operation, Tenant, document, golden, schema};

use crate::outbox;

/// By operation, status and media type.
type Answers = BTreeMap<String, BTreeMap<String, BTreeMap<String, Value>>>;

/// A request that the document has an example of.
#[derive(Clone)]
struct Example {
    operation: Operation,
    path: String,
    body: Option<Value>,
    /// The media type to ask for.
    kind: Option<String>,
}

/// What the document gives as the example of a parameter, if anything.
fn of_parameter(parameter: &'static Value) -> Option<String> {
    let of_schema = || schema(&parameter["schema"]).get("example");
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    parameter.get("example").or_else(of_schema).map(text)
}

/// The successful answers that the document has: status and media types.
fn successes(operation: &Operation) -> Vec<(String, Vec<String>)> {
    let responses = operation.described()["responses"].as_object().unwrap();
    let kinds =
        |response: &Value| response["content"].as_object().into_iter().flatten().map(|(k, _)| k.clone()).collect();
    let found = responses.iter().filter(|(status, _)| status.starts_with('2'));
    found.map(|(status, response)| (status.clone(), kinds(response))).collect()
}

/// The examples of an operation: one for each example of its body, and for each media type of its answer.
fn examples_of(operation: &Operation) -> Vec<Example> {
    let mut path = operation.path.clone();
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for parameter in operation.parameters() {
        let (name, example) = (parameter["name"].as_str().unwrap(), of_parameter(parameter));
        match parameter["in"].as_str().unwrap() {
            "path" => {
                let example = example.unwrap_or_else(|| panic!("{operation}: {name} has no example"));
                path = path.replace(&format!("{{{name}}}"), &example);
            }
            "query" => {
                if let Some(example) = example {
                    query.append_pair(name, &example);
                }
            }
            _ => {}
        }
    }
    let query = query.finish();
    let whole = if query.is_empty() { path.clone() } else { format!("{path}?{query}") };
    let plain = Example { operation: operation.clone(), path: path.clone(), body: None, kind: None };
    let content = &operation.described()["requestBody"]["content"]["application/json"];
    if let Some(several) = content["examples"].as_object() {
        // Each by the word that stands for it in the path.
        let (start, word) = path.rsplit_once('/').unwrap();
        assert!(several.contains_key(word), "{operation}: the body has no example for {word}");
        let one = |(word, example): (&String, &Value)| Example {
            path: format!("{start}/{word}"),
            body: Some(example["value"].clone()),
            ..plain.clone()
        };
        return several.iter().map(one).collect();
    }
    if let Some(schema) = operation.body_schema() {
        let body = content.get("example").or_else(|| schema.get("example")).cloned();
        return vec![Example { path: whole, body: Some(body.expect("an example of the body")), ..plain }];
    }
    let kinds: Vec<_> = successes(operation).into_iter().flat_map(|(_, kinds)| kinds).collect();
    let mut all = vec![Example { path: whole, ..plain.clone() }];
    // A list with all its filters shows little. What it is like without them is its example.
    if !query.is_empty() {
        all.insert(0, plain.clone());
    }
    all.extend(kinds.into_iter().skip(1).map(|kind| Example { kind: Some(kind), ..plain.clone() }));
    all
}

/// In which order the examples are sent, so that none takes away what another one needs: what needs an integration comes after
/// those that set one.
fn turn(operation: &Operation) -> usize {
    let needs = ["not_connected", "integration_incomplete"];
    let conflicts = &operation.described()["responses"]["409"]["content"]["application/problem+json"]["examples"];
    if needs.iter().any(|code| conflicts.get(code).is_some()) {
        return 4;
    }
    ["GET", "POST", "PUT", "PATCH"].iter().position(|method| *method == operation.method).unwrap_or(5)
}

/// The service with the demo tenant, and who sends what.
struct Demo {
    app: App,
    tenant: Tenant,
}

impl Demo {
    async fn new() -> Self {
        let app = App::start().await;
        let tenant = app.demo().await;
        Self { app, tenant }
    }

    /// Sends an example with the credential that it needs. Two things that an example cannot have are put in: people sign in at an
    /// issuer, and only the mailbox has the token of an invitation.
    async fn send(&self, example: &Example) -> Answer {
        let (operation, mut body) = (&example.operation, example.body.clone());
        let client = match operation.credentials().as_slice() {
            [] => self.app.client(),
            ["platformKey"] => self.app.platform(),
            ["accessToken"] if operation.path.ends_with("/accept") => {
                let workspaces = json!({ "workspaceIds": [demo::WORKSPACE.to_string()] });
                self.tenant.invitation("ada@example.com", workspaces).await;
                body = Some(json!({ "token": self.mailed_to("ada@example.com").await }));
                self.person("ada", json!({ "email": "ada@example.com" }))
            }
            ["accessToken"] => self.tenant.member(Role::Owner, &[]).await.1,
            _ => self.tenant.owner.clone(),
        };
        let mut request = client.request(&operation.method, &example.path);
        if let Some(kind) = &example.kind {
            request = request.header("Accept", kind);
        }
        let answer = client.send(body.iter().fold(request, |request, body| request.json(body))).await;
        self.app.store.write_notes().await;
        answer
    }

    /// Sets the integration that an operation takes away: the demo tenant has none, because nobody has such an account.
    async fn prepare(&self, operation: &Operation) {
        let put = Operation { method: "PUT".to_owned(), ..operation.clone() };
        if operation.path.ends_with("/{provider}") {
            for example in examples_of(&put) {
                self.send(&example).await.expect(200);
            }
        }
    }

    fn person(&self, subject: &str, claims: Value) -> Client {
        self.app.client().with_key(&self.app.people.token(subject, None, claims))
    }

    /// The token of the invitation that was sent to this address.
    async fn mailed_to(&self, address: &str) -> String {
        let server = outbox::server();
        while server.mails().iter().all(|mail| mail.to != [address]) {
            outbox::deliver(&self.app, &server).await;
        }
        outbox::token(server.mails().iter().find(|mail| mail.to == [address]).unwrap())
    }
}

/// An answer without what differs from run to run: ids, times and secrets that were not in the request.
struct Steady {
    asked: String,
    ids: BTreeMap<String, String>,
}

const SECRET: &str = "tnt_live_v1_2qPXNHqRM3jZy6kT0uWc4sVbXk81GdTq5RzLmN7oYpAeHfJ9wKx3C2Q0tZ9u";

impl Steady {
    fn of(example: &Example, body: &Value) -> Value {
        let asked = format!("{} {}", example.path, example.body.clone().unwrap_or_default());
        Self { asked, ids: BTreeMap::new() }.value("", body)
    }

    fn value(&mut self, name: &str, value: &Value) -> Value {
        match value {
            Value::String(text) => self.text(name, text).into(),
            // A page of a list need not be long to be understood.
            Value::Array(values) => {
                let few = if name == "data" || name == "workspaces" { 2 } else { usize::MAX };
                values.iter().take(few).map(|value| self.value("", value)).collect()
            }
            Value::Object(fields) => {
                let fields = fields.iter().map(|(name, value)| (name.clone(), self.value(name, value)));
                Value::Object(fields.collect::<Map<_, _>>())
            }
            other => other.clone(),
        }
    }

    fn text(&mut self, name: &str, text: &str) -> String {
        let now = Utc::now();
        if name == "address" {
            return "192.0.2.7".to_owned();
        }
        if name == "issuer" {
            return "https://login.example.com/".to_owned();
        }
        if name == "lastFour" && !self.asked.contains(text) {
            return SECRET[SECRET.len() - 4..].to_owned();
        }
        if name == "month" && text == format!("{}-{:02}", now.year(), now.month()) {
            return "2026-01".to_owned();
        }
        if text.starts_with("tnt_live_") {
            return SECRET.to_owned();
        }
        if text.starts_with("whsec_") {
            return "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned();
        }
        if let Ok(id) = text.parse::<uuid::Uuid>() {
            let known = Noun::ALL.iter().any(|(noun, _)| demo::id_of(*noun) == Some(id));
            if known || self.asked.contains(text) {
                return text.to_owned();
            }
            let next = format!("0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d{:02x}", 0x48 + self.ids.len());
            return self.ids.entry(text.to_owned()).or_insert(next).clone();
        }
        if let (Ok(time), false) = (text.parse::<DateTime<Utc>>(), self.asked.contains(text)) {
            let days = (time - now).num_hours() as f64 / 24.0;
            let start = Utc.with_ymd_and_hms(2026, 1, 20, 10, 0, 0).unwrap();
            let steady = start + chrono::Duration::days(days.round() as i64);
            return steady.to_rfc3339_opts(SecondsFormat::Millis, true);
        }
        text.to_owned()
    }
}

/// The media type of one JSON value on each line.
const NDJSON: &str = "application/x-ndjson";

/// Sends an example, keeps the answer, and returns what is wrong with it.
async fn try_out(demo: &Demo, example: &Example, answers: &mut Answers) -> Vec<String> {
    let operation = &example.operation;
    let answer = demo.send(example).await;
    let kind = answer.header("content-type").split(';').next().unwrap_or_default().to_owned();
    let mut faults = if kind == NDJSON { Vec::new() } else { Contract::get().faults(operation, &answer) };
    if !(200..300).contains(&answer.status) {
        let body = example.body.clone().unwrap_or_default();
        faults.push(format!("{} {} {body}: {} {}", operation.method, example.path, answer.status, answer.text));
        return faults;
    }
    let content = &operation.described()["responses"][answer.status.to_string()]["content"][&kind];
    let body = match kind.as_str() {
        "application/json" if operation.path != "/openapi.json" => Steady::of(example, &answer.body),
        NDJSON => {
            let lines = answer.text.lines().take(2).map(|line| serde_json::from_str(line).unwrap());
            let lines: Vec<Value> = lines.map(|line: Value| Steady::of(example, &line)).collect();
            let text = || lines.iter().map(|line| format!("{line}\n")).collect::<String>().into();
            if schema(&content["schema"])["type"] == "string" { text() } else { lines[0].clone() }
        }
        _ => return faults,
    };
    let name = operation.described()["operationId"].as_str().unwrap().to_owned();
    let known = answers.entry(name).or_default().entry(answer.status.to_string()).or_default();
    known.entry(kind).or_insert(body);
    faults
}

#[tokio::test]
async fn each_example_works_on_the_demo_tenant_as_it_is_written_and_the_answer_is_the_example_of_the_answer() {
    let demo = Demo::new().await;
    let mut operations = Operation::all();
    operations.sort_by_key(turn);
    let (mut answers, mut faults) = (Answers::new(), Vec::new());
    for operation in &operations {
        for example in examples_of(operation) {
            // What takes something away has a tenant of its own, and so has what changes who is in it.
            if operation.method == "DELETE" || operation.needs_a_person() {
                let demo = Demo::new().await;
                demo.prepare(operation).await;
                faults.extend(try_out(&demo, &example, &mut answers).await);
                continue;
            }
            faults.extend(try_out(&demo, &example, &mut answers).await);
            // Where another status says that it was done before, it is sent again.
            if operation.writes() && successes(operation).iter().filter(|(_, kinds)| !kinds.is_empty()).count() > 1 {
                faults.extend(try_out(&demo, &example, &mut answers).await);
            }
        }
    }
    let answers = serde_json::to_string_pretty(&answers).unwrap() + "\n";
    golden("../../crates/http/src/openapi/answers.golden.json", &answers);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn each_successful_answer_with_a_body_has_an_example() {
    let mut missing = BTreeSet::new();
    for operation in Operation::all() {
        for (status, kinds) in successes(&operation) {
            for kind in kinds {
                let content = &operation.described()["responses"][&status]["content"][&kind];
                if content.get("example").is_none() {
                    missing.insert(format!("{operation} {status} {kind}"));
                }
            }
        }
    }
    assert_eq!(missing, BTreeSet::new(), "run `make golden`");
    assert!(document()["paths"].as_object().unwrap().len() > 20);
}
