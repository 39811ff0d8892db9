//! `/api/workspace/…`: nine routes.

use actix_web::{HttpResponse, delete, get, post, put, web::Data};
use chrono::Utc;
use tenantry_domain::{Action, Assignment, Conflict, Workspace};
use tenantry_operations::{calendars, numbered, slots, voices};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    answer::{self, CalendarData, List, Shown, Workspaces},
    error::{Asked, DialectError},
    number::PathNumber,
    request::{Create, Invite, Update},
};
use crate::{
    api::voices::VoiceView,
    extract::{Caller, Valid},
    part::{Group, Part},
    service::{Integrations, Service},
};

/// What the document says of it, and its routes.
pub(crate) const PART: Part = Part {
    tag: "CallFluent",
    about: Some((
        Group::CallFluent,
        "The same workspaces, by number, for clients of the CallFluent Workspace API. Paths, bodies and answers are as CallFluent documents them.",
    )),
    routes,
};

fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(create)
        .service(get_all)
        .service(get)
        .service(voice_list)
        .service(update)
        .service(invite_user)
        .service(invite_delete)
        .service(delete)
        .service(calendar_list);
}

/// Create a new workspace
///
/// Takes only a name. Brand, country, language, currency and type are the tenant's defaults. Returns every workspace
/// that the caller can see.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::WorkspaceCreate))),
    request_body = Create,
    responses((status = 200, description = "Every workspace that the caller can see.", body = List))
)]
#[post("/api/workspace/create")]
pub(crate) async fn create(
    caller: Asked<Caller>,
    body: Asked<Valid<Create>>,
    service: Data<Service>,
) -> Result<HttpResponse, DialectError> {
    let leave = service.store.long_answer(&caller.0.credential).await?;
    match numbered::create(&service.store, &caller.0.credential, body.0.0.name).await {
        Ok(list) => answer::list(leave, list).await,
        Err(error) => Ok(DialectError::from(error).of_creation()),
    }
}

/// Get all workspaces
///
/// Every workspace that the caller can see, by number.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::WorkspaceList))),
    responses((status = 200, description = "Every workspace that the caller can see.", body = Workspaces))
)]
#[get("/api/workspace/get-all")]
pub(crate) async fn get_all(caller: Asked<Caller>, service: Data<Service>) -> Result<HttpResponse, DialectError> {
    let leave = service.store.long_answer(&caller.0.credential).await?;
    answer::workspaces(leave, numbered::list(&service.store, &caller.0.credential).await?).await
}

/// Get workspace details
///
/// Includes the limits in force, which secrets are set, and who has a slot in the workspace.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::WorkspaceRead))),
    params(("id" = i64, Path, description = "The workspace's number.", example = 1)),
    responses((status = 200, description = "The workspace.", body = Shown))
)]
#[get("/api/workspace/get/{id}")]
pub(crate) async fn get(
    caller: Asked<Caller>,
    number: Asked<PathNumber<Workspace>>,
    service: Data<Service>,
) -> Result<HttpResponse, DialectError> {
    Ok(answer::info(numbered::overview(&service.store, &caller.0.credential, number.0.number()).await?))
}

/// Get the voice list of a workspace
///
/// The built-in voices of OpenAI, then those of the ElevenLabs account that the workspace is connected to.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::VoiceList)), ("x-conflicts" = json!([Conflict::SecretUnreadable]))),
    params(("id" = i64, Path, description = "The workspace's number.", example = 1)),
    responses((status = 200, description = "The voices.", body = Vec<VoiceView>), (status = 502, description = "A provider failed."))
)]
#[get("/api/workspace/{id}/voices")]
pub(crate) async fn voice_list(
    caller: Asked<Caller>,
    number: Asked<PathNumber<Workspace>>,
    service: Data<Service>,
) -> Result<HttpResponse, DialectError> {
    let (credential, number) = (&caller.0.credential, number.0.number());
    let Integrations { keys, catalogue, .. } = &service.integrations;
    let voices = voices::list(&service.store, keys, catalogue, credential, number, Utc::now()).await?;
    Ok(answer::voices(voices))
}

/// Update a workspace
///
/// Send any of the eight fields; the others keep their value. Nothing changes unless the caller may change every field
/// that is sent. Returns every workspace that the caller can see.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::WorkspaceUpdate))),
    params(("id" = i64, Path, description = "The workspace's number.", example = 1)),
    request_body = Update,
    responses((status = 200, description = "Every workspace that the caller can see.", body = List))
)]
#[put("/api/workspace/update/{id}")]
pub(crate) async fn update(
    caller: Asked<Caller>,
    number: Asked<PathNumber<Workspace>>,
    body: Asked<Valid<Update>>,
    service: Data<Service>,
) -> Result<HttpResponse, DialectError> {
    let changes = body.0.0.into_domain();
    let (store, keys, number) = (&service.store, &service.integrations.keys, number.0.number());
    let leave = service.store.long_answer(&caller.0.credential).await?;
    answer::list(leave, numbered::update(store, keys, &caller.0.credential, number, changes).await?).await
}

/// Get the calendars of a workspace
///
/// The calendars of the HighLevel location that the workspace is connected to. Empty if it is not connected.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::CalendarList)), ("x-conflicts" = json!([Conflict::SecretUnreadable]))),
    params(("id" = i64, Path, description = "The workspace's number.", example = 1)),
    responses((status = 200, description = "The calendars.", body = CalendarData), (status = 502, description = "A provider failed."))
)]
#[get("/api/workspace/calendars/{id}")]
pub(crate) async fn calendar_list(
    caller: Asked<Caller>,
    number: Asked<PathNumber<Workspace>>,
    service: Data<Service>,
) -> Result<HttpResponse, DialectError> {
    let (credential, number) = (&caller.0.credential, number.0.number());
    let Integrations { keys, catalogue, .. } = &service.integrations;
    answer::calendars(calendars::list(&service.store, keys, catalogue, credential, number, Utc::now()).await)
}

/// Invite a user to a workspace
///
/// Invites the address as an agent, pending until the invitation is accepted. An address that is already invited gets
/// its invitation again. A member of the tenant is assigned directly. Returns every workspace that the caller can see.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::InvitationCreate))),
    request_body = Invite,
    responses((status = 200, description = "Every workspace that the caller can see.", body = List), (status = 404, description = "There is no workspace with this number."))
)]
#[post("/api/workspace/invite-user")]
pub(crate) async fn invite_user(
    caller: Asked<Caller>,
    body: Asked<Valid<Invite>>,
    service: Data<Service>,
) -> Result<HttpResponse, DialectError> {
    let Invite { workspace_id: number, email } = body.0.0;
    let leave = service.store.long_answer(&caller.0.credential).await?;
    answer::list(leave, slots::fill(&service.store, &caller.0.credential, number, email).await?).await
}

/// Delete a workspace member
///
/// Takes the number of the member's slot, as listed by `get/{id}`. This also works for pending invitations. Returns
/// every workspace that the caller can see.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::AssignmentRemove))),
    params(("id" = i64, Path, description = "The number of the slot.", example = 1)),
    responses((status = 200, description = "Every workspace that the caller can see.", body = List))
)]
#[delete("/api/workspace/invite-delete/{id}")]
pub(crate) async fn invite_delete(
    caller: Asked<Caller>,
    slot: Asked<PathNumber<Assignment>>,
    service: Data<Service>,
) -> Result<HttpResponse, DialectError> {
    let leave = service.store.long_answer(&caller.0.credential).await?;
    answer::list(leave, slots::vacate(&service.store, &caller.0.credential, slot.0.number()).await?).await
}

/// Delete a workspace
///
/// The workspace disappears immediately. It can be restored for 30 days through the native API. Returns every workspace
/// that the caller can see.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::WorkspaceDelete))),
    params(("id" = i64, Path, description = "The workspace's number.", example = 1)),
    responses((status = 200, description = "Every workspace that the caller can see.", body = List))
)]
#[delete("/api/workspace/delete/{id}")]
pub(crate) async fn delete(
    caller: Asked<Caller>,
    number: Asked<PathNumber<Workspace>>,
    service: Data<Service>,
) -> Result<HttpResponse, DialectError> {
    let leave = service.store.long_answer(&caller.0.credential).await?;
    answer::list(leave, numbered::delete(&service.store, &caller.0.credential, number.0.number()).await?).await
}
