//! Who may do what to whom: every operation of the document, for every kind of actor, across the border between tenants.
//!
//! What concerns the border is run behind both walls, and once more with row security taken off: then nothing but the
//! `tenant_id` in each query is left, and a query that lacks it shows.

mod answers;
mod below_http;
mod credentials;
mod foreign;
mod lists;
mod matrix;
mod overrides;
mod people;
mod reach;
mod restricted;
mod statements;
mod told;
mod twins;
mod unasked;
mod webhooks;

use diesel::connection::SimpleConnection;
use serde_json::Value;
use tenantry_tests::{Answer, App, Tenant, TestDatabase};

/// What keeps tenants apart.
#[derive(Clone, Copy, PartialEq)]
enum Walls {
    /// The condition in each query, and row security behind it.
    Both,
    /// The condition in each query alone.
    Conditions,
}

/// A service with two tenants. Theirs is the older one, so that it comes first wherever rows are not told apart.
struct World {
    app: App,
    ours: Tenant,
    theirs: Tenant,
}

impl World {
    async fn behind(walls: Walls) -> Self {
        let database = TestDatabase::new();
        if walls == Walls::Conditions {
            take_row_security_off(&database);
        }
        let app = App::on(database, |_| {}).await;
        let theirs = app.tenant("Theirs").await;
        let ours = app.tenant("Ours").await;
        Self { app, ours, theirs }
    }

    /// Says something to the database as the superuser.
    fn behind_the_back(&self, sql: &str) {
        self.app.database.admin().batch_execute(sql).unwrap();
    }
}

fn take_row_security_off(database: &TestDatabase) {
    let off = "DO $$ DECLARE protected regclass; BEGIN
        FOR protected IN SELECT oid FROM pg_class WHERE relrowsecurity LOOP
            EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', protected);
            EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', protected);
        END LOOP;
    END $$";
    database.admin().batch_execute(off).unwrap();
    assert_eq!(database.rows("SELECT FROM pg_class WHERE relrowsecurity OR relforcerowsecurity"), 0);
}

/// All of an answer that may be compared: status, headers and body, without what is new in every answer.
fn comparable(answer: &Answer) -> (u16, Vec<(String, String)>, Value) {
    let headers = answer.headers.iter().filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()));
    let mut headers: Vec<_> =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    headers.sort();
    (answer.status, headers, answer.without_request_id())
}

/// The same test behind both walls and behind one.
macro_rules! behind_each_wall {
    ($($name:ident, $alone:ident;)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                super::World::behind(super::Walls::Both).await.$name().await;
            }

            #[tokio::test]
            async fn $alone() {
                super::World::behind(super::Walls::Conditions).await.$name().await;
            }
        )*
    };
}
use behind_each_wall;
