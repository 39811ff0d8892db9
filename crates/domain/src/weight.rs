//! How much an action reads: what may take long has only a part of the database connections.

use crate::Action;

/// How much the work of an action grows with what its tenant has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Weight {
    /// It reads or writes a few rows, however many there are.
    Light,
    /// It searches or lists: with many rows it takes long.
    Heavy,
}

impl Action {
    /// How much it reads. An operation that answers with more than its action asks for says so where it opens the door.
    pub fn weight(self) -> Weight {
        match self {
            Self::TenantList
            | Self::TenantExport
            | Self::TenantImport
            | Self::BrandList
            | Self::WorkspaceList
            | Self::ApiKeyList
            | Self::MemberList
            | Self::AssignmentList
            | Self::InvitationList
            | Self::AuditEventList
            | Self::OutboxList
            | Self::AgentList
            | Self::WebhookList
            | Self::WebhookDeliveryList => Weight::Heavy,
            _ => Weight::Light,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::POLICY;

    #[test]
    fn every_list_of_a_tenant_is_heavy() {
        for rule in POLICY.iter().filter(|rule| rule.name.ends_with(".list") || rule.name.ends_with(".export")) {
            // The lists of a provider, and of the few integrations that a workspace can have.
            let short = matches!(rule.action, Action::VoiceList | Action::CalendarList | Action::IntegrationList);
            assert_eq!(rule.action.weight() == Weight::Heavy, !short, "{}", rule.name);
        }
        assert_eq!(Action::WorkspaceRead.weight(), Weight::Light);
    }
}
