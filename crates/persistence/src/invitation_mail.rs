//! What the message of an invitation is written from.

use tenantry_domain::{
    Brand, EmailAddress, Error, InTenant, Invitation, InvitationId, InvitationState, LanguageCode, Maker, Tenant,
    Workspace,
};

use crate::{
    fault::{Fault, Kind},
    scope::TenantScope,
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
    /// The address of the member who invites, if it is an active member.
    pub invited_by: Option<EmailAddress>,
}

impl DueInvitation {
    /// The language that it is written in: of the workspace if there is exactly one, else of the tenant.
    pub fn language(&self) -> LanguageCode {
        match self.workspaces.as_slice() {
            [one] => one.details.locale.language,
            _ => self.tenant.details.defaults.language,
        }
    }
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
        self.scope().invitation_in_words(invitation).map(Some)
    }
}

impl TenantScope<'_> {
    /// An invitation with everything that is told of it.
    pub(crate) fn invitation_in_words(&mut self, invitation: Invitation) -> Result<DueInvitation, Fault> {
        let tenant = self.read_tenant()?;
        let workspaces = self.workspaces_with(&invitation.details.workspaces)?;
        let brand = match workspaces.as_slice() {
            [one] => self.brand(one.details.brand_id)?,
            _ => self.default_brand()?,
        };
        let invited_by = match invitation.invited_by.as_ref().and_then(Maker::member) {
            Some(id) => self.address_of(id)?,
            None => None,
        };
        Ok(DueInvitation { invitation, tenant, workspaces, brand, invited_by })
    }
}
