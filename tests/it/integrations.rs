//! Integrations: what is stored of them, that nobody sees a secret again, and what providers make of them.

mod fields;
mod places;
mod rotation;
mod secrecy;
mod verification;

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use tenantry_tests::App;

const SID: &str = "AC0123456789abcdef0123456789abcdef";
const PROVIDERS: [&str; 4] = ["twilio", "elevenlabs", "openai", "gohighlevel"];

/// Where a workspace's integration is.
fn path(workspace: &str, provider: &str) -> String {
    format!("/api/workspaces/{workspace}/integrations/{provider}")
}

/// All fields of a provider, with this secret.
fn fields(provider: &str, secret: &str) -> Value {
    match provider {
        "twilio" => json!({ "sid": SID, "authToken": secret }),
        "gohighlevel" => json!({ "locationId": "ve9EPM428h8vShlRW1KT", "accessToken": secret }),
        _ => json!({ "apiKey": secret }),
    }
}

/// Says something to the database as the superuser.
fn behind_the_back(app: &App, sql: &str) {
    app.database.admin().batch_execute(sql).unwrap();
}
