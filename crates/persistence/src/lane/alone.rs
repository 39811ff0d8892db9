//! Statements that read something together with who asks for it, for one visitor.

use diesel::{
    PgConnection, QueryResult, Queryable, RunQueryDsl, Selectable, SelectableHelper,
    connection::DefaultLoadingMode,
    expression::Expression,
    helper_types::AsSelect,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, Text, Uuid as SqlUuid},
};
use tenantry_domain::{Choice, MemberId, PageRequest, Reach, Role, TenantId};
use uuid::Uuid;

use super::statement::in_own_session;
use crate::{
    places::{Known, Visitor},
    tenants::{self, PendingInvitations, pending_invitations},
    workspaces,
};

/// One visitor, as a table `l` of one row or none.
struct One<'a> {
    visitor: &'a Visitor,
    /// The name of the connection, if the statement has to ask whether the session is its own.
    connection: Option<&'a str>,
}

impl One<'_> {
    /// Before anything else of the statement is read: what `look_ups` sets is what row security goes by.
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH l AS MATERIALIZED (SELECT * FROM look_ups(ARRAY[");
        out.push_bind_param::<SqlUuid, _>(&self.visitor.tenant)?;
        out.push_sql("]::uuid[], ARRAY[");
        out.push_bind_param::<Nullable<Binary>, _>(&self.visitor.key)?;
        out.push_sql("]::bytea[], ARRAY[");
        out.push_bind_param::<Nullable<Text>, _>(&self.visitor.issuer)?;
        out.push_sql("]::text[], ARRAY[");
        out.push_bind_param::<Nullable<Text>, _>(&self.visitor.subject)?;
        out.push_sql("]::text[], ARRAY[NULL]::uuid[], ARRAY[NULL]::bigint[], ");
        in_own_session(&mut out, self.connection, |out| {
            out.push_sql("false");
            Ok(())
        })?;
        out.push_sql("))");
        Ok(())
    }
}

/// Who asks, as tables of the names that they have elsewhere.
const WHO: &str = " FROM l, LATERAL (SELECT (l.tenant).*) AS tenants, LATERAL (SELECT (l.api_key).*) AS api_keys,
    LATERAL (SELECT (l.member).*) AS members";

/// Which page of workspaces.
pub(crate) struct PageOfWorkspaces {
    pub(crate) search: Option<String>,
    /// Only its limit, its position and its direction: it is in the order of creation.
    pub(crate) page: PageRequest,
}

/// In a tenant of more workspaces than this, how a search is read best is worth a plan of its own, which the door asks for.
const SEARCHED: i64 = 10_000;

type PageColumns = (Known, Option<Counts>, Option<workspaces::Row>);

/// The first row is who asks, and has a place. The others are those of the page.
struct PageStatement<'a> {
    one: One<'a>,
    columns: AsSelect<PageColumns, Pg>,
    /// Of members who reach all of the tenant.
    roles: Vec<&'static str>,
    asked: &'a PageOfWorkspaces,
    key: Option<&'a str>,
    id: Option<Uuid>,
    most: i32,
    of_at_most: i64,
}

/// Rows of a page are those of nobody.
const OF_A_PAGE: &str = " FROM l, LATERAL (SELECT (NULL::tenants).*) AS tenants,
    LATERAL (SELECT (NULL::api_keys).*) AS api_keys, LATERAL (SELECT (NULL::members).*) AS members,
    LATERAL page_of_workspaces((l.tenant).id, ";

/// Whoever reaches less is asked at the door, and their page is not read here.
const REACHES_ALL: &str = " AND ((l.api_key).id IS NOT NULL AND (l.api_key).brand_id IS NULL
    AND (l.api_key).workspace_id IS NULL OR (l.member).role = ANY(";

// Statements of other lifetimes are the same.
impl QueryId for PageStatement<'_> {
    type QueryId = PageStatement<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for PageStatement<'_> {
    type SqlType = (Nullable<Integer>, <AsSelect<PageColumns, Pg> as Expression>::SqlType);
}

impl RunQueryDsl<PgConnection> for PageStatement<'_> {}

impl QueryFragment<Pg> for PageStatement<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.one.walk_ast(out.reborrow())?;
        out.push_sql(" SELECT l.place, ");
        self.columns.walk_ast(out.reborrow())?;
        out.push_sql(WHO);
        out.push_sql(", LATERAL (SELECT (NULL::workspaces).*) AS workspaces UNION ALL SELECT NULL, ");
        self.columns.walk_ast(out.reborrow())?;
        out.push_sql(OF_A_PAGE);
        out.push_bind_param::<Nullable<Text>, _>(&self.asked.search)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&self.key)?;
        out.push_sql("::timestamptz, ");
        out.push_bind_param::<Nullable<SqlUuid>, _>(&self.id)?;
        out.push_sql(", ");
        out.push_bind_param::<Bool, _>(&self.asked.page.sort.descending)?;
        out.push_sql(", ");
        out.push_bind_param::<Integer, _>(&self.most)?;
        out.push_sql(") AS workspaces WHERE (l.tenant).workspace_count <= ");
        out.push_bind_param::<BigInt, _>(&self.of_at_most)?;
        out.push_sql(REACHES_ALL);
        out.push_bind_param::<Array<Text>, _>(&self.roles)?;
        out.push_sql("))");
        Ok(())
    }
}

/// What is known of who asks, and the page if they reach all of the tenant; on a connection of this name. Without a page where there is too
/// much to search.
pub(crate) fn page(
    connection: &mut PgConnection,
    name: Option<&str>,
    visitor: &Visitor,
    asked: &PageOfWorkspaces,
) -> QueryResult<Option<(Known, Option<Vec<workspaces::Row>>)>> {
    let PageRequest { limit, after, .. } = &asked.page;
    let reaches_all = |role: &Role| role.reach(MemberId::from_uuid(Uuid::nil())) == Reach::Tenant;
    let of_at_most = asked.search.as_ref().map_or(i64::MAX, |_| SEARCHED);
    let statement = PageStatement {
        one: One { visitor, connection: name },
        columns: PageColumns::as_select(),
        roles: Role::ALL.iter().map(|(role, _)| *role).filter(reaches_all).map(Role::as_str).collect(),
        asked,
        key: after.as_ref().map(|position| position.key()),
        id: after.as_ref().map(|position| position.id()),
        // One more tells whether there is another page.
        most: i32::try_from(limit.get() + 1).unwrap_or(i32::MAX),
        of_at_most,
    };
    let (mut who, mut rows) = (None, Vec::with_capacity(limit.get() + 1));
    for row in statement.load_iter::<(Option<i32>, PageColumns), DefaultLoadingMode>(connection)? {
        match row? {
            (Some(_), (known, counts, _)) => who = Some((known, counts)),
            (None, (.., row)) => rows.extend(row),
        }
    }
    let is_read = |counts: Option<Counts>| counts.is_some_and(|counts| counts.workspace_count <= of_at_most);
    Ok(who.map(|(known, counts)| (known, is_read(counts).then_some(rows))))
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = crate::schema::tenants, check_for_backend(Pg))]
pub(crate) struct Counts {
    pub(crate) workspace_count: i64,
    pub(crate) member_count: i64,
}

type UseColumns = (Known, tenants::Row, Counts);

/// The tenant, and how much it uses of its limits.
struct UseStatement<'a> {
    one: One<'a>,
    columns: AsSelect<UseColumns, Pg>,
    pending: PendingInvitations,
}

impl QueryId for UseStatement<'_> {
    type QueryId = UseStatement<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for UseStatement<'_> {
    type SqlType = (<AsSelect<UseColumns, Pg> as Expression>::SqlType, BigInt);
}

impl RunQueryDsl<PgConnection> for UseStatement<'_> {}

impl QueryFragment<Pg> for UseStatement<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.one.walk_ast(out.reborrow())?;
        out.push_sql(" SELECT ");
        self.columns.walk_ast(out.reborrow())?;
        // Not before there is a row of `l`: row security would show nothing.
        out.push_sql(", CASE WHEN l.place IS NOT NULL THEN (");
        QueryFragment::<Pg>::walk_ast(&self.pending, out.reborrow())?;
        out.push_sql(") END");
        out.push_sql(WHO);
        Ok(())
    }
}

/// What is known of who asks, and of how much their tenant uses; on a connection of this name.
pub(crate) fn tenant_and_use(
    connection: &mut PgConnection,
    name: Option<&str>,
    visitor: &Visitor,
) -> QueryResult<Option<(UseColumns, i64)>> {
    let statement = UseStatement {
        one: One { visitor, connection: name },
        columns: UseColumns::as_select(),
        pending: pending_invitations(TenantId::from_uuid(visitor.tenant)),
    };
    Ok(statement.load(connection)?.pop())
}
