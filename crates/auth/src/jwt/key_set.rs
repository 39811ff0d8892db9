//! The keys that an issuer publishes: what of a JWK Set (RFC 7517, section 5) can be used.

use std::{collections::HashMap, sync::Arc};

use serde_json::Value;

use super::{algorithm::Algorithm, key::Key, shown::for_log};

/// The most keys that are read.
const MAX_KEYS: usize = 100;

/// How much of a `kid` stands in the log.
pub(crate) const SHOWN_KID: usize = 64;

/// The usable keys of an issuer, and why the others are not.
#[derive(Debug)]
pub(crate) struct KeySet {
    keys: Vec<Arc<Key>>,
    skipped: Vec<Skipped>,
}

/// A key that cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Skipped {
    /// Its `kid`, escaped and cut for the log.
    pub(crate) kid: String,
    /// Follows "the key".
    pub(crate) reason: &'static str,
}

/// No key to verify with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoKey {
    /// There is none of that name, yet.
    Unknown,
    /// And a newer set would not change that.
    Refused(&'static str),
}

impl KeySet {
    /// Reads a JWK Set. Whatever cannot be used in it is skipped; `None` when it is no JWK Set at all.
    pub(crate) fn read(document: &[u8], algorithms: &[Algorithm]) -> Option<Self> {
        let document: Value = serde_json::from_slice(document).ok()?;
        let jwks = document.get("keys")?.as_array()?;
        let mut named: HashMap<&str, usize> = HashMap::new();
        for kid in jwks.iter().filter_map(kid) {
            *named.entry(kid).or_default() += 1;
        }
        let mut set = Self { keys: Vec::new(), skipped: Vec::new() };
        for (index, jwk) in jwks.iter().enumerate() {
            let read = match kid(jwk) {
                _ if index >= MAX_KEYS => Err("is left out, because there are too many keys"),
                Some(kid) if named.get(kid).is_some_and(|times| *times > 1) => Err("has the same kid as another key"),
                _ => Key::read(jwk, algorithms),
            };
            match read {
                Ok(key) => set.keys.push(Arc::new(key)),
                Err(reason) => {
                    set.skipped.push(Skipped { kid: for_log(kid(jwk).unwrap_or_default(), SHOWN_KID), reason })
                }
            }
        }
        set.skipped.truncate(MAX_KEYS);
        Some(set)
    }

    /// The key that a token means: the one it names, or else the only one there is for its algorithm.
    pub(crate) fn find(&self, algorithm: Algorithm, kid: Option<&str>) -> Result<Arc<Key>, NoKey> {
        let Some(kid) = kid else {
            let mut fitting = self.keys.iter().filter(|key| key.algorithm == algorithm);
            return match (fitting.next(), fitting.next()) {
                (Some(only), None) => Ok(Arc::clone(only)),
                (None, _) => Err(NoKey::Unknown),
                _ => Err(NoKey::Refused("kid is missing, and the issuer has several keys")),
            };
        };
        let key = self.keys.iter().find(|key| key.kid.as_deref() == Some(kid)).ok_or(NoKey::Unknown)?;
        if key.algorithm != algorithm {
            return Err(NoKey::Refused("the key with this kid is for another algorithm"));
        }
        Ok(Arc::clone(key))
    }

    /// How many keys can be used.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// What cannot be used.
    pub(crate) fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }
}

fn kid(jwk: &Value) -> Option<&str> {
    jwk.get("kid").and_then(Value::as_str)
}
