//! `/api/tenant`.

use actix_web::{HttpResponse, get, patch, web::Data};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tenantry_domain::{
    Cap, CountryCode, CurrencyCode, FieldRefusal, LanguageCode, Limits, LocaleRequest, Tenant, TenantName, TenantPatch,
    Use, WorkspaceType,
};
use tenantry_operations::tenants;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::{millis, workspaces::WorkspaceTypeSchema};
use crate::{
    Service,
    error::Failure,
    etag,
    extract::{Caller, IfMatch, IfNoneMatch, Member, Unknown, Valid, check_optional},
};

/// A tenant is the account: every brand, workspace and API key belongs to exactly one.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Tenant)]
pub struct TenantView {
    /// Unique identifier.
    #[schema(example = "a0b1c2d3-4567-49ab-8def-0123456789ab")]
    id: Uuid,
    /// Display name.
    #[schema(example = "Acme Industrial Supply")]
    name: String,
    /// The country of workspaces for which none is named (ISO 3166-1 alpha-2).
    #[schema(example = "DE")]
    default_country: String,
    /// The language of workspaces for which neither language nor country is named (ISO 639-1).
    #[schema(example = "de")]
    default_operating_language: String,
    /// The currency of workspaces for which neither currency nor country is named (ISO 4217).
    #[schema(example = "EUR")]
    default_currency: String,
    /// The type of workspaces for which none is named.
    #[schema(value_type = WorkspaceTypeSchema, example = "b2b")]
    default_workspace_type: &'static str,
    /// What it may have at most; the platform sets that.
    limits: LimitsView,
    /// When it was created.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-01-20T10:00:00.000Z")]
    created_at: DateTime<Utc>,
    /// When it was last updated.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-03-01T16:45:00.000Z")]
    updated_at: DateTime<Utc>,
}

/// What a tenant may have at most; `null` is unlimited.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Limits)]
pub(crate) struct LimitsView {
    /// Workspaces, without those that are deleted.
    #[schema(required, example = 25)]
    max_workspaces: Option<u32>,
    /// Members assigned to each workspace, with those who are invited to it.
    #[schema(required, example = json!(null))]
    max_members: Option<u32>,
    /// AI agents in each workspace.
    #[schema(required, example = json!(null))]
    max_agents: Option<u32>,
    /// Minutes of usage in each workspace in a month.
    #[schema(required, example = json!(null))]
    max_minutes: Option<u32>,
}

impl From<Limits> for LimitsView {
    fn from(limits: Limits) -> Self {
        Self {
            max_workspaces: limits.max_workspaces.map(Cap::get),
            max_members: limits.max_members.map(Cap::get),
            max_agents: limits.max_agents.map(Cap::get),
            max_minutes: limits.max_minutes.map(Cap::get),
        }
    }
}

/// How much a tenant has of what is limited or counted.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Use)]
pub(crate) struct UseView {
    /// Workspaces, without those that are deleted.
    #[schema(example = 3)]
    workspaces: i64,
    /// Members.
    #[schema(example = 12)]
    members: i64,
    /// Invitations that can be accepted.
    #[schema(example = 1)]
    pending_invitations: i64,
}

impl From<Use> for UseView {
    fn from(used: Use) -> Self {
        Self { workspaces: used.workspaces, members: used.members, pending_invitations: used.pending_invitations }
    }
}

/// The tenant, and how much it uses of its limits.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TenantWithUse {
    #[serde(flatten)]
    tenant: TenantView,
    /// How much it uses.
    #[serde(rename = "use")]
    used: UseView,
}

impl From<(Tenant, Use)> for TenantWithUse {
    fn from((tenant, used): (Tenant, Use)) -> Self {
        Self { tenant: tenant.into(), used: used.into() }
    }
}

impl From<Tenant> for TenantView {
    fn from(tenant: Tenant) -> Self {
        let defaults = tenant.details.defaults;
        Self {
            id: tenant.id.uuid(),
            name: tenant.details.name.as_str().to_owned(),
            default_country: defaults.country.to_string(),
            default_operating_language: defaults.language.to_string(),
            default_currency: defaults.currency.to_string(),
            default_workspace_type: defaults.workspace_type.as_str(),
            limits: tenant.limits.into(),
            created_at: tenant.created_at,
            updated_at: tenant.updated_at,
        }
    }
}

/// A change to the tenant, as a JSON merge patch (RFC 7396): what is left out stays. Existing workspaces stay as they are.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({ "name": "Acme Industrial Supply", "defaultWorkspaceType": "b2c" }))]
pub(crate) struct UpdateTenant {
    /// One line, 1 to 120 characters.
    #[serde(default)]
    #[validate(custom(function = check_optional::<TenantName>))]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 120)]
    name: Member<String>,
    /// ISO 3166-1 alpha-2, officially assigned, upper case.
    #[serde(default)]
    #[validate(custom(function = check_optional::<CountryCode>))]
    #[schema(value_type = String, required = false, pattern = "^[A-Z]{2}$")]
    default_country: Member<String>,
    /// ISO 639-1, lower case.
    #[serde(default)]
    #[validate(custom(function = check_optional::<LanguageCode>))]
    #[schema(value_type = String, required = false, pattern = "^[a-z]{2}$")]
    default_operating_language: Member<String>,
    /// ISO 4217, upper case.
    #[serde(default)]
    #[validate(custom(function = check_optional::<CurrencyCode>))]
    #[schema(value_type = String, required = false, pattern = "^[A-Z]{3}$")]
    default_currency: Member<String>,
    /// `b2b` or `b2c`.
    #[serde(default)]
    #[validate(custom(function = check_optional::<WorkspaceType>))]
    #[schema(value_type = WorkspaceTypeSchema, required = false, example = "b2c")]
    default_workspace_type: Member<String>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[schema(ignore)]
    unknown: Unknown,
}

impl UpdateTenant {
    fn into_domain(self) -> Result<TenantPatch, FieldRefusal> {
        let defaults = LocaleRequest {
            country: self.default_country.parse_as("defaultCountry")?,
            language: self.default_operating_language.parse_as("defaultOperatingLanguage")?,
            currency: self.default_currency.parse_as("defaultCurrency")?,
            workspace_type: self.default_workspace_type.parse_as("defaultWorkspaceType")?,
        };
        Ok(TenantPatch { name: self.name.parse_as("name")?, defaults })
    }
}

/// Get the tenant
///
/// The tenant that the credential belongs to, its limits, and how much of them it uses.
#[utoipa::path(tag = "Tenant", responses((status = 200, description = "The tenant.", body = TenantWithUse)))]
#[get("/api/tenant")]
pub(crate) async fn show(caller: Caller, known: IfNoneMatch, service: Data<Service>) -> Result<HttpResponse, Failure> {
    let (tenant, used) = tenants::show(&service.store, &caller.credential).await?;
    known.answer_composed(tenant.version, &TenantWithUse::from((tenant, used)))
}

/// Update the tenant
///
/// A JSON merge patch of its name and of what new workspaces start with.
#[utoipa::path(
    tag = "Tenant",
    request_body = UpdateTenant,
    responses((status = 200, description = "The tenant as it is now.", body = TenantWithUse))
)]
#[patch("/api/tenant")]
pub(crate) async fn update(
    caller: Caller,
    seen: IfMatch,
    body: Valid<UpdateTenant>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (tenant, used) = tenants::update(&service.store, &caller.credential, seen.0, body.0.into_domain()?).await?;
    etag::answer_composed(HttpResponse::Ok(), tenant.version, &TenantWithUse::from((tenant, used)))
}
