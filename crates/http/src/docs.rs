//! The documentation page: Scalar over the OpenAPI document, all of it from this binary, under a content security policy
//! that lets nothing in from elsewhere.

use std::sync::LazyLock;

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};

use crate::error::Failure;

const PAGE: &str = include_str!("docs/page.html");
const START: &str = include_str!("docs/start.js");
const ICON: &str = include_str!("docs/icon.svg");

/// Scripts and requests only to this service. Scalar sets its styles from its script, which needs `unsafe-inline` for styles.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
                      font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static SCALAR: LazyLock<Option<actix_web::web::Bytes>> =
    LazyLock::new(|| scalar_api_reference::get_asset("scalar.js").map(actix_web::web::Bytes::from));

pub(crate) fn page() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(PAGE)
}

pub(crate) fn asset(file: &str) -> Result<HttpResponse, Failure> {
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "public, max-age=3600"));
    match (file, SCALAR.as_ref()) {
        ("scalar.js", Some(script)) => Ok(response.content_type("text/javascript; charset=utf-8").body(script.clone())),
        ("start.js", _) => Ok(response.content_type("text/javascript; charset=utf-8").body(START)),
        ("icon.svg", _) => Ok(response.content_type("image/svg+xml").body(ICON)),
        _ => Err(no_such_file()),
    }
}

/// The documentation has no file of that name.
pub(crate) fn no_such_file() -> Failure {
    Failure::http(StatusCode::NOT_FOUND, "no_such_route", "The documentation has no such file. See /docs.")
}

/// The document as it is served.
pub(crate) struct Document {
    pub(crate) json: String,
    pub(crate) yaml: String,
}

impl Document {
    pub(crate) fn of(document: &utoipa::openapi::OpenApi) -> Self {
        let yaml = crate::to_yaml(document).unwrap_or_default();
        Self { json: serde_json::to_string(document).unwrap_or_default(), yaml }
    }
}
