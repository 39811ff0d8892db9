//! What a caller asks of the limits of a workspace.

use serde::Deserialize;
use tenantry_domain::{Cap, FieldRefusal, TimeZone, WorkspaceLimitsPatch};
use utoipa::ToSchema;
use validator::Validate;

use crate::extract::{Member, Unknown, check_clearable_number, check_optional};

/// A change to the limits of a workspace, as a JSON merge patch (RFC 7396): what is left out stays, `null` takes a limit off.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UpdateWorkspaceLimits, example = json!({ "maxAgents": 5, "maxMinutes": 600, "timeZone": "Europe/Berlin" }))]
pub(crate) struct UpdateLimits {
    /// Members assigned to the workspace, with those who are invited to it: 0 to 1,000,000.
    #[serde(default)]
    #[validate(custom(function = check_clearable_number::<Cap>))]
    #[schema(value_type = Option<i64>, required = false, minimum = 0, maximum = 1000000)]
    max_members: Member<i64>,
    /// AI agents in the workspace: 0 to 1,000,000.
    #[serde(default)]
    #[validate(custom(function = check_clearable_number::<Cap>))]
    #[schema(value_type = Option<i64>, required = false, minimum = 0, maximum = 1000000)]
    max_agents: Member<i64>,
    /// Minutes of usage in a month: 0 to 1,000,000.
    #[serde(default)]
    #[validate(custom(function = check_clearable_number::<Cap>))]
    #[schema(value_type = Option<i64>, required = false, minimum = 0, maximum = 1000000)]
    max_minutes: Member<i64>,
    /// In which time zone a month is counted, by its name in the IANA database.
    #[serde(default)]
    #[validate(custom(function = check_optional::<TimeZone>))]
    #[schema(value_type = String, required = false, max_length = 60)]
    time_zone: Member<String>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[schema(ignore)]
    unknown: Unknown,
}

impl UpdateLimits {
    pub(super) fn into_domain(self) -> Result<WorkspaceLimitsPatch, FieldRefusal> {
        Ok(WorkspaceLimitsPatch {
            max_members: self.max_members.clearable_number_as("maxMembers")?,
            max_agents: self.max_agents.clearable_number_as("maxAgents")?,
            max_minutes: self.max_minutes.clearable_number_as("maxMinutes")?,
            time_zone: self.time_zone.parse_as("timeZone")?,
        })
    }
}
