//! What reverting migrations would destroy: it is done in a transaction that is rolled back, and the tables of before and after
//! are compared.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl,
    connection::{AnsiTransactionManager, SimpleConnection, TransactionManager},
    result::Error,
    sql_query,
    sql_types::{BigInt, Text},
};

use super::{MigrateError, Migrated, Migrator, revert_one, turn::patiently};

/// What would be lost with the last migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The migrations, the newest first.
    pub migrations: Migrated,
    /// The tables, each with the number of its rows, of all tenants together.
    pub tables: Vec<(String, i64)>,
    /// The columns of tables that stay, as `table.column`.
    pub columns: Vec<String>,
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = Text)]
    id: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

type Columns = BTreeMap<String, BTreeSet<String>>;

impl Migrator {
    /// What [`Migrator::revert`] would destroy. For a moment this locks the tables that it would change.
    ///
    /// # Errors
    ///
    /// See [`MigrateError`].
    pub fn rehearse_revert(&mut self, count: usize) -> Result<Lost, MigrateError> {
        let before = columns(&mut self.connection)?;
        let migrations = self.last(count)?;
        let after =
            patiently(&mut self.connection, &self.turn, |connection| after_reverting(connection, migrations.len()))?;
        let gone: Vec<_> = before.keys().filter(|table| !after.contains_key(*table)).cloned().collect();
        let mut lost = Vec::new();
        for (table, had) in &before {
            let has = after.get(table);
            lost.extend(
                had.iter()
                    .filter(|column| has.is_some_and(|has| !has.contains(*column)))
                    .map(|column| format!("{table}.{column}")),
            );
        }
        Ok(Lost { migrations, tables: counted(&mut self.connection, &before, gone)?, columns: lost })
    }
}

/// The columns that would be left.
fn after_reverting(connection: &mut PgConnection, count: usize) -> Result<Columns, MigrateError> {
    // Each migration has a transaction of its own, which is a savepoint in this one.
    AnsiTransactionManager::begin_transaction(connection)?;
    let outcome = (0..count).try_for_each(|_| revert_one(connection).map(drop)).and_then(|()| Ok(columns(connection)?));
    AnsiTransactionManager::rollback_transaction(connection)?;
    outcome
}

fn columns(connection: &mut PgConnection) -> Result<Columns, Error> {
    // Rows of partitions are those of their table.
    let sql = "SELECT relname::text AS table_name, attname::text AS column_name
        FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v') AND NOT relispartition";
    let mut columns = Columns::new();
    for column in sql_query(sql).load::<Column>(connection)? {
        columns.entry(column.table_name).or_default().insert(column.column_name);
    }
    Ok(columns)
}

/// The tables with how many rows they have. Row security binds the owner too, so that each tenant is visited.
fn counted(
    connection: &mut PgConnection,
    columns: &Columns,
    tables: Vec<String>,
) -> Result<Vec<(String, i64)>, MigrateError> {
    let has_tenants = columns.contains_key("tenants");
    let of_tenants = |table: &str| columns.get(table).is_some_and(|columns| columns.contains("tenant_id"));
    #[expect(clippy::disallowed_methods, reason = "the owner's connection, which does not go through the door")]
    let counted = connection.transaction(|connection| {
        let mut tenants = Vec::new();
        if has_tenants {
            connection.batch_execute("SELECT set_platform()")?;
            tenants = sql_query("SELECT id::text AS id FROM tenants").load::<Id>(connection)?;
        }
        let mut counts = Vec::new();
        for table in tables {
            let rows = if of_tenants(&table) {
                let mut rows = 0;
                for Id { id } in &tenants {
                    connection.batch_execute(&format!("SELECT set_tenant('{id}')"))?;
                    rows += count(connection, &table)?;
                }
                rows
            } else if table == "tenants" {
                i64::try_from(tenants.len()).unwrap_or(i64::MAX)
            } else {
                count(connection, &table)?
            };
            counts.push((table, rows));
        }
        Ok::<_, Error>(counts)
    });
    Ok(counted?)
}

fn count(connection: &mut PgConnection, table: &str) -> Result<i64, Error> {
    Ok(sql_query(format!("SELECT count(*) AS count FROM \"{table}\"")).get_result::<Count>(connection)?.count)
}
