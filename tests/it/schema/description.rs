//! The code's description of the tables, `schema.rs`, next to the tables that the migrations make.

use std::collections::BTreeSet;

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use tenantry_tests::{TestDatabase, lines};

/// The tables as the code has them: a line for each primary key and for each column.
fn described() -> BTreeSet<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../persistence/src/schema.rs");
    let source = std::fs::read_to_string(path).unwrap();
    let mut found = BTreeSet::new();
    for table in source.split("diesel::table! {").skip(1) {
        let (head, columns) = table.trim().split_once(" {").unwrap();
        let name = head.split_once(' ').unwrap().0;
        found.insert(head.to_owned());
        let columns = columns.split_once('}').unwrap().0.split(",\n").map(str::trim);
        found.extend(columns.filter(|column| !column.is_empty()).map(|column| format!("{name}.{column}")));
    }
    assert!(found.contains("tenants (id)") && found.contains("brands.slug -> Text"), "{found:?}");
    found
}

/// The same of the tables of a database.
fn migrated(database: &TestDatabase) -> BTreeSet<String> {
    let columns = "
        WITH tables AS (SELECT oid, relname, relkind FROM pg_class
                        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
                        AND NOT relispartition AND relname !~ '^__diesel_schema_migrations'),
             types (name, diesel) AS (VALUES
                ('uuid', 'Uuid'), ('text', 'Text'), ('text[]', 'Array<Text>'), ('bigint', 'Int8'), ('integer', 'Int4'),
                ('boolean', 'Bool'), ('bytea', 'Bytea'), ('jsonb', 'Jsonb'), ('date', 'Date'),
                ('timestamp with time zone', 'Timestamptz'))
        SELECT format(CASE WHEN attnotnull OR relkind = 'v' THEN '%s.%s -> %s' ELSE '%s.%s -> Nullable<%s>' END,
                      relname, attname, coalesce(diesel, format_type(atttypid, NULL))) AS line
        FROM tables JOIN pg_attribute ON attrelid = tables.oid AND attnum > 0 AND NOT attisdropped
             LEFT JOIN types ON types.name = format_type(atttypid, NULL)
        UNION ALL
        SELECT format('%s (%s)', relname, string_agg(attname, ', ' ORDER BY place)) FROM tables
        JOIN pg_index ON indrelid = tables.oid AND indisprimary, unnest(indkey) WITH ORDINALITY AS key (number, place)
        JOIN pg_attribute ON attnum = number WHERE attrelid = tables.oid GROUP BY relname
        -- A view has no key, and nothing says of its columns that they are never null.
        UNION ALL SELECT format('%s (tenant_id)', relname) FROM tables WHERE relkind = 'v'";
    lines(&mut database.admin(), columns).into_iter().collect()
}

/// What only one of the two has.
fn differences(database: &TestDatabase) -> Vec<String> {
    described().symmetric_difference(&migrated(database)).cloned().collect()
}

#[test]
fn the_code_describes_every_table_as_it_is() {
    assert_eq!(differences(&TestDatabase::new()), Vec::<String>::new());
}

#[test]
fn each_difference_is_found() {
    for (sql, expected) in [
        ("CREATE TABLE notes (id uuid PRIMARY KEY)", ["notes (id)", "notes.id -> Uuid"].as_slice()),
        ("ALTER TABLE brands ADD COLUMN more text", &["brands.more -> Nullable<Text>"]),
        ("ALTER TABLE brands DROP COLUMN tone", &["brands.tone -> Nullable<Text>"]),
        ("ALTER TABLE brands ALTER tone SET NOT NULL", &["brands.tone -> Nullable<Text>", "brands.tone -> Text"]),
        ("ALTER TABLE brands ALTER version TYPE integer", &["brands.version -> Int4", "brands.version -> Int8"]),
        (
            "ALTER TABLE brands ALTER tone TYPE varchar",
            &["brands.tone -> Nullable<Text>", "brands.tone -> Nullable<character varying>"],
        ),
        (
            "ALTER TABLE usage_months DROP CONSTRAINT usage_months_pkey",
            &["usage_months (tenant_id, workspace_id, month)"],
        ),
    ] {
        let database = TestDatabase::new();
        PgConnection::establish(&database.owner_url()).unwrap().batch_execute(sql).unwrap();
        assert_eq!(differences(&database), expected, "{sql}");
    }
}
