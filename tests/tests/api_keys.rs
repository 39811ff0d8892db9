//! API keys: what they open, when they end, and that nobody sees one twice.
#![expect(clippy::unwrap_used, reason = "a test ends when something is not as it must be")]

#[path = "api_keys/escalation.rs"]
mod escalation;
#[path = "api_keys/lifetime.rs"]
mod lifetime;
#[path = "api_keys/presented.rs"]
mod presented;
#[path = "api_keys/secrecy.rs"]
mod secrecy;
#[path = "api_keys/use_on_record.rs"]
mod use_on_record;

use diesel::connection::SimpleConnection;
use tenantry_tests::App;

/// Says something to the database as the superuser.
fn behind_the_back(app: &App, sql: &str) {
    app.database.admin().batch_execute(sql).unwrap();
}
