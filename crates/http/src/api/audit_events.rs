//! `/api/audit-events`.

mod request;
mod view;

use actix_web::{HttpRequest, HttpResponse, get, http::header, web::Data};
use tenantry_operations::audit_events;

use self::{
    request::AuditQuery,
    view::{AuditEventList, AuditEventView},
};
use crate::{
    Service,
    error::Failure,
    etag,
    extract::{Caller, ListQuery, Query, accepts},
};

/// The media type of one JSON value on each line.
const NDJSON: &str = "application/x-ndjson";

/// List audit events
///
/// Who did what to what, when and for which request, with what was before and after; the newest first unless asked
/// otherwise. With `Accept: application/x-ndjson` each event is a line of its own, and the header `Link` leads to the next
/// page.
#[utoipa::path(
    tag = "Audit",
    params(AuditQuery),
    responses((status = 200, description = "A page of the audit log.", content(
        (AuditEventList = "application/json"),
        (AuditEventView = "application/x-ndjson"),
    )))
)]
#[get("/api/audit-events")]
pub(crate) async fn list(
    caller: Caller,
    query: Query<AuditQuery>,
    request: HttpRequest,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let tenant = caller.credential.tenant();
    let page = query.0.page(tenant)?;
    let events = audit_events::list(&service.store, &caller.credential, query.0.filter()?, page.clone()).await?;
    let list = query.0.answer(events, &page, tenant, AuditEventView::from);
    if !accepts(&request, NDJSON) {
        return Ok(etag::list(&list));
    }
    let mut response = etag::listing();
    if let Some(next) = list.next_cursor() {
        response.insert_header((header::LINK, format!("<{}>; rel=\"next\"", next_page(&request, next))));
    }
    Ok(response.content_type(NDJSON).body(list.lines()))
}

/// The address of the next page: this one, from where it ended.
fn next_page(request: &HttpRequest, cursor: &str) -> String {
    let kept = request.query_string().split('&').filter(|part| !part.is_empty() && !part.starts_with("cursor="));
    let query: Vec<_> = kept.map(str::to_owned).chain([format!("cursor={cursor}")]).collect();
    format!("{}?{}", request.path(), query.join("&"))
}
