//! `/api/brands`.

mod request;
mod view;

use actix_web::{HttpResponse, delete, get, http::header, patch, post, put, web::Data};
use tenantry_domain::{Action, Brand, Conflict};
use tenantry_operations::brands;
use utoipa_actix_web::service_config::ServiceConfig;

pub use self::view::BrandView;
use self::{
    request::{BrandFilters, CreateBrand, PutBrand, UpdateBrand},
    view::BrandList,
};
use crate::{
    answer,
    api::signature::{self, SignatureQuery},
    error::Failure,
    extract::{Caller, IfMatch, IfNoneMatch, Listing, PathExternalId, PathId, PutCondition, Query, Valid},
    part::{Group, Part},
    service::Service,
};

/// What the document says of it, and its routes.
pub(crate) const PART: Part = Part {
    tag: "Brands",
    about: Some((
        Group::Tenant,
        "Customer-facing identities of the tenant: name, colours, sender, signatures and tone. One brand is the default.",
    )),
    routes,
};

fn routes(config: &mut ServiceConfig<'_>) {
    config.service(show_by_external_id).service(put_by_external_id);
    config.service(list).service(create).service(show).service(update).service(delete);
}

/// List brands
///
/// The brands that the caller can see, one page at a time.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::BrandList))),
    params(Listing<BrandFilters>), responses((status = 200, description = "A page of brands.", body = BrandList))
)]
#[get("/api/brands")]
pub(crate) async fn list(
    caller: Caller,
    query: Listing<BrandFilters>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (filters, paging) = query.page(caller.credential.tenant())?;
    let brands =
        brands::list(&service.store, &caller.credential, filters.into_domain(), paging.request.clone()).await?;
    Ok(answer::list(&paging.answer(brands, BrandView::from)))
}

/// Get brand by ID
///
/// One brand with its colours, sender identity, signatures and instructions.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::BrandRead))),
    params(IfNoneMatch),
    responses((status = 200, description = "The brand.", body = BrandView))
)]
#[get("/api/brands/{brandId}")]
pub(crate) async fn show(
    caller: Caller,
    id: PathId<Brand>,
    known: IfNoneMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let brand = brands::show(&service.store, &caller.credential, id.id()).await?;
    Ok(known.answer(brand.version, &BrandView::from(brand)))
}

/// Get brand by external ID
///
/// The brand that has this ID in another system.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::BrandRead))),
    params(IfNoneMatch),
    responses((status = 200, description = "The brand.", body = BrandView))
)]
#[get("/api/brands/by-external-id/{externalId}")]
pub(crate) async fn show_by_external_id(
    caller: Caller,
    external_id: PathExternalId,
    known: IfNoneMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let brand = brands::show_called(&service.store, &caller.credential, external_id.wanted()).await?;
    Ok(known.answer(brand.version, &BrandView::from(brand)))
}

/// Create or update a brand by external ID
///
/// Creates the brand that has this ID in another system, or changes it if it is there. You can send the same request again:
/// it then changes nothing.
#[utoipa::path(
    tag = PART.tag,
    extensions(
        ("x-action" = json!(Action::BrandCreate)),
        ("x-conflicts" = json!([Conflict::SlugTaken, Conflict::DefaultBrand, Conflict::ExternalIdTaken]))
    ),
    params(SignatureQuery, PutCondition),
    request_body = PutBrand,
    responses(
        (status = 200, description = "The brand was there and is now as requested.", body = BrandView),
        (status = 201, description = "The brand was created.", body = BrandView)
    )
)]
#[put("/api/brands/by-external-id/{externalId}")]
pub(crate) async fn put_by_external_id(
    caller: Caller,
    external_id: PathExternalId,
    query: Query<SignatureQuery>,
    seen: PutCondition,
    body: Valid<PutBrand>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let external_id = external_id.given()?;
    let removed = signature::removed(&query, body.0.email_signature_html.iter().flatten().next())?;
    let (names, patch) = body.0.into_domain();
    let put = brands::put_called(&service.store, &caller.credential, external_id, seen.0, names, patch).await?;
    let response = answer::put(put.thing(), |one| format!("/api/brands/{}", one.id));
    Ok(answer::written(response, put, |put| (put.thing.version, BrandView::from(put.thing).with_removed(removed))))
}

/// Create a brand
///
/// If you leave out the slug, it is derived from the name. If that slug is taken, a number is appended.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::BrandCreate)), ("x-conflicts" = json!([Conflict::SlugTaken, Conflict::ExternalIdTaken]))),
    params(SignatureQuery),
    request_body = CreateBrand,
    responses((status = 201, description = "The brand was created.", body = BrandView, headers(("ETag"))))
)]
#[post("/api/brands")]
pub(crate) async fn create(
    caller: Caller,
    query: Query<SignatureQuery>,
    body: Valid<CreateBrand>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let removed = signature::removed(&query, body.0.email_signature_html.as_ref())?;
    let brand = brands::create(&service.store, &caller.credential, body.0.into_domain()).await?;
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, format!("/api/brands/{}", brand.thing().id)));
    Ok(answer::written(response, brand, |brand| (brand.version, BrandView::from(brand).with_removed(removed))))
}

/// Update a brand
///
/// A JSON merge patch: fields you leave out keep their value, and `null` clears a field.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::BrandUpdate)), ("x-conflicts" = json!([Conflict::SlugTaken, Conflict::DefaultBrand, Conflict::ExternalIdTaken]))),
    params(SignatureQuery, IfMatch),
    request_body = UpdateBrand,
    responses((status = 200, description = "The brand after the change.", body = BrandView))
)]
#[patch("/api/brands/{brandId}")]
pub(crate) async fn update(
    caller: Caller,
    id: PathId<Brand>,
    query: Query<SignatureQuery>,
    seen: IfMatch,
    body: Valid<UpdateBrand>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let removed = signature::removed(&query, body.0.email_signature_html.iter().flatten().next())?;
    let brand = brands::update(&service.store, &caller.credential, id.id(), seen.0, body.0.into_domain()).await?;
    Ok(answer::written(HttpResponse::Ok(), brand, |brand| {
        (brand.version, BrandView::from(brand).with_removed(removed))
    }))
}

/// Delete a brand
///
/// Refused for the default brand and for a brand that has workspaces. API keys that are restricted to the brand are
/// deleted with it, each with an entry in the audit log.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::BrandDelete)), ("x-conflicts" = json!([Conflict::DefaultBrand, Conflict::BrandHasWorkspaces]))),
    params(IfMatch),
    responses((status = 204, description = "The brand is deleted."))
)]
#[delete("/api/brands/{brandId}")]
pub(crate) async fn delete(
    caller: Caller,
    id: PathId<Brand>,
    seen: IfMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    brands::delete(&service.store, &caller.credential, id.id(), seen.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
