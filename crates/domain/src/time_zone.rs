//! Time zones: what day it is somewhere, by the rules that were in force there at the time.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};

use crate::{
    Month, Refusal,
    input::{Description, input},
    text,
};

/// A time zone by its name in the IANA time zone database, such as `Europe/Berlin`; the rules come with the program.
#[derive(Clone, PartialEq, Eq)]
pub struct TimeZone {
    name: String,
    rules: jiff::tz::TimeZone,
}

impl TimeZone {
    const MAX: usize = 60;

    /// Universal time.
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), rules: jiff::tz::TimeZone::UTC }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The month that it is here at this time.
    pub fn month_at(&self, time: DateTime<Utc>) -> Month {
        // Jiff knows the years from -9999 to 9999, of which every time that the service takes is far from the ends.
        let there = jiff::Timestamp::from_second(time.timestamp()).unwrap_or_default();
        let there = self.rules.to_datetime(there);
        Month::new(there.year(), there.month())
    }
}

impl FromStr for TimeZone {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        text::bounded(raw, Self::MAX)?;
        let unknown = || {
            // No message repeats what cannot be shown.
            let not =
                if raw.bytes().all(|byte| byte.is_ascii_graphic()) { format!(", not {raw}") } else { String::new() };
            let message = format!("must be a time zone name from the IANA database, such as \"Europe/Berlin\"{not}");
            Refusal::new("unknown_time_zone", message)
        };
        let rules = jiff::tz::TimeZone::get(raw).map_err(|_| unknown())?;
        match rules.iana_name() {
            Some(name) if name == raw && !rules.is_unknown() => Ok(Self { name: raw.to_owned(), rules }),
            Some(name) if name != raw => {
                Err(Refusal::new("wrong_case", format!("is in the wrong case: use \"{name}\"")))
            }
            _ => Err(unknown()),
        }
    }
}

input!(
    TimeZone,
    str,
    Description::text("A name from the IANA time zone database.").length(1, Self::MAX).example("Europe/Berlin")
);

impl fmt::Debug for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(zone: &str, time: &str) -> String {
        let zone: TimeZone = zone.parse().unwrap();
        zone.month_at(time.parse().unwrap()).to_string()
    }

    #[test]
    fn a_month_begins_at_midnight_of_the_place_by_the_rules_of_the_time() {
        for (zone, last, first, month_of_first) in [
            ("UTC", "2026-02-28T23:59:59.999999Z", "2026-03-01T00:00:00Z", "2026-03"),
            // Winter before March, summer after it; summer before November, winter after it.
            ("Europe/Berlin", "2026-02-28T22:59:59Z", "2026-02-28T23:00:00Z", "2026-03"),
            ("Europe/Berlin", "2026-03-31T21:59:59Z", "2026-03-31T22:00:00Z", "2026-04"),
            ("Europe/Berlin", "2026-09-30T21:59:59Z", "2026-09-30T22:00:00Z", "2026-10"),
            ("Europe/Berlin", "2026-10-31T22:59:59Z", "2026-10-31T23:00:00Z", "2026-11"),
            // The last summer time of Brazil, and none since.
            ("America/Sao_Paulo", "2018-12-01T01:59:59Z", "2018-12-01T02:00:00Z", "2018-12"),
            ("America/Sao_Paulo", "2025-12-01T02:59:59Z", "2025-12-01T03:00:00Z", "2025-12"),
            // Samoa went to the other side of the date line, in summer time, and has had none since 2021.
            ("Pacific/Apia", "2011-12-01T09:59:59Z", "2011-12-01T10:00:00Z", "2011-12"),
            ("Pacific/Apia", "2011-12-31T09:59:59Z", "2011-12-31T10:00:00Z", "2012-01"),
            ("Pacific/Apia", "2025-12-31T10:59:59Z", "2025-12-31T11:00:00Z", "2026-01"),
            ("Asia/Kathmandu", "2026-01-31T18:14:59Z", "2026-01-31T18:15:00Z", "2026-02"),
            ("America/St_Johns", "2026-01-01T03:29:59Z", "2026-01-01T03:30:00Z", "2026-01"),
        ] {
            let month_of_first: Month = month_of_first.parse().unwrap();
            assert_eq!(month(zone, first), month_of_first.to_string(), "{zone} {first}");
            assert_ne!(month(zone, last), month_of_first.to_string(), "{zone} {last}");
        }
    }

    /// Changed by hand together with `docs/api-design.md`, when a newer database brings more.
    #[test]
    fn the_names_are_those_of_one_release_of_the_database() {
        let names: Vec<_> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let taken = names.iter().filter(|name| name.parse::<TimeZone>().is_ok()).count();
        assert_eq!((taken, names.len()), (598, 598));
    }

    #[test]
    fn a_name_is_taken_as_the_database_has_it() {
        for good in ["UTC", "Etc/UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "Europe/Kyiv"] {
            assert_eq!(good.parse::<TimeZone>().unwrap().as_str(), good);
        }
        assert_eq!("UTC".parse::<TimeZone>().unwrap(), TimeZone::utc());
        for (bad, code) in [
            ("", "empty"),
            ("europe/berlin", "wrong_case"),
            ("utc", "wrong_case"),
            ("Europe/Berlin ", "unknown_time_zone"),
            ("Europe/Atlantis", "unknown_time_zone"),
            ("Etc/Unknown", "unknown_time_zone"),
            ("CEST", "unknown_time_zone"),
            ("+01:00", "unknown_time_zone"),
            ("CET-1CEST,M3.5.0,M10.5.0/3", "unknown_time_zone"),
            ("../../etc/passwd", "unknown_time_zone"),
            ("Europe/Berlin\0", "unknown_time_zone"),
        ] {
            assert_eq!(bad.parse::<TimeZone>().unwrap_err().code, code, "{bad:?}");
        }
        assert_eq!("Europe/X".repeat(20).parse::<TimeZone>().unwrap_err().code, "too_long");
    }
}
