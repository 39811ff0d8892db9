//! AI agents: what speaks and writes in a workspace.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    AgentId, AgentName, AgentReference, Conflict, Error, ExternalId, Labels, MetadataPatch, Noun, TenantId, VoiceName,
    WorkspaceId, audit::Fields, brand::kept, ids::Identified, page::SortKey, values::Choice,
};

/// An agent as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Its identifier.
    pub id: AgentId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// The workspace it works in, for as long as it is there.
    pub workspace_id: WorkspaceId,
    /// What its users may change.
    pub details: AgentDetails,
    /// Counts the visible changes, from 1.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Identified for Agent {
    const NOUN: Noun = Noun::Agent;
}

impl SortKey for Agent {
    fn id(&self) -> Uuid {
        self.id.uuid()
    }

    fn name(&self) -> String {
        self.details.name.as_str().to_owned()
    }

    fn times(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        (self.created_at, self.updated_at)
    }
}

/// Whether an agent takes calls. One that is not counts all the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AgentStatus {
    /// It is.
    #[default]
    Active,
    /// It is to take no calls.
    Paused,
}

impl Choice for AgentStatus {
    const ALL: &'static [(Self, &'static str)] = &[(Self::Active, "active"), (Self::Paused, "paused")];
    const MEANING: &'static str = "Whether an agent takes calls.";
}
crate::values::choices!(AgentStatus);

/// The part of an agent that its users may change; also all that is asked of a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentDetails {
    /// Display name.
    pub name: AgentName,
    /// What another system calls it; no two agents of a workspace have the same.
    pub external_reference: Option<AgentReference>,
    /// The voice it speaks with, as the provider of voices names it.
    pub voice: Option<VoiceName>,
    /// Whether it is at work.
    pub status: AgentStatus,
    /// External ID and metadata.
    pub labels: Labels,
}

/// A change to an agent: an outer `None` stays, an inner `None` clears.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of AgentDetails")]
pub struct AgentPatch {
    pub name: Option<AgentName>,
    pub external_reference: Option<Option<AgentReference>>,
    pub voice: Option<Option<VoiceName>>,
    pub status: Option<AgentStatus>,
    pub external_id: Option<Option<ExternalId>>,
    pub metadata: Option<MetadataPatch>,
}

impl AgentDetails {
    /// These details with the change applied.
    ///
    /// # Errors
    ///
    /// See [`Labels::patched`].
    pub fn patched(&self, patch: &AgentPatch) -> Result<Self, Error> {
        Ok(Self {
            name: kept(&patch.name, &self.name),
            external_reference: kept(&patch.external_reference, &self.external_reference),
            voice: kept(&patch.voice, &self.voice),
            status: patch.status.unwrap_or(self.status),
            labels: self.labels.patched(&patch.external_id, &patch.metadata)?,
        })
    }

    /// The fields as the audit log names them.
    pub fn fields(&self) -> Fields {
        let fields = Fields::new()
            .with("name", self.name.as_str())
            .with("externalReference", self.external_reference.as_ref().map(AgentReference::as_str))
            .with("voice", self.voice.as_ref().map(VoiceName::as_str))
            .with("status", self.status.as_str());
        self.labels.add_to(fields)
    }

    /// The refusal of a reference that another agent of the workspace has.
    pub fn reference_taken(&self) -> Error {
        let reference = self.external_reference.as_ref().map(AgentReference::as_str).unwrap_or_default();
        Error::conflict(
            Conflict::ReferenceTaken,
            format!("Another agent in this workspace already has the external reference \"{reference}\"."),
        )
    }
}

impl Agent {
    /// The fields as the audit log names them, with the workspace.
    pub fn fields(&self) -> Fields {
        self.details.fields().with("workspaceId", self.workspace_id.to_string())
    }
}
