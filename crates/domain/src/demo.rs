//! The ids of the demo tenant and of what it starts with. They are fixed, and the examples of the OpenAPI document name them: so every
//! example can be sent to a new demo service as it is written.

use uuid::{Uuid, uuid};

use crate::{AgentId, ApiKeyId, BrandId, InvitationId, MemberId, Noun, TenantId, WorkspaceId};

/// The tenant.
pub const TENANT: TenantId = TenantId::from_uuid(uuid!("a0b1c2d3-4567-49ab-8def-0123456789ab"));
/// Its default brand.
pub const BRAND: BrandId = BrandId::from_uuid(uuid!("b1a2c3d4-5678-4abc-9ef0-1234567890ab"));
/// A brand without workspaces, which can be deleted.
pub const OTHER_BRAND: BrandId = BrandId::from_uuid(uuid!("b2a2c3d4-5678-4abc-9ef0-1234567890ab"));
/// Its workspace.
pub const WORKSPACE: WorkspaceId = WorkspaceId::from_uuid(uuid!("c1a2b3c4-5678-4abc-9ef0-1234567890ab"));
/// A key that nobody has the secret of. The owner's key is another one, so that nobody locks themselves out by trying things.
pub const API_KEY: ApiKeyId = ApiKeyId::from_uuid(uuid!("d1a2b3c4-5678-4abc-9ef0-1234567890ab"));
/// A member who is assigned to the workspace.
pub const MEMBER: MemberId = MemberId::from_uuid(uuid!("e1a2b3c4-5678-4abc-9ef0-1234567890ab"));
/// An agent of the workspace.
pub const AGENT: AgentId = AgentId::from_uuid(uuid!("f1a2b3c4-5678-4abc-9ef0-1234567890ab"));
/// An invitation to the workspace. Its email is never sent.
pub const INVITATION: InvitationId = InvitationId::from_uuid(uuid!("01a2b3c4-5678-4abc-9ef0-1234567890ab"));

/// The id of the demo tenant's thing of this kind that anything can be done to, where it starts with one.
pub fn id_of(noun: Noun) -> Option<Uuid> {
    match noun {
        Noun::Tenant => Some(TENANT.uuid()),
        Noun::Brand => Some(OTHER_BRAND.uuid()),
        Noun::Workspace => Some(WORKSPACE.uuid()),
        Noun::Member => Some(MEMBER.uuid()),
        Noun::Invitation => Some(INVITATION.uuid()),
        Noun::ApiKey => Some(API_KEY.uuid()),
        Noun::Agent => Some(AGENT.uuid()),
        Noun::Integration | Noun::UsageEntry | Noun::OutboxMessage | Noun::AuditEvent => None,
    }
}
