//! Distribution of the tables over the workers of a Citus cluster, by tenant. What there is to distribute is read from the catalogue, so
//! that a new table needs no line here.

use std::collections::BTreeSet;

use diesel::{
    PgConnection, QueryResult, QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    sql_query,
    sql_types::{Array, BigInt, Bool, Text},
};

use crate::pool::establish;

/// Why nothing was distributed.
#[derive(Debug, thiserror::Error)]
pub enum DistributeError {
    /// The database does not answer or does not let the owner in.
    #[error("cannot connect to the database: {0}")]
    Connect(#[from] diesel::ConnectionError),
    /// A statement failed. Those before it stay, and the next time begins with this one.
    #[error("the database refused: {0}")]
    Database(#[from] diesel::result::Error),
    /// It is an ordinary PostgreSQL.
    #[error(
        "this database has no Citus, and nothing is distributed over it: as an administrator run CREATE EXTENSION citus in it on the \
         coordinator and on each worker, and then SELECT citus_add_node('HOST', 5432) for each worker"
    )]
    NoCitus,
    /// There is nowhere to distribute anything to.
    #[error("this cluster has no worker: as an administrator run SELECT citus_add_node('HOST', 5432) for each")]
    NoWorker,
    /// The migrations have not run.
    #[error("this database has no tables of Tenantry yet: run `tenantry migrate run` first")]
    NoTables,
}

/// The setting by which `SET LOCAL` reaches the workers. Without it no row is seen there.
const PROPAGATES: &str = "citus.propagate_set_commands";

/// Whether the database is distributed: some of what PostgreSQL can do, Citus refuses or does on one server only.
pub(crate) fn is_distributed(connection: &mut PgConnection) -> QueryResult<bool> {
    diesel::select(diesel::dsl::sql::<Bool>("to_regclass('pg_dist_partition') IS NOT NULL")).get_result(connection)
}

/// A connection of the owner.
pub struct Distributor {
    connection: PgConnection,
}

#[derive(QueryableByName)]
struct Cluster {
    #[diesel(sql_type = Text)]
    database: String,
    #[diesel(sql_type = Bool)]
    has_citus: bool,
    #[diesel(sql_type = Bool)]
    has_tables: bool,
    #[diesel(sql_type = Bool)]
    propagates: bool,
}

const CLUSTER: &str = "SELECT quote_ident(current_database()) AS database,
        EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') AS has_citus,
        to_regclass('public.tenants') IS NOT NULL AS has_tables,
        EXISTS (SELECT FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase
                WHERE datname = current_database() AND setrole = 0 AND 'citus.propagate_set_commands=local' = ANY (setconfig)) AS propagates";

/// A table that is no partition, with what Citus must know of it.
#[derive(QueryableByName)]
struct Table {
    #[diesel(sql_type = Text)]
    name: String,
    /// The column that says whose a row is; empty where a row is nobody's.
    #[diesel(sql_type = Text)]
    tenant: String,
    /// What it refers to.
    #[diesel(sql_type = Array<Text>)]
    refers_to: Vec<String>,
    /// Itself and its partitions, as far as row security binds the owner there.
    #[diesel(sql_type = Array<Text>)]
    forced: Vec<String>,
    /// Statements by which indexes become such that a distributed table may have.
    #[diesel(sql_type = Array<Text>)]
    reindex: Vec<String>,
}

/// The tables that are not an extension's. An index that is unique beyond a tenant would have to be kept on one node.
const TABLES: &str = "
    WITH ours AS (
        SELECT oid, relname, format('%I', relname) AS name, CASE relname WHEN 'tenants' THEN 'id' ELSE coalesce((
                   SELECT attname::text FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'tenant_id'), '') END AS tenant
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
             AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e'))
    SELECT name, tenant,
           ARRAY(SELECT DISTINCT there.name FROM pg_constraint JOIN ours AS there ON there.oid = confrelid
                 WHERE conrelid = ours.oid AND contype = 'f' AND confrelid <> conrelid ORDER BY 1) AS refers_to,
           ARRAY(SELECT format('%I', relname) FROM pg_class WHERE relforcerowsecurity
                 AND (oid = ours.oid OR oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = ours.oid)) ORDER BY 1) AS forced,
           ARRAY(SELECT format('DROP INDEX %I; %s', class.relname,
                               replace(pg_get_indexdef(indexrelid), 'CREATE UNIQUE INDEX', 'CREATE INDEX'))
                 FROM pg_index JOIN pg_class AS class ON class.oid = indexrelid
                 WHERE indrelid = ours.oid AND indisunique AND NOT indisprimary AND tenant <> ''
                   AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = ours.oid AND attname = tenant AND attnum = ANY (indkey))
                 ORDER BY 1) AS reindex
    FROM ours ORDER BY name";

/// A function, with those of ours that its body calls: a worker accepts none that calls what is not there.
#[derive(QueryableByName)]
struct Function {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Array<Text>)]
    calls: Vec<String>,
}

/// The functions that are not an extension's: some are called on the workers. The catalogue does not know what stands in their bodies.
const FUNCTIONS: &str = r"
    WITH ours AS (
        SELECT oid, proname, prosrc, oid::regprocedure::text AS name FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e'))
    SELECT name, ARRAY(SELECT called.name FROM ours AS called
                       WHERE called.oid <> ours.oid AND ours.prosrc ~ format('\m%s\s*\(', called.proname) ORDER BY 1) AS calls
    FROM ours ORDER BY name";

/// The tables that are distributed by their tenant beside the list of tenants, or are on every node because they are nobody's.
const DISTRIBUTED: &str = "
    SELECT format('%I', relname) AS name FROM pg_dist_partition AS this JOIN pg_class ON pg_class.oid = logicalrelid
    WHERE partmethod = 'n' AND repmodel = 't'
       OR partmethod = 'h' AND colocationid = (SELECT colocationid FROM pg_dist_partition WHERE logicalrelid = 'tenants'::regclass)
          AND column_to_column_name(logicalrelid, partkey) = CASE relname WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END";

const SENT: &str = "
    SELECT objid::regprocedure::text AS name FROM pg_catalog.pg_dist_object WHERE classid = 'pg_proc'::regclass";

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// What is already so.
#[derive(Default)]
struct Done {
    tables: BTreeSet<String>,
    functions: BTreeSet<String>,
}

impl Distributor {
    /// Connects as the owner.
    ///
    /// # Errors
    ///
    /// See [`DistributeError`].
    pub fn connect(owner_url: &str) -> Result<Self, DistributeError> {
        let mut connection = establish(owner_url)?;
        connection
            .batch_execute("SET application_name = 'tenantry distribute'; SET client_min_messages = 'warning'")?;
        Ok(Self { connection })
    }

    /// Refuses where nothing can be distributed.
    ///
    /// # Errors
    ///
    /// [`DistributeError::NoCitus`], [`DistributeError::NoWorker`], and faults of the connection.
    pub fn check_cluster(&mut self) -> Result<(), DistributeError> {
        let Cluster { has_citus, .. } = sql_query(CLUSTER).get_result(&mut self.connection)?;
        if !has_citus {
            return Err(DistributeError::NoCitus);
        }
        let workers = "SELECT count(*) FROM pg_dist_node WHERE noderole = 'primary' AND isactive AND shouldhaveshards";
        match sql_query(workers).get_result::<Count>(&mut self.connection)?.count {
            0 => Err(DistributeError::NoWorker),
            _ => Ok(()),
        }
    }

    /// The statements that are missing, in the order in which they can be run: all of them where there is no Citus.
    ///
    /// # Errors
    ///
    /// [`DistributeError::NoTables`], and faults of the connection.
    pub fn missing(&mut self) -> Result<Vec<String>, DistributeError> {
        let cluster: Cluster = sql_query(CLUSTER).get_result(&mut self.connection)?;
        if !cluster.has_tables {
            return Err(DistributeError::NoTables);
        }
        let done = if cluster.has_citus { self.done()? } else { Done::default() };
        let tables: Vec<Table> = sql_query(TABLES).load(&mut self.connection)?;
        let tables = in_order(tables, |table| (&table.name, &table.refers_to));
        let functions: Vec<Function> = sql_query(FUNCTIONS).load(&mut self.connection)?;
        let functions = in_order(functions, |function| (&function.name, &function.calls));
        let mut statements = Vec::new();
        if !cluster.propagates {
            statements.push(format!("ALTER DATABASE {} SET {PROPAGATES} TO 'local'", cluster.database));
        }
        // First: the rows of a table are moved as its owner, who sees none under forced row security.
        for name in tables.iter().flat_map(|table| &table.forced) {
            statements.push(format!("ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY"));
        }
        for Table { name, tenant, reindex, .. } in tables.iter().filter(|table| !done.tables.contains(&table.name)) {
            statements.extend(reindex.iter().cloned());
            statements.push(match (name.as_str(), tenant.as_str()) {
                (name, "") => format!("SELECT create_reference_table('{name}')"),
                ("tenants", id) => format!("SELECT create_distributed_table('tenants', '{id}')"),
                (name, id) => format!("SELECT create_distributed_table('{name}', '{id}', colocate_with => 'tenants')"),
            });
        }
        let functions = functions.into_iter().filter(|function| !done.functions.contains(&function.name));
        statements
            .extend(functions.map(|Function { name, .. }| format!("SELECT create_distributed_function('{name}')")));
        Ok(statements)
    }

    /// Runs one of [`Self::missing`].
    ///
    /// # Errors
    ///
    /// See [`DistributeError`].
    pub fn run(&mut self, statement: &str) -> Result<(), DistributeError> {
        Ok(self.connection.batch_execute(statement)?)
    }

    fn done(&mut self) -> Result<Done, DistributeError> {
        let mut names = |sql: &str| -> Result<BTreeSet<String>, DistributeError> {
            let names: Vec<Name> = sql_query(sql).load(&mut self.connection)?;
            Ok(names.into_iter().map(|name| name.name).collect())
        };
        Ok(Done { tables: names(DISTRIBUTED)?, functions: names(SENT)? })
    }
}

/// Each after those that it needs, by name and needs: Citus accepts no reference to what is not distributed yet.
fn in_order<T>(mut things: Vec<T>, names: impl Fn(&T) -> (&String, &Vec<String>)) -> Vec<T> {
    let mut ordered: Vec<T> = Vec::with_capacity(things.len());
    while !things.is_empty() {
        let is_next =
            |thing: &T| names(thing).1.iter().all(|needed| ordered.iter().any(|known| names(known).0 == needed));
        // Where they need each other in a circle, Citus says so.
        let next = things.iter().position(is_next).unwrap_or(0);
        ordered.push(things.remove(next));
    }
    ordered
}
