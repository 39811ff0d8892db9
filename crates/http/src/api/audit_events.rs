//! `/api/audit-events`.

mod request;
mod view;

use actix_web::{HttpRequest, HttpResponse, get, http::header, web::Data};
use tenantry_domain::Action;
use tenantry_operations::audit_events;
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) use self::view::AuditAction;
use self::{
    request::AuditFilters,
    view::{AuditEventList, AuditEventView},
};
use crate::{
    answer,
    error::Failure,
    extract::{Caller, Listing},
    part::{Group, Part},
    service::Service,
};

/// What the document says of it, and its routes.
pub(crate) const PART: Part = Part {
    tag: "Audit",
    about: Some((
        Group::Tenant,
        "Who did what, when, and to what. Stored together with each change and never modified.",
    )),
    routes,
};

fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(export);
}

/// List audit events
///
/// Who changed what, when and in which request, with the values before and after. Newest first by default.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::AuditEventList))),
    params(Listing<AuditFilters>),
    responses((status = 200, description = "A page of the audit log.", body = AuditEventList))
)]
#[get("/api/audit-events")]
pub(crate) async fn list(
    caller: Caller,
    query: Listing<AuditFilters>,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    Ok(answer::list(&page(&caller, query, &service).await?))
}

/// Export audit events
///
/// The same events as lines of JSON (NDJSON): each line is one event. The header `Link` points to the next page, and is absent on
/// the last page.
#[utoipa::path(
    tag = PART.tag,
    extensions(("x-action" = json!(Action::AuditEventList))),
    params(Listing<AuditFilters>),
    responses((
        status = 200,
        description = "A page of the audit log, one event on each line.",
        body = String,
        content_type = "application/x-ndjson"
    ))
)]
#[get("/api/audit-events/export")]
pub(crate) async fn export(
    caller: Caller,
    query: Listing<AuditFilters>,
    request: HttpRequest,
    service: Data<Service>,
) -> Result<HttpResponse, Failure> {
    let page = page(&caller, query, &service).await?;
    let mut response = answer::listing();
    if let Some(next) = page.next_cursor() {
        response.insert_header((header::LINK, format!("<{}>; rel=\"next\"", next_page(&request, next))));
    }
    Ok(response.content_type("application/x-ndjson").body(page.lines()))
}

async fn page(caller: &Caller, query: Listing<AuditFilters>, service: &Service) -> Result<AuditEventList, Failure> {
    let (filters, paging) = query.page(caller.credential.tenant())?;
    let (filter, page) = (filters.into_domain(), paging.request.clone());
    let events = audit_events::list(&service.store, &caller.credential, filter, page).await?;
    Ok(paging.answer(events, AuditEventView::from))
}

/// The address of the next page: this one, from where it ended.
fn next_page(request: &HttpRequest, cursor: &str) -> String {
    let kept = request.query_string().split('&').filter(|part| !part.is_empty() && !part.starts_with("cursor="));
    let query: Vec<_> = kept.map(str::to_owned).chain([format!("cursor={cursor}")]).collect();
    format!("{}?{}", request.path(), query.join("&"))
}
