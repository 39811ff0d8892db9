//! Failures in the words of the dialect.

use std::{fmt, future::Future, pin::Pin};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse, ResponseError,
    dev::Payload,
    http::{StatusCode, header},
};
use serde::Serialize;
use tenantry_domain::{Conflict, Error};
use utoipa::ToSchema;

use crate::error::Failure;

/// A failure, answered in the words of the dialect.
#[derive(Debug)]
pub(crate) struct DialectError(Failure);

// The sentences of the page.
const NOT_FOUND: &str = "Workspace not found.";
const FORBIDDEN: &str = "Your account doesn't have the permission to access that page.";
const LIMIT: &str = "Workspace creation limit exceeded.";
const LIMIT_ADVICE: &str = "Please delete some before creating new ones.";

/// The body of an error.
#[derive(Serialize, ToSchema)]
#[schema(as = CallFluentError)]
pub(crate) struct DialectErrorBody {
    /// Always false.
    #[schema(example = false)]
    status: bool,
    /// A message for people that says what went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "Workspace not found.")]
    error: Option<String>,
    /// What to do when a limit is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "Please delete some before creating new ones.")]
    message: Option<&'static str>,
    /// A message for people, if permission is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "Your account doesn't have the permission to access that page.")]
    msg: Option<&'static str>,
}

impl DialectErrorBody {
    fn error(text: impl Into<String>) -> Self {
        Self { status: false, error: Some(text.into()), message: None, msg: None }
    }
}

impl From<Failure> for DialectError {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl From<Error> for DialectError {
    fn from(error: Error) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for DialectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl DialectError {
    fn is_limit(&self) -> bool {
        matches!(self.0, Failure::Domain(Error::Conflict { code: Conflict::LimitReached, .. }))
    }

    fn body(&self) -> DialectErrorBody {
        match &self.0 {
            Failure::Domain(Error::Forbidden { .. }) => {
                DialectErrorBody { status: false, error: None, message: None, msg: Some(FORBIDDEN) }
            }
            Failure::Domain(Error::NotFound(_)) => DialectErrorBody::error(NOT_FOUND),
            other => DialectErrorBody::error(other.to_string()),
        }
    }

    /// The same, of the creation of a workspace, for which the page has words of its own.
    pub(super) fn of_creation(self) -> HttpResponse {
        if !self.is_limit() {
            return self.error_response();
        }
        let body = DialectErrorBody { message: Some(LIMIT_ADVICE), ..DialectErrorBody::error(LIMIT) };
        HttpResponse::BadRequest().insert_header((header::CACHE_CONTROL, "no-store")).json(body)
    }
}

impl ResponseError for DialectError {
    fn status_code(&self) -> StatusCode {
        if self.is_limit() { StatusCode::BAD_REQUEST } else { self.0.status_code() }
    }

    /// The headers are those of any failure, and the cause is logged as there.
    fn error_response(&self) -> HttpResponse {
        let native = self.0.error_response();
        let mut response = HttpResponse::build(self.status_code());
        for name in [header::CACHE_CONTROL, header::WWW_AUTHENTICATE, header::RETRY_AFTER] {
            if let Some(value) = native.headers().get(&name) {
                response.insert_header((name, value.clone()));
            }
        }
        response.json(self.body())
    }
}

/// The body of a failure, for the document.
pub(crate) fn example(failure: Failure) -> serde_json::Value {
    serde_json::to_value(DialectError::from(failure).body()).unwrap_or_default()
}

/// What a handler asks of a request, refused in the dialect.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: FromRequest<Error = Failure> + 'static> FromRequest for Asked<T> {
    type Error = DialectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, DialectError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let asked = T::from_request(request, payload);
        Box::pin(async move { Ok(Self(asked.await?)) })
    }
}
