//! Pages by key set: a page starts at a value of an index, so that it costs the same wherever it is in the list.

use diesel::{
    dsl::{AsExprOf, sql},
    expression::{SqlLiteral, UncheckedBind},
    sql_types::{Bool, Text, Untyped, Uuid as SqlUuid},
};
use tenantry_domain::{PageRequest, Position, Sort, SortBy};
use uuid::Uuid;

/// `(column, id)` in the order asked for. The names are ours and never the caller's.
pub(crate) fn order(table: &'static str, sort: Sort) -> SqlLiteral<Untyped> {
    let (column, way) = (column(table, sort.by), if sort.descending { "DESC" } else { "ASC" });
    sql(&format!("{table}.{column} {way}, {table}.id {way}"))
}

/// The rows after a position: a comparison of rows, which one range of the index answers.
pub(crate) fn after(table: &'static str, sort: Sort, position: &Position) -> After {
    let (column, beyond) = (column(table, sort.by), if sort.descending { "<" } else { ">" });
    let cast = if sort.by == SortBy::Name { "text" } else { "timestamptz" };
    sql::<Bool>(&format!("({table}.{column}, {table}.id) {beyond} ("))
        .bind::<Text, _>(position.key().to_owned())
        .sql(&format!("::{cast}, "))
        .bind::<SqlUuid, _>(position.id())
        .sql(")")
}

/// The type of [`after`].
pub(crate) type After = SqlLiteral<
    Bool,
    UncheckedBind<SqlLiteral<Bool, UncheckedBind<SqlLiteral<Bool>, AsExprOf<String, Text>>>, AsExprOf<Uuid, SqlUuid>>,
>;

/// One more row than the page holds, which tells whether there is another page.
pub(crate) fn limit(request: &PageRequest) -> i64 {
    i64::try_from(request.limit.get() + 1).unwrap_or(i64::MAX)
}

fn column(table: &str, by: SortBy) -> &'static str {
    match by {
        SortBy::Name if matches!(table, "members" | "invitations") => "email_key",
        SortBy::CreatedAt if table == "audit_events" => "occurred_at",
        SortBy::CreatedAt => "created_at",
        SortBy::UpdatedAt => "updated_at",
        SortBy::Name => "name",
    }
}

/// A search text as a pattern for `ILIKE` that matches it literally anywhere.
pub(crate) fn contains(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_search_text_is_taken_literally() {
        assert_eq!(super::contains(r"50%_\x"), r"%50\%\_\\x%");
    }
}
