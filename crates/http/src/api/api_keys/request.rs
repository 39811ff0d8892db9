//! What a caller asks of API keys.

use chrono::{DateTime, Utc};
use tenantry_domain::{
    ApiKeyDetails, ApiKeyName, BrandId, FieldRefusal, Instant, KeyMode, KeyScope, Line, Overlap, Reach, Refusal, Sort,
    WorkspaceId, demo,
};
use tenantry_operations::ApiKeyFilter;

use crate::extract::{Distinct, Filters, Flag, Optional, OptionalAs, OrDefault, Required, query, request};

request! {
    /// An API key to create. It cannot have scopes that the caller lacks, or outlive the caller's own key.
    #[example({
        "name": "CRM synchronisation",
        "scopes": ["workspaces:read", "brands:read"],
        "brandId": demo::BRAND.to_string(),
        "expiresAt": "2099-12-31T23:59:59.000Z",
    })]
    pub(crate) struct CreateApiKey {
        /// Display name.
        name: Required<ApiKeyName>,
        /// What the key is for.
        mode: OrDefault<KeyMode>,
        /// What the key may do. `write` does not include `read`.
        scopes: Required<Distinct<KeyScope, 1, { usize::MAX }>>,
        /// Restricts the key to one brand and its workspaces. Cannot be combined with `workspaceId`.
        brand_id: Optional<BrandId>,
        /// Restricts the key to one workspace. Cannot be combined with `brandId`.
        workspace_id: Optional<WorkspaceId>,
        /// When the key expires; in the future. Default: never.
        expires_at: OptionalAs<Instant, DateTime<Utc>>,
    }
}

impl CreateApiKey {
    pub(super) fn into_domain(self) -> Result<ApiKeyDetails, FieldRefusal> {
        let reach = match (self.brand_id, self.workspace_id) {
            (None, None) => Reach::Tenant,
            (Some(id), None) => Reach::Brand(id),
            (None, Some(id)) => Reach::Workspace(id),
            (Some(_), Some(_)) => {
                return Err(Refusal::new(
                    "conflicting",
                    "must not be combined with brandId: a workspace already belongs to a brand",
                )
                .of("workspaceId"));
            }
        };
        Ok(ApiKeyDetails {
            name: self.name,
            mode: self.mode,
            scopes: self.scopes.0,
            reach,
            expires_at: self.expires_at,
        })
    }
}

request! {
    /// How to rotate an API key.
    #[example({ "overlapSeconds": 3600 })]
    pub(crate) struct RotateApiKey {
        /// For how long the old secret keeps working.
        overlap_seconds: OrDefault<Overlap>,
    }
}

query! {
    /// How to revoke an API key.
    pub(crate) struct RevokeApiKey {
        /// `true`: revoke the key even if it authenticates this request. Default: `false`.
        revoke_own: OptionalAs<Flag, bool>,
    }
}

query! {
    /// Which API keys.
    pub(crate) struct ApiKeyFilters => ApiKeyFilter {
        /// `true`: only keys that work. `false`: only keys that are revoked or expired.
        active: OptionalAs<Flag, bool>,
        /// Only keys made by this actor: the id of a member or of an API key.
        created_by: OptionalAs<Line<255>, String>,
    }
}

impl Filters for ApiKeyFilters {
    type Sort = Sort;
}
