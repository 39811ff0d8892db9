//! What a handler asks of a request, as types: what must not be forgotten cannot be.

mod accept;
mod body;
mod caller;
mod conditional;
mod field;
#[cfg(test)]
mod fuzz;
mod given;
mod labels;
mod list;
mod path;
mod query;
mod request;
mod shape;
#[cfg(test)]
mod tests;

pub(crate) use accept::{prefers, prefers_html};
pub(crate) use body::{
    Body, OfForm, Valid, ValidOrForm, duplicate_field, encoded, not_an_object, not_json, read_json, too_large,
    too_slow, unreadable_body,
};
pub(crate) use caller::{Anybody, AskingService, Caller, Invited, Shown, several_credentials};
pub(crate) use conditional::{IfMatch, IfNoneMatch, PutCondition, bad_entity_tag};
pub(crate) use field::{Clearable, Nullable, Optional, OptionalAs, OrDefault, Required, Taken};
pub(crate) use given::{Distinct, Entry, Flag, Read, Several, Verbatim, Written};
pub(crate) use labels::{ChangedMetadata, MatchedMetadata, NewMetadata, PathExternalId};
pub(crate) use list::{Filters, List, Listing, bad_cursor};
pub(crate) use path::PathId;
pub(crate) use query::{Query, duplicate_parameter, parameter, unreadable_query};
pub(crate) use request::{Request, Unknown, camel_case, fields, into_domain, query, request};
pub(crate) use shape::too_complex;
