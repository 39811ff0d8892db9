//! `/api/tenant`.

use actix_web::{HttpResponse, get, patch, web::Data};
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_domain::{
    Action, Cap, CountryCode, CurrencyCode, LanguageCode, Limits, LocaleRequest, Requests, Tenant, TenantName,
    TenantPatch, Use, WorkspaceType,
};
use tenantry_operations::tenants;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::{external_id, metadata, millis};
use crate::{
    answer,
    error::Failure,
    extract::{Caller, IfMatch, IfNoneMatch, Optional, Valid, request},
    part::{Group, Part},
    schema::Word,
    service::Service,
};

type WorkspaceTypeWord = Word<WorkspaceType>;

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
    /// The default country of new workspaces (ISO 3166-1 alpha-2).
    #[schema(example = "DE", pattern = "^[A-Z]{2}$")]
    default_country: String,
    /// The default language of new workspaces, if they name no country (ISO 639-1).
    #[schema(example = "de", pattern = "^[a-z]{2}$")]
    default_operating_language: String,
    /// The default currency of new workspaces, if they name no country (ISO 4217).
    #[schema(example = "EUR", pattern = "^[A-Z]{3}$")]
    default_currency: String,
    /// The default type of new workspaces.
    #[schema(example = "b2b")]
    default_workspace_type: WorkspaceTypeWord,
    /// The limits of the tenant, set by the platform.
    limits: LimitsView,
    /// The tenant's ID in another system, unique on the platform, which sets it.
    #[schema(required, example = "crm-4711")]
    external_id: Option<String>,
    /// The platform's notes about the tenant, by name.
    #[schema(example = json!({ "tier": "gold" }))]
    metadata: BTreeMap<String, String>,
    /// When it was created.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-01-20T10:00:00.000Z")]
    created_at: DateTime<Utc>,
    /// When it was last updated.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-03-01T16:45:00.000Z")]
    updated_at: DateTime<Utc>,
}

/// The limits of a tenant. `null` is unlimited, except for invitations and emails.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TenantLimits)]
pub(crate) struct LimitsView {
    /// Workspaces, not counting deleted ones.
    #[schema(required, example = 25)]
    max_workspaces: Option<u32>,
    /// Members assigned to each workspace; pending invitations count.
    #[schema(required, example = json!(null))]
    max_members: Option<u32>,
    /// AI agents in each workspace.
    #[schema(required, example = json!(null))]
    max_agents: Option<u32>,
    /// Minutes of usage in each workspace in a month.
    #[schema(required, example = json!(null))]
    max_minutes: Option<u32>,
    /// Pending invitations of the tenant. `null` is the service's default, here and in the next two.
    #[schema(required, example = json!(null))]
    max_pending_invitations: Option<u32>,
    /// Emails that the tenant may send in 24 hours.
    #[schema(required, example = json!(null))]
    max_emails_per_day: Option<u32>,
    /// Emails that the tenant may send to one address in 24 hours.
    #[schema(required, example = json!(null))]
    max_emails_per_recipient: Option<u32>,
    /// Requests in a second, by all credentials together, to each replica of the service.
    #[schema(required, example = json!(null))]
    requests_per_second: Option<u32>,
    /// Requests at once, if there is a limit in a second. `null` is as many as in a second.
    #[schema(required, example = json!(null))]
    request_burst: Option<u32>,
}

impl From<Limits> for LimitsView {
    fn from(limits: Limits) -> Self {
        Self {
            max_workspaces: limits.max_workspaces.map(Cap::get),
            max_members: limits.max_members.map(Cap::get),
            max_agents: limits.max_agents.map(Cap::get),
            max_minutes: limits.max_minutes.map(Cap::get),
            max_pending_invitations: limits.max_pending_invitations.map(Cap::get),
            max_emails_per_day: limits.max_emails_per_day.map(Cap::get),
            max_emails_per_recipient: limits.max_emails_per_recipient.map(Cap::get),
            requests_per_second: limits.requests_per_second.map(Requests::get),
            request_burst: limits.request_burst.map(Requests::get),
        }
    }
}

/// The current usage of a tenant.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TenantUsage)]
pub(crate) struct TenantUsageView {
    /// Workspaces, not counting deleted ones.
    #[schema(example = 3)]
    workspaces: i64,
    /// Members.
    #[schema(example = 12)]
    members: i64,
    /// Pending invitations.
    #[schema(example = 1)]
    pending_invitations: i64,
}

impl From<Use> for TenantUsageView {
    fn from(used: Use) -> Self {
        Self { workspaces: used.workspaces, members: used.members, pending_invitations: used.pending_invitations }
    }
}

/// The tenant, with its limits and current usage.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TenantWithUsage {
    #[serde(flatten)]
    tenant: TenantView,
    /// The tenant's current usage.
    #[serde(rename = "use")]
    used: TenantUsageView,
}

impl From<(Tenant, Use)> for TenantWithUsage {
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
            default_workspace_type: Word(defaults.workspace_type),
            limits: tenant.limits.into(),
            external_id: external_id(&tenant.labels),
            metadata: metadata(&tenant.labels),
            created_at: tenant.created_at,
            updated_at: tenant.updated_at,
        }
    }
}

request! {
    /// A change to the tenant, as a JSON merge patch (RFC 7396): fields you leave out keep their value. Existing
    /// workspaces do not change.
    #[example({ "name": "Acme Industrial Supply", "defaultWorkspaceType": "b2c" })]
    pub(crate) struct UpdateTenant {
        /// Display name.
        name: Optional<TenantName>,
        /// The country of new workspaces.
        default_country: Optional<CountryCode>,
        /// The language of new workspaces.
        default_operating_language: Optional<LanguageCode>,
        /// The currency of new workspaces.
        default_currency: Optional<CurrencyCode>,
        /// The type of new workspaces.
        default_workspace_type: Optional<WorkspaceType>,
    }
}

impl UpdateTenant {
    fn into_domain(self) -> TenantPatch {
        let defaults = LocaleRequest {
            country: self.default_country,
            language: self.default_operating_language,
            currency: self.default_currency,
            workspace_type: self.default_workspace_type,
        };
        TenantPatch { name: self.name, defaults }
    }
}

/// What the document says of it, and its routes.
pub(crate) const PART: Part = Part {
    tag: "Tenant",
    about: Some((Group::Tenant, "The account that everything else belongs to, and the defaults of new workspaces.")),
    routes,
};

fn routes(config: &mut ServiceConfig<'_>) {
    config.service(show).service(update);
}

/// Get the tenant
///
/// The tenant that the credential belongs to, its limits and its current usage.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::TenantRead))),
    params(IfNoneMatch), responses((status = 200, description = "The tenant.", body = TenantWithUsage))
)]
#[get("/api/tenant")]
pub(crate) async fn show(caller: Caller, known: IfNoneMatch, service: Data<Service>) -> Result<HttpResponse, Failure> {
    let (tenant, used) = tenants::show(&service.store, &caller.credential).await?;
    known.answer_composed(tenant.version, &TenantWithUsage::from((tenant, used)))
}

/// Update the tenant
///
/// A JSON merge patch of the tenant's name and of the defaults of new workspaces.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::TenantUpdate))),
    params(IfMatch),
    request_body = UpdateTenant,
    responses((status = 200, description = "The tenant after the change.", body = TenantWithUsage))
)]
#[patch("/api/tenant")]
pub(crate) async fn update(
    caller: Caller,
    seen: IfMatch,
    body: Valid<UpdateTenant>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let written = tenants::update(&service.store, &caller.credential, seen.0, body.0.into_domain()).await?;
    answer::written_composed(HttpResponse::Ok(), written, |(tenant, used)| {
        (tenant.version, TenantWithUsage::from((tenant, used)))
    })
}
