//! The statement that answers a batch of look-ups.

use diesel::{
    PgConnection, QueryResult, RunQueryDsl, Selectable, SelectableHelper,
    expression::Expression,
    helper_types::AsSelect,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    query_dsl::LoadQuery,
    sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, Text, Uuid as SqlUuid},
};
use tenantry_domain::{Credential, InWorkspace};
use uuid::Uuid;

use crate::{
    brands,
    fault::Fault,
    limits,
    places::{FoundWorkspace, Known, Sight, Visitor},
    tenants, workspaces,
};

/// One look-up: who asks, for which workspace.
pub(crate) struct Question {
    visitor: Visitor,
    place: InWorkspace,
    /// Also for what is in force in it.
    effective: bool,
}

/// What the database knows: `None` when there is no such tenant.
pub(crate) type Answer = Option<Found>;

/// Who asks, and the workspace if it is there.
pub(crate) struct Found {
    pub(crate) sight: Sight<FoundWorkspace>,
    pub(crate) workspace: Option<workspaces::Row>,
    /// What decides what is in force in it, for who asked for that.
    pub(crate) effective: Option<EffectiveRows>,
}

pub(crate) struct EffectiveRows {
    pub(crate) limits: limits::Row,
    pub(crate) tenant: tenants::Row,
    pub(crate) brand: brands::Row,
}

impl Question {
    pub(crate) fn of(credential: &Credential, place: InWorkspace, effective: bool) -> Self {
        Self { visitor: Visitor::of(credential), place, effective }
    }

    /// What finds nothing.
    #[cfg(test)]
    pub(super) fn nobody() -> Self {
        let place = InWorkspace::Id(tenantry_domain::WorkspaceId::from_uuid(Uuid::nil()));
        Self { visitor: Visitor::nobody(Uuid::nil()), place, effective: false }
    }
}

/// Of a look-up, and of one that asks what is in force.
type Plain = (Known, Option<workspaces::Row>);
type Full = (Known, Option<workspaces::Row>, Option<limits::Row>, tenants::Row, Option<brands::Row>);

/// A call of the function, with whole rows taken apart: each becomes a table of the name that the rows have elsewhere.
const FROM: &str = ") AS l,
    LATERAL (SELECT (l.tenant).*) AS tenants, LATERAL (SELECT (l.api_key).*) AS api_keys,
    LATERAL (SELECT (l.member).*) AS members, LATERAL (SELECT (l.workspace).*) AS workspaces,
    LATERAL (SELECT (l.brand).*) AS brands";

/// Reads rows of the type `T`. One element of each array belongs to a look-up.
struct LookUps<T: Selectable<Pg>> {
    rows: AsSelect<T, Pg>,
    tenants: Vec<Uuid>,
    keys: Vec<Option<Vec<u8>>>,
    issuers: Vec<Option<String>>,
    subjects: Vec<Option<String>>,
    ids: Vec<Option<Uuid>>,
    numbers: Vec<Option<i64>>,
    with_brands: bool,
}

impl<T: Selectable<Pg>> LookUps<T> {
    fn of(questions: &[&Question], with_brands: bool) -> Self {
        let visitors = || questions.iter().map(|question| &question.visitor);
        let (ids, numbers) = questions
            .iter()
            .map(|question| match question.place {
                InWorkspace::Id(id) => (Some(id.uuid()), None),
                InWorkspace::Number(number) => (None, Some(number.get())),
            })
            .unzip();
        Self {
            rows: T::as_select(),
            tenants: visitors().map(|visitor| visitor.tenant).collect(),
            keys: visitors().map(|visitor| visitor.key.clone()).collect(),
            issuers: visitors().map(|visitor| visitor.issuer.clone()).collect(),
            subjects: visitors().map(|visitor| visitor.subject.clone()).collect(),
            ids,
            numbers,
            with_brands,
        }
    }
}

// A type of its own, because statements of `sql_query` are not prepared.
impl<T: Selectable<Pg> + 'static> QueryId for LookUps<T> {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<T: Selectable<Pg>> Query for LookUps<T>
where
    AsSelect<T, Pg>: Expression,
{
    type SqlType = (Integer, Bool, <AsSelect<T, Pg> as Expression>::SqlType);
}

impl<T: Selectable<Pg>> RunQueryDsl<PgConnection> for LookUps<T> {}

impl<T: Selectable<Pg>> QueryFragment<Pg> for LookUps<T>
where
    AsSelect<T, Pg>: QueryFragment<Pg>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT l.place, l.is_assigned, ");
        self.rows.walk_ast(out.reborrow())?;
        out.push_sql(" FROM look_ups(");
        out.push_bind_param::<Array<SqlUuid>, _>(&self.tenants)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Binary>>, _>(&self.keys)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.issuers)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.subjects)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<SqlUuid>>, _>(&self.ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<BigInt>>, _>(&self.numbers)?;
        out.push_sql(", ");
        out.push_bind_param::<Bool, _>(&self.with_brands)?;
        out.push_sql(FROM);
        Ok(())
    }
}

/// One answer for each question, in their order.
pub(super) fn answers(connection: &mut PgConnection, questions: &[Question]) -> Result<Vec<Answer>, Fault> {
    let mut answers: Vec<Answer> = questions.iter().map(|_| None).collect();
    let all: Vec<_> = questions.iter().enumerate().collect();
    let (full, plain): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, question)| question.effective);
    let mut keep = |at: usize, (known, of_member, workspace, effective): Row| {
        let found = workspace.as_ref().map(|row| row.found(of_member));
        if let Some(answer) = answers.get_mut(at) {
            *answer = Some(Found { sight: Sight { known, found }, workspace, effective });
        }
    };
    read(connection, plain, false, |at, of_member, (known, workspace): Plain| {
        keep(at, (known, of_member, workspace, None));
    })?;
    read(connection, full, true, |at, of_member, (known, workspace, limits, tenant, brand): Full| {
        let effective = limits.zip(brand).map(|(limits, brand)| EffectiveRows { limits, tenant, brand });
        keep(at, (known, of_member, workspace, effective));
    })?;
    Ok(answers)
}

type Row = (Known, bool, Option<workspaces::Row>, Option<EffectiveRows>);

/// Reads these questions, each with the place of its answer.
fn read<T: Selectable<Pg> + 'static>(
    connection: &mut PgConnection,
    mut questions: Vec<(usize, &Question)>,
    with_brands: bool,
    mut keep: impl FnMut(usize, bool, T),
) -> Result<(), Fault>
where
    LookUps<T>: for<'q> LoadQuery<'q, PgConnection, (i32, bool, T)>,
{
    if questions.is_empty() {
        return Ok(());
    }
    // Those of one tenant and one key follow each other, and share what is read for them.
    questions.sort_by_key(|(_, question)| (question.visitor.tenant, &question.visitor.key));
    let (places, questions): (Vec<_>, Vec<_>) = questions.into_iter().unzip();
    let rows: Vec<(i32, bool, T)> = LookUps::<T>::of(&questions, with_brands).load(connection)?;
    for (place, of_member, row) in rows {
        let place = usize::try_from(place - 1).ok().and_then(|place| places.get(place));
        if let Some(&at) = place {
            keep(at, of_member, row);
        }
    }
    Ok(())
}

/// Whether the lane is worth it on this database: not on a distributed one.
pub(super) fn is_of_use(connection: &mut PgConnection) -> Result<bool, Fault> {
    Ok(diesel::select(diesel::dsl::sql::<Bool>("to_regclass('pg_dist_partition') IS NULL")).get_result(connection)?)
}
