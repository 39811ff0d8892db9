//! What the header of a token says, as far as it is listened to.

use serde_json::{Map, Value};

use super::algorithm::Algorithm;

/// The longest `kid`, in characters.
pub(crate) const MAX_KID: usize = 256;

/// Parameters that change what the other bytes of a token mean (RFC 7515, section 4.1.11; RFC 7797; RFC 7516). None is supported,
/// and to ignore one would be to read another token than was signed.
const REFUSED: [&str; 3] = ["crit", "b64", "zip"];

/// The header of a token. Which key is meant is still a claim of whoever made the token.
#[derive(Debug)]
pub(crate) struct Header<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<&'a str>,
}

impl<'a> Header<'a> {
    pub(crate) fn read(
        header: &'a Map<String, Value>,
        algorithms: &[Algorithm],
        types: &[MediaType],
    ) -> Result<Self, &'static str> {
        if REFUSED.iter().any(|name| header.contains_key(*name)) {
            return Err("the header has crit, b64 or zip, which are not supported");
        }
        let named = header.get("alg").and_then(Value::as_str).ok_or("alg is missing or not a string")?;
        let allowed = algorithms.iter().find(|algorithm| algorithm.name() == named);
        let algorithm = *allowed.ok_or("alg is not one of the algorithms in the issuer's settings")?;
        let found = match header.get("typ") {
            None => MediaType::jwt(),
            Some(Value::String(found)) => MediaType::new(found),
            Some(_) => return Err("typ is not a string"),
        };
        if !types.contains(&found) {
            return Err("typ is not one of the token_types in the issuer's settings");
        }
        let kid = match header.get("kid") {
            None => None,
            Some(kid) => Some(kid.as_str().filter(|kid| is_kid(kid)).ok_or("kid is not a valid key id")?),
        };
        Ok(Self { algorithm, kid })
    }
}

/// A value of `typ`, so that equal ones are equal (RFC 7515, section 4.1.9).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MediaType(String);

impl MediaType {
    pub(crate) fn new(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        Self(text.strip_prefix("application/").map(str::to_owned).unwrap_or(text))
    }

    pub(crate) fn jwt() -> Self {
        Self("jwt".to_owned())
    }
}

/// Whether this can name a key: 1 to [`MAX_KID`] characters, none of them a control character.
pub(crate) fn is_kid(kid: &str) -> bool {
    !kid.is_empty() && kid.chars().count() <= MAX_KID && !kid.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_is_named_by_1_to_256_characters_without_control() {
        let longest = "é".repeat(256);
        for good in ["k", "https://id.test/keys#é 1", &longest] {
            assert!(is_kid(good), "{good}");
        }
        for bad in ["", "a\nb", "\0", "\u{7f}", &"k".repeat(257)] {
            assert!(!is_kid(bad), "{bad:?}");
            let header = json!({ "alg": "ES256", "kid": bad });
            let read = Header::read(header.as_object().unwrap(), &[Algorithm::Es256], &[MediaType::jwt()]);
            assert_eq!(read.err(), Some("kid is not a valid key id"), "{bad:?}");
        }
    }

    #[test]
    fn types_are_the_same_in_any_case_and_with_their_tree_or_without() {
        for same in ["jwt", "JWT", "application/jwt", "Application/JWT"] {
            assert_eq!(MediaType::new(same), MediaType::jwt(), "{same}");
        }
        for other in ["", "jwt ", "at+jwt", "text/jwt", "application/application/jwt"] {
            assert_ne!(MediaType::new(other), MediaType::jwt(), "{other}");
        }
    }
}
