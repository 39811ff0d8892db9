//! `/api/invitations`.

mod batch;
mod request;
mod view;

use actix_web::{HttpResponse, delete, get, http::header, post, web::Data};
use chrono::Utc;
use tenantry_domain::{Action, Conflict, Invitation};
use tenantry_operations::invitations;
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) use self::{batch::create_each, view::InvitationView};
use self::{
    request::{AcceptInvitation, CreateInvitation, InvitationFilters, PreviewInvitation, ResendInvitation},
    view::{AcceptedInvitation, InvitationList, InvitationPreviewView},
};
use crate::{
    answer,
    error::Failure,
    extract::{Anybody, Caller, IfMatch, IfNoneMatch, Invited, Listing, PathId, Valid},
    fallback::nothing_more_at,
    part::{Group, Part},
    service::Service,
};

/// What the document says of it, and its routes.
pub(crate) const PART: Part = Part {
    tag: "Invitations",
    about: Some((Group::People, "People who are invited but have not accepted yet.")),
    routes,
};

fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(create)
        .service(create_each)
        .service(accept)
        .service(preview)
        .map(|config| nothing_more_at(config, "/api/invitations/batch"))
        .map(|config| nothing_more_at(config, "/api/invitations/accept"))
        .map(|config| nothing_more_at(config, "/api/invitations/preview"))
        .service(show)
        .service(resend)
        .service(revoke);
}

/// List invitations
///
/// Pending, accepted, revoked and expired invitations. Filter by `state` to get one kind. Tokens are never listed.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::InvitationList))),
    params(Listing<InvitationFilters>), responses((status = 200, description = "A page of invitations.", body = InvitationList))
)]
#[get("/api/invitations")]
pub(crate) async fn list(
    caller: Caller,
    query: Listing<InvitationFilters>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (filters, paging) = query.page(caller.credential.tenant())?;
    let invitations =
        invitations::list(&service.store, &caller.credential, filters.into_domain(), paging.request.clone()).await?;
    let now = Utc::now();
    Ok(answer::list(&paging.answer(invitations, |invitation| InvitationView::of(invitation, now))))
}

/// Get invitation by ID
///
/// Everything except the token, which is only in the email.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::InvitationRead))),
    params(IfNoneMatch),
    responses((status = 200, description = "The invitation.", body = InvitationView))
)]
#[get("/api/invitations/{invitationId}")]
pub(crate) async fn show(
    caller: Caller,
    id: PathId<Invitation>,
    known: IfNoneMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let invitation = invitations::show(&service.store, &caller.credential, id.id()).await?;
    // Its state follows the clock, and so does the tag.
    known.answer_composed(invitation.version, &InvitationView::of(invitation, Utc::now()))
}

/// Invite a person
///
/// Sends an email with a link to the address. When the owner of the address accepts within the given days, they become
/// a member with this role, assigned to these workspaces. A pending invitation occupies a slot in each of its
/// workspaces.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::InvitationCreate)), ("x-conflicts" = json!([Conflict::AlreadyInvited, Conflict::AlreadyMember, Conflict::LimitReached]))),
    request_body = CreateInvitation,
    responses((status = 201, description = "The invitation was created, and its email is being sent.", body = InvitationView, headers(("ETag"))))
)]
#[post("/api/invitations")]
pub(crate) async fn create(
    caller: Caller,
    body: Valid<CreateInvitation>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (details, days) = body.0.into_domain();
    let invitation = invitations::create(&service.store, &caller.credential, details, days).await?;
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, format!("/api/invitations/{}", invitation.id)));
    answer::composed(response, invitation.version, &InvitationView::of(invitation, Utc::now()))
}

/// Send an invitation again
///
/// Works for expired invitations, too. The email has a new link, and earlier links stop working.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::InvitationResend)), ("x-conflicts" = json!([Conflict::InvitationAccepted, Conflict::InvitationRevoked, Conflict::LimitReached]))),
    request_body(content = ResendInvitation, description = "Optional."),
    responses((status = 200, description = "The email is being sent again.", body = InvitationView, headers(("ETag"))))
)]
#[post("/api/invitations/{invitationId}/resend")]
pub(crate) async fn resend(
    caller: Caller,
    id: PathId<Invitation>,
    body: Valid<ResendInvitation>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let days = body.0.expires_in_days;
    let invitation = invitations::resend(&service.store, &caller.credential, id.id(), days).await?;
    answer::composed(HttpResponse::Ok(), invitation.version, &InvitationView::of(invitation, Utc::now()))
}

/// Revoke an invitation
///
/// The link stops working, and the slots are free again. An invitation that is already revoked stays revoked.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::InvitationRevoke)), ("x-conflicts" = json!([Conflict::InvitationAccepted]))),
    params(IfMatch),
    responses((status = 204, description = "The invitation is revoked."))
)]
#[delete("/api/invitations/{invitationId}")]
pub(crate) async fn revoke(
    caller: Caller,
    id: PathId<Invitation>,
    seen: IfMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    invitations::revoke(&service.store, &caller.credential, id.id(), seen.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Accept an invitation
///
/// Send the invitee's own access token, in which the issuer confirms that the email address is verified. The token need
/// not name a tenant. The invitee becomes a member.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::InvitationAccept)), ("x-conflicts" = json!([Conflict::InvitationAccepted, Conflict::InvitationRevoked, Conflict::InvitationReplaced, Conflict::InvitationExpired, Conflict::AlreadyMember]))),
    request_body = AcceptInvitation,
    responses((status = 201, description = "The invitee is now a member.", body = AcceptedInvitation, headers(("ETag"))), (status = 404, description = "No invitation was sent with this token."))
)]
#[post("/api/invitations/accept")]
pub(crate) async fn accept(
    invitee: Invited,
    body: Valid<AcceptInvitation>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let token = body.0.token.0;
    let (invitation, member) = invitations::accept(&service.store, invitee.0, &token).await?;
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, format!("/api/members/{}", member.id)));
    answer::composed(response, member.version, &AcceptedInvitation::of(invitation, member, Utc::now()))
}

/// Preview an invitation
///
/// Shows what an invitation is for to anybody who has its token, as its email does. Needs no credential: the page that accepts
/// invitations asks this. It changes nothing. An unknown token is a `404`, whatever is wrong with it.
#[utoipa::path(
    tag = PART.tag,
    security(()),
    request_body = PreviewInvitation,
    responses((status = 200, description = "What the invitation is for.", body = InvitationPreviewView, example = json!({
        "tenantName": "Acme Industrial Supply",
        "brandName": "Acme Industrial Supply",
        "brandColor": "#1f4b99",
        "language": "de",
        "state": "pending",
        "offer": {
            "emailHint": "a…@example.com",
            "role": "agent",
            "workspaceNames": ["DACH Region"],
            "invitedBy": "grace@acme.example",
            "expiresAt": "2026-01-27T10:00:00.000Z"
        }
    })), (status = 404, description = "No invitation was sent with this token."))
)]
#[post("/api/invitations/preview")]
pub(crate) async fn preview(
    anybody: Anybody,
    body: Valid<PreviewInvitation>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let preview = invitations::preview(&service.store, anybody.0, &body.0.token.0).await?;
    let mut response = HttpResponse::Ok();
    Ok(response.insert_header((header::CACHE_CONTROL, "no-store")).json(InvitationPreviewView::from(preview)))
}
