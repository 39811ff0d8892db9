//! Workspaces for as long as they are kept: with those that were deleted, until they are erased.

use chrono::{DateTime, Utc};
use diesel::{
    dsl::{IntervalDsl, now},
    pg::Pg,
    prelude::*,
    sql_types::Timestamptz,
};
use tenantry_domain::{
    ApiKey, FieldRefusal, InRestorableWorkspace, InTenant, MAIL_WINDOW_HOURS, Noun, OutboxState, Page, PageRequest,
    Reach, SortKey, Workspace, WorkspaceId, WorkspaceLimits, WorkspaceNumber,
};
use uuid::Uuid;

use super::{Columns, Row, found, this};
use crate::{
    fault::Fault,
    keyset,
    labels::unless_taken,
    limits,
    places::erased_until,
    schema::{assignments, invitation_workspaces, members, outbox_messages, workspaces},
    transfer::refusal,
    tx::{Tx, WriteTx},
};

/// A workspace that is there, or was deleted and is not erased yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptWorkspace {
    /// The workspace.
    pub workspace: Workspace,
    /// Its number, by which clients know it.
    pub number: WorkspaceNumber,
    /// Its own limits.
    pub limits: WorkspaceLimits,
    /// Counts the changes of its limits, from 1.
    pub limits_version: i64,
}

impl SortKey for KeptWorkspace {
    fn id(&self) -> Uuid {
        self.workspace.id.uuid()
    }

    fn name(&self) -> String {
        self.workspace.name()
    }

    fn times(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        self.workspace.times()
    }
}

impl Tx<'_, InTenant> {
    /// A page of all the tenant's workspaces, deleted ones too.
    pub fn kept_workspaces(&mut self, page: &PageRequest) -> Result<Page<KeptWorkspace>, Fault> {
        let query = workspaces::table
            .filter(workspaces::tenant_id.eq(self.found.uuid()))
            .select((Row::as_select(), workspaces::number, limits::Row::as_select()))
            .into_boxed::<Pg>();
        let rows: Vec<(Row, i64, limits::Row)> =
            keyset::page::<workspaces::table, _>(query, page).load(self.connection)?;
        let kept = |(row, number, limits): (Row, _, limits::Row)| {
            Ok::<_, Fault>(KeptWorkspace {
                workspace: row.into_workspace()?,
                number: WorkspaceNumber::given(number),
                limits_version: limits.limits_version,
                limits: limits.into_limits()?,
            })
        };
        Ok(Page::cut(rows.into_iter().map(kept).collect::<Result<_, _>>()?, page))
    }
}

impl WriteTx<'_, InTenant> {
    /// Erases one workspace that can no longer be restored, and with it the API keys that are restricted to it; `None` when there is
    /// none left.
    pub fn erase_a_workspace(&mut self) -> Result<Option<(Workspace, Vec<ApiKey>)>, Fault> {
        let due = workspaces::deleted_at.is_not_null().and(workspaces::deleted_at.assume_not_null().le(erased_until()));
        let tenant = self.found.uuid();
        let row = Row::query()
            .filter(workspaces::tenant_id.eq(tenant).and(due))
            .for_update()
            .skip_locked()
            .first::<Row>(self.connection)
            .optional()?;
        let Some(row) = row else { return Ok(None) };
        let keys = self.scope().api_keys_restricted_to(Reach::Workspace(WorkspaceId::from_uuid(row.id)))?;
        // Its assignments go with it, and are seen at the members.
        let assigned = assignments::table
            .filter(assignments::tenant_id.eq(tenant).and(assignments::workspace_id.eq(row.id)))
            .select(assignments::member_id);
        diesel::update(members::table.filter(members::tenant_id.eq(tenant)))
            .filter(members::id.eq_any(assigned))
            .set(members::version.eq(members::version + 1))
            .execute(self.connection)?;
        // Emails that were saved as files name it. A file goes when its message does; what is younger counts against the limits.
        let invited = invitation_workspaces::table
            .filter(invitation_workspaces::tenant_id.eq(tenant).and(invitation_workspaces::workspace_id.eq(row.id)))
            .select(invitation_workspaces::invitation_id);
        diesel::delete(outbox_messages::table.filter(outbox_messages::tenant_id.eq(tenant)))
            .filter(outbox_messages::subject_id.eq_any(invited))
            .filter(outbox_messages::state.ne(OutboxState::Pending.as_str()))
            .filter(outbox_messages::created_at.lt(now.into_sql::<Timestamptz>() - MAIL_WINDOW_HOURS.hours()))
            .execute(self.connection)?;
        diesel::delete(workspaces::table.filter(workspaces::tenant_id.eq(tenant).and(workspaces::id.eq(row.id))))
            .execute(self.connection)?;
        Ok(Some((row.into_workspace()?, keys)))
    }

    /// Stores workspaces as they were elsewhere, deleted ones too.
    pub fn import_workspaces(&mut self, workspaces: &[&KeptWorkspace]) -> Result<Option<FieldRefusal>, Fault> {
        let rows = workspaces.iter().map(|kept| {
            let KeptWorkspace { workspace, number, limits, limits_version } = kept;
            (
                workspaces::tenant_id.eq(self.found.uuid()),
                workspaces::id.eq(workspace.id.uuid()),
                Columns::of(&workspace.details),
                workspaces::version.eq(workspace.version),
                workspaces::created_at.eq(workspace.created_at),
                workspaces::updated_at.eq(workspace.updated_at),
                workspaces::deleted_at.eq(workspace.deleted_at),
                workspaces::number.eq(number.get()),
                limits::Columns::of(limits),
                workspaces::limits_version.eq(limits_version),
            )
        });
        let rows: Vec<_> = rows.collect();
        let stored = diesel::insert_into(workspaces::table).values(rows).execute(self.connection);
        if stored.is_ok() {
            self.scope().index_new_metadata(workspaces.iter().map(|kept| kept.workspace.id))?;
        }
        refusal(
            stored,
            &[
                ("workspaces_pkey", "id", "is the id of an earlier workspace"),
                ("workspaces_number_key", "number", "is the number of an earlier workspace"),
                ("workspaces_external_id_key", "externalId", "is the external ID of an earlier workspace"),
                ("workspaces_brand_fkey", "brandId", "is not the id of an earlier brand"),
            ],
        )
    }
}

impl WriteTx<'_, InRestorableWorkspace> {
    /// The workspace, deleted or not, locked until the end of the transaction after its tenant, which counts it.
    pub fn lock_workspace(&mut self) -> Result<Workspace, Fault> {
        self.scope().lock_tenant()?;
        found(Row::query().filter(this(self.found)).for_no_key_update().first(self.connection).optional()?)
    }

    /// Shows the workspace again, if the tenant may have one more.
    pub fn restore_workspace(&mut self, before: &Workspace) -> Result<Workspace, Fault> {
        let more = self.scope().one_more_workspace(before.details.brand_id, 0)?;
        self.check_workspace_limit(&more)?;
        diesel::update(workspaces::table.filter(this(self.found)))
            .set((
                workspaces::deleted_at.eq(None::<DateTime<Utc>>),
                workspaces::version.eq(workspaces::version + 1),
                workspaces::updated_at.eq(now),
            ))
            .returning(Row::as_returning())
            .get_result(self.connection)
            // Somebody may have taken it meanwhile.
            .map_err(|error| unless_taken(error, &before.details.labels, Noun::Workspace))?
            .into_workspace()
    }
}
