//! Members with their places, and invitations.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tenantry_domain::{
    FieldRefusal, Invitation, InvitationDetails, IssuerName, Member, MemberDetails, Person, Subject, TenantId,
    WorkspaceId,
};
use tenantry_persistence::Placement;

use super::Reading;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::transfer) struct MemberLine {
    id: String,
    email: String,
    role: String,
    status: String,
    issuer: String,
    subject: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    assignments: Vec<PlaceLine>,
}

/// A member's place in a workspace.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PlaceLine {
    workspace_id: String,
    assigned_at: DateTime<Utc>,
}

impl MemberLine {
    pub(in crate::transfer) fn of(member: Member, places: &[&Placement]) -> Self {
        let details = member.details;
        let place = |place: &&Placement| PlaceLine {
            workspace_id: place.workspace_id.to_string(),
            assigned_at: place.created_at,
        };
        Self {
            id: member.id.to_string(),
            email: details.email.as_str().to_owned(),
            role: details.role.to_string(),
            status: details.status.to_string(),
            issuer: details.person.issuer.as_str().to_owned(),
            subject: details.person.subject.as_str().to_owned(),
            created_at: member.created_at,
            updated_at: member.updated_at,
            assignments: places.iter().map(place).collect(),
        }
    }

    pub(in crate::transfer) fn into_member(
        self,
        tenant_id: TenantId,
    ) -> Result<(Member, Vec<Placement>), Vec<FieldRefusal>> {
        let mut reading = Reading::default();
        let (id, email) = (reading.value("id", &self.id), reading.value("email", &self.email));
        let (role, status) = (reading.value("role", &self.role), reading.value("status", &self.status));
        let issuer: Option<IssuerName> = reading.value("issuer", &self.issuer);
        let subject: Option<Subject> = reading.value("subject", &self.subject);
        let created_at = reading.time("createdAt", self.created_at);
        let updated_at = reading.time("updatedAt", self.updated_at);
        let places: Vec<(Option<WorkspaceId>, DateTime<Utc>)> = self
            .assignments
            .iter()
            .map(|place| {
                let since = reading.time("assignments.assignedAt", place.assigned_at);
                (reading.value("assignments.workspaceId", &place.workspace_id), since)
            })
            .collect();
        let person = issuer.zip(subject).map(|(issuer, subject)| Person { issuer, subject });
        let details = email.zip(role).zip(status.zip(person)).map(|((email, role), (status, person))| MemberDetails {
            email,
            role,
            status,
            person,
        });
        let member =
            id.zip(details).map(|(id, details)| Member { id, tenant_id, details, version: 1, created_at, updated_at });
        reading.end(member.map(|member| {
            let place = |(workspace, created_at): (Option<WorkspaceId>, _)| {
                workspace.map(|workspace_id| Placement { member_id: member.id, workspace_id, created_at })
            };
            let places = places.into_iter().filter_map(place).collect();
            (member, places)
        }))
    }
}

/// An invitation, without its token.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::transfer) struct InvitationLine {
    id: String,
    email: String,
    role: String,
    workspace_ids: Vec<String>,
    expires_at: DateTime<Utc>,
    accepted_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl InvitationLine {
    pub(in crate::transfer) fn of(invitation: Invitation) -> Self {
        let details = invitation.details;
        Self {
            id: invitation.id.to_string(),
            email: details.email.as_str().to_owned(),
            role: details.role.to_string(),
            workspace_ids: details.workspaces.iter().map(ToString::to_string).collect(),
            expires_at: invitation.expires_at,
            accepted_at: invitation.accepted_at,
            revoked_at: invitation.revoked_at,
            created_at: invitation.created_at,
            updated_at: invitation.updated_at,
        }
    }

    pub(in crate::transfer) fn into_invitation(self, tenant_id: TenantId) -> Result<Invitation, Vec<FieldRefusal>> {
        let mut reading = Reading::default();
        let (id, email) = (reading.value("id", &self.id), reading.value("email", &self.email));
        let role = reading.value("role", &self.role);
        let workspaces = self.workspace_ids.iter().filter_map(|id| reading.value("workspaceIds", id)).collect();
        let expires_at = reading.time("expiresAt", self.expires_at);
        let accepted_at = reading.optional_time("acceptedAt", self.accepted_at);
        let revoked_at = reading.optional_time("revokedAt", self.revoked_at);
        let created_at = reading.time("createdAt", self.created_at);
        let updated_at = reading.time("updatedAt", self.updated_at);
        let details = email.zip(role).map(|(email, role)| InvitationDetails { email, role, workspaces });
        reading.end(id.zip(details).map(|(id, details)| Invitation {
            id,
            tenant_id,
            details,
            expires_at,
            accepted_at,
            revoked_at,
            version: 1,
            created_at,
            updated_at,
        }))
    }
}
