//! Answers that may come from a read database which is behind: how old they are, and how a caller demands one of now.

use actix_web::{
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{self, HeaderMap, HeaderValue},
    },
    middleware::Next,
};
use tenantry_operations::Staleness;

/// A middleware: what is only read may be as old as the operator allows, unless the request says `Cache-Control: no-cache`
/// (RFC 9111, section 5.2.1.4), and the answer says in `Age` how old it is.
pub(crate) async fn allowed(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    if request.method() != Method::GET || demands_freshness(request.headers()) {
        return next.call(request).await;
    }
    let (answer, age) = Staleness::allowed(next.call(request)).await;
    let mut answer = answer?;
    if let Some(age) = age.filter(|_| answer.status().is_success()) {
        answer.headers_mut().insert(header::AGE, HeaderValue::from(age.as_secs()));
    }
    Ok(answer)
}

fn demands_freshness(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::CACHE_CONTROL).filter_map(|value| value.to_str().ok());
    let mut directives = values.flat_map(|value| value.split(',')).map(str::trim);
    directives.any(|directive| {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        name.eq_ignore_ascii_case("no-cache") || (name.eq_ignore_ascii_case("max-age") && value.trim() == "0")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freshness_is_demanded_as_of_a_cache() {
        let demands = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(value));
            demands_freshness(&headers)
        };
        for value in ["no-cache", "No-Cache", "max-stale=5, no-cache", "max-age=0"] {
            assert!(demands(value), "{value}");
        }
        for value in ["", "max-age=5", "no-store", "no-cached"] {
            assert!(!demands(value), "{value}");
        }
        assert!(!demands_freshness(&HeaderMap::new()));
    }
}
