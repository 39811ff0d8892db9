//! What is done in workspaces: agents, and the ledger of usage.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tenantry_domain::{
    Agent, AgentDetails, AgentReference, ExternalId, FieldRefusal, InTenant, Month, Refusal, UsageEntry, UsageSeconds,
    UsedAt, VoiceName,
};
use tenantry_persistence::{Fault, Tx};

use super::{Counts, Entries, Line, Reading, Target, entries, text};
use crate::transfer::export::{Out, PAGE, by_id};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::transfer) struct AgentLine {
    id: String,
    workspace_id: String,
    name: String,
    external_reference: Option<String>,
    voice: Option<String>,
    status: String,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default)]
    metadata: Entries,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl AgentLine {
    /// Writes every agent.
    pub(super) fn export(tx: &mut Tx<'_, InTenant>, out: &mut Out<'_>, counts: &mut Counts) -> Result<(), Fault> {
        by_id(
            |last| tx.agents_after(last, PAGE),
            |agent| {
                let id = agent.id;
                counts.agents += out.line(Line::Agent(Self::of(agent)))?;
                Ok(id)
            },
        )
    }

    fn of(agent: Agent) -> Box<Self> {
        let details = agent.details;
        Box::new(Self {
            id: agent.id.to_string(),
            workspace_id: agent.workspace_id.to_string(),
            name: details.name.as_str().to_owned(),
            external_reference: text(details.external_reference.as_ref(), AgentReference::as_str),
            voice: text(details.voice.as_ref(), VoiceName::as_str),
            external_id: text(details.labels.external_id.as_ref(), ExternalId::as_str),
            metadata: entries(&details.labels.metadata),
            status: details.status.to_string(),
            version: agent.version,
            created_at: agent.created_at,
            updated_at: agent.updated_at,
        })
    }

    pub(super) fn into_agent(self, target: Target) -> Result<Agent, Vec<FieldRefusal>> {
        let mut reading = Reading::at(target.now);
        let (id, workspace_id) = (reading.value("id", &self.id), reading.value("workspaceId", &self.workspace_id));
        let (name, status) = (reading.value("name", &self.name), reading.value("status", &self.status));
        let external_reference = reading.optional("externalReference", self.external_reference.as_deref());
        let voice = reading.optional("voice", self.voice.as_deref());
        let version = reading.version("version", self.version);
        let created_at = reading.time("createdAt", self.created_at);
        let updated_at = reading.time("updatedAt", self.updated_at);
        let labels = reading.labels(self.external_id.as_deref(), &self.metadata);
        let details =
            name.zip(status).map(|(name, status)| AgentDetails { name, external_reference, voice, status, labels });
        reading.end(id.zip(workspace_id).zip(details).map(|((id, workspace_id), details)| Agent {
            id,
            tenant_id: target.tenant_id,
            workspace_id,
            details,
            version,
            created_at,
            updated_at,
        }))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::transfer) struct UsageEntryLine {
    id: String,
    workspace_id: String,
    kind: String,
    seconds: i64,
    used_at: DateTime<Utc>,
    month: String,
    reference: String,
    created_at: DateTime<Utc>,
}

impl UsageEntryLine {
    /// Writes every entry.
    pub(super) fn export(tx: &mut Tx<'_, InTenant>, out: &mut Out<'_>, counts: &mut Counts) -> Result<(), Fault> {
        by_id(
            |last| tx.usage_after(last, PAGE),
            |entry| {
                let id = entry.id;
                counts.usage_entries += out.line(Line::UsageEntry(Self::of(entry)))?;
                Ok(id)
            },
        )
    }

    fn of(entry: UsageEntry) -> Box<Self> {
        Box::new(Self {
            id: entry.id.to_string(),
            workspace_id: entry.workspace_id.to_string(),
            kind: entry.kind.to_string(),
            seconds: entry.seconds.get().into(),
            used_at: entry.used_at,
            month: entry.month.to_string(),
            reference: entry.reference.as_str().to_owned(),
            created_at: entry.created_at,
        })
    }

    pub(super) fn into_entry(self, target: Target) -> Result<UsageEntry, Vec<FieldRefusal>> {
        let mut reading = Reading::at(target.now);
        let (id, workspace_id) = (reading.value("id", &self.id), reading.value("workspaceId", &self.workspace_id));
        let (kind, reference) = (reading.value("kind", &self.kind), reading.value("reference", &self.reference));
        let seconds = reading.parsed("seconds", UsageSeconds::try_from(self.seconds));
        let used_at = reading.time("usedAt", self.used_at);
        reading.parsed("usedAt", UsedAt::try_from(used_at));
        let month: Option<Month> = reading.value("month", &self.month);
        // Which of the two it was depends on a time zone that may have changed since.
        if month.is_some_and(|month| Month::of_date(used_at.date_naive()).distance(month).abs() > 1) {
            let message = format!("does not fit usedAt, which is {used_at}");
            reading.refuse(Refusal::new("conflicting", message).of("month"));
        }
        let created_at = reading.time("createdAt", self.created_at);
        let what = kind.zip(reference).zip(seconds).zip(month);
        reading.end(id.zip(workspace_id).zip(what).map(
            |((id, workspace_id), (((kind, reference), seconds), month))| UsageEntry {
                id,
                tenant_id: target.tenant_id,
                workspace_id,
                kind,
                seconds,
                used_at,
                month,
                reference,
                created_at,
            },
        ))
    }
}
