//! `tenantry distribute` on an ordinary PostgreSQL: it refuses, and says what it would do to every table that there is.

use serde_json::Value;
use tenantry_tests::{Rows, TestDatabase, lines};

use super::kit::Tenantry;

fn statements(database: &TestDatabase) -> Vec<String> {
    let said = Tenantry::on(database).json(&["distribute", "--dry-run"]);
    said["statements"].as_array().unwrap().iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[test]
fn without_citus_nothing_is_distributed_and_the_sentence_says_what_is_missing() {
    let database = TestDatabase::new();
    let before = Rows::of(&database).tables();
    for command in [["distribute"].as_slice(), &["distribute", "--check"]] {
        let refused = Tenantry::on(&database).run(command).expect(4);
        assert!(
            refused.err.contains("has no Citus") && refused.err.contains("CREATE EXTENSION citus"),
            "{}",
            refused.err
        );
        assert_eq!(refused.out, "");
    }
    assert_eq!(Rows::of(&database).tables(), before);
    let forced = "SELECT FROM pg_class WHERE relrowsecurity AND NOT relforcerowsecurity AND relnamespace = 'public'::regnamespace";
    assert_eq!(database.rows(forced), 0, "nothing was begun");
    Tenantry::on(&database).run(&["distribute", "--check", "--dry-run"]).expect(2);
    let empty = Tenantry::on(&TestDatabase::unmigrated()).run(&["distribute", "--dry-run"]).expect(4);
    assert!(empty.err.contains("tenantry migrate run"), "{}", empty.err);
}

#[test]
fn the_statements_are_about_every_table_each_after_what_it_refers_to() {
    let database = TestDatabase::new();
    let statements = statements(&database);
    let place = |statement: &str| statements.iter().position(|known| known == statement);
    let distribute = |table: &str| match table {
        "tenants" => "SELECT create_distributed_table('tenants', 'id')".to_owned(),
        table => format!("SELECT create_distributed_table('{table}', 'tenant_id', colocate_with => 'tenants')"),
    };
    let tables = Rows::of(&database).tables();
    for table in &tables {
        let at = place(&distribute(table)).unwrap_or_else(|| panic!("{table} is not in {statements:#?}"));
        let unforced = place(&format!("ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"));
        assert!(unforced.is_some_and(|unforced| unforced < at), "{table}: its rows would not be seen");
        let referred = format!(
            "SELECT DISTINCT confrelid::regclass::text AS line FROM pg_constraint
             WHERE contype = 'f' AND conrelid = '{table}'::regclass AND conparentid = 0"
        );
        for other in lines(&mut database.admin(), &referred) {
            assert!(place(&distribute(&other)).is_some_and(|other| other < at), "{table} before {other}");
        }
    }
    assert!(place("SELECT create_reference_table('__diesel_schema_migrations')").is_some());
    assert!(place("SELECT create_distributed_function('set_tenant(text)')").is_some());
    // A worker checks the body of a function.
    for (called, caller) in [
        ("first_event_id(timestamp with time zone)", "event_id(uuid,timestamp with time zone)"),
        ("search_form(text)", "search_pattern(text)"),
    ] {
        let sent = |name: &str| place(&format!("SELECT create_distributed_function('{name}')")).unwrap();
        assert!(sent(called) < sent(caller), "{called} before {caller}");
    }
    assert!(statements[0].ends_with("SET citus.propagate_set_commands TO 'local'"), "{}", statements[0]);
    assert!(place("ALTER TABLE audit_events_oldest NO FORCE ROW LEVEL SECURITY").is_some(), "partitions too");
    // What is unique beyond a tenant is made anew, because each node sees only its own tenants.
    let made_anew: Vec<_> = statements.iter().filter(|statement| statement.starts_with("DROP INDEX")).collect();
    let [external_id] = made_anew.as_slice() else { panic!("{made_anew:?}") };
    assert!(external_id.starts_with("DROP INDEX tenants_external_id_key; CREATE INDEX tenants_external_id_key"));
    assert_eq!(statements.iter().filter(|statement| statement.contains("_table(")).count(), tables.len() + 1);
}

#[test]
fn a_table_that_is_new_is_distributed_too() {
    let database = TestDatabase::new();
    let before = statements(&database);
    let new =
        "CREATE TABLE notes (tenant_id uuid, id uuid, PRIMARY KEY (tenant_id, id)); CREATE TABLE words (word text)";
    diesel::connection::SimpleConnection::batch_execute(&mut database.admin(), new).unwrap();
    let mut more: Vec<_> = statements(&database).into_iter().filter(|statement| !before.contains(statement)).collect();
    more.sort();
    let expected = [
        "SELECT create_distributed_table('notes', 'tenant_id', colocate_with => 'tenants')",
        "SELECT create_reference_table('words')",
    ];
    assert_eq!(more, expected);
}
