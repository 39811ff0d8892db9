//! Usage of a workspace: the ledger, and its sums by month.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::{
    dsl::{case_when, sum},
    prelude::*,
    upsert::excluded,
};
use tenantry_domain::{
    Error, FieldRefusal, InTenant, InWorkspace, Month, MonthUse, NewUsage, TenantId, UsageEntry, UsageEntryId,
    UsageKind, UsageReference, UsageSeconds, WorkspaceId,
};
use uuid::Uuid;

use crate::{
    fault::{Fault, stored},
    prepared::Prepare,
    schema::{usage_entries, usage_months, workspaces},
    scope::TenantScope,
    transfer::{NO_WORKSPACE, refusal},
    tx::{Tx, WriteTx},
};

#[derive(HasQuery)]
#[diesel(table_name = usage_entries)]
struct Row {
    tenant_id: Uuid,
    id: Uuid,
    workspace_id: Uuid,
    kind: String,
    seconds: i32,
    used_at: DateTime<Utc>,
    month: NaiveDate,
    reference: String,
    created_at: DateTime<Utc>,
}

#[derive(Insertable)]
#[diesel(table_name = usage_entries)]
struct NewRow<'a> {
    tenant_id: Uuid,
    id: Uuid,
    workspace_id: Uuid,
    kind: &'a str,
    seconds: i32,
    used_at: DateTime<Utc>,
    month: NaiveDate,
    reference: &'a str,
}

/// The sum of a month.
#[derive(Clone, HasQuery)]
#[diesel(table_name = usage_months)]
pub(crate) struct MonthRow {
    month: NaiveDate,
    seconds: i64,
}

impl MonthRow {
    pub(crate) fn into_use(self) -> MonthUse {
        MonthUse { month: Month::of_date(self.month), seconds: self.seconds }
    }
}

impl Row {
    fn into_entry(self) -> Result<UsageEntry, Fault> {
        Ok(UsageEntry {
            id: UsageEntryId::from_uuid(self.id),
            tenant_id: TenantId::from_uuid(self.tenant_id),
            workspace_id: WorkspaceId::from_uuid(self.workspace_id),
            kind: stored("usage_entries.kind", &self.kind)?,
            seconds: UsageSeconds::try_from(i64::from(self.seconds))
                .map_err(|refusal| Error::internal(format!("usage_entries.seconds holds a value that {refusal}")))?,
            used_at: self.used_at,
            month: Month::of_date(self.month),
            reference: stored("usage_entries.reference", &self.reference)?,
            created_at: self.created_at,
        })
    }
}

impl Tx<'_, InWorkspace> {
    /// The entry that has this reference.
    pub fn usage_called(&mut self, reference: &UsageReference) -> Result<Option<UsageEntry>, Fault> {
        let row = Row::query()
            .filter(usage_entries::tenant_id.eq(self.found.tenant.uuid()))
            .filter(usage_entries::workspace_id.eq(self.found.id.uuid()))
            .filter(usage_entries::reference.eq(reference.as_str()))
            .first::<Row>(self.connection)
            .optional()?;
        row.map(Row::into_entry).transpose()
    }

    /// What was used in a month.
    pub fn month_use(&mut self, month: Month) -> Result<MonthUse, Fault> {
        let seconds = usage_months::table
            .filter(usage_months::tenant_id.eq(self.found.tenant.uuid()))
            .filter(usage_months::workspace_id.eq(self.found.id.uuid()))
            .filter(usage_months::month.eq(month.first_day()))
            .select(usage_months::seconds)
            .first(self.connection)
            .optional()?
            .unwrap_or(0);
        Ok(MonthUse { month, seconds })
    }

    /// What was used in each of these months in which something was, in order.
    pub fn month_uses(&mut self, first: Month, last: Month) -> Result<Vec<MonthUse>, Fault> {
        let rows: Vec<MonthRow> = MonthRow::query()
            .filter(usage_months::tenant_id.eq(self.found.tenant.uuid()))
            .filter(usage_months::workspace_id.eq(self.found.id.uuid()))
            .filter(usage_months::month.between(first.first_day(), last.first_day()))
            .order(usage_months::month)
            .load(self.connection)?;
        Ok(rows.into_iter().map(MonthRow::into_use).collect())
    }
}

impl WriteTx<'_, InWorkspace> {
    /// Adds an entry, and its seconds to the sum of its month. Its reference is free, and its month allows it: both hold while
    /// the limits are locked.
    pub fn record_usage(
        &mut self,
        id: UsageEntryId,
        new: &NewUsage,
        used_at: DateTime<Utc>,
        month: Month,
    ) -> Result<UsageEntry, Fault> {
        let (tenant_id, workspace_id) = (self.tx.found.tenant.uuid(), self.tx.found.id.uuid());
        let seconds = i64::from(new.seconds.get());
        let row = NewRow {
            tenant_id,
            id: id.uuid(),
            workspace_id,
            kind: new.kind.as_str(),
            seconds: i32::try_from(seconds).unwrap_or(i32::MAX),
            used_at,
            month: month.first_day(),
            reference: new.reference.as_str(),
        };
        let entry = diesel::insert_into(usage_entries::table)
            .values(row)
            .returning(Row::as_returning())
            .prepared()
            .get_result::<Row>(self.tx.connection)?
            .into_entry()?;
        let more = match new.kind {
            UsageKind::Usage => seconds,
            UsageKind::Refund => -seconds,
        };
        diesel::insert_into(usage_months::table)
            .values((
                usage_months::tenant_id.eq(tenant_id),
                usage_months::workspace_id.eq(workspace_id),
                usage_months::month.eq(month.first_day()),
                usage_months::seconds.eq(more),
            ))
            .on_conflict((usage_months::tenant_id, usage_months::workspace_id, usage_months::month))
            .do_update()
            .set(usage_months::seconds.eq(usage_months::seconds + excluded(usage_months::seconds)))
            .prepared()
            .execute(self.tx.connection)?;
        Ok(entry)
    }
}

impl Tx<'_, InTenant> {
    /// Entries of all workspaces, also of deleted ones, by id: the next ones after this.
    pub fn usage_after(&mut self, last: Option<UsageEntryId>, limit: u16) -> Result<Vec<UsageEntry>, Fault> {
        let mut query = Row::query().filter(usage_entries::tenant_id.eq(self.found.uuid())).into_boxed();
        if let Some(last) = last {
            query = query.filter(usage_entries::id.gt(last.uuid()));
        }
        let rows: Vec<Row> = query.order(usage_entries::id).limit(limit.into()).load(self.connection)?;
        rows.into_iter().map(Row::into_entry).collect()
    }
}

impl WriteTx<'_, InTenant> {
    /// Stores entries of the ledger as they were elsewhere; their months are summed up at the end of the import.
    pub fn import_usage(&mut self, entries: &[&UsageEntry]) -> Result<Option<FieldRefusal>, Fault> {
        let rows = entries.iter().map(|entry| {
            let seconds = i32::try_from(entry.seconds.get()).unwrap_or(i32::MAX);
            (
                usage_entries::tenant_id.eq(self.found.uuid()),
                usage_entries::id.eq(entry.id.uuid()),
                usage_entries::workspace_id.eq(entry.workspace_id.uuid()),
                usage_entries::kind.eq(entry.kind.as_str()),
                usage_entries::seconds.eq(seconds),
                usage_entries::used_at.eq(entry.used_at),
                usage_entries::month.eq(entry.month.first_day()),
                usage_entries::reference.eq(entry.reference.as_str()),
                usage_entries::created_at.eq(entry.created_at),
            )
        });
        let rows: Vec<_> = rows.collect();
        let stored = diesel::insert_into(usage_entries::table).values(rows).execute(self.connection);
        refusal(
            stored,
            &[
                ("usage_entries_pkey", "id", "is the id of an earlier entry"),
                ("usage_entries_reference_key", "reference", "is the reference of an earlier entry of the workspace"),
                ("usage_entries_workspace_fkey", "workspaceId", NO_WORKSPACE),
            ],
        )
    }
}

/// Of so many workspaces at a time.
const SUMMED_UP: i64 = 500;

impl TenantScope<'_> {
    /// Sums up all that was imported, some workspaces at a time, because no statement may take long. A month in which more was refunded
    /// than used is given back.
    pub(crate) fn sum_up_usage(&mut self) -> QueryResult<Option<(WorkspaceId, MonthUse)>> {
        let tenant_id: Uuid = self.tenant.uuid();
        let mut last = None;
        loop {
            let mut next =
                workspaces::table.filter(workspaces::tenant_id.eq(tenant_id)).select(workspaces::id).into_boxed();
            if let Some(last) = last {
                next = next.filter(workspaces::id.gt(last));
            }
            let some: Vec<Uuid> = next.order(workspaces::id).limit(SUMMED_UP).load(self.connection)?;
            last = some.last().copied();
            if last.is_none() {
                break;
            }
            self.sum_up_usage_of(&some)?;
        }
        let below: Option<(Uuid, NaiveDate, i64)> = usage_months::table
            .filter(usage_months::tenant_id.eq(tenant_id).and(usage_months::seconds.lt(0)))
            .select((usage_months::workspace_id, usage_months::month, usage_months::seconds))
            .first(self.connection)
            .optional()?;
        Ok(below.map(|(workspace, day, seconds)| {
            (WorkspaceId::from_uuid(workspace), MonthUse { month: Month::of_date(day), seconds })
        }))
    }

    fn sum_up_usage_of(&mut self, workspaces: &[Uuid]) -> QueryResult<()> {
        let tenant_id: Uuid = self.tenant.uuid();
        let refund = UsageKind::Refund.as_str();
        let seconds =
            case_when(usage_entries::kind.eq(refund), usage_entries::seconds * -1).otherwise(usage_entries::seconds);
        usage_entries::table
            .filter(usage_entries::tenant_id.eq(tenant_id).and(usage_entries::workspace_id.eq_any(workspaces)))
            .group_by((usage_entries::tenant_id, usage_entries::workspace_id, usage_entries::month))
            .select((
                usage_entries::tenant_id,
                usage_entries::workspace_id,
                usage_entries::month,
                sum(seconds).assume_not_null(),
            ))
            .insert_into(usage_months::table)
            .into_columns((
                usage_months::tenant_id,
                usage_months::workspace_id,
                usage_months::month,
                usage_months::seconds,
            ))
            .execute(self.connection)
            .map(drop)
    }
}
