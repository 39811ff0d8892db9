//! What an event is about, as the API shows it.

use serde::Serialize;
use serde_json::Value;
use tenantry_operations::Subject;

use super::view::WebhookView;
use crate::api::{
    admin::PlatformTenantWithUsage, agents::AgentView, api_keys::ApiKeyView, brands::BrandView,
    invitations::InvitationView, members::MemberView, tenant::TenantView, workspaces::WorkspaceView,
};

/// The thing as the API shows it.
pub fn subject_view(subject: Subject) -> Value {
    match subject {
        Subject::Tenant(tenant) => json(TenantView::from(tenant)),
        Subject::Account(seen) => json(PlatformTenantWithUsage::from(*seen)),
        Subject::Brand(brand) => json(BrandView::from(brand)),
        Subject::Workspace(workspace) => json(WorkspaceView::from(workspace)),
        Subject::Member(member) => json(MemberView::from(member)),
        Subject::Invitation(invitation, now) => json(InvitationView::of(invitation, now)),
        Subject::ApiKey(key) => json(ApiKeyView::from(key)),
        Subject::Agent(agent) => json(AgentView::from(agent)),
        Subject::Webhook(webhook) => json(WebhookView::from(webhook)),
    }
}

fn json(view: impl Serialize) -> Value {
    serde_json::to_value(view).unwrap_or_default()
}
