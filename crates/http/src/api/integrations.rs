//! `/api/workspaces/{workspaceId}/integrations`.

mod request;
mod view;

use actix_web::{HttpResponse, delete, get, post, put, web::Data};
use chrono::Utc;
use tenantry_domain::{Action, Conflict, Workspace};
use tenantry_operations::integrations;
use utoipa_actix_web::service_config::ServiceConfig;

use self::{
    request::{PathProvider, SetElevenLabs, SetHighLevel, SetIntegration, SetOpenAi, SetTwilio},
    view::{IntegrationList, IntegrationView},
};
use crate::{
    answer,
    error::Failure,
    extract::{Caller, IfMatch, IfNoneMatch, PathId},
    part::{Group, Part},
    schema::example_of,
    service::Service,
};

/// What the document says of it, and its routes.
pub(crate) const PART: Part = Part {
    tag: "Integrations",
    about: Some((
        Group::Workspaces,
        "Connections of a workspace to providers. Secrets can be set but are never shown.",
    )),
    routes,
};

fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(show).service(set).service(remove).service(verify);
}

/// List integrations
///
/// The workspace's integrations with all providers, connected or not. A secret is never shown, only whether it is set,
/// since when, and its last four characters.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::IntegrationList))),
    params(IfNoneMatch),
    responses((status = 200, description = "One integration for each provider.", body = IntegrationList))
)]
#[get("/api/workspaces/{workspaceId}/integrations")]
pub(crate) async fn list(
    caller: Caller,
    id: PathId<Workspace>,
    known: IfNoneMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let integrations = integrations::list(&service.store, &caller.credential, id.id()).await?;
    known.answer_hashed(&IntegrationList::of(integrations))
}

/// Get integration by provider
///
/// The integration, connected or not, without its secret.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::IntegrationList))),
    params(IfNoneMatch),
    responses((status = 200, description = "The integration.", body = IntegrationView))
)]
#[get("/api/workspaces/{workspaceId}/integrations/{provider}")]
pub(crate) async fn show(
    caller: Caller,
    id: PathId<Workspace>,
    provider: PathProvider,
    known: IfNoneMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let integration = integrations::show(&service.store, &caller.credential, id.id(), provider.0).await?;
    Ok(known.answer(integration.version, &IntegrationView::from(integration)))
}

/// Set an integration
///
/// Replaces all fields of the integration. Send every field that the provider requires. The result of the last
/// verification is discarded; verify the new fields to get a new one.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::IntegrationUpdate))),
    params(IfMatch),
    request_body(content = SetIntegration, examples(
        ("twilio" = (summary = "Twilio", value = json!(example_of::<SetTwilio>()))),
        ("elevenlabs" = (summary = "ElevenLabs", value = json!(example_of::<SetElevenLabs>()))),
        ("openai" = (summary = "OpenAI", value = json!(example_of::<SetOpenAi>()))),
        ("gohighlevel" = (summary = "HighLevel", value = json!(example_of::<SetHighLevel>()))),
    )),
    responses((status = 200, description = "The integration after the change.", body = IntegrationView))
)]
#[put("/api/workspaces/{workspaceId}/integrations/{provider}")]
pub(crate) async fn set(
    caller: Caller,
    id: PathId<Workspace>,
    provider: PathProvider,
    seen: IfMatch,
    body: SetIntegration,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (store, keys) = (&service.store, &service.integrations.keys);
    let integration = integrations::set(store, keys, &caller.credential, id.id(), provider.0, seen.0, body.0).await?;
    Ok(answer::written(HttpResponse::Ok(), integration, |one| (one.version, IntegrationView::from(one))))
}

/// Remove an integration
///
/// Removes the integration and its secret immediately.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::IntegrationRemove))),
    params(IfMatch),
    responses((status = 204, description = "The integration is removed."))
)]
#[delete("/api/workspaces/{workspaceId}/integrations/{provider}")]
pub(crate) async fn remove(
    caller: Caller,
    id: PathId<Workspace>,
    provider: PathProvider,
    seen: IfMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    integrations::remove(&service.store, &caller.credential, id.id(), provider.0, seen.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Verify an integration
///
/// Asks the provider whether it accepts the current fields. The result is returned and stored with the integration. If
/// the provider does not respond, the status stays as it was, and `lastError` says why. A provider that failed several
/// times in a row for this credential, or asked for patience, is not asked for a while: that is a `502` with
/// `Retry-After`.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::IntegrationVerify)), ("x-conflicts" = json!([Conflict::IntegrationIncomplete, Conflict::SecretUnreadable]))),
    responses((status = 200, description = "The integration with the provider's verdict.", body = IntegrationView, headers(("ETag"))), (status = 502, description = "The provider is left alone for a while."))
)]
#[post("/api/workspaces/{workspaceId}/integrations/{provider}/verify")]
pub(crate) async fn verify(
    caller: Caller,
    id: PathId<Workspace>,
    provider: PathProvider,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (store, outside) = (&service.store, &service.integrations);
    let integration = integrations::verify(
        store,
        &outside.keys,
        &outside.providers,
        &caller.credential,
        id.id(),
        provider.0,
        Utc::now(),
    )
    .await?;
    Ok(answer::written(HttpResponse::Ok(), integration, |one| (one.version, IntegrationView::from(one))))
}
