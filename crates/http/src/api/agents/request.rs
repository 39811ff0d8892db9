//! What a caller asks of agents.

use serde::Deserialize;
use tenantry_domain::{
    AgentDetails, AgentName, AgentPatch, AgentReference, AgentStatus, FieldRefusal, PageLimit, Sort, VoiceName,
};
use tenantry_operations::AgentFilter;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::view::AgentStatusSchema;
use crate::extract::{ListQuery, Member, Unknown, check_clearable, check_optional, check_required};

/// An agent to create.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({ "name": "Reception", "externalReference": "agent-4711", "voice": "shimmer" }))]
pub(crate) struct CreateAgent {
    /// Display name: one line, 1 to 120 characters.
    #[serde(default)]
    #[validate(custom(function = check_required::<AgentName>))]
    #[schema(value_type = String, required, min_length = 1, max_length = 120, example = "Reception")]
    name: Member<String>,
    /// What another system calls it: one line, 1 to 200 characters; no two agents of a workspace have the same.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<AgentReference>))]
    #[schema(value_type = Option<String>, required = false, min_length = 1, max_length = 200)]
    external_reference: Member<String>,
    /// The voice it speaks with, as its provider names it: one line, 1 to 200 characters.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<VoiceName>))]
    #[schema(value_type = Option<String>, required = false, min_length = 1, max_length = 200)]
    voice: Member<String>,
    /// `active` or `paused`; `active` unless said.
    #[serde(default)]
    #[validate(custom(function = check_optional::<AgentStatus>))]
    #[schema(value_type = AgentStatusSchema, required = false, example = "active")]
    status: Member<String>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[schema(ignore)]
    unknown: Unknown,
}

impl CreateAgent {
    pub(super) fn into_domain(self) -> Result<AgentDetails, FieldRefusal> {
        Ok(AgentDetails {
            name: self.name.required().map_err(|refusal| refusal.of("name"))?,
            external_reference: self.external_reference.clearable_as("externalReference")?.flatten(),
            voice: self.voice.clearable_as("voice")?.flatten(),
            status: self.status.parse_as("status")?.unwrap_or(AgentStatus::Active),
        })
    }
}

/// A change to an agent, as a JSON merge patch (RFC 7396): what is left out stays, `null` clears what may be absent.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({ "status": "paused", "voice": null }))]
pub(crate) struct UpdateAgent {
    /// See the creation of an agent.
    #[serde(default)]
    #[validate(custom(function = check_optional::<AgentName>))]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 120)]
    name: Member<String>,
    /// See the creation of an agent.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<AgentReference>))]
    #[schema(value_type = Option<String>, required = false, min_length = 1, max_length = 200)]
    external_reference: Member<String>,
    /// See the creation of an agent.
    #[serde(default)]
    #[validate(custom(function = check_clearable::<VoiceName>))]
    #[schema(value_type = Option<String>, required = false, min_length = 1, max_length = 200)]
    voice: Member<String>,
    /// `active` or `paused`.
    #[serde(default)]
    #[validate(custom(function = check_optional::<AgentStatus>))]
    #[schema(value_type = AgentStatusSchema, required = false, example = "paused")]
    status: Member<String>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[schema(ignore)]
    unknown: Unknown,
}

impl UpdateAgent {
    pub(super) fn into_domain(self) -> Result<AgentPatch, FieldRefusal> {
        Ok(AgentPatch {
            name: self.name.parse_as("name")?,
            external_reference: self.external_reference.clearable_as("externalReference")?,
            voice: self.voice.clearable_as("voice")?,
            status: self.status.parse_as("status")?,
        })
    }
}

/// Which agents, in which order, and how many at a time.
#[derive(Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct AgentQuery {
    /// Only in this status.
    #[serde(default)]
    #[validate(custom(function = check_optional::<AgentStatus>))]
    #[param(value_type = Option<AgentStatusSchema>)]
    status: Member<String>,
    /// Only the one with this external reference.
    #[serde(default)]
    #[validate(custom(function = check_optional::<AgentReference>))]
    #[param(value_type = Option<String>, max_length = 200)]
    external_reference: Member<String>,
    /// Only those with this text in the name, in either case.
    #[serde(default)]
    #[validate(custom(function = check_optional::<AgentName>))]
    #[param(value_type = Option<String>, max_length = 120)]
    q: Member<String>,
    /// `createdAt`, `updatedAt` or `name`; with `-` in front, the largest first. `createdAt` unless said.
    #[serde(default)]
    #[validate(custom(function = check_optional::<Sort>))]
    #[param(value_type = Option<String>)]
    sort: Member<String>,
    /// How many at most: 1 to 100, 50 unless said.
    #[serde(default)]
    #[validate(custom(function = check_optional::<PageLimit>))]
    #[param(value_type = Option<u8>, minimum = 1, maximum = 100)]
    limit: Member<String>,
    /// The `nextCursor` of the page before, with the same filters and sort.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    cursor: Member<String>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[param(ignore)]
    unknown: Unknown,
}

impl AgentQuery {
    pub(super) fn filter(&self) -> Result<AgentFilter, FieldRefusal> {
        let search: Option<AgentName> = self.q.parse_as("q")?;
        Ok(AgentFilter {
            status: self.status.parse_as("status")?,
            external_reference: self.external_reference.parse_as("externalReference")?,
            search: search.map(|text| text.as_str().to_owned()),
        })
    }
}

/// A list of one workspace, to which its cursors are bound.
pub(super) struct InWorkspace<'q>(pub(super) &'q AgentQuery, pub(super) String);

impl ListQuery for InWorkspace<'_> {
    fn paging(&self) -> [&Member<String>; 3] {
        [&self.0.limit, &self.0.sort, &self.0.cursor]
    }

    fn signature(&self) -> String {
        format!("agents of {} {:?}", self.1, [&self.0.status, &self.0.external_reference, &self.0.q])
    }
}
