//! Members of a tenant.

use chrono::{DateTime, Utc};
use diesel::{dsl::now, prelude::*};
use serde_json::Value;
use tenantry_domain::{
    Actor, Conflict, EmailAddress, Error, ExternalId, Grant, InMember, InTenant, Member, MemberDetails, MemberId,
    MemberStatus, Metadata, Noun, Page, PageRequest, Person, Role, TenantId, Unauthenticated, WorkspaceId,
};
use uuid::Uuid;

use crate::{
    fault::{Fault, stored, stored_option, violates},
    keyset::{self, Keyset, search_form, search_pattern},
    labels::{column, having, stored_labels, unless_taken},
    places::{FoundMember, TenantPlace},
    schema::{assignments, members},
    scope::TenantScope,
    tx::{Tx, WriteTx},
};

#[derive(Clone, HasQuery)]
#[diesel(table_name = members)]
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
    external_id: Option<String>,
    metadata: Value,
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
    external_id: Option<&'a str>,
    metadata: Value,
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
            external_id: column(&details.labels),
            metadata: details.labels.metadata.to_json(),
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
            labels: stored_labels("members", self.external_id, &self.metadata)?,
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
    /// With this external ID: one at most.
    pub external_id: Option<ExternalId>,
    /// With all of these entries of metadata.
    pub metadata: Metadata,
    /// With this text somewhere in the address, as searches compare it.
    pub search: Option<String>,
}

impl Keyset for members::table {
    type Id = members::id;
    type Name = members::email_key;
    type CreatedAt = members::created_at;
    type UpdatedAt = members::updated_at;
}

impl<P: TenantPlace> WriteTx<'_, P> {
    /// Makes every other change of the tenant's members and API keys wait until the end of the transaction. Then checks again that
    /// the actor may do what this transaction is for, because its own role may have changed or its key may have been revoked while it
    /// waited.
    pub fn lock_members(&mut self) -> Result<(), Fault> {
        let tenant = self.tenant_id();
        self.scope().lock_tenant()?;
        let id = match self.actor {
            Actor::Member(id) => id,
            Actor::ApiKey(id) => {
                self.grant = self.scope().grant_of_key(id)?.ok_or(Error::Unauthenticated(Unauthenticated::Invalid))?;
                return self.permit(self.action);
            }
            _ => return Ok(()),
        };
        let role = members::table
            .filter(members::tenant_id.eq(tenant.uuid()).and(members::id.eq(id.uuid())))
            .filter(members::status.eq(MemberStatus::Active.as_str()))
            .select(members::role)
            .first::<String>(self.connection)
            .optional()?
            .ok_or(Error::Unauthenticated(Unauthenticated::Token))?;
        self.grant = Grant::Role { member: id, role: stored("members.role", &role)? };
        self.permit(self.action)
    }

    /// How many members can act as owners. Meaningful under [`WriteTx::lock_members`].
    pub fn active_owners(&mut self) -> Result<i64, Fault> {
        Ok(members::table
            .filter(members::tenant_id.eq(self.tenant_id().uuid()))
            .filter(members::role.eq(Role::Owner.as_str()).and(members::status.eq(MemberStatus::Active.as_str())))
            .count()
            .get_result(self.connection)?)
    }

    /// Another member of the tenant, locked until the end of the transaction.
    pub fn lock_other_member(&mut self, id: MemberId) -> Result<Member, Fault> {
        self.scope().lock_member(id)
    }

    /// Stores new details of a member of the tenant.
    pub fn update_other_member(&mut self, before: &Member, details: &MemberDetails) -> Result<Member, Fault> {
        self.scope().update_member(before, details)
    }
}

impl Tx<'_, InTenant> {
    /// A page of the tenant's members.
    pub fn members(&mut self, filter: &MemberFilter, page: &PageRequest) -> Result<Page<Member>, Fault> {
        let tenant = self.found.uuid();
        let mut query = Row::query().filter(members::tenant_id.eq(tenant)).into_boxed();
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
        if let Some(id) = &filter.external_id {
            query = query.filter(members::external_id.eq(id.as_str().to_owned()));
        }
        for condition in having(self.found, Noun::Member, &filter.metadata) {
            query = query.filter(condition);
        }
        if let Some(search) = &filter.search {
            // The key is in ASCII, and people search for what they see.
            let pattern = search_pattern(search.clone());
            query = query.filter(
                search_form(members::email_key).like(pattern.clone()).or(search_form(members::email).like(pattern)),
            );
        }
        let rows = keyset::page::<members::table, _>(query, page).load(self.connection)?;
        Ok(Page::cut(rows.into_iter().map(Row::into_member).collect::<Result<_, _>>()?, page))
    }

    /// A member of the tenant, by its id.
    pub fn member_with_id(&mut self, id: MemberId) -> Result<Member, Fault> {
        self.scope().member(id)
    }
}

impl WriteTx<'_, InTenant> {
    /// Stores a new member.
    pub fn create_member(&mut self, id: MemberId, details: &MemberDetails) -> Result<Member, Fault> {
        self.scope().insert_member(id, details)
    }
}

impl Tx<'_, InMember> {
    /// The member.
    pub fn member(&mut self) -> Result<Member, Fault> {
        let id = self.found.id;
        self.scope().member(id)
    }

    /// Whether the member is the actor itself.
    pub fn is_itself(&self) -> bool {
        self.found.itself
    }
}

impl WriteTx<'_, InMember> {
    /// The member, locked until the end of the transaction.
    pub fn lock_member(&mut self) -> Result<Member, Fault> {
        let id = self.found.id;
        self.scope().lock_member(id)
    }

    /// Stores new details, if no other member has the address or the identity.
    pub fn update_member(&mut self, before: &Member, details: &MemberDetails) -> Result<Member, Fault> {
        self.check_external_id(&before.details.labels, &details.labels)?;
        self.scope().update_member(before, details)
    }

    /// Removes the member and its assignments.
    pub fn remove_member(&mut self) -> Result<(), Fault> {
        let removed = diesel::delete(members::table.filter(this(self.found))).execute(self.connection)?;
        Ok(self.scope().count_members(-i64::from(removed > 0))?)
    }
}

impl TenantScope<'_> {
    /// Stores a new member. The tenant is locked.
    pub(crate) fn insert_member(&mut self, id: MemberId, details: &MemberDetails) -> Result<Member, Fault> {
        self.count_members(1)?;
        let member = diesel::insert_into(members::table)
            .values(NewRow::of(self.tenant, id, details))
            .returning(Row::as_returning())
            .get_result(self.connection)
            .map_err(|error| taken(error, details))?
            .into_member()?;
        self.index_metadata(id, &Metadata::default(), &details.labels.metadata)?;
        Ok(member)
    }

    /// Whether a member of the tenant has this address.
    /// The address of an active member.
    pub(crate) fn address_of(&mut self, id: MemberId) -> Result<Option<EmailAddress>, Fault> {
        let email: Option<String> = members::table
            .filter(members::tenant_id.eq(self.tenant.uuid()).and(members::id.eq(id.uuid())))
            .filter(members::status.eq(MemberStatus::Active.as_str()))
            .select(members::email)
            .first(self.connection)
            .optional()?;
        stored_option("members.email", email)
    }

    pub(crate) fn has_member_with(&mut self, email: &EmailAddress) -> QueryResult<bool> {
        let member =
            members::table.filter(members::tenant_id.eq(self.tenant.uuid()).and(members::email_key.eq(email.key())));
        diesel::select(diesel::dsl::exists(member)).get_result(self.connection)
    }

    pub(crate) fn member(&mut self, id: MemberId) -> Result<Member, Fault> {
        let row = Row::query()
            .filter(members::tenant_id.eq(self.tenant.uuid()).and(members::id.eq(id.uuid())))
            .first(self.connection)
            .optional()?;
        row.ok_or(Error::NotFound(Noun::Member))?.into_member()
    }

    fn lock_member(&mut self, id: MemberId) -> Result<Member, Fault> {
        let row = Row::query()
            .filter(members::tenant_id.eq(self.tenant.uuid()).and(members::id.eq(id.uuid())))
            .for_no_key_update()
            .first(self.connection)
            .optional()?;
        row.ok_or(Error::NotFound(Noun::Member))?.into_member()
    }

    fn update_member(&mut self, before: &Member, details: &MemberDetails) -> Result<Member, Fault> {
        let id = before.id;
        let member = diesel::update(
            members::table.filter(members::tenant_id.eq(self.tenant.uuid()).and(members::id.eq(id.uuid()))),
        )
        .set((
            members::email.eq(details.email.as_str()),
            members::email_key.eq(details.email.key()),
            members::role.eq(details.role.as_str()),
            members::status.eq(details.status.as_str()),
            members::issuer.eq(details.person.issuer.as_str()),
            members::subject.eq(details.person.subject.as_str()),
            members::external_id.eq(column(&details.labels)),
            members::metadata.eq(details.labels.metadata.to_json()),
            members::version.eq(members::version + 1),
            members::updated_at.eq(now),
        ))
        .returning(Row::as_returning())
        .get_result(self.connection)
        .map_err(|error| taken(error, details))?
        .into_member()?;
        self.index_metadata(id, &before.details.labels.metadata, &details.labels.metadata)?;
        Ok(member)
    }

    /// Counts a change that is seen at the member and stands elsewhere.
    pub(crate) fn touch_member(&mut self, id: MemberId) -> QueryResult<()> {
        diesel::update(members::table.filter(members::tenant_id.eq(self.tenant.uuid()).and(members::id.eq(id.uuid()))))
            .set((members::version.eq(members::version + 1), members::updated_at.eq(now)))
            .execute(self.connection)
            .map(drop)
    }

    /// Stores members as they were elsewhere.
    pub(crate) fn import_members(&mut self, members: &[&Member]) -> QueryResult<()> {
        let rows = members.iter().map(|member| {
            (
                NewRow::of(self.tenant, member.id, &member.details),
                members::version.eq(member.version),
                members::created_at.eq(member.created_at),
                members::updated_at.eq(member.updated_at),
            )
        });
        let rows: Vec<_> = rows.collect();
        diesel::insert_into(members::table).values(rows).execute(self.connection)?;
        self.index_new_metadata(members.iter().map(|member| member.id))
    }
}

/// The refusal of an address or an identity that somebody else in the tenant has.
fn taken(error: diesel::result::Error, details: &MemberDetails) -> Fault {
    match violates(&error, "members_person_key") {
        true => Error::conflict(Conflict::AlreadyMember, "This person is already a member of the tenant.").into(),
        false if violates(&error, "members_email_key") => already_member(&details.email).into(),
        false => unless_taken(error, &details.labels, Noun::Member),
    }
}

/// The refusal of an address that somebody in the tenant has.
pub(crate) fn already_member(email: &EmailAddress) -> Error {
    Error::conflict(Conflict::AlreadyMember, format!("{} is already a member of this tenant.", email.as_str()))
}

/// The one row of the place.
#[diesel::dsl::auto_type]
fn this(found: FoundMember) -> _ {
    let (tenant, id): (Uuid, Uuid) = (found.tenant.uuid(), found.id.uuid());
    members::tenant_id.eq(tenant).and(members::id.eq(id))
}
