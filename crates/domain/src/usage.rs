//! Usage: the seconds that a workspace uses, entry by entry, and their sum in a month.

use std::fmt;

use chrono::{DateTime, Duration, SubsecRound, TimeZone as _, Utc};

use crate::{
    Action, Cap, Conflict, Error, FieldRefusal, Instant, Month, Noun, Refusal, TenantId, UsageEntryId, UsageReference,
    WorkspaceId,
    audit::Fields,
    counted,
    ids::Identified,
    input::{Description, input, thousands},
    instant::time_text,
    values::Choice,
};

/// How much of its limit a workspace has used when somebody should know, in per cent.
pub const THRESHOLDS: [u8; 3] = [80, 95, 100];

/// An entry of the ledger. It is never changed and never taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageEntry {
    /// Its identifier.
    pub id: UsageEntryId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// The workspace that used it.
    pub workspace_id: WorkspaceId,
    /// Whether it adds or takes off.
    pub kind: UsageKind,
    /// How much.
    pub seconds: UsageSeconds,
    /// When it was used.
    pub used_at: DateTime<Utc>,
    /// The month it counts in: that of `used_at` in the workspace's time zone, as that was when it was recorded.
    pub month: Month,
    /// What it is called by who recorded it.
    pub reference: UsageReference,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
}

impl Identified for UsageEntry {
    const NOUN: Noun = Noun::UsageEntry;
}

impl UsageEntry {
    /// The fields as the audit log names them.
    pub fn fields(&self) -> Fields {
        Fields::new()
            .with("workspaceId", self.workspace_id.to_string())
            .with("kind", self.kind.as_str())
            .with("seconds", self.seconds.get())
            .with("month", self.month.to_string())
            .with("reference", self.reference.as_str())
    }
}

/// Whether an entry adds to the sum of its month or takes off it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UsageKind {
    /// It adds.
    #[default]
    Usage,
    /// It takes off what should not have been recorded.
    Refund,
}

impl Choice for UsageKind {
    const ALL: &'static [(Self, &'static str)] = &[(Self::Usage, "usage"), (Self::Refund, "refund")];
    const MEANING: &'static str = "Whether an entry adds to its month or subtracts from it.";
}
crate::values::choices!(UsageKind);

/// The seconds of one entry: 0 to 86,400, which is a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageSeconds(u32);

impl UsageSeconds {
    const MAX: u32 = 24 * 60 * 60;

    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<i64> for UsageSeconds {
    type Error = Refusal;

    fn try_from(seconds: i64) -> Result<Self, Refusal> {
        match u32::try_from(seconds) {
            Ok(seconds @ 0..=Self::MAX) => Ok(Self(seconds)),
            _ => Err(Refusal::new(
                "out_of_range",
                format!("must be a number of seconds from 0 to {}, not {seconds}", Self::MAX),
            )),
        }
    }
}

impl std::str::FromStr for UsageSeconds {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        // `parse` alone would take "+5".
        let digits = !raw.is_empty() && raw.bytes().all(|b| b.is_ascii_digit());
        raw.parse::<i64>()
            .ok()
            .filter(|_| digits)
            .and_then(|seconds| Self::try_from(seconds).ok())
            .ok_or_else(|| Refusal::new("out_of_range", format!("must be a whole number from 0 to {}", Self::MAX)))
    }
}

input!(
    UsageSeconds,
    i64,
    Description::number(format!("0 to {} seconds.", thousands(Self::MAX)), 0, i64::from(Self::MAX))
);

impl fmt::Display for UsageSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Default for UsageSeconds {
    /// The least that is anything.
    fn default() -> Self {
        Self(1)
    }
}

/// When something was used: from the year 2000 on, to the microsecond, which is what the database keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsedAt(DateTime<Utc>);

impl TryFrom<DateTime<Utc>> for UsedAt {
    type Error = Refusal;

    fn try_from(time: DateTime<Utc>) -> Result<Self, Refusal> {
        let first = Utc.with_ymd_and_hms(2000, 1, 1, 0, 0, 0).single().unwrap_or_default();
        if time < first {
            return Err(Refusal::new("out_of_range", "must not be before the year 2000"));
        }
        Ok(Self(time.trunc_subsecs(6)))
    }
}

impl std::str::FromStr for UsedAt {
    type Err = Refusal;

    fn from_str(raw: &str) -> Result<Self, Refusal> {
        raw.parse().and_then(|instant: Instant| Self::try_from(DateTime::from(instant)))
    }
}
input!(
    UsedAt,
    str,
    Description::text("RFC 3339, from the year 2000 on.").format("date-time").example("2026-03-01T16:45:00.000Z")
);

/// What is to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUsage {
    /// See [`UsageEntry::kind`].
    pub kind: UsageKind,
    /// See [`UsageEntry::seconds`].
    pub seconds: UsageSeconds,
    /// When it was used; now, where nothing is said.
    pub used_at: Option<UsedAt>,
    /// See [`UsageEntry::reference`].
    pub reference: UsageReference,
}

/// How long after it happened usage can be recorded by whoever records usage. What is older is for who may correct the ledger.
pub const RECORDABLE_DAYS: i64 = 3;

/// How far the clock of who records may be ahead.
const AHEAD: Duration = Duration::minutes(5);

impl NewUsage {
    /// When it was used.
    ///
    /// # Errors
    ///
    /// The refusal of a `usedAt` that has not come yet.
    pub fn used_at(&self, now: DateTime<Utc>) -> Result<DateTime<Utc>, FieldRefusal> {
        match self.used_at {
            None => Ok(now),
            Some(UsedAt(time)) if time <= now + AHEAD => Ok(time),
            Some(UsedAt(time)) => {
                let message = format!("must not be in the future, but is {}", time_text(time));
                Err(Refusal::new("in_the_future", message).of("usedAt"))
            }
        }
    }

    /// What recording it is besides recording, if it corrects the ledger: a refund, or usage of longer ago than
    /// [`RECORDABLE_DAYS`].
    pub fn correction(&self, now: DateTime<Utc>) -> Option<Action> {
        let old = self.used_at.is_some_and(|UsedAt(time)| time < now - Duration::days(RECORDABLE_DAYS));
        match self.kind {
            UsageKind::Refund => Some(Action::UsageRefund),
            UsageKind::Usage => old.then_some(Action::UsageBackdate),
        }
    }

    /// Whether it says the same as an entry with the same reference.
    ///
    /// # Errors
    ///
    /// The conflict with one that says something else.
    pub fn repeats(&self, stored: &UsageEntry) -> Result<(), Error> {
        // As the answer shows it, so that what was shown can be sent again.
        let shown = |time: DateTime<Utc>| time.timestamp_millis();
        let same_time = self.used_at.is_none_or(|UsedAt(time)| shown(time) == shown(stored.used_at));
        if same_time && (self.kind, self.seconds) == (stored.kind, stored.seconds) {
            return Ok(());
        }
        Err(Error::conflict(
            Conflict::ReferenceConflict,
            format!(
                "The reference \"{}\" already belongs to another entry in this workspace: {} of {} at {}. Use a new reference for each entry.",
                self.reference.as_str(),
                counted(stored.seconds.get(), "second"),
                stored.kind,
                time_text(stored.used_at)
            ),
        ))
    }
}

/// What a workspace has used in a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonthUse {
    /// The month.
    pub month: Month,
    /// The sum of its entries, in seconds; never negative.
    pub seconds: i64,
}

fn seconds_of(cap: Cap) -> i64 {
    i64::from(cap.get()) * 60
}

impl MonthUse {
    /// That of this month, among those in which something was used.
    pub fn among(used: &[Self], month: Month) -> Self {
        used.iter().find(|used| used.month == month).copied().unwrap_or(Self { month, seconds: 0 })
    }

    /// The sum in minutes, a minute that has begun counted as one.
    pub fn minutes(self) -> i64 {
        (self.seconds + 59).div_euclid(60)
    }

    /// How many seconds are left of a limit in minutes; nothing where more is used already.
    pub fn remaining(self, cap: Option<Cap>) -> Option<i64> {
        cap.map(|cap| (seconds_of(cap) - self.seconds).max(0))
    }

    /// The [`THRESHOLDS`] of a limit in minutes that are reached.
    pub fn thresholds(self, cap: Option<Cap>) -> Vec<u8> {
        let reached = |percent: &u8| cap.is_some_and(|cap| self.seconds * 100 >= seconds_of(cap) * i64::from(*percent));
        THRESHOLDS.into_iter().filter(reached).collect()
    }

    /// The sum with one entry more, within a limit in minutes.
    ///
    /// # Errors
    ///
    /// The conflict of usage that goes beyond the limit, and of a refund of more than was used.
    pub fn with(self, kind: UsageKind, seconds: UsageSeconds, cap: Option<Cap>) -> Result<Self, Error> {
        let (used, more) = (self.seconds, i64::from(seconds.get()));
        match (kind, cap) {
            (UsageKind::Refund, _) if more > used => Err(Error::conflict(
                Conflict::RefundExceedsUsage,
                format!(
                    "Only {} {} used in {}, so {} cannot be refunded.",
                    counted(used, "second"),
                    if used == 1 { "was" } else { "were" },
                    self.month,
                    counted(more, "second")
                ),
            )),
            (UsageKind::Refund, _) => Ok(Self { seconds: used - more, ..self }),
            // A limit that was lowered below what is used keeps that; and nothing is no growth.
            (UsageKind::Usage, Some(cap)) if more > 0 && used + more > seconds_of(cap) => Err(Error::conflict(
                Conflict::LimitReached,
                format!(
                    "Recording {} would exceed the limit of {} for {}: {} {} already used.",
                    counted(more, "second"),
                    counted(cap.get(), "minute"),
                    self.month,
                    counted(used, "second"),
                    if used == 1 { "is" } else { "are" }
                ),
            )),
            (UsageKind::Usage, _) => Ok(Self { seconds: used + more, ..self }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn november(seconds: i64) -> MonthUse {
        MonthUse { month: "2026-11".parse().unwrap(), seconds }
    }

    fn cap(minutes: i64) -> Option<Cap> {
        Some(Cap::try_from(minutes).unwrap())
    }

    #[test]
    fn a_limit_in_minutes_is_exact_to_the_second() {
        let with = |used, kind, more: i64, cap| {
            november(used).with(kind, UsageSeconds::try_from(more).unwrap(), cap).map(|sum| sum.seconds)
        };
        let code = |outcome: Result<i64, Error>| match outcome {
            Err(Error::Conflict { code, .. }) => code,
            other => panic!("{other:?}"),
        };
        assert_eq!(with(0, UsageKind::Usage, 60, cap(1)).unwrap(), 60);
        assert_eq!(code(with(0, UsageKind::Usage, 61, cap(1))), Conflict::LimitReached);
        assert_eq!(code(with(60, UsageKind::Usage, 1, cap(1))), Conflict::LimitReached);
        assert_eq!(with(60, UsageKind::Usage, 0, cap(1)).unwrap(), 60);
        assert_eq!(with(90, UsageKind::Usage, 0, cap(1)).unwrap(), 90, "nothing is no growth");
        assert_eq!(code(with(0, UsageKind::Usage, 1, cap(0))), Conflict::LimitReached);
        assert_eq!(with(1 << 40, UsageKind::Usage, 86_400, None).unwrap(), (1 << 40) + 86_400);
        assert_eq!(with(90, UsageKind::Refund, 90, cap(1)).unwrap(), 0);
        assert_eq!(code(with(90, UsageKind::Refund, 91, None)), Conflict::RefundExceedsUsage);
    }

    #[test]
    fn minutes_that_have_begun_count_and_thresholds_are_reached_when_they_are() {
        assert_eq!([0, 1, 60, 61].map(|seconds| november(seconds).minutes()), [0, 1, 1, 2]);
        assert_eq!(november(90).remaining(cap(1)), Some(0));
        assert_eq!((november(59).remaining(cap(1)), november(59).remaining(None)), (Some(1), None));
        for (seconds, reached) in
            [(4_799, vec![]), (4_800, vec![80]), (5_699, vec![80]), (5_700, vec![80, 95]), (6_000, vec![80, 95, 100])]
        {
            assert_eq!(november(seconds).thresholds(cap(100)), reached, "{seconds}");
        }
        assert_eq!(november(1 << 40).thresholds(None), Vec::<u8>::new());
        assert_eq!(november(0).thresholds(cap(0)), THRESHOLDS);
    }

    #[test]
    fn usage_is_of_the_past_and_of_this_century() {
        let now: DateTime<Utc> = "2026-11-25T10:00:00Z".parse().unwrap();
        let new = |time: DateTime<Utc>| NewUsage {
            kind: UsageKind::Usage,
            seconds: UsageSeconds(1),
            used_at: Some(UsedAt::try_from(time).unwrap()),
            reference: "r".parse().unwrap(),
        };
        assert!(new(now + AHEAD).used_at(now).is_ok());
        assert_eq!(new(now + AHEAD + Duration::microseconds(1)).used_at(now).unwrap_err().code, "in_the_future");
        let correction = |kind, ago| NewUsage { kind, ..new(now - ago) }.correction(now);
        let window = Duration::days(RECORDABLE_DAYS);
        assert_eq!(correction(UsageKind::Usage, window), None);
        assert_eq!(correction(UsageKind::Usage, window + Duration::microseconds(1)), Some(Action::UsageBackdate));
        assert_eq!(correction(UsageKind::Refund, Duration::zero()), Some(Action::UsageRefund));
        assert!(UsedAt::try_from("1999-12-31T23:59:59.999Z".parse::<DateTime<Utc>>().unwrap()).is_err());
        assert!(UsageSeconds::try_from(86_400).is_ok());
        assert!(UsageSeconds::try_from(86_401).is_err() && UsageSeconds::try_from(-1).is_err());
    }
}
