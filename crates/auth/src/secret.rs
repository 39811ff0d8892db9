//! The form that all our secrets share: a prefix, the tenant's id where the secret belongs to one (22 base62 characters), 32
//! base62 characters of randomness (190 bits) and a checksum of all that (CRC-32, 6 base62 characters).
//!
//! The prefix lets a secret scanner find a secret, the checksum lets it and us tell a secret from a typing mistake without
//! asking the database, and the tenant's id keeps the look-up inside one tenant. Prefixes are never changed: secrets live long.

use std::fmt;

use sha2::{Digest, Sha256};
use tenantry_domain::{Error, SecretHash, TenantId};
use uuid::Uuid;

use crate::base62;

const TENANT: usize = 22;
const RANDOM: usize = 32;
const CHECKSUM: usize = 6;

/// A secret in full: an API key, a platform key or an invitation's token. Shown to its maker once and never stored.
pub struct Secret(String);

impl Secret {
    /// The secret itself, to hand to the one who asked for it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The last four characters, by which a person recognises it.
    pub fn last_four(&self) -> &str {
        self.0.get(self.0.len().saturating_sub(4)..).unwrap_or_default()
    }

    /// What the database or the settings may know of it.
    pub fn hash(&self) -> SecretHash {
        hash(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// Makes a secret with this prefix, of a tenant or of the platform.
///
/// # Errors
///
/// [`Error::Internal`] when the operating system has no randomness to give.
pub(crate) fn issue(prefix: &str, tenant: Option<TenantId>) -> Result<Secret, Error> {
    let random =
        base62::random(RANDOM).map_err(|error| Error::internal(format!("no randomness from the system: {error}")))?;
    let tenant = tenant.map(|tenant| base62::encode(tenant.uuid().as_u128(), TENANT)).unwrap_or_default();
    let body = format!("{prefix}{tenant}{random}");
    let checksum = checksum(&body);
    Ok(Secret(body + &checksum))
}

/// Why a text cannot be a secret of ours. It says nothing of the text, and is meant for the log.
pub(crate) const WRONG_PREFIX: &str = "it has another prefix";
const WRONG_LENGTH: &str = "it has the wrong length";
const WRONG_CHARACTERS: &str = "it has characters that no secret has";
const WRONG_CHECKSUM: &str = "its checksum is wrong";

/// The tenant and the hash of what is presented as a tenant's secret with this prefix, or why it cannot be one.
pub(crate) fn present_of_tenant(prefix: &str, text: &str) -> Result<(TenantId, SecretHash), &'static str> {
    let parts = checked(prefix, TENANT + RANDOM, text)?;
    let tenant = parts.get(..TENANT).and_then(base62::decode).ok_or(WRONG_CHARACTERS)?;
    Ok((TenantId::from_uuid(Uuid::from_u128(tenant)), hash(text)))
}

/// The hash of what is presented as a secret of the platform with this prefix, or why it cannot be one.
pub(crate) fn present_of_platform(prefix: &str, text: &str) -> Result<SecretHash, &'static str> {
    checked(prefix, RANDOM, text).map(|_| hash(text))
}

/// What stands between the prefix and a checksum that is right; it is ASCII and has this length.
fn checked<'a>(prefix: &str, length: usize, text: &'a str) -> Result<&'a str, &'static str> {
    let parts = text.strip_prefix(prefix).ok_or(WRONG_PREFIX)?;
    if !text.is_ascii() {
        return Err(WRONG_CHARACTERS);
    }
    if parts.len() != length + CHECKSUM {
        return Err(WRONG_LENGTH);
    }
    let (body, sum) = text.split_at(text.len() - CHECKSUM);
    if checksum(body) == sum { Ok(&parts[..length]) } else { Err(WRONG_CHECKSUM) }
}

fn checksum(body: &str) -> String {
    base62::encode(crc32fast::hash(body.as_bytes()).into(), CHECKSUM)
}

/// Unsalted and fast, which is right for 190 bits of randomness and would be wrong for a password.
fn hash(text: &str) -> SecretHash {
    SecretHash::new(Sha256::digest(text.as_bytes()).into())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// What looks like this secret and is not: every character changed once, cut, padded, cased, oversized.
    pub(crate) fn near_misses(secret: &str) -> Vec<String> {
        let flipped = (0..secret.len()).map(|at| {
            let mut bytes = secret.as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            String::from_utf8(bytes).unwrap()
        });
        let others = [
            secret[1..].to_owned(),
            secret[..secret.len() - 1].to_owned(),
            secret.to_lowercase(),
            format!("{secret} "),
            format!(" {secret}"),
            format!("{secret}\n"),
            format!("{}é", &secret[..secret.len() - 2]),
            // As long, with a character across the place where the checksum begins.
            format!("{}é{}", &secret[..secret.len() - CHECKSUM - 1], &secret[secret.len() - CHECKSUM + 1..]),
            String::new(),
            secret[..12].to_owned(),
            "x".repeat(1 << 20),
        ];
        flipped.chain(others).collect()
    }

    #[test]
    fn a_secret_does_not_print_itself() {
        let secret = issue("tnt_any_v1_", None).unwrap();
        let printed = format!("{secret:?} {:?}", secret.hash());
        assert!(!printed.contains(&secret.reveal()[11..]) && !printed.contains(secret.last_four()));
    }

    #[test]
    fn a_secret_is_recognised_by_its_last_four_characters() {
        let secret = issue("tnt_any_v1_", None).unwrap();
        assert_eq!((secret.last_four().len(), secret.reveal().ends_with(secret.last_four())), (4, true));
    }

    #[test]
    fn the_secret_of_a_tenant_is_not_one_of_the_platform() {
        let tenant = TenantId::from_uuid(Uuid::from_u128(7));
        let (tenants, platforms) = (issue("tnt_any_v1_", Some(tenant)).unwrap(), issue("tnt_any_v1_", None).unwrap());
        assert!(present_of_tenant("tnt_any_v1_", tenants.reveal()).is_ok());
        assert!(present_of_platform("tnt_any_v1_", platforms.reveal()).is_ok());
        assert!(present_of_tenant("tnt_any_v1_", platforms.reveal()).is_err());
        assert!(present_of_platform("tnt_any_v1_", tenants.reveal()).is_err());
    }
}
