//! Lists are read a page at a time, each page from where the last one ended.

use std::fmt;

use chrono::{DateTime, Datelike, Utc};
use uuid::Uuid;

use crate::{
    Refusal,
    input::{Description, input},
    values::Choice,
};

/// What a list is ordered by; the id decides between equals, so that the order is total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortBy {
    /// The time of creation.
    CreatedAt,
    /// The time of the last change.
    UpdatedAt,
    /// The name, in the order of the Unicode collation algorithm.
    Name,
}

/// What a list is ordered by, and which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// The member.
    pub by: SortBy,
    /// The largest first.
    pub descending: bool,
}

impl Default for Sort {
    /// The oldest first, so that what is created while somebody pages comes last.
    fn default() -> Self {
        Self { by: SortBy::CreatedAt, descending: false }
    }
}

impl Choice for Sort {
    const ALL: &'static [(Self, &'static str)] = &[
        (Self { by: SortBy::CreatedAt, descending: false }, "createdAt"),
        (Self { by: SortBy::CreatedAt, descending: true }, "-createdAt"),
        (Self { by: SortBy::UpdatedAt, descending: false }, "updatedAt"),
        (Self { by: SortBy::UpdatedAt, descending: true }, "-updatedAt"),
        (Self { by: SortBy::Name, descending: false }, "name"),
        (Self { by: SortBy::Name, descending: true }, "-name"),
    ];
}
crate::values::choices!(Sort);

/// What a list of people is ordered by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PeopleSort(pub Sort);

impl Choice for PeopleSort {
    const ALL: &'static [(Self, &'static str)] = &[
        (Self(Sort { by: SortBy::CreatedAt, descending: false }), "createdAt"),
        (Self(Sort { by: SortBy::CreatedAt, descending: true }), "-createdAt"),
        (Self(Sort { by: SortBy::UpdatedAt, descending: false }), "updatedAt"),
        (Self(Sort { by: SortBy::UpdatedAt, descending: true }), "-updatedAt"),
        (Self(Sort { by: SortBy::Name, descending: false }), "email"),
        (Self(Sort { by: SortBy::Name, descending: true }), "-email"),
    ];
}
crate::values::choices!(PeopleSort);

impl From<PeopleSort> for Sort {
    fn from(sort: PeopleSort) -> Self {
        sort.0
    }
}

/// What a log is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogSort(pub Sort);

impl Default for LogSort {
    /// The newest first.
    fn default() -> Self {
        Self(Sort { by: SortBy::CreatedAt, descending: true })
    }
}

impl Choice for LogSort {
    const ALL: &'static [(Self, &'static str)] = &[
        (Self(Sort { by: SortBy::CreatedAt, descending: false }), "occurredAt"),
        (Self(Sort { by: SortBy::CreatedAt, descending: true }), "-occurredAt"),
    ];
}
crate::values::choices!(LogSort);

impl From<LogSort> for Sort {
    fn from(sort: LogSort) -> Self {
        sort.0
    }
}

/// A place between two items of a list: after the item with this sort value and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    key: String,
    id: Uuid,
}

impl Position {
    /// The position after an item, from its sort value as [`SortKey::position`] gives it.
    ///
    /// # Errors
    ///
    /// A value that cannot be one of that sort.
    pub fn new(sort: Sort, key: String, id: Uuid) -> Result<Self, Refusal> {
        let refusal = || Refusal::new("bad_position", "is not a position in this list");
        if key.contains('\0') {
            return Err(refusal());
        }
        if sort.by != SortBy::Name {
            let time = DateTime::parse_from_rfc3339(&key).map_err(|_| refusal())?;
            // Only the form that `time_key` writes: what was not handed out is not a position. PostgreSQL has no year 0.
            if time_key(time.to_utc()) != key || time.year() < 1 {
                return Err(refusal());
            }
        }
        Ok(Self { key, id })
    }

    /// The sort value: a name, or a time in RFC 3339 with microseconds.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The id.
    pub fn id(&self) -> Uuid {
        self.id
    }
}

/// Where an item stands in a list.
pub trait SortKey {
    /// The item's id.
    fn id(&self) -> Uuid;
    /// The item's name, or what stands for one in the order of the list.
    fn name(&self) -> String;
    /// The item's times: created, and last changed.
    fn times(&self) -> (DateTime<Utc>, DateTime<Utc>);

    /// The position after this item.
    fn position(&self, sort: Sort) -> Position {
        let key = match sort.by {
            SortBy::Name => self.name(),
            SortBy::CreatedAt => time_key(self.times().0),
            SortBy::UpdatedAt => time_key(self.times().1),
        };
        Position { key, id: self.id() }
    }
}

/// PostgreSQL's own precision, so that no two rows trade places through rounding.
fn time_key(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

/// How many items a page holds: 1 to 100, 50 unless said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimit(u8);

impl PageLimit {
    const MOST: u8 = 100;

    /// The most.
    pub const MAX: Self = Self(Self::MOST);

    /// The number.
    pub fn get(self) -> usize {
        usize::from(self.0)
    }
}

impl Default for PageLimit {
    fn default() -> Self {
        Self(50)
    }
}

impl std::str::FromStr for PageLimit {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        // `parse` alone would take "+5" and "007".
        let digits = raw.bytes().all(|b| b.is_ascii_digit()) && !raw.starts_with('0');
        match raw.parse::<u8>() {
            Ok(n @ 1..=Self::MOST) if digits => Ok(Self(n)),
            _ => Err(Refusal::new("out_of_range", format!("must be a whole number from 1 to {}", Self::MOST))),
        }
    }
}

input!(PageLimit, str, Description::number(format!("1 to {}.", Self::MOST), 1, i64::from(Self::MOST)));

impl fmt::Display for PageLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which part of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// How many items at most.
    pub limit: PageLimit,
    /// In which order.
    pub sort: Sort,
    /// After which item; from the start when `None`.
    pub after: Option<Position>,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, in the order asked for.
    pub items: Vec<T>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<Position>,
}

impl<T: SortKey> Page<T> {
    /// The page of `request` out of items that were read with a limit of one more, which tells whether more follow.
    pub fn cut(mut items: Vec<T>, request: &PageRequest) -> Self {
        let more = items.len() > request.limit.get();
        items.truncate(request.limit.get());
        let next = items.last().filter(|_| more).map(|item| item.position(request.sort));
        Self { items, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_1_to_100() {
        for good in [1, 2, 99, 100] {
            assert_eq!(good.to_string().parse::<PageLimit>().unwrap().get(), good);
        }
        assert_eq!(PageLimit::default().get(), 50);
        for bad in ["0", "101", "-1", "+5", "007", "1.0", "1e1", "", " 5", "９"] {
            assert!(bad.parse::<PageLimit>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_position_by_time_holds_a_time_that_the_database_takes() {
        let by_time = "createdAt".parse().unwrap();
        let ok = "2026-01-20T10:00:00.000000Z";
        for ok in [ok, "0001-01-01T00:00:00.000000Z"] {
            assert!(Position::new(by_time, ok.into(), Uuid::nil()).is_ok(), "{ok}");
        }
        for bad in [
            "",
            "x",
            "2026-01-20",
            "2026-01-20T10:00:00.000000+01:00",
            "2026-01-20T10:00:00Z",
            "2026-13-20T10:00:00.000000Z",
            "0000-01-01T00:00:00.000000Z",
        ] {
            assert!(Position::new(by_time, bad.into(), Uuid::nil()).is_err(), "{bad}");
        }
        assert!(Position::new("name".parse().unwrap(), "a\0".into(), Uuid::nil()).is_err());
    }

    struct Item(u128);

    impl SortKey for Item {
        fn id(&self) -> Uuid {
            Uuid::from_u128(self.0)
        }

        fn name(&self) -> String {
            format!("item {}", self.0)
        }

        fn times(&self) -> (DateTime<Utc>, DateTime<Utc>) {
            (DateTime::from_timestamp_micros(1).unwrap(), DateTime::from_timestamp_micros(2).unwrap())
        }
    }

    #[test]
    fn a_page_ends_where_the_next_one_starts_and_the_last_one_nowhere() {
        let sort = Sort { by: SortBy::Name, descending: false };
        let request = PageRequest { limit: "2".parse().unwrap(), sort, after: None };
        for (read, shown, next) in [(0, 0, None), (1, 1, None), (2, 2, None), (3, 2, Some(2))] {
            let page = Page::cut((1..=read).map(Item).collect(), &request);
            let ids: Vec<_> = page.items.iter().map(|item| item.0).collect();
            assert_eq!(ids, (1..=shown).collect::<Vec<_>>());
            assert_eq!(page.next.map(|position| position.id()), next.map(Uuid::from_u128), "{read}");
        }
    }

    #[test]
    fn an_item_stands_where_what_the_list_is_sorted_by_says() {
        for (by, key) in [
            (SortBy::Name, "item 7"),
            (SortBy::CreatedAt, "1970-01-01T00:00:00.000001Z"),
            (SortBy::UpdatedAt, "1970-01-01T00:00:00.000002Z"),
        ] {
            let sort = Sort { by, descending: true };
            let position = Item(7).position(sort);
            assert_eq!((position.key(), position.id()), (key, Uuid::from_u128(7)));
            assert_eq!(Position::new(sort, key.to_owned(), Uuid::from_u128(7)), Ok(position));
        }
    }

    #[test]
    fn a_list_begins_with_the_oldest_and_a_log_with_the_newest() {
        assert_eq!((Sort::default().as_str(), PeopleSort::default().as_str()), ("createdAt", "createdAt"));
        assert_eq!(LogSort::default().as_str(), "-occurredAt");
    }
}
