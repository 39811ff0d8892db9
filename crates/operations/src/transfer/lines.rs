//! The kinds of lines, and what they are in the words of the domain. Each kind has a file, with its way out and its way in;
//! everything that goes through all kinds is here. Every value is parsed on the way in as if a caller had sent it.

mod brand;
mod outbox;
mod people;
mod record;
mod tenant;
mod webhook;
mod work;
mod workspace;

use std::{collections::BTreeMap, fmt, str::FromStr};

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use tenantry_auth::seal::TransferContext;
use tenantry_domain::{
    Cap, FieldRefusal, Fields, InTenant, InvitationDays, Labels, Locale, Metadata, Refusal, SlotNumber, TenantId,
    WorkspaceId, counted, time_text,
};
use tenantry_persistence::{Fault, KeptInvitation, LastNumbers, Tx};

pub(super) use self::tenant::Header;
use self::{
    brand::BrandLine,
    outbox::OutboxMessageLine,
    people::{InvitationLine, MemberLine},
    record::{ApiKeyLine, AuditEventLine},
    webhook::WebhookLine,
    work::{AgentLine, UsageEntryLine},
    workspace::{IntegrationLine, WorkspaceLine},
};
use super::{
    export::Out,
    import::{Row, unexpected},
    sealing::Sealing,
};

/// The form of the lines. Each change of a kind is a new number, and files of another form are refused. A new kind is not such a
/// change: a program that does not know it names it and refuses the file.
pub(super) const VERSION: u32 = 2;

/// The largest number or version that is read. As many can come after it before JSON no longer tells one from the next.
const MOST: i64 = 1 << 52;

/// The first year that a time can be in. Nothing here is older.
const FIRST_YEAR: i32 = 2000;

/// How far the clock of the other database may be ahead.
const AHEAD: TimeDelta = TimeDelta::hours(1);

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
    Webhook(Box<WebhookLine>),
    OutboxMessage(Box<OutboxMessageLine>),
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
            Self::Webhook(_) => 8,
            Self::OutboxMessage(_) => 9,
            Self::AuditEvent(_) => 10,
            Self::End(_) => 11,
        }
    }
}

/// Writes all lines between the first and the last one.
pub(super) fn export(tx: &mut Tx<'_, InTenant>, out: &mut Out<'_>, counts: &mut Counts) -> Result<(), Fault> {
    BrandLine::export(tx, out, counts)?;
    WorkspaceLine::export(tx, out, counts)?;
    AgentLine::export(tx, out, counts)?;
    UsageEntryLine::export(tx, out, counts)?;
    MemberLine::export(tx, out, counts)?;
    InvitationLine::export(tx, out, counts)?;
    ApiKeyLine::export(tx, out, counts)?;
    WebhookLine::export(tx, out, counts)?;
    OutboxMessageLine::export(tx, out, counts)?;
    AuditEventLine::export(tx, out, counts)
}

impl Line {
    /// What the line holds, and counts it; nothing for what is not taken over.
    pub(super) fn read(
        self,
        target: Target,
        sealing: Option<&Sealing>,
        counts: &mut Counts,
    ) -> Result<Option<Row>, Vec<FieldRefusal>> {
        Ok(Some(match self {
            Self::Brand(line) => {
                counts.brands += 1;
                Row::Brand(line.into_brand(target)?)
            }
            Self::Workspace(line) => {
                counts.workspaces += 1;
                Row::Workspace(line.into_workspace(target)?)
            }
            Self::Integration(line) => {
                counts.integrations += 1;
                let secret = sealing.map(|sealing| line.secret(target, sealing)).transpose()?.flatten();
                counts.secrets_to_set += u64::from(line.had_secret() && secret.is_none());
                Row::Integration((line.into_integration(target)?, secret))
            }
            Self::Agent(line) => {
                counts.agents += 1;
                Row::Agent(line.into_agent(target)?)
            }
            Self::UsageEntry(line) => {
                counts.usage_entries += 1;
                Row::UsageEntry(line.into_entry(target)?)
            }
            Self::Member(line) => {
                counts.members += 1;
                Row::Member(line.into_member(target)?)
            }
            Self::Invitation(line) => {
                counts.invitations += 1;
                let tokens = sealing.map(|sealing| line.tokens(target, sealing)).transpose()?;
                let (invitation, slots) = line.into_invitation(target)?;
                Row::Invitation(KeptInvitation { invitation, slots, tokens })
            }
            Self::Webhook(line) => {
                counts.webhooks += 1;
                let secret = sealing.map(|sealing| line.secret(target, sealing)).transpose()?.flatten();
                Row::Webhook((line.into_webhook(target)?, secret))
            }
            Self::ApiKey(line) => {
                let Some(sealing) = sealing else { return Ok(None) };
                counts.api_keys += 1;
                Row::ApiKey(line.into_api_key(target, sealing)?)
            }
            Self::OutboxMessage(line) => {
                counts.outbox_messages += 1;
                Row::OutboxMessage(line.into_message(target)?)
            }
            Self::AuditEvent(_) => return Ok(None),
            Self::Export(_) | Self::End(_) => return Err(vec![unexpected("is in the middle of the file")]),
        }))
    }
}

impl Line {
    /// The line as it is compared, with digests in the place of secrets if there is a key to open them; nothing for what is not
    /// compared. Where secrets stayed behind, what an import changes for that is no difference.
    pub(super) fn comparable(self, tenant: TenantId, how: Comparing<'_>) -> Result<Option<Self>, FieldRefusal> {
        Ok(Some(match (self, how) {
            (Self::Export(header), _) => Self::Export(header.comparable()),
            (Self::End(_) | Self::AuditEvent(_), _) => return Ok(None),
            (Self::ApiKey(_) | Self::OutboxMessage(_), Comparing::WithoutSecrets) => return Ok(None),
            (Self::Integration(line), Comparing::WithoutSecrets) => Self::Integration(line.bare()),
            (Self::Webhook(line), Comparing::WithoutSecrets) => Self::Webhook(line.comparable()),
            (Self::Invitation(line), Comparing::WithoutSecrets) => Self::Invitation(line.comparable()),
            (Self::Integration(line), Comparing::OfFile(sealing)) => Self::Integration(line.revealed(tenant, sealing)?),
            (Self::Webhook(line), Comparing::OfFile(sealing)) => Self::Webhook(line.revealed(tenant, sealing)?),
            (Self::Invitation(line), Comparing::OfFile(sealing)) => Self::Invitation(line.revealed(tenant, sealing)?),
            (Self::ApiKey(line), Comparing::OfFile(sealing)) => Self::ApiKey(line.revealed(tenant, sealing)?),
            (line, _) => line,
        }))
    }

    /// What it is, for people, and by what it is found on the other side.
    pub(super) fn name(&self) -> String {
        let value = serde_json::to_value(self).unwrap_or_default();
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        match self {
            Self::Export(_) => "tenant".to_owned(),
            Self::Integration(_) => {
                format!("integration {} of the workspace {}", text("provider"), text("workspaceId"))
            }
            _ => format!("{} {}", text("type"), text("id")),
        }
    }
}

/// How lines are compared.
#[derive(Clone, Copy)]
pub(super) enum Comparing<'a> {
    /// Secrets stayed behind.
    WithoutSecrets,
    /// The lines of a file, whose secrets are sealed.
    OfFile(&'a Sealing),
    /// The lines of a tenant, which have digests already.
    OfTenant,
}

#[cfg(test)]
impl Line {
    /// Whether all of its values are good.
    pub(super) fn reads(self, target: Target) -> bool {
        match self {
            Self::Brand(line) => line.into_brand(target).is_ok(),
            Self::Workspace(line) => line.into_workspace(target).is_ok(),
            Self::Integration(line) => line.into_integration(target).is_ok(),
            Self::Agent(line) => line.into_agent(target).is_ok(),
            Self::UsageEntry(line) => line.into_entry(target).is_ok(),
            Self::Member(line) => line.into_member(target).is_ok(),
            Self::Invitation(line) => line.into_invitation(target).is_ok(),
            Self::Webhook(line) => line.into_webhook(target).is_ok(),
            Self::OutboxMessage(line) => line.into_message(target).is_ok(),
            Self::Export(_) | Self::ApiKey(_) | Self::AuditEvent(_) | Self::End(_) => false,
        }
    }
}

/// How many of each kind of thing there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names say it")]
pub struct Counts {
    pub brands: u64,
    pub workspaces: u64,
    pub integrations: u64,
    /// How many integrations had a secret, which does not come along and has to be set again.
    pub secrets_to_set: u64,
    pub agents: u64,
    pub usage_entries: u64,
    pub members: u64,
    pub invitations: u64,
    pub webhooks: u64,
    pub outbox_messages: u64,
    pub api_keys: u64,
    pub audit_events: u64,
}

impl Counts {
    /// These fields and the counts, as the audit log has them.
    pub(super) fn added_to(self, fields: Fields) -> Fields {
        let counts = serde_json::to_value(self).unwrap_or_default();
        counts.as_object().into_iter().flatten().fold(fields, |fields, (name, count)| fields.with(name, count.clone()))
    }
}

impl fmt::Display for Counts {
    /// For a person; without what is only exported, where there is none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without `..`: a kind that is not told is an error.
        let Self {
            brands,
            workspaces,
            integrations,
            secrets_to_set: _,
            agents,
            usage_entries,
            members,
            invitations,
            webhooks,
            outbox_messages,
            api_keys,
            audit_events,
        } = self;
        let mut parts = vec![
            counted(*brands, "brand"),
            counted(*workspaces, "workspace"),
            counted(*integrations, "integration"),
            counted(*agents, "agent"),
            counted(*usage_entries, "usage entry"),
            counted(*members, "member"),
            counted(*invitations, "invitation"),
            counted(*webhooks, "webhook"),
        ];
        if *outbox_messages > 0 {
            parts.push(counted(*outbox_messages, "email"));
        }
        if api_keys + audit_events > 0 {
            parts.extend([counted(*api_keys, "API key"), counted(*audit_events, "audit event")]);
        }
        f.write_str(&parts.join(", "))
    }
}

/// The last line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct End {
    /// How many lines came before it.
    pub(super) lines: u64,
    /// The digest of what came before it, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sealed: Option<String>,
}

/// Where the digest of a whole file stands, and where alone it is good.
pub(super) fn whole_file(tenant: TenantId) -> TransferContext<'static> {
    TransferContext { tenant, kind: "end", place: "" }
}

/// Where the lines are read into.
#[derive(Clone, Copy)]
pub(super) struct Target {
    /// The tenant.
    pub(super) tenant_id: TenantId,
    /// The largest numbers that were given, by the header.
    pub(super) last: LastNumbers,
    /// When, by the database.
    pub(super) now: DateTime<Utc>,
    /// Whether secrets come along.
    pub(super) sealed: bool,
}

/// Collects what is refused of one line, so that all of it is said at once.
struct Reading {
    refused: Vec<FieldRefusal>,
    now: DateTime<Utc>,
}

impl Reading {
    fn at(now: DateTime<Utc>) -> Self {
        Self { refused: Vec::new(), now }
    }

    fn refuse(&mut self, refusal: FieldRefusal) {
        self.refused.push(refusal);
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

    /// An external ID and metadata.
    fn labels(&mut self, external_id: Option<&str>, metadata: &Entries) -> Labels {
        let pairs = metadata.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Labels {
            external_id: self.optional("externalId", external_id),
            metadata: self.parsed("metadata", Metadata::of(pairs)).unwrap_or_default(),
        }
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

    /// When something happened, which is not in the future.
    fn time(&mut self, field: &str, time: DateTime<Utc>) -> DateTime<Utc> {
        self.until(field, time, self.now + AHEAD)
    }

    /// When something ends that has begun at most [`InvitationDays`] before.
    fn expiry(&mut self, field: &str, time: DateTime<Utc>) -> DateTime<Utc> {
        self.until(field, time, self.now + AHEAD + InvitationDays::MAX.duration())
    }

    /// When something is to happen.
    fn someday(&mut self, field: &str, time: DateTime<Utc>) -> DateTime<Utc> {
        self.until(field, time, DateTime::<Utc>::MAX_UTC)
    }

    fn until(&mut self, field: &str, time: DateTime<Utc>, last: DateTime<Utc>) -> DateTime<Utc> {
        if time.year() < FIRST_YEAR {
            let message = format!("must be in the year {FIRST_YEAR} or later, not {}", time_text(time));
            self.refuse(Refusal::new("not_a_time", message).of(field));
        } else if time > last {
            let message = format!("is {}, but must not be after {}", time_text(time), time_text(last));
            self.refuse(Refusal::new("in_the_future", message).of(field));
        }
        time
    }

    fn optional_time(&mut self, field: &str, time: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        time.map(|time| self.time(field, time))
    }

    /// What was read, if nothing was refused.
    fn end<T>(self, read: Option<T>) -> Result<T, Vec<FieldRefusal>> {
        match read {
            Some(read) if self.refused.is_empty() => Ok(read),
            _ => Err(self.refused),
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

/// Metadata as it stands in a line.
type Entries = BTreeMap<String, String>;

fn entries(metadata: &Metadata) -> Entries {
    metadata.entries().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A value that may be missing, as text.
fn text<T>(value: Option<&T>, as_str: impl Fn(&T) -> &str) -> Option<String> {
    value.map(|value| as_str(value).to_owned())
}
