//! Where: the place in which a credential wants to stand while something is done.

use crate::{BrandId, MemberId, TenantId, WorkspaceId, WorkspaceNumber};

/// Above all tenants: the list of tenants, and nothing inside any of them.
#[derive(Debug, Clone, Copy)]
pub struct Platform;

/// Above one tenant: its account, its limits and how much of them is used, and nothing inside it.
#[derive(Debug, Clone, Copy)]
pub struct OverTenant(pub TenantId);

/// The tenant that the credential names.
#[derive(Debug, Clone, Copy)]
pub struct InTenant;

/// A brand of that tenant.
#[derive(Debug, Clone, Copy)]
pub enum InBrand {
    /// This brand.
    Id(BrandId),
    /// The brand meant where none is named: the one the credential is restricted to, else the tenant's default brand.
    Default,
}

/// A workspace of that tenant.
#[derive(Debug, Clone, Copy)]
pub enum InWorkspace {
    /// This workspace.
    Id(WorkspaceId),
    /// The workspace with this number.
    Number(WorkspaceNumber),
}

impl From<WorkspaceId> for InWorkspace {
    fn from(id: WorkspaceId) -> Self {
        Self::Id(id)
    }
}

impl From<WorkspaceNumber> for InWorkspace {
    fn from(number: WorkspaceNumber) -> Self {
        Self::Number(number)
    }
}

/// A workspace of that tenant that is there, or was deleted and is not erased yet.
#[derive(Debug, Clone, Copy)]
pub struct InRestorableWorkspace(pub WorkspaceId);

/// At a member of that tenant. Who does not reach all of the tenant finds itself there and nobody else.
#[derive(Debug, Clone, Copy)]
pub struct InMember(pub MemberId);
