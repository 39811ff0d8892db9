//! Numbers that people see: 1, 2, 3 … in each tenant, so that they say nothing about another one.

use std::{fmt, marker::PhantomData, str::FromStr};

use crate::{
    Refusal,
    input::{Description, Input},
};

/// What a [`Number`] counts.
pub trait Numbered {}

/// The number of a `K` within its tenant, 1 or more; never given twice.
pub struct Number<K>(i64, PhantomData<fn() -> K>);

/// The number of a workspace.
pub type WorkspaceNumber = Number<crate::Workspace>;
/// The number of a slot in a workspace. It stays the same when the invitation that holds the slot is accepted.
pub type SlotNumber = Number<crate::Assignment>;

impl Numbered for crate::Workspace {}
impl Numbered for crate::Assignment {}

impl<K: Numbered> Number<K> {
    /// Takes over a number that was given.
    pub const fn given(number: i64) -> Self {
        Self(number, PhantomData)
    }

    /// The number itself.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl<K: Numbered> FromStr for Number<K> {
    type Err = Refusal;

    /// Reads digits without a sign and without leading zeros.
    fn from_str(raw: &str) -> Result<Self, Refusal> {
        let digits = raw.bytes().all(|byte| byte.is_ascii_digit()) && !raw.starts_with('0');
        match raw.parse::<i64>() {
            Ok(number @ 1..) if digits => Ok(Self::given(number)),
            _ => Err(Refusal::new("not_a_number", "must be a number such as 14")),
        }
    }
}

impl<K: Numbered> Input for Number<K> {
    type Raw = i64;

    /// A number that nothing can have becomes 0, which nothing has: it is looked for like any other.
    fn read(raw: &i64) -> Result<Self, Refusal> {
        Ok(Self::given((*raw).max(0)))
    }

    fn description() -> Description {
        Description::number("", 1, None)
    }
}

// Written out, because a derive would ask `K` to be all of this too.
impl<K> Clone for Number<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Number<K> {}
impl<K> PartialEq for Number<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Number<K> {}
impl<K> fmt::Debug for Number<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl<K> fmt::Display for Number<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_digits_are_a_number() {
        assert_eq!(WorkspaceNumber::from_str("14").unwrap().get(), 14);
        for bad in ["", "0", "01", "+1", "-1", "1.0", "1e0", " 1", "1 ", "１", "9223372036854775808", "1;2", "x"] {
            assert!(WorkspaceNumber::from_str(bad).is_err(), "{bad}");
        }
    }
}
