//! What a caller is shown of an invitation.

use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_domain::{Invitation, InvitationState, Member, Role};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    api::{MakerView, members::MemberView, millis, millis_option},
    extract::List,
    schema::Word,
};

type RoleWord = Word<Role>;
type InvitationStateWord = Word<InvitationState>;

/// An invitation is a pending member: an email address, a role and workspaces. It can be accepted until it is revoked
/// or expires.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Invitation)]
pub(crate) struct InvitationView {
    /// Unique identifier. It reveals nothing about the token.
    #[schema(example = "01a2b3c4-5678-4abc-9ef0-1234567890ab")]
    id: Uuid,
    /// The tenant of the invitation.
    #[schema(example = "a0b1c2d3-4567-49ab-8def-0123456789ab")]
    tenant_id: Uuid,
    /// Email address of the invitee.
    #[schema(example = "ada@example.com", format = Email, pattern = "^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$")]
    email: String,
    /// The invitee's future role in the tenant.
    #[schema(example = "agent")]
    role: RoleWord,
    /// The workspaces the invitee will be assigned to.
    workspace_ids: Vec<Uuid>,
    /// The state of the invitation.
    #[schema(example = "pending")]
    state: InvitationStateWord,
    /// Who sent the invitation, or sent it again. `null` for an invitation from before this was recorded.
    #[schema(required)]
    invited_by: Option<MakerView>,
    /// When the invitation expires.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-01-27T10:00:00.000Z")]
    expires_at: DateTime<Utc>,
    /// When it was accepted.
    #[serde(serialize_with = "millis_option")]
    #[schema(required, example = json!(null))]
    accepted_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    #[serde(serialize_with = "millis_option")]
    #[schema(required, example = json!(null))]
    revoked_at: Option<DateTime<Utc>>,
    /// When it was created.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-01-20T10:00:00.000Z")]
    created_at: DateTime<Utc>,
    /// When it last changed.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-01-20T10:00:00.000Z")]
    updated_at: DateTime<Utc>,
}

impl InvitationView {
    /// As it is at this moment.
    pub(crate) fn of(invitation: Invitation, now: DateTime<Utc>) -> Self {
        Self {
            state: Word(invitation.state(now)),
            id: invitation.id.uuid(),
            tenant_id: invitation.tenant_id.uuid(),
            email: invitation.details.email.as_str().to_owned(),
            role: Word(invitation.details.role),
            workspace_ids: invitation.details.workspaces.iter().map(|id| id.uuid()).collect(),
            invited_by: invitation.invited_by.map(MakerView::from),
            expires_at: invitation.expires_at,
            accepted_at: invitation.accepted_at,
            revoked_at: invitation.revoked_at,
            created_at: invitation.created_at,
            updated_at: invitation.updated_at,
        }
    }
}

/// An accepted invitation and the new member.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AcceptedInvitation {
    /// The invitation.
    invitation: InvitationView,
    /// The new member. Their access tokens must name the tenant from now on.
    member: MemberView,
}

impl AcceptedInvitation {
    pub(super) fn of(invitation: Invitation, member: Member, now: DateTime<Utc>) -> Self {
        Self { invitation: InvitationView::of(invitation, now), member: member.into() }
    }
}

/// A page of them.
pub(crate) type InvitationList = List<InvitationView>;
