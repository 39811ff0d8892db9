//! `/api/api-keys`.

mod request;
mod view;

use actix_web::{HttpResponse, delete, get, http::header, post, web::Data};
use tenantry_auth::Secret;
use tenantry_domain::{Action, ApiKey, Conflict};
use tenantry_operations::api_keys;
use utoipa_actix_web::service_config::ServiceConfig;

pub use self::view::ApiKeyView;
use self::{
    request::{ApiKeyFilters, CreateApiKey, RevokeApiKey, RotateApiKey},
    view::{ApiKeyCreated, ApiKeyList},
};
use crate::{
    answer,
    error::Failure,
    etag::Etag,
    extract::{Caller, IfMatch, IfNoneMatch, Listing, PathId, Query, Valid},
    part::{Group, Part},
    service::Service,
};

/// What the document says of it, and its routes.
pub(crate) const PART: Part = Part {
    tag: "API keys",
    about: Some((
        Group::People,
        "Machine credentials, with scopes and optional restrictions. A secret is shown only once.",
    )),
    routes,
};

fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(show).service(revoke).service(rotate);
}

/// List API keys
///
/// All keys of the tenant, including revoked and expired keys, without their secrets.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::ApiKeyList))),
    params(Listing<ApiKeyFilters>), responses((status = 200, description = "A page of API keys.", body = ApiKeyList))
)]
#[get("/api/api-keys")]
pub(crate) async fn list(
    caller: Caller,
    query: Listing<ApiKeyFilters>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (filters, paging) = query.page(caller.credential.tenant())?;
    let keys =
        api_keys::list(&service.store, &caller.credential, filters.into_domain(), paging.request.clone()).await?;
    Ok(answer::list(&paging.answer(keys, ApiKeyView::from)))
}

/// Get API key by ID
///
/// Everything except the secret.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::ApiKeyRead))),
    params(IfNoneMatch),
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

/// Create an API key
///
/// The answer contains the secret. It is shown only this once.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::ApiKeyCreate))),
    request_body = CreateApiKey,
    responses((status = 201, description = "The API key was created.", body = ApiKeyCreated, headers(("ETag"))))
)]
#[post("/api/api-keys")]
pub(crate) async fn create(
    caller: Caller,
    body: Valid<CreateApiKey>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (key, secret) = api_keys::create(&service.store, &caller.credential, body.0.into_domain()?).await?;
    Ok(made(key, &secret))
}

/// Rotate an API key
///
/// Creates a new key like this one and lets this one expire after the overlap. The answer contains the new secret. It
/// is shown only this once. A key can be rotated once: later, rotate the key that replaced it. To rotate another key than its own,
/// a key also needs the scope `keys:read`.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::ApiKeyRotate)), ("x-conflicts" = json!([Conflict::ApiKeyEnded, Conflict::ApiKeyRotated]))),
    request_body = RotateApiKey,
    responses((status = 201, description = "The new API key.", body = ApiKeyCreated, headers(("ETag"))))
)]
#[post("/api/api-keys/{apiKeyId}/rotate")]
pub(crate) async fn rotate(
    caller: Caller,
    id: PathId<ApiKey>,
    body: Valid<RotateApiKey>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let overlap = body.0.overlap_seconds;
    let (key, secret) = api_keys::rotate(&service.store, &caller.credential, id.id(), overlap).await?;
    Ok(made(key, &secret))
}

/// The one answer with a secret in it, which nobody keeps.
fn made(key: ApiKey, secret: &Secret) -> HttpResponse {
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, format!("/api/api-keys/{}", key.id)));
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    response.insert_header((header::ETAG, Etag::of_version(key.version).as_str().to_owned()));
    response.json(ApiKeyCreated::of(key, secret))
}

/// Revoke an API key
///
/// The key stops working immediately, on every replica. A key that is already revoked stays as it is. The key that
/// authenticates the request is revoked only with `revokeOwn=true`. Pending invitations that were made with the key are
/// revoked, too.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::ApiKeyRevoke)), ("x-conflicts" = json!([Conflict::OwnApiKey]))),
    params(IfMatch, RevokeApiKey),
    responses((status = 204, description = "The API key is revoked."))
)]
#[delete("/api/api-keys/{apiKeyId}")]
pub(crate) async fn revoke(
    caller: Caller,
    id: PathId<ApiKey>,
    seen: IfMatch,
    query: Query<RevokeApiKey>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let own = query.0.revoke_own.unwrap_or_default();
    api_keys::revoke(&service.store, &caller.credential, id.id(), seen.0, own).await?;
    Ok(HttpResponse::NoContent().finish())
}
