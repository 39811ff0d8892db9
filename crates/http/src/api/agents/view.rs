//! What a caller is shown of an agent.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_domain::{Agent, AgentStatus};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    api::{external_id, metadata, millis},
    extract::List,
    schema::Word,
};

type AgentStatusWord = Word<AgentStatus>;

/// An AI agent of a workspace.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Agent)]
pub(crate) struct AgentView {
    /// Unique identifier.
    #[schema(example = "f1a2b3c4-5678-4abc-9ef0-1234567890ab")]
    id: Uuid,
    /// The tenant this agent belongs to.
    #[schema(example = "a0b1c2d3-4567-49ab-8def-0123456789ab")]
    tenant_id: Uuid,
    /// The workspace this agent works in.
    #[schema(example = "c1a2b3c4-5678-4abc-9ef0-1234567890ab")]
    workspace_id: Uuid,
    /// Display name.
    #[schema(example = "Reception")]
    name: String,
    /// The agent's name in another system.
    #[schema(required, example = "agent-4711")]
    external_reference: Option<String>,
    /// The agent's voice, by its provider's name for it.
    #[schema(required, example = "shimmer")]
    voice: Option<String>,
    /// Whether the agent takes calls. A paused agent still counts against the limit.
    #[schema(example = "active")]
    status: AgentStatusWord,
    /// The agent's ID in another system, unique in the tenant.
    #[schema(required, example = "crm-4711")]
    external_id: Option<String>,
    /// Your own notes about the agent, by name.
    #[schema(example = json!({ "tier": "gold" }))]
    metadata: BTreeMap<String, String>,
    /// When it was created.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-01-20T10:00:00.000Z")]
    created_at: DateTime<Utc>,
    /// When it was last updated.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-03-01T16:45:00.000Z")]
    updated_at: DateTime<Utc>,
}

impl From<Agent> for AgentView {
    fn from(agent: Agent) -> Self {
        let details = agent.details;
        Self {
            id: agent.id.uuid(),
            tenant_id: agent.tenant_id.uuid(),
            workspace_id: agent.workspace_id.uuid(),
            name: details.name.as_str().to_owned(),
            external_reference: details.external_reference.map(|text| text.as_str().to_owned()),
            voice: details.voice.map(|text| text.as_str().to_owned()),
            status: Word(details.status),
            external_id: external_id(&details.labels),
            metadata: metadata(&details.labels),
            created_at: agent.created_at,
            updated_at: agent.updated_at,
        }
    }
}

/// A page of them.
pub(crate) type AgentList = List<AgentView>;
