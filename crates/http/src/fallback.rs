//! What no route answers: 404, or 405 with the methods that the path knows.

use std::collections::{BTreeMap, HashSet};

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    dev::ResourceDef,
    http::{
        Method, StatusCode,
        header::{self, HeaderValue},
    },
    web::{self, Data},
};

use crate::{error::Failure, extract::prefers_html, openapi, request_id::public_address};

/// What is not there, or not with this method: 404, or 405 with `Allow`; `OPTIONS` is answered for every path there is.
pub(crate) async fn answer(request: HttpRequest) -> Result<HttpResponse, Failure> {
    let routes = request.app_data::<Data<Table>>();
    let allowed = routes.map(|routes| routes.methods(request.path())).unwrap_or_default();
    if request.path() == "/" {
        return Ok(led_to_a_page(&request, "/docs"));
    }
    if let Some(page) = request.path().strip_suffix('/').filter(|page| page.starts_with("/docs")) {
        return Ok(led_to_a_page(&request, page));
    }
    if allowed.is_empty() {
        return Err(nothing_here());
    }
    let allow = allowed.join(", ");
    if request.method() == Method::OPTIONS {
        return Ok(HttpResponse::NoContent().insert_header((header::ALLOW, allow)).finish());
    }
    let mut response = method_not_allowed(request.method(), &allow).error_response();
    if let Ok(allow) = HeaderValue::from_str(&allow) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    Ok(response)
}

/// Why a method is refused on a path that knows others.
pub(crate) fn method_not_allowed(method: &Method, allowed: &str) -> Failure {
    let message = format!("Method {:.20} is not allowed here. Allowed: {allowed}.", method.as_str());
    Failure::http(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
}

/// What is not there, with any method: a path that is answered at another address.
pub(crate) async fn nothing() -> HttpResponse {
    nothing_here().error_response()
}

fn nothing_here() -> Failure {
    let message = format!("There is nothing at this path. See {} for all paths.", public_address("/docs"));
    Failure::http(StatusCode::NOT_FOUND, "no_such_route", message)
}

/// A browser is led to the page of the documentation that is meant. Everybody else is told about it.
fn led_to_a_page(request: &HttpRequest, page: &str) -> HttpResponse {
    let mut response = match request.method() {
        &Method::GET if prefers_html(request) => {
            HttpResponse::SeeOther().insert_header((header::LOCATION, page)).finish()
        }
        _ => nothing_here().error_response(),
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
    response
}

/// A path that stands where others have an id: what it does not know is not asked of the thing with that id.
pub(crate) fn nothing_more_at<'r>(routes: &'r mut web::ServiceConfig, path: &str) -> &'r mut web::ServiceConfig {
    routes.service(web::resource(path).to(answer))
}

/// Which methods a path knows, and which operations take parameters in the query.
pub(crate) struct Table {
    methods: Vec<(ResourceDef, Vec<&'static str>)>,
    queries: HashSet<(String, &'static str)>,
}

impl Table {
    pub(crate) fn of(document: &utoipa::openapi::OpenApi) -> Self {
        let (mut table, mut queries) = (BTreeMap::new(), HashSet::new());
        for (path, item) in &document.paths.paths {
            let operations = [
                (&item.get, Method::GET),
                (&item.post, Method::POST),
                (&item.put, Method::PUT),
                (&item.patch, Method::PATCH),
                (&item.delete, Method::DELETE),
            ];
            let there: Vec<_> = operations
                .into_iter()
                .filter_map(|(operation, method)| operation.as_ref().map(|operation| (operation, method)))
                .collect();
            for (_, method) in there.iter().filter(|(operation, _)| openapi::takes_query(operation, document)) {
                queries.insert((path.clone(), name(method)));
            }
            let head = item.get.is_some().then_some(Method::HEAD);
            let mut methods: Vec<_> = there.into_iter().map(|(_, method)| method).collect();
            methods.splice(methods.len().min(1)..methods.len().min(1), head);
            methods.push(Method::OPTIONS);
            table.insert(path.clone(), methods.iter().map(name).collect());
        }
        let methods = table.into_iter().map(|(path, methods)| (ResourceDef::new(path), methods)).collect();
        Self { methods, queries }
    }

    /// Whether the operation with this path and method has parameters in the query.
    pub(crate) fn takes_query(&self, path: &str, method: &Method) -> bool {
        self.queries.contains(&(path.to_owned(), name(method)))
    }

    pub(crate) fn methods(&self, path: &str) -> Vec<&'static str> {
        self.methods
            .iter()
            .find(|(resource, _)| resource.is_match(path))
            .map(|(_, methods)| methods.clone())
            .unwrap_or_default()
    }
}

fn name(method: &Method) -> &'static str {
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
        .into_iter()
        .find(|name| *name == method.as_str())
        .unwrap_or("GET")
}
