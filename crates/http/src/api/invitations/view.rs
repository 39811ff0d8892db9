//! What a caller is shown of an invitation.

use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_domain::{
    Delivery, DeliveryState, HexColor, Invitation, InvitationOffer, InvitationPreview, InvitationState, Member,
    PreviewState, Role,
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    api::{MakerView, members::MemberView, millis, millis_option},
    extract::List,
    schema::Word,
};

type RoleWord = Word<Role>;
type InvitationStateWord = Word<InvitationState>;
type DeliveryStateWord = Word<DeliveryState>;
type PreviewStateWord = Word<PreviewState>;

/// What has become of the newest email of an invitation.
#[derive(Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(crate) struct DeliveryView {
    /// How far it is: `queued` until the mail server takes it over, then `sent`; `failed` if nobody tries again. `none` if there is no
    /// email, because it was no longer needed or it is more than 30 days ago.
    #[schema(example = "queued")]
    state: DeliveryStateWord,
    /// Why it could not be sent, as a sentence. With `queued`, it will be tried again.
    #[schema(required, example = json!(null))]
    reason: Option<String>,
    /// Since when this is so.
    #[serde(serialize_with = "millis_option")]
    #[schema(required, example = "2026-01-20T10:00:00.000Z")]
    since: Option<DateTime<Utc>>,
}

impl From<Delivery> for DeliveryView {
    fn from(Delivery { state, reason, since }: Delivery) -> Self {
        Self { state: Word(state), reason, since }
    }
}

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
    #[schema(example = "ada@example.com", format = "idn-email", pattern = "^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$")]
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
    /// What has become of its newest email.
    delivery: DeliveryView,
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
            delivery: invitation.delivery.into(),
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

/// What whoever has the token of an invitation may know of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InvitationPreview)]
pub(crate) struct InvitationPreviewView {
    /// The tenant that invites.
    #[schema(example = "Acme Industrial Supply")]
    tenant_name: String,
    /// The brand that writes.
    #[schema(example = "Acme Industrial Supply")]
    brand_name: String,
    /// The primary colour of the brand.
    #[schema(required, example = "#1f4b99")]
    brand_color: Option<String>,
    /// The language of the workspace if there is exactly one, or of the tenant: ISO 639-1.
    #[schema(example = "de")]
    language: &'static str,
    /// What has become of the invitation. `replaced`: it was sent again, with another link.
    #[schema(example = "pending")]
    state: PreviewStateWord,
    /// What it offers; `null` unless it is pending.
    #[schema(required)]
    offer: Option<InvitationOfferView>,
}

/// What a pending invitation offers.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InvitationOffer)]
pub(crate) struct InvitationOfferView {
    /// So much of the invitee's address that they recognise it.
    #[schema(example = "a…@example.com")]
    email_hint: String,
    /// The invitee's future role.
    #[schema(example = "agent")]
    role: RoleWord,
    /// The names of the workspaces they will be assigned to.
    #[schema(example = json!(["DACH Region"]))]
    workspace_names: Vec<String>,
    /// The email address of the member who invites; `null` if it is not an active member.
    #[schema(required, example = "grace@acme.example")]
    invited_by: Option<String>,
    /// Until when it can be accepted.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-01-27T10:00:00.000Z")]
    expires_at: DateTime<Utc>,
}

impl From<InvitationPreview> for InvitationPreviewView {
    fn from(preview: InvitationPreview) -> Self {
        let InvitationPreview { tenant, brand, color, language, state, offer } = preview;
        Self {
            tenant_name: tenant.as_str().to_owned(),
            brand_name: brand.as_str().to_owned(),
            brand_color: color.as_ref().map(HexColor::as_str).map(str::to_owned),
            language: language.as_str(),
            state: Word(state),
            offer: offer.map(InvitationOfferView::from),
        }
    }
}

impl From<InvitationOffer> for InvitationOfferView {
    fn from(offer: InvitationOffer) -> Self {
        let InvitationOffer { email, role, workspaces, invited_by, expires_at } = offer;
        Self {
            email_hint: email.hint(),
            role: Word(role),
            workspace_names: workspaces.iter().map(|name| name.as_str().to_owned()).collect(),
            invited_by: invited_by.map(|email| email.as_str().to_owned()),
            expires_at,
        }
    }
}

/// A page of them.
pub(crate) type InvitationList = List<InvitationView>;
