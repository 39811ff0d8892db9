//! Bodies.

use serde::Deserialize;
use tenantry_domain::{
    AccountSid, Cap, EmailAddress, FieldRefusal, IntegrationPatch, Number, PlainField, PlainSecret, Provider, Refusal,
    Workspace, WorkspaceLimitsPatch, WorkspaceName, WorkspaceNumber, WorkspacePatch,
};
use tenantry_operations::numbered::WorkspaceChanges;
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::extract::{Member, Unknown, check_each, check_number, check_optional, check_required};

/// A workspace to make: a name, and the rest is the tenant's.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = CallFluentCreate, example = json!({ "name": "First Workspace" }))]
pub(crate) struct Create {
    /// Name of the new workspace.
    #[serde(default)]
    #[validate(custom(function = check_required::<WorkspaceName>))]
    #[schema(value_type = String, required, min_length = 1, max_length = 120, example = "First Workspace")]
    name: Member<String>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[schema(ignore)]
    unknown: Unknown,
}

impl Create {
    pub(super) fn into_name(self) -> Result<WorkspaceName, FieldRefusal> {
        self.name.required().map_err(|refusal| refusal.of("name"))
    }
}

/// Whom to invite to which workspace.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = CallFluentInvite, example = json!({ "workspace_id": 14, "email": "ada@example.com" }))]
pub(crate) struct Invite {
    /// The workspace's number.
    #[serde(default)]
    #[validate(custom(function = check_workspace))]
    #[schema(value_type = i64, required, minimum = 1, example = 14)]
    workspace_id: Member<i64>,
    /// E-mail of the new member.
    #[serde(default)]
    #[validate(custom(function = check_required::<EmailAddress>))]
    #[schema(value_type = String, required, max_length = 254, example = "ada@example.com")]
    email: Member<String>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[schema(ignore)]
    unknown: Unknown,
}

fn check_workspace(member: &Member<i64>) -> Result<(), ValidationError> {
    check_each(workspace(member))
}

/// A number that no workspace can have is one that none has.
fn workspace(member: &Member<i64>) -> Result<WorkspaceNumber, Refusal> {
    let number = member.plain()?.ok_or_else(|| Refusal::new("required", "is required"))?;
    Ok(Number::<Workspace>::given((*number).max(0)))
}

impl Invite {
    pub(super) fn into_domain(self) -> Result<(WorkspaceNumber, EmailAddress), FieldRefusal> {
        let number = workspace(&self.workspace_id).map_err(|refusal| refusal.of("workspace_id"))?;
        Ok((number, self.email.required().map_err(|refusal| refusal.of("email"))?))
    }
}

/// A change of a workspace: what is left out stays.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CallFluentUpdate, example = json!({ "name": "New Workspace", "maxMins": 9999 }))]
pub(crate) struct Update {
    /// Workspace name.
    #[serde(default)]
    #[validate(custom(function = check_optional::<WorkspaceName>))]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 120, example = "New Workspace")]
    name: Member<String>,
    /// Twilio SID.
    #[serde(default)]
    #[validate(custom(function = check_optional::<AccountSid>))]
    #[schema(value_type = String, required = false, example = "AC0123456789abcdef0123456789abcdef")]
    sid: Member<String>,
    /// Twilio auth token. It is never shown.
    #[serde(default)]
    #[validate(custom(function = check_optional::<PlainSecret>))]
    #[schema(value_type = String, required = false, write_only)]
    auth_token: Member<String>,
    /// ElevenLabs API key. It is never shown.
    #[serde(default)]
    #[validate(custom(function = check_optional::<PlainSecret>))]
    #[schema(value_type = String, required = false, write_only)]
    elevenlabs_key: Member<String>,
    /// OpenAI API key. It is never shown.
    #[serde(default)]
    #[validate(custom(function = check_optional::<PlainSecret>))]
    #[schema(value_type = String, required = false, write_only)]
    openai_key: Member<String>,
    /// Limit of minutes in a month.
    #[serde(default, rename = "maxMins")]
    #[validate(custom(function = check_number::<Cap>))]
    #[schema(value_type = i64, required = false, minimum = 0, example = 300)]
    max_mins: Member<i64>,
    /// How many members there may be.
    #[serde(default, rename = "maxMembers")]
    #[validate(custom(function = check_number::<Cap>))]
    #[schema(value_type = i64, required = false, minimum = 0, example = 10)]
    max_members: Member<i64>,
    /// How many agents there may be.
    #[serde(default, rename = "maxAgents")]
    #[validate(custom(function = check_number::<Cap>))]
    #[schema(value_type = i64, required = false, minimum = 0, example = 6)]
    max_agents: Member<i64>,
    #[serde(flatten)]
    #[validate(custom(function = Unknown::check))]
    #[schema(ignore)]
    unknown: Unknown,
}

impl Update {
    pub(super) fn into_domain(self) -> Result<WorkspaceChanges, FieldRefusal> {
        let limits = WorkspaceLimitsPatch {
            max_minutes: self.max_mins.number_as("maxMins")?.map(Some),
            max_members: self.max_members.number_as("maxMembers")?.map(Some),
            max_agents: self.max_agents.number_as("maxAgents")?.map(Some),
            time_zone: None,
        };
        let has_limits = [limits.max_minutes, limits.max_members, limits.max_agents].iter().any(Option::is_some);
        let sid: Option<AccountSid> = self.sid.parse_as("sid")?;
        let mut integrations = Vec::new();
        for (provider, plain, secret) in [
            (Provider::Twilio, sid.map(PlainField::Sid), self.auth_token.parse_as("auth_token")?),
            (Provider::ElevenLabs, None, self.elevenlabs_key.parse_as("elevenlabs_key")?),
            (Provider::OpenAi, None, self.openai_key.parse_as("openai_key")?),
        ] {
            if plain.is_some() || secret.is_some() {
                integrations.push((provider, IntegrationPatch { plain: plain.map(Some), secret: secret.map(Some) }));
            }
        }
        Ok(WorkspaceChanges {
            workspace: WorkspacePatch { name: self.name.parse_as("name")?, ..WorkspacePatch::default() },
            limits: has_limits.then_some(limits),
            integrations,
        })
    }
}
