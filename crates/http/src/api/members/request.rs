//! What a caller asks of members.

use tenantry_domain::{
    EmailAddress, ExternalId, IssuerName, Line, MemberId, MemberPatch, MemberStatus, PeopleSort, Role, Subject,
    WorkspaceId, demo,
};
use tenantry_operations::MemberFilter;

use crate::extract::{
    ChangedMetadata, Clearable, Filters, MatchedMetadata, Optional, OptionalAs, Required, query, request,
};

request! {
    /// A change to a member, as a JSON merge patch (RFC 7396): fields you leave out keep their value.
    #[example({ "role": "observer" })]
    pub(crate) struct UpdateMember => MemberPatch {
        /// The new email address, which no other member and no pending invitation in the tenant has.
        email: Optional<EmailAddress>,
        /// The new role.
        role: Optional<Role>,
        /// `suspended` locks the member out from the next request on; `active` lets them in again.
        status: Optional<MemberStatus>,
        /// The issuer of the member's access tokens from now on, exactly as in `iss`: for a new identity provider.
        issuer: Optional<IssuerName>,
        /// The member's subject at that issuer. Tokens of the issuer and subject from before are refused from the next request on.
        subject: Optional<Subject>,
        /// The member's ID in another system, unique in the tenant. `null` clears it.
        external_id: Clearable<ExternalId>,
        /// Your own notes about the member. What you leave out stays.
        metadata: ChangedMetadata,
    }
}

request! {
    /// Who becomes an owner.
    #[example({ "memberId": demo::MEMBER.to_string() })]
    pub(crate) struct TransferOwnership {
        /// Another active member of the tenant.
        member_id: Required<MemberId>,
    }
}

query! {
    /// Which members.
    pub(crate) struct MemberFilters => MemberFilter {
        /// Only members in this role.
        role: Optional<Role>,
        /// Only members in this status.
        status: Optional<MemberStatus>,
        /// Only members assigned to this workspace.
        workspace_id: Optional<WorkspaceId>,
        /// Only the member with this external ID.
        external_id: Optional<ExternalId>,
        /// Only members with this metadata: one parameter for each entry, such as `metadata.tier=gold`.
        metadata: MatchedMetadata,
        /// Only members whose email address contains this text, in upper or lower case, with or without accents.
        search as "q": OptionalAs<Line<254>, String>,
    }
}

impl Filters for MemberFilters {
    type Sort = PeopleSort;
}
