//! Bodies.

use tenantry_domain::{
    AccountSid, Cap, EmailAddress, IntegrationPatch, PlainField, PlainSecret, Provider, WorkspaceLimitsPatch,
    WorkspaceName, WorkspaceNumber, WorkspacePatch,
};
use tenantry_operations::numbered::WorkspaceChanges;

use crate::extract::{Optional, Required, request};

request! {
    /// A workspace to create. Everything except its name comes from the tenant's defaults.
    #[example({ "name": "First Workspace" })]
    pub(crate) struct Create as CallFluentCreate {
        /// Name of the new workspace.
        name: Required<WorkspaceName>,
    }
}

request! {
    /// Whom to invite, and to which workspace.
    #[example({ "workspace_id": 1, "email": "margaret@example.com" })]
    pub(crate) struct Invite as CallFluentInvite {
        /// The workspace's number.
        workspace_id as "workspace_id": Required<WorkspaceNumber>,
        /// Email of the new member.
        email: Required<EmailAddress>,
    }
}

request! {
    /// A change to a workspace. Fields you leave out keep their value.
    #[example({ "name": "New Workspace", "maxMins": 9999 })]
    pub(crate) struct Update as CallFluentUpdate {
        /// Workspace name.
        name: Optional<WorkspaceName>,
        /// Twilio SID.
        sid: Optional<AccountSid>,
        /// Twilio auth token.
        auth_token as "auth_token": Optional<PlainSecret>,
        /// ElevenLabs API key.
        elevenlabs_key as "elevenlabs_key": Optional<PlainSecret>,
        /// OpenAI API key.
        openai_key as "openai_key": Optional<PlainSecret>,
        /// Monthly limit of minutes.
        max_mins: Optional<Cap>,
        /// How many members the workspace may have.
        max_members: Optional<Cap>,
        /// How many agents the workspace may have.
        max_agents: Optional<Cap>,
    }
}

impl Update {
    pub(super) fn into_domain(self) -> WorkspaceChanges {
        let limits = WorkspaceLimitsPatch {
            max_minutes: self.max_mins.map(Some),
            max_members: self.max_members.map(Some),
            max_agents: self.max_agents.map(Some),
            time_zone: None,
        };
        let has_limits = [limits.max_minutes, limits.max_members, limits.max_agents].iter().any(Option::is_some);
        let mut integrations = Vec::new();
        for (provider, plain, secret) in [
            (Provider::Twilio, self.sid.map(PlainField::Sid), self.auth_token),
            (Provider::ElevenLabs, None, self.elevenlabs_key),
            (Provider::OpenAi, None, self.openai_key),
        ] {
            if plain.is_some() || secret.is_some() {
                // It knows no API keys: the secret is that of the account.
                let api_key_sid = secret.as_ref().map(|_| None);
                // Nor regions: the one that was set stays.
                let (plain, secret) = (plain.map(Some), secret.map(Some));
                let patch = IntegrationPatch { plain, api_key_sid, secret, ..IntegrationPatch::default() };
                integrations.push((provider, patch));
            }
        }
        WorkspaceChanges {
            workspace: WorkspacePatch { name: self.name, ..WorkspacePatch::default() },
            limits: has_limits.then_some(limits),
            integrations,
        }
    }
}
