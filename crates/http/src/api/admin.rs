//! `/api/admin`: tenants as such, for the platform that provisions them, and nothing of what is inside them.

mod request;
mod view;

use actix_web::{HttpResponse, delete, get, http::header, patch, post, web::Data};
use tenantry_domain::{Action, Conflict, Tenant, Use};
use tenantry_operations::tenants::{self, Founded, FoundedOwner};
use utoipa_actix_web::service_config::ServiceConfig;

pub use self::view::{PlatformTenantView, PlatformTenantWithUse};
use self::{
    request::{CreateTenant, TenantFilters, UpdatePlatformTenant},
    view::{NewTenant, PlatformTenantList},
};
use crate::{
    answer,
    error::Failure,
    extract::{Caller, IfMatch, IfNoneMatch, Listing, PathId, Valid},
    part::Part,
    service::Service,
};

/// What the document says of it, and its routes.
pub(crate) const PART: Part = Part {
    tag: "Platform",
    about: Some(
        "Tenants as such, for the platform that provisions them: their state and their limits, and nothing of what is inside. With a platform key.",
    ),
    routes,
};

fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(create)
        .service(show)
        .service(update)
        .service(delete)
        .service(suspend)
        .service(reactivate)
        .service(restore);
}

/// List tenants
///
/// All of them, also those that are suspended, and those that are deleted and not erased yet.
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

/// Create a tenant
///
/// With a default brand of its name. Its first owner comes in with the API key in the answer, which cannot be read again;
/// or, with `ownerEmail`, by accepting the invitation that is sent there.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::TenantCreate))),
    request_body = CreateTenant,
    responses((status = 201, description = "The tenant was created.", body = NewTenant, headers(("ETag"))))
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
    let view = PlatformTenantWithUse::from((tenant, used));
    let (_, etag) = answer::composed_body(version, &view)?;
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, format!("/api/admin/tenants/{id}")));
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    response.insert_header((header::ETAG, etag.as_str().to_owned()));
    Ok(response.json(NewTenant::of(view, &owner)))
}

/// Get tenant by ID
///
/// Its account, its state, its limits and how much of them it uses: numbers, and nothing of what they count.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::TenantInspect))),
    params(IfNoneMatch),
    responses((status = 200, description = "The tenant.", body = PlatformTenantWithUse))
)]
#[get("/api/admin/tenants/{tenantId}")]
pub(crate) async fn show(
    caller: Caller,
    id: PathId<Tenant>,
    known: IfNoneMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (tenant, used) = tenants::inspect(&service.store, &caller.credential, id.id()).await?;
    known.answer_composed(tenant.version, &PlatformTenantWithUse::from((tenant, used)))
}

/// Update a tenant
///
/// A JSON merge patch of its name, of what new workspaces start with, and of its limits; `null` takes a limit off. A limit
/// below what is there keeps that and lets it not grow.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::TenantAdminister))),
    params(IfMatch),
    request_body = UpdatePlatformTenant,
    responses((status = 200, description = "The tenant as it is now.", body = PlatformTenantWithUse))
)]
#[patch("/api/admin/tenants/{tenantId}")]
pub(crate) async fn update(
    caller: Caller,
    id: PathId<Tenant>,
    seen: IfMatch,
    body: Valid<UpdatePlatformTenant>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (patch, limits) = body.0.into_domain();
    answer(tenants::administer(&service.store, &caller.credential, id.id(), seen.0, patch, limits).await?)
}

/// Delete a tenant
///
/// Its credentials are refused from the next request on. It can be restored for 30 days; then it is erased with everything in
/// it.
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
/// All its credentials are refused with `tenant_suspended` from the next request on, everywhere. Its data stays as it is. One
/// that is suspended already stays so.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::TenantSuspend)), ("x-conflicts" = json!([Conflict::TenantDeleted]))),
    responses((status = 200, description = "The tenant, which is suspended.", body = PlatformTenantWithUse, headers(("ETag"))))
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
/// The credentials of a suspended tenant are good again. One that is not suspended stays as it is.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::TenantReactivate)), ("x-conflicts" = json!([Conflict::TenantDeleted]))),
    responses((status = 200, description = "The tenant, which is not suspended.", body = PlatformTenantWithUse, headers(("ETag"))))
)]
#[post("/api/admin/tenants/{tenantId}/reactivate")]
pub(crate) async fn reactivate(
    caller: Caller,
    id: PathId<Tenant>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    answer(tenants::reactivate(&service.store, &caller.credential, id.id()).await?)
}

/// Restore a deleted tenant
///
/// Until it is erased, as suspended as it was. One that is not deleted stays as it is.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::TenantRestore))),
    responses((status = 200, description = "The tenant, which is not deleted.", body = PlatformTenantWithUse, headers(("ETag"))))
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
    answer::composed(HttpResponse::Ok(), tenant.version, &PlatformTenantWithUse::from((tenant, used)))
}
