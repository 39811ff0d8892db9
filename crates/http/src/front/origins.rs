//! Which pages of other origins may call the API (CORS, in the Fetch standard).
//!
//! The API knows its callers by a header that a page has to add itself, and by no cookie. So an allowed page can do what its own token
//! may do, and no credentials of the browser are ever allowed along.

use actix_cors::{Cors, CorsError};
use actix_web::{
    HttpRequest, ResponseError,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{self, HeaderName},
    },
    middleware::Next,
};
use url::Url;

use crate::{error::Failure, idempotency, rate, request_id::X_REQUEST_ID};

/// How many seconds a browser may remember what it was allowed.
const MAX_AGE: usize = 3_600;

/// The origins whose pages may call the API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Origins {
    /// Only pages of the service itself.
    #[default]
    Own,
    /// These, written as a browser writes them.
    These(Vec<String>),
    /// All.
    Any,
}

impl Origins {
    /// One origin, exactly as a browser sends it.
    ///
    /// # Errors
    ///
    /// It is none, or a browser writes it in another way.
    pub fn origin(raw: &str) -> Result<String, String> {
        let example = "such as https://app.example.com";
        let Some((scheme, host)) = raw.split_once("://") else {
            return Err(format!("must be origins {example}, or * for all"));
        };
        if !["http", "https"].contains(&scheme) {
            // Those of apps, such as capacitor://localhost, are not known to the standard of URLs.
            let is_scheme = scheme.starts_with(|c: char| c.is_ascii_lowercase())
                && scheme
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte));
            let is_host = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._:[]".contains(&byte);
            return if is_scheme && !host.is_empty() && host.bytes().all(is_host) {
                Ok(raw.to_owned())
            } else {
                Err(format!("must be origins {example}: a scheme, a host and perhaps a port"))
            };
        }
        if host.contains('*') {
            return Err(format!("must be origins {example}, each written out, or * for all"));
        }
        let origin = Url::parse(raw).map_err(|_| format!("must be origins {example}"))?.origin().ascii_serialization();
        if origin == raw {
            Ok(origin)
        } else {
            Err(format!("must be origins as browsers write them: \"{origin:.200}\""))
        }
    }

    /// Whether there is anything to allow.
    pub(crate) fn are_given(&self) -> bool {
        *self != Self::Own
    }

    /// The middleware that allows it. A page may send any header: those that are not asked for do nothing here, and programs that
    /// trace requests add theirs.
    pub(crate) fn cors(&self) -> Cors {
        let cors = Cors::default()
            .allowed_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
            .allow_any_header()
            .expose_headers(SHOWN)
            .max_age(MAX_AGE);
        match self {
            Self::Own => cors,
            Self::These(origins) => origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin)),
            Self::Any => cors.allow_any_origin().send_wildcard(),
        }
    }
}

/// Answers a refused preflight as every other refusal is answered. The middleware of the origins itself answers with plain text.
pub(crate) async fn explained<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let answer = next.call(request).await?;
    let Some(refused) = answer.response().error().and_then(|error| error.as_error::<CorsError>()) else {
        return Ok(answer.map_into_left_body());
    };
    let failure = preflight_refused(sentence(refused, answer.request()));
    Ok(answer.into_response(failure.error_response()).map_into_right_body())
}

/// What a refused preflight is answered.
pub(crate) fn preflight_refused(sentence: String) -> Failure {
    Failure::http(StatusCode::FORBIDDEN, "preflight_refused", sentence)
}

/// Why the preflight is refused, for who looks at it in the tools of a browser.
fn sentence(refused: &CorsError, request: &HttpRequest) -> String {
    let sent = |name: HeaderName| {
        let value = request.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
        format!("\"{:.200}\"", value.unwrap_or_default().escape_debug().to_string())
    };
    match refused {
        CorsError::OriginNotAllowed => format!(
            "Pages of the origin {} may not call this service. Its operator can allow them with TENANTRY_CORS_ORIGINS.",
            sent(header::ORIGIN)
        ),
        CorsError::MethodNotAllowed => {
            let method = sent(header::ACCESS_CONTROL_REQUEST_METHOD);
            format!("Pages of other origins may not send requests with the method {method}.")
        }
        malformed => format!("The preflight cannot be read: {malformed}."),
    }
}

/// What a page may read, besides what every page may.
const SHOWN: [HeaderName; 10] = [
    header::AGE,
    header::ETAG,
    header::LINK,
    header::LOCATION,
    header::RETRY_AFTER,
    header::WWW_AUTHENTICATE,
    idempotency::IDEMPOTENCY_REPLAYED,
    rate::LIMIT,
    rate::POLICY,
    X_REQUEST_ID,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_taken_as_a_browser_writes_it() {
        for good in [
            "https://app.example.com",
            "http://localhost:3000",
            "https://app.example.com:8443",
            "http://[::1]:3000",
            "https://xn--mller-kva.example",
            "capacitor://localhost",
            "chrome-extension://abcdefghijklmnop",
        ] {
            assert_eq!(Origins::origin(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "null",
            "app.example.com",
            "https://app.example.com/",
            "https://App.example.com",
            "https://app.example.com:443",
            "https://app.example.com/path",
            "https://*.example.com",
            "https://user@app.example.com",
            "https://müller.example",
            "https://",
            "://a",
            "capacitor://",
            "capacitor://local host",
            "javascript:alert(1)",
        ] {
            assert!(Origins::origin(bad).is_err(), "{bad}");
        }
    }
}
