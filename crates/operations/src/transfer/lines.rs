//! The lines, and what they are in the words of the domain. Every value is parsed on the way in as if a caller had sent it.

mod brand;
mod people;
mod record;
mod tenant;
mod work;
mod workspace;

use std::str::FromStr;

use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize};
use tenantry_domain::{Cap, FieldRefusal, Locale, Refusal, SlotNumber, TenantId, WorkspaceId};
use tenantry_persistence::LastNumbers;

pub(super) use self::{
    brand::BrandLine,
    people::{InvitationLine, MemberLine},
    record::{ApiKeyLine, AuditEventLine},
    tenant::Header,
    work::{AgentLine, UsageEntryLine},
    workspace::{IntegrationLine, WorkspaceLine},
};

/// The form of the lines. Each change of it is a new number, and files of another form are refused.
pub(super) const VERSION: u32 = 2;

/// The largest number or version that is read: what comes after it still fits everywhere, in JSON too.
const MOST: i64 = 1 << 53;

/// One line. The kinds stand in this order, so that what a line refers to came before it.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Line {
    Export(Header),
    Brand(Box<BrandLine>),
    Workspace(Box<WorkspaceLine>),
    Integration(Box<IntegrationLine>),
    Agent(Box<AgentLine>),
    UsageEntry(Box<UsageEntryLine>),
    Member(MemberLine),
    Invitation(InvitationLine),
    ApiKey(Box<ApiKeyLine>),
    AuditEvent(Box<AuditEventLine>),
    End(End),
}

impl Line {
    /// Where its kind stands in the file. Integrations stand right behind their workspace.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Export(_) => 0,
            Self::Brand(_) => 1,
            Self::Workspace(_) | Self::Integration(_) => 2,
            Self::Agent(_) => 3,
            Self::UsageEntry(_) => 4,
            Self::Member(_) => 5,
            Self::Invitation(_) => 6,
            Self::ApiKey(_) => 7,
            Self::AuditEvent(_) => 8,
            Self::End(_) => 9,
        }
    }
}

/// The last line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct End {
    /// How many lines came before it.
    pub(super) lines: u64,
}

/// Where the lines are read into.
#[derive(Clone, Copy)]
pub(super) struct Target {
    /// The tenant.
    pub(super) tenant_id: TenantId,
    /// The largest numbers that were given, by the header.
    pub(super) last: LastNumbers,
}

/// Collects what is refused of one line, so that all of it is said at once.
#[derive(Default)]
struct Reading(Vec<FieldRefusal>);

impl Reading {
    fn refuse(&mut self, refusal: FieldRefusal) {
        self.0.push(refusal);
    }

    fn parsed<T>(&mut self, field: &str, parsed: Result<T, Refusal>) -> Option<T> {
        parsed.map_err(|refusal| self.refuse(refusal.of(field))).ok()
    }

    fn value<T: FromStr<Err = Refusal>>(&mut self, field: &str, raw: &str) -> Option<T> {
        self.parsed(field, raw.parse())
    }

    fn optional<T: FromStr<Err = Refusal>>(&mut self, field: &str, raw: Option<&str>) -> Option<T> {
        raw.and_then(|raw| self.value(field, raw))
    }

    fn cap(&mut self, field: &str, raw: Option<u32>) -> Option<Cap> {
        raw.and_then(|raw| self.parsed(field, Cap::try_from(i64::from(raw))))
    }

    /// A number that was given, and so is not beyond the last one that the header names.
    fn given<T: FromStr<Err = Refusal>>(&mut self, field: &str, raw: i64, last: (&str, i64)) -> Option<T> {
        if raw > last.1 {
            let message = format!("is {raw}, but {} in the header is only {}", last.0, last.1);
            self.refuse(Refusal::new("out_of_range", message).of(field));
        }
        self.value(field, &raw.to_string())
    }

    fn slot(
        &mut self,
        field: &str,
        (number, workspace): (i64, &str),
        target: Target,
    ) -> Option<(SlotNumber, WorkspaceId)> {
        let number = self.given(&format!("{field}.number"), number, ("lastSlotNumber", target.last.slot));
        let workspace = self.value(&format!("{field}.workspaceId"), workspace);
        number.zip(workspace)
    }

    fn version(&mut self, field: &str, version: i64) -> i64 {
        if !(1..=MOST).contains(&version) {
            let message = format!("must be from 1 to {MOST}, not {version}");
            self.refuse(Refusal::new("out_of_range", message).of(field));
        }
        version
    }

    /// A time that PostgreSQL has and somebody means.
    fn time(&mut self, field: &str, time: DateTime<Utc>) -> DateTime<Utc> {
        if !(1..=9999).contains(&time.year()) {
            self.refuse(Refusal::new("not_a_time", "must be in the years 1 to 9999").of(field));
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

/// The four fields that make a locale, under the names that they have in this line.
fn locale(reading: &mut Reading, fields: [(&str, &str); 4]) -> Option<Locale> {
    let [country, language, currency, workspace_type] = fields;
    let country = reading.value(country.0, country.1);
    let language = reading.value(language.0, language.1);
    let currency = reading.value(currency.0, currency.1);
    let workspace_type = reading.value(workspace_type.0, workspace_type.1);
    Some(Locale { country: country?, language: language?, currency: currency?, workspace_type: workspace_type? })
}

/// A value that may be missing, as text.
fn text<T>(value: Option<&T>, as_str: impl Fn(&T) -> &str) -> Option<String> {
    value.map(|value| as_str(value).to_owned())
}
