//! What is in a workspace, in one column: rows of several tables beside each other.

use chrono::{DateTime, Utc};
use diesel::{
    QueryResult, Queryable, Selectable,
    deserialize::{self, FromSql, FromSqlRow},
    expression::Expression,
    pg::{Pg, PgValue},
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Record, Timestamptz},
};

use crate::{integrations, slots, usage};

/// Of so many agents or slots, the door tells: everybody else in the batch would wait for them.
const MOST: usize = 200;

/// What is in a workspace.
#[derive(Clone, FromSqlRow)]
pub(crate) struct Contents {
    /// When that was, by the clock of the database.
    pub(crate) clock: DateTime<Utc>,
    pub(crate) agents: i64,
    /// What was used in those months that can be the present one.
    pub(crate) months: Vec<usage::MonthRow>,
    pub(crate) integrations: Vec<integrations::Row>,
    pub(crate) slots: Vec<slots::Row>,
}

impl Contents {
    /// Whether nothing is left out.
    pub(super) fn is_whole(&self) -> bool {
        self.slots.len() < MOST && usize::try_from(self.agents).is_ok_and(|agents| agents < MOST)
    }
}

/// The call of the function that reads it, in the workspace of each look-up. For whoever the tenant does not know, nothing is read.
pub(super) fn from() -> String {
    format!(
        ", workspace_contents(CASE WHEN (l.api_key).id IS NOT NULL OR (l.member).id IS NOT NULL THEN (l.tenant).id END,
        (l.workspace).id, {MOST}) AS contents"
    )
}

type Columns<T> = <T as Selectable<Pg>>::SelectExpression;
/// The type of the rows of an array.
type Several<T> = Array<Record<<Columns<T> as Expression>::SqlType>>;
type Months = Several<usage::MonthRow>;
type Integrations = Several<integrations::Row>;
type Slots = Several<slots::Row>;
type Sql = Record<(Timestamptz, BigInt, Months, Integrations, Slots)>;

/// The expression of this column.
#[derive(QueryId)]
pub(crate) struct Column {
    months: Columns<usage::MonthRow>,
    integrations: Columns<integrations::Row>,
    slots: Columns<slots::Row>,
}

impl Selectable<Pg> for Contents {
    type SelectExpression = Column;

    fn construct_selection() -> Column {
        fn of<T: Selectable<Pg>>() -> Columns<T> {
            T::construct_selection()
        }
        Column { months: of::<usage::MonthRow>(), integrations: of::<integrations::Row>(), slots: of::<slots::Row>() }
    }
}

impl Expression for Column {
    type SqlType = Sql;
}

impl QueryFragment<Pg> for Column {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "CASE WHEN contents.clock IS NOT NULL THEN ROW(contents.clock, contents.agents, ARRAY(SELECT ROW(",
        );
        self.months.walk_ast(out.reborrow())?;
        out.push_sql(") FROM unnest(contents.months) AS usage_months), ARRAY(SELECT ROW(");
        self.integrations.walk_ast(out.reborrow())?;
        out.push_sql(") FROM unnest(contents.integrations) AS integrations), ARRAY(SELECT ROW(");
        self.slots.walk_ast(out.reborrow())?;
        out.push_sql(") FROM unnest(contents.slots) AS slots)) END");
        Ok(())
    }
}

impl FromSql<Sql, Pg> for Contents {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        type Rows = (DateTime<Utc>, i64, Of<usage::MonthRow>, Of<integrations::Row>, Of<slots::Row>);
        let (clock, agents, Of(months), Of(integrations), Of(slots)) = <Rows as FromSql<Sql, Pg>>::from_sql(value)?;
        Ok(Self { clock, agents, months, integrations, slots })
    }
}

/// The rows of an array.
struct Of<T>(Vec<T>);

impl<T, S: 'static> FromSql<Array<Record<S>>, Pg> for Of<T>
where
    T: Queryable<S, Pg>,
    T::Row: FromSql<Record<S>, Pg>,
{
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let rows: Vec<T::Row> = FromSql::<Array<Record<S>>, Pg>::from_sql(value)?;
        rows.into_iter().map(T::build).collect::<Result<_, _>>().map(Self)
    }
}
