//! What no route answers: 404, or 405 with the methods that the path knows.

use std::collections::BTreeMap;

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    dev::ResourceDef,
    http::{
        Method, StatusCode,
        header::{self, HeaderValue},
    },
    web::{self, Data},
};

use crate::{error::Failure, extract::prefers_html};

/// What is not there, or not with this method: 404, or 405 with `Allow`; `OPTIONS` is answered for every path there is.
pub(crate) async fn answer(request: HttpRequest) -> Result<HttpResponse, Failure> {
    let routes = request.app_data::<Data<Table>>();
    let allowed = routes.map(|routes| routes.methods(request.path())).unwrap_or_default();
    if request.path() == "/" {
        return Ok(at_the_root(&request));
    }
    if allowed.is_empty() {
        return Err(nothing_here());
    }
    let allow = allowed.join(", ");
    if request.method() == Method::OPTIONS {
        return Ok(HttpResponse::NoContent().insert_header((header::ALLOW, allow)).finish());
    }
    let message = format!("Method {:.20} is not allowed here. Allowed: {allow}.", request.method().as_str());
    let mut response = Failure::http(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message).error_response();
    if let Ok(allow) = HeaderValue::from_str(&allow) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    Ok(response)
}

fn nothing_here() -> Failure {
    let message = "There is nothing at this path. See /docs for all paths.";
    Failure::http(StatusCode::NOT_FOUND, "no_such_route", message)
}

/// A browser is led to the documentation that everybody else is told about.
fn at_the_root(request: &HttpRequest) -> HttpResponse {
    let mut response = match request.method() {
        &Method::GET if prefers_html(request) => {
            HttpResponse::SeeOther().insert_header((header::LOCATION, "/docs")).finish()
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

/// Which methods a path knows.
pub(crate) struct Table(Vec<(ResourceDef, Vec<&'static str>)>);

impl Table {
    pub(crate) fn of(document: &utoipa::openapi::OpenApi) -> Self {
        let mut table = BTreeMap::new();
        for (path, item) in &document.paths.paths {
            let mut methods = Vec::new();
            if item.get.is_some() {
                methods.extend([Method::GET, Method::HEAD]);
            }
            let others = [
                (&item.post, Method::POST),
                (&item.put, Method::PUT),
                (&item.patch, Method::PATCH),
                (&item.delete, Method::DELETE),
            ];
            methods.extend(others.into_iter().filter(|(operation, _)| operation.is_some()).map(|(_, method)| method));
            methods.push(Method::OPTIONS);
            table.insert(path.clone(), methods.iter().map(name).collect());
        }
        Self(table.into_iter().map(|(path, methods)| (ResourceDef::new(path), methods)).collect())
    }

    pub(crate) fn methods(&self, path: &str) -> Vec<&'static str> {
        self.0
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
