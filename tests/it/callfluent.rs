//! The CallFluent dialect: its page, route by route, and what the page leaves open.

mod examples;
mod limits;
mod one_visit;
mod open_questions;
mod page;
mod secrets;

use std::sync::LazyLock;

use serde_json::{Value, json};
use tenantry_tests::{Answer, App, Client, Contract, Operation, Tenant};

static CONTRACT: LazyLock<Contract> = LazyLock::new(Contract::new);
static ROUTES: LazyLock<Vec<Operation>> =
    LazyLock::new(|| Operation::all().into_iter().filter(Operation::is_of_the_dialect).collect());

const ADA: &str = "ada@example.com";

/// The sentence of the page for whoever lacks permission.
fn forbidden() -> Value {
    json!({ "status": false, "msg": "Your account doesn't have the permission to access that page." })
}

fn not_found() -> Value {
    json!({ "status": false, "error": "Workspace not found." })
}

/// Calls a route of the page with this path, and holds the answer against the OpenAPI document.
async fn call(client: &Client, method: &str, path: &str, body: Option<Value>) -> Answer {
    let is_it = |operation: &&Operation| operation.method == method && fits(&operation.path, path);
    let operation = ROUTES.iter().find(is_it).unwrap();
    let answer = operation.send(client, path, body.as_ref()).await;
    CONTRACT.hold(operation, &answer);
    answer
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(&path).all(|(expected, given)| expected.starts_with('{') || expected == given)
}

async fn get(client: &Client, path: &str) -> Answer {
    call(client, "GET", path, None).await
}

async fn create(client: &Client, name: &str) -> Answer {
    call(client, "POST", "/api/workspace/create", Some(json!({ "name": name }))).await
}

async fn update(client: &Client, number: i64, body: Value) -> Answer {
    call(client, "PUT", &format!("/api/workspace/update/{number}"), Some(body)).await
}

async fn invite(client: &Client, number: i64, email: &str) -> Answer {
    let body = json!({ "workspace_id": number, "email": email });
    call(client, "POST", "/api/workspace/invite-user", Some(body)).await
}

async fn info(client: &Client, number: i64) -> Value {
    get(client, &format!("/api/workspace/get/{number}")).await.expect(200).body["data"].clone()
}

/// A tenant with these workspaces, made by the dialect.
async fn with_workspaces(app: &App, names: &[&str]) -> Tenant {
    let tenant = app.tenant("Acme").await;
    for name in names {
        create(&tenant.owner, name).await.expect(200);
    }
    tenant
}
