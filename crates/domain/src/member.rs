//! Members: the people in a tenant, each with one role, and the workspaces they are assigned to.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    Conflict, EmailAddress, Error, ExternalId, InvitationId, IssuerName, Labels, MemberId, MetadataPatch, Noun, Person,
    Role, SlotNumber, Subject, TenantId, WorkspaceId, audit::Fields, ids::Identified, page::SortKey, values::Choice,
};

/// A member as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its identifier.
    pub id: MemberId,
    /// The tenant it is in. One person may be a member of several, each time with another id.
    pub tenant_id: TenantId,
    /// Who it is.
    pub details: MemberDetails,
    /// Counts the visible changes, from 1.
    pub version: i64,
    /// When it became a member.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Identified for Member {
    const NOUN: Noun = Noun::Member;
}

impl SortKey for Member {
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

/// Whether a member may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberStatus {
    /// It may.
    Active,
    /// It is refused at its next request, and keeps its role and its assignments.
    Suspended,
}

impl Choice for MemberStatus {
    const ALL: &'static [(Self, &'static str)] = &[(Self::Active, "active"), (Self::Suspended, "suspended")];
    const MEANING: &'static str = "Whether a member may sign in.";
}
crate::values::choices!(MemberStatus);

/// Who a member is and what it is in its tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberDetails {
    /// Its address; unique in the tenant, in any case of its letters.
    pub email: EmailAddress,
    /// Its role.
    pub role: Role,
    /// Whether it may come in.
    pub status: MemberStatus,
    /// By what it is recognised.
    pub person: Person,
    /// External ID and metadata.
    pub labels: Labels,
}

/// A change to a member: what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct MemberPatch {
    /// New address.
    pub email: Option<EmailAddress>,
    /// New role.
    pub role: Option<Role>,
    /// New status.
    pub status: Option<MemberStatus>,
    /// The issuer of its tokens from now on.
    pub issuer: Option<IssuerName>,
    /// What that issuer calls it.
    pub subject: Option<Subject>,
    /// What another system calls it; an inner `None` clears.
    pub external_id: Option<Option<ExternalId>>,
    /// What changes in its metadata.
    pub metadata: Option<MetadataPatch>,
}

impl MemberDetails {
    /// These details with the change applied.
    ///
    /// # Errors
    ///
    /// See [`Labels::patched`].
    pub fn patched(&self, patch: MemberPatch) -> Result<Self, Error> {
        let MemberPatch { email, role, status, issuer, subject, external_id, metadata } = patch;
        let now = self.clone();
        Ok(Self {
            email: email.unwrap_or(now.email),
            role: role.unwrap_or(now.role),
            status: status.unwrap_or(now.status),
            person: Person {
                issuer: issuer.unwrap_or(now.person.issuer),
                subject: subject.unwrap_or(now.person.subject),
            },
            labels: now.labels.patched(&external_id, &metadata)?,
        })
    }

    /// Whether this member keeps its tenant from having no owner.
    pub fn owns(&self) -> bool {
        self.role == Role::Owner && self.status == MemberStatus::Active
    }

    /// The fields as the audit log names them.
    pub fn fields(&self) -> Fields {
        let fields = Fields::new()
            .with("email", self.email.as_str())
            .with("role", self.role.as_str())
            .with("status", self.status.as_str())
            .with("issuer", self.person.issuer.as_str())
            .with("subject", self.person.subject.as_str());
        self.labels.add_to(fields)
    }
}

/// The refusal of what would leave a tenant without an owner who can come in.
pub fn last_owner() -> Error {
    Error::conflict(
        Conflict::LastOwner,
        "A tenant must always have an active owner. Make another member an owner first, or transfer the ownership.",
    )
}

/// A slot in a workspace: a member has it, or an invitation holds it until it is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Its number.
    pub number: SlotNumber,
    /// Who: a member, or an invitation that is pending.
    pub holder: SlotHolder,
    /// Their address.
    pub email: EmailAddress,
    /// Their role, or the one they are invited to.
    pub role: Role,
}

/// Who has a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotHolder {
    /// By an assignment of this member.
    Member(MemberId),
    /// By this pending invitation.
    Invitation(InvitationId),
}

/// A member's place in one workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The member.
    pub member_id: MemberId,
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// The workspace's name.
    pub workspace_name: String,
    /// Since when.
    pub created_at: DateTime<Utc>,
}
