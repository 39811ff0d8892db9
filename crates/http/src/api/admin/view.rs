//! What the platform is shown of a tenant.

use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_domain::{Tenant, TenantState, Use};
use tenantry_operations::tenants::FoundedOwner;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    api::{
        millis_option,
        tenant::{TenantUsageView, TenantView},
    },
    extract::List,
    schema::Word,
};

type TenantStateWord = Word<TenantState>;

/// A tenant as the platform sees it: its account, without its data.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PlatformTenant)]
pub struct PlatformTenantView {
    #[serde(flatten)]
    tenant: TenantView,
    /// Whether the tenant is active, suspended or deleted.
    #[schema(example = "active")]
    state: TenantStateWord,
    /// When the tenant was suspended.
    #[serde(serialize_with = "millis_option")]
    #[schema(required, example = json!(null))]
    suspended_at: Option<DateTime<Utc>>,
    /// When the tenant was deleted. It is erased 30 days later.
    #[serde(serialize_with = "millis_option")]
    #[schema(required, example = json!(null))]
    deleted_at: Option<DateTime<Utc>>,
    /// Since when the tenant can be read and not changed, because it is being moved.
    #[serde(serialize_with = "millis_option")]
    #[schema(required, example = json!(null))]
    frozen_at: Option<DateTime<Utc>>,
}

impl From<Tenant> for PlatformTenantView {
    fn from(tenant: Tenant) -> Self {
        Self {
            state: Word(tenant.state()),
            suspended_at: tenant.suspended_at,
            deleted_at: tenant.deleted_at,
            frozen_at: tenant.frozen_at,
            tenant: tenant.into(),
        }
    }
}

/// A tenant as the platform sees it, with its current usage.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlatformTenantWithUsage {
    #[serde(flatten)]
    tenant: PlatformTenantView,
    /// The tenant's current usage.
    #[serde(rename = "use")]
    used: TenantUsageView,
}

impl From<(Tenant, Use)> for PlatformTenantWithUsage {
    fn from((tenant, used): (Tenant, Use)) -> Self {
        Self { tenant: tenant.into(), used: used.into() }
    }
}

/// A new tenant, and how its first owner gets in: either `apiKey` or `invitationId` is set.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TenantCreated {
    #[serde(flatten)]
    tenant: PlatformTenantWithUsage,
    /// The first owner's API key, which may do everything in the tenant. Store it now: it is not shown again.
    #[schema(required, example = "tnt_live_v1_2qPXNHqRM3jZy6kT0uWc4sVbXk81GdTq5RzLmN7oYpAeHfJ9wKx3C2Q0tZ9u")]
    api_key: Option<String>,
    /// The invitation of the first owner.
    #[schema(required, example = json!(null))]
    invitation_id: Option<Uuid>,
}

impl TenantCreated {
    pub(super) fn of(tenant: PlatformTenantWithUsage, owner: &FoundedOwner) -> Self {
        let (api_key, invitation_id) = match owner {
            FoundedOwner::Key(secret) => (Some(secret.reveal().to_owned()), None),
            FoundedOwner::Invitation(id) => (None, Some(id.uuid())),
        };
        Self { tenant, api_key, invitation_id }
    }
}

/// A page of them.
pub(crate) type PlatformTenantList = List<PlatformTenantView>;
