//! Tenants: the list that the platform sees, and the one row that a tenant sees.

use chrono::{DateTime, Utc};
use diesel::{
    dsl::{exists, now},
    prelude::*,
    sql_query,
    sql_types::Timestamptz,
};
use serde_json::Value;
use tenantry_domain::{
    Cap, Conflict, Error, ExternalId, InTenant, Labels, Limits, Locale, Metadata, Noun, OverTenant, Page, PageRequest,
    Platform, Refusal, Requests, Tenant, TenantDetails, TenantId, TenantState, Use,
};
use uuid::Uuid;

use crate::{
    attempt::lock_number,
    fault::{Fault, stored, violates},
    keyset::{self, Keyset, search_form, search_pattern},
    labels::{column, stored_labels, tenants_having, unless_taken},
    places::TenantPlace,
    prepared::Prepare,
    schema::{invitations as invitations_table, tenants},
    scope::TenantScope,
    tx::{Tx, WriteTx},
};

#[derive(Clone, HasQuery)]
#[diesel(table_name = tenants)]
pub(crate) struct Row {
    id: Uuid,
    name: String,
    default_country: String,
    default_operating_language: String,
    default_currency: String,
    default_workspace_type: String,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    suspended_at: Option<DateTime<Utc>>,
    deleted_at: Option<DateTime<Utc>>,
    frozen_at: Option<DateTime<Utc>>,
    max_workspaces: Option<i32>,
    max_members: Option<i32>,
    max_agents: Option<i32>,
    max_minutes: Option<i32>,
    max_pending_invitations: Option<i32>,
    max_emails_per_day: Option<i32>,
    max_emails_per_recipient: Option<i32>,
    requests_per_second: Option<i32>,
    request_burst: Option<i32>,
    external_id: Option<String>,
    metadata: Value,
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = tenants)]
struct Columns<'a> {
    name: &'a str,
    default_country: &'a str,
    default_operating_language: &'a str,
    default_currency: &'a str,
    default_workspace_type: &'a str,
}

impl<'a> Columns<'a> {
    fn of(details: &'a TenantDetails) -> Self {
        Self {
            name: details.name.as_str(),
            default_country: details.defaults.country.as_str(),
            default_operating_language: details.defaults.language.as_str(),
            default_currency: details.defaults.currency.as_str(),
            default_workspace_type: details.defaults.workspace_type.as_str(),
        }
    }
}

impl Row {
    pub(crate) fn into_tenant(self) -> Result<Tenant, Fault> {
        let defaults = Locale {
            country: stored("tenants.default_country", &self.default_country)?,
            language: stored("tenants.default_operating_language", &self.default_operating_language)?,
            currency: stored("tenants.default_currency", &self.default_currency)?,
            workspace_type: stored("tenants.default_workspace_type", &self.default_workspace_type)?,
        };
        Ok(Tenant {
            id: TenantId::from_uuid(self.id),
            details: TenantDetails { name: stored("tenants.name", &self.name)?, defaults },
            limits: Limits {
                max_workspaces: stored_cap("tenants.max_workspaces", self.max_workspaces)?,
                max_members: stored_cap("tenants.max_members", self.max_members)?,
                max_agents: stored_cap("tenants.max_agents", self.max_agents)?,
                max_minutes: stored_cap("tenants.max_minutes", self.max_minutes)?,
                max_pending_invitations: stored_cap("tenants.max_pending_invitations", self.max_pending_invitations)?,
                max_emails_per_day: stored_cap("tenants.max_emails_per_day", self.max_emails_per_day)?,
                max_emails_per_recipient: stored_cap(
                    "tenants.max_emails_per_recipient",
                    self.max_emails_per_recipient,
                )?,
                requests_per_second: stored_requests("tenants.requests_per_second", self.requests_per_second)?,
                request_burst: stored_requests("tenants.request_burst", self.request_burst)?,
            },
            labels: stored_labels("tenants", self.external_id, &self.metadata)?,
            suspended_at: self.suspended_at,
            deleted_at: self.deleted_at,
            frozen_at: self.frozen_at,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// Reads a stored cap.
pub(crate) fn stored_cap(column: &str, raw: Option<i32>) -> Result<Option<Cap>, Fault> {
    stored_number(column, raw)
}

/// Reads a stored number of requests.
pub(crate) fn stored_requests(column: &str, raw: Option<i32>) -> Result<Option<Requests>, Fault> {
    stored_number(column, raw)
}

fn stored_number<N: TryFrom<i64, Error = Refusal>>(column: &str, raw: Option<i32>) -> Result<Option<N>, Fault> {
    raw.map(|raw| N::try_from(i64::from(raw)))
        .transpose()
        .map_err(|refusal| Error::internal(format!("{column} holds a value that {refusal}")).into())
}

#[derive(AsChangeset, Insertable)]
#[diesel(table_name = tenants, treat_none_as_null = true)]
struct LimitColumns {
    max_workspaces: Option<i32>,
    max_members: Option<i32>,
    max_agents: Option<i32>,
    max_minutes: Option<i32>,
    max_pending_invitations: Option<i32>,
    max_emails_per_day: Option<i32>,
    max_emails_per_recipient: Option<i32>,
    requests_per_second: Option<i32>,
    request_burst: Option<i32>,
}

impl LimitColumns {
    fn of(limits: Limits) -> Self {
        Self {
            max_workspaces: number(limits.max_workspaces),
            max_members: number(limits.max_members),
            max_agents: number(limits.max_agents),
            max_minutes: number(limits.max_minutes),
            max_pending_invitations: number(limits.max_pending_invitations),
            max_emails_per_day: number(limits.max_emails_per_day),
            max_emails_per_recipient: number(limits.max_emails_per_recipient),
            requests_per_second: requests(limits.requests_per_second),
            request_burst: requests(limits.request_burst),
        }
    }
}

#[derive(AsChangeset, Insertable)]
#[diesel(table_name = tenants, treat_none_as_null = true)]
struct LabelColumns<'a> {
    external_id: Option<&'a str>,
    metadata: Value,
}

impl<'a> LabelColumns<'a> {
    fn of(labels: &'a Labels) -> Self {
        Self { external_id: column(labels), metadata: labels.metadata.to_json() }
    }
}

/// A cap as its column has it.
pub(crate) fn number(cap: Option<Cap>) -> Option<i32> {
    cap.and_then(|cap| i32::try_from(cap.get()).ok())
}

fn requests(number: Option<Requests>) -> Option<i32> {
    number.and_then(|number| i32::try_from(number.get()).ok())
}

impl Keyset for tenants::table {
    type Id = tenants::id;
    type Name = tenants::name;
    type CreatedAt = tenants::created_at;
    type UpdatedAt = tenants::updated_at;
}

impl WriteTx<'_, Platform> {
    /// Stores a new tenant, which has nothing yet.
    pub(crate) fn insert_tenant(
        &mut self,
        id: TenantId,
        (details, limits): (&TenantDetails, Limits),
        labels: &Labels,
    ) -> Result<Tenant, Fault> {
        claim_external_id(self.connection, id, labels)?;
        diesel::insert_into(tenants::table)
            .values((
                tenants::id.eq(id.uuid()),
                Columns::of(details),
                LimitColumns::of(limits),
                LabelColumns::of(labels),
            ))
            .returning(Row::as_returning())
            .get_result(self.connection)
            .map_err(|error| unless_taken(error, labels, Noun::Tenant))?
            .into_tenant()
    }

    /// Stores a tenant as it was elsewhere, and frozen.
    pub(crate) fn insert_moved(&mut self, tenant: &Tenant, last: LastNumbers) -> Result<(), Fault> {
        if tenant.deleted_at.is_none() {
            claim_external_id(self.connection, tenant.id, &tenant.labels)?;
        }
        let stored = diesel::insert_into(tenants::table)
            .values((
                tenants::id.eq(tenant.id.uuid()),
                Columns::of(&tenant.details),
                LimitColumns::of(tenant.limits),
                LabelColumns::of(&tenant.labels),
                (tenants::last_workspace_number.eq(last.workspace), tenants::last_place_number.eq(last.slot)),
                (tenants::suspended_at.eq(tenant.suspended_at), tenants::deleted_at.eq(tenant.deleted_at)),
                tenants::frozen_at.eq(now),
                tenants::version.eq(tenant.version),
                (tenants::created_at.eq(tenant.created_at), tenants::updated_at.eq(tenant.updated_at)),
            ))
            .execute(self.connection);
        stored.map(drop).map_err(|error| match violates(&error, "tenants_pkey") {
            true => {
                let message = format!("The tenant {} is already in this database. Nothing was imported.", tenant.id);
                Error::conflict(Conflict::TenantExists, message).into()
            }
            false => unless_taken(error, &tenant.labels, Noun::Tenant),
        })
    }
}

impl Tx<'_, Platform> {
    /// A page of all tenants.
    pub fn tenants(&mut self, filter: &TenantFilter, page: &PageRequest) -> Result<Page<Tenant>, Fault> {
        let mut query = Row::query().filter(is_account()).into_boxed();
        match filter.state {
            Some(TenantState::Deleted) => query = query.filter(tenants::deleted_at.is_not_null()),
            Some(TenantState::Suspended) => {
                query = query.filter(tenants::deleted_at.is_null().and(tenants::suspended_at.is_not_null()));
            }
            Some(TenantState::Active) => {
                query = query.filter(tenants::deleted_at.is_null().and(tenants::suspended_at.is_null()));
            }
            None => {}
        }
        if let Some(id) = &filter.external_id {
            query = query.filter(tenants::external_id.eq(id.as_str().to_owned()));
        }
        for condition in tenants_having(&filter.metadata) {
            query = query.filter(condition);
        }
        if let Some(search) = &filter.search {
            query = query.filter(search_form(tenants::name).like(search_pattern(search.clone())));
        }
        let rows = keyset::page::<tenants::table, _>(query, page).load(self.connection)?;
        Ok(Page::cut(rows.into_iter().map(Row::into_tenant).collect::<Result<_, _>>()?, page))
    }

    /// The tenant that has this external ID. A deleted one no longer has it.
    pub fn tenant_called(&mut self, external_id: &ExternalId) -> Result<Option<TenantId>, Fault> {
        let called = tenants::external_id.eq(external_id.as_str()).and(tenants::deleted_at.is_null());
        let id = tenants::table.filter(called).select(tenants::id).first(self.connection).optional()?;
        Ok(id.map(TenantId::from_uuid))
    }

    /// Whether there is any tenant yet.
    pub fn any_tenant(&mut self) -> Result<bool, Fault> {
        Ok(diesel::select(exists(tenants::table.filter(is_account()).select(tenants::id)))
            .get_result(self.connection)?)
    }
}

/// Refuses the external ID of a tenant that another one has. On one server its index does that too; on a distributed database no index
/// spans the servers. Whoever gives one waits until whoever gives the same has done so.
fn claim_external_id(connection: &mut PgConnection, tenant: TenantId, labels: &Labels) -> Result<(), Fault> {
    let Some(external_id) = &labels.external_id else { return Ok(()) };
    let lock = lock_number(&[b"external id of a tenant", external_id.as_str().as_bytes()]);
    sql_query(format!("SELECT pg_advisory_xact_lock({lock})")).execute(connection)?;
    // Only the platform names tenants, and only from above the others are seen.
    sql_query("SELECT set_platform()").execute(connection)?;
    let another = tenants::table
        .filter(tenants::external_id.eq(external_id.as_str()).and(tenants::deleted_at.is_null()))
        .filter(tenants::id.ne(tenant.uuid()))
        .select(tenants::id);
    match diesel::select(exists(another)).get_result(connection)? {
        true => Err(labels.taken(Noun::Tenant).into()),
        false => Ok(()),
    }
}

/// Those for which emails and events are sent: who lets nobody in, or moves to another database, sends nothing.
#[diesel::dsl::auto_type]
pub(crate) fn sends() -> _ {
    tenants::suspended_at.is_null().and(tenants::deleted_at.is_null()).and(tenants::frozen_at.is_null())
}

/// How many invitations of a tenant can be accepted now.
#[diesel::dsl::auto_type(type_case = "PascalCase")]
pub(crate) fn pending_invitations(tenant: TenantId) -> _ {
    let tenant: Uuid = tenant.uuid();
    invitations_table::table
        .filter(invitations_table::tenant_id.eq(tenant))
        .filter(invitations_table::accepted_at.is_null().and(invitations_table::revoked_at.is_null()))
        .filter(invitations_table::expires_at.gt(now.into_sql::<Timestamptz>()))
        .count()
}

/// Everybody's but the platform's own.
#[diesel::dsl::auto_type]
fn is_account() -> _ {
    let platform: Uuid = TenantId::PLATFORM.uuid();
    tenants::id.ne(platform)
}

/// Which tenants a list shows; what is `None` does not restrict it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantFilter {
    /// In this state.
    pub state: Option<TenantState>,
    /// With this external ID. Deleted tenants keep theirs, so there may be several.
    pub external_id: Option<ExternalId>,
    /// With all of these entries of metadata.
    pub metadata: Metadata,
    /// With this text somewhere in the name, as searches compare it.
    pub search: Option<String>,
}

impl<P: TenantPlace> WriteTx<'_, P> {
    /// The tenant, locked until the end of the transaction.
    pub fn lock_tenant(&mut self) -> Result<Tenant, Fault> {
        let mut scope = self.scope();
        scope.lock_tenant()?;
        scope.read_tenant()
    }
}

impl Tx<'_, OverTenant> {
    /// The tenant and how much it uses of its limits: numbers, and nothing of what they count.
    pub fn tenant_and_use(&mut self) -> Result<(Tenant, Use), Fault> {
        self.scope().tenant_and_use()
    }
}

impl WriteTx<'_, OverTenant> {
    /// Stores new details, limits and labels.
    pub fn update_tenant(&mut self, details: &TenantDetails, limits: Limits, labels: &Labels) -> Result<Tenant, Fault> {
        let id = self.found;
        claim_external_id(self.connection, id, labels)?;
        diesel::update(tenants::table.filter(tenants::id.eq(self.found.uuid())))
            .set((
                Columns::of(details),
                LimitColumns::of(limits),
                LabelColumns::of(labels),
                tenants::version.eq(tenants::version + 1),
                tenants::updated_at.eq(now),
            ))
            .returning(Row::as_returning())
            .get_result(self.connection)
            .map_err(|error| unless_taken(error, labels, Noun::Tenant))?
            .into_tenant()
    }

    /// Refuses the tenant's credentials from the next request on, or no longer.
    pub fn set_suspended(&mut self, suspended: bool) -> Result<Tenant, Fault> {
        let at = suspended.then(|| self.clock()).transpose()?;
        diesel::update(tenants::table.filter(tenants::id.eq(self.found.uuid())))
            .set((tenants::suspended_at.eq(at), tenants::version.eq(tenants::version + 1), tenants::updated_at.eq(now)))
            .returning(Row::as_returning())
            .get_result(self.connection)?
            .into_tenant()
    }

    /// Lets nobody write in the tenant from now on, or again. Its version stays, see [`Tenant::frozen_at`].
    pub fn set_frozen(&mut self, frozen: bool) -> Result<Tenant, Fault> {
        let at = frozen.then(|| self.clock()).transpose()?;
        diesel::update(tenants::table.filter(tenants::id.eq(self.found.uuid())))
            .set(tenants::frozen_at.eq(at))
            .returning(Row::as_returning())
            .get_result(self.connection)?
            .into_tenant()
    }

    /// Refuses the tenant's credentials from the next request on and lets it be erased when its time is over, or no longer.
    pub fn set_deleted(&mut self, before: &Tenant, deleted: bool) -> Result<Tenant, Fault> {
        if !deleted {
            let id = self.found;
            claim_external_id(self.connection, id, &before.labels)?;
        }
        let at = deleted.then(|| self.clock()).transpose()?;
        diesel::update(tenants::table.filter(tenants::id.eq(self.found.uuid())))
            .set((tenants::deleted_at.eq(at), tenants::version.eq(tenants::version + 1), tenants::updated_at.eq(now)))
            .returning(Row::as_returning())
            .get_result(self.connection)
            // Another one may have its external ID meanwhile.
            .map_err(|error| unless_taken(error, &before.labels, Noun::Tenant))?
            .into_tenant()
    }
}

impl TenantScope<'_> {
    /// How many invitations can be accepted now.
    pub(crate) fn pending_invitations(&mut self) -> QueryResult<i64> {
        pending_invitations(self.tenant).get_result(self.connection)
    }

    /// The next number of a slot in a workspace.
    pub(crate) fn next_slot_number(&mut self) -> QueryResult<i64> {
        diesel::update(tenants::table.filter(tenants::id.eq(self.tenant.uuid())))
            .set(tenants::last_place_number.eq(tenants::last_place_number + 1))
            .returning(tenants::last_place_number)
            .prepared()
            .get_result(self.connection)
    }

    pub(crate) fn read_tenant(&mut self) -> Result<Tenant, Fault> {
        let row = Row::query().filter(tenants::id.eq(self.tenant.uuid())).first(self.connection).optional()?;
        row.ok_or(Error::NotFound(Noun::Tenant))?.into_tenant()
    }

    /// Makes whoever locks the same tenant wait: for what must hold across several of its rows.
    pub(crate) fn lock_tenant(&mut self) -> QueryResult<()> {
        tenants::table
            .filter(tenants::id.eq(self.tenant.uuid()))
            .select(tenants::id)
            .for_no_key_update()
            .first::<Uuid>(self.connection)
            .map(drop)
    }
}

/// The largest numbers that a tenant has given, to things that may be gone meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastNumbers {
    /// To a workspace.
    pub workspace: i64,
    /// To a slot in a workspace.
    pub slot: i64,
}

impl Tx<'_, InTenant> {
    /// The numbers that were given last.
    pub fn last_numbers(&mut self) -> Result<LastNumbers, Fault> {
        let (workspace, slot) = tenants::table
            .filter(tenants::id.eq(self.found.uuid()))
            .select((tenants::last_workspace_number, tenants::last_place_number))
            .first(self.connection)?;
        Ok(LastNumbers { workspace, slot })
    }

    /// The tenant.
    pub fn tenant(&mut self) -> Result<Tenant, Fault> {
        self.scope().read_tenant()
    }
}

impl WriteTx<'_, InTenant> {
    /// Gives no number again that was given here or up to these.
    pub fn number_after(&mut self, last: LastNumbers) -> Result<(), Fault> {
        let here = self.last_numbers()?;
        diesel::update(tenants::table.filter(tenants::id.eq(self.found.uuid())))
            .set((
                tenants::last_workspace_number.eq(last.workspace.max(here.workspace)),
                tenants::last_place_number.eq(last.slot.max(here.slot)),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// Stores new details.
    pub fn update_tenant(&mut self, details: &TenantDetails) -> Result<Tenant, Fault> {
        diesel::update(tenants::table.filter(tenants::id.eq(self.found.uuid())))
            .set((Columns::of(details), tenants::version.eq(tenants::version + 1), tenants::updated_at.eq(now)))
            .returning(Row::as_returning())
            .get_result(self.connection)?
            .into_tenant()
    }
}
