//! What only an export reads and only an import writes: a whole tenant, with its ids and times as they are.

use chrono::{DateTime, Utc};
use diesel::{dsl::now, prelude::*, sql_types::Timestamptz};
use tenantry_domain::{
    Brand, Conflict, Error, FieldRefusal, InTenant, Invitation, Member, MemberId, Noun, Refusal, WorkspaceId,
    limit_reached,
};
use uuid::Uuid;

use crate::{
    fault::{Fault, violates},
    schema::{api_keys, assignments, brands, invitations, members, workspaces},
    tx::{Tx, WriteTx},
    workspaces::KeptWorkspace,
};

/// A place in a workspace, by ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// Who.
    pub member_id: MemberId,
    /// Where.
    pub workspace_id: WorkspaceId,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

impl Tx<'_, InTenant> {
    /// The places of these members, also in deleted workspaces.
    pub fn placements(&mut self, members: &[MemberId]) -> Result<Vec<Placement>, Fault> {
        let ids: Vec<Uuid> = members.iter().map(|id| id.uuid()).collect();
        let rows: Vec<(Uuid, Uuid, DateTime<Utc>)> = assignments::table
            .filter(assignments::tenant_id.eq(self.found.uuid()).and(assignments::member_id.eq_any(ids)))
            .select((assignments::member_id, assignments::workspace_id, assignments::created_at))
            .order((assignments::member_id, assignments::workspace_id))
            .load(self.connection)?;
        Ok(rows
            .into_iter()
            .map(|(member, workspace, created_at)| Placement {
                member_id: MemberId::from_uuid(member),
                workspace_id: WorkspaceId::from_uuid(workspace),
                created_at,
            })
            .collect())
    }
}

impl WriteTx<'_, InTenant> {
    /// Takes the default brand off a tenant that has nothing else but keys, to make way for what is imported. The tenant is
    /// locked, and stays without a default brand until the import brings one.
    pub fn make_way(&mut self) -> Result<(), Fault> {
        let tenant = self.found.uuid();
        self.scope().lock_tenant()?;
        let count = |rows: i64, least: i64, what: &str| {
            let message =
                format!("An import needs an empty tenant, but this one has {what}. Create a new tenant for it.");
            if rows > least { Err(Error::conflict(Conflict::TenantNotEmpty, message)) } else { Ok(()) }
        };
        let of = workspaces::table.filter(workspaces::tenant_id.eq(tenant));
        count(of.count().get_result(self.connection)?, 0, "workspaces")?;
        let of = members::table.filter(members::tenant_id.eq(tenant));
        count(of.count().get_result(self.connection)?, 0, "members")?;
        let of = invitations::table.filter(invitations::tenant_id.eq(tenant));
        count(of.count().get_result(self.connection)?, 0, "invitations")?;
        let of = brands::table.filter(brands::tenant_id.eq(tenant));
        count(of.count().get_result(self.connection)?, 1, "brands of its own")?;
        // They would go with the brand.
        let of = api_keys::table.filter(api_keys::tenant_id.eq(tenant).and(api_keys::brand_id.is_not_null()));
        count(of.count().get_result(self.connection)?, 0, "API keys that are restricted to its brand")?;
        diesel::delete(brands::table.filter(brands::tenant_id.eq(tenant))).execute(self.connection)?;
        Ok(())
    }

    /// Stores a brand as it was elsewhere. What is refused depends on what came before it.
    pub fn import_brand(&mut self, brand: &Brand) -> Result<Option<FieldRefusal>, Fault> {
        told(
            self.scope().import_brand(brand),
            &[
                ("brands_pkey", "id", "is the id of an earlier brand"),
                ("brands_slug_key", "slug", "is the slug of an earlier brand"),
                ("brands_default_key", "isDefault", "is true for an earlier brand: exactly one is the default"),
            ],
        )
    }

    /// Stores a workspace as it was elsewhere, deleted ones too.
    pub fn import_workspace(&mut self, kept: &KeptWorkspace) -> Result<Option<FieldRefusal>, Fault> {
        told(
            self.scope().import_workspace(kept),
            &[
                ("workspaces_pkey", "id", "is the id of an earlier workspace"),
                ("workspaces_number_key", "number", "is the number of an earlier workspace"),
                ("workspaces_brand_fkey", "brandId", "is not the id of an earlier brand"),
            ],
        )
    }

    /// Stores a member as it was elsewhere, with its places.
    pub fn import_member(&mut self, member: &Member, places: &[Placement]) -> Result<Option<FieldRefusal>, Fault> {
        let stored = self.scope().import_member(member).and_then(|()| {
            for place in places {
                diesel::insert_into(assignments::table)
                    .values((
                        assignments::tenant_id.eq(self.found.uuid()),
                        assignments::workspace_id.eq(place.workspace_id.uuid()),
                        assignments::member_id.eq(member.id.uuid()),
                        assignments::created_at.eq(place.created_at),
                        assignments::number.eq(self.scope().next_place_number()?),
                    ))
                    .execute(self.connection)?;
            }
            Ok(())
        });
        told(
            stored,
            &[
                ("members_pkey", "id", "is the id of an earlier member"),
                ("members_email_key", "email", "is the address of an earlier member"),
                ("members_person_key", "subject", "is an earlier member, by the same issuer"),
                ("assignments_pkey", "assignments", "name a workspace twice"),
                ("assignments_workspace_fkey", "assignments", "name what is not the id of an earlier workspace"),
            ],
        )
    }

    /// Stores an invitation as it was elsewhere. One that could still be accepted there has expired here: its messages lead
    /// elsewhere, and it can be sent again.
    pub fn import_invitation(&mut self, invitation: &Invitation) -> Result<Option<FieldRefusal>, Fault> {
        let clock: DateTime<Utc> = diesel::select(now.into_sql::<Timestamptz>()).get_result(self.connection)?;
        let open = invitation.accepted_at.is_none() && invitation.revoked_at.is_none();
        let expires_at = if open { invitation.expires_at.min(clock) } else { invitation.expires_at };
        told(
            self.scope().import_invitation(&Invitation { expires_at, ..invitation.clone() }),
            &[
                ("invitations_pkey", "id", "is the id of an earlier invitation"),
                ("invitations_open_key", "email", "is invited by an earlier invitation that is open too"),
                ("invitation_workspaces_pkey", "workspaceIds", "name a workspace twice"),
                (
                    "invitation_workspaces_workspace_fkey",
                    "workspaceIds",
                    "name what is not the id of an earlier workspace",
                ),
            ],
        )
    }

    /// Refuses what was imported if it has no default brand, or more than the limits of this tenant allow.
    pub fn check_imported(&mut self) -> Result<(), Fault> {
        let tenant = self.found.uuid();
        self.scope().resume_workspace_numbers()?;
        let default: i64 = brands::table
            .filter(brands::tenant_id.eq(tenant).and(brands::is_default))
            .count()
            .get_result(self.connection)?;
        if default == 0 {
            let refusal = Refusal::new("required", "is true for no brand: exactly one is the default");
            return Err(Error::invalid(refusal.of("isDefault")).into());
        }
        let limits = self.scope().read_tenant()?.limits;
        if let Some(cap) = limits.max_workspaces {
            let used = self.tenant_use()?.workspaces;
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
        Ok(())
    }
}

/// What a violated constraint says of a line; each with the member that it is about.
fn told(outcome: QueryResult<()>, known: &[(&str, &str, &str)]) -> Result<Option<FieldRefusal>, Fault> {
    let Err(error) = outcome else { return Ok(None) };
    let found = known.iter().find(|(constraint, ..)| violates(&error, constraint));
    match found {
        Some((_, field, message)) => Ok(Some(Refusal::new("conflicting", *message).of(*field))),
        None => Err(error.into()),
    }
}
