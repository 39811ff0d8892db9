//! What a caller asks of agents.

use tenantry_domain::{
    AgentDetails, AgentName, AgentPatch, AgentReference, AgentStatus, ExternalId, Labels, Sort, VoiceName,
};
use tenantry_operations::AgentFilter;

use crate::extract::{
    ChangedMetadata, Clearable, Filters, MatchedMetadata, NewMetadata, Nullable, Optional, OptionalAs, OrDefault,
    Required, query, request,
};

request! {
    /// An agent to create.
    #[example({
        "name": "Order desk",
        "externalReference": "agent-4712",
        "voice": "shimmer",
        "externalId": "crm-4712",
        "metadata": { "tier": "gold" },
    })]
    pub(crate) struct CreateAgent {
        /// Display name.
        name: Required<AgentName>,
        /// The agent's name in another system, unique in the workspace.
        external_reference: Nullable<AgentReference>,
        /// The agent's voice, by its provider's name for it.
        voice: Nullable<VoiceName>,
        /// Whether the agent takes calls.
        status: OrDefault<AgentStatus>,
        /// The agent's ID in another system, unique in the tenant.
        external_id: Nullable<ExternalId>,
        /// Your own notes about the agent.
        metadata: NewMetadata,
    }
}

impl CreateAgent {
    pub(super) fn into_domain(self) -> AgentDetails {
        AgentDetails {
            name: self.name,
            external_reference: self.external_reference,
            voice: self.voice,
            status: self.status,
            labels: Labels { external_id: self.external_id, metadata: self.metadata },
        }
    }
}

request! {
    /// A change to an agent, as a JSON merge patch (RFC 7396): fields you leave out keep their value, and `null` clears
    /// a field.
    #[example({ "status": "paused", "voice": null })]
    pub(crate) struct UpdateAgent => AgentPatch {
        /// Display name.
        name: Optional<AgentName>,
        /// The agent's name in another system, unique in the workspace.
        external_reference: Clearable<AgentReference>,
        /// The agent's voice, by its provider's name for it.
        voice: Clearable<VoiceName>,
        /// Whether the agent takes calls.
        status: Optional<AgentStatus>,
        /// The agent's ID in another system, unique in the tenant.
        external_id: Clearable<ExternalId>,
        /// Your own notes about the agent. What you leave out stays.
        metadata: ChangedMetadata,
    }
}

query! {
    /// Which agents.
    pub(crate) struct AgentFilters => AgentFilter {
        /// Only agents in this status.
        status: Optional<AgentStatus>,
        /// Only the agent with this external reference.
        external_reference: Optional<AgentReference>,
        /// Only the agent with this external ID.
        external_id: Optional<ExternalId>,
        /// Only agents with this metadata: one parameter for each entry, such as `metadata.tier=gold`.
        metadata: MatchedMetadata,
        /// Only agents whose name contains this text, in upper or lower case, with or without accents.
        search as "q": OptionalAs<AgentName, String>,
    }
}

impl Filters for AgentFilters {
    type Sort = Sort;
}
