//! What a caller is shown of an API key.

use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_auth::Secret;
use tenantry_domain::{ApiKey, ApiKeyId, BrandId, KeyMode, WorkspaceId};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    api::{MakerView, millis, millis_option},
    extract::List,
    schema::{ScopeWord, Word},
};

type KeyModeWord = Word<KeyMode>;

/// An API key is a machine credential of a tenant. Its secret is shown only once, when the key is created.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ApiKey)]
pub struct ApiKeyView {
    /// Unique identifier. It reveals nothing about the secret.
    #[schema(example = "d1a2b3c4-5678-4abc-9ef0-1234567890ab")]
    id: Uuid,
    /// The tenant this key belongs to.
    #[schema(example = "a0b1c2d3-4567-49ab-8def-0123456789ab")]
    tenant_id: Uuid,
    /// Display name.
    #[schema(example = "CRM synchronisation")]
    name: String,
    /// `live` or `test`. The label is part of the key itself.
    #[schema(example = "live")]
    mode: KeyModeWord,
    /// What the key may do.
    #[schema(example = json!(["workspaces:read"]))]
    scopes: Vec<ScopeWord>,
    /// The brand the key is restricted to.
    #[schema(required, example = json!(null))]
    brand_id: Option<Uuid>,
    /// The workspace the key is restricted to.
    #[schema(required, example = json!(null))]
    workspace_id: Option<Uuid>,
    /// The last four characters of the secret, to help recognise it.
    #[schema(example = "tZ9u")]
    last_four: String,
    /// Who created or rotated it. `null` for a key from before this was recorded.
    #[schema(required)]
    created_by: Option<MakerView>,
    /// When the key expires.
    #[serde(serialize_with = "millis_option")]
    #[schema(required, example = "2027-01-20T10:00:00.000Z")]
    expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    #[serde(serialize_with = "millis_option")]
    #[schema(required, example = json!(null))]
    revoked_at: Option<DateTime<Utc>>,
    /// The key that replaced it when it was rotated.
    #[schema(required, example = json!(null))]
    replaced_by: Option<Uuid>,
    /// When the key was last used, to the minute.
    #[serde(serialize_with = "millis_option")]
    #[schema(required, example = "2026-03-01T16:45:00.000Z")]
    last_used_at: Option<DateTime<Utc>>,
    /// When the key was created.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-01-20T10:00:00.000Z")]
    created_at: DateTime<Utc>,
}

/// A new API key with its secret, which is not shown again.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiKeyCreated {
    #[serde(flatten)]
    key: ApiKeyView,
    /// The key itself, for the header `Authorization: Bearer …`. Store it now: it is not shown again.
    #[schema(example = "tnt_live_v1_2qPXNHqRM3jZy6kT0uWc4sVbXk81GdTq5RzLmN7oYpAeHfJ9wKx3C2Q0tZ9u")]
    secret: String,
}

impl ApiKeyCreated {
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
            mode: Word(key.details.mode),
            scopes: key.details.scopes.into_iter().map(ScopeWord).collect(),
            brand_id: brand_id.map(BrandId::uuid),
            workspace_id: workspace_id.map(WorkspaceId::uuid),
            last_four: key.last_four,
            created_by: key.created_by.map(MakerView::from),
            expires_at: key.details.expires_at,
            revoked_at: key.revoked_at,
            replaced_by: key.replaced_by.map(ApiKeyId::uuid),
            last_used_at: key.last_used_at,
            created_at: key.created_at,
        }
    }
}

/// A page of them.
pub(crate) type ApiKeyList = List<ApiKeyView>;
