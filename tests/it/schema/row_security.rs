//! Row security by itself: as the role of the service, with statements that name another tenant's rows outright.

use diesel::{
    Connection, OptionalExtension, PgConnection, QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    sql_query,
    sql_types::{Bool, Text},
};
use serde_json::json;
use tenantry_domain::Role;
use tenantry_tests::{App, Rows, Tenant, TestDatabase, count, new_email};

/// Two tenants with a row of each kind.
pub(crate) struct Stage {
    pub(crate) app: App,
    pub(crate) ours: Tenant,
    pub(crate) theirs: Tenant,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let app = App::start().await;
        let (ours, theirs) = (app.tenant("Ours").await, app.tenant("Theirs").await);
        for tenant in [&ours, &theirs] {
            let workspace = tenant.workspace("DACH").await;
            let (member, _) = tenant.member(Role::Agent, &[&workspace]).await;
            let integration = format!("/api/workspaces/{workspace}/integrations/openai");
            tenant.owner.put(&integration, json!({ "apiKey": "sk-proj-of-a-stage" })).await.expect(200);
            let invitation = tenant.invitation(&new_email(), json!({ "workspaceIds": [workspace] })).await;
            let token = format!("INSERT INTO invitation_tokens VALUES ('{}', '\\x00', '{invitation}')", tenant.id);
            app.database.admin().batch_execute(&token).unwrap();
            tenant.key(&["keys:read"], json!({ "brandId": tenant.brand })).await;
            let noted = json!({ "externalId": "crm-1", "metadata": { "tier": "gold" } });
            tenant.agent(&workspace, noted.clone()).await;
            for path in
                [format!("workspaces/{workspace}"), format!("members/{member}"), format!("brands/{}", tenant.brand)]
            {
                tenant.owner.patch(&format!("/api/{path}"), noted.clone()).await.expect(200);
            }
            let brand = json!({ "name": "Kept", "emailFromName": "Kept" });
            let keyed = tenant.owner.request("POST", "/api/brands").header("Idempotency-Key", "kept").json(&brand);
            tenant.owner.send(keyed).await.expect(201);
            let webhook = json!({ "url": "https://example.com/webhooks" });
            let webhook = tenant.owner.post("/api/webhooks", webhook).await.expect(201).id();
            tenant.owner.post(&format!("/api/webhooks/{webhook}/test"), json!({})).await.expect(202);
            let usage = json!({ "seconds": 60, "reference": "call" });
            tenant.owner.post(&format!("/api/workspaces/{workspace}/usage"), usage).await.expect(201);
        }
        for table in tables(&app.database) {
            for tenant in [&ours, &theirs] {
                let rows = format!("SELECT FROM {} WHERE {} = '{}'", table.name, table.column(), tenant.id);
                assert!(app.database.rows(&rows) > 0, "{} has nothing to protect: put a row into it here", table.name);
            }
        }
        Self { app, ours, theirs }
    }
}

/// A table of tenants, and what the role of the service may do with it.
#[derive(QueryableByName)]
pub(crate) struct Table {
    #[diesel(sql_type = Text)]
    pub(crate) name: String,
    #[diesel(sql_type = Bool)]
    pub(crate) readable: bool,
    /// Whether its rows are in partitions: who copies the table itself out copies none.
    #[diesel(sql_type = Bool)]
    pub(crate) partitioned: bool,
    #[diesel(sql_type = Bool)]
    deletable: bool,
    /// A column that the service may change; empty where there is none.
    #[diesel(sql_type = Text)]
    changeable: String,
    /// The columns of its primary key.
    #[diesel(sql_type = Text)]
    key: String,
}

impl Table {
    pub(crate) fn column(&self) -> &'static str {
        if self.name == "tenants" { "id" } else { "tenant_id" }
    }
}

pub(crate) fn tables(database: &TestDatabase) -> Vec<Table> {
    let names: Vec<_> = Rows::of(database).tables().iter().map(|name| format!("'{name}'")).collect();
    let sql = format!(
        "SELECT relname::text AS name, has_table_privilege('tenantry_service', oid, 'SELECT') AS readable,
                relkind = 'p' AS partitioned,
                has_table_privilege('tenantry_service', oid, 'DELETE') AS deletable,
                coalesce((SELECT min(attname)::text FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0
                          AND has_column_privilege('tenantry_service', pg_class.oid, attname, 'UPDATE')), '') AS changeable,
                (SELECT string_agg(attname, ', ' ORDER BY array_position(conkey, attnum))
                 FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
                 WHERE conrelid = pg_class.oid AND contype = 'p') AS key
         FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname IN ({})",
        names.join(", ")
    );
    let tables: Vec<Table> = sql_query(sql).load(&mut database.admin()).unwrap();
    assert!(tables.len() >= 5);
    tables
}

/// The ways of standing in no tenant at all, with what the setting is then.
const NOWHERE: [&str; 4] = [
    "SELECT 1",
    "SET LOCAL app.tenant_id = ''",
    "SET LOCAL app.tenant_id = 'garbage'",
    "SET LOCAL app.platform = 'off'",
];

/// Runs a statement after another in a transaction that is taken back; how many rows it was about, or what was said.
fn attempt(service: &mut PgConnection, stand: &str, statement: &str) -> Result<usize, String> {
    service.batch_execute("BEGIN").unwrap();
    service.batch_execute(stand).unwrap();
    let outcome = sql_query(statement).execute(service).map_err(|error| error.to_string());
    service.batch_execute("ROLLBACK").unwrap();
    outcome
}

fn in_tenant(tenant: &Tenant) -> String {
    format!("SELECT set_tenant('{}')", tenant.id)
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    row: String,
}

/// One of their rows as SQL that inserts it, with these members changed.
fn their_row(stage: &Stage, table: &Table, changes: &str) -> String {
    let sql = format!(
        "SELECT (to_jsonb(row) || {changes})::text AS row FROM {} AS row WHERE {} = '{}' LIMIT 1",
        table.name,
        table.column(),
        stage.theirs.id
    );
    let row: Row = sql_query(sql).get_result(&mut stage.app.database.admin()).optional().unwrap().unwrap();
    format!(
        "INSERT INTO {0} ({2}) SELECT {2} FROM jsonb_populate_record(NULL::{0}, '{1}')",
        table.name,
        row.row.replace('\'', "''"),
        stage.app.database.columns(&table.name)
    )
}

fn is_refused(outcome: &Result<usize, String>) -> bool {
    matches!(outcome, Err(words) if words.contains("row-level security") || words.contains("permission denied"))
}

fn finds_nothing(outcome: &Result<usize, String>) -> bool {
    matches!(outcome, Ok(0)) || is_refused(outcome)
}

#[tokio::test]
async fn another_tenants_rows_are_neither_read_nor_changed_nor_deleted() {
    let stage = Stage::new().await;
    let mut service = stage.app.database.service();
    let mut rows = Rows::of(&stage.app.database);
    let before = rows.all();
    for table in tables(&stage.app.database) {
        let (name, id) = (&table.name, stage.theirs.id);
        let of_theirs = format!("{} = '{id}'", table.column());
        let changed = if table.changeable.is_empty() { "tenant_id" } else { &table.changeable };
        let set = format!("SET {changed} = {changed}");
        let statements = [
            (table.readable, format!("SELECT 1 FROM {name} WHERE {of_theirs}")),
            // Who may only read may not lock.
            (
                table.readable && !table.changeable.is_empty(),
                format!("SELECT 1 FROM {name} WHERE {of_theirs} FOR KEY SHARE"),
            ),
            (!table.changeable.is_empty(), format!("UPDATE {name} {set} WHERE {of_theirs}")),
            (!table.changeable.is_empty(), format!("UPDATE {name} {set} WHERE {of_theirs} RETURNING {changed}")),
            (table.deletable, format!("DELETE FROM {name} WHERE {of_theirs}")),
        ];
        for (allowed, statement) in statements {
            let mut stands = NOWHERE.map(str::to_owned).to_vec();
            stands.push(in_tenant(&stage.ours));
            for stand in stands {
                let outcome = attempt(&mut service, &stand, &statement);
                // What is not an id is an error of its own; it shows no row either.
                let garbage = stand.contains("garbage")
                    && matches!(&outcome, Err(words) if words.contains("invalid input syntax"));
                assert!(finds_nothing(&outcome) || garbage, "{stand}; {statement}: {outcome:?}");
            }
            // The control: in their own tenant the very same statement finds them, but for what others refer to.
            let at_home = attempt(&mut service, &in_tenant(&stage.theirs), &statement);
            let held = matches!(&at_home, Err(words) if words.contains("violates foreign key"));
            assert!(!allowed || held || at_home.as_ref().is_ok_and(|rows| *rows > 0), "{statement}: {at_home:?}");
            assert!(allowed || is_refused(&at_home), "{statement}: {at_home:?}");
        }
        assert!(is_refused(&attempt(&mut service, &in_tenant(&stage.ours), &format!("TRUNCATE {name}"))));
        assert!(is_refused(&attempt(&mut service, &in_tenant(&stage.theirs), &format!("TRUNCATE {name} CASCADE"))));
    }
    assert_eq!(rows.all(), before);
}

#[tokio::test]
async fn nothing_is_written_into_another_tenant() {
    let stage = Stage::new().await;
    let mut service = stage.app.database.service();
    let mut rows = Rows::of(&stage.app.database);
    let before = rows.all();
    for table in tables(&stage.app.database) {
        let new = their_row(&stage, &table, "jsonb_build_object('id', gen_random_uuid())");
        let known = their_row(&stage, &table, "'{}'");
        let key = &table.key;
        let last = key.rsplit(", ").next().unwrap();
        let changed = if table.changeable.is_empty() { last } else { &table.changeable };
        let upsert = format!("ON CONFLICT ({key}) DO UPDATE SET {changed} = excluded.{changed}");
        let statements = [
            new.clone(),
            format!("{new} RETURNING 1"),
            format!("{new} {upsert}"),
            format!("{new} ON CONFLICT DO NOTHING"),
            known.clone(),
            format!("{known} {upsert}"),
            format!("{known} ON CONFLICT DO NOTHING"),
        ];
        let mut stands = NOWHERE.map(str::to_owned).to_vec();
        stands.push(in_tenant(&stage.ours));
        for stand in stands {
            for statement in &statements {
                let outcome = attempt(&mut service, &stand, statement);
                let garbage = stand.contains("garbage") && outcome.is_err();
                assert!(is_refused(&outcome) || garbage, "{stand}; {statement}: {outcome:?}");
            }
        }
        // A row of ours does not become theirs.
        let given = format!("UPDATE {} SET {} = '{}'", table.name, table.column(), stage.theirs.id);
        assert!(is_refused(&attempt(&mut service, &in_tenant(&stage.ours), &given)), "{given}");
    }
    assert_eq!(rows.all(), before);
}

#[tokio::test]
async fn a_row_of_ones_own_is_written_where_the_service_may() {
    let stage = Stage::new().await;
    let mut service = stage.app.database.service();
    for table in tables(&stage.app.database).iter().filter(|table| table.name != "tenants") {
        // Of theirs, in their tenant, with what must be unique made so: the refusals above are not about anything else.
        let changes =
            "jsonb_build_object('id', gen_random_uuid(), 'slug', 'new', 'is_default', false, 'secret_hash', 'new',
                                          'email_key', 'new', 'key_hash', 'new', 'subject', 'new', 'token_hash', 'new', 'reference', 'new',
                                          'month', '2000-01-01', 'provider', 'new', 'number', 1000000, 'external_id', 'new')";
        // What only links two others is written anew.
        let only_links = ![", id", "_hash", "month", ", provider"].iter().any(|end| table.key.ends_with(end));
        let away = if only_links { format!("; DELETE FROM {}", table.name) } else { String::new() };
        let stand = in_tenant(&stage.theirs) + &away;
        let outcome = attempt(&mut service, &stand, &their_row(&stage, table, changes));
        assert_eq!(outcome, Ok(1), "{}", table.name);
    }
}

#[tokio::test]
async fn the_platform_sees_the_tenants_and_nothing_in_them() {
    let stage = Stage::new().await;
    let mut service = stage.app.database.service();
    for table in tables(&stage.app.database).iter().filter(|table| table.readable) {
        service.batch_execute("BEGIN; SELECT set_platform()").unwrap();
        let seen = count(&mut service, &format!("SELECT FROM {}", table.name));
        service.batch_execute("COMMIT").unwrap();
        assert_eq!(seen, if table.name == "tenants" { 2 } else { 0 }, "{}", table.name);
    }
}

#[tokio::test]
async fn a_connection_forgets_its_tenant_with_the_transaction() {
    let stage = Stage::new().await;
    let mut service = stage.app.database.service();
    for end in ["COMMIT", "ROLLBACK"] {
        for stand in [in_tenant(&stage.ours), "SELECT set_platform()".to_owned()] {
            service.batch_execute(&format!("BEGIN; {stand}")).unwrap();
            assert!(count(&mut service, "SELECT FROM tenants") > 0);
            service.batch_execute(end).unwrap();
            for table in tables(&stage.app.database).iter().filter(|table| table.readable) {
                assert_eq!(
                    count(&mut service, &format!("SELECT FROM {}", table.name)),
                    0,
                    "{end} {stand} {}",
                    table.name
                );
            }
            assert_eq!(
                count(&mut service, "SELECT WHERE nullif(current_setting('app.tenant_id', true), '') IS NOT NULL"),
                0
            );
        }
    }
    // Nor does a failed one leave anything.
    service.batch_execute(&format!("BEGIN; {}", in_tenant(&stage.ours))).unwrap();
    assert!(service.batch_execute("SELECT 1 / 0").is_err());
    service.batch_execute("ROLLBACK").unwrap();
    assert_eq!(count(&mut service, "SELECT FROM brands"), 0);
}

#[tokio::test]
async fn what_is_not_an_id_is_not_a_tenant() {
    let stage = Stage::new().await;
    let mut service = stage.app.database.service();
    for tenant in ["", "x", "''", "' OR true --", "00000000", "null"] {
        service.batch_execute("BEGIN").unwrap();
        let set = sql_query("SELECT set_tenant($1)").bind::<Text, _>(tenant).execute(&mut service);
        assert!(set.unwrap_err().to_string().contains("invalid input syntax for type uuid"), "{tenant}");
        service.batch_execute("ROLLBACK").unwrap();
    }
}

#[tokio::test]
async fn row_security_binds_the_owner_of_the_tables_too() {
    let stage = Stage::new().await;
    let mut owner = PgConnection::establish(&stage.app.database.owner_url()).unwrap();
    for table in tables(&stage.app.database) {
        assert_eq!(count(&mut owner, &format!("SELECT FROM {}", table.name)), 0, "{}", table.name);
    }
}

#[tokio::test]
async fn the_service_makes_changes_and_drops_nothing() {
    let stage = Stage::new().await;
    let mut service = stage.app.database.service();
    for statement in [
        "CREATE TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE brands DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE brands ADD COLUMN mine int",
        "CREATE POLICY mine ON brands USING (true)",
        "DROP POLICY brands_of_the_tenant ON brands",
        "DROP TABLE audit_events",
        "CREATE INDEX mine ON brands (tenant_id)",
        "SET ROLE tenantry_owner",
        "SET SESSION AUTHORIZATION tenantry_owner",
        "ALTER ROLE tenantry_service BYPASSRLS",
        "ALTER FUNCTION set_tenant(text) SECURITY DEFINER",
        "UPDATE __diesel_schema_migrations SET version = version",
        "SET LOCAL row_security = off; SELECT FROM brands",
    ] {
        let refusal = service.batch_execute(&format!("BEGIN; {statement}; ROLLBACK")).unwrap_err().to_string();
        service.batch_execute("ROLLBACK").unwrap();
        let refused = ["permission denied", "must be owner", "row-level security", "must be superuser"];
        assert!(refused.iter().any(|words| refusal.contains(words)), "{statement}: {refusal}");
    }
}
