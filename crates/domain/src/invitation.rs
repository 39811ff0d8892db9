//! Invitations: pending members, until somebody with the address accepts.

use std::fmt;

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use crate::{
    BrandName, Delivery, EmailAddress, HexColor, InvitationId, LanguageCode, Maker, Noun, Refusal, Role, TenantId,
    TenantName, WorkspaceId, WorkspaceName,
    audit::Fields,
    ids::Identified,
    input::{Description, input},
    page::SortKey,
    values::Choice,
};

/// An invitation as it is stored; its token is known to nobody but the invitee's mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its identifier.
    pub id: InvitationId,
    /// The tenant of the invitation.
    pub tenant_id: TenantId,
    /// Whom it invites to what.
    pub details: InvitationDetails,
    /// Who invited, or sent the invitation again after that; where that is known.
    pub invited_by: Option<Maker>,
    /// When the invitation expires.
    pub expires_at: DateTime<Utc>,
    /// When it was accepted.
    pub accepted_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// What has become of its newest email.
    pub delivery: Delivery,
    /// Counts the visible changes, from 1.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Identified for Invitation {
    const NOUN: Noun = Noun::Invitation;
}

impl SortKey for Invitation {
    fn id(&self) -> Uuid {
        self.id.uuid()
    }

    fn name(&self) -> String {
        self.details.email.key()
    }

    fn times(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        (self.created_at, self.updated_at)
    }
}

/// The state of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationState {
    /// It can be accepted.
    Pending,
    /// It was.
    Accepted,
    /// It was taken back.
    Revoked,
    /// Its time is over; it can be sent again.
    Expired,
}

impl Choice for InvitationState {
    const ALL: &'static [(Self, &'static str)] = &[
        (Self::Pending, "pending"),
        (Self::Accepted, "accepted"),
        (Self::Revoked, "revoked"),
        (Self::Expired, "expired"),
    ];
    const MEANING: &'static str = "The state of an invitation.";
}
crate::values::choices!(InvitationState);

/// What whoever has the token of an invitation may know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationPreview {
    /// The tenant that invites.
    pub tenant: TenantName,
    /// The brand that writes.
    pub brand: BrandName,
    /// The colour of the brand.
    pub color: Option<HexColor>,
    /// The language of the workspace, if there is exactly one, or of the tenant.
    pub language: LanguageCode,
    /// What has become of the invitation.
    pub state: PreviewState,
    /// What it offers, while it can be accepted.
    pub offer: Option<InvitationOffer>,
}

/// What an invitation offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationOffer {
    /// Whose address it was sent to.
    pub email: EmailAddress,
    /// The role they will have.
    pub role: Role,
    /// The workspaces they will be assigned to.
    pub workspaces: Vec<WorkspaceName>,
    /// The address of the member who invites.
    pub invited_by: Option<EmailAddress>,
    /// Until when.
    pub expires_at: DateTime<Utc>,
}

/// What has become of an invitation, for whoever has one of its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreviewState {
    /// It can be accepted.
    Pending,
    /// It was.
    Accepted,
    /// It was taken back.
    Revoked,
    /// It was sent again since, with another token.
    Replaced,
    /// Its time is over.
    Expired,
}

impl PreviewState {
    /// Of an invitation in this state, with a token that a newer one has replaced or not.
    pub fn of(state: InvitationState, replaced: bool) -> Self {
        match (state, replaced) {
            (InvitationState::Accepted, _) => Self::Accepted,
            (InvitationState::Revoked, _) => Self::Revoked,
            (_, true) => Self::Replaced,
            (InvitationState::Expired, false) => Self::Expired,
            (InvitationState::Pending, false) => Self::Pending,
        }
    }
}

impl Choice for PreviewState {
    const ALL: &'static [(Self, &'static str)] = &[
        (Self::Pending, "pending"),
        (Self::Accepted, "accepted"),
        (Self::Revoked, "revoked"),
        (Self::Replaced, "replaced"),
        (Self::Expired, "expired"),
    ];
    const MEANING: &'static str = "What has become of an invitation, for whoever has one of its links.";
}
crate::values::choices!(PreviewState);

/// Whom an invitation invites, to what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationDetails {
    /// The address whose holder may accept.
    pub email: EmailAddress,
    /// The role they will have.
    pub role: Role,
    /// The workspaces the invitee will be assigned to.
    pub workspaces: Vec<WorkspaceId>,
}

impl Invitation {
    /// What has become of it.
    pub fn state(&self, now: DateTime<Utc>) -> InvitationState {
        match self {
            Self { accepted_at: Some(_), .. } => InvitationState::Accepted,
            Self { revoked_at: Some(_), .. } => InvitationState::Revoked,
            Self { expires_at, .. } if *expires_at <= now => InvitationState::Expired,
            _ => InvitationState::Pending,
        }
    }

    /// The fields as the audit log names them.
    pub fn fields(&self) -> Fields {
        self.details
            .fields()
            .with("invitedBy", self.invited_by.as_ref().map(ToString::to_string))
            .with("expiresAt", self.expires_at.to_rfc3339())
            .with("acceptedAt", self.accepted_at.map(|at| at.to_rfc3339()))
            .with("revokedAt", self.revoked_at.map(|at| at.to_rfc3339()))
    }
}

impl InvitationDetails {
    fn fields(&self) -> Fields {
        Fields::new()
            .with("email", self.email.as_str())
            .with("role", self.role.as_str())
            .with("workspaceIds", self.workspaces.iter().map(ToString::to_string).collect::<Vec<_>>())
    }
}

/// For how many days an invitation can be accepted: 1 to 30.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvitationDays(u8);

impl InvitationDays {
    const MOST: u8 = 30;

    /// The longest that can be asked for.
    pub const MAX: Self = Self(Self::MOST);

    /// The days as a duration.
    pub fn duration(self) -> Duration {
        Duration::days(self.0.into())
    }
}

impl Default for InvitationDays {
    /// A week.
    fn default() -> Self {
        Self(7)
    }
}

impl TryFrom<i64> for InvitationDays {
    type Error = Refusal;

    fn try_from(days: i64) -> Result<Self, Refusal> {
        match u8::try_from(days) {
            Ok(days @ 1..=Self::MOST) => Ok(Self(days)),
            _ => Err(Refusal::new("out_of_range", format!("must be 1 to {} days, not {days}", Self::MOST))),
        }
    }
}

input!(InvitationDays, i64, Description::number(format!("1 to {}.", Self::MOST), 1, i64::from(Self::MOST)));

impl fmt::Display for InvitationDays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_lives_one_to_thirty_days_and_a_week_unless_said() {
        assert!(InvitationDays::try_from(0).is_err() && InvitationDays::try_from(31).is_err());
        assert!(InvitationDays::try_from(1).is_ok() && InvitationDays::try_from(30).is_ok());
        assert_eq!(InvitationDays::default().duration(), Duration::days(7));
    }

    fn invitation(ended: (Option<i64>, Option<i64>)) -> Invitation {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        Invitation {
            id: InvitationId::from_uuid(Uuid::nil()),
            tenant_id: TenantId::from_uuid(Uuid::nil()),
            details: InvitationDetails {
                email: "ada@example.com".parse().unwrap(),
                role: Role::Agent,
                workspaces: Vec::new(),
            },
            invited_by: None,
            expires_at: at(100),
            accepted_at: ended.0.map(at),
            revoked_at: ended.1.map(at),
            delivery: Delivery::queued(at(0)),
            version: 1,
            created_at: at(0),
            updated_at: at(0),
        }
    }

    #[test]
    fn an_invitation_is_pending_until_it_ends_and_how_it_ended_stays() {
        for (ended, second, state) in [
            ((None, None), 99, InvitationState::Pending),
            ((None, None), 100, InvitationState::Expired),
            ((Some(1), None), 99, InvitationState::Accepted),
            ((Some(1), None), 101, InvitationState::Accepted),
            ((None, Some(1)), 99, InvitationState::Revoked),
            ((None, Some(1)), 101, InvitationState::Revoked),
        ] {
            let now = DateTime::from_timestamp(second, 0).unwrap();
            assert_eq!(invitation(ended).state(now), state, "{ended:?} at {second}");
        }
    }

    #[test]
    fn a_token_that_was_replaced_is_neither_pending_nor_expired() {
        for (state, as_it_is, replaced) in [
            (InvitationState::Pending, PreviewState::Pending, PreviewState::Replaced),
            (InvitationState::Expired, PreviewState::Expired, PreviewState::Replaced),
            (InvitationState::Accepted, PreviewState::Accepted, PreviewState::Accepted),
            (InvitationState::Revoked, PreviewState::Revoked, PreviewState::Revoked),
        ] {
            assert_eq!((PreviewState::of(state, false), PreviewState::of(state, true)), (as_it_is, replaced));
        }
    }
}
