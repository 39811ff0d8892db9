//! External IDs and metadata in the tables of the nouns that have them.
//!
//! The columns `external_id` and `metadata` of a noun's table hold them. The entries of metadata stand once more in a table beside it,
//! `workspace_metadata` and the like, which is what an index on the column would be if row security let one be used.
//! [`TenantScope::index_metadata`] writes it in the transaction that changes the column.

use diesel::{
    expression::{ValidGrouping, is_aggregate},
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, QueryFragment},
    sql_query,
    sql_types::{Array, Bool, Text, Uuid as SqlUuid},
};
use serde_json::Value;
use tenantry_domain::{
    Error, ExternalId, Id, Identified, Labels, Metadata, Noun, Reach, TenantId, sees_too_little_to_name,
};
use uuid::Uuid;

use crate::{
    fault::{Fault, stored},
    places::TenantPlace,
    scope::TenantScope,
    tx::WriteTx,
};

/// Reads what the columns of a row of this table hold.
pub(crate) fn stored_labels(table: &str, external_id: Option<String>, metadata: &Value) -> Result<Labels, Fault> {
    Ok(Labels {
        external_id: external_id.map(|id| stored(&format!("{table}.external_id"), &id)).transpose()?,
        metadata: Metadata::from_json(metadata)
            .map_err(|refusal| Error::internal(format!("{table}.metadata {refusal}")))?,
    })
}

/// The refusal of an external ID that another thing of the noun has, if that is what went wrong.
pub(crate) fn unless_taken(error: diesel::result::Error, labels: &Labels, noun: Noun) -> Fault {
    let constraint = format!("{noun}s_external_id_key");
    Fault::unless_violated(error, &constraint, || labels.taken(noun))
}

impl<P: TenantPlace> WriteTx<'_, P> {
    /// Refuses a new external ID by an actor that does not reach all of the tenant: whether one is free tells of everything in it.
    pub(crate) fn check_external_id(&self, before: &Labels, after: &Labels) -> Result<(), Fault> {
        let is_new = after.external_id.is_some() && after.external_id != before.external_id;
        match self.grant.reach() {
            Reach::Tenant => Ok(()),
            _ if is_new => Err(sees_too_little_to_name().into()),
            _ => Ok(()),
        }
    }
}

impl TenantScope<'_> {
    /// Writes down which entries of metadata a thing has, once its row is written. The row is locked, or nobody else sees it yet.
    pub(crate) fn index_metadata<K: Identified>(
        &mut self,
        id: Id<K>,
        before: &Metadata,
        after: &Metadata,
    ) -> QueryResult<()> {
        if before == after {
            return Ok(());
        }
        let noun = K::NOUN;
        if !before.is_empty() {
            let sql = format!("DELETE FROM {noun}_metadata WHERE tenant_id = $1 AND {noun}_id = $2");
            let sql = sql_query(sql).bind::<SqlUuid, _>(self.tenant.uuid()).bind::<SqlUuid, _>(id.uuid());
            sql.execute(self.connection)?;
        }
        if after.is_empty() { Ok(()) } else { self.index_new_metadata([id]) }
    }

    /// [`TenantScope::index_metadata`] of things that are new.
    pub(crate) fn index_new_metadata<K: Identified>(
        &mut self,
        ids: impl IntoIterator<Item = Id<K>>,
    ) -> QueryResult<()> {
        let (noun, ids): (_, Vec<Uuid>) = (K::NOUN, ids.into_iter().map(|id| id.uuid()).collect());
        let sql = format!(
            "INSERT INTO {noun}_metadata (tenant_id, {noun}_id, name, value, created_at)
             SELECT own.tenant_id, own.id, entry.key, entry.value, own.created_at
             FROM {noun}s AS own, jsonb_each_text(own.metadata) AS entry WHERE own.tenant_id = $1 AND own.id = ANY($2)"
        );
        let sql = sql_query(sql).bind::<SqlUuid, _>(self.tenant.uuid()).bind::<Array<SqlUuid>, _>(ids);
        sql.execute(self.connection).map(drop)
    }
}

/// One condition for each of these entries: that a thing of the noun has it.
pub(crate) fn having<T>(
    tenant: TenantId,
    noun: Noun,
    entries: &Metadata,
) -> impl Iterator<Item = Box<dyn BoxableExpression<T, Pg, SqlType = Bool>>> {
    let tenant = Some(tenant.uuid());
    of_entries(move |(name, value)| HasEntry { tenant, noun, name, value }, entries)
}

/// The same of the list of tenants, which belongs to none. It has no index: to look at 50,000 tenants takes 20 ms, and only the platform
/// does.
pub(crate) fn tenants_having<T>(
    entries: &Metadata,
) -> impl Iterator<Item = Box<dyn BoxableExpression<T, Pg, SqlType = Bool>>> {
    of_entries(move |(name, value)| HasEntry { tenant: None, noun: Noun::Tenant, name, value }, entries)
}

fn of_entries<T>(
    condition: impl Fn((String, String)) -> HasEntry,
    entries: &Metadata,
) -> impl Iterator<Item = Box<dyn BoxableExpression<T, Pg, SqlType = Bool>>> {
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let conditions: Vec<_> = entries.entries().map(owned).map(condition).collect();
    conditions.into_iter().map(|condition| Box::new(condition) as Box<dyn BoxableExpression<T, Pg, SqlType = Bool>>)
}

/// That a thing has an entry of metadata.
struct HasEntry {
    tenant: Option<Uuid>,
    noun: Noun,
    name: String,
    value: String,
}

impl Expression for HasEntry {
    type SqlType = Bool;
}

impl<GB> ValidGrouping<GB> for HasEntry {
    type IsAggregate = is_aggregate::No;
}

impl<QS> AppearsOnTable<QS> for HasEntry {}
impl<QS> SelectableExpression<QS> for HasEntry {}

impl QueryFragment<Pg> for HasEntry {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let Self { tenant, noun, name, value } = self;
        let Some(tenant) = tenant else {
            out.push_sql(&format!("{noun}s.metadata ->> "));
            out.push_bind_param::<Text, _>(name)?;
            out.push_sql(" = ");
            return out.push_bind_param::<Text, _>(value);
        };
        // A thing has one entry of a name, and the planner knows that by the primary key: so this is a plain join. By the time, which is
        // the same on both sides, the entries stand in the order of the list, and a page is one range of them.
        out.push_sql(&format!("EXISTS (SELECT FROM {noun}_metadata AS entry WHERE entry.tenant_id = "));
        out.push_bind_param::<SqlUuid, _>(tenant)?;
        out.push_sql(&format!(
            " AND entry.{noun}_id = {noun}s.id AND entry.created_at = {noun}s.created_at AND entry.name = "
        ));
        out.push_bind_param::<Text, _>(name)?;
        out.push_sql(" AND entry.value = ");
        out.push_bind_param::<Text, _>(value)?;
        out.push_sql(")");
        Ok(())
    }
}

/// An external ID as its column has it.
pub(crate) fn column(labels: &Labels) -> Option<&str> {
    labels.external_id.as_ref().map(ExternalId::as_str)
}
