//! `/api/workspaces/{workspaceId}/members`.

use actix_web::{HttpResponse, delete, get, put, web::Data};
use serde::Deserialize;
use tenantry_domain::{Member as TenantMember, PageLimit, PeopleSort, Refusal, Sort, Workspace};
use tenantry_operations::assignments;
use utoipa::IntoParams;
use validator::Validate;

use super::members::{MemberList, MemberView};
use crate::{
    Service,
    error::Failure,
    etag,
    extract::{Caller, IfMatch, ListQuery, Member, PathId, Query, Unknown, check_optional},
};

/// In which order, and how many at a time.
#[derive(Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct AssignmentQuery {
    /// `createdAt`, `updatedAt` or `email` of the member; with `-` in front, the largest first. `createdAt` unless said.
    #[serde(default)]
    #[validate(custom(function = check_optional::<PeopleSort>))]
    #[param(value_type = Option<String>)]
    sort: Member<String>,
    /// How many at most: 1 to 100, 50 unless said.
    #[serde(default)]
    #[validate(custom(function = check_optional::<PageLimit>))]
    #[param(value_type = Option<u8>, minimum = 1, maximum = 100)]
    limit: Member<String>,
    /// The `nextCursor` of the page before, with the same sort.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    cursor: Member<String>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[param(ignore)]
    unknown: Unknown,
}

/// A list of one workspace, to which its cursors are bound.
struct InWorkspace<'q>(&'q AssignmentQuery, String);

impl ListQuery for InWorkspace<'_> {
    fn paging(&self) -> [&Member<String>; 3] {
        [&self.0.limit, &self.0.sort, &self.0.cursor]
    }

    fn sort(&self, asked: &Member<String>) -> Result<Sort, Refusal> {
        Ok(asked.parse::<PeopleSort>()?.unwrap_or_default().0)
    }

    fn signature(&self) -> String {
        format!("members of {}", self.1)
    }
}

/// List the members of a workspace
///
/// Who is assigned to it. Owners and admins see all workspaces and stand here only where they are assigned too.
#[utoipa::path(
    tag = "Members",
    params(
        ("workspaceId" = Uuid, Path, description = "The unique identifier of the workspace.", example = "c1a2b3c4-5678-4abc-9ef0-1234567890ab"),
        AssignmentQuery,
    ),
    responses((status = 200, description = "A page of members.", body = MemberList))
)]
#[get("/api/workspaces/{workspaceId}/members")]
pub(crate) async fn list_assigned(
    caller: Caller,
    id: PathId<Workspace>,
    query: Query<AssignmentQuery>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let tenant = caller.credential.tenant();
    let query = InWorkspace(&query.0, id.id().to_string());
    let page = query.page(tenant)?;
    let members = assignments::list(&service.store, &caller.credential, id.id(), page.clone()).await?;
    Ok(etag::list(&query.answer(members, &page, tenant, MemberView::from)))
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
    member: PathId<TenantMember>,
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
    member: PathId<TenantMember>,
    seen: IfMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    assignments::unassign(&service.store, &caller.credential, workspace.id(), member.id(), seen.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
