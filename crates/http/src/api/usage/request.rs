//! What a caller asks of usage.

use serde::Deserialize;
use tenantry_domain::{FieldRefusal, Month, NewUsage, Refusal, UsageKind, UsageReference, UsageSeconds, UsedAt};
use utoipa::{IntoParams, ToSchema};
use validator::{Validate, ValidationError};

use super::view::UsageKindSchema;
use crate::{
    api::instant,
    extract::{Member, Unknown, check_each, check_optional, check_required},
};

/// An entry to add to the ledger.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({ "seconds": 95, "usedAt": "2026-03-01T16:45:00.000Z", "reference": "call-4711" }))]
pub(crate) struct RecordUsage {
    /// `usage` adds to the month, `refund` takes off it; `usage` unless said.
    #[serde(default)]
    #[validate(custom(function = check_optional::<UsageKind>))]
    #[schema(value_type = UsageKindSchema, required = false, example = "usage")]
    kind: Member<String>,
    /// How many seconds: 0 to 86,400.
    #[serde(default)]
    #[validate(custom(function = check_seconds))]
    #[schema(value_type = i64, required, minimum = 0, maximum = 86400, example = 95)]
    seconds: Member<i64>,
    /// When it was used (RFC 3339, from the year 2000 on, not in the future), which says in which month it counts; now, unless
    /// said.
    #[serde(default)]
    #[validate(custom(function = check_used_at))]
    #[schema(value_type = String, format = DateTime, required = false, example = "2026-03-01T16:45:00.000Z")]
    used_at: Member<String>,
    /// What the caller calls it: one line, 1 to 200 characters, once in a workspace.
    #[serde(default)]
    #[validate(custom(function = check_required::<UsageReference>))]
    #[schema(value_type = String, required, min_length = 1, max_length = 200, example = "call-4711")]
    reference: Member<String>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[schema(ignore)]
    unknown: Unknown,
}

fn check_seconds(member: &Member<i64>) -> Result<(), ValidationError> {
    check_each(seconds(member))
}

fn seconds(member: &Member<i64>) -> Result<UsageSeconds, Refusal> {
    UsageSeconds::try_from(*member.plain()?.ok_or_else(|| Refusal::new("required", "is required"))?)
}

fn check_used_at(member: &Member<String>) -> Result<(), ValidationError> {
    check_each(used_at(member))
}

fn used_at(member: &Member<String>) -> Result<Option<UsedAt>, Refusal> {
    instant(member)?.map(UsedAt::try_from).transpose()
}

impl RecordUsage {
    pub(super) fn into_domain(self) -> Result<NewUsage, FieldRefusal> {
        Ok(NewUsage {
            kind: self.kind.parse_as("kind")?.unwrap_or_default(),
            seconds: seconds(&self.seconds).map_err(|refusal| refusal.of("seconds"))?,
            used_at: used_at(&self.used_at).map_err(|refusal| refusal.of("usedAt"))?,
            reference: self.reference.required().map_err(|refusal| refusal.of("reference"))?,
        })
    }
}

/// Which months.
#[derive(Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct UsageQuery {
    /// The first month, such as `2026-01`, at most 119 months before the last one; the last one, unless said.
    #[serde(default)]
    #[validate(custom(function = check_optional::<Month>))]
    #[param(value_type = Option<String>, pattern = "^[0-9]{4}-[0-9]{2}$")]
    from: Member<String>,
    /// The last month; the present one in the time zone of the workspace, unless said.
    #[serde(default)]
    #[validate(custom(function = check_optional::<Month>))]
    #[param(value_type = Option<String>, pattern = "^[0-9]{4}-[0-9]{2}$")]
    to: Member<String>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[param(ignore)]
    unknown: Unknown,
}

impl UsageQuery {
    pub(super) fn months(&self) -> Result<(Option<Month>, Option<Month>), FieldRefusal> {
        Ok((self.from.parse_as("from")?, self.to.parse_as("to")?))
    }
}

/// How much is to be used.
#[derive(Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct CheckQuery {
    /// How many seconds: 0 to 86,400; 1 unless said.
    #[serde(default)]
    #[validate(custom(function = check_optional::<UsageSeconds>))]
    #[param(value_type = Option<i64>, minimum = 0, maximum = 86400)]
    seconds: Member<String>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[param(ignore)]
    unknown: Unknown,
}

impl CheckQuery {
    pub(super) fn seconds(&self) -> Result<UsageSeconds, FieldRefusal> {
        Ok(self.seconds.parse_as("seconds")?.unwrap_or(UsageSeconds::ONE))
    }
}
