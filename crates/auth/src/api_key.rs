//! API keys: `tnt_live_v1_` or `tnt_test_v1_`, the tenant's id (22 base62 characters), 32 base62 characters of randomness
//! (190 bits) and a checksum of all that (CRC-32, 6 base62 characters).
//!
//! The prefix lets a secret scanner find a key, the checksum lets it and us tell a key from a typing mistake without asking
//! the database, and the tenant's id keeps the look-up inside one tenant. The prefix is never changed: keys live long.

use std::fmt;

use sha2::{Digest, Sha256};
use tenantry_domain::{Error, Holder, KeyMode, SecretHash, TenantId, Unauthenticated};

use uuid::Uuid;

use crate::base62;

const TENANT: usize = 22;
const RANDOM: usize = 32;
const CHECKSUM: usize = 6;

fn prefix(mode: KeyMode) -> &'static str {
    match mode {
        KeyMode::Live => "tnt_live_v1_",
        KeyMode::Test => "tnt_test_v1_",
    }
}

/// An API key in full. Shown to its maker once and never stored.
pub struct Secret(String);

impl Secret {
    /// The key itself, to hand to the one who asked for it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The last four characters, by which a person recognises the key.
    pub fn last_four(&self) -> &str {
        self.0.get(self.0.len().saturating_sub(4)..).unwrap_or_default()
    }

    /// What the database may know of the key.
    pub fn hash(&self) -> SecretHash {
        hash(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// Makes a new key of a tenant.
///
/// # Errors
///
/// [`Error::Internal`] when the operating system has no randomness to give.
pub fn issue(tenant: TenantId, mode: KeyMode) -> Result<Secret, Error> {
    let random =
        base62::random(RANDOM).map_err(|error| Error::internal(format!("no randomness from the system: {error}")))?;
    let body = format!("{}{}{random}", prefix(mode), base62::encode(tenant.uuid().as_u128(), TENANT));
    let checksum = checksum(&body);
    Ok(Secret(body + &checksum))
}

/// Takes what a caller presents as its API key.
///
/// # Errors
///
/// [`Unauthenticated::Invalid`] for whatever cannot be a key: prefix, length, characters or checksum are wrong.
pub fn present(key: &str) -> Result<Holder, Unauthenticated> {
    let holder = || {
        let parts = [KeyMode::Live, KeyMode::Test].into_iter().find_map(|mode| key.strip_prefix(prefix(mode)))?;
        if !key.is_ascii() || parts.len() != TENANT + RANDOM + CHECKSUM {
            return None;
        }
        let (body, sum) = key.split_at(key.len() - CHECKSUM);
        if checksum(body) != sum {
            return None;
        }
        let tenant = base62::decode(&parts[..TENANT])?;
        Some(Holder::ApiKey { tenant: TenantId::from_uuid(Uuid::from_u128(tenant)), hash: hash(key) })
    };
    holder().ok_or(Unauthenticated::Invalid)
}

fn checksum(body: &str) -> String {
    base62::encode(crc32fast::hash(body.as_bytes()).into(), CHECKSUM)
}

/// Unsalted and fast, which is right for 190 bits of randomness and would be wrong for a password.
fn hash(key: &str) -> SecretHash {
    SecretHash::new(Sha256::digest(key.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn tenant() -> TenantId {
        TenantId::from_uuid(Uuid::from_u128(u128::MAX - 5))
    }

    #[test]
    fn a_key_names_its_tenant_and_only_the_whole_key_is_one() {
        let secret = issue(tenant(), KeyMode::Live).unwrap();
        let key = secret.reveal();
        match present(key) {
            Ok(Holder::ApiKey { tenant: named, hash }) => assert_eq!((named, hash), (tenant(), secret.hash())),
            other => panic!("{other:?}"),
        }
        for at in 0..key.len() {
            let mut bytes = key.as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            assert!(present(std::str::from_utf8(&bytes).unwrap()).is_err(), "character {at} flipped");
        }
        let wrong = [
            &key[1..],
            &key[..key.len() - 1],
            &key.to_lowercase(),
            &format!("{key} "),
            &format!("{key}\n"),
            "",
            "tnt_live_v1_",
            &"x".repeat(1 << 20),
        ];
        for wrong in wrong {
            assert!(present(wrong).is_err());
        }
    }

    #[test]
    fn ten_thousand_keys_are_ten_thousand_keys() {
        let keys: HashSet<String> =
            (0..10_000).map(|_| issue(tenant(), KeyMode::Test).unwrap().reveal().to_owned()).collect();
        assert_eq!(keys.len(), 10_000);
        assert!(keys.iter().all(|key| key.len() == 72 && key.starts_with("tnt_test_v1_") && present(key).is_ok()));
    }

    #[test]
    fn a_secret_does_not_print_itself() {
        let secret = issue(tenant(), KeyMode::Live).unwrap();
        let printed = format!("{secret:?} {:?} {:?}", secret.hash(), present(secret.reveal()));
        assert!(!printed.contains(&secret.reveal()[12..]) && !printed.contains(secret.last_four()));
    }
}
