//! Writes that are prepared.
//!
//! Diesel prepares what it reads, and sends each `INSERT` and `UPDATE` to be parsed and planned anew: it cannot know that a
//! statement has the same words each time. Ours do, apart from a few forms, and are found again by their words.

use diesel::{
    PgConnection, QueryResult, RunQueryDsl,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
};

/// A statement that is prepared once for each connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prepared<S>(S);

/// Statements that can be prepared.
pub(crate) trait Prepare: Sized {
    /// The same statement, prepared once for each connection: for what is written often.
    fn prepared(self) -> Prepared<Self> {
        Prepared(self)
    }
}

impl<S: QueryFragment<Pg>> Prepare for S {}

impl<S: QueryFragment<Pg>> QueryFragment<Pg> for Prepared<S> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _: &Pg) -> QueryResult<bool> {
        Ok(true)
    }
}

// Without an id: the words are the key.
impl<S> QueryId for Prepared<S> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<S: Query> Query for Prepared<S> {
    type SqlType = S::SqlType;
}

impl<S> RunQueryDsl<PgConnection> for Prepared<S> {}
