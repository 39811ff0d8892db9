//! A database for each test, copied from a template that was migrated once.

use std::sync::atomic::{AtomicU32, Ordering};

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    sql_types::{BigInt, Text},
};

use crate::database_server::Server;

static NEXT: AtomicU32 = AtomicU32::new(1);

/// A migrated, empty database of one test; dropped with it.
pub struct TestDatabase {
    name: String,
}

impl TestDatabase {
    /// A copy of the template.
    pub fn new() -> Self {
        let database = Self::named();
        let sql = format!("CREATE DATABASE {} TEMPLATE template_tenantry OWNER tenantry_owner", database.name);
        Server::get().say_everywhere(&sql).unwrap();
        database
    }

    /// An empty database without a single migration.
    pub fn unmigrated() -> Self {
        let database = Self::named();
        let sql = format!("CREATE DATABASE {} OWNER tenantry_owner", database.name);
        Server::get().say_everywhere(&sql).unwrap();
        database
    }

    fn named() -> Self {
        Self { name: format!("t_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)) }
    }

    /// For the service's role: through PgBouncer, if `TENANTRY_TEST_POOLER` is set.
    pub fn service_url(&self) -> String {
        Server::get().url("service", &self.name)
    }

    /// For the owner of the tables, whom forced row security binds too.
    pub fn owner_url(&self) -> String {
        Server::get().url("owner", &self.name)
    }

    /// For the superuser, who sees everything: to look behind the service's back.
    pub fn admin_url(&self) -> String {
        Server::get().url("admin", &self.name)
    }

    /// A connection of the superuser.
    pub fn admin(&self) -> PgConnection {
        PgConnection::establish(&self.admin_url()).unwrap()
    }

    /// A connection of the service's role.
    pub fn service(&self) -> PgConnection {
        PgConnection::establish(&self.service_url()).unwrap()
    }

    /// How many rows a query selects, seen as the superuser.
    pub fn rows(&self, query: &str) -> i64 {
        count(&mut self.admin(), query)
    }

    /// The columns of a table that can be written, one after the other: not those that are generated.
    pub fn columns(&self, table: &str) -> String {
        let sql = format!(
            "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS line FROM pg_attribute
             WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"
        );
        lines(&mut self.admin(), &sql).remove(0)
    }

    /// Refuses the first writes of this kind, `BEFORE UPDATE ON brands FOR EACH ROW`, as a database does that is busy. Taking a transaction
    /// back does not set a sequence back, so it counts them.
    pub fn refuse(&self, writes: u32, what: &str) {
        let sql = format!(
            "CREATE SEQUENCE refusals;
             CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
                 IF nextval('public.refusals') <= {writes} THEN
                     RAISE EXCEPTION 'canceling statement due to lock timeout' USING ERRCODE = 'lock_not_available';
                 END IF;
                 RETURN NEW;
             END $$;
             CREATE TRIGGER refuses {what} EXECUTE FUNCTION refuse()"
        );
        self.admin().batch_execute(&sql).unwrap();
    }

    /// How often somebody has tried to write what [`Self::refuse`] is about.
    pub fn tries(&self) -> i64 {
        self.rows("SELECT FROM refusals, generate_series(1, last_value) WHERE is_called")
    }

    /// Every row of every table as text, also of those that only the superuser sees; binary columns as hexadecimal digits.
    pub fn dump(&self) -> String {
        let mut admin = self.admin();
        let tables =
            "SELECT oid::regclass::text AS line FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition
                      AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')";
        let tables = lines(&mut admin, tables);
        assert!(tables.iter().any(|table| table == "audit_events"));
        let rows = |table: &String| lines(&mut admin, &format!("SELECT row::text AS line FROM {table} AS row"));
        tables.iter().flat_map(rows).collect::<Vec<_>>().join("\n")
    }

    /// The name of the database.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Default for TestDatabase {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // A service may still be connected; the whole server goes soon anyway.
        let _ = Server::get().say_everywhere(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

/// The one column of [`count`].
#[derive(QueryableByName)]
pub struct Count {
    /// The number.
    #[diesel(sql_type = BigInt)]
    pub count: i64,
}

/// How many rows a query selects on this connection.
pub fn count(connection: &mut PgConnection, query: &str) -> i64 {
    let sql = format!("SELECT count(*) AS count FROM ({query}) AS rows");
    diesel::sql_query(sql).get_result::<Count>(connection).unwrap().count
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// What a query selects as `line`, on this connection.
pub fn lines(connection: &mut PgConnection, query: &str) -> Vec<String> {
    let rows = diesel::sql_query(query).load::<Line>(connection).unwrap();
    rows.into_iter().map(|row| row.line).collect()
}
