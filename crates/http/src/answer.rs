//! Answers with views: as JSON, marked as this tenant's, with the tag by which they are asked for again.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    body::{BodySize, MessageBody},
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    web::Bytes,
};
use serde::Serialize;
use tenantry_domain::{Error, Written};
use tenantry_operations::{LongAnswer, labels::Put};

use crate::{error::Failure, etag::Etag};

/// Answers with a view of a thing in this version.
pub(crate) fn tagged(mut response: HttpResponseBuilder, version: i64, view: &impl Serialize) -> HttpResponse {
    mark(&mut response, &Etag::of_version(version));
    response.json(view)
}

/// Answers a write with a view of the thing in this version. Who may not read it gets no body, and no tag.
pub(crate) fn written<T, V: Serialize>(
    response: HttpResponseBuilder,
    written: Written<T>,
    view: impl FnOnce(T) -> (i64, V),
) -> HttpResponse {
    match written.readable().map(view) {
        Some((version, view)) => tagged(response, version, &view),
        None => unshown(response),
    }
}

/// [`written`], of a thing and of what belongs to it.
pub(crate) fn written_composed<T, V: Serialize>(
    response: HttpResponseBuilder,
    written: Written<T>,
    view: impl FnOnce(T) -> (i64, V),
) -> Result<HttpResponse, Failure> {
    match written.readable().map(view) {
        Some((version, view)) => composed(response, version, &view),
        None => Ok(unshown(response)),
    }
}

/// The start of an answer to a `PUT` that may have created something, at this path.
pub(crate) fn put<T>(put: &Put<T>, path: impl FnOnce(&T) -> String) -> HttpResponseBuilder {
    if !put.is_new {
        return HttpResponse::Ok();
    }
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, path(&put.thing)));
    response
}

/// Says that it was done, and nothing about the thing but where a new one is.
fn unshown(mut response: HttpResponseBuilder) -> HttpResponse {
    response.status(StatusCode::NO_CONTENT).finish()
}

/// Answers with a page of a list, which has no tag.
pub(crate) fn list(page: &impl Serialize) -> HttpResponse {
    listing().json(page)
}

/// Answers with a view of what has no tag.
pub(crate) fn untagged(mut response: HttpResponseBuilder, view: &impl Serialize) -> HttpResponse {
    response.insert_header(PRIVATE).insert_header(VARY).json(view)
}

/// The answer with the age of what is in it, where that is not of now (RFC 9111, section 5.1).
pub(crate) fn aged(mut response: HttpResponse, age: Option<Duration>) -> HttpResponse {
    if let Some(age) = age {
        response.headers_mut().insert(header::AGE, HeaderValue::from(age.as_secs()));
    }
    response
}

/// The start of an answer with a page of a list, in whatever form.
pub(crate) fn listing() -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.insert_header(PRIVATE).insert_header(VARY);
    response
}

/// Answers with what may be long: it is written away from the threads that answer requests, and sent in pieces.
pub(crate) async fn long<V: Serialize>(
    leave: LongAnswer,
    view: impl FnOnce() -> V + Send + 'static,
) -> Result<HttpResponse, Failure> {
    #[expect(clippy::disallowed_methods, reason = "no more at once than there may be long answers")]
    let written = tokio::task::spawn_blocking(move || serde_json::to_vec(&view())).await;
    let failed = |error: &dyn std::fmt::Display| Error::internal(format!("cannot write an answer: {error}"));
    let body = written.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
    Ok(listing().content_type("application/json").body(Pieces { left: body.into(), _leave: leave }))
}

/// A body of which no more is copied at a time than the connection takes.
struct Pieces {
    left: Bytes,
    _leave: LongAnswer,
}

impl Pieces {
    const SIZE: usize = 32 * 1024;
}

impl MessageBody for Pieces {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.left.len() as u64)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let size = self.left.len().min(Self::SIZE);
        Poll::Ready((size > 0).then(|| Ok(self.left.split_to(size))))
    }
}

/// Marks a response as this tenant's, to be revalidated before it is used again.
pub(crate) fn mark(response: &mut HttpResponseBuilder, etag: &Etag) {
    response.insert_header((header::ETAG, etag.as_str())).insert_header(PRIVATE).insert_header(VARY);
}

/// Nobody else's cache keeps it, and its own asks first.
const PRIVATE: (header::HeaderName, &str) = (header::CACHE_CONTROL, "private, no-cache");
/// A cache never gives one caller's answer to another.
const VARY: (header::HeaderName, &str) = (header::VARY, "Authorization");

/// Answers with a view of a thing in this version and of what belongs to it.
pub(crate) fn composed(
    mut response: HttpResponseBuilder,
    version: i64,
    view: &impl Serialize,
) -> Result<HttpResponse, Failure> {
    let (body, etag) = composed_body(version, view)?;
    mark(&mut response, &etag);
    Ok(response.content_type("application/json").body(body))
}

/// A body together with the tag of it and of the thing's version.
pub(crate) fn composed_body(version: i64, view: &impl Serialize) -> Result<(Vec<u8>, Etag), Failure> {
    let (body, _) = hashed_body(view)?;
    let etag = Etag::of_composed(version, &body);
    Ok((body, etag))
}

/// A body together with the tag of it.
pub(crate) fn hashed_body(view: &impl Serialize) -> Result<(Vec<u8>, Etag), Failure> {
    let body = serde_json::to_vec(view).map_err(|error| Error::internal(format!("cannot write an answer: {error}")))?;
    let etag = Etag::of_body(&body);
    Ok((body, etag))
}
