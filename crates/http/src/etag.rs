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
    opaque: String,
}

impl ListedTag {
    /// The version that the tag names, if it is one of ours.
    ///
    /// A proxy that compresses an answer makes our tag weak, or adds the encoding to it, because its bytes are others. The version is of
    /// the thing and not of the bytes, so that such a tag still says all that `If-Match` asks: which state the caller has seen.
    pub(crate) fn version(&self) -> Option<i64> {
        let tag = without_encoding(&self.opaque);
        // What an answer shows besides the thing itself is not what a write changes.
        let version = tag.split_once('.').map_or(tag, |(version, _)| version);
        // Tags are compared character by character, and "07" is not "7".
        version.parse::<i64>().ok().filter(|number| number.to_string() == version)
    }

    /// The weak comparison, which `If-None-Match` asks for.
    fn names(&self, etag: &Etag) -> bool {
        let etag = etag.as_str().trim_matches('"');
        etag == self.opaque || etag == without_encoding(&self.opaque)
    }
}

/// The encodings that proxies put into tags.
const ENCODINGS: [&str; 6] = ["gzip", "br", "zstd", "deflate", "compress", "x-gzip"];

/// A tag without the encoding that a proxy has added: `57-gzip` (Apache, Caddy), `57--gzip` (Jetty), `57;gzip`, `57+gzip`, `57:gzip`.
fn without_encoding(opaque: &str) -> &str {
    let added = ENCODINGS.iter().filter_map(|encoding| opaque.strip_suffix(encoding));
    let tags = added.filter_map(|rest| ["--", "-", ";", "+", ":"].iter().find_map(|sign| rest.strip_suffix(sign)));
    tags.min_by_key(|tag| tag.len()).unwrap_or(opaque)
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
            let quoted = rest.strip_prefix("W/").unwrap_or(rest);
            let (opaque, after) = quoted.strip_prefix('"')?.split_once('"')?;
            if !opaque.bytes().all(|b| b == 0x21 || (0x23..=0x7e).contains(&b)) {
                return None;
            }
            tags.push(ListedTag { opaque: opaque.to_owned() });
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

    fn tag(opaque: &str) -> ListedTag {
        ListedTag { opaque: opaque.into() }
    }

    #[test]
    fn a_list_of_tags_is_read_as_rfc_9110_writes_it() {
        assert_eq!(Listed::parse("*"), Some(Listed::Any));
        assert_eq!(Listed::parse("\"3\""), Some(Listed::Tags(vec![tag("3")])));
        assert_eq!(Listed::parse(" \"a,b\" , W/\"3\""), Some(Listed::Tags(vec![tag("a,b"), tag("3")])));
        for list in ["\"a\",,\"b\"", ",\"a\",\t\"b\" ,, ", "\"a\" ,\"b\","] {
            assert_eq!(Listed::parse(list), Some(Listed::Tags(vec![tag("a"), tag("b")])), "{list}");
        }
        for bad in ["", ",", " , ,", "3", "\"3", "\"3\" \"4\"", "W/3", "w/\"3\"", "*, \"3\"", "\"a b\""] {
            assert_eq!(Listed::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_tag_names_a_version_also_when_a_proxy_has_compressed_the_answer() {
        for named in
            ["3", "3.aB_-c", "3-gzip", "3;gzip", "3--gzip", "3-br", "3-x-gzip", "3+zstd", "3.aB_-c-gzip", "3.gzip"]
        {
            assert_eq!(tag(named).version(), Some(3), "{named}");
        }
        for other in [
            "+3", "03", "3 ", "-0", ".3", "", "gzip", "-gzip", "3-", "3-gunzip", "3gzip", "3-1", "3,4", "03-gzip",
            "3--",
        ] {
            assert_eq!(tag(other).version(), None, "{other}");
        }
    }

    #[test]
    fn what_a_proxy_has_added_does_not_hide_that_the_caller_has_it() {
        let etag = Etag::of_body(b"x");
        let opaque = etag.as_str().trim_matches('"');
        for added in ["", "-gzip", ";gzip", "--br"] {
            assert!(tag(&format!("{opaque}{added}")).names(&etag), "{added}");
        }
        assert!(!tag(&format!("{opaque}-a")).names(&etag));
        assert!(!tag("gzip").names(&etag));
    }
}
