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
    part::Part,
    service::Service,
};

/// What the document says of it, and its routes.
pub(crate) const PART: Part = Part {
    tag: "Limits",
    about: Some(
        "What a workspace may have at most: its own limits and those of its tenant, of which the smaller one holds.",
    ),
    routes,
};

fn routes(config: &mut ServiceConfig<'_>) {
    config.service(show).service(update);
}

/// Get the limits of a workspace
///
/// Its own limits, those of its tenant, which of the two is in force, and how much is used. Of each two the smaller one is.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::LimitsRead))),
    params(IfNoneMatch),
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
    tag = PART.tag,
    extensions(("x-action" = json!(Action::LimitsUpdate))),
    params(IfMatch),
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
    answer::composed(HttpResponse::Ok(), found.limits.version, &WorkspaceLimitsView::of(id.id(), &found))
}
