//! The service about itself: health, figures, and its documentation. None of it needs a credential.

use std::sync::LazyLock;

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::{StatusCode, header},
    mime::{self, Mime},
    web::{Data, Path},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    accept, docs,
    error::Failure,
    extract::{IfNoneMatch, prefers},
    guide,
    metrics::{Figures, as_text_0_0_4},
    middleware::routine,
    part::{Group, Part},
    schema::open_list,
    service::Service,
};

/// The state of the service.
#[derive(Serialize, ToSchema)]
#[schema(as = Health)]
pub(crate) struct HealthView {
    /// How the service is.
    #[schema(value_type = HealthStatus)]
    status: &'static str,
}

const OK: HealthView = HealthView { status: "ok" };

open_list! {
    /// How the service is.
    pub(crate) struct HealthStatus: [OK.status]
}

/// What the document says of it, and its routes.
pub(crate) const PART: Part = Part {
    tag: "Service",
    about: Some((Group::Operators, "Health, metrics and this document. No credential needed.")),
    routes,
};

fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(healthz)
        .service(readyz)
        .service(metrics)
        .service(openapi_json)
        .service(openapi_yaml)
        .service(docs_page)
        .service(docs_asset)
        .service(accept_page)
        .service(accept_asset);
}

/// What is not at the main address if there is an address for operators.
pub(crate) const ELSEWHERE: [&str; 1] = ["/metrics"];

/// The routes at the address for operators.
pub(crate) fn for_operators(config: &mut actix_web::web::ServiceConfig) {
    config.service(healthz).service(readyz).service(metrics);
}

/// Check liveness
///
/// Reports whether the process is alive. Does not check the database.
#[utoipa::path(tag = PART.tag, security(()), responses((status = 200, description = "The process is alive.", body = HealthView)))]
#[get("/healthz")]
pub(crate) async fn healthz() -> HttpResponse {
    healthy()
}

fn healthy() -> HttpResponse {
    routine(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(OK))
}

/// Check readiness
///
/// Returns 200 if the database responds and takes writes, and no migration is pending. Returns 503 otherwise, and while the
/// service shuts down; the body says why.
#[utoipa::path(tag = PART.tag, security(()), responses((status = 200, description = "The service is ready for requests.", body = HealthView), (status = 503, description = "The service is not ready.")))]
#[get("/readyz")]
pub(crate) async fn readyz(service: Data<Service>) -> Result<HttpResponse, Failure> {
    service.ready().await.map_err(|unready| {
        tracing::warn!(cause = unready.cause, "the service is not ready");
        Failure::http(StatusCode::SERVICE_UNAVAILABLE, "unavailable", unready.sentence)
    })?;
    Ok(healthy())
}

/// Get metrics
///
/// Metrics for Prometheus: requests by route template and status, latency, the database pool, emails, jobs and the process. In the OpenMetrics text format, or
/// in the older text format 0.0.4 if `Accept` prefers `text/plain`.
#[utoipa::path(
    tag = PART.tag,
    security(()),
    responses((status = 200, description = "The metrics.", content(
        (String = "application/openmetrics-text", example = json!("# TYPE tenantry_http_requests counter\n# EOF\n")),
        (String = "text/plain", example = json!("# TYPE tenantry_http_requests_total counter\n"))
    )))
)]
#[get("/metrics")]
pub(crate) async fn metrics(request: HttpRequest, service: Data<Service>) -> Result<HttpResponse, Failure> {
    let now = chrono::Utc::now();
    let figures = Figures {
        pool: service.store.state(),
        issuers: service.trust.issuers.states(now),
        providers: service.integrations.providers.requests(),
        seen: service.observed.seen(),
        webhooks: service.integrations.webhooks.figures.now(),
        now,
    };
    let text = service
        .metrics
        .print(figures)
        .map_err(|error| tenantry_domain::Error::internal(format!("cannot write the figures: {error}")))?;
    let mut response = HttpResponse::Ok();
    response.insert_header((header::VARY, "Accept"));
    Ok(routine(if prefers(&request, &mime::TEXT_PLAIN, &OPENMETRICS) {
        response.content_type("text/plain; version=0.0.4; charset=utf-8").body(as_text_0_0_4(&text))
    } else {
        response.content_type("application/openmetrics-text; version=1.0.0; charset=utf-8").body(text)
    }))
}

static OPENMETRICS: LazyLock<Mime> =
    LazyLock::new(|| "application/openmetrics-text".parse().unwrap_or(mime::APPLICATION_OCTET_STREAM));

/// Get this document as JSON
///
/// The OpenAPI 3.1 document that the documentation page shows.
#[utoipa::path(
    tag = PART.tag,
    security(()),
    operation_id = "openapi_json",
    params(IfNoneMatch),
    responses((status = 200, description = "The OpenAPI 3.1 document.", body = Object, example = json!({ "openapi": "3.1.0", "info": { "title": "Tenantry API" }, "paths": {} })))
)]
#[get("/openapi.json")]
pub(crate) async fn openapi_json(request: HttpRequest, known: IfNoneMatch, service: Data<Service>) -> HttpResponse {
    service.documents.json(&request, &known)
}

/// Get this document as YAML
///
/// The same OpenAPI 3.1 document, for people and for version control.
#[utoipa::path(
    tag = PART.tag,
    security(()),
    operation_id = "openapi_yaml",
    params(IfNoneMatch),
    responses((status = 200, description = "The OpenAPI 3.1 document.", body = String, content_type = "application/yaml", example = json!("openapi: 3.1.0\ninfo:\n  title: Tenantry API\n")))
)]
#[get("/openapi.yaml")]
pub(crate) async fn openapi_yaml(request: HttpRequest, known: IfNoneMatch, service: Data<Service>) -> HttpResponse {
    service.documents.yaml(&request, &known)
}

/// Show the documentation page
///
/// An HTML page with every operation, where you can try requests.
#[utoipa::path(
    tag = PART.tag,
    security(()),
    params(IfNoneMatch),
    responses((status = 200, description = "The documentation page.", body = String, content_type = "text/html", example = json!("<!doctype html>\n<title>Tenantry API</title>\n")))
)]
#[get("/docs")]
pub(crate) async fn docs_page(request: HttpRequest, known: IfNoneMatch) -> HttpResponse {
    docs::PAGE.answer(&request, &known)
}

/// Get a page of the guide, or a file
///
/// The pages of the guide beside this reference, such as `/docs/quick-start` and `/docs/errors`. Also the scripts, styles and the icon of
/// all these pages, which load nothing from other servers.
#[utoipa::path(
    tag = PART.tag,
    security(()),
    params(("file" = String, Path, description = "The name of the page or of the file.", example = "start.js"), IfNoneMatch),
    responses((status = 200, description = "The page or the file.", body = String, content_type = "text/javascript", example = json!("Scalar.createApiReference(\"#app\", { url: \"/openapi.json\" });\n")), (status = 404, description = "There is no such file."))
)]
#[get("/docs/{file}")]
pub(crate) async fn docs_asset(
    request: HttpRequest,
    file: Path<String>,
    known: IfNoneMatch,
) -> Result<HttpResponse, Failure> {
    match guide::answer(&request, &known, &file) {
        Some(page) => Ok(page),
        None => docs::PAGE.file(&request, &known, &file),
    }
}

/// Show the page that accepts invitations
///
/// An HTML page for invitees. The link in an invitation leads here unless the operator has a page of their own. The token stands behind
/// the `#` of the link, which browsers do not send.
#[utoipa::path(
    tag = PART.tag,
    security(()),
    params(IfNoneMatch),
    responses((status = 200, description = "The page.", body = String, content_type = "text/html", example = json!("<!doctype html>\n<title>Invitation</title>\n")))
)]
#[get("/accept")]
pub(crate) async fn accept_page(request: HttpRequest, known: IfNoneMatch) -> HttpResponse {
    accept::PAGE.answer(&request, &known)
}

/// Get a file of the page that accepts invitations
///
/// Its script, its styles and its icon.
#[utoipa::path(
    tag = PART.tag,
    security(()),
    params(("file" = String, Path, description = "The name of the file.", example = "start.js"), IfNoneMatch),
    responses((status = 200, description = "The file.", body = String, content_type = "text/javascript", example = json!("const token = window.location.hash.slice(1);\n")), (status = 404, description = "There is no such file."))
)]
#[get("/accept/{file}")]
pub(crate) async fn accept_asset(
    request: HttpRequest,
    file: Path<String>,
    known: IfNoneMatch,
) -> Result<HttpResponse, Failure> {
    accept::PAGE.file(&request, &known, &file)
}
