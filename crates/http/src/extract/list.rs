//! Lists: which items, in which order, how many at a time, and from where on.

use std::{
    borrow::Cow,
    fmt::Display,
    future::{Ready, ready},
    str::FromStr,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tenantry_domain::{Choice, Error, Input, Page, PageLimit, PageRequest, Position, Refusal, Sort, TenantId};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        ArrayBuilder, ObjectBuilder, Ref, RefOr, Schema,
        path::{Parameter, ParameterIn},
        schema::Type,
    },
};
use uuid::Uuid;
use validator::Validate;

use super::{
    Request,
    field::{Optional, OrDefault, Taken},
    given::Verbatim,
    query::{self, parameter},
    request::refusals,
};
use crate::{
    error::Failure,
    schema::{self, FieldSchema, Named, Word},
};

/// What a list can be filtered and sorted by.
pub(crate) trait Filters: Request {
    /// Its orders; the default is the one of a request that names none.
    type Sort: Order;
}

/// An order, by its word.
pub(crate) trait Order: Choice + FromStr<Err = Refusal> + Default + Display + Into<Sort> {}

impl<T: Choice + FromStr<Err = Refusal> + Default + Display + Into<Sort>> Order for T {}

/// A request for a page of a list.
pub(crate) struct Listing<F> {
    filters: F,
    sort: Sort,
    limit: PageLimit,
    cursor: Option<String>,
    list: String,
}

/// A page that is asked for, and what its cursors are bound to.
pub(crate) struct Paging {
    /// What is asked for.
    pub(crate) request: PageRequest,
    tenant: Option<TenantId>,
    list: String,
}

/// The parameters that every list has.
#[derive(Default, Deserialize, Validate)]
#[serde(default, bound = "")]
#[validate(nest_all_fields)]
struct Fields<S: Order> {
    sort: OrDefault<S>,
    limit: OrDefault<PageLimit>,
    cursor: Optional<Verbatim>,
}

const COMMON: [&str; 3] = ["sort", "limit", "cursor"];

impl<F: Filters> Listing<F> {
    fn of(request: &HttpRequest) -> Result<Self, Failure> {
        let (common, filters): (Vec<_>, Vec<_>) =
            query::pairs(request)?.into_iter().partition(|(name, _)| COMMON.contains(&name.as_ref()));
        let list = signature(request.path(), &filters);
        let (common, filters): (Fields<F::Sort>, _) = (query::read(&common)?, query::read(&filters)?);
        let mut refused = common.validate().err().map(|errors| refusals(&errors, str::to_owned)).unwrap_or_default();
        match F::accept(filters) {
            Ok(filters) if refused.is_empty() => {
                let of = |name| move |refusal: Refusal| Failure::from(refusal.of(name));
                Ok(Self {
                    filters,
                    sort: common.sort.take().map_err(of("sort"))?.into(),
                    limit: common.limit.take().map_err(of("limit"))?,
                    cursor: common.cursor.take().map_err(of("cursor"))?.map(|Verbatim(cursor)| cursor),
                    list,
                })
            }
            filters => {
                refused.extend(filters.err().unwrap_or_default());
                refused.sort_by(|a, b| a.field.cmp(&b.field));
                Err(Error::Invalid(refused).into())
            }
        }
    }

    /// The filters, and the page.
    pub(crate) fn page(self, tenant: Option<TenantId>) -> Result<(F, Paging), Failure> {
        let request = PageRequest { limit: self.limit, sort: self.sort, after: None };
        let mut paging = Paging { request, tenant, list: self.list };
        if let Some(cursor) = self.cursor {
            paging.request.after = Some(paging.decode(&cursor).ok_or_else(bad_cursor)?);
        }
        Ok((self.filters, paging))
    }
}

impl<F: Filters + 'static> FromRequest for Listing<F> {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

/// The list and its filters, in a form that is the same only for the same list and filters.
fn signature(path: &str, filters: &[query::Pair<'_>]) -> String {
    let mut filters: Vec<_> = filters.iter().collect();
    filters.sort();
    format!("{path} {filters:?}")
}

impl Paging {
    /// The answer with this page.
    pub(crate) fn answer<T, V: Serialize>(&self, page: Page<T>, view: impl Fn(T) -> V) -> List<V> {
        let next_cursor = page.next.as_ref().map(|next| self.encode(next));
        List { data: page.items.into_iter().map(view).collect(), next_cursor }
    }

    #[cfg(test)]
    pub(super) fn new(request: PageRequest, tenant: Option<TenantId>, list: String) -> Self {
        Self { request, tenant, list }
    }

    pub(super) fn encode(&self, position: &Position) -> String {
        let cursor = Cursor { k: position.key().to_owned(), i: position.id(), t: self.tag(position) };
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor).unwrap_or_default())
    }

    pub(super) fn decode(&self, cursor: &str) -> Option<Position> {
        let cursor: Cursor = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let position = Position::new(self.request.sort, cursor.k, cursor.i).ok()?;
        (self.tag(&position) == cursor.t).then_some(position)
    }

    /// Binds a cursor to the tenant, the list, its filters and its order. It keeps callers from mistakes and no secret: a cursor
    /// that somebody makes up still leads nowhere but through their own list.
    fn tag(&self, position: &Position) -> String {
        let Self { request, tenant, list } = self;
        let bound = format!("{tenant:?}\n{list}\n{}\n{}\n{}", request.sort, position.id(), position.key());
        URL_SAFE_NO_PAD.encode(Sha256::digest(bound).get(..12).unwrap_or_default())
    }
}

#[derive(Serialize, Deserialize)]
struct Cursor {
    k: String,
    i: Uuid,
    t: String,
}

/// The cursor is of no page of this list.
pub(crate) fn bad_cursor() -> Failure {
    let message =
        "This cursor belongs to another list, filter or sort order. Start again from the first page.".to_owned();
    Error::Unreadable { code: "bad_cursor", message }.into()
}

/// One page of a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct List<V> {
    data: Vec<V>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl<V: Serialize> List<V> {
    /// The cursor of the next page.
    pub(crate) fn next_cursor(&self) -> Option<&str> {
        self.next_cursor.as_deref()
    }

    /// Each item as one line of JSON.
    pub(crate) fn lines(&self) -> String {
        let line = |item| serde_json::to_string(item).map(|json| json + "\n").unwrap_or_default();
        self.data.iter().map(line).collect()
    }
}

impl<V: ToSchema> PartialSchema for List<V> {
    fn schema() -> RefOr<Schema> {
        let cursor = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("The cursor of the next page. Absent on the last page."));
        let mut cursor = cursor.build();
        cursor.example = Some("eyJrIjoiMjAyNi0wMS0yMFQxMDowMDowMFoiLCJpIjoiYzFhMmIzYzQifQ".into());
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("One page of a list."))
            .property(
                "data",
                ArrayBuilder::new()
                    .items(Ref::from_schema_name(V::name()))
                    .description(Some("The items of this page.")),
            )
            .required("data")
            .property("nextCursor", cursor)
            .into()
    }
}

impl<V: ToSchema> ToSchema for List<V> {
    /// `AgentList`, of agents.
    fn name() -> Cow<'static, str> {
        format!("{}List", V::name()).into()
    }

    fn schemas(schemas: &mut Vec<Named>) {
        schemas.push((V::name().into_owned(), V::schema()));
        V::schemas(schemas);
    }
}

impl<F: Filters + IntoParams> IntoParams for Listing<F> {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let limit = "How many items to return.";
        let limit = parameter(OrDefault::<PageLimit>::describe("limit".to_owned(), limit));
        let cursor = "The `nextCursor` of the previous page, with the same filters and sort order.";
        let cursor = parameter(Optional::<Verbatim>::describe("cursor".to_owned(), cursor));
        let mut parameters = F::into_params(place);
        parameters.push(sort::<F::Sort>());
        parameters.push(schema::shared(limit, "Limit"));
        parameters.push(schema::shared(cursor, "Cursor"));
        parameters
    }
}

/// `sort`, with its words in place, under the name of its list of words.
fn sort<S: Order>() -> Parameter {
    let default = S::default();
    let text = format!("Sort order; `-` reverses it. Default: `{default}`.");
    let words = schema::object(&S::description()).into();
    let schema = schema::described(words, &text, Some(default.to_string().into()));
    let sort = parameter(FieldSchema { name: "sort".to_owned(), required: false, schema, component: None });
    schema::shared(sort, &Word::<S>::name())
}
