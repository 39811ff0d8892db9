//! Points in time that callers send.

use std::str::FromStr;

use chrono::{DateTime, Datelike, SecondsFormat, Utc};

use crate::{
    Refusal,
    input::{Description, input},
};

/// A time as RFC 3339 writes it, in the years 1 to 9999: PostgreSQL has no year 0, and no client means one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instant(DateTime<Utc>);

impl From<Instant> for DateTime<Utc> {
    fn from(instant: Instant) -> Self {
        instant.0
    }
}

impl FromStr for Instant {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        let time = DateTime::parse_from_rfc3339(raw).map(|time| time.to_utc()).ok();
        // A leap second is the second after it, as in the database.
        let time = time.and_then(|time| DateTime::from_timestamp_micros(time.timestamp_micros()));
        let time = time.filter(|time| (1..=9999).contains(&time.year()));
        let refusal = || Refusal::new("not_a_time", "must be an RFC 3339 timestamp such as 2027-01-20T10:00:00Z");
        time.map(Self).ok_or_else(refusal)
    }
}
input!(Instant, str, Description::text("RFC 3339.").format("date-time").example("2027-01-20T10:00:00.000Z"));

/// A time as answers and sentences write it: RFC 3339 in UTC, to the millisecond.
pub fn time_text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_one_that_the_database_has() {
        assert_eq!("2027-01-20T10:00:00Z".parse::<Instant>().unwrap().0.timestamp(), 1_800_439_200);
        let leap: Instant = "2016-12-31T23:59:60Z".parse().unwrap();
        assert_eq!(leap, "2017-01-01T00:00:00Z".parse().unwrap());
        for bad in [
            "",
            "9999-12-31T23:59:60Z",
            "2027-01-20",
            "0000-01-01T00:00:00Z",
            "+12027-01-20T10:00:00Z",
            "0001-01-01T00:00:00+01:00",
        ] {
            assert_eq!(bad.parse::<Instant>().unwrap_err().code, "not_a_time", "{bad:?}");
        }
    }
}
