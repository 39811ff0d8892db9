//! `/api/members`, and who owns the tenant.

mod request;
mod view;

use actix_web::{HttpResponse, delete, get, patch, post, web::Data};
use tenantry_domain::Member;
use tenantry_operations::members;

use self::request::{MemberFilters, TransferOwnership, UpdateMember};
pub use self::view::MemberView;
pub(crate) use self::view::{MemberList, MemberWithAccess};
use crate::{
    Service,
    error::Failure,
    etag,
    extract::{Caller, IfMatch, IfNoneMatch, Listing, PathId, Valid},
};

/// List members
///
/// The people in the tenant. Who is invited and has not accepted is no member yet: see invitations.
#[utoipa::path(tag = "Members", params(Listing<MemberFilters>), responses((status = 200, description = "A page of members.", body = MemberList)))]
#[get("/api/members")]
pub(crate) async fn list(
    caller: Caller,
    query: Listing<MemberFilters>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (filters, paging) = query.page(caller.credential.tenant())?;
    let members =
        members::list(&service.store, &caller.credential, filters.into_domain(), paging.request.clone()).await?;
    Ok(etag::list(&paging.answer(members, MemberView::from)))
}

/// Get member by ID
///
/// With its assignments, and whether it sees workspaces because of its role or because of them. Members who do not see the
/// whole tenant find themselves here and nobody else.
#[utoipa::path(
    tag = "Members",
    params(("memberId" = Uuid, Path, description = "The unique identifier of the member.", example = "e1a2b3c4-5678-4abc-9ef0-1234567890ab")),
    responses((status = 200, description = "The member.", body = MemberWithAccess))
)]
#[get("/api/members/{memberId}")]
pub(crate) async fn show(
    caller: Caller,
    id: PathId<Member>,
    known: IfNoneMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let shown = members::show(&service.store, &caller.credential, id.id()).await?;
    known.answer_composed(shown.member.version, &MemberWithAccess::from(shown))
}

/// Update a member
///
/// A JSON merge patch of its role and status. It counts at the member's next request. Nobody gives or takes a role that may
/// do more than they may themselves, and a tenant always keeps an active owner.
#[utoipa::path(
    tag = "Members",
    params(("memberId" = Uuid, Path, description = "The unique identifier of the member.", example = "e1a2b3c4-5678-4abc-9ef0-1234567890ab")),
    request_body = UpdateMember,
    responses((status = 200, description = "The member as it is now.", body = MemberView))
)]
#[patch("/api/members/{memberId}")]
pub(crate) async fn update(
    caller: Caller,
    id: PathId<Member>,
    seen: IfMatch,
    body: Valid<UpdateMember>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let patch = body.0.into_domain();
    let member = members::update(&service.store, &caller.credential, id.id(), seen.0, patch).await?;
    Ok(etag::answer(HttpResponse::Ok(), member.version, &MemberView::from(member)))
}

/// Remove a member
///
/// With its assignments, from its next request on. Every member may remove itself, which is leaving, unless the tenant would
/// be left without an active owner.
#[utoipa::path(
    tag = "Members",
    params(("memberId" = Uuid, Path, description = "The unique identifier of the member.", example = "e1a2b3c4-5678-4abc-9ef0-1234567890ab")),
    responses((status = 204, description = "The member is removed."))
)]
#[delete("/api/members/{memberId}")]
pub(crate) async fn remove(
    caller: Caller,
    id: PathId<Member>,
    seen: IfMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    members::remove(&service.store, &caller.credential, id.id(), seen.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Transfer the ownership
///
/// Makes another member an owner and the caller, who is one, an admin, both at once.
#[utoipa::path(
    tag = "Members",
    request_body = TransferOwnership,
    responses((status = 200, description = "The new owner.", body = MemberView))
)]
#[post("/api/tenant/transfer-ownership")]
pub(crate) async fn transfer_ownership(
    caller: Caller,
    body: Valid<TransferOwnership>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let member = members::transfer_ownership(&service.store, &caller.credential, body.0.member_id).await?;
    Ok(etag::answer(HttpResponse::Ok(), member.version, &MemberView::from(member)))
}
