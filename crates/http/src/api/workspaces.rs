//! `/api/workspaces`.

mod request;
mod view;

use actix_web::{HttpResponse, delete, get, http::header, patch, post, put, web::Data};
use tenantry_domain::{Action, Conflict, Workspace};
use tenantry_operations::workspaces;
use utoipa_actix_web::service_config::ServiceConfig;

pub use self::view::WorkspaceView;
use self::{
    request::{CreateWorkspace, PutWorkspace, UpdateWorkspace, WorkspaceFilters},
    view::WorkspaceList,
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
    tag: "Workspaces",
    about: Some((
        Group::Workspaces,
        "Operational units under a brand: regions, business units, product lines. A workspace inherits from its brand what it does not set itself.",
    )),
    routes,
};

fn routes(config: &mut ServiceConfig<'_>) {
    // Before what stands under an id, which no `by-external-id` is.
    config.service(show_by_external_id).service(put_by_external_id);
    config.service(list).service(create).service(show).service(update).service(delete).service(restore);
}

/// List workspaces
///
/// The workspaces that the caller can see, one page at a time. With `state=deleted`: the deleted workspaces that can still be
/// restored. This also needs the permission to restore a workspace.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::WorkspaceList))),
    params(Listing<WorkspaceFilters>), responses((status = 200, description = "A page of workspaces.", body = WorkspaceList))
)]
#[get("/api/workspaces")]
pub(crate) async fn list(
    caller: Caller,
    query: Listing<WorkspaceFilters>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (filters, paging) = query.page(caller.credential.tenant())?;
    let workspaces =
        workspaces::list(&service.store, &caller.credential, filters.into_domain(), paging.request.clone()).await?;
    Ok(answer::list(&paging.answer(workspaces, WorkspaceView::from)))
}

/// Get workspace by ID
///
/// Retrieves a single workspace by its unique identifier, including its operating configuration (country, language,
/// currency, type) and any workspace-specific instructions.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::WorkspaceRead))),
    params(IfNoneMatch),
    responses((status = 200, description = "The workspace was found and returned.", body = WorkspaceView))
)]
#[get("/api/workspaces/{workspaceId}")]
pub(crate) async fn show(
    caller: Caller,
    id: PathId<Workspace>,
    known: IfNoneMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let workspace = workspaces::show(&service.store, &caller.credential, id.id()).await?;
    Ok(known.answer(workspace.version, &WorkspaceView::from(workspace)))
}

/// Get workspace by external ID
///
/// The workspace that has this ID in another system. Deleted workspaces are not found.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::WorkspaceRead))),
    params(IfNoneMatch),
    responses((status = 200, description = "The workspace was found and returned.", body = WorkspaceView))
)]
#[get("/api/workspaces/by-external-id/{externalId}")]
pub(crate) async fn show_by_external_id(
    caller: Caller,
    external_id: PathExternalId,
    known: IfNoneMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let workspace = workspaces::show_called(&service.store, &caller.credential, external_id.wanted()).await?;
    Ok(known.answer(workspace.version, &WorkspaceView::from(workspace)))
}

/// Create or update a workspace by external ID
///
/// Creates the workspace that has this ID in another system, or changes it if it is there. You can send the same request
/// again: it then changes nothing. This also needs the permission to update a workspace. Only a caller who can see the whole
/// tenant can create one here. A deleted workspace is not found, and a new one is created.
#[utoipa::path(
    tag = PART.tag,
    extensions(
        ("x-action" = json!(Action::WorkspaceCreate)),
        ("x-conflicts" = json!([Conflict::LimitReached, Conflict::ExternalIdTaken]))
    ),
    params(SignatureQuery, PutCondition),
    request_body = PutWorkspace,
    responses(
        (status = 200, description = "The workspace was there and is now as requested.", body = WorkspaceView),
        (status = 201, description = "The workspace was created.", body = WorkspaceView)
    )
)]
#[put("/api/workspaces/by-external-id/{externalId}")]
pub(crate) async fn put_by_external_id(
    caller: Caller,
    external_id: PathExternalId,
    query: Query<SignatureQuery>,
    seen: PutCondition,
    body: Valid<PutWorkspace>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let external_id = external_id.given()?;
    let removed = signature::removed(&query, body.0.email_signature_html.iter().flatten().next())?;
    let (name, patch) = body.0.into_domain();
    let put = workspaces::put_called(&service.store, &caller.credential, external_id, seen.0, name, patch).await?;
    let response = answer::put(put.thing(), |one| format!("/api/workspaces/{}", one.id));
    Ok(answer::written(response, put, |put| (put.thing.version, WorkspaceView::from(put.thing).with_removed(removed))))
}

/// Create a workspace
///
/// If you leave out language or currency, it follows the country. If you leave out the country, the tenant's defaults
/// apply.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::WorkspaceCreate)), ("x-conflicts" = json!([Conflict::LimitReached, Conflict::ExternalIdTaken]))),
    params(SignatureQuery),
    request_body = CreateWorkspace,
    responses((status = 201, description = "The workspace was created.", body = WorkspaceView, headers(("ETag"))))
)]
#[post("/api/workspaces")]
pub(crate) async fn create(
    caller: Caller,
    query: Query<SignatureQuery>,
    body: Valid<CreateWorkspace>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let removed = signature::removed(&query, body.0.email_signature_html.as_ref())?;
    let (brand, new) = body.0.into_domain();
    let workspace = workspaces::create(&service.store, &caller.credential, brand, new).await?;
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, format!("/api/workspaces/{}", workspace.thing().id)));
    Ok(answer::written(response, workspace, |one| (one.version, WorkspaceView::from(one).with_removed(removed))))
}

fn shown(workspace: Workspace) -> (i64, WorkspaceView) {
    (workspace.version, workspace.into())
}

/// Update a workspace
///
/// A JSON merge patch: fields you leave out keep their value, and `null` clears a field. Language and currency do not
/// follow a new country.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::WorkspaceUpdate)), ("x-conflicts" = json!([Conflict::ExternalIdTaken]))),
    params(SignatureQuery, IfMatch),
    request_body = UpdateWorkspace,
    responses((status = 200, description = "The workspace after the change.", body = WorkspaceView))
)]
#[patch("/api/workspaces/{workspaceId}")]
pub(crate) async fn update(
    caller: Caller,
    id: PathId<Workspace>,
    query: Query<SignatureQuery>,
    seen: IfMatch,
    body: Valid<UpdateWorkspace>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let removed = signature::removed(&query, body.0.email_signature_html.iter().flatten().next())?;
    let workspace =
        workspaces::update(&service.store, &caller.credential, id.id(), seen.0, body.0.into_domain()).await?;
    let shown = |one: Workspace| (one.version, WorkspaceView::from(one).with_removed(removed));
    Ok(answer::written(HttpResponse::Ok(), workspace, shown))
}

/// Delete a workspace
///
/// The workspace disappears immediately. It can be restored for 30 days and is then erased.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::WorkspaceDelete))),
    params(IfMatch),
    responses((status = 204, description = "The workspace is deleted."))
)]
#[delete("/api/workspaces/{workspaceId}")]
pub(crate) async fn delete(
    caller: Caller,
    id: PathId<Workspace>,
    seen: IfMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    workspaces::delete(&service.store, &caller.credential, id.id(), seen.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Restore a workspace
///
/// Restores a workspace that was deleted in the last 30 days. A workspace that is not deleted stays as it is.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::WorkspaceRestore)), ("x-conflicts" = json!([Conflict::LimitReached, Conflict::ExternalIdTaken]))),
    responses((status = 200, description = "The workspace after the change.", body = WorkspaceView, headers(("ETag"))))
)]
#[post("/api/workspaces/{workspaceId}/restore")]
pub(crate) async fn restore(
    caller: Caller,
    id: PathId<Workspace>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let workspace = workspaces::restore(&service.store, &caller.credential, id.id()).await?;
    Ok(answer::written(HttpResponse::Ok(), workspace, shown))
}
