//! Members with their assignments, and invitations with their slots.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tenantry_auth::seal::MasterKeys;
use tenantry_domain::{
    Delivery, ExternalId, FieldRefusal, InTenant, Invitation, InvitationDetails, InvitationId, IssuerName, Member,
    MemberDetails, MemberId, Person, Refusal, SlotNumber, Subject, TenantId, WorkspaceId,
};
use tenantry_persistence::{Fault, HeldSlot, InvitationFilter, KeptAssignment, KeptToken, MemberFilter, Tx};
use zeroize::Zeroizing;

use super::{Counts, Entries, Line, Reading, Target, entries, text};
use crate::transfer::{
    export::{Out, pages},
    sealing::{Sealing, hash_of},
};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::transfer) struct MemberLine {
    id: String,
    email: String,
    role: String,
    status: String,
    issuer: String,
    subject: String,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default)]
    metadata: Entries,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    assignments: Vec<AssignmentLine>,
}

/// A member's slot in a workspace.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AssignmentLine {
    number: i64,
    workspace_id: String,
    assigned_at: DateTime<Utc>,
}

/// The slot that an invitation holds in a workspace.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SlotLine {
    number: i64,
    workspace_id: String,
}

impl MemberLine {
    /// Writes every member with its assignments.
    pub(super) fn export(tx: &mut Tx<'_, InTenant>, out: &mut Out<'_>, counts: &mut Counts) -> Result<(), Fault> {
        pages(|page| {
            let page = tx.members(&MemberFilter::default(), page)?;
            let ids: Vec<MemberId> = page.items.iter().map(|member| member.id).collect();
            let assignments = tx.assignments_of(&ids)?;
            for member in page.items {
                counts.members += out.line(Line::Member(Self::of(member, &assignments)))?;
            }
            Ok(page.next)
        })
    }

    fn of(member: Member, assignments: &[KeptAssignment]) -> Self {
        let details = member.details;
        let assignment = |kept: &KeptAssignment| AssignmentLine {
            number: kept.number.get(),
            workspace_id: kept.workspace_id.to_string(),
            assigned_at: kept.created_at,
        };
        let own = assignments.iter().filter(|kept| kept.member_id == member.id);
        Self {
            id: member.id.to_string(),
            email: details.email.as_str().to_owned(),
            role: details.role.to_string(),
            status: details.status.to_string(),
            issuer: details.person.issuer.as_str().to_owned(),
            subject: details.person.subject.as_str().to_owned(),
            external_id: text(details.labels.external_id.as_ref(), ExternalId::as_str),
            metadata: entries(&details.labels.metadata),
            version: member.version,
            created_at: member.created_at,
            updated_at: member.updated_at,
            assignments: own.map(assignment).collect(),
        }
    }

    pub(super) fn into_member(self, target: Target) -> Result<(Member, Vec<KeptAssignment>), Vec<FieldRefusal>> {
        let mut reading = Reading::at(target.now);
        let (id, email) = (reading.value("id", &self.id), reading.value("email", &self.email));
        let (role, status) = (reading.value("role", &self.role), reading.value("status", &self.status));
        let issuer: Option<IssuerName> = reading.value("issuer", &self.issuer);
        let subject: Option<Subject> = reading.value("subject", &self.subject);
        let labels = reading.labels(self.external_id.as_deref(), &self.metadata);
        let version = reading.version("version", self.version);
        let created_at = reading.time("createdAt", self.created_at);
        let updated_at = reading.time("updatedAt", self.updated_at);
        let mut assigned = Vec::new();
        for line in &self.assignments {
            let since = reading.time("assignments.assignedAt", line.assigned_at);
            let slot = reading.slot("assignments", (line.number, &line.workspace_id), target);
            assigned.extend(slot.map(|slot| (slot, since)));
        }
        let person = issuer.zip(subject).map(|(issuer, subject)| Person { issuer, subject });
        let details = email.zip(role).zip(status.zip(person)).map(|((email, role), (status, person))| MemberDetails {
            email,
            role,
            status,
            person,
            labels,
        });
        let tenant_id = target.tenant_id;
        let member =
            id.zip(details).map(|(id, details)| Member { id, tenant_id, details, version, created_at, updated_at });
        reading.end(member.map(|member| {
            let kept = |((number, workspace_id), created_at)| KeptAssignment {
                member_id: member.id,
                workspace_id,
                number,
                created_at,
            };
            let assignments = assigned.into_iter().map(kept).collect();
            (member, assignments)
        }))
    }
}

/// The hash of a token, sealed.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TokenLine {
    sealed: String,
    replaced_at: Option<DateTime<Utc>>,
}

/// What a token is called where it is sealed.
const KIND: &str = "invitation";

/// An invitation. Its tokens are sealed, or not there.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::transfer) struct InvitationLine {
    id: String,
    email: String,
    role: String,
    slots: Vec<SlotLine>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tokens: Vec<TokenLine>,
    #[serde(default)]
    invited_by: Option<String>,
    expires_at: DateTime<Utc>,
    accepted_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl InvitationLine {
    /// Writes every invitation with its slots.
    pub(super) fn export(tx: &mut Tx<'_, InTenant>, out: &mut Out<'_>, counts: &mut Counts) -> Result<(), Fault> {
        pages(|page| {
            let page = tx.invitations(&InvitationFilter::default(), page)?;
            let ids: Vec<InvitationId> = page.items.iter().map(|invitation| invitation.id).collect();
            let slots = tx.slots_of(&ids)?;
            let tokens = if out.secrets().sealing().is_some() { tx.tokens_of(&ids)? } else { Vec::new() };
            for invitation in page.items {
                let (tenant, id) = (invitation.tenant_id, invitation.id);
                let mut line = Self::of(invitation, &slots);
                for token in tokens.iter().filter(|token| token.invitation_id == id) {
                    let open = |_: &MasterKeys| Some(Zeroizing::new(token.hash.as_bytes().to_vec()));
                    let place = line.place(token.replaced_at);
                    if let Some(sealed) = out.secrets().written((tenant, KIND, &place), open)? {
                        line.tokens.push(TokenLine { sealed, replaced_at: token.replaced_at });
                    }
                }
                counts.invitations += out.line(Line::Invitation(line))?;
            }
            Ok(page.next)
        })
    }

    fn of(invitation: Invitation, slots: &[HeldSlot]) -> Self {
        let details = invitation.details;
        let slot =
            |held: &HeldSlot| SlotLine { number: held.number.get(), workspace_id: held.workspace_id.to_string() };
        let own = slots.iter().filter(|held| held.invitation_id == invitation.id);
        Self {
            id: invitation.id.to_string(),
            email: details.email.as_str().to_owned(),
            role: details.role.to_string(),
            slots: own.map(slot).collect(),
            tokens: Vec::new(),
            invited_by: invitation.invited_by.map(|maker| maker.to_string()),
            expires_at: invitation.expires_at,
            accepted_at: invitation.accepted_at,
            revoked_at: invitation.revoked_at,
            version: invitation.version,
            created_at: invitation.created_at,
            updated_at: invitation.updated_at,
        }
    }

    /// What one of its tokens is bound to.
    fn place(&self, replaced_at: Option<DateTime<Utc>>) -> String {
        let replaced_at = replaced_at.map(|at| at.timestamp_micros().to_string()).unwrap_or_default();
        format!("{}/{replaced_at}", self.id)
    }

    /// The tokens that came along.
    pub(super) fn tokens(&self, target: Target, sealing: &Sealing) -> Result<Vec<KeptToken>, Vec<FieldRefusal>> {
        let mut reading = Reading::at(target.now);
        let id: Option<InvitationId> = reading.value("id", &self.id);
        let id = reading.end(id)?;
        let token = |line: &TokenLine| {
            let place = (target.tenant_id, KIND, &*self.place(line.replaced_at));
            let hash = hash_of(&sealing.opened(place, Some(&line.sealed))?)?;
            Ok(KeptToken { invitation_id: id, hash, replaced_at: line.replaced_at })
        };
        self.tokens.iter().map(token).collect::<Result<_, FieldRefusal>>().map_err(|refused| vec![refused])
    }

    /// The same line with what its tokens are compared by.
    pub(super) fn revealed(mut self, tenant: TenantId, sealing: &Sealing) -> Result<Self, FieldRefusal> {
        let places: Vec<String> = self.tokens.iter().map(|token| self.place(token.replaced_at)).collect();
        for (token, place) in self.tokens.iter_mut().zip(places) {
            token.sealed = sealing.compared((tenant, KIND, &place), &token.sealed)?;
        }
        Ok(self)
    }

    /// The same line without its tokens.
    pub(super) fn bare(self) -> Self {
        Self { tokens: Vec::new(), ..self }
    }

    /// The same line where no tokens come along: whether it had expired there, and how often it changed for that, is not compared.
    pub(super) fn comparable(self) -> Self {
        let line = self.bare();
        match (line.accepted_at, line.revoked_at) {
            (None, None) => Self { expires_at: line.created_at, version: 0, ..line },
            _ => line,
        }
    }

    pub(super) fn into_invitation(self, target: Target) -> Result<(Invitation, Vec<HeldSlot>), Vec<FieldRefusal>> {
        let mut reading = Reading::at(target.now);
        let (id, email) = (reading.value("id", &self.id), reading.value("email", &self.email));
        let role = reading.value("role", &self.role);
        let slots: Vec<(SlotNumber, WorkspaceId)> = self
            .slots
            .iter()
            .filter_map(|line| reading.slot("slots", (line.number, &line.workspace_id), target))
            .collect();
        let invited_by = reading.optional("invitedBy", self.invited_by.as_deref());
        let expires_at = reading.expiry("expiresAt", self.expires_at);
        let accepted_at = reading.optional_time("acceptedAt", self.accepted_at);
        let revoked_at = reading.optional_time("revokedAt", self.revoked_at);
        if accepted_at.is_some() && revoked_at.is_some() {
            reading.refuse(Refusal::new("conflicting", "must be null where acceptedAt is not").of("revokedAt"));
        }
        let version = reading.version("version", self.version);
        let created_at = reading.time("createdAt", self.created_at);
        let updated_at = reading.time("updatedAt", self.updated_at);
        let workspaces = slots.iter().map(|(_, workspace)| *workspace).collect();
        let details = email.zip(role).map(|(email, role)| InvitationDetails { email, role, workspaces });
        reading.end(id.zip(details).map(|(id, details)| {
            let held = |(number, workspace_id)| HeldSlot { invitation_id: id, workspace_id, number };
            let invitation = Invitation {
                id,
                tenant_id: target.tenant_id,
                details,
                invited_by,
                expires_at,
                accepted_at,
                revoked_at,
                // Its emails stay where it was.
                delivery: Delivery::none(),
                version,
                created_at,
                updated_at,
            };
            (invitation, slots.into_iter().map(held).collect())
        }))
    }
}
