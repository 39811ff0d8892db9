//! Parts of the guide that are made of what the program knows, in Markdown: nobody types them, so they cannot be wrong.

use std::fmt::Write;

use serde_json::Value;
use tenantry_domain::{Action, Choice, Grant, KeyRule, Level, May, POLICY, Role, Rule, permit};

use super::Found;
use crate::{callfluent, openapi};

/// Where it is said when a code is returned.
const SENTENCES: &str = "docs/api-design.md";

/// All parts with their names.
pub(super) fn parts() -> [(&'static str, String); 4] {
    [("errors", errors()), ("fields", fields()), ("permissions", permissions()), ("platform", platform())]
}

/// The rows below this head of a table: for each code its row.
fn rows(head: &str, codes: usize, sentence: usize) -> Vec<(String, String)> {
    let text = tenantry_guide::text(SENTENCES).unwrap_or_default();
    let Some((_, rest)) = text.split_once(head) else { return Vec::new() };
    let rows = rest.lines().skip(2).take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    let pairs = cells.flat_map(|cells| {
        let sentence = cells.get(sentence).copied().unwrap_or_default().replace("](#", "](api-design.md#");
        let codes = cells.get(codes).copied().unwrap_or_default().split('`').skip(1).step_by(2);
        codes.map(|code| (code.to_owned(), sentence.clone())).collect::<Vec<_>>()
    });
    pairs.collect()
}

/// The sentence as a sentence of its own.
fn whole(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// Every code of an error: its status, when it is returned, and a sentence that comes with it.
fn errors() -> String {
    let sentences = rows("| status | `code` | when |", 2, 3);
    let mut problems = openapi::problems();
    problems.sort_by_key(|problem| (problem["status"].as_u64(), problem["code"].to_string()));
    let (mut text, mut status) = (String::new(), Value::Null);
    for problem in problems {
        let word = |name: &str| problem[name].as_str().unwrap_or_default();
        if problem["status"] != status {
            status = problem["status"].clone();
            let title = status.as_u64().and_then(|status| u16::try_from(status).ok());
            let title = title.and_then(|status| actix_web::http::StatusCode::from_u16(status).ok());
            let title = title.and_then(|status| status.canonical_reason()).unwrap_or_default();
            let _ = write!(text, "\n## {status} {title} {{#status-{status}}}\n");
        }
        let code = word("code");
        let when = sentences.iter().find(|(known, _)| known == code).map(|(_, when)| whole(when)).unwrap_or_default();
        let _ = write!(text, "\n### `{code}` {{#{code}}}\n\n{when}\n\n> {}\n", word("error"));
    }
    text
}

/// Every code of a field, and when it is returned.
fn fields() -> String {
    let entry = |(code, when): (String, String)| format!("\n### `{code}` {{#field-{code}}}\n\n{}\n", whole(&when));
    rows("\n| `code` | when |", 1, 2).into_iter().map(entry).collect()
}

/// An operation of the reference.
struct Operation {
    /// Its address, as a path of the service.
    at: String,
    summary: String,
    text: String,
    action: Option<String>,
    tag: String,
}

fn all_operations() -> Vec<Operation> {
    let document = serde_json::to_value(crate::document()).unwrap_or_default();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let (Some(summary), Some(tag)) = (operation["summary"].as_str(), operation["tags"][0].as_str()) else {
                continue;
            };
            let method = method.to_uppercase();
            let place = tag.to_lowercase().replace(' ', "-");
            operations.push(Operation {
                at: format!("/docs#tag/{place}/{method}{path}"),
                summary: summary.lines().next().unwrap_or_default().to_owned(),
                text: format!("{method} {path} {}", operation["description"].as_str().unwrap_or_default()),
                action: operation["x-action"].as_str().map(str::to_owned),
                tag: tag.to_owned(),
            });
        }
    }
    operations
}

/// The operations of the reference, to be found beside the pages.
pub(super) fn operations() -> impl Iterator<Item = Found> {
    all_operations().into_iter().map(|operation| Found {
        at: format!("..{}", operation.at),
        page: "API reference".to_owned(),
        heading: operation.summary,
        text: operation.text,
    })
}

/// The operations that ask for this, as links, or what it is called where none asks for it alone.
fn named(rule: &Rule, operations: &[Operation]) -> String {
    let is_it =
        |one: &&Operation| one.action.as_deref() == Some(rule.name) && one.tag != callfluent::workspace::PART.tag;
    let links: Vec<_> = operations.iter().filter(is_it).map(|one| format!("[{}]({})", one.summary, one.at)).collect();
    format!("{} `{}`", links.join(", "), rule.name).trim().to_owned()
}

/// What each role and each key may do.
fn permissions() -> String {
    let operations = all_operations();
    let roles: Vec<_> = Role::ALL.iter().map(|(_, word)| *word).collect();
    let mut text =
        format!("| operation | {} | API key |\n|---|{}---|\n", roles.join(" | "), "---|".repeat(roles.len()));
    for rule in POLICY {
        let may = Role::ALL.iter().map(|(role, _)| match rule.role(*role) {
            May::Yes => "✓",
            May::Own => "own",
            May::No => "–",
        });
        let may: Vec<_> = may.collect();
        if rule.key == KeyRule::Never && may.iter().all(|may| *may == "–") {
            continue;
        }
        let key = match rule.key {
            KeyRule::Any => "✓".to_owned(),
            KeyRule::Never => "–".to_owned(),
            KeyRule::Scoped(scope, level) => {
                let least = match level {
                    Level::Tenant => ", unrestricted",
                    Level::Brand => ", of a brand or unrestricted",
                    Level::Workspace => "",
                };
                format!("`{scope}`{least}")
            }
        };
        let _ = writeln!(text, "| {} | {} | {key} |", named(rule, &operations), may.join(" | "));
    }
    text
}

/// What the platform's key may do.
fn platform() -> String {
    let operations = all_operations();
    let may = |rule: &&Rule| permit(&Grant::Platform, rule.action).is_ok() && rule.action != Action::MeRead;
    POLICY.iter().filter(may).map(|rule| format!("- {}\n", named(rule, &operations))).collect()
}
