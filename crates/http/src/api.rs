//! The native API: per noun its requests, its views and its handlers. A handler extracts, calls one operation and shows a
//! view; it never asks who may do what.

pub(crate) mod admin;
pub(crate) mod agents;
pub(crate) mod api_keys;
pub(crate) mod assignments;
pub(crate) mod audit_events;
pub(crate) mod brands;
pub(crate) mod calendars;
pub(crate) mod effective;
pub(crate) mod integrations;
pub(crate) mod introspection;
pub(crate) mod invitations;
pub(crate) mod limits;
pub(crate) mod me;
pub(crate) mod members;
pub(crate) mod signature;
pub(crate) mod tenant;
pub(crate) mod usage;
pub(crate) mod voices;
pub(crate) mod webhooks;
pub(crate) mod workspaces;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use tenantry_domain::{ExternalId, Labels, Maker, time_text};
use utoipa::ToSchema;

use crate::part::Part;

/// The parts of the native API, in the order of the document.
pub(crate) const PARTS: &[Part] = &[
    workspaces::PART,
    effective::PART,
    agents::PART,
    usage::PART,
    limits::PART,
    integrations::PART,
    voices::PART,
    calendars::PART,
    tenant::PART,
    brands::PART,
    audit_events::PART,
    webhooks::PART,
    members::PART,
    assignments::PART,
    invitations::PART,
    api_keys::PART,
    me::PART,
    introspection::PART,
];

/// Who made something.
#[derive(Serialize, ToSchema)]
#[schema(as = Maker)]
pub(crate) struct MakerView {
    /// The kind of actor: `member`, `api_key`, `operator`, `platform` or `job`.
    #[serde(rename = "type")]
    #[schema(example = "member")]
    kind: &'static str,
    /// Which one: an id, or the name of an operator.
    #[schema(example = "e1a2b3c4-5678-4abc-9ef0-1234567890ab")]
    id: String,
}

impl From<Maker> for MakerView {
    fn from(maker: Maker) -> Self {
        Self { kind: maker.kind(), id: maker.id().to_owned() }
    }
}

/// What another system calls a thing.
pub(crate) fn external_id(labels: &Labels) -> Option<String> {
    labels.external_id.as_ref().map(ExternalId::as_str).map(str::to_owned)
}

/// What callers note about a thing.
pub(crate) fn metadata(labels: &Labels) -> BTreeMap<String, String> {
    labels.metadata.entries().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A time as the contract writes it: RFC 3339, UTC, milliseconds.
pub(crate) fn millis<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time_text(*time))
}

/// [`millis`], of a time that may not have come.
pub(crate) fn millis_option<S: Serializer>(time: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => millis(time, serializer),
        None => serializer.serialize_none(),
    }
}
