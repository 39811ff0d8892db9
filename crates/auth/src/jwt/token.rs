//! The form of a token: the compact serialisation of RFC 7515, section 7.1, and nothing like it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::strict_json;

/// The longest token that is read, in bytes. Those with hundreds of roles in them come near it; reading more would be work for strangers.
pub const MAX_TOKEN: usize = 16 * 1024;

/// A token taken apart. Nothing in it is believed yet.
pub(crate) struct Token<'a> {
    pub(crate) header: Map<String, Value>,
    pub(crate) payload: Map<String, Value>,
    /// What was signed.
    pub(crate) message: &'a str,
    /// In base64url.
    pub(crate) signature: &'a str,
}

impl<'a> Token<'a> {
    pub(crate) fn read(token: &'a str) -> Result<Self, &'static str> {
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("the token does not have three parts");
        };
        // The engine refuses padding, other alphabets, white space and trailing bits that are not zero.
        let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| "a part of the token is not base64url");
        if bytes(signature)?.is_empty() {
            return Err("the token is not signed");
        }
        Ok(Self {
            header: strict_json::object(&bytes(header)?)
                .ok_or("the header is not a JSON object, or has a field twice")?,
            payload: strict_json::object(&bytes(payload)?)
                .ok_or("the payload is not a JSON object, or has a field twice")?,
            message: &token[..header.len() + 1 + payload.len()],
            signature,
        })
    }
}
