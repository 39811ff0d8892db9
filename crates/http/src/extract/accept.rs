//! What form of an answer the caller asks for.

use actix_web::{HttpRequest, http::header};

/// Whether `Accept` names this media type (RFC 9110, section 12.5.1), in any case and not with a weight of nothing. Who names
/// none gets JSON.
pub(crate) fn accepts(request: &HttpRequest, media: &str) -> bool {
    let named = |value: &str| {
        let mut parts = value.split(';').map(str::trim);
        parts.next().is_some_and(|name| name.eq_ignore_ascii_case(media)) && !parts.any(is_nothing)
    };
    let values = request.headers().get_all(header::ACCEPT).filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(named)
}

fn is_nothing(parameter: &str) -> bool {
    let weight = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="));
    weight.and_then(|weight| weight.trim().parse::<f32>().ok()).is_some_and(|weight| weight <= 0.0)
}
