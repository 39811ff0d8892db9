//! API keys: what they open, when they end, and that nobody sees one twice.

mod escalation;
mod lifetime;
mod presented;
mod secrecy;
mod use_on_record;

use diesel::connection::SimpleConnection;
use tenantry_tests::App;

/// Says something to the database as the superuser.
fn behind_the_back(app: &App, sql: &str) {
    app.database.admin().batch_execute(sql).unwrap();
}
