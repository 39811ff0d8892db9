//! The statement that answers a batch of look-ups.

use std::sync::Arc;

use diesel::{
    PgConnection, QueryResult, Queryable, RunQueryDsl, Selectable, SelectableHelper,
    expression::Expression,
    helper_types::AsSelect,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    query_dsl::LoadQuery,
    sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, Text, Uuid as SqlUuid},
};
use tenantry_domain::{Action, Credential, InWorkspace, WorkspaceId};
use uuid::Uuid;

use super::contents::{self, Contents};
use crate::{
    api_keys, brands,
    distribute::is_distributed,
    fault::{ANOTHER, Fault},
    limits, members,
    places::{FoundWorkspace, Known, Visitor, WorkspaceIds},
    pool::OWN_SESSION,
    tenants, workspaces,
};

/// To read all that there is to know of a workspace takes about as long as so many look-ups.
const FACTS: usize = 4;

/// One look-up: who asks, and what.
pub(crate) struct Question {
    visitor: Visitor,
    asks: Asks,
}

/// What is asked.
#[derive(Clone)]
pub(crate) enum Asks {
    /// Which workspace this is.
    Workspace(InWorkspace),
    /// That, and what is in force in it.
    Effective(InWorkspace),
    /// The workspace with all that there is to know of it.
    Facts(InWorkspace),
    /// Only who it is that asks.
    Caller,
    /// That, and which of these workspaces are there.
    Introspection(Arc<[WorkspaceId]>),
}

impl Asks {
    /// What the policy also has to allow whoever asks.
    pub(crate) fn also(&self) -> Option<Action> {
        matches!(self, Self::Facts(_)).then_some(Action::LimitsRead)
    }

    /// What is looked up: several things that share what is read of who asks, or one. To ask for no workspace would count those
    /// that are reached; to ask for one that cannot be there costs less.
    fn places(&self) -> Vec<Option<InWorkspace>> {
        match self {
            Self::Workspace(place) | Self::Effective(place) | Self::Facts(place) => vec![Some(*place)],
            Self::Caller => vec![None],
            Self::Introspection(ids) if ids.is_empty() => vec![Some(WorkspaceId::from_uuid(Uuid::nil()).into())],
            Self::Introspection(ids) => ids.iter().map(|id| Some((*id).into())).collect(),
        }
    }
}

/// What the database knows: `None` when there is no such tenant.
pub(crate) type Answer = Option<Found>;

/// Who asks, and the workspace if it is there.
pub(crate) struct Found {
    pub(crate) known: Known,
    pub(crate) rows: Rows,
}

/// What was asked for.
pub(crate) enum Rows {
    /// The workspace, if it is there, and where that is.
    Workspace(Option<(FoundWorkspace, workspaces::Row)>),
    /// The same with what decides what is in force in it.
    Effective(Option<(FoundWorkspace, workspaces::Row, Box<EffectiveRows>)>),
    /// The same with what is in it.
    Facts(Option<(FoundWorkspace, workspaces::Row, Box<FactsRows>)>),
    /// Who asks.
    Caller(Box<CallerRows>),
    /// That, and each workspace that is there.
    Introspection(Box<IntrospectionRows>),
}

pub(crate) struct EffectiveRows {
    pub(crate) limits: limits::Row,
    pub(crate) tenant: tenants::Row,
    pub(crate) brand: brands::Row,
}

pub(crate) struct FactsRows {
    pub(crate) limits: limits::Row,
    pub(crate) tenant: tenants::Row,
    /// `None` where that is too much to be read together with what others ask.
    pub(crate) contents: Option<Contents>,
}

pub(crate) struct IntrospectionRows {
    pub(crate) tenant: tenants::Row,
    pub(crate) key: Option<api_keys::Row>,
    pub(crate) member: Option<members::Row>,
    /// In the order in which they were asked for.
    pub(crate) places: Vec<Option<FoundWorkspace>>,
}

pub(crate) struct CallerRows {
    pub(crate) tenant: tenants::Row,
    pub(crate) key: Option<api_keys::Row>,
    pub(crate) member: Option<members::Row>,
    /// Of the whole tenant.
    pub(crate) workspaces: i64,
    /// Of what the key is restricted to, or the member is assigned to.
    pub(crate) reached: i64,
}

impl Question {
    pub(crate) fn of(credential: &Credential, asks: Asks) -> Self {
        Self { visitor: Visitor::of(credential), asks }
    }

    /// How many look-ups it is.
    pub(super) fn weight(&self) -> usize {
        match &self.asks {
            Asks::Introspection(ids) => ids.len().max(1),
            Asks::Facts(_) => FACTS,
            Asks::Workspace(_) | Asks::Effective(_) | Asks::Caller => 1,
        }
    }

    /// So many look-ups that find nothing.
    #[cfg(test)]
    pub(super) fn of_many(number: usize) -> Self {
        let ids = vec![WorkspaceId::from_uuid(Uuid::nil()); number];
        Self { visitor: Visitor::nobody(Uuid::nil()), asks: Asks::Introspection(ids.into()) }
    }

    /// What finds nothing.
    #[cfg(test)]
    pub(super) fn nobody() -> Self {
        Self { visitor: Visitor::nobody(Uuid::nil()), asks: Asks::Caller }
    }
}

#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = crate::schema::tenants, check_for_backend(Pg))]
struct Count {
    workspace_count: i64,
}

/// What is read for each kind of question, beside who asks.
type Plain = Option<workspaces::Row>;
type Full = (Option<workspaces::Row>, Option<limits::Row>, tenants::Row, Option<brands::Row>);
type Shown = (tenants::Row, Option<api_keys::Row>, Option<members::Row>, Option<WorkspaceIds>);
type Asker = (tenants::Row, Count, Option<api_keys::Row>, Option<members::Row>);
type All = (Option<workspaces::Row>, Option<limits::Row>, tenants::Row, Option<Contents>);

/// How that is read.
trait Reads: Selectable<Pg> + Clone + 'static {
    /// With all of the API key, for each question anew.
    const WITH_KEYS: bool = false;

    /// With the brand of the workspace.
    const WITH_BRANDS: bool = false;

    /// With what is in the workspace.
    const WITH_CONTENTS: bool = false;
}

impl Reads for Plain {}

impl Reads for Full {
    const WITH_BRANDS: bool = true;
}

impl Reads for All {
    const WITH_CONTENTS: bool = true;
}

impl Reads for Shown {
    const WITH_KEYS: bool = true;
}

impl Reads for Asker {
    const WITH_KEYS: bool = true;
}

/// A call of the function, with whole rows taken apart: each becomes a table of the name that the rows have elsewhere. A key is sent
/// where it is asked for, by what stands between the two: it is long, and most who ask at the same time have the same one.
const FROM: [&str; 2] = [
    ") AS l,
    LATERAL (SELECT (l.tenant).*) AS tenants, LATERAL (SELECT (l.member).*) AS members,
    LATERAL (SELECT (l.workspace).*) AS workspaces, LATERAL (SELECT (l.brand).*) AS brands,
    LATERAL (SELECT (CASE WHEN (",
    "::bool[])[l.place] THEN l.api_key END).*) AS api_keys",
];

/// An argument of the call, which fails in a session that is not the connection's own, if that has to be asked. Arguments are worked out
/// before the call. Not `AND`, of which the planner leaves out a part when it knows the other.
pub(super) fn in_own_session<'b>(
    out: &mut AstPass<'_, 'b, Pg>,
    connection: Option<&'b str>,
    argument: impl FnOnce(&mut AstPass<'_, 'b, Pg>) -> QueryResult<()>,
) -> QueryResult<()> {
    let Some(name) = connection else { return argument(out) };
    let [when, other, end] = OWN_SESSION;
    out.push_sql("CASE ");
    out.push_sql(when);
    out.push_bind_param::<Text, _>(name)?;
    for part in [other, ANOTHER, end, " WHEN 0 THEN "] {
        out.push_sql(part);
    }
    argument(out)?;
    out.push_sql(" END");
    Ok(())
}

/// Reads rows of the type `T`. One element of each array belongs to those look-ups that are alike.
struct LookUps<T: Reads> {
    rows: AsSelect<(Known, T), Pg>,
    tenants: Vec<Uuid>,
    keys: Vec<Option<Vec<u8>>>,
    issuers: Vec<Option<String>>,
    subjects: Vec<Option<String>>,
    ids: Vec<Option<Uuid>>,
    numbers: Vec<Option<i64>>,
    with_brands: bool,
    /// Whether its key is sent.
    firsts: Vec<bool>,
    /// The name of the connection, if the statement has to ask whether the session is its own.
    connection: Option<String>,
}

impl<T: Reads> LookUps<T> {
    fn of(look_ups: &[&[LookUp<'_>]], firsts: Vec<bool>, connection: Option<&str>) -> Self {
        let look_ups = || look_ups.iter().filter_map(|alike| alike.first());
        let visitors = || look_ups().map(|look_up| look_up.visitor);
        let (ids, numbers) = look_ups().map(|look_up| look_up.place).unzip();
        Self {
            rows: <(Known, T)>::as_select(),
            tenants: visitors().map(|visitor| visitor.tenant).collect(),
            keys: visitors().map(|visitor| visitor.key.clone()).collect(),
            issuers: visitors().map(|visitor| visitor.issuer.clone()).collect(),
            subjects: visitors().map(|visitor| visitor.subject.clone()).collect(),
            ids,
            numbers,
            with_brands: T::WITH_BRANDS,
            firsts,
            connection: connection.map(str::to_owned),
        }
    }
}

// A type of its own, because statements of `sql_query` are not prepared.
impl<T: Reads> QueryId for LookUps<T> {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<T: Reads> Query for LookUps<T>
where
    AsSelect<(Known, T), Pg>: Expression,
{
    type SqlType = (Integer, Bool, Nullable<BigInt>, <AsSelect<(Known, T), Pg> as Expression>::SqlType);
}

impl<T: Reads> RunQueryDsl<PgConnection> for LookUps<T> {}

impl<T: Reads> QueryFragment<Pg> for LookUps<T>
where
    AsSelect<(Known, T), Pg>: QueryFragment<Pg>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT l.place, l.is_assigned, l.reached, ");
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
        in_own_session(&mut out, self.connection.as_deref(), |out| out.push_bind_param::<Bool, _>(&self.with_brands))?;
        let [from, end] = FROM;
        out.push_sql(from);
        out.push_bind_param::<Array<Bool>, _>(&self.firsts)?;
        out.push_sql(end);
        if T::WITH_CONTENTS {
            out.push_sql(&contents::from());
        }
        Ok(())
    }
}

/// One answer for each question, in their order.
pub(super) fn answers(
    connection: &mut PgConnection,
    name: Option<&str>,
    questions: &[Question],
) -> Result<Vec<Answer>, Fault> {
    let mut answers: Vec<Answer> = questions.iter().map(|_| None).collect();
    let that = |is_meant: fn(&Asks) -> bool| -> Vec<_> {
        questions.iter().enumerate().filter(|(_, question)| is_meant(&question.asks)).collect()
    };
    let mut keep = |at: usize, known, rows| {
        if let Some(answer) = answers.get_mut(at) {
            *answer = Some(Found { known, rows });
        }
    };
    let plain = read::<Plain>((connection, name), that(|asks| matches!(asks, Asks::Workspace(_))))?;
    for Line { at, is_assigned, known, row: workspace, .. } in plain {
        keep(at, known, Rows::Workspace(workspace.map(|row| (row.found(is_assigned), row))));
    }
    let full = read::<Full>((connection, name), that(|asks| matches!(asks, Asks::Effective(_))))?;
    for Line { at, is_assigned, known, row: (workspace, limits, tenant, brand), .. } in full {
        let rows = workspace.zip(limits).zip(brand);
        let found = rows.map(|((workspace, limits), brand)| {
            (workspace.found(is_assigned), workspace, Box::new(EffectiveRows { limits, tenant, brand }))
        });
        keep(at, known, Rows::Effective(found));
    }
    let all = read::<All>((connection, name), that(|asks| matches!(asks, Asks::Facts(_))))?;
    for Line { at, is_assigned, known, row: (workspace, limits, tenant, contents), .. } in all {
        let contents = contents.filter(Contents::is_whole);
        let found = workspace.zip(limits).map(|(workspace, limits)| {
            (workspace.found(is_assigned), workspace, Box::new(FactsRows { limits, tenant, contents }))
        });
        keep(at, known, Rows::Facts(found));
    }
    let callers = read::<Asker>((connection, name), that(|asks| matches!(asks, Asks::Caller)))?;
    for Line { at, reached, known, row: (tenant, count, key, member), .. } in callers {
        let (workspaces, reached) = (count.workspace_count, reached.unwrap_or(0));
        keep(at, known, Rows::Caller(Box::new(CallerRows { tenant, key, member, workspaces, reached })));
    }
    let shown = read::<Shown>((connection, name), that(|asks| matches!(asks, Asks::Introspection(_))))?;
    for Line { at, part, is_assigned, known, row: (tenant, key, member, ids), .. } in shown {
        let Some(answer) = answers.get_mut(at) else { continue };
        let found = answer.get_or_insert_with(|| {
            let places = questions.get(at).map_or(0, Question::weight);
            let rows = IntrospectionRows { tenant, key, member, places: vec![None; places] };
            Found { known, rows: Rows::Introspection(Box::new(rows)) }
        });
        if let Rows::Introspection(rows) = &mut found.rows
            && let Some(place) = rows.places.get_mut(part)
        {
            *place = ids.map(|ids| ids.found(is_assigned));
        }
    }
    Ok(answers)
}

/// One element of the arrays.
#[derive(Clone, Copy)]
struct LookUp<'q> {
    /// The place of the question, and of this among what it asks.
    at: (usize, usize),
    visitor: &'q Visitor,
    /// The id or the number of the workspace.
    place: (Option<Uuid>, Option<i64>),
}

impl LookUp<'_> {
    /// Whether the same visitor asks for the same.
    fn is_like(&self, other: &Self) -> bool {
        self.place == other.place && self.visitor == other.visitor
    }
}

/// What was read for one look-up.
struct Line<T> {
    /// The place of the question.
    at: usize,
    /// Which of the things that it asks.
    part: usize,
    is_assigned: bool,
    reached: Option<i64>,
    known: Known,
    row: T,
}

/// Reads these questions, each with its place.
fn read<T: Reads>(
    (connection, name): (&mut PgConnection, Option<&str>),
    questions: Vec<(usize, &Question)>,
) -> Result<Vec<Line<T>>, Fault>
where
    LookUps<T>: for<'q> LoadQuery<'q, PgConnection, (i32, bool, Option<i64>, (Known, T))>,
{
    if questions.is_empty() {
        return Ok(Vec::new());
    }
    let mut look_ups: Vec<LookUp<'_>> = Vec::with_capacity(questions.len());
    for (at, Question { visitor, asks }) in questions {
        look_ups.extend(asks.places().into_iter().enumerate().map(|(part, place)| {
            let place = match place {
                Some(InWorkspace::Id(id)) => (Some(id.uuid()), None),
                Some(InWorkspace::Number(number)) => (None, Some(number.get())),
                None => (None, None),
            };
            LookUp { at: (at, part), visitor, place }
        }));
    }
    // Those of one tenant, and of one key or person, follow each other, and share what is read for them.
    look_ups.sort_by_key(|LookUp { visitor, place, .. }| {
        (visitor.tenant, &visitor.key, &visitor.issuer, &visitor.subject, *place)
    });
    // Whoever asks for the same several times at once is answered from the same row.
    let alike: Vec<&[LookUp<'_>]> = look_ups.chunk_by(LookUp::is_like).collect();
    let mut before = None;
    let firsts: Vec<bool> = alike
        .iter()
        .map(|alike| {
            let visitor = alike.first().map(|look_up| look_up.visitor);
            let begins = alike.iter().any(|LookUp { at: (_, part), .. }| *part == 0);
            std::mem::replace(&mut before, visitor) != visitor || T::WITH_KEYS && begins
        })
        .collect();
    let mut key = None;
    let mut lines = Vec::with_capacity(look_ups.len());
    for (place, is_assigned, reached, (mut known, row)) in
        LookUps::<T>::of(&alike, firsts.clone(), name).load(connection)?
    {
        let place = usize::try_from(place - 1).ok();
        let Some((alike, is_first)) = place.and_then(|place| alike.get(place).zip(firsts.get(place))) else { continue };
        if *is_first {
            key.clone_from(&known.key);
        } else {
            known.key.clone_from(&key);
        }
        let line = |look_up: &LookUp<'_>, known, row| {
            let (at, part) = look_up.at;
            Line { at, part, is_assigned, reached, known, row }
        };
        let Some((last, others)) = alike.split_last() else { continue };
        lines.extend(others.iter().map(|look_up| line(look_up, known.clone(), row.clone())));
        lines.push(line(last, known, row));
    }
    Ok(lines)
}

/// Whether the lane is worth it on this database: not on a distributed one.
pub(super) fn is_of_use(connection: &mut PgConnection) -> Result<bool, Fault> {
    Ok(!is_distributed(connection)?)
}
