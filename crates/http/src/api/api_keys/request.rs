//! What a caller asks of API keys.

use serde::Deserialize;
use tenantry_domain::{
    ApiKeyDetails, ApiKeyName, BrandId, FieldRefusal, KeyMode, Overlap, PageLimit, Reach, Refusal, Scope, Sort,
    WorkspaceId,
};
use utoipa::{IntoParams, ToSchema};
use validator::{Validate, ValidationError};

use super::view::{KeyModeSchema, ScopeSchema};
use crate::{
    api::instant,
    extract::{ListQuery, Member, Unknown, check_each, check_optional, check_required},
};

/// An API key to make. It cannot grant more than the caller has: no further scope, no longer life.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "name": "CRM synchronisation",
    "scopes": ["workspaces:read", "brands:read"],
    "brandId": "b1a2c3d4-5678-4abc-9ef0-1234567890ab",
    "expiresAt": "2027-01-20T10:00:00.000Z",
}))]
pub(crate) struct CreateApiKey {
    /// What people call it: one line, 1 to 120 characters.
    #[serde(default)]
    #[validate(custom(function = check_required::<ApiKeyName>))]
    #[schema(value_type = String, required, min_length = 1, max_length = 120, example = "CRM synchronisation")]
    name: Member<String>,
    /// `live` unless said.
    #[serde(default)]
    #[validate(custom(function = check_optional::<KeyMode>))]
    #[schema(value_type = KeyModeSchema, required = false, example = "live")]
    mode: Member<String>,
    /// What it may do; at least one. `write` does not include `read`.
    #[serde(default)]
    #[validate(custom(function = check_scopes))]
    #[schema(value_type = Vec<ScopeSchema>, required, min_items = 1, example = json!(["workspaces:read"]))]
    scopes: Member<Vec<Member<String>>>,
    /// Restricts it to one brand and its workspaces; not together with `workspaceId`.
    #[serde(default)]
    #[validate(custom(function = check_optional::<BrandId>))]
    #[schema(value_type = Uuid, required = false)]
    brand_id: Member<String>,
    /// Restricts it to one workspace; not together with `brandId`.
    #[serde(default)]
    #[validate(custom(function = check_optional::<WorkspaceId>))]
    #[schema(value_type = Uuid, required = false)]
    workspace_id: Member<String>,
    /// From when on it is refused (RFC 3339, in the future); never, unless said.
    #[serde(default)]
    #[validate(custom(function = check_expiry))]
    #[schema(value_type = String, format = DateTime, required = false, example = "2027-01-20T10:00:00.000Z")]
    expires_at: Member<String>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[schema(ignore)]
    unknown: Unknown,
}

fn check_scopes(member: &Member<Vec<Member<String>>>) -> Result<(), ValidationError> {
    check_each(scopes(member))
}

fn check_expiry(member: &Member<String>) -> Result<(), ValidationError> {
    check_each(instant(member))
}

fn scopes(member: &Member<Vec<Member<String>>>) -> Result<Vec<Scope>, Refusal> {
    let mut scopes = Vec::new();
    for member in member.plain()?.ok_or_else(|| Refusal::new("required", "is required"))? {
        let scope: Scope = member.required()?;
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    if scopes.is_empty() { Err(Refusal::new("empty", "must name at least one scope")) } else { Ok(scopes) }
}

impl CreateApiKey {
    pub(super) fn into_domain(self) -> Result<ApiKeyDetails, FieldRefusal> {
        let brand: Option<BrandId> = self.brand_id.parse_as("brandId")?;
        let workspace: Option<WorkspaceId> = self.workspace_id.parse_as("workspaceId")?;
        let reach = match (brand, workspace) {
            (None, None) => Reach::Tenant,
            (Some(id), None) => Reach::Brand(id),
            (None, Some(id)) => Reach::Workspace(id),
            (Some(_), Some(_)) => {
                return Err(Refusal::new(
                    "conflicting",
                    "must not be given together with brandId: a workspace is in one brand",
                )
                .of("workspaceId"));
            }
        };
        Ok(ApiKeyDetails {
            name: self.name.required().map_err(|refusal| refusal.of("name"))?,
            mode: self.mode.parse_as("mode")?.unwrap_or(KeyMode::Live),
            scopes: scopes(&self.scopes).map_err(|refusal| refusal.of("scopes"))?,
            reach,
            expires_at: instant(&self.expires_at).map_err(|refusal| refusal.of("expiresAt"))?,
        })
    }
}

/// How to rotate an API key.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RotateApiKey {
    /// For how many seconds the old secret stays good: 0 to 604,800 (7 days), 86,400 (1 day) unless said.
    #[serde(default)]
    #[validate(custom(function = check_overlap))]
    #[schema(value_type = i64, required = false, minimum = 0, maximum = 604800, example = 86400)]
    overlap_seconds: Member<i64>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[schema(ignore)]
    unknown: Unknown,
}

impl RotateApiKey {
    pub(super) fn into_domain(self) -> Result<Overlap, FieldRefusal> {
        overlap(&self.overlap_seconds).map_err(|refusal| refusal.of("overlapSeconds"))
    }
}

fn check_overlap(member: &Member<i64>) -> Result<(), ValidationError> {
    check_each(overlap(member))
}

fn overlap(member: &Member<i64>) -> Result<Overlap, Refusal> {
    Ok(member.plain()?.map(|seconds| Overlap::try_from(*seconds)).transpose()?.unwrap_or_default())
}

/// Which keys, in which order, and how many at a time.
#[derive(Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct ApiKeyQuery {
    /// `true`: only keys that work. `false`: only keys that were revoked or have expired.
    #[serde(default)]
    #[validate(custom(function = check_active))]
    #[param(value_type = Option<bool>)]
    active: Member<String>,
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

fn check_active(member: &Member<String>) -> Result<(), ValidationError> {
    check_each(active(member))
}

fn active(member: &Member<String>) -> Result<Option<bool>, Refusal> {
    match member.plain()?.map(String::as_str) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(Refusal::new("not_a_choice", "must be true or false")),
    }
}

impl ApiKeyQuery {
    pub(super) fn filter(&self) -> Result<Option<bool>, FieldRefusal> {
        active(&self.active).map_err(|refusal| refusal.of("active"))
    }
}

impl ListQuery for ApiKeyQuery {
    fn paging(&self) -> [&Member<String>; 3] {
        [&self.limit, &self.sort, &self.cursor]
    }

    fn signature(&self) -> String {
        format!("api keys {:?}", self.active)
    }
}
