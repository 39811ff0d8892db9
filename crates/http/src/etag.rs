//! Entity tags (RFC 9110, section 8.8.3): strong, and where a thing has a version, its version.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

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
    pub(crate) fn of_composed(version: i64, body: &[u8]) -> Self {
        let Self(hash) = Self::of_body(body);
        Self(format!("\"{version}.{}", hash.trim_start_matches('"')))
    }

    /// The tag of an answer that is put together from several things: a hash of it, in which the tenant's id is one part.
    pub(crate) fn of_body(body: &[u8]) -> Self {
        let hash = Sha256::digest(body);
        Self(format!("\"{}\"", URL_SAFE_NO_PAD.encode(hash.get(..18).unwrap_or_default())))
    }

    /// The tag of the same content in this encoding, in which its bytes are others.
    pub(crate) fn encoded(&self, encoding: &str) -> Self {
        Self(format!("\"{}.{encoding}\"", self.0.trim_matches('"')))
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
        loop {
            // Elements of a list may be empty (RFC 9110, section 5.6.1.2).
            rest = rest.trim_start_matches([',', ' ', '\t']);
            if rest.is_empty() {
                return (!tags.is_empty()).then_some(Self::Tags(tags));
            }
            let (weak, quoted) = rest.strip_prefix("W/").map_or((false, rest), |quoted| (true, quoted));
            let (opaque, after) = quoted.strip_prefix('"')?.split_once('"')?;
            if !opaque.bytes().all(|b| b == 0x21 || (0x23..=0x7e).contains(&b)) {
                return None;
            }
            tags.push(ListedTag { weak, opaque: opaque.to_owned() });
            rest = after.trim_start_matches([' ', '\t']);
            if !rest.is_empty() && !rest.starts_with(',') {
                return None;
            }
        }
    }

    pub(crate) fn names(&self, etag: &Etag) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|tag| tag.names(etag)),
        }
    }
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
        for list in ["\"a\",,\"b\"", ",\"a\",\t\"b\" ,, ", "\"a\" ,\"b\","] {
            assert_eq!(Listed::parse(list), Some(Listed::Tags(vec![strong("a"), strong("b")])), "{list}");
        }
        for bad in ["", ",", " , ,", "3", "\"3", "\"3\" \"4\"", "W/3", "w/\"3\"", "*, \"3\"", "\"a b\""] {
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
