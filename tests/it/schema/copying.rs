//! `COPY`, by psql, which is the one that speaks it.

use std::process::Command;

use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::Text};
use tenantry_tests::{Rows, TestDatabase};

use super::row_security::{Stage, tables};

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    setting: String,
}

/// What psql prints as the role of the service, errors included.
fn psql(database: &TestDatabase, sql: &str) -> String {
    let programs = "SELECT setting FROM pg_config WHERE name = 'BINDIR'";
    let programs: Setting = sql_query(programs).get_result(&mut database.admin()).unwrap();
    let output = Command::new(format!("{}/psql", programs.setting))
        .args(["-X", "-q", "-At", "-d", &database.service_url(), "-c", sql])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn copying_shows_and_brings_nothing_of_another_tenant() {
    let stage = Stage::new().await;
    let database = &stage.app.database;
    let (ours, theirs) = (stage.ours.id.to_string(), stage.theirs.id.to_string());
    let before = Rows::of(database).all();
    for table in tables(database) {
        let name = &table.name;
        let in_ours = format!("BEGIN; SELECT set_tenant('{ours}')");
        for (stand, sees) in [(in_ours.as_str(), table.readable && !table.partitioned), ("BEGIN", false)] {
            let out = psql(database, &format!("{stand}; COPY {name} TO STDOUT"));
            assert!(!out.contains(&theirs), "{stand} {name}: {out}");
            assert_eq!(out.contains(&ours), sees, "{stand} {name}: {out}");
            assert_eq!(out.contains("permission denied"), !table.readable, "{stand} {name}: {out}");
        }
        let into = psql(database, &format!("{in_ours}; COPY {name} FROM STDIN; COMMIT"));
        let refused =
            into.contains("COPY FROM not supported with row-level security") || into.contains("permission denied");
        assert!(refused, "{name}: {into}");
    }
    assert_eq!(Rows::of(database).all(), before);
}
