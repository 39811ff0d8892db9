//! What a caller is shown of an API key.

use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_auth::Secret;
use tenantry_domain::{ApiKey, BrandId, WorkspaceId};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::{millis, millis_option};

/// An API key is a machine credential of a tenant. Its secret is shown once, when it is made.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ApiKey)]
pub struct ApiKeyView {
    /// Unique identifier; says nothing about the secret.
    #[schema(example = "d1a2b3c4-5678-4abc-9ef0-1234567890ab")]
    id: Uuid,
    /// The tenant this key belongs to.
    #[schema(example = "a0b1c2d3-4567-49ab-8def-0123456789ab")]
    tenant_id: Uuid,
    /// What people call it.
    #[schema(example = "CRM synchronisation")]
    name: String,
    /// `live` or `test`; a label that is part of the key itself.
    #[schema(value_type = KeyModeSchema, example = "live")]
    mode: &'static str,
    /// What it may do.
    #[schema(value_type = Vec<ScopeSchema>, example = json!(["workspaces:read"]))]
    scopes: Vec<&'static str>,
    /// The brand it is restricted to.
    #[schema(required, example = json!(null))]
    brand_id: Option<Uuid>,
    /// The workspace it is restricted to.
    #[schema(required, example = json!(null))]
    workspace_id: Option<Uuid>,
    /// The last four characters of the secret, by which to recognise it.
    #[schema(example = "tZ9u")]
    last_four: String,
    /// From when on it is refused.
    #[serde(serialize_with = "millis_option")]
    #[schema(required, example = "2027-01-20T10:00:00.000Z")]
    expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    #[serde(serialize_with = "millis_option")]
    #[schema(required, example = json!(null))]
    revoked_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    #[serde(serialize_with = "millis_option")]
    #[schema(required, example = "2026-03-01T16:45:00.000Z")]
    last_used_at: Option<DateTime<Utc>>,
    /// When it was made.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-01-20T10:00:00.000Z")]
    created_at: DateTime<Utc>,
}

/// A new API key with its secret, which cannot be read again.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewApiKey {
    #[serde(flatten)]
    key: ApiKeyView,
    /// The key itself, for the header `Authorization: Bearer …`. Keep it: it is not shown again.
    #[schema(example = "tnt_live_v1_2qPXNHqRM3jZy6kT0uWc4sVbXk81GdTq5RzLmN7oYpAeHfJ9wKx3C2Q0tZ9u")]
    secret: String,
}

/// What an API key may do.
#[derive(ToSchema)]
#[schema(as = Scope)]
#[expect(dead_code, reason = "says the words to the OpenAPI document; a test compares them with the domain's")]
pub(crate) enum ScopeSchema {
    #[schema(rename = "workspaces:read")]
    WorkspacesRead,
    #[schema(rename = "workspaces:write")]
    WorkspacesWrite,
    #[schema(rename = "brands:read")]
    BrandsRead,
    #[schema(rename = "brands:write")]
    BrandsWrite,
    #[schema(rename = "members:read")]
    MembersRead,
    #[schema(rename = "members:write")]
    MembersWrite,
    #[schema(rename = "keys:read")]
    KeysRead,
    #[schema(rename = "keys:write")]
    KeysWrite,
    #[schema(rename = "usage:read")]
    UsageRead,
    #[schema(rename = "usage:write")]
    UsageWrite,
    #[schema(rename = "integrations:read")]
    IntegrationsRead,
    #[schema(rename = "integrations:write")]
    IntegrationsWrite,
    #[schema(rename = "audit:read")]
    AuditRead,
    #[schema(rename = "tenant:read")]
    TenantRead,
    #[schema(rename = "tenant:write")]
    TenantWrite,
}

/// What a key is meant for.
#[derive(ToSchema)]
#[schema(as = KeyMode)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "says the two words to the OpenAPI document")]
pub(crate) enum KeyModeSchema {
    Live,
    Test,
}

impl NewApiKey {
    pub(super) fn of(key: ApiKey, secret: &Secret) -> Self {
        Self { key: key.into(), secret: secret.reveal().to_owned() }
    }
}

impl From<ApiKey> for ApiKeyView {
    fn from(key: ApiKey) -> Self {
        let (brand_id, workspace_id) = key.details.reach.restriction();
        Self {
            id: key.id.uuid(),
            tenant_id: key.tenant_id.uuid(),
            name: key.details.name.as_str().to_owned(),
            mode: key.details.mode.as_str(),
            scopes: key.details.scopes.iter().map(|scope| scope.as_str()).collect(),
            brand_id: brand_id.map(BrandId::uuid),
            workspace_id: workspace_id.map(WorkspaceId::uuid),
            last_four: key.last_four,
            expires_at: key.details.expires_at,
            revoked_at: key.revoked_at,
            last_used_at: key.last_used_at,
            created_at: key.created_at,
        }
    }
}

/// A page of API keys.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes the page to the OpenAPI document")]
pub(crate) struct ApiKeyList {
    /// The keys.
    data: Vec<ApiKeyView>,
    /// The cursor of the next page; absent at the end.
    #[schema(required = false, example = "eyJrIjoiMjAyNi0wMS0yMFQxMDowMDowMFoiLCJpIjoiYzFhMmIzYzQifQ")]
    next_cursor: String,
}
