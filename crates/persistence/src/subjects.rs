//! What an event is about, as it is now.

use chrono::{DateTime, Utc};
use tenantry_domain::{
    Agent, AgentId, ApiKey, ApiKeyId, Brand, BrandId, Error, InTenant, Invitation, InvitationId, Member, MemberId,
    Noun, Tenant, Use, Webhook, WebhookId, Workspace, WorkspaceId,
};
use uuid::Uuid;

use crate::{
    fault::{Fault, Kind},
    tx::Tx,
};

/// A thing that an event is about.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the types say it")]
pub enum Subject {
    Tenant(Tenant),
    /// As the platform sees it.
    Account(Box<(Tenant, Use)>),
    Brand(Brand),
    Workspace(Workspace),
    Member(Member),
    /// With the time that decides whether it is still open.
    Invitation(Invitation, DateTime<Utc>),
    ApiKey(ApiKey),
    Agent(Agent),
    Webhook(Webhook),
}

impl Tx<'_, InTenant> {
    /// The thing of this kind with this id. `None` where the API shows none: it is gone, or it is never shown by itself.
    pub fn subject(&mut self, kind: Noun, id: Uuid) -> Result<Option<Subject>, Fault> {
        match self.find_subject(kind, id) {
            Err(Fault(Kind::Refused(Error::NotFound(_)))) => Ok(None),
            found => found,
        }
    }

    fn find_subject(&mut self, kind: Noun, id: Uuid) -> Result<Option<Subject>, Fault> {
        Ok(Some(match kind {
            // Another one is looked at from above.
            Noun::Tenant if id != self.found.uuid() => return Ok(None),
            Noun::Tenant => Subject::Tenant(self.tenant()?),
            Noun::Brand => Subject::Brand(self.scope().brand(BrandId::from_uuid(id))?),
            Noun::Workspace => {
                let workspace = self.scope().workspaces_with(&[WorkspaceId::from_uuid(id)])?.pop();
                return Ok(workspace.map(Subject::Workspace));
            }
            Noun::Member => Subject::Member(self.scope().member(MemberId::from_uuid(id))?),
            Noun::Invitation => {
                let invitation = self.invitation(InvitationId::from_uuid(id))?;
                Subject::Invitation(invitation, self.clock()?)
            }
            Noun::ApiKey => Subject::ApiKey(self.api_key(ApiKeyId::from_uuid(id))?),
            Noun::Agent => {
                let agent = self.scope().agent(AgentId::from_uuid(id))?;
                let shown = !self.scope().workspaces_with(&[agent.workspace_id])?.is_empty();
                return Ok(shown.then_some(Subject::Agent(agent)));
            }
            Noun::Webhook => Subject::Webhook(self.webhook(WebhookId::from_uuid(id))?),
            Noun::Integration | Noun::UsageEntry | Noun::OutboxMessage | Noun::AuditEvent | Noun::WebhookDelivery => {
                return Ok(None);
            }
        }))
    }
}
