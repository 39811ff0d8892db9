//! What a caller asks of invitations.

use tenantry_domain::{
    EmailAddress, InvitationDays, InvitationDetails, InvitationState, Line, PeopleSort, Role, WorkspaceId, demo,
};
use tenantry_operations::InvitationFilter;

use crate::extract::{Distinct, Filters, Optional, OptionalAs, OrDefault, Required, Verbatim, query, request};

/// The workspaces of an invitation.
pub(super) type Workspaces = Distinct<WorkspaceId, 0, 100>;

request! {
    /// Whom to invite, to which role and workspaces. You cannot invite to a role with permissions that you lack.
    #[example({
        "email": "ada@example.com",
        "role": "agent",
        "workspaceIds": [demo::WORKSPACE.to_string()],
    })]
    pub(crate) struct CreateInvitation {
        /// Unique among members and pending invitations, ignoring case.
        email: Required<EmailAddress>,
        /// The role in the tenant.
        role: Required<Role>,
        /// The workspaces that the new member will be assigned to. Default: none.
        workspace_ids: Optional<Workspaces>,
        /// For how many days the invitation can be accepted.
        expires_in_days: OrDefault<InvitationDays>,
    }
}

impl CreateInvitation {
    pub(super) fn into_domain(self) -> (InvitationDetails, InvitationDays) {
        let workspaces = self.workspace_ids.unwrap_or_default().0;
        (InvitationDetails { email: self.email, role: self.role, workspaces }, self.expires_in_days)
    }
}

request! {
    /// How long the invitation can be accepted, from now.
    #[example({ "expiresInDays": 7 })]
    pub(crate) struct ResendInvitation {
        /// For how many days the invitation can be accepted.
        expires_in_days: OrDefault<InvitationDays>,
    }
}

request! {
    /// The token of an invitation.
    #[example({ "token": "tnt_inv_v1_4sRqZ0uPXt1aGm7LwYcN9k2hD5jF8eBvQo3TxWyKz6iUbMnJpCrVlE1gAdSf0H5qR2wX" })]
    pub(crate) struct AcceptInvitation {
        /// From the link in the newest email.
        token: Required<Verbatim>,
    }
}

request! {
    /// The token of an invitation that somebody wants to look at.
    #[example({ "token": "tnt_inv_v1_4sRqZ0uPXt1aGm7LwYcN9k2hD5jF8eBvQo3TxWyKz6iUbMnJpCrVlE1gAdSf0H5qR2wX" })]
    pub(crate) struct PreviewInvitation {
        /// From the link in an email.
        token: Required<Verbatim>,
    }
}

query! {
    /// Which invitations.
    pub(crate) struct InvitationFilters => InvitationFilter {
        /// Only invitations in this state.
        state: Optional<InvitationState>,
        /// Only invitations to this role.
        role: Optional<Role>,
        /// Only invitations by this actor: the id of a member or of an API key.
        invited_by: OptionalAs<Line<255>, String>,
        /// Only invitations whose email address contains this text, in upper or lower case, with or without accents.
        search as "q": OptionalAs<Line<254>, String>,
    }
}

impl Filters for InvitationFilters {
    type Sort = PeopleSort;
}
