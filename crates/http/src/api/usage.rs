//! `/api/workspaces/{workspaceId}/usage`.

mod request;
mod view;

use actix_web::{HttpResponse, get, http::header, post, web::Data};
use tenantry_domain::{Action, Conflict, Workspace};
use tenantry_operations::usage::{self, Recorded};
use utoipa_actix_web::service_config::ServiceConfig;

use self::{
    request::{CheckQuery, RecordUsage, UsageQuery},
    view::{AllowanceView, RecordedView, UsageView},
};
use crate::{
    answer,
    error::Failure,
    extract::{Caller, IfNoneMatch, PathId, Query, Valid},
    part::{Group, Part},
    service::Service,
};

/// What the document says of it, and its routes.
pub(crate) const PART: Part = Part {
    tag: "Usage",
    about: Some((Group::Workspaces, "The seconds that a workspace uses: an append-only ledger with monthly totals.")),
    routes,
};

fn routes(config: &mut ServiceConfig<'_>) {
    config.service(record).service(show).service(check);
}

/// Record usage
///
/// Adds an entry to the workspace's ledger, and its seconds to the month in which they were used. If you send the same
/// reference with the same values again, the entry counts once and the answer is the stored entry. Usage beyond the
/// monthly limit is refused. A refund, or usage of more than 3 days ago, corrects the ledger: it also needs an
/// unrestricted API key with the scope `tenant:write`, or a member in the role `owner` or `admin`. Without the scope `usage:read` the answer does not show the month.
///
/// Check before a call starts, and report long calls in several entries.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::UsageRecord)), ("x-conflicts" = json!([Conflict::LimitReached, Conflict::ReferenceConflict, Conflict::RefundExceedsUsage]))),
    request_body = RecordUsage,
    responses(
        (status = 201, description = "The entry was added. The answer has its month, too.", body = RecordedView),
        (status = 200, description = "The existing entry with this reference, and its month.", body = RecordedView),
    )
)]
#[post("/api/workspaces/{workspaceId}/usage")]
pub(crate) async fn record(
    caller: Caller,
    id: PathId<Workspace>,
    body: Valid<RecordUsage>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let recorded = usage::record(&service.store, &caller.credential, id.id(), body.0.into_domain()).await?;
    let Recorded { entry, repeated, .. } = recorded.thing();
    let mut response = if *repeated { HttpResponse::Ok() } else { HttpResponse::Created() };
    if !repeated {
        let month = entry.month;
        let location = format!("/api/workspaces/{}/usage?from={month}&to={month}", id.id());
        response.insert_header((header::LOCATION, location));
    }
    Ok(answer::untagged(response, &RecordedView::of(recorded)))
}

/// Get usage by month
///
/// What the workspace used in each month, including months without usage, and the limit in force now.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::UsageRead))),
    params(UsageQuery, IfNoneMatch),
    responses((status = 200, description = "The months, earliest first.", body = UsageView))
)]
#[get("/api/workspaces/{workspaceId}/usage")]
pub(crate) async fn show(
    caller: Caller,
    id: PathId<Workspace>,
    query: Query<UsageQuery>,
    known: IfNoneMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let UsageQuery { from, to } = query.0;
    let usage = usage::show(&service.store, &caller.credential, id.id(), from, to).await?;
    known.answer_hashed(&UsageView::of(id.id(), usage))
}

/// Check whether usage is allowed
///
/// Whether this many more seconds could be recorded now. Nothing is reserved: another request may use them first.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::UsageRead))),
    params(CheckQuery, IfNoneMatch),
    responses((status = 200, description = "Whether the usage is allowed, and how much is left.", body = AllowanceView))
)]
#[get("/api/workspaces/{workspaceId}/usage/check")]
pub(crate) async fn check(
    caller: Caller,
    id: PathId<Workspace>,
    query: Query<CheckQuery>,
    known: IfNoneMatch,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let allowance = usage::check(&service.store, &caller.credential, id.id(), query.0.seconds.0).await?;
    known.answer_hashed(&AllowanceView::of(id.id(), allowance))
}
