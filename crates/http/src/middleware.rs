//! What surrounds every request: its id, its log line, its figures, its time limit, and `HEAD` as `GET` without the body.

use std::{
    future::Future,
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{Response, ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        ConnectionType, Method, StatusCode,
        header::{self, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use futures_util::FutureExt;
use tenantry_auth::CredentialKind;
use tenantry_domain::Error;
use tracing::{Instrument, field::Empty};

use crate::{
    error::Failure,
    rate,
    request_id::{self, Asked, X_REQUEST_ID, request_id},
    service::Service,
    wire::Refusal,
};

/// How long the service works on one request; past that, the caller is told to try again.
const REQUEST_TIME: Duration = Duration::from_secs(30);

/// How long the answer takes to whoever has to come back later. Many ask again at once, and so as often as this allows, instead of as
/// often as the processors can refuse them. That leaves the processors to those who are served.
const LATER: Duration = Duration::from_millis(20);

/// The outermost middleware.
pub(crate) async fn observe(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let id = supplied_id(&request).unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
    let started = Instant::now();
    let service = request.app_data::<Data<Service>>().cloned();
    if let Some(service) = &service {
        service.front.proxies.put_client(request.head_mut());
        if let Some(public) = &service.front.url {
            public.take_off(&mut request);
        }
    }
    let upgrade = request.head().upgrade();
    let method = request.method().clone();
    if method == Method::HEAD {
        // The connection remembers that it was HEAD and leaves the body out.
        request.head_mut().method = Method::GET;
    }
    let span = tracing::info_span!("request", request_id = %id, tenant = Empty);
    let asked = Asked { id, service: service.clone() };
    let path = request.path().to_owned();
    let address = request.peer_addr().map(|client| tracing::field::display(client.ip()));
    let work = async move {
        let answer = within_limits(next.call(request)).await;
        // Asked after the work: what was begun before the service began to close may end after.
        let last = upgrade || service.as_ref().is_some_and(|service| service.closing.is_announced());
        let answer = match answer {
            Ok(answer) => answer,
            Err(failure) => Err(failed(&failure, last)),
        };
        let (status, route) = match &answer {
            Ok(response) => (response.status(), response.request().match_pattern()),
            Err(error) => (error.as_response_error().status_code(), None),
        };
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            tokio::time::sleep(LATER).await;
        }
        let (route, elapsed) = (route.unwrap_or_else(|| "(none)".to_owned()), started.elapsed());
        let (name, status_code) = (method.as_str(), status.as_u16());
        let ms = hundredths(elapsed.as_secs_f64() * 1e3);
        if answer.as_ref().is_ok_and(|answer| answer.response().extensions().contains::<Routine>()) {
            tracing::debug!(method = name, route, path, status = status_code, ms, address, "answered");
        } else {
            tracing::info!(method = name, route, path, status = status_code, ms, address, "answered");
        }
        if let Some(service) = &service {
            service.metrics.answered(&method, route, status, elapsed);
            if status == StatusCode::UNAUTHORIZED {
                service.metrics.refused(answer.as_ref().ok().and_then(|answer| presented_kind(answer.request())));
            }
        }
        answer.map(|mut response| {
            mark(response.response_mut(), last);
            if let Some(public) = service.as_ref().and_then(|service| service.front.url.as_ref()) {
                public.put_on(response.headers_mut());
            }
            rate::announce(&mut response);
            response
        })
    };
    request_id::within(asked, work.instrument(span)).await
}

/// Marks the answer to a probe or a scrape. They come every few seconds and say nothing new, so that they are logged at `debug`.
/// One that fails is not marked.
pub(crate) struct Routine;

/// Marks the answer.
pub(crate) fn routine(mut response: HttpResponse) -> HttpResponse {
    response.extensions_mut().insert(Routine);
    response
}

/// As exact as somebody reads it.
fn hundredths(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

/// What every answer carries. The connection ends after the last one, and the answer says so: once the service closes, and when the
/// request offers an upgrade to another protocol, as Java's client does. Otherwise the next request would be lost.
fn mark<B>(response: &mut HttpResponse<B>, last: bool) {
    if last {
        response.head_mut().set_connection_type(ConnectionType::Close);
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&request_id()) {
        headers.insert(X_REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// The answer to a request that was given up, of which nothing is left to hang the answer on.
fn failed(failure: &Failure, last: bool) -> actix_web::Error {
    let mut response = failure.error_response();
    mark(&mut response, last);
    InternalError::from_response(failure.to_string(), response).into()
}

/// Why what was sent is no request, as it is answered.
fn no_request(refusal: Refusal) -> Failure {
    let (status, code, message) = match refusal {
        Refusal::NotHttp(reason) => {
            (StatusCode::BAD_REQUEST, "malformed_request", format!("This is not a request of HTTP/1.1: {reason}."))
        }
        Refusal::TooLong => (
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "headers_too_large",
            "The request line and the headers are too long, or there are too many headers.".to_owned(),
        ),
        Refusal::TooSlow => {
            (StatusCode::REQUEST_TIMEOUT, "headers_too_slow", "The headers did not arrive in time.".to_owned())
        }
    };
    Failure::http(status, code, message)
}

/// All that may be answered to what is no request, for the document.
pub(crate) fn no_requests() -> [Failure; 3] {
    [Refusal::NotHttp("invalid Header provided".to_owned()), Refusal::TooLong, Refusal::TooSlow].map(no_request)
}

/// The answer to what is no request. Anybody can send such a thing, so that it is no error of the service.
pub(crate) fn refuse(service: &Data<Service>, refusal: Refusal) -> Response<BoxBody> {
    let failure = no_request(refusal);
    let status = failure.status_code();
    service.metrics.no_request(status);
    let id = uuid::Uuid::now_v7().to_string();
    let asked = Asked { id: id.clone(), service: Some(service.clone()) };
    request_id::at_once(asked, || {
        tracing::info!(request_id = %id, status = status.as_u16(), reason = %failure, "refused what is not a request");
        let mut response = failure.error_response();
        mark(&mut response, true);
        response.into()
    })
}

/// A handler that panics or takes too long ends its own request and nothing else.
async fn within_limits<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let guarded = AssertUnwindSafe(work).catch_unwind();
    match tokio::time::timeout(REQUEST_TIME, guarded).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => Err(Error::internal("a handler panicked; the panic is in the log before this").into()),
        Err(_) => {
            Err(Error::Unavailable { cause: format!("the request took longer than {} s", REQUEST_TIME.as_secs()) }
                .into())
        }
    }
}

/// The kind of credential that a request came with, if it had any.
fn presented_kind(request: &HttpRequest) -> Option<CredentialKind> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    Some(CredentialKind::of(value.split_once(' ').map_or(value, |(_, credential)| credential)))
}

/// The caller's own id, if it can stand in a log line and a header as it is.
fn supplied_id(request: &ServiceRequest) -> Option<String> {
    let id = request.headers().get(X_REQUEST_ID)?.to_str().ok()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    ((1..=64).contains(&id.len()) && id.bytes().all(plain)).then(|| id.to_owned())
}
