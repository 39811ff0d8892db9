//! All rows that there are, to see that nothing has changed: seen as the superuser, behind the service's back.

use std::collections::{BTreeMap, HashSet};

use diesel::PgConnection;

use crate::{TestDatabase, lines};

/// Looks at the rows of one database, or of one tenant in it.
pub struct Rows {
    admin: PgConnection,
    /// Each table with the column that holds the tenant's id.
    tables: Vec<(String, &'static str)>,
}

/// The rows of each table as text.
pub type Snapshot = BTreeMap<String, Vec<String>>;

impl Rows {
    /// Of this database.
    pub fn of(database: &TestDatabase) -> Self {
        let mut admin = database.admin();
        let tables = lines(
            &mut admin,
            // Rows of partitions are those of their table.
            "SELECT relname::text AS line FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
             AND NOT relispartition AND relname <> '__diesel_schema_migrations' ORDER BY 1",
        );
        let column = |table: &String| if table == "tenants" { "id" } else { "tenant_id" };
        let tables = tables.into_iter().map(|table| (table.clone(), column(&table))).collect();
        Self { admin, tables }
    }

    /// Every table that holds rows of tenants.
    pub fn tables(&self) -> Vec<String> {
        self.tables.iter().map(|(table, _)| table.clone()).collect()
    }

    /// Every row of every table.
    pub fn all(&mut self) -> Snapshot {
        self.take("true")
    }

    /// Every row of this tenant.
    pub fn of_tenant(&mut self, tenant: impl std::fmt::Display) -> Snapshot {
        self.take(&format!("TENANT = '{tenant}'"))
    }

    /// Every row of every other tenant.
    pub fn of_others(&mut self, tenant: impl std::fmt::Display) -> Snapshot {
        self.take(&format!("TENANT <> '{tenant}'"))
    }

    /// With one statement, because it is asked for before and after each of thousands of calls.
    fn take(&mut self, condition: &str) -> Snapshot {
        let of_one = |(table, column): &(String, &str)| {
            let condition = condition.replace("TENANT", column);
            format!("SELECT '{table} ' || row::text AS line FROM {table} AS row WHERE {condition}")
        };
        let of_all: Vec<_> = self.tables.iter().map(of_one).collect();
        let mut snapshot: Snapshot = self.tables.iter().map(|(table, _)| (table.clone(), Vec::new())).collect();
        for line in lines(&mut self.admin, &of_all.join(" UNION ALL ")) {
            let (table, row) = line.split_once(' ').unwrap();
            snapshot.get_mut(table).unwrap().push(row.to_owned());
        }
        snapshot.values_mut().for_each(|rows| rows.sort_unstable());
        snapshot
    }
}

/// What two snapshots differ in: one line for each row that is in only one of them.
pub fn difference(before: &Snapshot, after: &Snapshot) -> Vec<String> {
    let mut difference = Vec::new();
    for (table, rows) in after {
        let old = before.get(table).map(Vec::as_slice).unwrap_or_default();
        if old == rows.as_slice() {
            continue;
        }
        let (was, is): (HashSet<_>, HashSet<_>) = (old.iter().collect(), rows.iter().collect());
        difference.extend(old.iter().filter(|row| !is.contains(row)).map(|row| format!("- {table} {row}")));
        difference.extend(rows.iter().filter(|row| !was.contains(row)).map(|row| format!("+ {table} {row}")));
    }
    difference
}
