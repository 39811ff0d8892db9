//! Query parameters: known by name, valid all together or refused all together.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use tenantry_domain::{Error, Page, PageRequest, Position, Refusal, Sort, TenantId};
use uuid::Uuid;
use validator::Validate;

use super::{Member, refusals};
use crate::error::Failure;

/// The parameters of a request as a `T`.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Query<T> {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(request.query_string()).map(Self))
    }
}

fn parse<T: DeserializeOwned + Validate>(query: &str) -> Result<T, Failure> {
    if !is_utf8(query) {
        let message = "The query must be UTF-8, percent-encoded.".to_owned();
        return Err(Error::Unreadable { code: "unreadable_query", message }.into());
    }
    let value = web::Query::<T>::from_query(query).map_err(|error| unreadable(&error.to_string()))?;
    match value.validate() {
        Ok(()) => Ok(value.into_inner()),
        Err(errors) => Err(Error::Invalid(refusals(&errors)).into()),
    }
}

/// Parameters never fail to deserialise, so that what is left is one that is there twice.
fn unreadable(error: &str) -> Failure {
    let name = error.split_once("duplicate field `").and_then(|(_, rest)| rest.split_once('`'));
    let (code, message) = match name {
        Some((name, _)) => ("duplicate_parameter", format!("The query has the parameter \"{name}\" twice.")),
        None => ("unreadable_query", "The query could not be read.".to_owned()),
    };
    Error::Unreadable { code, message }.into()
}

/// Whether what is percent-encoded is UTF-8. Else it would be replaced, and something else looked for than was asked.
fn is_utf8(query: &str) -> bool {
    let mut bytes = Vec::with_capacity(query.len());
    let mut rest = query.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = |at: usize| after.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        let encoded = (byte == b'%').then(|| hex(0).zip(hex(1))).flatten();
        let decoded = encoded.and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        bytes.push(decoded.unwrap_or(byte));
        rest = if decoded.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    std::str::from_utf8(&bytes).is_ok()
}

/// What every list understands besides its own filters.
pub(crate) trait ListQuery {
    /// `limit`, `sort` and `cursor`.
    fn paging(&self) -> [&Member<String>; 3];
    /// The order that the parameter `sort` asks for, and the one of this list where it is left out.
    fn sort(&self, asked: &Member<String>) -> Result<Sort, Refusal> {
        Ok(asked.parse()?.unwrap_or_default())
    }
    /// The list and its filters, in a form that is the same only for the same list and filters.
    fn signature(&self) -> String;

    /// The page that is asked for.
    fn page(&self, tenant: Option<TenantId>) -> Result<PageRequest, Failure> {
        let [limit, sort, cursor] = self.paging();
        let limit = limit.parse().map_err(|refusal| refusal.of("limit"))?.unwrap_or_default();
        let sort = self.sort(sort).map_err(|refusal| refusal.of("sort"))?;
        let request = PageRequest { limit, sort, after: None };
        let after = match cursor.plain().map_err(|refusal| refusal.of("cursor"))? {
            Some(cursor) => Some(decode(cursor, &request, tenant, &self.signature()).ok_or_else(bad_cursor)?),
            None => None,
        };
        Ok(PageRequest { after, ..request })
    }

    /// The answer with this page.
    fn answer<T, V: Serialize>(
        &self,
        page: Page<T>,
        request: &PageRequest,
        tenant: Option<TenantId>,
        view: impl Fn(T) -> V,
    ) -> List<V> {
        let next_cursor = page.next.as_ref().map(|next| encode(next, request, tenant, &self.signature()));
        List { data: page.items.into_iter().map(view).collect(), next_cursor }
    }
}

/// A page of a list.
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

#[derive(Serialize, Deserialize)]
struct Cursor {
    k: String,
    i: Uuid,
    t: String,
}

fn encode(position: &Position, request: &PageRequest, tenant: Option<TenantId>, signature: &str) -> String {
    let tag = tag(position, request, tenant, signature);
    let cursor = Cursor { k: position.key().to_owned(), i: position.id(), t: tag };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor).unwrap_or_default())
}

fn decode(cursor: &str, request: &PageRequest, tenant: Option<TenantId>, signature: &str) -> Option<Position> {
    let cursor: Cursor = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let position = Position::new(request.sort, cursor.k, cursor.i).ok()?;
    (tag(&position, request, tenant, signature) == cursor.t).then_some(position)
}

/// Binds a cursor to the tenant, the list, its filters and its order. It keeps callers from mistakes and no secret: a cursor
/// that somebody makes up still leads nowhere but through their own list.
fn tag(position: &Position, request: &PageRequest, tenant: Option<TenantId>, signature: &str) -> String {
    let bound = format!("{tenant:?}\n{signature}\n{}\n{}\n{}", request.sort, position.id(), position.key());
    URL_SAFE_NO_PAD.encode(Sha256::digest(bound).get(..12).unwrap_or_default())
}

fn bad_cursor() -> Failure {
    let message = "The cursor is not of this list with these filters and this sort: start again without it.".to_owned();
    Error::Unreadable { code: "bad_cursor", message }.into()
}
