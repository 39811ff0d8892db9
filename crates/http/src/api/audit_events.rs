//! `/api/audit-events`.

mod request;
mod view;

use actix_web::{HttpRequest, HttpResponse, get, http::header, web::Data};
use tenantry_domain::Action;
use tenantry_operations::audit_events;
use utoipa_actix_web::service_config::ServiceConfig;

use self::{
    request::AuditFilters,
    view::{AuditEventList, AuditEventView},
};
use crate::{
    answer,
    error::Failure,
    extract::{Caller, Listing, accepts},
    part::Part,
    service::Service,
};

/// The media type of one JSON value on each line.
const NDJSON: &str = "application/x-ndjson";

/// What the document says of it, and its routes.
pub(crate) const PART: Part = Part {
    tag: "Audit",
    about: Some("Who did what, when, and to what. Stored together with each change and never modified."),
    routes,
};

fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list);
}

/// List audit events
///
/// Who changed what, when and in which request, with the values before and after. Newest first by default. With
/// `Accept: application/x-ndjson`, each event is on its own line and the header `Link` points to the next page.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::AuditEventList))),
    params(Listing<AuditFilters>),
    responses((status = 200, description = "A page of the audit log.", content(
        (AuditEventList = "application/json"),
        (AuditEventView = "application/x-ndjson"),
    )))
)]
#[get("/api/audit-events")]
pub(crate) async fn list(
    caller: Caller,
    query: Listing<AuditFilters>,
    request: HttpRequest,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let (filters, paging) = query.page(caller.credential.tenant())?;
    let (filter, page) = (filters.into_domain(), paging.request.clone());
    let events = audit_events::list(&service.store, &caller.credential, filter, page).await?;
    let list = paging.answer(events, AuditEventView::from);
    if !accepts(&request, NDJSON) {
        return Ok(answer::list(&list));
    }
    let mut response = answer::listing();
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
