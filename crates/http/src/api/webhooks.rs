//! `/api/webhooks`.

mod request;
mod subject;
mod view;

use actix_web::{HttpResponse, delete, get, http::header, patch, post, web::Data};
use tenantry_auth::WebhookSecret;
use tenantry_domain::{Action, Conflict, Webhook, WebhookDelivery};
use tenantry_operations::webhooks;
use utoipa_actix_web::service_config::ServiceConfig;

pub use self::subject::subject_view;
use self::{
    request::{CreateWebhook, ReplayWebhook, RotateWebhook, UpdateWebhook, WebhookDeliveryFilters, WebhookFilters},
    view::{WebhookCreated, WebhookDeliveryList, WebhookDeliveryView, WebhookList, WebhookReplayed, WebhookView},
};
use crate::{
    answer,
    error::Failure,
    etag::Etag,
    extract::{Caller, IfMatch, IfNoneMatch, Listing, PathId, Valid},
    part::{Group, Part},
    service::Service,
};

/// What the document says of it, and its routes.
pub(crate) const PART: Part = Part {
    tag: "Webhooks",
    about: Some((
        Group::Tenant,
        "Where events of the tenant are sent, signed as Standard Webhooks defines it, and what became of sending them.",
    )),
    routes,
};

fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(create)
        .service(show)
        .service(update)
        .service(delete)
        .service(rotate)
        .service(test)
        .service(replay)
        .service(list_deliveries)
        .service(show_delivery)
        .service(resend);
}

/// List webhooks
///
/// All webhooks of the tenant, without their secrets. `sort=name` sorts by URL. With a platform key, they are those of the platform, which
/// are sent what happens to tenants: `tenant.create`, `tenant.suspend`, `tenant.erase` and so on.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::WebhookList))),
    params(Listing<WebhookFilters>), responses((status = 200, description = "A page of webhooks.", body = WebhookList))
)]
#[get("/api/webhooks")]
pub(crate) async fn list(
    caller: Caller,
    query: Listing<WebhookFilters>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (_, paging) = query.page(caller.credential.tenant())?;
    let found = webhooks::list(&service.store, &caller.credential, paging.request.clone()).await?;
    Ok(answer::list(&paging.answer(found, WebhookView::from)))
}

/// Get webhook by ID
///
/// Everything except the secret.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::WebhookRead))),
    params(IfNoneMatch),
    responses((status = 200, description = "The webhook.", body = WebhookView))
)]
#[get("/api/webhooks/{webhookId}")]
pub(crate) async fn show(
    caller: Caller,
    id: PathId<Webhook>,
    known: IfNoneMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let webhook = webhooks::show(&service.store, &caller.credential, id.id()).await?;
    Ok(known.answer(webhook.version, &WebhookView::from(webhook)))
}

/// Create a webhook
///
/// The answer contains the secret that its requests are signed with. It is shown only this once. A tenant can have 100 webhooks.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::WebhookCreate)), ("x-conflicts" = json!([Conflict::LimitReached]))),
    request_body = CreateWebhook,
    responses((status = 201, description = "The webhook was created.", body = WebhookCreated, headers(("ETag"))))
)]
#[post("/api/webhooks")]
pub(crate) async fn create(
    caller: Caller,
    body: Valid<CreateWebhook>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let needed = (&service.integrations.keys, &service.integrations.webhooks.destinations);
    let (webhook, secret) = webhooks::create(&service.store, needed, &caller.credential, body.0.into_domain()).await?;
    Ok(made(HttpResponse::Created(), webhook, &secret))
}

/// Update a webhook
///
/// A JSON merge patch: fields you leave out keep their value, and `null` clears a field. With `enabled: false` the webhook is paused: nothing
/// is sent to it, and events that happen meanwhile are not kept for it. Replay them after `enabled: true`.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::WebhookUpdate)), ("x-conflicts" = json!([Conflict::SecretUnreadable]))),
    params(IfMatch),
    request_body = UpdateWebhook,
    responses((status = 200, description = "The webhook after the change.", body = WebhookView))
)]
#[patch("/api/webhooks/{webhookId}")]
pub(crate) async fn update(
    caller: Caller,
    id: PathId<Webhook>,
    seen: IfMatch,
    body: Valid<UpdateWebhook>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (patch, destinations) = (body.0.into_domain(), &service.integrations.webhooks.destinations);
    let webhook = webhooks::update(&service.store, destinations, &caller.credential, id.id(), seen.0, patch).await?;
    Ok(answer::written(HttpResponse::Ok(), webhook, |webhook| (webhook.version, WebhookView::from(webhook))))
}

/// Delete a webhook
///
/// Its deliveries are deleted with it.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::WebhookDelete))),
    params(IfMatch),
    responses((status = 204, description = "The webhook is deleted."))
)]
#[delete("/api/webhooks/{webhookId}")]
pub(crate) async fn delete(
    caller: Caller,
    id: PathId<Webhook>,
    seen: IfMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    webhooks::delete(&service.store, &caller.credential, id.id(), seen.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Rotate the secret of a webhook
///
/// The answer contains the new secret. It is shown only this once. During the overlap, requests are signed with both secrets.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::WebhookRotate))),
    request_body = RotateWebhook,
    responses((status = 200, description = "The webhook with its new secret.", body = WebhookCreated, headers(("ETag"))))
)]
#[post("/api/webhooks/{webhookId}/rotate")]
pub(crate) async fn rotate(
    caller: Caller,
    id: PathId<Webhook>,
    body: Valid<RotateWebhook>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (keys, overlap) = (&service.integrations.keys, body.0.overlap_seconds);
    let (webhook, secret) = webhooks::rotate(&service.store, keys, &caller.credential, id.id(), overlap).await?;
    Ok(made(HttpResponse::Ok(), webhook, &secret))
}

/// The one answer with a secret in it, which nobody keeps.
fn made(mut response: actix_web::HttpResponseBuilder, webhook: Webhook, secret: &WebhookSecret) -> HttpResponse {
    response.insert_header((header::LOCATION, format!("/api/webhooks/{}", webhook.id)));
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    response.insert_header((header::ETAG, Etag::of_version(webhook.version).as_str().to_owned()));
    response.json(WebhookCreated::of(webhook, secret))
}

/// Test a webhook
///
/// Sends an event `webhook.test`, whatever events the webhook asks for. The answer is its delivery: read it again to see whether it arrived.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::WebhookTest)), ("x-conflicts" = json!([Conflict::WebhookDisabled]))),
    responses((status = 202, description = "The event is on its way.", body = WebhookDeliveryView))
)]
#[post("/api/webhooks/{webhookId}/test")]
pub(crate) async fn test(caller: Caller, id: PathId<Webhook>, service: Data<Service>) -> Result<HttpResponse, Failure> {
    let delivery = webhooks::test(&service.store, &caller.credential, id.id()).await?;
    Ok(shown(delivery.readable().map(WebhookDeliveryView::from)))
}

/// Replay events to a webhook
///
/// Sends all events since a time again, as far as the webhook asks for them, in their order, whether they were delivered or not. Each has the
/// same id as before.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::WebhookReplay)), ("x-conflicts" = json!([Conflict::WebhookDisabled]))),
    request_body = ReplayWebhook,
    responses((status = 202, description = "The events are on their way.", body = WebhookReplayed))
)]
#[post("/api/webhooks/{webhookId}/replay")]
pub(crate) async fn replay(
    caller: Caller,
    id: PathId<Webhook>,
    body: Valid<ReplayWebhook>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let events = webhooks::replay(&service.store, &caller.credential, id.id(), body.0.since.into()).await?;
    Ok(shown(events.readable().map(|events| WebhookReplayed { events })))
}

/// List the deliveries of a webhook
///
/// What became of each event, the newest first. Deliveries that are over are kept for a while, as the operator sets it.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::WebhookDeliveryList))),
    params(Listing<WebhookDeliveryFilters>),
    responses((status = 200, description = "A page of deliveries.", body = WebhookDeliveryList))
)]
#[get("/api/webhooks/{webhookId}/deliveries")]
pub(crate) async fn list_deliveries(
    caller: Caller,
    id: PathId<Webhook>,
    query: Listing<WebhookDeliveryFilters>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (filters, paging) = query.page(caller.credential.tenant())?;
    let (filter, page) = (filters.into_domain(), paging.request.clone());
    let found = webhooks::deliveries(&service.store, &caller.credential, id.id(), filter, page).await?;
    Ok(answer::list(&paging.answer(found, WebhookDeliveryView::from)))
}

/// Get delivery by ID
///
/// A delivery has the id of its event, which receivers get as `webhook-id`.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::WebhookDeliveryList))),
    responses((status = 200, description = "The delivery.", body = WebhookDeliveryView))
)]
#[get("/api/webhooks/{webhookId}/deliveries/{webhookDeliveryId}")]
pub(crate) async fn show_delivery(
    caller: Caller,
    id: PathId<Webhook>,
    delivery: PathId<WebhookDelivery>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let found = webhooks::delivery(&service.store, &caller.credential, id.id(), delivery.id()).await?;
    Ok(answer::untagged(HttpResponse::Ok(), &WebhookDeliveryView::from(found)))
}

/// Resend a delivery
///
/// Sends the event again, with the same id, and with as many attempts as at first.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::WebhookResend)), ("x-conflicts" = json!([Conflict::WebhookDisabled]))),
    responses((status = 202, description = "The event is on its way.", body = WebhookDeliveryView))
)]
#[post("/api/webhooks/{webhookId}/deliveries/{webhookDeliveryId}/resend")]
pub(crate) async fn resend(
    caller: Caller,
    id: PathId<Webhook>,
    delivery: PathId<WebhookDelivery>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let found = webhooks::resend(&service.store, &caller.credential, id.id(), delivery.id()).await?;
    Ok(shown(found.readable().map(WebhookDeliveryView::from)))
}

/// What was begun, to who may read it.
fn shown(view: Option<impl serde::Serialize>) -> HttpResponse {
    match view {
        Some(view) => answer::untagged(HttpResponse::Accepted(), &view),
        None => HttpResponse::NoContent().finish(),
    }
}
