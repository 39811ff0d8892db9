//! Entity tags (RFC 9110, section 8.8.3): strong, and where a thing has a version, its version.

use std::time::Duration;

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::header::{self, HeaderValue},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tenantry_domain::Error;

use crate::error::Failure;

/// A strong entity tag, with its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Etag(String);

impl Etag {
    /// The tag of a thing that counts its visible changes.
    pub(crate) fn of_version(version: i64) -> Self {
        Self(format!("\"{version}\""))
    }

    /// The tag of a thing that counts its visible changes, in an answer that also shows what changes without it: the version, and
    /// a hash of the whole.
    fn of_composed(version: i64, body: &[u8]) -> Self {
        let Self(hash) = Self::of_body(body);
        Self(format!("\"{version}.{}", hash.trim_start_matches('"')))
    }

    /// The tag of an answer that is put together from several things: a hash of it, in which the tenant's id is one part.
    fn of_body(body: &[u8]) -> Self {
        let hash = Sha256::digest(body);
        Self(format!("\"{}\"", URL_SAFE_NO_PAD.encode(hash.get(..18).unwrap_or_default())))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// One of the tags in `If-Match` or `If-None-Match`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListedTag {
    weak: bool,
    opaque: String,
}

impl ListedTag {
    /// The version that the tag names, if it is a strong one of ours.
    pub(crate) fn version(&self) -> Option<i64> {
        // What an answer shows besides the thing itself is not what a write changes.
        let version = self.opaque.split_once('.').map_or(self.opaque.as_str(), |(version, _)| version);
        // Tags are compared character by character, and "07" is not "7".
        version.parse::<i64>().ok().filter(|number| !self.weak && number.to_string() == version)
    }

    /// The weak comparison, which `If-None-Match` asks for.
    fn names(&self, etag: &Etag) -> bool {
        etag.as_str().trim_matches('"') == self.opaque
    }
}

/// What `If-Match` and `If-None-Match` say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Listed {
    Any,
    Tags(Vec<ListedTag>),
}

impl Listed {
    /// Reads a list of tags or `*`; a comma inside a tag is part of the tag.
    pub(crate) fn parse(raw: &str) -> Option<Self> {
        let mut rest = raw.trim();
        if rest == "*" {
            return Some(Self::Any);
        }
        let mut tags = Vec::new();
        while !rest.is_empty() {
            let (weak, quoted) = rest.strip_prefix("W/").map_or((false, rest), |quoted| (true, quoted));
            let (opaque, after) = quoted.strip_prefix('"')?.split_once('"')?;
            if !opaque.bytes().all(|b| b == 0x21 || (0x23..=0x7e).contains(&b)) {
                return None;
            }
            tags.push(ListedTag { weak, opaque: opaque.to_owned() });
            rest = after.trim_start();
            if !rest.is_empty() {
                rest = rest.strip_prefix(',')?.trim_start();
            }
        }
        (!tags.is_empty()).then_some(Self::Tags(tags))
    }

    pub(crate) fn names(&self, etag: &Etag) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|tag| tag.names(etag)),
        }
    }
}

/// Answers with a view of a thing in this version.
pub(crate) fn answer(mut response: HttpResponseBuilder, version: i64, view: &impl Serialize) -> HttpResponse {
    mark(&mut response, &Etag::of_version(version));
    response.json(view)
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

/// Marks a response as this tenant's, to be revalidated before it is used again.
pub(crate) fn mark(response: &mut HttpResponseBuilder, etag: &Etag) {
    response.insert_header((header::ETAG, etag.as_str())).insert_header(PRIVATE).insert_header(VARY);
}

/// Nobody else's cache keeps it, and its own asks first.
const PRIVATE: (header::HeaderName, &str) = (header::CACHE_CONTROL, "private, no-cache");
/// A cache never gives one caller's answer to another.
const VARY: (header::HeaderName, &str) = (header::VARY, "Authorization");

/// Answers with a view of a thing in this version and of what belongs to it.
pub(crate) fn answer_composed(
    mut response: HttpResponseBuilder,
    version: i64,
    view: &impl Serialize,
) -> Result<HttpResponse, Failure> {
    let (body, etag) = composed(version, view)?;
    mark(&mut response, &etag);
    Ok(response.content_type("application/json").body(body))
}

/// A body together with the tag of it and of the thing's version.
pub(crate) fn composed(version: i64, view: &impl Serialize) -> Result<(Vec<u8>, Etag), Failure> {
    let (body, _) = hashed(view)?;
    let etag = Etag::of_composed(version, &body);
    Ok((body, etag))
}

/// A body together with the tag of it.
pub(crate) fn hashed(view: &impl Serialize) -> Result<(Vec<u8>, Etag), Failure> {
    let body = serde_json::to_vec(view).map_err(|error| Error::internal(format!("cannot write an answer: {error}")))?;
    let etag = Etag::of_body(&body);
    Ok((body, etag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_tags_is_read_as_rfc_9110_writes_it() {
        let strong = |opaque: &str| ListedTag { weak: false, opaque: opaque.into() };
        assert_eq!(Listed::parse("*"), Some(Listed::Any));
        assert_eq!(Listed::parse("\"3\""), Some(Listed::Tags(vec![strong("3")])));
        assert_eq!(
            Listed::parse(" \"a,b\" , W/\"3\""),
            Some(Listed::Tags(vec![strong("a,b"), ListedTag { weak: true, opaque: "3".into() }]))
        );
        for bad in ["", "3", "\"3", "\"3\" \"4\"", "W/3", "w/\"3\"", "*, \"3\"", "\"a b\""] {
            assert_eq!(Listed::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_weak_tag_never_names_a_version() {
        assert_eq!(ListedTag { weak: true, opaque: "3".into() }.version(), None);
        for other in ["+3", "03", "3 ", "-0"] {
            assert_eq!(ListedTag { weak: false, opaque: other.into() }.version(), None, "{other}");
        }
        assert_eq!(ListedTag { weak: false, opaque: "3".into() }.version(), Some(3));
        assert_eq!(ListedTag { weak: false, opaque: "3.aB_-c".into() }.version(), Some(3));
        assert_eq!(ListedTag { weak: false, opaque: ".3".into() }.version(), None);
    }
}
