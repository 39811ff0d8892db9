//! `/api/workspaces/{workspaceId}/members`.

use actix_web::{HttpResponse, delete, get, put, web::Data};
use tenantry_domain::{Member, PeopleSort, Workspace};
use tenantry_operations::assignments;

use super::members::{MemberList, MemberView};
use crate::{
    Service,
    error::Failure,
    etag,
    extract::{Caller, Filters, IfMatch, Listing, PathId, query},
};

query! {
    /// All members of a workspace.
    pub(crate) struct NoFilters {}
}

impl Filters for NoFilters {
    type Sort = PeopleSort;
}

/// List the members of a workspace
///
/// Who is assigned to it. Owners and admins see all workspaces and stand here only where they are assigned too.
#[utoipa::path(
    tag = "Members",
    params(
        ("workspaceId" = Uuid, Path, description = "The unique identifier of the workspace.", example = "c1a2b3c4-5678-4abc-9ef0-1234567890ab"),
        Listing<NoFilters>,
    ),
    responses((status = 200, description = "A page of members.", body = MemberList))
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
    Ok(etag::list(&paging.answer(members, MemberView::from)))
}

/// Assign a member to a workspace
///
/// It counts at the member's next request. A member that is assigned already stays so.
#[utoipa::path(
    tag = "Members",
    params(
        ("workspaceId" = Uuid, Path, description = "The unique identifier of the workspace.", example = "c1a2b3c4-5678-4abc-9ef0-1234567890ab"),
        ("memberId" = Uuid, Path, description = "The unique identifier of the member.", example = "e1a2b3c4-5678-4abc-9ef0-1234567890ab"),
    ),
    responses((status = 200, description = "The member, which is assigned.", body = MemberView))
)]
#[put("/api/workspaces/{workspaceId}/members/{memberId}")]
pub(crate) async fn assign(
    caller: Caller,
    workspace: PathId<Workspace>,
    member: PathId<Member>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let member = assignments::assign(&service.store, &caller.credential, workspace.id(), member.id()).await?;
    Ok(etag::answer(HttpResponse::Ok(), member.version, &MemberView::from(member)))
}

/// Take a member off a workspace
///
/// It counts at the member's next request. The member stays in the tenant.
#[utoipa::path(
    tag = "Members",
    params(
        ("workspaceId" = Uuid, Path, description = "The unique identifier of the workspace.", example = "c1a2b3c4-5678-4abc-9ef0-1234567890ab"),
        ("memberId" = Uuid, Path, description = "The unique identifier of the member.", example = "e1a2b3c4-5678-4abc-9ef0-1234567890ab"),
    ),
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
