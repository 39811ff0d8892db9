//! Request bodies: of a known type, within bounds of size and time, valid as a whole or refused as a whole.

use std::{borrow::Cow, future::Future, pin::Pin, time::Duration};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::{StatusCode, header},
    web::{BytesMut, Data},
};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tenantry_domain::Error;
use tenantry_operations::Attempt;

use super::{Request, caller::Recognised, shape};
use crate::{error::Failure, service::Service};

/// The largest body, in bytes: the longest instructions and signatures, escaped, with room to spare.
const MAX_BODY: usize = 512 * 1024;

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);

/// A JSON body that has passed every check that needs no database. An empty body is an empty object where `T` allows it.
pub(crate) struct Valid<T>(pub(crate) T);

impl<T: Request + Send + 'static> FromRequest for Valid<T> {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = Body::from_request(request, payload);
        Box::pin(async move {
            let accept = |body: &[u8]| T::accept(read_json(body)?).map_err(|refusals| Error::Invalid(refusals).into());
            body.await?.read(accept).await.map(Self)
        })
    }
}

/// A request that may also come as a form.
pub(crate) trait OfForm: Request {
    /// Reads the parameters of a form.
    fn of_form(form: Vec<(Cow<'_, str>, Cow<'_, str>)>) -> Result<Self, Failure>;
}

/// [`Valid`], of what may come as JSON or as a form (`application/x-www-form-urlencoded`).
pub(crate) struct ValidOrForm<T>(pub(crate) T);

impl<T: OfForm + Send + 'static> FromRequest for ValidOrForm<T> {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_form = media_type(request).is_some_and(|value| is_of(&value, &[FORM]));
        let body = receive(request, payload.take(), if is_form { &[FORM] } else { JSON });
        Box::pin(async move {
            let body = body.await?;
            if !is_form {
                let accept =
                    |body: &[u8]| T::accept(read_json(body)?).map_err(|refusals| Error::Invalid(refusals).into());
                return body.read(accept).await.map(Self);
            }
            let read = |bytes: &[u8]| {
                // What is no UTF-8 would be replaced, and something else asked for than was sent.
                if percent_encoding::percent_decode(bytes).decode_utf8().is_err() {
                    return Err(unreadable_form("The form must be UTF-8, percent-encoded."));
                }
                let form: Vec<_> = form_urlencoded::parse(bytes).take(MAX_FORM + 1).collect();
                if form.len() > MAX_FORM {
                    return Err(unreadable_form(&format!("The form has more than {MAX_FORM} parameters.")));
                }
                T::of_form(form)
            };
            body.read_bytes(read).await.map(Self)
        })
    }
}

/// The most parameters of a form.
const MAX_FORM: usize = 100;

const FORM: &str = "application/x-www-form-urlencoded";

/// JSON, or a JSON merge patch (RFC 7396).
const JSON: &[&str] = &["application/json", "application/merge-patch+json"];

/// A body that was received whole, for what its request alone does not tell how to read.
pub(crate) struct Body {
    bytes: BytesMut,
    service: Option<Data<Service>>,
}

impl FromRequest for Body {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        Box::pin(receive(request, payload.take(), JSON))
    }
}

/// Receives a body of one of these media types, once the credential holds.
fn receive(
    request: &HttpRequest,
    payload: Payload,
    accepted: &'static [&'static str],
) -> impl Future<Output = Result<Body, Failure>> + use<> {
    let request = request.clone();
    let recognised = Recognised::of(&request);
    async move {
        // The parts of a request are asked for all at once.
        recognised.wait().await;
        let announced = acceptable(&request, accepted)?;
        let bytes = tokio::time::timeout(BODY_TIME, collect(payload, announced)).await.map_err(|_| too_slow())??;
        Attempt::note_body(&bytes);
        Ok(Body { bytes, service: request.app_data::<Data<Service>>().cloned() })
    }
}

impl Body {
    /// Reads it, within the bounds of depth and width, where that keeps nobody else waiting. No bytes at all are an empty object.
    pub(crate) async fn read<T: Send + 'static>(
        self,
        work: impl FnOnce(&[u8]) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        self.read_bytes(move |bytes| {
            // A byte order mark says nothing in UTF-8, and some programs send one (RFC 8259, section 8.1).
            let json = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
            let body = if json.is_empty() { b"{}".as_slice() } else { json };
            shape::check(body)?;
            work(body)
        })
        .await
    }

    /// Reads it where that keeps nobody else waiting.
    async fn read_bytes<T: Send + 'static>(
        self,
        work: impl FnOnce(&[u8]) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let Self { bytes, service } = self;
        let length = bytes.len();
        let work = move || work(&bytes);
        match service {
            Some(service) => service.readers.run(length, work).await,
            None => work(),
        }
    }
}

/// The body took too long.
pub(crate) fn too_slow() -> Failure {
    Failure::http(
        StatusCode::REQUEST_TIMEOUT,
        "body_too_slow",
        format!("The body did not arrive within {} seconds.", BODY_TIME.as_secs()),
    )
}

/// Checks what the headers say of the body; returns the length they announce.
fn acceptable(request: &HttpRequest, accepted: &[&str]) -> Result<usize, Failure> {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let length = text(header::CONTENT_LENGTH).and_then(|value| value.parse().ok()).unwrap_or(0);
    if length > MAX_BODY {
        return Err(too_large());
    }
    if text(header::CONTENT_ENCODING).is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(encoded());
    }
    let mut types = request.headers().get_all(header::CONTENT_TYPE);
    match (types.next().map(|value| value.to_str().unwrap_or_default()), types.next()) {
        (Some(value), None) if is_of(value, accepted) => Ok(length),
        // A POST whose members are all optional may come without a body.
        (None, None) if length == 0 && !request.headers().contains_key(header::TRANSFER_ENCODING) => Ok(0),
        _ => Err(not_json()),
    }
}

/// The one media type that the headers name.
fn media_type(request: &HttpRequest) -> Option<String> {
    request.headers().get(header::CONTENT_TYPE)?.to_str().ok().map(str::to_owned)
}

/// One of these media types, in UTF-8 if a charset is named.
fn is_of(value: &str, accepted: &[&str]) -> bool {
    let mut parts = value.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default();
    accepted.iter().any(|one| media.eq_ignore_ascii_case(one))
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
                // The second name is of the Encoding standard.
                ["utf-8", "utf8"].iter().any(|utf8| value.trim_matches('"').eq_ignore_ascii_case(utf8))
            }
            _ => true,
        })
}

async fn collect(mut payload: Payload, announced: usize) -> Result<BytesMut, Failure> {
    let mut body = BytesMut::with_capacity(announced);
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| {
            tracing::debug!(%error, "could not read a request body");
            unreadable_body()
        })?;
        if body.len() + chunk.len() > MAX_BODY {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Reads JSON as a `T`.
pub(crate) fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| unreadable(&error, body))
}

/// Fields never fail to deserialise, so that what is left is not JSON, not an object, or has a member twice.
fn unreadable(error: &serde_json::Error, body: &[u8]) -> Failure {
    if body.starts_with(b"\xFF\xFE") || body.starts_with(b"\xFE\xFF") {
        let message = "The body begins with the byte order mark of UTF-16. Send it in UTF-8.".to_owned();
        return Error::Unreadable { code: "malformed_json", message }.into();
    }
    if error.classify() != serde_json::error::Category::Data {
        let message = format!("The body is not JSON: {error}.");
        return Error::Unreadable { code: "malformed_json", message }.into();
    }
    match error.to_string().strip_prefix("duplicate field `").and_then(|rest| rest.split_once('`')) {
        Some((name, _)) => duplicate_field(name),
        // It was refused at its first byte. Whether the others are JSON, nobody has looked.
        None => {
            serde_json::from_slice::<Value>(body).map_or_else(|error| unreadable(&error, body), |_| not_an_object())
        }
    }
}

/// The body has a field twice.
pub(crate) fn duplicate_field(name: &str) -> Failure {
    let message = format!("The body has the field \"{name}\" twice.");
    Error::Unreadable { code: "duplicate_field", message }.into()
}

/// The body is JSON, but not an object.
pub(crate) fn not_an_object() -> Failure {
    Error::Unreadable { code: "not_an_object", message: "The body must be a JSON object.".to_owned() }.into()
}

/// The body is no form.
fn unreadable_form(message: &str) -> Failure {
    Error::Unreadable { code: "unreadable_body", message: message.to_owned() }.into()
}

/// The body broke off.
pub(crate) fn unreadable_body() -> Failure {
    let message = "The request body was incomplete or did not match its headers.".to_owned();
    Error::Unreadable { code: "unreadable_body", message }.into()
}

/// The body has too many bytes.
pub(crate) fn too_large() -> Failure {
    Failure::http(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body_too_large",
        format!("The body must be at most {MAX_BODY} bytes."),
    )
}

/// The body is something else than JSON.
pub(crate) fn not_json() -> Failure {
    unsupported("unsupported_media_type", "Send the body as Content-Type: application/json, in UTF-8.")
}

/// The body is compressed.
pub(crate) fn encoded() -> Failure {
    unsupported("unsupported_encoding", "Send the body without a Content-Encoding.")
}

fn unsupported(code: &'static str, message: &str) -> Failure {
    Failure::http(StatusCode::UNSUPPORTED_MEDIA_TYPE, code, message)
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use actix_web::test::TestRequest;

    use super::*;

    #[actix_web::test]
    async fn a_body_waits_for_the_credential() {
        let request = TestRequest::post().insert_header(("Content-Type", "text/plain")).to_http_request();
        let credential = Recognised::announce(&request);
        let mut body = Body::from_request(&request, &mut Payload::None);
        assert!(body.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(credential);
        assert_eq!(body.await.err().map(|failure| failure.code()), Some("unsupported_media_type"));
        let alone = Body::from_request(&request, &mut Payload::None).await;
        assert_eq!(alone.err().map(|failure| failure.code()), Some("unsupported_media_type"));
    }
}
