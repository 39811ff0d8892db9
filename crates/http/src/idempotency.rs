//! `Idempotency-Key` on `POST` (draft-ietf-httpapi-idempotency-key-header-07): a request that is sent again has one effect, and the
//! answer of the first time.
//!
//! It surrounds every route, so that no handler needs to know of it. The answer is stored, encrypted, in the transaction of the work
//! ([`Attempt`]). Other methods are idempotent by themselves, and their header is ignored.

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    body::{BoxBody, MessageBody, to_bytes},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use serde::{Deserialize, Serialize};
use tenantry_auth::seal::{AnswerContext, MasterKeys};
use tenantry_domain::{Conflict, Error, IdempotencyKey, SealedSecret};
use tenantry_operations::{Attempt, Claim, Kept, Outcome, Uncommitted};
use utoipa::openapi::{
    ObjectBuilder, Required,
    path::{Operation, Parameter, ParameterBuilder, ParameterIn},
    schema::Type,
};

use crate::{error::Failure, schema, service::Service};

pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Marks an answer as that of an earlier attempt.
pub(crate) const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The name of the header in the document.
pub(crate) const NAME: &str = "Idempotency-Key";

/// A middleware: runs a request with a key as one attempt of possibly several.
pub(crate) async fn once(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let attempt = attempt(request.request());
    let keys = request.app_data::<Data<Service>>().map(|service| service.integrations.keys.clone());
    let (Some(attempt), Some(keys)) = (attempt, keys) else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let (answer, outcome) = attempt.run(next.call(request)).await;
    let (request, response) = answer?.into_parts();
    let response = match outcome {
        Outcome::Done(work) if response.status().is_success() => store(&keys, work, response).await,
        // Work whose answer is a failure is dropped, and with it taken back.
        Outcome::Done(_) | Outcome::Nothing => Ok(response.map_into_boxed_body()),
        Outcome::Answered(kept) => replay(&keys, &kept),
    };
    let response = response.unwrap_or_else(|failure| failure.error_response());
    Ok(ServiceResponse::new(request, response))
}

/// The attempt that a request is; `None` without a good key. The extractor of the caller refuses a bad one.
fn attempt(request: &HttpRequest) -> Option<Attempt> {
    let key = key(request).ok()??;
    let route = request.match_pattern()?;
    let target = request.uri().path_and_query().map_or(request.path(), |target| target.as_str());
    Some(Attempt::new(&route, &key, target))
}

/// The key of this request.
pub(crate) fn key(request: &HttpRequest) -> Result<Option<IdempotencyKey>, Failure> {
    if request.method() != Method::POST {
        return Ok(None);
    }
    let mut headers = request.headers().get_all(IDEMPOTENCY_KEY);
    match (headers.next(), headers.next()) {
        (None, _) => Ok(None),
        (Some(one), None) => one.to_str().ok().and_then(read).map(Some).ok_or_else(bad_key),
        _ => Err(bad_key()),
    }
}

/// A String of RFC 8941. A key that needs no quotes may come without them, as most clients send it, and is the same key.
fn read(raw: &str) -> Option<IdempotencyKey> {
    let raw = raw.trim_matches([' ', '\t']);
    let Some(quoted) = raw.strip_prefix('"') else {
        let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b',' | b';');
        return raw.bytes().all(plain).then(|| raw.parse().ok())?;
    };
    let (mut key, mut rest) = (String::new(), quoted.strip_suffix('"')?.chars());
    while let Some(c) = rest.next() {
        key.push(match c {
            '"' => return None,
            '\\' => rest.next().filter(|escaped| matches!(escaped, '"' | '\\'))?,
            c => c,
        });
    }
    key.parse().ok()
}

/// The header is no key.
pub(crate) fn bad_key() -> Failure {
    let message = format!(
        "The header {NAME} must be one string of 1 to {} printable ASCII characters, such as \"8e03978e-40d5-43dd-bc93-6894a57f9324\".",
        IdempotencyKey::MAX
    );
    Error::Unreadable { code: "bad_idempotency_key", message }.into()
}

/// An answer as it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// Stores the answer and commits the work that it is about.
async fn store<B: MessageBody>(
    keys: &MasterKeys,
    work: Uncommitted,
    response: HttpResponse<B>,
) -> Result<HttpResponse, Failure> {
    let (head, body) = response.into_parts();
    let body = to_bytes(body).await.map_err(|_| unwritable())?;
    let stored = Stored {
        status: head.status().as_u16(),
        headers: texts(head.headers())?,
        body: String::from_utf8(body.to_vec()).map_err(|_| unwritable())?,
    };
    let stored = serde_json::to_vec(&stored).map_err(|_| unwritable())?;
    let sealed = keys.seal_answer(&context(work.claim()), &stored)?;
    work.commit(sealed.as_bytes().to_vec()).await?;
    Ok(head.set_body(body).map_into_boxed_body())
}

fn unwritable() -> Error {
    Error::internal("an answer cannot be stored: it is not text")
}

fn texts(headers: &HeaderMap) -> Result<Vec<(String, String)>, Error> {
    let text = |value: &HeaderValue| value.to_str().map(str::to_owned).map_err(|_| unwritable());
    headers.iter().map(|(name, value)| Ok((name.as_str().to_owned(), text(value)?))).collect()
}

/// The answer of an earlier attempt.
fn replay(keys: &MasterKeys, kept: &Kept) -> Result<HttpResponse, Failure> {
    let sealed = SealedSecret::from_bytes(kept.sealed.clone());
    let opened = keys.open_answer(&context(&kept.claim), &sealed).ok();
    let stored: Option<Stored> = opened.and_then(|answer| serde_json::from_slice(&answer).ok());
    let Some(stored) = stored else {
        let tenant = kept.claim.tenant;
        tracing::error!(%tenant, "cannot decrypt a stored answer: it is damaged, or is encrypted under another master key");
        return Err(unreadable().into());
    };
    let status = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    for (name, value) in stored.headers {
        response.append_header((name, value));
    }
    Ok(response.insert_header((IDEMPOTENCY_REPLAYED, "true")).body(stored.body))
}

fn unreadable() -> Error {
    Error::conflict(
        Conflict::AnswerUnreadable,
        "This request was already carried out, but its answer can no longer be decrypted. Read the object to see the result.",
    )
}

fn context(claim: &Claim) -> AnswerContext<'_> {
    AnswerContext {
        tenant: claim.tenant,
        actor: (claim.actor_kind, &claim.actor_id),
        key_hash: &claim.key_hash,
        request_hash: &claim.request_hash,
    }
}

/// What an operation can additionally run into that takes a key.
pub(crate) const CONFLICTS: [Conflict; 2] = [Conflict::RequestInProgress, Conflict::AnswerUnreadable];

/// A string in quotes, or as it is where it needs none.
const PATTERN: &str = r#"^("([ !#-\[\]-~]|\\["\\]){1,255}"|[!#-+\--:<-\[\]-~]{1,255})$"#;

/// Says in the document that an operation takes a key.
pub(crate) fn describe(operation: &mut Operation) {
    let text = "A string that you make up for this request, such as a UUID. Send the request again with the same key within 24 hours, and it has one effect: you get the first answer again, with the header `Idempotency-Replayed`.";
    let string = ObjectBuilder::new().schema_type(Type::String).pattern(Some(PATTERN));
    let parameter = ParameterBuilder::new().name(NAME).parameter_in(ParameterIn::Header).required(Required::False);
    let parameter: Parameter = parameter.description(Some(text)).schema(Some(string)).build();
    let shared = schema::shared(parameter, "IdempotencyKey");
    operation.parameters.get_or_insert_default().push(shared.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_string_of_rfc_8941_or_the_same_without_quotes() {
        let read = |raw: &str| read(raw).map(|key| key.as_str().to_owned());
        assert_eq!(read("\"8e03978e-40d5\"").as_deref(), Some("8e03978e-40d5"));
        assert_eq!(read(" 8e03978e-40d5 ").as_deref(), Some("8e03978e-40d5"));
        assert_eq!(read(r#""a \"b\" \\ c""#).as_deref(), Some(r#"a "b" \ c"#));
        assert_eq!(read("order:4711/retry=1").as_deref(), Some("order:4711/retry=1"));
        assert_eq!(read(&"k".repeat(255)).map(|key| key.len()), Some(255));
        for bad in [
            "",
            "\"\"",
            "\"",
            "\"a",
            "a\"",
            "a b",
            "\"a\"b\"",
            r#""a\b""#,
            r#""a\"#,
            "\"a\";p=1",
            "a,b",
            "a;b",
            "ä",
            "\"\t\"",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(read(&"k".repeat(256)), None);
        assert_eq!(read(&format!("\"{}\"", "k".repeat(256))), None);
    }
}
