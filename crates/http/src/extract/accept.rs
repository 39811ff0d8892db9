//! Which form of an answer the caller prefers.

use actix_web::{
    HttpRequest,
    http::header::{Accept, Header, Quality},
    mime::{self, Mime},
};

/// Whether the caller prefers HTML to JSON.
pub(crate) fn prefers_html(request: &HttpRequest) -> bool {
    prefers(request, &mime::TEXT_HTML, &mime::APPLICATION_JSON)
}

/// Whether the caller prefers the one to the other, by the weights in `Accept` (RFC 9110, section 12.5.1). On a tie, and without
/// `Accept`, it is the other. Whoever answers by it sends `Vary: Accept`.
pub(crate) fn prefers(request: &HttpRequest, one: &Mime, other: &Mime) -> bool {
    let accept = Accept::parse(request).unwrap_or(Accept(Vec::new()));
    weight(&accept, one) > weight(&accept, other)
}

/// The weight that the most specific range gives the media type; nothing if no range includes it.
fn weight(accept: &Accept, media: &Mime) -> Quality {
    let specificity = |range: &Mime| match (range.type_(), range.subtype()) {
        (mime::STAR, mime::STAR) => Some(0),
        (kind, mime::STAR) => (kind == media.type_()).then_some(1),
        _ => (range.essence_str() == media.essence_str()).then_some(2),
    };
    let weights = accept.iter().filter_map(|range| Some((specificity(&range.item)?, range.quality)));
    weights.max().map_or(Quality::ZERO, |(_, weight)| weight)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn html_is_preferred_only_by_its_weight() {
        let of = |accept: &[&str]| {
            let request = TestRequest::default();
            let request = accept.iter().fold(request, |request, value| request.append_header(("Accept", *value)));
            prefers_html(&request.to_http_request())
        };
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for html in [
            &[browser][..],
            &["text/html"],
            &["TEXT/HTML"],
            &["text/*"],
            &["application/json;q=0.8, text/html;q=0.9"],
            &["application/json;q=0.8", "text/html"],
            &["application/json;q=0, */*"],
            &["text/html;level=1;q=0.5, application/*;q=0.4"],
            &["nonsense, text/html"],
        ] {
            assert!(of(html), "{html:?}");
        }
        for json in [
            &[][..],
            &[""],
            &["*/*"],
            &["application/json"],
            &["application/json, text/html"],
            &["text/html, application/json"],
            &["text/html;q=0.5, application/json;q=0.5"],
            &["text/html;q=0.5, application/*;q=0.6"],
            &["text/html;q=0"],
            &["text/html;q=0, */*"],
            &["text/html;q=0, text/*;q=1, */*;q=0.1"],
            &["text/html;q=nonsense"],
            &["image/png"],
            &["nonsense"],
        ] {
            assert!(!of(json), "{json:?}");
        }
    }
}
