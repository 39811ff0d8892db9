//! What an API key can be allowed to do.

use crate::values::{Choice, choices};

/// What an API key may be allowed to do. `write` does not include `read`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Scope {
    WorkspacesRead,
    WorkspacesWrite,
    BrandsRead,
    BrandsWrite,
    MembersRead,
    MembersWrite,
    KeysRead,
    KeysWrite,
    UsageRead,
    UsageWrite,
    IntegrationsRead,
    IntegrationsWrite,
    AuditRead,
    TenantRead,
    TenantWrite,
    WebhooksRead,
    WebhooksWrite,
}

impl Choice for Scope {
    const ALL: &'static [(Self, &'static str)] = &[
        (Self::WorkspacesRead, "workspaces:read"),
        (Self::WorkspacesWrite, "workspaces:write"),
        (Self::BrandsRead, "brands:read"),
        (Self::BrandsWrite, "brands:write"),
        (Self::MembersRead, "members:read"),
        (Self::MembersWrite, "members:write"),
        (Self::KeysRead, "keys:read"),
        (Self::KeysWrite, "keys:write"),
        (Self::UsageRead, "usage:read"),
        (Self::UsageWrite, "usage:write"),
        (Self::IntegrationsRead, "integrations:read"),
        (Self::IntegrationsWrite, "integrations:write"),
        (Self::AuditRead, "audit:read"),
        (Self::TenantRead, "tenant:read"),
        (Self::TenantWrite, "tenant:write"),
        (Self::WebhooksRead, "webhooks:read"),
        (Self::WebhooksWrite, "webhooks:write"),
    ];
    const MEANING: &'static str = "What an API key may do.";
}
choices!(Scope);

impl Scope {
    /// Every scope there is.
    pub fn all() -> Vec<Self> {
        Self::ALL.iter().map(|(scope, _)| *scope).collect()
    }
}
