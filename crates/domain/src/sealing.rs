//! Secrets of others that the service keeps for a workspace: as they are said, and as they are stored.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use zeroize::Zeroizing;

use crate::{
    Refusal,
    input::{Description, input},
};

/// A secret of a provider's account: 8 to 4,096 visible ASCII characters, exactly as the provider issued it. Prints as `redacted`,
/// cannot be serialised, and is overwritten when it is dropped.
#[derive(Clone)]
pub struct PlainSecret {
    secret: Zeroizing<String>,
    renewal: Option<Renewal>,
}

/// What an access token is renewed with when it ends (RFC 6749, section 6).
#[derive(Clone)]
pub struct Renewal {
    refresh_token: Zeroizing<String>,
    ends_at: Option<DateTime<Utc>>,
}

impl Renewal {
    /// The refresh token, for the provider it belongs to and for nobody else. It is good for one use.
    pub fn refresh_token(&self) -> &str {
        &self.refresh_token
    }

    /// When the access token ends, where that is known.
    pub fn ends_at(&self) -> Option<DateTime<Utc>> {
        self.ends_at
    }
}

impl fmt::Debug for Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Renewal(redacted)")
    }
}

/// The first line of what is stored for a secret that can be renewed. No secret has a line break.
const RENEWABLE: &str = "renewable";

impl PlainSecret {
    const MIN: usize = 8;
    /// Tokens that say what they may do are long.
    const MAX: usize = 4_096;
    /// From this length on, four characters tell too little to guess the others.
    const RECOGNISABLE: usize = 12;

    /// The secret itself, for the provider it belongs to and for nobody else.
    pub fn reveal(&self) -> &str {
        &self.secret
    }

    /// This access token, to be renewed with that refresh token when it ends.
    #[must_use]
    pub fn renewed_with(self, refresh_token: Self, ends_at: Option<DateTime<Utc>>) -> Self {
        Self { secret: self.secret, renewal: Some(Renewal { refresh_token: refresh_token.secret, ends_at }) }
    }

    /// What it is renewed with, if it can be.
    pub fn renewal(&self) -> Option<&Renewal> {
        self.renewal.as_ref()
    }

    /// The text that is sealed: the secret, with what it is renewed with.
    pub fn to_stored(&self) -> Zeroizing<String> {
        let Some(Renewal { refresh_token, ends_at }) = &self.renewal else { return self.secret.clone() };
        let ends_at = ends_at.map(|at| at.timestamp().to_string()).unwrap_or_default();
        Zeroizing::new([RENEWABLE, &self.secret, refresh_token, &ends_at].join("\n"))
    }

    /// Reads what [`PlainSecret::to_stored`] wrote; `None` for what is none of it.
    pub fn from_stored(text: &str) -> Option<Self> {
        let Some(lines) = text.strip_prefix(RENEWABLE).and_then(|rest| rest.strip_prefix('\n')) else {
            return text.parse().ok();
        };
        let mut lines = lines.split('\n');
        let (access, refresh): (Self, Self) = (lines.next()?.parse().ok()?, lines.next()?.parse().ok()?);
        let ends_at = lines.next()?.parse().ok().and_then(|at| DateTime::from_timestamp(at, 0));
        Some(access.renewed_with(refresh, ends_at))
    }

    /// The last four characters, by which a person recognises it; `None` for one so short that they would give it away.
    pub fn last_four(&self) -> Option<&str> {
        let from = self.secret.len().checked_sub(4).filter(|_| self.secret.len() >= Self::RECOGNISABLE)?;
        self.secret.get(from..)
    }
}

impl FromStr for PlainSecret {
    type Err = Refusal;

    /// No refusal repeats any of what was sent: it may be most of the secret.
    fn from_str(raw: &str) -> Result<Self, Refusal> {
        if raw.trim().is_empty() {
            return Err(Refusal::new("empty", "must not be empty"));
        }
        if raw.trim().len() != raw.len() {
            return Err(Refusal::new("surrounding_space", "must not begin or end with white space"));
        }
        if !raw.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Refusal::new("forbidden_character", "must be visible ASCII characters without white space"));
        }
        if raw.len() < Self::MIN {
            return Err(Refusal::new("too_short", format!("must be at least {} characters long", Self::MIN)));
        }
        if raw.len() > Self::MAX {
            let message = format!("must be at most {} characters long, but is {}", Self::MAX, raw.len());
            return Err(Refusal::new("too_long", message));
        }
        if raw.contains("***") || raw.contains("...") {
            return Err(Refusal::new("masked", "looks like a masked secret: send the secret itself"));
        }
        Ok(Self { secret: Zeroizing::new(raw.to_owned()), renewal: None })
    }
}

input!(
    PlainSecret,
    str,
    Description::text(format!(
        "Secret: {} to {} visible ASCII characters, stored as sent and never shown again.",
        Self::MIN,
        Self::MAX
    ))
    .length(Self::MIN, Self::MAX)
    .pattern("^[!-~]+$")
    .secret()
);

impl fmt::Debug for PlainSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainSecret(redacted)")
    }
}

/// A sealed secret, as the database has it. What is in it, only a holder of the master key can tell.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret(Vec<u8>);

impl SealedSecret {
    /// Takes over sealed bytes. Whether they are any good shows when they are opened.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes, for the database.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedSecret({} bytes)", self.0.len())
    }
}

/// Which master key: its version, 1 to 65,535, and a fingerprint that tells two keys of one version apart and says nothing about
/// either. Written as `2:0123456789abcdef`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MasterKeyId {
    version: u16,
    fingerprint: [u8; 8],
}

impl MasterKeyId {
    /// The id of a key.
    pub fn new(version: u16, fingerprint: [u8; 8]) -> Self {
        Self { version, fingerprint }
    }

    /// The version.
    pub fn version(&self) -> u16 {
        self.version
    }
}

impl fmt::Display for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.version)?;
        self.fingerprint.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for MasterKeyId {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        let read = || {
            let (version, fingerprint) = raw.split_once(':')?;
            let number = u64::from_str_radix(fingerprint, 16).ok()?;
            let id = Self { version: version.parse().ok()?, fingerprint: number.to_be_bytes() };
            (id.to_string() == raw).then_some(id)
        };
        read().ok_or_else(|| Refusal::new("not_a_key_id", "must be a version and a fingerprint"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_stored_with_what_renews_it_and_neither_is_printed() {
        let plain: PlainSecret = "canary-567890".parse().unwrap();
        assert_eq!(plain.to_stored().as_str(), "canary-567890");
        assert!(PlainSecret::from_stored(&plain.to_stored()).unwrap().renewal().is_none());
        for ends_at in [None, DateTime::from_timestamp(1_800_000_000, 0)] {
            let renewable = plain.clone().renewed_with("canary-refresh".parse().unwrap(), ends_at);
            assert!(!format!("{renewable:?} {:?}", renewable.renewal()).contains("canary"));
            let read = PlainSecret::from_stored(&renewable.to_stored()).unwrap();
            let renewal = read.renewal().unwrap();
            assert_eq!((read.reveal(), renewal.refresh_token()), ("canary-567890", "canary-refresh"));
            assert_eq!((renewal.ends_at(), read.last_four()), (ends_at, Some("7890")));
        }
        for other in
            ["renewable\n", "renewable\ncanary-567890", "renewable\ncanary-567890\nshort\n", "two\nlines-of-it"]
        {
            assert!(PlainSecret::from_stored(other).is_none(), "{other:?}");
        }
    }

    #[test]
    fn a_secret_is_taken_exactly_or_refused_and_never_repeated() {
        for good in ["b3a1dXXXX", "sk-proj-a_b-c", &"x".repeat(4_096), "~!@#$%^&*()"] {
            assert_eq!(PlainSecret::from_str(good).unwrap().reveal(), good);
        }
        let long = "k".repeat(4_097);
        for (bad, code) in [
            ("", "empty"),
            (" \n", "empty"),
            (" canary-1234", "surrounding_space"),
            ("canary-1234\n", "surrounding_space"),
            ("canary-1234\u{a0}", "surrounding_space"),
            ("canary 1234", "forbidden_character"),
            ("canary\r\n1234", "forbidden_character"),
            ("canary\u{0}1234", "forbidden_character"),
            ("canary-ü-1234", "forbidden_character"),
            ("canary-\u{2022}\u{2022}\u{2022}\u{2022}", "forbidden_character"),
            ("canary1", "too_short"),
            (&long, "too_long"),
            ("********1234", "masked"),
            ("canary-...1234", "masked"),
        ] {
            let refusal = PlainSecret::from_str(bad).unwrap_err();
            assert_eq!(refusal.code, code, "{bad:?}");
            assert!(!refusal.message.contains("canary") && !refusal.message.contains("1234"), "{}", refusal.message);
        }
    }

    #[test]
    fn a_secret_does_not_print_itself_and_a_short_one_shows_no_end() {
        let secret = PlainSecret::from_str("canary-567890").unwrap();
        assert_eq!((format!("{secret:?}").as_str(), secret.last_four()), ("PlainSecret(redacted)", Some("7890")));
        assert_eq!(PlainSecret::from_str("elevenchars").unwrap().last_four(), None);
        assert_eq!(format!("{:?}", SealedSecret::from_bytes(b"canary".to_vec())), "SealedSecret(6 bytes)");
    }

    #[test]
    fn the_id_of_a_key_comes_back_and_nothing_like_it_does() {
        let id = MasterKeyId::new(2, [1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]);
        assert_eq!((id.to_string().as_str(), id.to_string().parse()), ("2:0123456789abcdef", Ok(id)));
        for bad in
            ["", "2", "2:", "02:0123456789abcdef", "2:0123456789ABCDEF", "2:+123456789abcdef", "70000:0123456789abcdef"]
        {
            assert!(MasterKeyId::from_str(bad).is_err(), "{bad}");
        }
    }
}
