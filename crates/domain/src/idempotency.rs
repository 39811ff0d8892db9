//! Idempotency keys, by which a caller says that a request is the same one again.

use std::{fmt, str::FromStr};

use crate::Refusal;

/// For how many days the answer to a request with an idempotency key is kept.
pub const IDEMPOTENCY_DAYS: i32 = 1;

/// A key that a caller made up for one request: 1 to 255 printable ASCII characters. It may say something about the caller, so it
/// prints as `redacted`.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The longest key, in characters.
    pub const MAX: usize = 255;

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IdempotencyKey {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        match raw.len() {
            0 => Err(Refusal::new("empty", "must not be empty")),
            length if length > Self::MAX => {
                Err(Refusal::new("too_long", format!("must be at most {} characters long, but is {length}", Self::MAX)))
            }
            _ if raw.bytes().all(|byte| (b' '..=b'~').contains(&byte)) => Ok(Self(raw.to_owned())),
            _ => Err(Refusal::new("forbidden_character", "must be printable ASCII characters")),
        }
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencyKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_1_to_255_printable_ascii_characters_and_does_not_print_itself() {
        for good in ["a", " ", "~", "order 4711/{again}", &"k".repeat(255)] {
            assert_eq!(good.parse::<IdempotencyKey>().unwrap().as_str(), good);
        }
        for (bad, code) in [
            ("", "empty"),
            (&*"k".repeat(256), "too_long"),
            ("a\u{1f}b", "forbidden_character"),
            ("a\u{7f}b", "forbidden_character"),
            ("\t", "forbidden_character"),
            ("ä", "forbidden_character"),
        ] {
            assert_eq!(bad.parse::<IdempotencyKey>().unwrap_err().code, code, "{bad:?}");
        }
        let printed = format!("{:?}", "canary".parse::<IdempotencyKey>().unwrap());
        assert!(!printed.contains("canary"), "{printed}");
    }
}
