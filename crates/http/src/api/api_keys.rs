//! `/api/api-keys`.

use actix_web::{HttpResponse, delete, get, http::header, post, web::Data};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tenantry_auth::Secret;
use tenantry_domain::{
    ApiKey, ApiKeyDetails, ApiKeyName, BrandId, FieldRefusal, KeyMode, Overlap, PageLimit, Reach, Refusal, Scope, Sort,
    WorkspaceId,
};
use tenantry_operations::api_keys;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::{Validate, ValidationError};

use super::{millis, millis_option};
use crate::{
    Service,
    error::Failure,
    etag,
    extract::{
        Caller, IfMatch, IfNoneMatch, ListQuery, Member, PathId, Query, Unknown, Valid, check_each, check_optional,
        check_required,
    },
};

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
    #[schema(example = "0tZ9")]
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
    #[schema(example = "tnt_live_v1_…")]
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
    #[schema(rename = "keys:read")]
    KeysRead,
    #[schema(rename = "keys:write")]
    KeysWrite,
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

impl From<ApiKey> for ApiKeyView {
    fn from(key: ApiKey) -> Self {
        let (brand_id, workspace_id) = match key.details.reach {
            Reach::Tenant => (None, None),
            Reach::Brand(id) => (Some(id.uuid()), None),
            Reach::Workspace(id) => (None, Some(id.uuid())),
        };
        Self {
            id: key.id.uuid(),
            tenant_id: key.tenant_id.uuid(),
            name: key.details.name.as_str().to_owned(),
            mode: key.details.mode.as_str(),
            scopes: key.details.scopes.iter().map(|scope| scope.as_str()).collect(),
            brand_id,
            workspace_id,
            last_four: key.last_four,
            expires_at: key.details.expires_at,
            revoked_at: key.revoked_at,
            last_used_at: key.last_used_at,
            created_at: key.created_at,
        }
    }
}

/// An API key to make. It cannot grant more than the caller has: no further scope, no longer life.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase")]
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
    check_each(expiry(member))
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

fn expiry(member: &Member<String>) -> Result<Option<DateTime<Utc>>, Refusal> {
    let Some(raw) = member.plain()? else { return Ok(None) };
    let at = DateTime::parse_from_rfc3339(raw).map_err(|_| {
        Refusal::new("not_a_time", "must be a time as RFC 3339 writes it, such as 2027-01-20T10:00:00Z")
    })?;
    Ok(Some(at.to_utc()))
}

impl CreateApiKey {
    fn into_domain(self) -> Result<ApiKeyDetails, FieldRefusal> {
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
            expires_at: expiry(&self.expires_at).map_err(|refusal| refusal.of("expiresAt"))?,
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

impl ListQuery for ApiKeyQuery {
    fn paging(&self) -> [&Member<String>; 3] {
        [&self.limit, &self.sort, &self.cursor]
    }

    fn signature(&self) -> String {
        format!("api keys {:?}", self.active)
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
    #[schema(required = false)]
    next_cursor: String,
}

/// List API keys
///
/// All keys of the tenant, also those that were revoked or have expired, without their secrets.
#[utoipa::path(tag = "API keys", params(ApiKeyQuery), responses((status = 200, description = "A page of API keys.", body = ApiKeyList)))]
#[get("/api/api-keys")]
pub(crate) async fn list(
    caller: Caller,
    query: Query<ApiKeyQuery>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let tenant = caller.credential.tenant();
    let page = query.0.page(tenant)?;
    let active = active(&query.0.active).map_err(|refusal| refusal.of("active"))?;
    let keys = api_keys::list(&service.store, &caller.credential, active, page.clone()).await?;
    Ok(etag::list(&query.0.answer(keys, &page, tenant, ApiKeyView::from)))
}

/// Get an API key
///
/// Everything but its secret.
#[utoipa::path(
    tag = "API keys",
    params(("apiKeyId" = Uuid, Path, description = "The API key.")),
    responses((status = 200, description = "The API key.", body = ApiKeyView))
)]
#[get("/api/api-keys/{apiKeyId}")]
pub(crate) async fn show(
    caller: Caller,
    id: PathId<ApiKey>,
    known: IfNoneMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let key = api_keys::show(&service.store, &caller.credential, id.id()).await?;
    Ok(known.answer(key.version, &ApiKeyView::from(key)))
}

/// Make an API key
///
/// The answer holds the secret, which cannot be read again.
#[utoipa::path(
    tag = "API keys",
    request_body = CreateApiKey,
    responses((status = 201, description = "The API key was made.", body = NewApiKey))
)]
#[post("/api/api-keys")]
pub(crate) async fn create(
    caller: Caller,
    body: Valid<CreateApiKey>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (key, secret) = api_keys::create(&service.store, &caller.credential, body.0.into_domain()?, Utc::now()).await?;
    Ok(made(key, &secret))
}

/// Rotate an API key
///
/// Makes a new key like this one and lets this one expire after the overlap. The answer holds the new secret, which cannot
/// be read again.
#[utoipa::path(
    tag = "API keys",
    params(("apiKeyId" = Uuid, Path, description = "The API key to replace.")),
    request_body = RotateApiKey,
    responses((status = 201, description = "The new API key.", body = NewApiKey))
)]
#[post("/api/api-keys/{apiKeyId}/rotate")]
pub(crate) async fn rotate(
    caller: Caller,
    id: PathId<ApiKey>,
    body: Valid<RotateApiKey>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let overlap = overlap(&body.0.overlap_seconds).map_err(|refusal| refusal.of("overlapSeconds"))?;
    let (key, secret) = api_keys::rotate(&service.store, &caller.credential, id.id(), overlap, Utc::now()).await?;
    Ok(made(key, &secret))
}

/// The one answer with a secret in it, which nobody keeps.
fn made(key: ApiKey, secret: &Secret) -> HttpResponse {
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, format!("/api/api-keys/{}", key.id)));
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    response.insert_header((header::ETAG, etag::Etag::of_version(key.version).as_str().to_owned()));
    response.json(NewApiKey { key: key.into(), secret: secret.reveal().to_owned() })
}

/// Revoke an API key
///
/// It is refused from the next request on, everywhere. A key that has been revoked already stays as it is.
#[utoipa::path(
    tag = "API keys",
    params(("apiKeyId" = Uuid, Path, description = "The API key.")),
    responses((status = 204, description = "The API key is revoked."))
)]
#[delete("/api/api-keys/{apiKeyId}")]
pub(crate) async fn revoke(
    caller: Caller,
    id: PathId<ApiKey>,
    seen: IfMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    api_keys::revoke(&service.store, &caller.credential, id.id(), seen.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
