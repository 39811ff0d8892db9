//! Workspaces of a tenant. Only a list that asks for deleted ones sees them; whatever else sees one is in [`kept`].

mod kept;

use chrono::{DateTime, Utc};
use diesel::{
    dsl::{exists, now},
    pg::Pg,
    prelude::*,
    sql_types::Bool,
};
use serde_json::Value;
use tenantry_domain::{
    Action, BrandId, CountryCode, CurrencyCode, Error, ExternalId, InBrand, InTenant, InWorkspace, Instructions,
    Labels, LanguageCode, Locale, Metadata, NewWorkspace, Noun, Page, PageRequest, Reach, SignatureHtml, SignatureText,
    TenantId, Workspace, WorkspaceDetails, WorkspaceId, WorkspaceNumber, WorkspaceState, WorkspaceType, unknown_brand,
};
use uuid::Uuid;

pub use self::kept::KeptWorkspace;
use crate::{
    assignments::assigned_workspaces,
    counts::OneMore,
    fault::{Fault, stored, stored_option, violates},
    keyset::{self, Keyset, search_pattern},
    labels::{column, having, stored_labels, unless_taken},
    places::{FoundWorkspace, TenantPlace, WholeWorkspace, is_restorable},
    prepared::Prepare,
    schema::workspaces,
    scope::TenantScope,
    tx::{Tx, WriteTx},
};

#[derive(Clone, HasQuery)]
#[diesel(table_name = workspaces)]
pub(crate) struct Row {
    tenant_id: Uuid,
    id: Uuid,
    brand_id: Uuid,
    name: String,
    country: String,
    operating_language: String,
    currency: String,
    workspace_type: String,
    workspace_instructions: Option<String>,
    email_signature_html: Option<String>,
    email_signature_text: Option<String>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    deleted_at: Option<DateTime<Utc>>,
    external_id: Option<String>,
    metadata: Value,
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = workspaces, treat_none_as_null = true)]
struct Columns<'a> {
    brand_id: Uuid,
    name: &'a str,
    country: &'a str,
    operating_language: &'a str,
    currency: &'a str,
    workspace_type: &'a str,
    workspace_instructions: Option<&'a str>,
    email_signature_html: Option<&'a str>,
    email_signature_text: Option<&'a str>,
    external_id: Option<&'a str>,
    metadata: Value,
}

impl<'a> Columns<'a> {
    fn of(details: &'a WorkspaceDetails) -> Self {
        Self {
            brand_id: details.brand_id.uuid(),
            name: details.name.as_str(),
            country: details.locale.country.as_str(),
            operating_language: details.locale.language.as_str(),
            currency: details.locale.currency.as_str(),
            workspace_type: details.locale.workspace_type.as_str(),
            workspace_instructions: details.workspace_instructions.as_ref().map(Instructions::as_str),
            email_signature_html: details.email_signature_html.as_ref().map(SignatureHtml::as_str),
            email_signature_text: details.email_signature_text.as_ref().map(SignatureText::as_str),
            external_id: column(&details.labels),
            metadata: details.labels.metadata.to_json(),
        }
    }
}

impl Row {
    /// The place that this row is, as the door finds it.
    pub(crate) fn found(&self, of_member: bool) -> FoundWorkspace {
        FoundWorkspace::of((self.tenant_id, self.id, self.brand_id), of_member)
    }

    pub(crate) fn into_workspace(self) -> Result<Workspace, Fault> {
        let locale = Locale {
            country: stored("workspaces.country", &self.country)?,
            language: stored("workspaces.operating_language", &self.operating_language)?,
            currency: stored("workspaces.currency", &self.currency)?,
            workspace_type: stored("workspaces.workspace_type", &self.workspace_type)?,
        };
        Ok(Workspace {
            id: WorkspaceId::from_uuid(self.id),
            tenant_id: TenantId::from_uuid(self.tenant_id),
            details: WorkspaceDetails {
                brand_id: BrandId::from_uuid(self.brand_id),
                name: stored("workspaces.name", &self.name)?,
                locale,
                workspace_instructions: stored_option(
                    "workspaces.workspace_instructions",
                    self.workspace_instructions,
                )?,
                email_signature_html: self.email_signature_html.map(SignatureHtml::from_sanitised),
                email_signature_text: stored_option("workspaces.email_signature_text", self.email_signature_text)?,
                labels: stored_labels("workspaces", self.external_id, &self.metadata)?,
            },
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
            deleted_at: self.deleted_at,
        })
    }
}

/// Which workspaces a list shows; what is `None` does not restrict it. By default those that are not deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkspaceFilter {
    /// In this state. Deleted ones are shown as long as they can be restored.
    pub state: WorkspaceState,
    /// Of this brand.
    pub brand_id: Option<BrandId>,
    /// In this country.
    pub country: Option<CountryCode>,
    /// Working in this language.
    pub operating_language: Option<LanguageCode>,
    /// In this currency.
    pub currency: Option<CurrencyCode>,
    /// Of this type.
    pub workspace_type: Option<WorkspaceType>,
    /// With this external ID: one at most of those that are there.
    pub external_id: Option<ExternalId>,
    /// With all of these entries of metadata.
    pub metadata: Metadata,
    /// With this text somewhere in the name, as searches compare it.
    pub search: Option<String>,
}

impl Keyset for workspaces::table {
    type Id = workspaces::id;
    type Name = workspaces::name;
    type CreatedAt = workspaces::created_at;
    type UpdatedAt = workspaces::updated_at;
}

impl Tx<'_, InTenant> {
    /// A page of the workspaces that the actor reaches.
    pub fn workspaces(&mut self, filter: &WorkspaceFilter, page: &PageRequest) -> Result<Page<Workspace>, Fault> {
        let reach = self.grant.reach();
        let mut query = match filter.state {
            WorkspaceState::Active if self.nothing_is(filter)? => return Ok(Page { items: Vec::new(), next: None }),
            WorkspaceState::Active => visible(self.found, reach),
            WorkspaceState::Deleted => reached(self.found, reach).filter(is_restorable()),
        };
        if let Some(id) = filter.brand_id {
            query = query.filter(workspaces::brand_id.eq(id.uuid()));
        }
        for condition in filter.conditions(self.found) {
            query = query.filter(condition);
        }
        if let Some(search) = &filter.search {
            query = query.filter(workspaces::search_name.like(search_pattern(search.clone())));
        }
        let rows = keyset::page::<workspaces::table, _>(query.select(Row::as_select()), page).load(self.connection)?;
        Ok(Page::cut(rows.into_iter().map(Row::into_workspace).collect::<Result<_, _>>()?, page))
    }

    /// Whether no workspace of the tenant meets one of the conditions by itself. An index of its own answers that for each, where the
    /// page would read all workspaces and find nothing.
    fn nothing_is(&mut self, filter: &WorkspaceFilter) -> QueryResult<bool> {
        for condition in filter.conditions(self.found) {
            let any = visible(self.found, Reach::Tenant).filter(condition).select(workspaces::tenant_id);
            if !diesel::select(exists(any)).get_result(self.connection)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

type Condition = Box<dyn BoxableExpression<workspaces::table, Pg, SqlType = Bool>>;

impl WorkspaceFilter {
    /// What is asked for of country, language, currency, type, external ID and metadata.
    fn conditions(&self, tenant: TenantId) -> impl Iterator<Item = Condition> {
        let country = self.country.map(|code| code.as_str().to_owned());
        let language = self.operating_language.map(|code| code.as_str().to_owned());
        let currency = self.currency.map(|code| code.as_str().to_owned());
        let kind = self.workspace_type.map(|kind| kind.as_str());
        let external_id = self.external_id.as_ref().map(|id| id.as_str().to_owned());
        [
            country.map(|code| Box::new(workspaces::country.eq(code)) as Condition),
            language.map(|code| Box::new(workspaces::operating_language.eq(code)) as Condition),
            currency.map(|code| Box::new(workspaces::currency.eq(code)) as Condition),
            kind.map(|kind| Box::new(workspaces::workspace_type.eq(kind)) as Condition),
            external_id.map(|id| Box::new(workspaces::external_id.assume_not_null().eq(id)) as Condition),
        ]
        .into_iter()
        .flatten()
        .chain(having(tenant, Noun::Workspace, &self.metadata))
    }
}

impl<P: TenantPlace> Tx<'_, P> {
    /// The workspace that has this external ID, if the actor reaches it.
    pub fn workspace_called(&mut self, external_id: &ExternalId) -> Result<Option<Workspace>, Fault> {
        let row = visible(self.tenant_id(), self.grant.reach())
            .filter(workspaces::external_id.eq(external_id.as_str()))
            .select(Row::as_select())
            .first(self.connection)
            .optional()?;
        row.map(Row::into_workspace).transpose()
    }

    /// The number and the name of every workspace that the actor reaches, by number.
    pub fn numbered_workspaces(&mut self) -> Result<Vec<(WorkspaceNumber, String)>, Fault> {
        let rows: Vec<(i64, String)> = visible(self.tenant_id(), self.grant.reach())
            .select((workspaces::number, workspaces::name))
            .order(workspaces::number)
            .load(self.connection)?;
        Ok(rows.into_iter().map(|(number, name)| (WorkspaceNumber::given(number), name)).collect())
    }
}

type Boxed<'a> = workspaces::BoxedQuery<'a, Pg>;

/// The workspaces that are there, within this reach.
pub(crate) fn visible<'a>(tenant: TenantId, reach: Reach) -> Boxed<'a> {
    reached(tenant, reach).filter(workspaces::deleted_at.is_null())
}

/// The workspaces within this reach, deleted ones too.
fn reached<'a>(tenant: TenantId, reach: Reach) -> Boxed<'a> {
    let query = workspaces::table.filter(workspaces::tenant_id.eq(tenant.uuid())).into_boxed();
    match reach {
        Reach::Tenant => query,
        Reach::Brand(id) => query.filter(workspaces::brand_id.eq(id.uuid())),
        Reach::Workspace(id) => query.filter(workspaces::id.eq(id.uuid())),
        Reach::Assigned(member) => {
            query.filter(workspaces::id.eq_any(assigned_workspaces(tenant.uuid(), member.uuid())))
        }
        Reach::Nothing => query.filter(false.into_sql::<Bool>()),
    }
}

impl TenantScope<'_> {
    /// Those of the workspaces that are there, by name.
    pub(crate) fn workspaces_with(&mut self, ids: &[WorkspaceId]) -> Result<Vec<Workspace>, Fault> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        let rows: Vec<Row> = visible(self.tenant, Reach::Tenant)
            .filter(workspaces::id.eq_any(ids))
            .order((workspaces::name, workspaces::id))
            .select(Row::as_select())
            .load(self.connection)?;
        rows.into_iter().map(Row::into_workspace).collect()
    }
}

impl<P: TenantPlace> WriteTx<'_, P> {
    /// Refuses one more workspace in a tenant that has as many as it may. How many it has, only they are told who may read it: a key
    /// of one brand may not count the workspaces of the others.
    pub(crate) fn check_workspace_limit(&self, more: &OneMore) -> Result<(), Fault> {
        let may_count = self.allows(Action::TenantRead);
        more.check().map_err(|fault| if may_count { fault } else { fault.without_figures() })
    }
}

impl WriteTx<'_, InBrand> {
    /// Creates a workspace under the brand; what the request leaves out is the country's or the tenant's.
    pub fn create_workspace(&mut self, id: WorkspaceId, new: &NewWorkspace) -> Result<Workspace, Fault> {
        let brand = self.found.id;
        let more = self.scope().one_more_workspace(brand, 1)?;
        let details = new.details(brand, &more.tenant.details.defaults).map_err(Error::Invalid)?;
        self.check_workspace_limit(&more)?;
        self.check_external_id(&Labels::default(), &details.labels)?;
        let workspace = diesel::insert_into(workspaces::table)
            .values((
                workspaces::tenant_id.eq(more.tenant.id.uuid()),
                workspaces::id.eq(id.uuid()),
                workspaces::number.eq(more.number),
                Columns::of(&details),
            ))
            .returning(Row::as_returning())
            .prepared()
            .get_result(self.connection)
            // The brand was there a moment ago.
            .map_err(|error| refused(error, &details))?
            .into_workspace()?;
        self.scope().index_metadata(id, &Metadata::default(), &details.labels.metadata)?;
        Ok(workspace)
    }
}

impl Tx<'_, InWorkspace> {
    /// Which workspace it is.
    pub fn workspace_id(&self) -> WorkspaceId {
        self.found.id
    }

    /// The workspace.
    pub fn workspace(&mut self) -> Result<Workspace, Fault> {
        let row = Row::query()
            .filter(this(self.found))
            .filter(workspaces::deleted_at.is_null())
            .first(self.connection)
            .optional()?;
        found(row)
    }
}

impl Tx<'_, WholeWorkspace> {
    /// The workspace, which was read when it was looked for.
    pub(crate) fn whole_workspace(&self) -> Result<Workspace, Fault> {
        self.found.row.clone().into_workspace()
    }
}

impl WriteTx<'_, InWorkspace> {
    /// The workspace, locked until the end of the transaction.
    pub fn lock_workspace(&mut self) -> Result<Workspace, Fault> {
        let row = Row::query()
            .filter(this(self.found))
            .filter(workspaces::deleted_at.is_null())
            .for_no_key_update()
            .first(self.connection)
            .optional()?;
        found(row)
    }

    /// The same, after its tenant, which counts it: to delete it, or to move it to another brand.
    pub fn lock_counted_workspace(&mut self) -> Result<Workspace, Fault> {
        self.scope().lock_tenant()?;
        self.lock_workspace()
    }

    /// Stores new details; the brand they name is one that the actor reaches. Where it is another one than before, the workspace is
    /// locked [with its tenant](Self::lock_counted_workspace).
    pub fn update_workspace(
        &mut self,
        before: &WorkspaceDetails,
        details: &WorkspaceDetails,
    ) -> Result<Workspace, Fault> {
        if details.brand_id != before.brand_id {
            if self.grant.reach() != Reach::Tenant && self.grant.reach() != Reach::Brand(details.brand_id) {
                return Err(unknown_brand().into());
            }
            self.scope().workspace_moves(before.brand_id, details.brand_id)?;
        }
        self.check_external_id(&before.labels, &details.labels)?;
        let workspace = diesel::update(workspaces::table.filter(this(self.found)))
            .set((
                Columns::of(details),
                workspaces::version.eq(workspaces::version + 1),
                workspaces::updated_at.eq(now),
            ))
            .returning(Row::as_returning())
            .prepared()
            .get_result(self.connection)
            .map_err(|error| refused(error, details))?
            .into_workspace()?;
        self.scope().index_metadata(workspace.id, &before.labels.metadata, &details.labels.metadata)?;
        Ok(workspace)
    }

    /// Hides the workspace; it can be restored for [`tenantry_domain::RESTORABLE_DAYS`] days. It is locked
    /// [with its tenant](Self::lock_counted_workspace).
    pub fn delete_workspace(&mut self, before: &Workspace) -> Result<(), Fault> {
        self.scope().one_workspace_less(before.details.brand_id)?;
        diesel::update(workspaces::table.filter(this(self.found)))
            .set((
                workspaces::deleted_at.eq(now),
                workspaces::version.eq(workspaces::version + 1),
                workspaces::updated_at.eq(now),
            ))
            .prepared()
            .execute(self.connection)?;
        Ok(())
    }
}

/// Why a row was not stored.
fn refused(error: diesel::result::Error, details: &WorkspaceDetails) -> Fault {
    match violates(&error, "workspaces_brand_fkey") {
        true => unknown_brand().into(),
        false => unless_taken(error, &details.labels, Noun::Workspace),
    }
}

/// The one row of a place.
#[diesel::dsl::auto_type]
fn this(found: FoundWorkspace) -> _ {
    let (tenant, id): (Uuid, Uuid) = (found.tenant.uuid(), found.id.uuid());
    workspaces::tenant_id.eq(tenant).and(workspaces::id.eq(id))
}

fn found(row: Option<Row>) -> Result<Workspace, Fault> {
    row.ok_or(Error::NotFound(Noun::Workspace))?.into_workspace()
}
