//! What a caller is shown of a member.

use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_domain::{Assignment, Member, Reach};
use tenantry_operations::members::Shown;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::millis;

/// A member is a person in a tenant, with exactly one role.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Member)]
pub struct MemberView {
    /// Unique identifier; the same person has another one in another tenant.
    #[schema(example = "e1a2b3c4-5678-4abc-9ef0-1234567890ab")]
    id: Uuid,
    /// The tenant this member is in.
    #[schema(example = "a0b1c2d3-4567-49ab-8def-0123456789ab")]
    tenant_id: Uuid,
    /// E-mail address, unique in the tenant in any case of its letters.
    #[schema(example = "ada@example.com")]
    email: String,
    /// What the member is in the tenant.
    #[schema(value_type = RoleSchema, example = "agent")]
    role: &'static str,
    /// Whether the member may come in.
    #[schema(value_type = MemberStatusSchema, example = "active")]
    status: &'static str,
    /// Whose access tokens the member comes with.
    #[schema(example = "https://login.example.com/")]
    issuer: String,
    /// What the issuer calls the member.
    #[schema(example = "auth0|65f0c1")]
    subject: String,
    /// When it became a member.
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
            role: details.role.as_str(),
            status: details.status.as_str(),
            issuer: details.person.issuer.as_str().to_owned(),
            subject: details.person.subject.as_str().to_owned(),
            created_at: member.created_at,
            updated_at: member.updated_at,
        }
    }
}

/// A member, and why it sees which workspaces.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MemberWithAccess {
    #[serde(flatten)]
    member: MemberView,
    access: Access,
}

/// Which workspaces a member sees, and why.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Access {
    /// `all`, the `assigned` ones, or `none`.
    #[schema(value_type = VisibleSchema, example = "assigned")]
    workspaces: &'static str,
    /// Whether that follows from the `role` alone, or from an `assignment` to each workspace.
    #[schema(value_type = BecauseSchema, example = "assignment")]
    because: &'static str,
    /// The workspaces it is assigned to, by name; the first 1,000.
    assignments: Vec<AssignmentView>,
    /// How many workspaces it is assigned to.
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
    /// Whether the member sees it because of its `role`, because of this `assignment`, or not at all: `none`.
    #[schema(value_type = BecauseSchema, example = "assignment")]
    because: &'static str,
    /// Since when it is assigned.
    #[serde(serialize_with = "millis")]
    #[schema(example = "2026-01-20T10:00:00.000Z")]
    assigned_at: DateTime<Utc>,
}

impl From<Shown> for MemberWithAccess {
    fn from(shown: Shown) -> Self {
        let reach = shown.member.details.role.reach(shown.member.id);
        let (workspaces, because, each) = match reach {
            Reach::Assigned(_) => ("assigned", "assignment", "assignment"),
            Reach::Nothing => ("none", "role", "none"),
            Reach::Workspace(_) | Reach::Brand(_) | Reach::Tenant => ("all", "role", "role"),
        };
        let view = |assignment: Assignment| AssignmentView {
            workspace_id: assignment.workspace_id.uuid(),
            workspace_name: assignment.workspace_name,
            because: each,
            assigned_at: assignment.created_at,
        };
        let assignments = shown.assignments.into_iter().map(view).collect();
        let access = Access { workspaces, because, assignments, assignment_count: shown.count };
        Self { member: shown.member.into(), access }
    }
}

/// What a member is in its tenant.
#[derive(ToSchema)]
#[schema(as = Role)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "says the words to the OpenAPI document; a test compares them with the domain's")]
pub(crate) enum RoleSchema {
    Owner,
    Admin,
    Billing,
    Agent,
    Observer,
}

/// Whether a member may come in.
#[derive(ToSchema)]
#[schema(as = MemberStatus)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "says the two words to the OpenAPI document")]
pub(crate) enum MemberStatusSchema {
    Active,
    Suspended,
}

/// Which workspaces somebody sees.
#[derive(ToSchema)]
#[schema(as = Visible)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "says the words to the OpenAPI document")]
pub(crate) enum VisibleSchema {
    All,
    Assigned,
    None,
}

/// Why a member sees a workspace.
#[derive(ToSchema)]
#[schema(as = Because)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "says the words to the OpenAPI document")]
pub(crate) enum BecauseSchema {
    Role,
    Assignment,
    None,
}

/// A page of members.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes the page to the OpenAPI document")]
pub(crate) struct MemberList {
    /// The members.
    data: Vec<MemberView>,
    /// The cursor of the next page; absent at the end.
    #[schema(required = false, example = "eyJrIjoiMjAyNi0wMS0yMFQxMDowMDowMFoiLCJpIjoiYzFhMmIzYzQifQ")]
    next_cursor: String,
}
