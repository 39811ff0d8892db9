//! `/api/workspaces/{workspaceId}/agents`.

mod request;
mod view;

use actix_web::{HttpResponse, delete, get, http::header, patch, post, web::Data};
use tenantry_domain::{Action, Agent, Conflict, Workspace};
use tenantry_operations::agents;
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) use self::view::AgentView;
use self::{
    request::{AgentFilters, CreateAgent, UpdateAgent},
    view::AgentList,
};
use crate::{
    answer,
    error::Failure,
    extract::{Caller, IfMatch, IfNoneMatch, Listing, PathId, Valid},
    part::{Group, Part},
    service::Service,
};

/// What the document says of it, and its routes.
pub(crate) const PART: Part =
    Part { tag: "Agents", about: Some((Group::Workspaces, "The AI agents of a workspace.")), routes };

fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(show).service(update).service(delete);
}

/// List the agents of a workspace
/// One page at a time.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::AgentList))),
    params(
        Listing<AgentFilters>,
    ),
    responses((status = 200, description = "A page of agents.", body = AgentList))
)]
#[get("/api/workspaces/{workspaceId}/agents")]
pub(crate) async fn list(
    caller: Caller,
    workspace: PathId<Workspace>,
    query: Listing<AgentFilters>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (filters, paging) = query.page(caller.credential.tenant())?;
    let (filter, page) = (filters.into_domain(), paging.request.clone());
    let agents = agents::list(&service.store, &caller.credential, workspace.id(), filter, page).await?;
    Ok(answer::list(&paging.answer(agents, AgentView::from)))
}

/// Get agent by ID
/// One agent of the workspace.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::AgentRead))),
    params(IfNoneMatch),
    responses((status = 200, description = "The agent.", body = AgentView))
)]
#[get("/api/workspaces/{workspaceId}/agents/{agentId}")]
pub(crate) async fn show(
    caller: Caller,
    workspace: PathId<Workspace>,
    id: PathId<Agent>,
    known: IfNoneMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let agent = agents::show(&service.store, &caller.credential, workspace.id(), id.id()).await?;
    Ok(known.answer(agent.version, &AgentView::from(agent)))
}

/// Create an agent
///
/// Active and paused agents both count against the workspace's limit of agents.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::AgentCreate)), ("x-conflicts" = json!([Conflict::LimitReached, Conflict::ReferenceTaken, Conflict::ExternalIdTaken]))),
    request_body = CreateAgent,
    responses((status = 201, description = "The agent was created.", body = AgentView, headers(("ETag"))))
)]
#[post("/api/workspaces/{workspaceId}/agents")]
pub(crate) async fn create(
    caller: Caller,
    workspace: PathId<Workspace>,
    body: Valid<CreateAgent>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let workspace = workspace.id();
    let agent = agents::create(&service.store, &caller.credential, workspace, body.0.into_domain()).await?;
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, format!("/api/workspaces/{workspace}/agents/{}", agent.thing().id)));
    Ok(answer::written(response, agent, |agent| (agent.version, AgentView::from(agent))))
}

/// Update an agent
///
/// A JSON merge patch: fields you leave out keep their value, and `null` clears a field.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::AgentUpdate)), ("x-conflicts" = json!([Conflict::ReferenceTaken, Conflict::ExternalIdTaken]))),
    params(IfMatch),
    request_body = UpdateAgent,
    responses((status = 200, description = "The agent after the change.", body = AgentView))
)]
#[patch("/api/workspaces/{workspaceId}/agents/{agentId}")]
pub(crate) async fn update(
    caller: Caller,
    workspace: PathId<Workspace>,
    id: PathId<Agent>,
    seen: IfMatch,
    body: Valid<UpdateAgent>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let patch = body.0.into_domain();
    let agent = agents::update(&service.store, &caller.credential, workspace.id(), id.id(), seen.0, patch).await?;
    Ok(answer::written(HttpResponse::Ok(), agent, |agent| (agent.version, AgentView::from(agent))))
}

/// Delete an agent
///
/// The agent is deleted immediately and no longer counts against the limit.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::AgentDelete))),
    params(IfMatch),
    responses((status = 204, description = "The agent is deleted."))
)]
#[delete("/api/workspaces/{workspaceId}/agents/{agentId}")]
pub(crate) async fn delete(
    caller: Caller,
    workspace: PathId<Workspace>,
    id: PathId<Agent>,
    seen: IfMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    agents::delete(&service.store, &caller.credential, workspace.id(), id.id(), seen.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
