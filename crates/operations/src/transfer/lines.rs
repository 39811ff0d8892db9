//! The lines, and what they are in the words of the domain. Every value is parsed on the way in as if a caller had sent it.

mod account;
mod people;
mod record;

use std::str::FromStr;

use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize};
use tenantry_domain::{FieldRefusal, Refusal};

pub(super) use self::{
    account::{BrandLine, Header, WorkspaceLine},
    people::{InvitationLine, MemberLine},
    record::{ApiKeyLine, AuditEventLine},
};

/// The form of the lines.
pub(super) const VERSION: u32 = 1;

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Line {
    Export(Header),
    Brand(Box<BrandLine>),
    Workspace(Box<WorkspaceLine>),
    Member(MemberLine),
    Invitation(InvitationLine),
    ApiKey(Box<ApiKeyLine>),
    AuditEvent(Box<AuditEventLine>),
    End(End),
}

/// The last line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct End {
    /// How many lines came before it.
    pub(super) lines: u64,
}

/// Collects what is refused of one line, so that all of it is said at once.
#[derive(Default)]
struct Reading(Vec<FieldRefusal>);

impl Reading {
    fn value<T: FromStr<Err = Refusal>>(&mut self, field: &str, raw: &str) -> Option<T> {
        raw.parse().map_err(|refusal: Refusal| self.0.push(refusal.of(field))).ok()
    }

    fn optional<T: FromStr<Err = Refusal>>(&mut self, field: &str, raw: Option<&str>) -> Option<T> {
        raw.and_then(|raw| self.value(field, raw))
    }

    /// A time that PostgreSQL has and somebody means.
    fn time(&mut self, field: &str, time: DateTime<Utc>) -> DateTime<Utc> {
        if !(1..=9999).contains(&time.year()) {
            self.0.push(Refusal::new("not_a_time", "must be in the years 1 to 9999").of(field));
        }
        time
    }

    fn optional_time(&mut self, field: &str, time: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        time.map(|time| self.time(field, time))
    }

    /// What was read, if nothing was refused.
    fn end<T>(self, read: Option<T>) -> Result<T, Vec<FieldRefusal>> {
        match read {
            Some(read) if self.0.is_empty() => Ok(read),
            _ => Err(self.0),
        }
    }
}
