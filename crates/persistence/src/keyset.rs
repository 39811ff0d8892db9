//! Pages by key set: a page starts at a value of an index, so that it costs the same wherever it is in the list.

use diesel::{
    expression::{ValidGrouping, expression_types::NotSelectable, is_aggregate},
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, QueryFragment},
    query_dsl::methods::{FilterDsl, LimitDsl, OrderDsl, ThenOrderDsl},
    sql_types::{Bool, SingleValue, SqlType, Text, Timestamptz, Uuid as SqlUuid},
};
use tenantry_domain::{PageRequest, Sort, SortBy};
use uuid::Uuid;

/// A table that is read in pages, with the columns that its pages can be sorted by.
pub(crate) trait Keyset: Sized + 'static {
    /// Decides between rows that are otherwise equal.
    type Id: SortColumn<Self, SqlUuid>;
    /// What [`SortBy::Name`] means.
    type Name: SortColumn<Self, Text>;
    /// What [`SortBy::CreatedAt`] means.
    type CreatedAt: SortColumn<Self, Timestamptz>;
    /// What [`SortBy::UpdatedAt`] means.
    type UpdatedAt: SortColumn<Self, Timestamptz>;
}

/// A column of the table, of this type.
pub(crate) trait SortColumn<T, ST>:
    Column<Table = T>
    + Expression<SqlType = ST>
    + SelectableExpression<T>
    + ValidGrouping<(), IsAggregate = is_aggregate::No>
    + QueryFragment<Pg>
    + Default
    + Send
    + 'static
{
}

impl<C, T, ST> SortColumn<T, ST> for C where
    C: Column<Table = T>
        + Expression<SqlType = ST>
        + SelectableExpression<T>
        + ValidGrouping<(), IsAggregate = is_aggregate::No>
        + QueryFragment<Pg>
        + Default
        + Send
        + 'static
{
}

type Condition<T> = Box<dyn BoxableExpression<T, Pg, SqlType = Bool>>;
type Order<T> = Box<dyn BoxableExpression<T, Pg, SqlType = NotSelectable>>;

/// The rows of one page, in the order asked for; and one more, which tells whether there is another page.
pub(crate) fn page<T: Keyset, Q>(query: Q, request: &PageRequest) -> Q
where
    Q: FilterDsl<Condition<T>, Output = Q>
        + OrderDsl<Order<T>, Output = Q>
        + ThenOrderDsl<Order<T>, Output = Q>
        + LimitDsl<Output = Q>,
{
    match request.sort.by {
        SortBy::Name => sorted::<T, T::Name, Text, Q>(query, request, "text"),
        SortBy::CreatedAt => sorted::<T, T::CreatedAt, Timestamptz, Q>(query, request, "timestamptz"),
        SortBy::UpdatedAt => sorted::<T, T::UpdatedAt, Timestamptz, Q>(query, request, "timestamptz"),
    }
}

fn sorted<T: Keyset, C: SortColumn<T, ST>, ST: SqlType + SingleValue, Q>(
    query: Q,
    request: &PageRequest,
    cast: &'static str,
) -> Q
where
    Q: FilterDsl<Condition<T>, Output = Q>
        + OrderDsl<Order<T>, Output = Q>
        + ThenOrderDsl<Order<T>, Output = Q>
        + LimitDsl<Output = Q>,
{
    let Sort { descending, .. } = request.sort;
    let query = match &request.after {
        Some(position) => {
            let (column, id) = (C::default(), T::Id::default());
            query.filter(Box::new(Beyond {
                column,
                id,
                descending,
                key: position.key().to_owned(),
                after: position.id(),
                cast,
            }))
        }
        None => query,
    };
    let query =
        query.order(direction::<T, C, ST>(descending)).then_order_by(direction::<T, T::Id, SqlUuid>(descending));
    query.limit(i64::try_from(request.limit.get() + 1).unwrap_or(i64::MAX))
}

fn direction<T: Keyset, C: SortColumn<T, ST>, ST: SqlType + SingleValue>(descending: bool) -> Order<T> {
    if descending { Box::new(C::default().desc()) } else { Box::new(C::default().asc()) }
}

/// The rows beyond a position: a comparison of rows, which one range of the index answers.
struct Beyond<C, I> {
    column: C,
    id: I,
    descending: bool,
    key: String,
    after: Uuid,
    cast: &'static str,
}

impl<C, I> Expression for Beyond<C, I> {
    type SqlType = Bool;
}

impl<C, I, GB> ValidGrouping<GB> for Beyond<C, I> {
    type IsAggregate = is_aggregate::No;
}

impl<C: AppearsOnTable<QS>, I: AppearsOnTable<QS>, QS> AppearsOnTable<QS> for Beyond<C, I> {}
impl<C: SelectableExpression<QS>, I: SelectableExpression<QS>, QS> SelectableExpression<QS> for Beyond<C, I> {}

impl<C: QueryFragment<Pg>, I: QueryFragment<Pg>> QueryFragment<Pg> for Beyond<C, I> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("(");
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(", ");
        self.id.walk_ast(out.reborrow())?;
        out.push_sql(if self.descending { ") < (" } else { ") > (" });
        out.push_bind_param::<Text, _>(&self.key)?;
        out.push_sql("::");
        out.push_sql(self.cast);
        out.push_sql(", ");
        out.push_bind_param::<SqlUuid, _>(&self.after)?;
        out.push_sql(")");
        Ok(())
    }
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// A text as searches compare it: in either case, with accents or without, in either spelling.
    fn search_form(text: Text) -> Text;

    /// A search text as a pattern for `LIKE` that matches its search form literally anywhere.
    fn search_pattern(text: Text) -> Text;
}
