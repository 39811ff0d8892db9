//! `/api/workspaces/{workspaceId}/limits`.

mod request;
mod view;

use actix_web::{HttpResponse, get, patch, web::Data};
use tenantry_domain::{Action, Workspace};
use tenantry_operations::limits;
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) use self::view::EffectiveLimitsView;
use self::{request::UpdateLimits, view::WorkspaceLimitsView};
use crate::{
    answer,
    error::Failure,
    extract::{Caller, IfMatch, IfNoneMatch, PathId, Valid},
    part::{Group, Part},
    service::Service,
};

/// What the document says of it, and its routes.
pub(crate) const PART: Part = Part {
    tag: "Limits",
    about: Some((
        Group::Workspaces,
        "Limits of a workspace. Where the workspace and its tenant both have a limit, the smaller one is in force.",
    )),
    routes,
};

fn routes(config: &mut ServiceConfig<'_>) {
    config.service(show).service(update);
}

/// Get the limits of a workspace
///
/// The workspace's own limits, its tenant's limits, the limits in force, and how much is used. The smaller of the two
/// limits is in force.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::LimitsRead))),
    params(IfNoneMatch),
    responses((status = 200, description = "The limits and current usage.", body = WorkspaceLimitsView))
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
/// A JSON merge patch of the workspace's own limits: `null` removes a limit. A limit below current usage removes
/// nothing; it only blocks additions. A new time zone does not move recorded usage to other months.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::LimitsUpdate))),
    params(IfMatch),
    request_body = UpdateLimits,
    responses((status = 200, description = "The limits after the change.", body = WorkspaceLimitsView))
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
    answer::written_composed(HttpResponse::Ok(), found, |found| {
        (found.limits.version, WorkspaceLimitsView::of(id.id(), &found))
    })
}
