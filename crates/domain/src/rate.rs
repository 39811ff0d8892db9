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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_requests_is_1_to_a_million() {
        for good in [1, 2, 1_000_000] {
            let requests = Requests::try_from(good).unwrap();
            assert_eq!((i64::from(requests.get()), i64::from(requests.non_zero().get())), (good, good));
        }
        for bad in [i64::MIN, -1, 0, 1_000_001, i64::from(u32::MAX) + 2, i64::MAX] {
            assert_eq!(Requests::try_from(bad).unwrap_err().code, "out_of_range", "{bad}");
        }
    }
}
