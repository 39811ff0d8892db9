//! What only an export reads and only an import writes: a whole tenant, with its ids, numbers, versions and times as they are.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{Int8, Uuid as SqlUuid},
};
use tenantry_domain::{
    Conflict, Error, FieldRefusal, InTenant, Invitation, InvitationId, Member, MemberId, Noun, Refusal, SlotNumber,
    WorkspaceId, limit_reached,
};
use uuid::Uuid;

use crate::{
    erase::ERASED_TABLES,
    fault::{Fault, violates},
    moving::KeptToken,
    schema::{agents, api_keys, assignments, brands, invitation_workspaces},
    tx::{Tx, WriteTx},
};

/// A slot in a workspace that a member has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptAssignment {
    /// Who.
    pub member_id: MemberId,
    /// Where.
    pub workspace_id: WorkspaceId,
    /// The number of the slot.
    pub number: SlotNumber,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// A slot in a workspace that an invitation holds, or held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldSlot {
    /// By which invitation.
    pub invitation_id: InvitationId,
    /// Where.
    pub workspace_id: WorkspaceId,
    /// The number of the slot.
    pub number: SlotNumber,
}

/// An invitation with what it holds.
#[derive(Debug, Clone)]
pub struct KeptInvitation {
    /// The invitation.
    pub invitation: Invitation,
    /// Its slots.
    pub slots: Vec<HeldSlot>,
    /// Its tokens; `None` where they stay behind.
    pub tokens: Option<Vec<KeptToken>>,
}

/// So many rows of another table that belong to what is imported are written by one statement. PostgreSQL takes 65,535 values in one.
pub(crate) const AT_ONCE: usize = 1_000;

/// How many rows of the tenant a table has.
#[derive(QueryableByName)]
struct Rows {
    #[diesel(sql_type = Int8)]
    count: i64,
}

impl Tx<'_, InTenant> {
    /// The assignments of these members, by number, also to deleted workspaces.
    pub fn assignments_of(&mut self, members: &[MemberId]) -> Result<Vec<KeptAssignment>, Fault> {
        let ids: Vec<Uuid> = members.iter().map(|id| id.uuid()).collect();
        let rows: Vec<(Uuid, Uuid, i64, DateTime<Utc>)> = assignments::table
            .filter(assignments::tenant_id.eq(self.found.uuid()).and(assignments::member_id.eq_any(ids)))
            .select((assignments::member_id, assignments::workspace_id, assignments::number, assignments::created_at))
            .order(assignments::number)
            .load(self.connection)?;
        let kept = |(member, workspace, number, created_at)| KeptAssignment {
            member_id: MemberId::from_uuid(member),
            workspace_id: WorkspaceId::from_uuid(workspace),
            number: SlotNumber::given(number),
            created_at,
        };
        Ok(rows.into_iter().map(kept).collect())
    }

    /// The slots of these invitations, by number, also in deleted workspaces.
    pub fn slots_of(&mut self, invitations: &[InvitationId]) -> Result<Vec<HeldSlot>, Fault> {
        use invitation_workspaces::dsl;
        let ids: Vec<Uuid> = invitations.iter().map(|id| id.uuid()).collect();
        let rows: Vec<(Uuid, Uuid, i64)> = dsl::invitation_workspaces
            .filter(dsl::tenant_id.eq(self.found.uuid()).and(dsl::invitation_id.eq_any(ids)))
            .select((dsl::invitation_id, dsl::workspace_id, dsl::number))
            .order(dsl::number)
            .load(self.connection)?;
        let held = |(invitation, workspace, number)| HeldSlot {
            invitation_id: InvitationId::from_uuid(invitation),
            workspace_id: WorkspaceId::from_uuid(workspace),
            number: SlotNumber::given(number),
        };
        Ok(rows.into_iter().map(held).collect())
    }
}

impl WriteTx<'_, InTenant> {
    /// Takes the default brand off a tenant that has nothing else but keys and its log, to make way for what is imported. The tenant is
    /// locked, and stays without a default brand until the import brings one.
    pub fn make_way(&mut self) -> Result<(), Fault> {
        let tenant = self.found.uuid();
        self.scope().lock_tenant()?;
        let refuse = |what: &str| {
            let message =
                format!("An import needs an empty tenant, but this one has {what}. Create a new tenant for it.");
            Error::conflict(Conflict::TenantNotEmpty, message)
        };
        // What others refer to comes first, so that the message names it.
        for table in ERASED_TABLES.iter().rev() {
            let (most, what) = match *table {
                "audit_events" | "api_keys" => continue,
                "brands" => (1, "brands of its own".to_owned()),
                other => (0, other.replace('_', " ")),
            };
            let rows = format!("SELECT count(*) AS count FROM {table} WHERE tenant_id = $1");
            let rows: Rows = sql_query(rows).bind::<SqlUuid, _>(tenant).get_result(self.connection)?;
            if rows.count > most {
                return Err(refuse(&what).into());
            }
        }
        // They would go with the brand.
        let of = api_keys::table.filter(api_keys::tenant_id.eq(tenant).and(api_keys::brand_id.is_not_null()));
        if of.count().get_result::<i64>(self.connection)? > 0 {
            return Err(refuse("API keys that are restricted to its brand").into());
        }
        diesel::delete(brands::table.filter(brands::tenant_id.eq(tenant))).execute(self.connection)?;
        Ok(())
    }

    /// Stores members as they were elsewhere, with their assignments.
    pub fn import_members(
        &mut self,
        members: &[&(Member, Vec<KeptAssignment>)],
    ) -> Result<Option<FieldRefusal>, Fault> {
        use assignments::dsl;
        let tenant = self.found.uuid();
        let all: Vec<&KeptAssignment> = members.iter().flat_map(|(_, own)| own).collect();
        let members: Vec<&Member> = members.iter().map(|(member, _)| member).collect();
        let stored = self.scope().import_members(&members).and_then(|()| {
            for some in all.chunks(AT_ONCE) {
                let rows = some.iter().map(|kept| {
                    (
                        dsl::tenant_id.eq(tenant),
                        dsl::workspace_id.eq(kept.workspace_id.uuid()),
                        dsl::member_id.eq(kept.member_id.uuid()),
                        dsl::created_at.eq(kept.created_at),
                        dsl::number.eq(kept.number.get()),
                    )
                });
                let rows: Vec<_> = rows.collect();
                diesel::insert_into(dsl::assignments).values(rows).execute(self.connection)?;
            }
            Ok(())
        });
        refusal(
            stored,
            &[
                ("members_pkey", "id", "is the id of an earlier member"),
                ("members_email_key", "email", "is the address of an earlier member"),
                ("members_person_key", "subject", "is an earlier member, by the same issuer"),
                ("members_external_id_key", "externalId", "is the external ID of an earlier member"),
                ("assignments_pkey", "assignments", "name a workspace twice"),
                ("assignments_number_key", "assignments", "have a number that an earlier slot has"),
                ("assignments_workspace_fkey", "assignments", "name a workspace that is not on an earlier line"),
            ],
        )
    }

    /// Stores invitations as they were elsewhere, with their slots and tokens. One that could still be accepted there has expired here,
    /// unless its tokens come along: its emails lead elsewhere, and it can be sent again. The members are there.
    pub fn import_invitations(&mut self, all: &[&KeptInvitation]) -> Result<Option<FieldRefusal>, Fault> {
        use invitation_workspaces::dsl;
        let (tenant, clock) = (self.found.uuid(), self.clock()?);
        let rows = all.iter().map(|kept| {
            let mut invitation = kept.invitation.clone();
            let open = invitation.accepted_at.is_none() && invitation.revoked_at.is_none();
            if open && kept.tokens.is_none() && invitation.expires_at > clock {
                (invitation.expires_at, invitation.version) = (clock, invitation.version + 1);
            }
            invitation
        });
        let rows: Vec<Invitation> = rows.collect();
        let slots: Vec<&HeldSlot> = all.iter().flat_map(|kept| &kept.slots).collect();
        let tokens: Vec<&KeptToken> = all.iter().filter_map(|kept| kept.tokens.as_ref()).flatten().collect();
        let stored = self.scope().import_invitations(&rows).and_then(|()| {
            for some in slots.chunks(AT_ONCE) {
                let rows = some.iter().map(|held| {
                    (
                        dsl::tenant_id.eq(tenant),
                        dsl::invitation_id.eq(held.invitation_id.uuid()),
                        dsl::workspace_id.eq(held.workspace_id.uuid()),
                        dsl::number.eq(held.number.get()),
                    )
                });
                let rows: Vec<_> = rows.collect();
                diesel::insert_into(dsl::invitation_workspaces).values(rows).execute(self.connection)?;
            }
            self.import_tokens(&tokens)
        });
        let refused = refusal(
            stored,
            &[
                ("invitations_pkey", "id", "is the id of an earlier invitation"),
                ("invitations_open_key", "email", "already has an open invitation on an earlier line"),
                ("invitation_workspaces_pkey", "slots", "name a workspace twice"),
                ("invitation_workspaces_number_key", "slots", "have a number that an earlier slot has"),
                ("invitation_workspaces_workspace_fkey", "slots", "name a workspace that is not on an earlier line"),
                ("invitation_tokens_pkey", "tokens", "belong to an earlier invitation"),
            ],
        )?;
        if refused.is_none() && self.has_a_members_slot(all, &slots)? {
            let message = "have a number that already belongs to a member in the same workspace";
            return Ok(Some(Refusal::new("conflicting", message).of("slots")));
        }
        Ok(refused)
    }

    /// Whether a slot of the invitations has the number of a member's slot, and is not the same that the invitee got.
    fn has_a_members_slot(&mut self, all: &[&KeptInvitation], slots: &[&HeldSlot]) -> Result<bool, Fault> {
        let numbers: Vec<i64> = slots.iter().map(|held| held.number.get()).collect();
        let assigned: Vec<(i64, Uuid)> = assignments::table
            .filter(assignments::tenant_id.eq(self.found.uuid()).and(assignments::number.eq_any(numbers)))
            .select((assignments::number, assignments::workspace_id))
            .load(self.connection)?;
        let accepted = all.iter().filter(|kept| kept.invitation.accepted_at.is_some()).flat_map(|kept| &kept.slots);
        let got: HashSet<(i64, Uuid)> = accepted.map(|held| (held.number.get(), held.workspace_id.uuid())).collect();
        Ok(assigned.iter().any(|member| !got.contains(member)))
    }

    /// Sums up the usage and counts the rows that were imported. Refuses what was imported if it has no default brand, or a month of which
    /// more is refunded than was used.
    pub fn check_imported(&mut self) -> Result<(), Fault> {
        let tenant = self.found.uuid();
        let default: i64 = brands::table
            .filter(brands::tenant_id.eq(tenant).and(brands::is_default))
            .count()
            .get_result(self.connection)?;
        if default == 0 {
            let refusal = Refusal::new("required", "is not true for any brand, but one brand must be the default");
            return Err(Error::invalid(refusal.of("isDefault")).into());
        }
        if let Some((workspace, sum)) = self.scope().sum_up_usage()? {
            let message = format!(
                "add up to {} in {} in the workspace {workspace}: no more can be refunded than was used",
                sum.seconds, sum.month
            );
            return Err(Error::invalid(Refusal::new("conflicting", message).of("seconds")).into());
        }
        self.scope().recount()?;
        Ok(())
    }

    /// Refuses what was imported if it is more than the limits of this tenant allow.
    pub fn check_imported_limits(&mut self) -> Result<(), Fault> {
        let tenant = self.found.uuid();
        let limits = self.scope().read_tenant()?.limits;
        if let Some(cap) = limits.max_workspaces {
            let used = self.tenant_and_use()?.1.workspaces;
            if used > i64::from(cap.get()) {
                return Err(limit_reached("This tenant", Noun::Workspace, cap, used).into());
            }
        }
        if let Some(cap) = limits.max_members {
            let most: Option<i64> = assignments::table
                .filter(assignments::tenant_id.eq(tenant))
                .group_by(assignments::workspace_id)
                .select(diesel::dsl::count_star())
                .order(diesel::dsl::count_star().desc())
                .first(self.connection)
                .optional()?;
            if let Some(most) = most.filter(|most| *most > i64::from(cap.get())) {
                return Err(limit_reached("A workspace in the import", Noun::Member, cap, most).into());
            }
        }
        if let Some(cap) = limits.max_agents {
            let most: Option<i64> = agents::table
                .filter(agents::tenant_id.eq(tenant))
                .group_by(agents::workspace_id)
                .select(diesel::dsl::count_star())
                .order(diesel::dsl::count_star().desc())
                .first(self.connection)
                .optional()?;
            if let Some(most) = most.filter(|most| *most > i64::from(cap.get())) {
                return Err(limit_reached("A workspace in the import", Noun::Agent, cap, most).into());
            }
        }
        Ok(())
    }
}

pub(crate) const NO_WORKSPACE: &str = "is not the id of an earlier workspace";

/// What a violated constraint says of a line; each with the field that it is about.
pub(crate) fn refusal<T>(stored: QueryResult<T>, known: &[(&str, &str, &str)]) -> Result<Option<FieldRefusal>, Fault> {
    let Err(error) = stored else { return Ok(None) };
    let found = known.iter().find(|(constraint, ..)| violates(&error, constraint));
    match found {
        Some((_, field, message)) => Ok(Some(Refusal::new("conflicting", *message).of(*field))),
        None => Err(error.into()),
    }
}
