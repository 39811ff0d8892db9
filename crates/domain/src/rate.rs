//! How many requests may come in a second.

use std::num::NonZeroU32;

use crate::{
    Refusal,
    input::{Description, input, thousands},
};

/// A number of requests: 1 to 1,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Requests(NonZeroU32);

impl Requests {
    const MAX: u32 = 1_000_000;

    /// The number.
    pub fn get(self) -> u32 {
        self.0.get()
    }

    /// The number, which is not zero.
    pub fn non_zero(self) -> NonZeroU32 {
        self.0
    }
}

impl TryFrom<i64> for Requests {
    type Error = Refusal;

    fn try_from(number: i64) -> Result<Self, Refusal> {
        match u32::try_from(number).ok().and_then(NonZeroU32::new) {
            Some(number) if number.get() <= Self::MAX => Ok(Self(number)),
            _ => Err(Refusal::new("out_of_range", format!("must be a number from 1 to {}, not {number}", Self::MAX))),
        }
    }
}

input!(Requests, i64, Description::number(format!("1 to {}.", thousands(Self::MAX)), 1, i64::from(Self::MAX)));

/// How many requests may come in a second, and how many at once after a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestRate {
    /// In a second, for as long as one likes.
    pub per_second: Requests,
    /// At once.
    pub burst: Requests,
}
