//! The OpenAPI document is true: it is the committed one, its routes are the routes, and answers are as it says.

mod answers;
mod examples;
mod names;
mod routes;

use std::collections::BTreeSet;

use tenantry_domain::{Action, Choice, Conflict, Grant, KeyScope, MemberId, Reach, Role, Scope, permit};
use tenantry_tests::{App, Contract, Operation, document};

#[test]
fn the_committed_document_is_the_printed_one() {
    let committed = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi.yaml")).unwrap();
    let printed = tenantry_http::to_yaml(&tenantry_http::document()).unwrap();
    let differ = committed.trim_end().lines().zip(printed.trim_end().lines()).find(|(a, b)| a != b);
    assert!(committed.trim_end() == printed.trim_end(), "run `make openapi`; first difference: {differ:?}");
}

#[tokio::test]
async fn the_served_document_is_the_printed_one() {
    let client = App::start().await.client();
    assert_eq!(client.get("/openapi.json").await.expect(200).body, document());
    let yaml = client.get("/openapi.yaml").await.expect(200).text;
    assert_eq!(yaml, tenantry_http::to_yaml(&tenantry_http::document()).unwrap());
}

/// The credentials with which the policy can allow an operation.
fn allowed(operation: &Operation) -> Vec<&'static str> {
    let allows = |grant: &Grant| operation.action().is_some_and(|action| permit(grant, action).is_ok());
    let member = MemberId::from_uuid(uuid::Uuid::nil());
    let members = Role::ALL.iter().any(|(role, _)| allows(&Grant::Role { member, role: *role }));
    let keys = allows(&Grant::Scopes { scopes: KeyScope::every_own(), reach: Reach::Tenant, until: None });
    // Somebody who is no member yet, which the policy knows nothing of.
    let people = members || operation.action() == Some(Action::InvitationAccept);
    let ways = [("apiKey", keys), ("accessToken", people), ("platformKey", allows(&Grant::Platform))];
    ways.into_iter().filter(|(_, allowed)| *allowed).map(|(name, _)| name).collect()
}

#[test]
fn what_an_operation_asks_for_leaves_an_event_if_and_only_if_it_writes() {
    for operation in Operation::all() {
        let subjects = operation.action().map_or(&[][..], |action| action.rule().subjects);
        assert_eq!(!subjects.is_empty(), operation.writes(), "{operation} asks for {:?}", operation.action());
    }
}

#[test]
fn the_page_of_the_api_names_each_scope_and_each_list() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api-design.md")).unwrap();
    let scopes = Scope::ALL.iter().map(|(_, word)| format!("`{word}`"));
    let lists = Operation::all().into_iter().filter(Operation::lists).map(|list| format!("\n| `{}` | ", list.path));
    let missing: Vec<_> = scopes.chain(lists).filter(|named| !page.contains(named)).collect();
    assert_eq!(missing, Vec::<String>::new());
}

/// Conflicts that no operation can end in. What can is a command, which prints the sentence and no code.
const OF_COMMANDS: [Conflict; 5] = [
    Conflict::TenantNotEmpty,
    Conflict::TenantExists,
    Conflict::TransferKeyMismatch,
    Conflict::MessageSent,
    Conflict::MessageDropped,
];

#[test]
fn the_table_of_errors_has_each_conflict_that_an_operation_documents_and_no_other() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api-design.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| 409 | ")?.split(" | ").next());
    let mut table: Vec<_> = rows.flat_map(|codes| codes.split(", ").map(|code| code.trim_matches('`'))).collect();
    table.sort_unstable();
    let mut documented = BTreeSet::new();
    for operation in Operation::all() {
        for content in operation.described()["responses"]["409"]["content"].as_object().into_iter().flatten() {
            documented.extend(content.1["examples"].as_object().unwrap().keys().map(String::as_str));
        }
    }
    assert_eq!(table, documented.into_iter().collect::<Vec<_>>(), "the table, and what operations document");
    let rest = Conflict::ALL.iter().filter(|(_, code)| !table.contains(code)).map(|(conflict, _)| *conflict);
    assert_eq!(rest.collect::<Vec<_>>(), OF_COMMANDS);
}

#[test]
fn each_operation_has_a_name_of_its_own_a_tag_and_its_credential() {
    let document = document();
    let mut names = BTreeSet::new();
    let tags: Vec<_> = document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].clone()).collect();
    for operation in Operation::all() {
        let described = &document["paths"][&operation.path][operation.method.to_lowercase()];
        assert!(names.insert(described["operationId"].as_str().unwrap().to_owned()), "{operation}");
        assert!(tags.contains(&described["tags"][0]), "{operation}");
        assert!(described["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{operation}");
        assert_eq!(operation.path.starts_with("/api/"), operation.needs_credential(), "{operation} has an action");
        assert_eq!(operation.credentials(), allowed(&operation), "{operation}");
        for part in operation.path.split('{').skip(1) {
            let name = part.split('}').next().unwrap();
            assert!(
                operation.parameters().iter().any(|p| p["name"] == name && p["in"] == "path"),
                "{operation} {name}"
            );
        }
    }
}

#[test]
fn the_bodies_that_the_tests_send_are_documented_ones() {
    let contract = Contract::get();
    for operation in Operation::all() {
        if let Some(body) = operation.body() {
            assert_eq!(contract.faults_of_body(&operation, &body), Vec::<String>::new(), "{body}");
        }
    }
}

#[test]
fn each_request_body_has_an_example_and_takes_nothing_that_it_does_not_name() {
    let (document, contract) = (document(), Contract::get());
    let mut bodies = 0;
    for operation in Operation::all() {
        let described = &document["paths"][&operation.path][operation.method.to_lowercase()]["requestBody"];
        let Some(name) = described["content"]["application/json"]["schema"]["$ref"].as_str() else { continue };
        let schema = document.pointer(&name[1..]).unwrap();
        let example = &schema["example"];
        assert_eq!(contract.faults_of_body(&operation, example), Vec::<String>::new(), "{operation} {example}");
        let mut more = example.clone();
        more["unheardOf"] = 1.into();
        assert_ne!(contract.faults_of_body(&operation, &more), Vec::<String>::new(), "{operation}");
        let parts = schema["anyOf"].as_array().into_iter().flatten();
        let parts = parts.map(|part| document.pointer(&part["$ref"].as_str().unwrap()[1..]).unwrap());
        for body in std::iter::once(schema).filter(|schema| schema["anyOf"].is_null()).chain(parts) {
            assert_eq!(body["additionalProperties"], false, "{operation}");
        }
        bodies += 1;
    }
    assert!(bodies > 20, "{bodies}");
}

#[test]
fn each_example_of_the_document_is_one_of_its_schema() {
    let contract = Contract::get();
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for (path, item) in document()["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let operation = Operation { path: path.clone(), method: method.to_uppercase() };
            for (status, response) in operation.described()["responses"].as_object().unwrap() {
                for (kind, content) in response["content"].as_object().into_iter().flatten() {
                    let several = content["examples"].as_object().into_iter().flatten().map(|(_, one)| &one["value"]);
                    for example in content.get("example").into_iter().chain(several) {
                        seen += 1;
                        wrong.extend(contract.faults_of_example(&operation, status, kind, example));
                    }
                }
            }
        }
    }
    assert!(seen > 50 && wrong.is_empty(), "{seen} examples, {wrong:#?}");
}
