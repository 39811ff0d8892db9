//! `/api/admin`: tenants as such, for the platform that provisions them, and nothing of what is inside them.

mod request;
mod view;

use actix_web::{HttpResponse, delete, get, http::header, patch, post, put, web::Data};
use tenantry_domain::{Action, Conflict, Tenant, Use};
use tenantry_operations::tenants::{self, Founded, FoundedOwner, PutTenant as Put};
use utoipa_actix_web::service_config::ServiceConfig;

pub use self::view::{PlatformTenantView, PlatformTenantWithUsage};
use self::{
    request::{CreateTenant, PutTenant, TenantFilters, UpdatePlatformTenant},
    view::{PlatformTenantList, TenantCreated},
};
use crate::{
    answer,
    error::Failure,
    extract::{Caller, IfMatch, IfNoneMatch, Listing, PathExternalId, PathId, PutCondition, Valid},
    part::{Group, Part},
    service::Service,
};

/// What the document says of it, and its routes.
pub(crate) const PART: Part = Part {
    tag: "Platform",
    about: Some((
        Group::Operators,
        "Tenant provisioning: state and limits of tenants, without their data. Needs a platform key.",
    )),
    routes,
};

fn routes(config: &mut ServiceConfig<'_>) {
    config.service(show_by_external_id).service(put_by_external_id);
    config
        .service(list)
        .service(create)
        .service(show)
        .service(update)
        .service(delete)
        .service(suspend)
        .service(reactivate)
        .service(freeze)
        .service(unfreeze)
        .service(restore);
}

/// List tenants
///
/// All tenants, including suspended tenants and deleted tenants that are not erased yet.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::TenantList))),
    params(Listing<TenantFilters>), responses((status = 200, description = "A page of tenants.", body = PlatformTenantList))
)]
#[get("/api/admin/tenants")]
pub(crate) async fn list(
    caller: Caller,
    query: Listing<TenantFilters>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    // The list is nobody's in particular, and so are its cursors.
    let (filters, paging) = query.page(None)?;
    let tenants =
        tenants::list(&service.store, &caller.credential, filters.into_domain(), paging.request.clone()).await?;
    Ok(answer::list(&paging.answer(tenants, PlatformTenantView::from)))
}

/// Get tenant by external ID
///
/// The tenant that has this ID in another system. Deleted tenants are not found.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::TenantInspect))),
    params(IfNoneMatch),
    responses((status = 200, description = "The tenant.", body = PlatformTenantWithUsage))
)]
#[get("/api/admin/tenants/by-external-id/{externalId}")]
pub(crate) async fn show_by_external_id(
    caller: Caller,
    external_id: PathExternalId,
    known: IfNoneMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (tenant, used) = tenants::inspect_called(&service.store, &caller.credential, external_id.wanted()).await?;
    known.answer_composed(tenant.version, &PlatformTenantWithUsage::from((tenant, used)))
}

/// Create or update a tenant by external ID
///
/// Creates the tenant that has this ID in another system, or changes it if it is there. You can send the same request again: it
/// then changes nothing. Only the answer to the request that creates the tenant has the owner's API key. If that answer can get
/// lost, send `ownerEmail`.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::TenantCreate)), ("x-conflicts" = json!([Conflict::ExternalIdTaken]))),
    params(PutCondition),
    request_body = PutTenant,
    responses(
        (status = 200, description = "The tenant was there and is now as requested.", body = PlatformTenantWithUsage),
        (status = 201, description = "The tenant was created.", body = TenantCreated)
    )
)]
#[put("/api/admin/tenants/by-external-id/{externalId}")]
pub(crate) async fn put_by_external_id(
    caller: Caller,
    external_id: PathExternalId,
    seen: PutCondition,
    body: Valid<PutTenant>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let external_id = external_id.given()?;
    let (new, change) = body.0.into_domain(external_id.clone())?;
    match tenants::put_called(&service.store, &caller.credential, external_id, seen.0, new, change).await? {
        Put::Created(founded) => made(*founded),
        Put::Updated(changed) => answer(*changed),
    }
}

/// Create a tenant
///
/// Creates a tenant and a default brand of the same name. The first owner gets in with the API key in the answer, which
/// is shown only this once. With `ownerEmail`, an invitation is sent to that address instead.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::TenantCreate)), ("x-conflicts" = json!([Conflict::ExternalIdTaken]))),
    request_body = CreateTenant,
    responses((status = 201, description = "The tenant was created.", body = TenantCreated, headers(("ETag"))))
)]
#[post("/api/admin/tenants")]
pub(crate) async fn create(
    caller: Caller,
    body: Valid<CreateTenant>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (new, owner) = body.0.into_domain()?;
    made(tenants::create(&service.store, &caller.credential, new, owner).await?)
}

/// The one answer with a secret in it, which nobody keeps. Its tag is that of the tenant when it is read.
fn made(founded: Founded) -> Result<HttpResponse, Failure> {
    let Founded { tenant, owner, .. } = founded;
    let invited = matches!(owner, FoundedOwner::Invitation(_));
    let used = Use { workspaces: 0, members: 0, pending_invitations: i64::from(invited) };
    let (id, version) = (tenant.id, tenant.version);
    let view = PlatformTenantWithUsage::from((tenant, used));
    let (_, etag) = answer::composed_body(version, &view)?;
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, format!("/api/admin/tenants/{id}")));
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    response.insert_header((header::ETAG, etag.as_str().to_owned()));
    Ok(response.json(TenantCreated::of(view, &owner)))
}

/// Get tenant by ID
///
/// The tenant's account, state, limits and current usage. Only counts are shown, never the tenant's data.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::TenantInspect))),
    params(IfNoneMatch),
    responses((status = 200, description = "The tenant.", body = PlatformTenantWithUsage))
)]
#[get("/api/admin/tenants/{tenantId}")]
pub(crate) async fn show(
    caller: Caller,
    id: PathId<Tenant>,
    known: IfNoneMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (tenant, used) = tenants::inspect(&service.store, &caller.credential, id.id()).await?;
    known.answer_composed(tenant.version, &PlatformTenantWithUsage::from((tenant, used)))
}

/// Update a tenant
///
/// A JSON merge patch of the tenant's name, the defaults of new workspaces and the limits. `null` removes a limit. A
/// limit below current usage removes nothing; it only blocks additions.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::TenantAdminister)), ("x-conflicts" = json!([Conflict::ExternalIdTaken, Conflict::TenantDeleted]))),
    params(IfMatch),
    request_body = UpdatePlatformTenant,
    responses((status = 200, description = "The tenant after the change.", body = PlatformTenantWithUsage))
)]
#[patch("/api/admin/tenants/{tenantId}")]
pub(crate) async fn update(
    caller: Caller,
    id: PathId<Tenant>,
    seen: IfMatch,
    body: Valid<UpdatePlatformTenant>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (patch, platform) = body.0.into_domain();
    answer(tenants::administer(&service.store, &caller.credential, id.id(), seen.0, patch, platform).await?)
}

/// Delete a tenant
///
/// The tenant's credentials stop working immediately. It can be restored for 30 days and is then erased with all its
/// data.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::TenantDelete))),
    params(IfMatch),
    responses((status = 204, description = "The tenant is deleted."))
)]
#[delete("/api/admin/tenants/{tenantId}")]
pub(crate) async fn delete(
    caller: Caller,
    id: PathId<Tenant>,
    seen: IfMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    tenants::delete(&service.store, &caller.credential, id.id(), seen.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Suspend a tenant
///
/// All credentials of the tenant are refused with `tenant_suspended`, from the next request on. Its data is kept. A
/// tenant that is already suspended stays suspended.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::TenantSuspend)), ("x-conflicts" = json!([Conflict::TenantDeleted]))),
    responses((status = 200, description = "The tenant is suspended.", body = PlatformTenantWithUsage, headers(("ETag"))))
)]
#[post("/api/admin/tenants/{tenantId}/suspend")]
pub(crate) async fn suspend(
    caller: Caller,
    id: PathId<Tenant>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    answer(tenants::suspend(&service.store, &caller.credential, id.id()).await?)
}

/// Reactivate a tenant
///
/// The credentials of a suspended tenant work again. A tenant that is not suspended stays as it is.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::TenantReactivate)), ("x-conflicts" = json!([Conflict::TenantDeleted]))),
    responses((status = 200, description = "The tenant is not suspended.", body = PlatformTenantWithUsage, headers(("ETag"))))
)]
#[post("/api/admin/tenants/{tenantId}/reactivate")]
pub(crate) async fn reactivate(
    caller: Caller,
    id: PathId<Tenant>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    answer(tenants::reactivate(&service.store, &caller.credential, id.id()).await?)
}

/// Freeze a tenant
///
/// The tenant can be read and not changed: changes are refused with `tenant_frozen`, and nothing is sent for it. For moving it to
/// another database. When this answers, every change that was accepted before is stored. A tenant that is already frozen stays
/// frozen.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::TenantFreeze)), ("x-conflicts" = json!([Conflict::TenantDeleted]))),
    responses((status = 200, description = "The tenant is frozen.", body = PlatformTenantWithUsage, headers(("ETag"))))
)]
#[post("/api/admin/tenants/{tenantId}/freeze")]
pub(crate) async fn freeze(
    caller: Caller,
    id: PathId<Tenant>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    answer(tenants::freeze(&service.store, &caller.credential, id.id()).await?)
}

/// Unfreeze a tenant
///
/// The tenant can be changed again. A tenant that is not frozen stays as it is.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::TenantUnfreeze)), ("x-conflicts" = json!([Conflict::TenantDeleted]))),
    responses((status = 200, description = "The tenant is not frozen.", body = PlatformTenantWithUsage, headers(("ETag"))))
)]
#[post("/api/admin/tenants/{tenantId}/unfreeze")]
pub(crate) async fn unfreeze(
    caller: Caller,
    id: PathId<Tenant>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    answer(tenants::unfreeze(&service.store, &caller.credential, id.id()).await?)
}

/// Restore a deleted tenant
///
/// Possible until the tenant is erased. A tenant that was suspended stays suspended. A tenant that is not deleted stays
/// as it is.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::TenantRestore)), ("x-conflicts" = json!([Conflict::ExternalIdTaken]))),
    responses((status = 200, description = "The tenant is not deleted.", body = PlatformTenantWithUsage, headers(("ETag"))))
)]
#[post("/api/admin/tenants/{tenantId}/restore")]
pub(crate) async fn restore(
    caller: Caller,
    id: PathId<Tenant>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    answer(tenants::restore(&service.store, &caller.credential, id.id()).await?)
}

fn answer((tenant, used): (Tenant, Use)) -> Result<HttpResponse, Failure> {
    answer::composed(HttpResponse::Ok(), tenant.version, &PlatformTenantWithUsage::from((tenant, used)))
}
