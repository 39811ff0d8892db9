//! Members of a tenant.

use chrono::{DateTime, Utc};
use diesel::{dsl::now, pg::Pg, prelude::*};
use tenantry_domain::{
    Actor, Assignment, Conflict, EmailAddress, Error, Grant, InMember, InTenant, Member, MemberDetails, MemberId,
    MemberStatus, Noun, Page, PageRequest, Person, Role, TenantId, Unauthenticated, WorkspaceId,
};
use uuid::Uuid;

use crate::{
    fault::{Fault, stored, violates},
    keyset,
    places::{FoundMember, TenantPlace},
    schema::{assignments, members, workspaces},
    tenants,
    tx::{Tx, WriteTx},
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = members, check_for_backend(Pg))]
pub(crate) struct Row {
    tenant_id: Uuid,
    id: Uuid,
    email: String,
    role: String,
    status: String,
    issuer: String,
    subject: String,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Insertable)]
#[diesel(table_name = members)]
struct NewRow<'a> {
    tenant_id: Uuid,
    id: Uuid,
    email: &'a str,
    email_key: String,
    role: &'a str,
    status: &'a str,
    issuer: &'a str,
    subject: &'a str,
}

impl<'a> NewRow<'a> {
    fn of(tenant: TenantId, id: MemberId, details: &'a MemberDetails) -> Self {
        Self {
            tenant_id: tenant.uuid(),
            id: id.uuid(),
            email: details.email.as_str(),
            email_key: details.email.key(),
            role: details.role.as_str(),
            status: details.status.as_str(),
            issuer: details.person.issuer.as_str(),
            subject: details.person.subject.as_str(),
        }
    }
}

impl Row {
    pub(crate) fn into_member(self) -> Result<Member, Fault> {
        let details = MemberDetails {
            email: stored("members.email", &self.email)?,
            role: stored("members.role", &self.role)?,
            status: stored("members.status", &self.status)?,
            person: Person {
                issuer: stored("members.issuer", &self.issuer)?,
                subject: stored("members.subject", &self.subject)?,
            },
        };
        Ok(Member {
            id: MemberId::from_uuid(self.id),
            tenant_id: TenantId::from_uuid(self.tenant_id),
            details,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// Which members a list shows; what is `None` does not restrict it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberFilter {
    /// In this role.
    pub role: Option<Role>,
    /// In this status.
    pub status: Option<MemberStatus>,
    /// Assigned to this workspace.
    pub workspace_id: Option<WorkspaceId>,
    /// With this text somewhere in the address, in either case.
    pub search: Option<String>,
}

/// How many assignments of a member are shown with it.
pub const SHOWN_ASSIGNMENTS: usize = 1_000;

impl<P: TenantPlace> WriteTx<'_, P> {
    /// Makes every other change of the tenant's members wait until the end of the transaction. Then checks again that the actor
    /// may do what this transaction is for, because the actor's own role may have changed while it waited.
    pub fn lock_members(&mut self) -> Result<(), Fault> {
        let tenant = self.tenant_id();
        tenants::lock(self.tx.connection, tenant)?;
        let Actor::Member(id) = self.tx.actor else { return Ok(()) };
        let role = members::table
            .filter(members::tenant_id.eq(tenant.uuid()).and(members::id.eq(id.uuid())))
            .filter(members::status.eq(MemberStatus::Active.as_str()))
            .select(members::role)
            .first::<String>(self.tx.connection)
            .optional()?
            .ok_or(Error::Unauthenticated(Unauthenticated::Token))?;
        self.tx.grant = Grant::Role { member: id, role: stored("members.role", &role)? };
        self.permit(self.action)
    }

    /// How many members can act as owners. Meaningful under [`WriteTx::lock_members`].
    pub fn active_owners(&mut self) -> Result<i64, Fault> {
        Ok(members::table
            .filter(members::tenant_id.eq(self.tenant_id().uuid()))
            .filter(members::role.eq(Role::Owner.as_str()).and(members::status.eq(MemberStatus::Active.as_str())))
            .count()
            .get_result(self.tx.connection)?)
    }

    /// Another member of the tenant, locked until the end of the transaction.
    pub fn lock_other_member(&mut self, id: MemberId) -> Result<Member, Fault> {
        lock(self.tx.connection, self.tenant_id(), id)
    }

    /// Stores new details of a member of the tenant.
    pub fn update_other_member(&mut self, id: MemberId, details: &MemberDetails) -> Result<Member, Fault> {
        update(self.tx.connection, self.tenant_id(), id, details)
    }
}

impl Tx<'_, InTenant> {
    /// A page of the tenant's members.
    pub fn members(&mut self, filter: &MemberFilter, page: &PageRequest) -> Result<Page<Member>, Fault> {
        let tenant = self.found.uuid();
        let mut query = members::table.filter(members::tenant_id.eq(tenant)).select(Row::as_select()).into_boxed();
        if let Some(role) = filter.role {
            query = query.filter(members::role.eq(role.as_str()));
        }
        if let Some(status) = filter.status {
            query = query.filter(members::status.eq(status.as_str()));
        }
        if let Some(id) = filter.workspace_id {
            let assigned = assignments::table
                .filter(assignments::tenant_id.eq(tenant).and(assignments::workspace_id.eq(id.uuid())))
                .select(assignments::member_id);
            query = query.filter(members::id.eq_any(assigned));
        }
        if let Some(search) = &filter.search {
            query = query.filter(members::email_key.ilike(keyset::contains(search)));
        }
        if let Some(position) = &page.after {
            query = query.filter(keyset::after("members", page.sort, position));
        }
        let rows = query.order(keyset::order("members", page.sort)).limit(keyset::limit(page)).load(self.connection)?;
        Ok(Page::cut(rows.into_iter().map(Row::into_member).collect::<Result<_, _>>()?, page))
    }

    /// A member of the tenant, by its id.
    pub fn member_with_id(&mut self, id: MemberId) -> Result<Member, Fault> {
        read(self.connection, self.found, id)
    }
}

impl WriteTx<'_, InTenant> {
    /// Stores a new member and assigns it, if there is a place in each workspace.
    pub fn create_member(
        &mut self,
        id: MemberId,
        details: &MemberDetails,
        workspaces: &[WorkspaceId],
    ) -> Result<Member, Fault> {
        let member = insert(self.tx.connection, self.tx.found, id, details)?;
        for workspace in workspaces {
            crate::assignments::check_places(self.tx.connection, self.tx.found, *workspace)?;
            let number = tenants::next_place_number(self.tx.connection, self.tx.found)?;
            crate::assignments::insert(self.tx.connection, self.tx.found, *workspace, id, number)?;
        }
        Ok(member)
    }
}

impl Tx<'_, InMember> {
    /// The member.
    pub fn member(&mut self) -> Result<Member, Fault> {
        read(self.connection, self.found.tenant, self.found.id)
    }

    /// Whether the member is the actor itself.
    pub fn is_itself(&self) -> bool {
        self.found.itself
    }

    /// The member's assignments to workspaces that are there, by the workspace's name, at most [`SHOWN_ASSIGNMENTS`]; and how
    /// many there are.
    pub fn assignments(&mut self) -> Result<(Vec<Assignment>, i64), Fault> {
        let FoundMember { tenant, id, .. } = self.found;
        let here = || {
            assignments::table
                .inner_join(workspaces::table.on(
                    workspaces::tenant_id.eq(assignments::tenant_id).and(workspaces::id.eq(assignments::workspace_id)),
                ))
                .filter(assignments::tenant_id.eq(tenant.uuid()).and(assignments::member_id.eq(id.uuid())))
                .filter(workspaces::tenant_id.eq(tenant.uuid()).and(workspaces::deleted_at.is_null()))
        };
        let rows: Vec<(Uuid, String, DateTime<Utc>)> = here()
            .select((workspaces::id, workspaces::name, assignments::created_at))
            .order((workspaces::name, workspaces::id))
            .limit(i64::try_from(SHOWN_ASSIGNMENTS).unwrap_or(i64::MAX))
            .load(self.connection)?;
        let count = here().count().get_result(self.connection)?;
        let shown = rows.into_iter().map(|(workspace, workspace_name, created_at)| Assignment {
            member_id: id,
            workspace_id: WorkspaceId::from_uuid(workspace),
            workspace_name,
            created_at,
        });
        Ok((shown.collect(), count))
    }
}

impl WriteTx<'_, InMember> {
    /// The member, locked until the end of the transaction.
    pub fn lock_member(&mut self) -> Result<Member, Fault> {
        lock(self.tx.connection, self.tx.found.tenant, self.tx.found.id)
    }

    /// Stores new details; what identifies the member stays.
    pub fn update_member(&mut self, details: &MemberDetails) -> Result<Member, Fault> {
        update(self.tx.connection, self.tx.found.tenant, self.tx.found.id, details)
    }

    /// Removes the member and its assignments.
    pub fn remove_member(&mut self) -> Result<(), Fault> {
        diesel::delete(members::table.filter(this(self.tx.found))).execute(self.tx.connection)?;
        Ok(())
    }
}

pub(crate) fn insert(
    connection: &mut PgConnection,
    tenant: TenantId,
    id: MemberId,
    details: &MemberDetails,
) -> Result<Member, Fault> {
    diesel::insert_into(members::table)
        .values(NewRow::of(tenant, id, details))
        .returning(Row::as_returning())
        .get_result(connection)
        .map_err(|error| match violates(&error, "members_person_key") {
            true => Error::conflict(Conflict::AlreadyMember, "This person is a member of the tenant already.").into(),
            false => Fault::unless_violated(error, "members_email_key", || already_member(&details.email)),
        })?
        .into_member()
}

/// The refusal of an address that somebody in the tenant has.
pub(crate) fn already_member(email: &EmailAddress) -> Error {
    Error::conflict(
        Conflict::AlreadyMember,
        format!("{} is the address of a member of the tenant already.", email.as_str()),
    )
}

/// Whether a member of the tenant has this address.
pub(crate) fn has_email(connection: &mut PgConnection, tenant: TenantId, email: &EmailAddress) -> QueryResult<bool> {
    let member = members::table.filter(members::tenant_id.eq(tenant.uuid()).and(members::email_key.eq(email.key())));
    diesel::select(diesel::dsl::exists(member)).get_result(connection)
}

pub(crate) fn read(connection: &mut PgConnection, tenant: TenantId, id: MemberId) -> Result<Member, Fault> {
    let row = members::table
        .filter(members::tenant_id.eq(tenant.uuid()).and(members::id.eq(id.uuid())))
        .select(Row::as_select())
        .first(connection)
        .optional()?;
    row.ok_or(Error::NotFound(Noun::Member))?.into_member()
}

fn lock(connection: &mut PgConnection, tenant: TenantId, id: MemberId) -> Result<Member, Fault> {
    let row = members::table
        .filter(members::tenant_id.eq(tenant.uuid()).and(members::id.eq(id.uuid())))
        .select(Row::as_select())
        .for_no_key_update()
        .first(connection)
        .optional()?;
    row.ok_or(Error::NotFound(Noun::Member))?.into_member()
}

fn update(
    connection: &mut PgConnection,
    tenant: TenantId,
    id: MemberId,
    details: &MemberDetails,
) -> Result<Member, Fault> {
    diesel::update(members::table.filter(members::tenant_id.eq(tenant.uuid()).and(members::id.eq(id.uuid()))))
        .set((
            members::role.eq(details.role.as_str()),
            members::status.eq(details.status.as_str()),
            members::version.eq(members::version + 1),
            members::updated_at.eq(now),
        ))
        .returning(Row::as_returning())
        .get_result(connection)?
        .into_member()
}

/// Counts a change that is seen at the member and stands elsewhere.
pub(crate) fn touch(connection: &mut PgConnection, tenant: TenantId, id: MemberId) -> QueryResult<()> {
    diesel::update(members::table.filter(members::tenant_id.eq(tenant.uuid()).and(members::id.eq(id.uuid()))))
        .set((members::version.eq(members::version + 1), members::updated_at.eq(now)))
        .execute(connection)
        .map(drop)
}

/// The one row of the place.
#[diesel::dsl::auto_type]
fn this(found: FoundMember) -> _ {
    let (tenant, id): (Uuid, Uuid) = (found.tenant.uuid(), found.id.uuid());
    members::tenant_id.eq(tenant).and(members::id.eq(id))
}

/// The workspaces that a member is assigned to.
#[diesel::dsl::auto_type]
pub(crate) fn assigned_workspaces(tenant: Uuid, member: Uuid) -> _ {
    assignments::table
        .filter(assignments::tenant_id.eq(tenant).and(assignments::member_id.eq(member)))
        .select(assignments::workspace_id)
}

/// Stores a member as it was elsewhere, as it will be counted from here on.
pub(crate) fn import(connection: &mut PgConnection, tenant: TenantId, member: &Member) -> QueryResult<()> {
    diesel::insert_into(members::table)
        .values((
            NewRow::of(tenant, member.id, &member.details),
            members::created_at.eq(member.created_at),
            members::updated_at.eq(member.updated_at),
        ))
        .execute(connection)
        .map(drop)
}
