//! `/api/workspaces/{workspaceId}/limits`.

mod request;
mod view;

use actix_web::{HttpResponse, get, patch, web::Data};
use tenantry_domain::Workspace;
use tenantry_operations::limits;

pub(crate) use self::view::EffectiveLimitsView;
use self::{request::UpdateLimits, view::WorkspaceLimitsView};
use crate::{
    Service,
    error::Failure,
    etag,
    extract::{Caller, IfMatch, IfNoneMatch, PathId, Valid},
};

/// Get the limits of a workspace
///
/// Its own limits, those of its tenant, which of the two is in force, and how much is used. Of each two the smaller one is.
#[utoipa::path(
    tag = "Limits",
    params(("workspaceId" = Uuid, Path, description = "The unique identifier of the workspace.", example = "c1a2b3c4-5678-4abc-9ef0-1234567890ab")),
    responses((status = 200, description = "The limits, and how much of them is used.", body = WorkspaceLimitsView))
)]
#[get("/api/workspaces/{workspaceId}/limits")]
pub(crate) async fn show(
    caller: Caller,
    id: PathId<Workspace>,
    known: IfNoneMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let found = limits::show(&service.store, &caller.credential, id.id()).await?;
    known.answer_composed(found.limits.version, &WorkspaceLimitsView::of(id.id(), &found))
}

/// Update the limits of a workspace
///
/// A JSON merge patch of the workspace's own limits: `null` takes one off. A limit below what is there keeps that and lets it
/// not grow. A new time zone leaves what was recorded in the months it was counted in.
#[utoipa::path(
    tag = "Limits",
    params(("workspaceId" = Uuid, Path, description = "The unique identifier of the workspace.", example = "c1a2b3c4-5678-4abc-9ef0-1234567890ab")),
    request_body = UpdateLimits,
    responses((status = 200, description = "The limits as they are now.", body = WorkspaceLimitsView))
)]
#[patch("/api/workspaces/{workspaceId}/limits")]
pub(crate) async fn update(
    caller: Caller,
    id: PathId<Workspace>,
    seen: IfMatch,
    body: Valid<UpdateLimits>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let patch = body.0.into_domain();
    let found = limits::update(&service.store, &caller.credential, id.id(), seen.0, patch).await?;
    etag::answer_composed(HttpResponse::Ok(), found.limits.version, &WorkspaceLimitsView::of(id.id(), &found))
}
