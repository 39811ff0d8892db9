//! What the message of an invitation is written from.

use tenantry_domain::{Brand, Error, InTenant, Invitation, InvitationId, InvitationState, Tenant, Workspace};

use crate::{
    fault::{Fault, Kind},
    tx::Tx,
};

/// An invitation that can be accepted, and all that its message says.
#[derive(Debug, Clone)]
pub struct DueInvitation {
    /// The invitation.
    pub invitation: Invitation,
    /// The tenant of the invitation.
    pub tenant: Tenant,
    /// Its workspaces that are there.
    pub workspaces: Vec<Workspace>,
    /// The brand that writes: of the workspace if there is exactly one, else the tenant's default brand.
    pub brand: Brand,
}

impl Tx<'_, InTenant> {
    /// What the message of an invitation is written from; `None` when there is no more reason to send it.
    pub fn due_invitation(&mut self, id: InvitationId) -> Result<Option<DueInvitation>, Fault> {
        let invitation = match self.invitation(id) {
            Ok(invitation) => invitation,
            Err(Fault(Kind::Refused(Error::NotFound(_)))) => return Ok(None),
            Err(fault) => return Err(fault),
        };
        if invitation.state(self.clock()?) != InvitationState::Pending {
            return Ok(None);
        }
        let mut scope = self.scope();
        let tenant = scope.read_tenant()?;
        let workspaces = scope.workspaces_with(&invitation.details.workspaces)?;
        let brand = match workspaces.as_slice() {
            [one] => scope.brand(one.details.brand_id)?,
            _ => scope.default_brand()?,
        };
        Ok(Some(DueInvitation { invitation, tenant, workspaces, brand }))
    }
}
