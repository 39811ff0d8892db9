//! `/api/invitations`.

mod batch;
mod request;
mod view;

use actix_web::{HttpResponse, delete, get, http::header, post, web::Data};
use chrono::Utc;
use tenantry_domain::Invitation;
use tenantry_operations::invitations;

pub(crate) use self::batch::create_each;
use self::{
    request::{AcceptInvitation, CreateInvitation, InvitationFilters, ResendInvitation},
    view::{AcceptedInvitation, InvitationList, InvitationView},
};
use crate::{
    Service,
    error::Failure,
    etag,
    extract::{Caller, IfMatch, IfNoneMatch, Invited, Listing, PathId, Valid},
};

/// List invitations
///
/// Pending, accepted, revoked and expired ones; `state` shows those in one state. Tokens are in nobody's list.
#[utoipa::path(tag = "Invitations", params(Listing<InvitationFilters>), responses((status = 200, description = "A page of invitations.", body = InvitationList)))]
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
    Ok(etag::list(&paging.answer(invitations, |invitation| InvitationView::of(invitation, now))))
}

/// Get invitation by ID
///
/// Everything but its token, which only the message has.
#[utoipa::path(
    tag = "Invitations",
    params(("invitationId" = Uuid, Path, description = "The unique identifier of the invitation.", example = "f1a2b3c4-5678-4abc-9ef0-1234567890ab")),
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

/// Invite somebody
///
/// Sends a message with a link to the address. Whoever has that address accepts it within the days given, and is a member
/// then, in this role and assigned to these workspaces. A pending invitation holds its places.
#[utoipa::path(
    tag = "Invitations",
    request_body = CreateInvitation,
    responses((status = 201, description = "The invitation was created, and its message is being sent.", body = InvitationView))
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
    etag::answer_composed(response, invitation.version, &InvitationView::of(invitation, Utc::now()))
}

/// Send an invitation again
///
/// Also one that has expired. The message has a new link, and the links of earlier messages are good no longer.
#[utoipa::path(
    tag = "Invitations",
    params(("invitationId" = Uuid, Path, description = "The unique identifier of the invitation.", example = "f1a2b3c4-5678-4abc-9ef0-1234567890ab")),
    request_body(content = ResendInvitation, description = "May be left out altogether."),
    responses((status = 200, description = "The invitation, which is being sent.", body = InvitationView))
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
    etag::answer_composed(HttpResponse::Ok(), invitation.version, &InvitationView::of(invitation, Utc::now()))
}

/// Revoke an invitation
///
/// Its link is good no longer, and its places are free. One that has been revoked already stays so.
#[utoipa::path(
    tag = "Invitations",
    params(("invitationId" = Uuid, Path, description = "The unique identifier of the invitation.", example = "f1a2b3c4-5678-4abc-9ef0-1234567890ab")),
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
/// With the invitee's own access token, whose issuer says that the address is verified; it need not name a tenant. The
/// invitee is a member from then on.
#[utoipa::path(
    tag = "Invitations",
    request_body = AcceptInvitation,
    responses((status = 201, description = "The invitee is a member.", body = AcceptedInvitation))
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
    etag::answer_composed(response, member.version, &AcceptedInvitation::of(invitation, member, Utc::now()))
}
