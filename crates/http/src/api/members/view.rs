//! What a caller is shown of a member.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_domain::{Assignment, Choice, Member, MemberStatus, Reach, Role};
use tenantry_operations::members::Shown;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    api::{external_id, metadata, millis},
    extract::List,
    schema::Word,
};

type RoleWord = Word<Role>;
type MemberStatusWord = Word<MemberStatus>;
type WorkspaceVisibilityWord = Word<WorkspaceVisibility>;
type AccessReasonWord = Word<AccessReason>;

/// A member is a person in a tenant, with exactly one role.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Member)]
pub struct MemberView {
    /// Unique identifier. The same person has a different one in each tenant.
    #[schema(example = "e1a2b3c4-5678-4abc-9ef0-1234567890ab")]
    id: Uuid,
    /// The tenant this member is in.
    #[schema(example = "a0b1c2d3-4567-49ab-8def-0123456789ab")]
    tenant_id: Uuid,
    /// Email address, unique in the tenant, ignoring case.
    #[schema(example = "ada@example.com", format = "idn-email", pattern = "^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$")]
    email: String,
    /// The member's role in the tenant.
    #[schema(example = "agent")]
    role: RoleWord,
    /// Whether the member may sign in.
    #[schema(example = "active")]
    status: MemberStatusWord,
    /// The issuer of the member's access tokens.
    #[schema(example = "https://login.example.com/", pattern = "^[!-~]+$")]
    issuer: String,
    /// The member's subject at the issuer.
    #[schema(example = "auth0|65f0c1", pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]+$")]
    subject: String,
    /// The member's ID in another system, unique in the tenant.
    #[schema(required, example = "crm-4711")]
    external_id: Option<String>,
    /// Your own notes about the member, by name.
    #[schema(example = json!({ "tier": "gold" }))]
    metadata: BTreeMap<String, String>,
    /// When the person became a member.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-01-20T10:00:00.000Z")]
    created_at: DateTime<Utc>,
    /// When it last changed.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-03-01T16:45:00.000Z")]
    updated_at: DateTime<Utc>,
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        let details = member.details;
        Self {
            id: member.id.uuid(),
            tenant_id: member.tenant_id.uuid(),
            email: details.email.as_str().to_owned(),
            role: Word(details.role),
            status: Word(details.status),
            issuer: details.person.issuer.as_str().to_owned(),
            subject: details.person.subject.as_str().to_owned(),
            external_id: external_id(&details.labels),
            metadata: metadata(&details.labels),
            created_at: member.created_at,
            updated_at: member.updated_at,
        }
    }
}

/// A member as everyone in the same workspace sees them: without what identifies them to their issuer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AssignedMember)]
pub(crate) struct AssignedMemberView {
    /// Unique identifier. The same person has a different one in each tenant.
    #[schema(example = "e1a2b3c4-5678-4abc-9ef0-1234567890ab")]
    id: Uuid,
    /// The tenant this member is in.
    #[schema(example = "a0b1c2d3-4567-49ab-8def-0123456789ab")]
    tenant_id: Uuid,
    /// Email address, unique in the tenant, ignoring case.
    #[schema(example = "ada@example.com", format = "idn-email", pattern = "^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$")]
    email: String,
    /// The member's role in the tenant.
    #[schema(example = "agent")]
    role: RoleWord,
    /// Whether the member may sign in.
    #[schema(example = "active")]
    status: MemberStatusWord,
    /// When the person became a member.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-01-20T10:00:00.000Z")]
    created_at: DateTime<Utc>,
    /// When it last changed.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-03-01T16:45:00.000Z")]
    updated_at: DateTime<Utc>,
}

impl From<Member> for AssignedMemberView {
    fn from(member: Member) -> Self {
        Self {
            id: member.id.uuid(),
            tenant_id: member.tenant_id.uuid(),
            email: member.details.email.as_str().to_owned(),
            role: Word(member.details.role),
            status: Word(member.details.status),
            created_at: member.created_at,
            updated_at: member.updated_at,
        }
    }
}

/// A page of them.
pub(crate) type AssignedMemberList = List<AssignedMemberView>;

/// A member, and which workspaces they can see and why.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MemberWithAccess {
    #[serde(flatten)]
    member: MemberView,
    access: MemberAccess,
}

/// Which workspaces a member can see, and why.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MemberAccess {
    /// `all`, the `assigned` ones, or `none`.
    #[schema(example = "assigned")]
    workspaces: WorkspaceVisibilityWord,
    /// Whether access comes from the `role` alone or from an `assignment` to each workspace.
    #[schema(example = "assignment")]
    because: AccessReasonWord,
    /// The workspaces the member is assigned to, by name. At most the first 1,000.
    assignments: Vec<AssignmentView>,
    /// How many workspaces the member is assigned to.
    #[schema(example = 1)]
    assignment_count: i64,
}

/// A workspace that a member is assigned to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Assignment)]
pub(crate) struct AssignmentView {
    /// The workspace.
    #[schema(example = "c1a2b3c4-5678-4abc-9ef0-1234567890ab")]
    workspace_id: Uuid,
    /// Its name.
    #[schema(example = "DACH Region")]
    workspace_name: String,
    /// Whether the member can see it because of their `role`, because of this `assignment`, or not at all (`none`).
    #[schema(example = "assignment")]
    because: AccessReasonWord,
    /// When the member was assigned.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-01-20T10:00:00.000Z")]
    assigned_at: DateTime<Utc>,
}

impl From<Shown> for MemberWithAccess {
    fn from(shown: Shown) -> Self {
        let reach = shown.member.details.role.reach(shown.member.id);
        let (workspaces, because, each) = match reach {
            Reach::Assigned(_) => (WorkspaceVisibility::Assigned, AccessReason::Assignment, AccessReason::Assignment),
            Reach::Nothing => (WorkspaceVisibility::None, AccessReason::Role, AccessReason::None),
            Reach::Workspace(_) | Reach::Brand(_) | Reach::Tenant => {
                (WorkspaceVisibility::All, AccessReason::Role, AccessReason::Role)
            }
        };
        let view = |assignment: Assignment| AssignmentView {
            workspace_id: assignment.workspace_id.uuid(),
            workspace_name: assignment.workspace_name,
            because: Word(each),
            assigned_at: assignment.created_at,
        };
        let assignments = shown.assignments.into_iter().map(view).collect();
        let (workspaces, because) = (Word(workspaces), Word(because));
        let access = MemberAccess { workspaces, because, assignments, assignment_count: shown.count };
        Self { member: shown.member.into(), access }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WorkspaceVisibility {
    All,
    Assigned,
    None,
}

impl Choice for WorkspaceVisibility {
    const ALL: &'static [(Self, &'static str)] =
        &[(Self::All, "all"), (Self::Assigned, "assigned"), (Self::None, "none")];
    const MEANING: &'static str = "Which workspaces a member can see.";
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AccessReason {
    Role,
    Assignment,
    None,
}

impl Choice for AccessReason {
    const ALL: &'static [(Self, &'static str)] =
        &[(Self::Role, "role"), (Self::Assignment, "assignment"), (Self::None, "none")];
    const MEANING: &'static str = "Why a member can see a workspace.";
}

/// A page of them.
pub(crate) type MemberList = List<MemberView>;
