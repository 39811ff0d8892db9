//! What a handler asks of a request, as types: what must not be forgotten cannot be.

mod accept;
mod body;
mod caller;
mod conditional;
mod member;
mod path;
mod query;

pub(crate) use accept::accepts;
pub(crate) use body::Valid;
pub(crate) use caller::{Caller, Invited};
pub(crate) use conditional::{IfMatch, IfNoneMatch};
pub(crate) use member::{
    Member, Unknown, check_clearable, check_clearable_number, check_each, check_number, check_optional, check_required,
    refusals,
};
pub(crate) use path::PathId;
pub(crate) use query::{ListQuery, Query};
