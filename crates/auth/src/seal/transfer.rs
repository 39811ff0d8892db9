//! Transfer keys: under one of them, the secrets of a tenant travel in a file from one service to another.
//!
//! Such a key is made and read as a master key is. What is sealed under it says so with a word of its own in the associated data, with
//! its tenant, its kind and its place: it opens in no database, and nothing from a database opens as a part of a file.

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use tenantry_domain::{Error, MasterKeyId, SealedSecret, TenantId};
use zeroize::Zeroizing;

use super::{MasterKey, MasterKeys, Unopened, joined};

/// Where in a file a sealed value stands, and where alone it can be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransferContext<'a> {
    /// The tenant.
    pub tenant: TenantId,
    /// The kind of line.
    pub kind: &'a str,
    /// Which line of that kind, and what else must not be exchanged.
    pub place: &'a str,
}

impl TransferContext<'_> {
    /// Has a word where the context of a secret has an id, and another word than the others.
    fn associated_data(&self, form: u8, version: u16) -> Vec<u8> {
        let tenant = self.tenant.uuid();
        let version = version.to_be_bytes();
        joined(&[&[form], &version, b"transfer", tenant.as_bytes(), self.kind.as_bytes(), self.place.as_bytes()])
    }
}

/// The key of a transfer. Clones share it.
#[derive(Clone)]
pub struct TransferKey(MasterKeys);

impl fmt::Debug for TransferKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransferKey({}, redacted)", self.id())
    }
}

impl TransferKey {
    /// Takes this key for transfers.
    pub fn new(key: MasterKey) -> Self {
        Self(MasterKeys(Arc::new((key, Vec::new()))))
    }

    /// Which key it is.
    pub fn id(&self) -> &MasterKeyId {
        self.0.sealing()
    }

    /// Seals a value for its place, as base64.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] when the operating system has no randomness to give.
    pub fn seal(&self, context: &TransferContext<'_>, plain: &[u8]) -> Result<String, Error> {
        let sealed = self.0.seal_bytes(|form, version| context.associated_data(form, version), plain)?;
        Ok(STANDARD.encode(sealed.as_bytes()))
    }

    /// Opens a value in its place.
    ///
    /// # Errors
    ///
    /// [`Unopened`], whatever is wrong.
    pub fn open(&self, context: &TransferContext<'_>, sealed: &str) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        let sealed = STANDARD.decode(sealed).map(SealedSecret::from_bytes).map_err(|_| Unopened)?;
        self.0.open_bytes(|form, version| context.associated_data(form, version), &sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> TransferKey {
        TransferKey::new(MasterKey::generate(1).unwrap().parse().unwrap())
    }

    #[test]
    fn a_value_opens_in_its_place_under_its_key_and_nowhere_else() {
        let (key, tenant) = (key(), TenantId::from_uuid(uuid::Uuid::from_u128(1)));
        let own = TransferContext { tenant, kind: "integration", place: "a/openai" };
        let sealed = key.seal(&own, b"canary-0123").unwrap();
        assert_eq!(key.open(&own, &sealed).unwrap().as_slice(), b"canary-0123");
        assert!(!sealed.contains("canary") && !format!("{key:?}").contains(&sealed));
        for other in [
            TransferContext { tenant: TenantId::from_uuid(uuid::Uuid::from_u128(2)), ..own },
            TransferContext { kind: "webhook", ..own },
            TransferContext { place: "b/openai", ..own },
            // The same characters in other fields.
            TransferContext { kind: "integrationa", place: "/openai", ..own },
        ] {
            assert!(key.open(&other, &sealed).is_err(), "{other:?}");
        }
        assert!(self::key().open(&own, &sealed).is_err(), "another key of the same version");
        for broken in ["", "?", &sealed[4..], &sealed.replace('A', "B")[..sealed.len() - 4]] {
            assert!(key.open(&own, broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn the_parts_of_a_values_context_stand_behind_their_lengths() {
        let part = |bytes: &[u8]| [&(bytes.len() as u64).to_be_bytes(), bytes].concat();
        let tenant = TenantId::from_uuid(uuid::Uuid::from_u128(1));
        let parts: [&[u8]; 6] =
            [&[2], &[1, 2], b"transfer", &[[0; 15].as_slice(), &[1]].concat(), b"integration", b"a/openai"];
        // Whoever changes this can read no file that was written before.
        let data = TransferContext { tenant, kind: "integration", place: "a/openai" }.associated_data(2, 0x0102);
        assert_eq!(data, parts.map(part).concat());
    }
}
