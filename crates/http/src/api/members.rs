//! `/api/members`, and who owns the tenant.

mod request;
mod view;

use actix_web::{HttpResponse, delete, get, patch, post, web::Data};
use tenantry_domain::{Action, Conflict, Member};
use tenantry_operations::members;
use utoipa_actix_web::service_config::ServiceConfig;

use self::request::{MemberFilters, TransferOwnership, UpdateMember};
pub use self::view::MemberView;
pub(crate) use self::view::{AssignedMemberList, AssignedMemberView, MemberList, MemberWithAccess};
use crate::{
    answer,
    error::Failure,
    extract::{Caller, IfMatch, IfNoneMatch, Listing, PathId, Valid},
    part::{Group, Part},
    service::Service,
};

/// What the document says of it, and its routes.
pub(crate) const PART: Part = Part {
    tag: "Members",
    about: Some((
        Group::People,
        "The people in the tenant, each with one role, and the workspaces they are assigned to.",
    )),
    routes,
};

fn routes(config: &mut ServiceConfig<'_>) {
    config.service(transfer_ownership).service(list).service(show).service(update).service(remove);
}

/// List members
///
/// The people in the tenant. People with a pending invitation are not members yet: see the invitations.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::MemberList))),
    params(Listing<MemberFilters>), responses((status = 200, description = "A page of members.", body = MemberList))
)]
#[get("/api/members")]
pub(crate) async fn list(
    caller: Caller,
    query: Listing<MemberFilters>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (filters, paging) = query.page(caller.credential.tenant())?;
    let members =
        members::list(&service.store, &caller.credential, filters.into_domain(), paging.request.clone()).await?;
    Ok(answer::list(&paging.answer(members, MemberView::from)))
}

/// Get member by ID
///
/// One member with their assignments, and whether they see workspaces because of their role or their assignments.
/// Members who cannot see the whole tenant can read only themselves.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::MemberRead))),
    params(IfNoneMatch),
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
/// A JSON merge patch of the member's role, status, email address and identity (issuer and subject). It takes effect with
/// the member's next request. The member keeps their id, assignments and history. You can change a member, and grant or
/// revoke a role, only if you have all permissions of the role. A tenant must always have an active owner. Pending
/// invitations that the member may no longer give are revoked.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::MemberUpdate)), ("x-conflicts" = json!([Conflict::AlreadyInvited, Conflict::AlreadyMember, Conflict::LastOwner, Conflict::ExternalIdTaken]))),
    params(IfMatch),
    request_body = UpdateMember,
    responses((status = 200, description = "The member after the change.", body = MemberView))
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
    Ok(answer::tagged(HttpResponse::Ok(), member.version, &MemberView::from(member)))
}

/// Remove a member
///
/// Removes the member and their assignments. They lose access with their next request. Every member can remove
/// themselves (leave), except the last active owner. The member's pending invitations are revoked. API keys that the
/// member created stay: list them with `createdBy`, and whom the member invited with `invitedBy`.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::MemberRemove)), ("x-conflicts" = json!([Conflict::LastOwner]))),
    params(IfMatch),
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
/// Makes another member an owner. The caller, who must be an owner, becomes an admin in the same step.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::OwnershipTransfer)), ("x-conflicts" = json!([Conflict::MemberSuspended]))),
    request_body = TransferOwnership,
    responses((status = 200, description = "The new owner.", body = MemberView, headers(("ETag"))))
)]
#[post("/api/tenant/transfer-ownership")]
pub(crate) async fn transfer_ownership(
    caller: Caller,
    body: Valid<TransferOwnership>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let member = members::transfer_ownership(&service.store, &caller.credential, body.0.member_id).await?;
    Ok(answer::tagged(HttpResponse::Ok(), member.version, &MemberView::from(member)))
}
