//! `/api/workspace/…`: nine routes.

use actix_web::{HttpResponse, delete, get, post, put, web::Data};
use chrono::Utc;
use tenantry_domain::{
    Action, Assignment, Conflict, Credential, LocaleRequest, NewWorkspace, Precondition, Workspace, WorkspaceId,
    WorkspaceNumber,
};
use tenantry_operations::{calendars, integrations, limits, place_holders, voices, workspaces};

use super::{
    answer::{self, CalendarData, List, Shown, Workspaces},
    number::PathNumber,
    refusal::{Asked, Refusal},
    request::{Changes, Create, Invite, Update},
};
use crate::{
    api::voices::VoiceView,
    extract::{Caller, Valid},
    service::{Integrations, Service},
};

/// Which workspace has the number, for a caller who may do this there.
async fn found(
    service: &Service,
    credential: &Credential,
    number: WorkspaceNumber,
    action: Action,
) -> Result<WorkspaceId, Refusal> {
    Ok(workspaces::with_number(&service.store, credential, number, action).await?)
}

/// Create a new workspace
///
/// With a name alone: brand, country, language, currency and type are the tenant's. Answers with every workspace.
#[utoipa::path(
    tag = "CallFluent",
    extensions(("x-action" = json!(Action::WorkspaceCreate))),
    request_body = Create,
    responses((status = 200, description = "Every workspace that the caller sees.", body = List))
)]
#[post("/api/workspace/create")]
pub(crate) async fn create(
    caller: Asked<Caller>,
    body: Asked<Valid<Create>>,
    service: Data<Service>,
) -> Result<HttpResponse, Refusal> {
    let name = body.0.0.name;
    let new = NewWorkspace {
        name,
        locale: LocaleRequest::default(),
        workspace_instructions: None,
        email_signature_html: None,
        email_signature_text: None,
    };
    match workspaces::create(&service.store, &caller.0.credential, None, new).await {
        Ok(_) => answer::list(&service, &caller.0.credential).await,
        Err(error) => Ok(Refusal::from(error).of_creation()),
    }
}

/// Get all workspaces
///
/// Every workspace that the caller sees, by number.
#[utoipa::path(
    tag = "CallFluent",
    extensions(("x-action" = json!(Action::WorkspaceList))),
    responses((status = 200, description = "Every workspace that the caller sees.", body = Workspaces))
)]
#[get("/api/workspace/get-all")]
pub(crate) async fn get_all(caller: Asked<Caller>, service: Data<Service>) -> Result<HttpResponse, Refusal> {
    answer::workspaces(&service, &caller.0.credential).await
}

/// Get workspace details
///
/// With the limits in force, which secrets are set, and who has a place in it.
#[utoipa::path(
    tag = "CallFluent",
    extensions(("x-action" = json!(Action::WorkspaceRead))),
    params(("id" = i64, Path, description = "The workspace's number.", example = 1)),
    responses((status = 200, description = "The workspace.", body = Shown))
)]
#[get("/api/workspace/get/{id}")]
pub(crate) async fn get(
    caller: Asked<Caller>,
    number: Asked<PathNumber<Workspace>>,
    service: Data<Service>,
) -> Result<HttpResponse, Refusal> {
    let (credential, number) = (&caller.0.credential, number.0.number());
    let id = found(&service, credential, number, Action::WorkspaceRead).await?;
    answer::info(&service, credential, (number, id)).await
}

/// Get the voice list of a workspace
///
/// The built-in voices of OpenAI, then those of the ElevenLabs account that the workspace is connected to.
#[utoipa::path(
    tag = "CallFluent",
    extensions(("x-action" = json!(Action::VoiceList)), ("x-conflicts" = json!([Conflict::SecretUnreadable]))),
    params(("id" = i64, Path, description = "The workspace's number.", example = 14)),
    responses((status = 200, description = "The voices.", body = Vec<VoiceView>), (status = 502, description = "A provider failed."))
)]
#[get("/api/workspace/{id}/voices")]
pub(crate) async fn voice_list(
    caller: Asked<Caller>,
    number: Asked<PathNumber<Workspace>>,
    service: Data<Service>,
) -> Result<HttpResponse, Refusal> {
    let credential = &caller.0.credential;
    let id = found(&service, credential, number.0.number(), Action::VoiceList).await?;
    let Integrations { keys, catalogue, .. } = &service.integrations;
    let voices = voices::list(&service.store, keys, catalogue, credential, id, Utc::now()).await?;
    Ok(answer::voices(voices))
}

/// Update a workspace
///
/// Any of the eight fields; what is left out stays. Answers with every workspace. Nothing is changed unless the caller may change
/// all that is named.
#[utoipa::path(
    tag = "CallFluent",
    extensions(("x-action" = json!(Action::WorkspaceUpdate))),
    params(("id" = i64, Path, description = "The workspace's number.", example = 14)),
    request_body = Update,
    responses((status = 200, description = "Every workspace that the caller sees.", body = List))
)]
#[put("/api/workspace/update/{id}")]
pub(crate) async fn update(
    caller: Asked<Caller>,
    number: Asked<PathNumber<Workspace>>,
    body: Asked<Valid<Update>>,
    service: Data<Service>,
) -> Result<HttpResponse, Refusal> {
    let Changes { workspace, limits, integrations } = body.0.0.into_domain();
    let (credential, number) = (&caller.0.credential, number.0.number());
    // Whether all of it is allowed, before the first change.
    let id = found(&service, credential, number, Action::WorkspaceUpdate).await?;
    if limits.is_some() {
        found(&service, credential, number, Action::LimitsUpdate).await?;
    }
    if !integrations.is_empty() {
        found(&service, credential, number, Action::IntegrationUpdate).await?;
    }
    let (store, keys, any) = (&service.store, &service.integrations.keys, Precondition::None);
    workspaces::update(store, credential, id, any.clone(), workspace).await?;
    if let Some(limits) = limits {
        limits::update(store, credential, id, any.clone(), limits).await?;
    }
    for (provider, patch) in integrations {
        integrations::set(store, keys, credential, id, Some(provider), any.clone(), patch).await?;
    }
    answer::list(&service, credential).await
}

/// Get the calendars of a workspace
///
/// Those of the HighLevel location that the workspace is connected to; none where it is not.
#[utoipa::path(
    tag = "CallFluent",
    extensions(("x-action" = json!(Action::CalendarList)), ("x-conflicts" = json!([Conflict::SecretUnreadable]))),
    params(("id" = i64, Path, description = "The workspace's number.", example = 1)),
    responses((status = 200, description = "The calendars.", body = CalendarData), (status = 502, description = "A provider failed."))
)]
#[get("/api/workspace/calendars/{id}")]
pub(crate) async fn calendar_list(
    caller: Asked<Caller>,
    number: Asked<PathNumber<Workspace>>,
    service: Data<Service>,
) -> Result<HttpResponse, Refusal> {
    let credential = &caller.0.credential;
    let id = found(&service, credential, number.0.number(), Action::CalendarList).await?;
    let Integrations { keys, catalogue, .. } = &service.integrations;
    answer::calendars(calendars::list(&service.store, keys, catalogue, credential, id, Utc::now()).await)
}

/// Invite a user to a workspace
///
/// As an agent, pending until they accept; the message is being sent. An address that is invited already is sent the
/// invitation again, and a member of the tenant is assigned. Answers with every workspace.
#[utoipa::path(
    tag = "CallFluent",
    extensions(("x-action" = json!(Action::InvitationCreate)), ("x-conflicts" = json!([Conflict::InvitationAccepted]))),
    request_body = Invite,
    responses((status = 200, description = "Every workspace that the caller sees.", body = List), (status = 404, description = "No workspace has the number."))
)]
#[post("/api/workspace/invite-user")]
pub(crate) async fn invite_user(
    caller: Asked<Caller>,
    body: Asked<Valid<Invite>>,
    service: Data<Service>,
) -> Result<HttpResponse, Refusal> {
    let Invite { workspace_id: number, email } = body.0.0;
    let credential = &caller.0.credential;
    let id = found(&service, credential, number, Action::InvitationCreate).await?;
    place_holders::invite(&service.store, credential, id, email).await?;
    answer::list(&service, credential).await
}

/// Delete a workspace member
///
/// By the number of their place, as `get/{id}` lists it; also of one who has not accepted yet. Answers with every workspace.
#[utoipa::path(
    tag = "CallFluent",
    extensions(("x-action" = json!(Action::AssignmentRemove))),
    params(("id" = i64, Path, description = "The number of the place.", example = 11)),
    responses((status = 200, description = "Every workspace that the caller sees.", body = List))
)]
#[delete("/api/workspace/invite-delete/{id}")]
pub(crate) async fn invite_delete(
    caller: Asked<Caller>,
    place: Asked<PathNumber<Assignment>>,
    service: Data<Service>,
) -> Result<HttpResponse, Refusal> {
    let credential = &caller.0.credential;
    place_holders::vacate(&service.store, credential, place.0.number()).await?;
    answer::list(&service, credential).await
}

/// Delete a workspace
///
/// It is hidden at once, and can be restored for 30 days through the native API. Answers with every workspace.
#[utoipa::path(
    tag = "CallFluent",
    extensions(("x-action" = json!(Action::WorkspaceDelete))),
    params(("id" = i64, Path, description = "The workspace's number.", example = 1)),
    responses((status = 200, description = "Every workspace that the caller sees.", body = List))
)]
#[delete("/api/workspace/delete/{id}")]
pub(crate) async fn delete(
    caller: Asked<Caller>,
    number: Asked<PathNumber<Workspace>>,
    service: Data<Service>,
) -> Result<HttpResponse, Refusal> {
    let credential = &caller.0.credential;
    let id = found(&service, credential, number.0.number(), Action::WorkspaceDelete).await?;
    workspaces::delete(&service.store, credential, id, Precondition::None).await?;
    answer::list(&service, credential).await
}
