//! Calendar months, by which usage is summed.

use std::{fmt, str::FromStr};

use chrono::{Datelike, Months, NaiveDate};

use crate::{
    Refusal,
    input::{Description, input},
};

/// A month of a year, written as ISO 8601 has it: `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    year: i16,
    month: u8,
}

impl Month {
    /// The first year that can be asked for; nothing is older.
    const FIRST: i16 = 1970;

    /// A month by its numbers, as a calendar has them.
    pub(crate) fn new(year: i16, month: i8) -> Self {
        Self { year, month: month.unsigned_abs() }
    }

    /// The month that a date is in.
    pub fn of_date(date: NaiveDate) -> Self {
        Self { year: i16::try_from(date.year()).unwrap_or(Self::FIRST), month: u8::try_from(date.month()).unwrap_or(1) }
    }

    /// Its first day.
    pub fn first_day(self) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.year.into(), self.month.into(), 1).unwrap_or_default()
    }

    /// The months from this one to another, both of them included; none when the other is earlier.
    pub fn through(self, last: Self) -> impl Iterator<Item = Self> {
        let days = std::iter::successors(Some(self.first_day()), |day| day.checked_add_months(Months::new(1)));
        days.map(Self::of_date).take_while(move |month| *month <= last)
    }

    /// How many months lie between the two, this one not counted.
    pub fn distance(self, other: Self) -> i32 {
        (i32::from(other.year) - i32::from(self.year)) * 12 + i32::from(other.month) - i32::from(self.month)
    }
}

impl FromStr for Month {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        let refusal = || Refusal::new("not_a_month", "must be a month such as 2026-11, in 1970 or later");
        let digits = |part: &str, count| part.len() == count && part.bytes().all(|b| b.is_ascii_digit());
        let (year, month) = raw.split_once('-').filter(|(y, m)| digits(y, 4) && digits(m, 2)).ok_or_else(refusal)?;
        match (year.parse(), month.parse()) {
            (Ok(year @ Self::FIRST..), Ok(month @ 1..=12)) => Ok(Self { year, month }),
            _ => Err(refusal()),
        }
    }
}

/// In 1970 or later.
const PATTERN: &str = "^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])$";

input!(Month, str, Description::text("A month such as `2026-01`.").pattern(PATTERN).example("2026-01"));

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_written_in_one_way() {
        assert_eq!("2026-11".parse::<Month>().unwrap().to_string(), "2026-11");
        for bad in [
            "",
            "2026",
            "2026-1",
            "2026-00",
            "2026-13",
            "26-11",
            "+026-11",
            "2026-11-01",
            "2026/11",
            "1969-12",
            "２026-11",
        ] {
            assert_eq!(bad.parse::<Month>().unwrap_err().code, "not_a_month", "{bad:?}");
        }
    }

    #[test]
    fn a_row_of_months_goes_over_the_end_of_a_year() {
        let month = |text: &str| text.parse::<Month>().unwrap();
        let row: Vec<_> = month("2025-11").through(month("2026-02")).map(|month| month.to_string()).collect();
        assert_eq!(row, ["2025-11", "2025-12", "2026-01", "2026-02"]);
        assert_eq!(month("2026-02").through(month("2026-01")).count(), 0);
        assert_eq!(month("9999-11").through(month("9999-12")).count(), 2);
        assert_eq!(month("2025-11").distance(month("2026-02")), 3);
        assert_eq!(month("2026-02").distance(month("2025-11")), -3);
        assert_eq!(Month::of_date(month("2026-02").first_day()), month("2026-02"));
    }
}
