//! `/api/workspaces/{workspaceId}/members`.

use actix_web::{HttpResponse, delete, get, put, web::Data};
use tenantry_domain::{Action, Conflict, Member, PeopleSort, Workspace};
use tenantry_operations::assignments;
use utoipa_actix_web::service_config::ServiceConfig;

use super::members::{AssignedMemberList, AssignedMemberView, MemberView};
use crate::{
    answer,
    error::Failure,
    extract::{Caller, Filters, IfMatch, Listing, PathId, query},
    part::Part,
    service::Service,
};

query! {
    /// All members of a workspace.
    pub(crate) struct NoFilters {}
}

impl Filters for NoFilters {
    type Sort = PeopleSort;
}

/// What the document says of it, and its routes.
pub(crate) const PART: Part = Part { tag: super::members::PART.tag, about: None, routes };

fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_assigned).service(assign).service(unassign);
}

/// List the members of a workspace
///
/// The members who are assigned to the workspace. Owners and admins see all workspaces; they are listed only if they
/// are assigned as well. Issuer and subject of a member are not in this list: see the member.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::AssignmentList))),
    params(
        Listing<NoFilters>,
    ),
    responses((status = 200, description = "A page of members.", body = AssignedMemberList))
)]
#[get("/api/workspaces/{workspaceId}/members")]
pub(crate) async fn list_assigned(
    caller: Caller,
    id: PathId<Workspace>,
    query: Listing<NoFilters>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (NoFilters {}, paging) = query.page(caller.credential.tenant())?;
    let members = assignments::list(&service.store, &caller.credential, id.id(), paging.request.clone()).await?;
    Ok(answer::list(&paging.answer(members, AssignedMemberView::from)))
}

/// Assign a member to a workspace
///
/// It takes effect with the member's next request. A member who is already assigned stays assigned. You can assign only
/// members whose role you could grant.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::AssignmentCreate)), ("x-conflicts" = json!([Conflict::LimitReached]))),
    responses((status = 200, description = "The member is assigned.", body = MemberView, headers(("ETag"))))
)]
#[put("/api/workspaces/{workspaceId}/members/{memberId}")]
pub(crate) async fn assign(
    caller: Caller,
    workspace: PathId<Workspace>,
    member: PathId<Member>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let member = assignments::assign(&service.store, &caller.credential, workspace.id(), member.id()).await?;
    Ok(answer::tagged(HttpResponse::Ok(), member.version, &MemberView::from(member)))
}

/// Unassign a member from a workspace
///
/// It takes effect with the member's next request. The member stays in the tenant. You can unassign only members whose
/// role you could revoke.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::AssignmentRemove))),
    params(IfMatch),
    responses((status = 204, description = "The member is no longer assigned."))
)]
#[delete("/api/workspaces/{workspaceId}/members/{memberId}")]
pub(crate) async fn unassign(
    caller: Caller,
    workspace: PathId<Workspace>,
    member: PathId<Member>,
    seen: IfMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    assignments::unassign(&service.store, &caller.credential, workspace.id(), member.id(), seen.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
