//! AI agents of a workspace.

use chrono::{DateTime, Utc};
use diesel::{dsl::now, prelude::*};
use serde_json::Value;
use tenantry_domain::{
    Agent, AgentDetails, AgentId, AgentReference, AgentStatus, Error, ExternalId, FieldRefusal, InTenant, InWorkspace,
    Labels, Metadata, Noun, Page, PageRequest, TenantId, VoiceName, WorkspaceId, limit_reached,
};
use uuid::Uuid;

use crate::{
    fault::{Fault, stored, stored_option, violates},
    keyset::{self, Keyset, search_form, search_pattern},
    labels::{column, having, stored_labels, unless_taken},
    places::FoundWorkspace,
    prepared::Prepare,
    schema::agents,
    scope::TenantScope,
    transfer::{NO_WORKSPACE, refusal},
    tx::{Tx, WriteTx},
};

#[derive(HasQuery)]
#[diesel(table_name = agents)]
struct Row {
    tenant_id: Uuid,
    id: Uuid,
    workspace_id: Uuid,
    name: String,
    external_reference: Option<String>,
    voice: Option<String>,
    status: String,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    external_id: Option<String>,
    metadata: Value,
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = agents, treat_none_as_null = true)]
struct Columns<'a> {
    name: &'a str,
    external_reference: Option<&'a str>,
    voice: Option<&'a str>,
    status: &'a str,
    external_id: Option<&'a str>,
    metadata: Value,
}

impl<'a> Columns<'a> {
    fn of(details: &'a AgentDetails) -> Self {
        Self {
            name: details.name.as_str(),
            external_reference: details.external_reference.as_ref().map(AgentReference::as_str),
            voice: details.voice.as_ref().map(VoiceName::as_str),
            status: details.status.as_str(),
            external_id: column(&details.labels),
            metadata: details.labels.metadata.to_json(),
        }
    }
}

impl Row {
    fn into_agent(self) -> Result<Agent, Fault> {
        Ok(Agent {
            id: AgentId::from_uuid(self.id),
            tenant_id: TenantId::from_uuid(self.tenant_id),
            workspace_id: WorkspaceId::from_uuid(self.workspace_id),
            details: AgentDetails {
                name: stored("agents.name", &self.name)?,
                external_reference: stored_option("agents.external_reference", self.external_reference)?,
                voice: stored_option("agents.voice", self.voice)?,
                status: stored("agents.status", &self.status)?,
                labels: stored_labels("agents", self.external_id, &self.metadata)?,
            },
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// Which agents a list shows; what is `None` does not restrict it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentFilter {
    /// In this status.
    pub status: Option<AgentStatus>,
    /// With this external reference: one at most.
    pub external_reference: Option<AgentReference>,
    /// With this external ID: one at most.
    pub external_id: Option<ExternalId>,
    /// With all of these entries of metadata.
    pub metadata: Metadata,
    /// With this text somewhere in the name, as searches compare it.
    pub search: Option<String>,
}

impl Keyset for agents::table {
    type Id = agents::id;
    type Name = agents::name;
    type CreatedAt = agents::created_at;
    type UpdatedAt = agents::updated_at;
}

impl Tx<'_, InWorkspace> {
    /// A page of the workspace's agents.
    pub fn agents(&mut self, filter: &AgentFilter, page: &PageRequest) -> Result<Page<Agent>, Fault> {
        let mut query = Row::query().filter(of(self.found)).into_boxed();
        if let Some(status) = filter.status {
            query = query.filter(agents::status.eq(status.as_str()));
        }
        if let Some(reference) = &filter.external_reference {
            query = query.filter(agents::external_reference.eq(reference.as_str().to_owned()));
        }
        if let Some(id) = &filter.external_id {
            query = query.filter(agents::external_id.eq(id.as_str().to_owned()));
        }
        for condition in having(self.found.tenant, Noun::Agent, &filter.metadata) {
            query = query.filter(condition);
        }
        if let Some(search) = &filter.search {
            query = query.filter(search_form(agents::name).like(search_pattern(search.clone())));
        }
        let rows = keyset::page::<agents::table, _>(query, page).load(self.connection)?;
        Ok(Page::cut(rows.into_iter().map(Row::into_agent).collect::<Result<_, _>>()?, page))
    }

    /// One agent of the workspace.
    pub fn agent(&mut self, id: AgentId) -> Result<Agent, Fault> {
        let query = agents::table.filter(of(self.found)).filter(agents::id.eq(id.uuid()));
        found(query.select(Row::as_select()).first(self.connection).optional()?)
    }
}

impl WriteTx<'_, InWorkspace> {
    /// An agent of the workspace, locked until the end of the transaction.
    pub fn lock_agent(&mut self, id: AgentId) -> Result<Agent, Fault> {
        let query = agents::table.filter(of(self.found)).filter(agents::id.eq(id.uuid()));
        found(query.select(Row::as_select()).for_no_key_update().first(self.connection).optional()?)
    }

    /// Creates an agent, if the workspace may have one more.
    pub fn create_agent(&mut self, id: AgentId, details: &AgentDetails) -> Result<Agent, Fault> {
        let (tenant, workspace) = (self.found.tenant, self.found.id);
        if let Some(cap) = self.lock_limits()?.in_force.agents.effective() {
            let used = self.scope().count_agents(workspace)?;
            if used >= i64::from(cap.get()) {
                return Err(limit_reached("This workspace", Noun::Agent, cap, used).into());
            }
        }
        self.check_external_id(&Labels::default(), &details.labels)?;
        let agent = diesel::insert_into(agents::table)
            .values((
                agents::tenant_id.eq(tenant.uuid()),
                agents::id.eq(id.uuid()),
                agents::workspace_id.eq(workspace.uuid()),
                Columns::of(details),
            ))
            .returning(Row::as_returning())
            .prepared()
            .get_result(self.connection)
            // The workspace was there a moment ago.
            .map_err(|error| match violates(&error, "agents_workspace_fkey") {
                true => Error::NotFound(Noun::Workspace).into(),
                false => refused(error, details),
            })?
            .into_agent()?;
        self.scope().index_metadata(id, &Metadata::default(), &details.labels.metadata)?;
        Ok(agent)
    }

    /// Stores new details of an agent.
    pub fn update_agent(&mut self, before: &Agent, details: &AgentDetails) -> Result<Agent, Fault> {
        let (id, was) = (before.id, &before.details.labels);
        self.check_external_id(was, &details.labels)?;
        let agent = diesel::update(agents::table.filter(of(self.found)).filter(agents::id.eq(id.uuid())))
            .set((Columns::of(details), agents::version.eq(agents::version + 1), agents::updated_at.eq(now)))
            .returning(Row::as_returning())
            .prepared()
            .get_result(self.connection)
            .map_err(|error| refused(error, details))?
            .into_agent()?;
        self.scope().index_metadata(id, &was.metadata, &details.labels.metadata)?;
        Ok(agent)
    }

    /// Takes an agent away.
    pub fn delete_agent(&mut self, id: AgentId) -> Result<(), Fault> {
        diesel::delete(agents::table.filter(of(self.found)).filter(agents::id.eq(id.uuid())))
            .execute(self.connection)?;
        Ok(())
    }
}

impl Tx<'_, InTenant> {
    /// Agents of all workspaces, also of deleted ones, by id: the next ones after this.
    pub fn agents_after(&mut self, last: Option<AgentId>, limit: u16) -> Result<Vec<Agent>, Fault> {
        let mut query = Row::query().filter(agents::tenant_id.eq(self.found.uuid())).into_boxed();
        if let Some(last) = last {
            query = query.filter(agents::id.gt(last.uuid()));
        }
        let rows: Vec<Row> = query.order(agents::id).limit(limit.into()).load(self.connection)?;
        rows.into_iter().map(Row::into_agent).collect()
    }
}

impl TenantScope<'_> {
    /// An agent of any workspace, also of a deleted one.
    pub(crate) fn agent(&mut self, id: AgentId) -> Result<Agent, Fault> {
        let query = Row::query().filter(agents::tenant_id.eq(self.tenant.uuid()).and(agents::id.eq(id.uuid())));
        found(query.first(self.connection).optional()?)
    }
}

impl WriteTx<'_, InTenant> {
    /// Stores agents as they were elsewhere.
    pub fn import_agents(&mut self, agents: &[&Agent]) -> Result<Option<FieldRefusal>, Fault> {
        let rows = agents.iter().map(|agent| {
            (
                agents::tenant_id.eq(self.found.uuid()),
                agents::id.eq(agent.id.uuid()),
                agents::workspace_id.eq(agent.workspace_id.uuid()),
                Columns::of(&agent.details),
                agents::version.eq(agent.version),
                agents::created_at.eq(agent.created_at),
                agents::updated_at.eq(agent.updated_at),
            )
        });
        let rows: Vec<_> = rows.collect();
        let stored = diesel::insert_into(agents::table).values(rows).execute(self.connection);
        if stored.is_ok() {
            self.scope().index_new_metadata(agents.iter().map(|agent| agent.id))?;
        }
        refusal(
            stored,
            &[
                ("agents_pkey", "id", "is the id of an earlier agent"),
                (
                    "agents_reference_key",
                    "externalReference",
                    "is the external reference of an earlier agent of the workspace",
                ),
                ("agents_external_id_key", "externalId", "is the external ID of an earlier agent"),
                ("agents_workspace_fkey", "workspaceId", NO_WORKSPACE),
            ],
        )
    }
}

/// Why a row was not stored.
fn refused(error: diesel::result::Error, details: &AgentDetails) -> Fault {
    match violates(&error, "agents_reference_key") {
        true => details.reference_taken().into(),
        false => unless_taken(error, &details.labels, Noun::Agent),
    }
}

/// Those of the place.
#[diesel::dsl::auto_type]
fn of(found: FoundWorkspace) -> _ {
    let (tenant, workspace): (Uuid, Uuid) = (found.tenant.uuid(), found.id.uuid());
    agents::tenant_id.eq(tenant).and(agents::workspace_id.eq(workspace))
}

fn found(row: Option<Row>) -> Result<Agent, Fault> {
    row.ok_or(Error::NotFound(Noun::Agent))?.into_agent()
}
