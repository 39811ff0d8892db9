//! How many rows there are, of each tenant and in each table.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query, sql_types};
use serde::{Deserialize, Serialize};

/// At most so many differences are named.
const NAMED: usize = 10;

/// The numbers of rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// Of each table.
    pub tables: BTreeMap<String, u64>,
    /// Of each tenant, by its id and the table.
    pub tenants: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Rows {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.tables.values().sum()
    }

    /// Where other rows differ from these, in words; empty if nowhere.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let (ours, theirs) = (self.by_place(), other.by_place());
        let places: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
        let number = |rows: &BTreeMap<_, u64>, place: &(&str, &str)| rows.get(place).copied().unwrap_or_default();
        let different = places.into_iter().filter(|place| number(&ours, place) != number(&theirs, place));
        let mut words: Vec<_> = different
            .map(|place| {
                let of = if place.0.is_empty() { String::new() } else { format!(" of tenant {}", place.0) };
                format!("{}{of}: {} instead of {}", place.1, number(&theirs, place), number(&ours, place))
            })
            .collect();
        if words.len() > NAMED {
            let more = words.len() - NAMED;
            words.truncate(NAMED);
            words.push(format!("and {more} more"));
        }
        words
    }

    fn by_place(&self) -> BTreeMap<(&str, &str), u64> {
        let tables = self.tables.iter().map(|(table, rows)| (("", table.as_str()), *rows));
        let of_tenants = self
            .tenants
            .iter()
            .flat_map(|(tenant, tables)| tables.iter().map(|(table, rows)| ((tenant.as_str(), table.as_str()), *rows)));
        tables.chain(of_tenants).collect()
    }
}

#[derive(QueryableByName)]
struct Table {
    #[diesel(sql_type = sql_types::Text)]
    name: String,
    #[diesel(sql_type = sql_types::Bool)]
    of_tenants: bool,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = sql_types::Text)]
    tenant: String,
    #[diesel(sql_type = sql_types::BigInt)]
    count: i64,
}

/// Counts every row. The role must see them all.
pub(super) fn count(connection: &mut PgConnection) -> Result<Rows, diesel::result::Error> {
    let tables = "SELECT relname::text AS name,
            EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'tenant_id') AS of_tenants
        FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace ORDER BY 1";
    let mut rows = Rows::default();
    for Table { name, of_tenants } in sql_query(tables).load::<Table>(connection)? {
        let tenant = match (of_tenants, name.as_str()) {
            (true, _) => "tenant_id::text",
            (false, "tenants") => "id::text",
            (false, _) => "''",
        };
        let counts = format!("SELECT {tenant} AS tenant, count(*) AS count FROM public.\"{name}\" GROUP BY 1");
        let mut total = 0;
        for Count { tenant, count } in sql_query(counts).load::<Count>(connection)? {
            let count = u64::try_from(count).unwrap_or_default();
            total += count;
            if !tenant.is_empty() {
                rows.tenants.entry(tenant).or_default().insert(name.clone(), count);
            }
        }
        rows.tables.insert(name, total);
    }
    Ok(rows)
}
