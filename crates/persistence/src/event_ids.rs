//! The time in the ids of audit events, by which the audit log is partitioned.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// How far the time in an id may be from that of its event; `event_id` in the database sees to it. The clocks of services and of the
/// database differ, and a refused attempt has the id of its hour.
pub(crate) const APART: TimeDelta = TimeDelta::days(1);

/// Ids that were known beforehand are of a time before this, 2025, whenever their events happened: they are in the oldest partition.
pub(crate) const KNOWN_BEFORE: Uuid = Uuid::from_u128(0x0194_1f29_7c00 << REST);

/// The digits after the time.
const REST: u32 = 80;

#[diesel::declare_sql_function]
extern "SQL" {
    /// This id, or one of this time if that of the id is another one.
    fn event_id(id: diesel::sql_types::Uuid, at: diesel::sql_types::Timestamptz) -> diesel::sql_types::Uuid;
}

/// The lowest id of this time.
pub(crate) fn first_id(at: DateTime<Utc>) -> Uuid {
    Uuid::from_u128(u128::from(u64::try_from(at.timestamp_millis()).unwrap_or_default()) << REST)
}

/// The time in an id.
pub(crate) fn time_of(id: Uuid) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(i64::try_from(id.as_u128() >> REST).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_begins_with_its_time() {
        let at: DateTime<Utc> = "2026-12-01T00:00:00Z".parse().unwrap();
        let id = first_id(at);
        assert_eq!((id.to_string().as_str(), time_of(id)), ("01a22ee6-b000-0000-0000-000000000000", Some(at)));
        assert!(first_id(at) <= Uuid::new_v7(uuid::Timestamp::from_unix_time(1_796_083_200, 0, 0, 0)));
        assert_eq!(first_id(DateTime::<Utc>::MIN_UTC), Uuid::nil());
        assert_eq!(time_of(KNOWN_BEFORE), Some("2025-01-01T00:00:00Z".parse().unwrap()));
    }
}
