//! The schema, as the catalogue has it: no table that holds a tenant's rows lacks a wall, and no role gets around one.

pub(crate) mod catalogue;
mod copying;
mod description;
mod row_security;

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use tenantry_tests::TestDatabase;

use self::catalogue::complaints;

#[test]
fn the_schema_has_every_wall() {
    assert_eq!(complaints(&TestDatabase::new()), Vec::<String>::new());
}

/// What the checker says of the schema after these statements of the owner; more than nothing.
fn complaints_after(sql: &str) -> Vec<String> {
    let database = TestDatabase::new();
    PgConnection::establish(&database.owner_url()).unwrap().batch_execute(sql).unwrap();
    complaints(&database)
}

/// A table that has nothing wrong with it, to be spoilt in one way at a time.
const GOOD: &str = "
    CREATE TABLE notes (
        tenant_id uuid NOT NULL,
        id uuid NOT NULL,
        brand_id uuid,
        body text,
        CONSTRAINT notes_pkey PRIMARY KEY (tenant_id, id),
        CONSTRAINT notes_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id),
        CONSTRAINT notes_brand_fkey FOREIGN KEY (tenant_id, brand_id) REFERENCES brands (tenant_id, id)
    );
    ALTER TABLE notes ALTER tenant_id SET (n_distinct = 1);
    CREATE INDEX notes_body ON notes (tenant_id, body);
    ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
    ALTER TABLE notes FORCE ROW LEVEL SECURITY;
    CREATE POLICY notes_of_the_tenant ON notes
        USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
        WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
    GRANT SELECT, INSERT, DELETE ON notes TO tenantry_service;
    GRANT UPDATE (body) ON notes TO tenantry_service;";

#[test]
fn a_good_table_more_is_no_complaint() {
    assert_eq!(complaints_after(GOOD), Vec::<String>::new());
}

#[test]
fn each_wall_that_is_left_out_is_missed() {
    let mine = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid";
    let spoilt = [
        ("ALTER TABLE notes DISABLE ROW LEVEL SECURITY", "notes: row security is not enabled"),
        ("ALTER TABLE notes NO FORCE ROW LEVEL SECURITY", "notes: row security does not bind the owner"),
        ("ALTER TABLE notes ALTER tenant_id RESET (n_distinct)", "notes: plans are made for small tenants"),
        ("DROP POLICY notes_of_the_tenant ON notes", "notes: the policies are not [the tenant's rows]"),
        ("CREATE POLICY more ON notes USING (true)", "notes: the policies are not [the tenant's rows]"),
        (
            "ALTER POLICY notes_of_the_tenant ON notes WITH CHECK (true)",
            "notes: the policies are not [the tenant's rows]",
        ),
        (
            "ALTER POLICY notes_of_the_tenant ON notes TO tenantry_owner",
            "notes: the policies are not [the tenant's rows]",
        ),
        ("DROP POLICY notes_of_the_tenant ON notes; CREATE POLICY half ON notes USING (MINE)", "notes: the policies"),
        (
            "DROP POLICY notes_of_the_tenant ON notes; CREATE POLICY half ON notes FOR SELECT USING (MINE)",
            "notes: the pol",
        ),
        (
            "ALTER TABLE notes DROP CONSTRAINT notes_pkey; ALTER TABLE notes ALTER tenant_id DROP NOT NULL",
            "notes: tenant_id may be null",
        ),
        ("ALTER TABLE notes DROP CONSTRAINT notes_pkey", "notes: no primary key"),
        (
            "ALTER TABLE notes DROP CONSTRAINT notes_pkey; ALTER TABLE notes ADD PRIMARY KEY (id, tenant_id)",
            "notes_pkey: does not begin",
        ),
        ("CREATE INDEX notes_id ON notes (id)", "notes_id: does not begin with tenant_id"),
        ("CREATE INDEX notes_lower ON notes (lower(body), tenant_id)", "notes_lower: does not begin with tenant_id"),
        ("ALTER TABLE notes ADD CONSTRAINT unique_body UNIQUE (body)", "unique_body: does not begin with tenant_id"),
        (
            "ALTER TABLE notes ADD CONSTRAINT plain FOREIGN KEY (id) REFERENCES tenants (id)",
            "plain: does not begin with tenant_id",
        ),
        (
            "ALTER TABLE notes ADD CONSTRAINT crossed FOREIGN KEY (id, tenant_id) REFERENCES brands (tenant_id, id)",
            "crossed: does not",
        ),
        ("ALTER TABLE notes DROP CONSTRAINT notes_tenant_fkey", "notes: tenant_id does not refer to tenants"),
        ("ALTER TABLE notes DROP COLUMN tenant_id CASCADE", "notes: has no tenant_id"),
        ("CREATE TABLE loose (id uuid PRIMARY KEY)", "loose: has no tenant_id"),
        ("GRANT TRUNCATE ON notes TO tenantry_service", "notes: the service may TRUNCATE"),
        ("GRANT TRUNCATE ON notes TO PUBLIC", "notes: the service may TRUNCATE"),
        ("GRANT TRIGGER, REFERENCES ON notes TO tenantry_service", "notes: the service may REFERENCES"),
        ("GRANT UPDATE ON notes TO tenantry_service", "notes: the service may change tenant_id"),
        ("GRANT UPDATE (id) ON notes TO tenantry_service", "notes: the service may change id"),
        ("GRANT UPDATE (changes) ON audit_events TO tenantry_service", "audit_events: the service may change the past"),
        ("GRANT DELETE ON usage_entries TO tenantry_service", "usage_entries: the service may change the past"),
        (
            "GRANT UPDATE (seconds) ON usage_entries TO tenantry_service",
            "usage_entries: the service may change the past",
        ),
        ("GRANT DELETE ON audit_events TO tenantry_service", "audit_events: the service may change the past"),
        ("GRANT DELETE ON tenants TO tenantry_service", "tenants: the service may DELETE"),
        ("ALTER POLICY tenants_of_the_platform ON tenants USING (true)", "tenants: the policies are not"),
        ("ALTER TABLE tenants NO FORCE ROW LEVEL SECURITY", "tenants: row security does not bind the owner"),
        ("CREATE VIEW all_notes AS SELECT * FROM notes", "all_notes: a view with the eyes of its owner"),
        ("CREATE MATERIALIZED VIEW old AS SELECT * FROM notes", "old: neither a table nor a view"),
        ("CREATE SEQUENCE numbers", "numbers: a sequence"),
        ("ALTER TABLE notes ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY", "notes_number_seq: a sequence"),
        (
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
            "f: a function with the rights of its owner",
        ),
        (
            "CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
          CREATE TRIGGER tr BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION t()",
            "notes: the trigger tr",
        ),
        ("CREATE RULE r AS ON UPDATE TO notes DO INSTEAD NOTHING", "notes: the rule r"),
        ("GRANT CREATE ON SCHEMA public TO tenantry_service", "public: the service may create in this schema"),
        (
            "CREATE SCHEMA other AUTHORIZATION CURRENT_USER; CREATE TABLE other.things (id int)",
            "things: has no tenant_id",
        ),
    ];
    for (sql, expected) in spoilt {
        let found = complaints_after(&format!("{GOOD}; {}", sql.replace("MINE", mine)));
        assert!(
            found.iter().any(|complaint| complaint.starts_with(expected)),
            "{sql}: {expected} is not in {found:#?}"
        );
    }
}

#[test]
fn a_powerful_role_of_the_service_is_missed_by_nobody() {
    // Roles belong to all databases of the server: undone at once, in a transaction that others never see.
    let database = TestDatabase::new();
    for (sql, expected) in [
        ("ALTER ROLE tenantry_service SUPERUSER", "tenantry_service: superuser"),
        ("ALTER ROLE tenantry_service BYPASSRLS", "tenantry_service: bypasses row security"),
        ("ALTER ROLE tenantry_service CREATEROLE", "tenantry_service: may create roles"),
        ("GRANT tenantry_owner TO tenantry_service", "tenantry_service: is a member of tenantry_owner"),
        ("ALTER TABLE brands OWNER TO tenantry_service", "tenantry_service: owns brands"),
        ("ALTER FUNCTION set_platform() OWNER TO tenantry_service", "tenantry_service: owns set_platform"),
    ] {
        let mut admin = database.admin();
        admin.begin_test_transaction().unwrap();
        admin.batch_execute(sql).unwrap();
        let found = catalogue::complaints_on(&mut admin);
        assert!(found.iter().any(|complaint| complaint == expected), "{sql}: {expected} is not in {found:#?}");
    }
}

/// Statements that spoil one wall of one table each, for every table that there is.
const SPOILING: &str = "
    WITH tables AS (SELECT oid, relname AS name, relname = 'tenants' AS own, relispartition AS part FROM pg_class
                    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname <> '__diesel_schema_migrations')
    SELECT format('ALTER TABLE %I %s', name, how) AS line FROM tables, unnest('{DISABLE ROW LEVEL SECURITY,NO FORCE ROW LEVEL SECURITY}'::text[]) AS how
    UNION ALL SELECT format('ALTER TABLE %I ALTER tenant_id RESET (n_distinct)', name) FROM tables WHERE NOT own
    UNION ALL SELECT format('GRANT %s ON %I TO tenantry_service', what, name) FROM tables, unnest('{TRUNCATE,REFERENCES,TRIGGER,UPDATE}'::text[]) AS what
    UNION ALL SELECT format('GRANT %s ON %I TO tenantry_service', what, name) FROM tables, unnest('{SELECT,SELECT (tenant_id),INSERT,DELETE}'::text[]) AS what
        WHERE part
    UNION ALL SELECT format('CREATE POLICY more ON %I USING (true)', name) FROM tables
    UNION ALL SELECT format(how, polname, name) FROM pg_policy JOIN tables ON tables.oid = polrelid,
        unnest(ARRAY['DROP POLICY %I ON %I', 'ALTER POLICY %I ON %I USING (true)', 'ALTER POLICY %I ON %I WITH CHECK (true)',
                     'ALTER POLICY %I ON %I TO tenantry_owner']) AS how
    UNION ALL SELECT format('ALTER TABLE %I DROP CONSTRAINT %I CASCADE', name, conname) FROM pg_constraint JOIN tables ON tables.oid = conrelid
        WHERE NOT part AND (contype = 'p' OR contype = 'f' AND confrelid = 'tenants'::regclass)
    UNION ALL SELECT format('CREATE INDEX spoilt ON %I (%I)', name, attname) FROM tables JOIN pg_attribute ON attrelid = tables.oid
        AND attnum = (SELECT max(attnum) FROM pg_attribute WHERE attrelid = tables.oid AND NOT attisdropped)
    UNION ALL SELECT format('CREATE TRIGGER spoilt BEFORE INSERT ON %I FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()', name) FROM tables";

#[test]
fn each_wall_of_each_table_is_missed_when_it_is_spoilt() {
    let database = TestDatabase::new();
    let mut admin = database.admin();
    let spoiling = tenantry_tests::lines(&mut admin, SPOILING);
    assert!(spoiling.len() > 200, "{}", spoiling.len());
    for sql in spoiling {
        admin.batch_execute(&format!("BEGIN; {sql}")).unwrap();
        let found = catalogue::complaints_on(&mut admin);
        admin.batch_execute("ROLLBACK").unwrap();
        assert_ne!(found, Vec::<String>::new(), "{sql}");
    }
}
