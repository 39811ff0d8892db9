//! Why a good request cannot be carried out in the present state of things: one closed list, so that code decides by name and
//! the documentation can be held against it.

use serde::{Serialize, Serializer};

use crate::values::Choice;

/// The reason of a conflict. Its word is the stable `code` of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words say it, and `docs/api-design.md` has a sentence for each")]
pub enum Conflict {
    LimitReached,
    SlugTaken,
    ExternalIdTaken,
    DefaultBrand,
    BrandHasWorkspaces,
    AlreadyMember,
    LastOwner,
    MemberSuspended,
    AlreadyInvited,
    InvitationAccepted,
    InvitationRevoked,
    InvitationReplaced,
    InvitationExpired,
    ApiKeyEnded,
    ApiKeyRotated,
    OwnApiKey,
    ReferenceTaken,
    ReferenceConflict,
    RefundExceedsUsage,
    NotConnected,
    IntegrationIncomplete,
    SecretUnreadable,
    TenantDeleted,
    TenantNotEmpty,
    TenantExists,
    TransferKeyMismatch,
    MessageSent,
    MessageDropped,
    RequestInProgress,
    AnswerUnreadable,
    WebhookDisabled,
}

impl Choice for Conflict {
    const ALL: &'static [(Self, &'static str)] = &[
        (Self::LimitReached, "limit_reached"),
        (Self::SlugTaken, "slug_taken"),
        (Self::ExternalIdTaken, "external_id_taken"),
        (Self::DefaultBrand, "default_brand"),
        (Self::BrandHasWorkspaces, "brand_has_workspaces"),
        (Self::AlreadyMember, "already_member"),
        (Self::LastOwner, "last_owner"),
        (Self::MemberSuspended, "member_suspended"),
        (Self::AlreadyInvited, "already_invited"),
        (Self::InvitationAccepted, "invitation_accepted"),
        (Self::InvitationRevoked, "invitation_revoked"),
        (Self::InvitationReplaced, "invitation_replaced"),
        (Self::InvitationExpired, "invitation_expired"),
        (Self::ApiKeyEnded, "api_key_ended"),
        (Self::ApiKeyRotated, "api_key_rotated"),
        (Self::OwnApiKey, "own_api_key"),
        (Self::ReferenceTaken, "reference_taken"),
        (Self::ReferenceConflict, "reference_conflict"),
        (Self::RefundExceedsUsage, "refund_exceeds_usage"),
        (Self::NotConnected, "not_connected"),
        (Self::IntegrationIncomplete, "integration_incomplete"),
        (Self::SecretUnreadable, "secret_unreadable"),
        (Self::TenantDeleted, "tenant_deleted"),
        (Self::TenantNotEmpty, "tenant_not_empty"),
        (Self::TenantExists, "tenant_exists"),
        (Self::TransferKeyMismatch, "transfer_key_mismatch"),
        (Self::MessageSent, "message_sent"),
        (Self::MessageDropped, "message_dropped"),
        (Self::RequestInProgress, "request_in_progress"),
        (Self::AnswerUnreadable, "answer_unreadable"),
        (Self::WebhookDisabled, "webhook_disabled"),
    ];
}
crate::values::choices!(Conflict);

impl Serialize for Conflict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
