//! A token before it is signed: every member, and every byte, as a test wants it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::{AUDIENCE, SigningKey, encoded};

/// A token to be. It starts as a good one.
#[derive(Clone)]
pub struct Draft {
    key: Arc<SigningKey>,
    header: Map<String, Value>,
    payload: Map<String, Value>,
}

impl Draft {
    pub(super) fn new(issuer: &str, key: Arc<SigningKey>) -> Self {
        let header = json!({ "alg": key.alg(), "typ": "at+jwt", "kid": key.kid });
        let payload = json!({ "iss": issuer, "aud": AUDIENCE, "sub": "somebody" });
        let members = |value: Value| value.as_object().cloned().unwrap();
        Self { key, header: members(header), payload: members(payload) }.lives(Utc::now(), 300)
    }

    /// Issued at this time, for this many seconds.
    #[must_use]
    pub fn lives(self, from: DateTime<Utc>, seconds: i64) -> Self {
        self.claims(json!({ "iat": from.timestamp(), "exp": from.timestamp() + seconds }))
    }

    /// With these claims, added or replaced.
    #[must_use]
    pub fn claims(mut self, claims: Value) -> Self {
        self.payload.extend(claims.as_object().cloned().unwrap());
        self
    }

    /// With this claim, added or replaced.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.payload.insert(name.to_owned(), value.into());
        self
    }

    /// Without this claim.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.payload.remove(name);
        self
    }

    /// With this parameter in the header, added or replaced.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Without this parameter in the header.
    #[must_use]
    pub fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// Signed by this key, and otherwise as it was.
    #[must_use]
    pub fn signed_by(mut self, key: Arc<SigningKey>) -> Self {
        self.key = key;
        self
    }

    /// The header in JSON.
    pub fn header_json(&self) -> String {
        Value::from(self.header.clone()).to_string()
    }

    /// The payload in JSON.
    pub fn payload_json(&self) -> String {
        Value::from(self.payload.clone()).to_string()
    }

    /// The token.
    pub fn token(&self) -> String {
        self.raw(self.header_json(), self.payload_json())
    }

    /// The token with these bytes as its header and payload, signed as they are.
    pub fn raw(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        self.parts(&encoded(header), &encoded(payload))
    }

    /// The token with these two parts as they are, signed as they are.
    pub fn parts(&self, header: &str, payload: &str) -> String {
        let message = format!("{header}.{payload}");
        format!("{message}.{}", encoded(self.key.sign(message.as_bytes())))
    }

    /// The token with whatever this makes of what is to be signed as its signature.
    pub fn signed(&self, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
        let message = format!("{}.{}", encoded(self.header_json()), encoded(self.payload_json()));
        let signature = sign(message.as_bytes());
        format!("{message}.{}", encoded(signature))
    }
}
