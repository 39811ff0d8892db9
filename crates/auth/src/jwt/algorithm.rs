//! What tokens are signed with, and what they may call themselves.

use std::{collections::HashSet, fmt, str::FromStr};

/// A secret for HS256: 32 bytes or more, from a generator of random numbers. Whoever knows it can make tokens.
#[derive(Clone)]
pub struct HmacSecret(Vec<u8>);

impl HmacSecret {
    /// Takes over a secret; whether it is strong enough is checked with the other options.
    pub fn new(secret: impl Into<Vec<u8>>) -> Self {
        Self(secret.into())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// What makes it weak. Cannot tell random numbers from others, and refuses what nobody rolled.
    pub(crate) fn weakness(&self) -> Option<&'static str> {
        let text = String::from_utf8_lossy(&self.0).to_lowercase();
        let different: HashSet<_> = self.0.iter().collect();
        let repeats = |period: usize| self.0.iter().zip(&self.0[period..]).all(|(one, other)| one == other);
        if self.0.len() < 32 {
            Some("is shorter than 32 bytes")
        } else if different.len() < 8 || (1..=self.0.len() / 2).any(repeats) {
            Some("repeats itself")
        } else if ["secret", "password", "changeme", "change-me", "change_me", "example"]
            .iter()
            .any(|word| text.contains(word))
        {
            Some("contains a word used in examples")
        } else {
            None
        }
    }
}

impl fmt::Debug for HmacSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacSecret(redacted)")
    }
}

/// An algorithm that tokens are signed with (RFC 7518, RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// EdDSA on Ed25519.
    EdDsa,
    /// HMAC with SHA-256, for a shared secret alone.
    Hs256,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Rs256, Self::Ps256, Self::Es256, Self::EdDsa, Self::Hs256];

    /// Its name in `alg`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
        }
    }
}

/// A name that is none of an [`Algorithm`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be RS256, PS256, ES256, EdDSA or HS256")]
pub struct UnknownAlgorithm;

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name).ok_or(UnknownAlgorithm)
    }
}

impl From<Algorithm> for jsonwebtoken::Algorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Rs256 => Self::RS256,
            Algorithm::Ps256 => Self::PS256,
            Algorithm::Es256 => Self::ES256,
            Algorithm::EdDsa => Self::EdDSA,
            Algorithm::Hs256 => Self::HS256,
        }
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
