//! The one mapping from what went wrong to status and body: `application/problem+json` (RFC 9457) with the contract's
//! `error` in it. Causes are logged here, once, and never shown.

use std::fmt;

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use serde::Serialize;
use tenantry_domain::{Error, FieldRefusal, REFUSAL_CODES, Unauthenticated, whole_seconds};
use utoipa::ToSchema;

use crate::{
    guide,
    rate::Exceeded,
    request_id::{self, request_id},
    schema::open_list,
};

/// Seconds after which a caller may try again when the service cannot answer.
const RETRY_AFTER: &str = "2";

/// The type of the problem of who sends too many requests (draft-ietf-httpapi-ratelimit-headers).
const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";

/// The media type of every failure.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// An error, as every operation of the native API returns it (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Problem {
    /// A human-readable error message describing what went wrong.
    #[schema(example = "Workspace not found")]
    error: String,
    /// The type of problem: the address of what the documentation says about `code`, unless a standard names another type. It is
    /// absolute if the service knows its public address, and otherwise relative to the address of the request.
    #[serde(rename = "type")]
    #[schema(example = "/docs/errors#not_found", format = "uri-reference")]
    kind: String,
    /// The name of the HTTP status.
    #[schema(example = "Not Found")]
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 404)]
    status: u16,
    /// The same sentence as `error`, in the field that RFC 9457 defines.
    #[schema(example = "Workspace not found")]
    detail: String,
    /// A stable, machine-readable code.
    #[schema(value_type = ErrorCode)]
    code: &'static str,
    /// Identifies the request in the service's logs. Also in the header `X-Request-Id`.
    #[schema(example = "0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48")]
    request_id: String,
    /// With the code `invalid_fields`: every invalid field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<FieldProblem>,
    /// With the code `too_many_requests`: which policies of the header `RateLimit-Policy` were violated.
    #[serde(rename = "violated-policies", skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["credential"]))]
    violated_policies: Vec<&'static str>,
}

open_list! {
    /// Why a request failed.
    // The words come once the responses of all operations are known.
    pub(crate) struct ErrorCode: Vec::<String>::new()
}

open_list! {
    /// Why a field is invalid.
    pub(crate) struct FieldErrorCode: REFUSAL_CODES.iter().copied()
}

/// An invalid field.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FieldProblem {
    /// The field of the body, or the parameter of the query.
    #[schema(example = "country")]
    field: String,
    /// A stable, machine-readable code.
    #[schema(value_type = FieldErrorCode)]
    code: &'static str,
    /// A message for people that says what is wrong.
    #[schema(example = "must be an ISO 3166-1 alpha-2 country code in upper case: use \"DE\"")]
    message: String,
}

/// Whatever ends a request without an answer: an error of the domain, or of HTTP itself.
#[derive(Debug)]
pub(crate) enum Failure {
    /// See [`Error`].
    Domain(Error),
    /// The caller has sent too many requests.
    Exceeded(Exceeded),
    /// A status of HTTP with its stable code and its sentence.
    Http(StatusCode, &'static str, String),
}

impl Failure {
    pub(crate) fn http(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self::Http(status, code, message.into())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Domain(error)
    }
}

impl From<FieldRefusal> for Failure {
    fn from(refusal: FieldRefusal) -> Self {
        Self::Domain(Error::invalid(refusal))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(error) => error.fmt(f),
            Self::Exceeded(exceeded) => exceeded.fmt(f),
            Self::Http(_, _, message) => f.write_str(message),
        }
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Http(status, ..) => *status,
            Self::Exceeded(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Domain(error) => match error {
                Error::Unreadable { .. } => StatusCode::BAD_REQUEST,
                Error::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
                Error::Forbidden { .. } => StatusCode::FORBIDDEN,
                Error::NotFound(_) => StatusCode::NOT_FOUND,
                Error::Invalid(_) | Error::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
                Error::Conflict { .. } => StatusCode::CONFLICT,
                Error::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
                Error::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
                Error::Unavailable { .. } | Error::Overloaded | Error::TenantFrozen => StatusCode::SERVICE_UNAVAILABLE,
                Error::Upstream { .. } => StatusCode::BAD_GATEWAY,
                Error::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        match self {
            Self::Domain(Error::Internal { cause }) => tracing::error!(cause, "the request failed"),
            Self::Domain(Error::Unavailable { cause }) => {
                tracing::warn!(cause, "the service cannot answer the request")
            }
            _ => {}
        }
        let problem = self.problem();
        let mut response = HttpResponse::build(status);
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(challenge) = self.challenge() {
            response.insert_header((header::WWW_AUTHENTICATE, challenge));
        }
        if let Some(retry_after) = self.retry_after() {
            response.insert_header((header::RETRY_AFTER, retry_after));
        }
        let mut response = response.json(problem);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        response
    }
}

impl Failure {
    /// What the caller is told.
    pub(crate) fn problem(&self) -> Problem {
        let status = self.status_code();
        let violated = match self {
            Self::Exceeded(exceeded) => Some(exceeded.policy.as_str()),
            _ => None,
        };
        Problem {
            error: self.to_string(),
            kind: match violated {
                Some(_) => QUOTA_EXCEEDED.to_owned(),
                None => request_id::public_address(&guide::address_of_error(self.code())),
            },
            title: match violated {
                Some(_) => "Request cannot be satisfied as assigned quota has been exceeded",
                None => status.canonical_reason().unwrap_or("Error"),
            },
            status: status.as_u16(),
            detail: self.to_string(),
            code: self.code(),
            request_id: request_id(),
            fields: self.fields(),
            violated_policies: violated.into_iter().collect(),
        }
    }

    /// A stable, machine-readable code.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Http(_, code, _) => code,
            Self::Exceeded(_) => "too_many_requests",
            Self::Domain(error) => match error {
                Error::Unreadable { code, .. } | Error::TooMany { code, .. } | Error::Upstream { code, .. } => code,
                Error::Conflict { code, .. } => code.as_str(),
                Error::Unauthenticated(Unauthenticated::Missing) => "missing_credentials",
                Error::Unauthenticated(Unauthenticated::Invalid | Unauthenticated::Token) => "invalid_credentials",
                Error::Unauthenticated(Unauthenticated::TokenTooLong) => "token_too_long",
                Error::Unauthenticated(Unauthenticated::NotAPerson) => "not_a_person",
                Error::Unauthenticated(Unauthenticated::NotAService) => "not_a_service_key",
                Error::Unauthenticated(Unauthenticated::Suspended) => "tenant_suspended",
                Error::Forbidden { scope: Some(_), .. } => "insufficient_scope",
                Error::Forbidden { scope: None, .. } => "forbidden",
                Error::NotFound(_) => "not_found",
                Error::Invalid(_) => "invalid_fields",
                Error::KeyReused => "idempotency_key_reused",
                Error::PreconditionFailed => "precondition_failed",
                Error::Unavailable { .. } => "unavailable",
                Error::Overloaded => "overloaded",
                Error::TenantFrozen => "tenant_frozen",
                Error::Internal { .. } => "internal",
            },
        }
    }

    fn fields(&self) -> Vec<FieldProblem> {
        let Self::Domain(Error::Invalid(refusals)) = self else { return Vec::new() };
        let one = |refusal: &FieldRefusal| FieldProblem {
            field: refusal.field.clone(),
            code: refusal.code,
            message: refusal.message.clone(),
        };
        refusals.iter().map(one).collect()
    }

    fn retry_after(&self) -> Option<String> {
        match self {
            Self::Domain(Error::TooMany { retry_after, .. } | Error::Upstream { retry_after, .. }) => {
                retry_after.map(|after| whole_seconds(after).to_string())
            }
            Self::Exceeded(exceeded) => Some(whole_seconds(exceeded.wait).to_string()),
            _ if self.status_code() == StatusCode::SERVICE_UNAVAILABLE => Some(RETRY_AFTER.to_owned()),
            _ => None,
        }
    }

    /// RFC 6750, section 3: no error code for a request without credentials.
    fn challenge(&self) -> Option<String> {
        let realm = "Bearer realm=\"tenantry\"";
        match self {
            Self::Domain(Error::Unauthenticated(Unauthenticated::Missing)) => Some(realm.to_owned()),
            Self::Domain(Error::Unauthenticated(_)) => Some(format!("{realm}, error=\"invalid_token\"")),
            Self::Domain(Error::Unreadable { code: "several_credentials", .. }) => {
                Some(format!("{realm}, error=\"invalid_request\""))
            }
            Self::Domain(Error::Forbidden { scope, .. }) => {
                let scope = scope.as_ref().map(|scope| format!(", scope=\"{scope}\"")).unwrap_or_default();
                Some(format!("{realm}, error=\"insufficient_scope\"{scope}"))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_provider_that_fails_is_a_502_with_the_whole_seconds_to_wait_where_they_are_known() {
        for (retry_after, header) in [(None, None), (Some(29_001), Some("30")), (Some(0), Some("1"))] {
            let retry_after = retry_after.map(Duration::from_millis);
            let error =
                Error::Upstream { code: "provider_unavailable", message: "It is down.".to_owned(), retry_after };
            let failure = Failure::from(error);
            let response = failure.error_response();
            assert_eq!((response.status(), failure.code()), (StatusCode::BAD_GATEWAY, "provider_unavailable"));
            let said = response.headers().get(header::RETRY_AFTER).map(|value| value.to_str().unwrap());
            assert_eq!(said, header);
        }
        let busy = Failure::from(Error::Unavailable { cause: "busy".to_owned() }).error_response();
        assert_eq!(busy.headers().get(header::RETRY_AFTER).unwrap(), RETRY_AFTER);
    }
}
