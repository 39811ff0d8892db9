//! The audit log: one row for each write, in the transaction of the write. It is read and never changed.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{
    dsl::{AsExprOf, sql},
    expression::{SqlLiteral, UncheckedBind},
    prelude::*,
    sql_types::{Nullable, Timestamptz},
};
use serde_json::Value;
use tenantry_domain::{
    Action, Actor, AuditEvent, AuditEventId, AuditRecord, Error, InTenant, Noun, Origin, Page, PageRequest, Position,
    TenantId,
};
use uuid::Uuid;

use crate::{
    event_ids::{APART, KNOWN_BEFORE, event_id, first_id, time_of},
    fault::Fault,
    keyset::{self, Keyset},
    prepared::Prepare,
    schema::audit_events,
    scope::TenantScope,
    tx::Tx,
    webhook_deliveries::WithWebhooks,
};

#[derive(Insertable)]
#[diesel(table_name = audit_events)]
struct NewRow<'a> {
    tenant_id: Uuid,
    action: &'a str,
    actor_type: &'a str,
    actor_id: String,
    subject_type: &'a str,
    subject_id: Uuid,
    changes: Value,
    request_id: Option<&'a str>,
    address: Option<String>,
}

impl<'a> NewRow<'a> {
    /// An event, whose subject must be of a kind that the policy table has for the action.
    fn of(
        tenant: TenantId,
        action: Action,
        actor: &'a Actor,
        origin: &'a Origin,
        event: &'a AuditEvent,
    ) -> Result<Self, Error> {
        if !action.rule().subjects.contains(&event.subject_type) {
            let (name, subject) = (action.rule().name, event.subject_type);
            return Err(Error::internal(format!("{name} left an event about a {subject}, against the policy table")));
        }
        Ok(Self {
            tenant_id: tenant.uuid(),
            action: action.rule().name,
            actor_type: actor.kind(),
            actor_id: actor.id(),
            subject_type: event.subject_type.as_str(),
            subject_id: event.subject_id,
            changes: Value::Object(event.changes.clone()),
            request_id: origin.request_id.as_deref(),
            address: origin.address.map(|address| address.to_string()),
        })
    }
}

/// The time that an id should have: now, or this one.
fn at(time: Option<DateTime<Utc>>) -> SqlLiteral<Timestamptz, At> {
    sql::<Timestamptz>("coalesce(").bind::<Nullable<Timestamptz>, _>(time).sql(", now())")
}

type At = UncheckedBind<SqlLiteral<Timestamptz>, AsExprOf<Option<DateTime<Utc>>, Nullable<Timestamptz>>>;

impl TenantScope<'_> {
    /// Adds an event. Says whether a webhook is to be told of it. An id that is known beforehand stays as it is.
    pub(crate) fn insert_audit_event(
        &mut self,
        action: Action,
        actor: &Actor,
        origin: &Origin,
        event: &AuditEvent,
    ) -> Result<bool, Fault> {
        let row = NewRow::of(self.tenant, action, actor, origin, event)?;
        let (id, time) = match event.id.map(AuditEventId::uuid) {
            Some(id) => (id, time_of(id)),
            None => (Uuid::now_v7(), None),
        };
        let dated = audit_events::id.eq(event_id(id, at(time)));
        let insert = diesel::insert_into(audit_events::table).values((row, dated)).returning(audit_events::id);
        let (id, has_webhooks): (Uuid, bool) =
            WithWebhooks { event: insert, tenant: self.tenant.uuid() }.prepared().get_result(self.connection)?;
        let tells = has_webhooks && self.insert_deliveries(action, id, event.subject_id)?;
        if event.subject_type == Noun::Tenant && self.tenant != TenantId::PLATFORM {
            let event = AuditEvent { id: Some(AuditEventId::from_uuid(id)), ..event.clone() };
            return Ok(self.tell_platform(action, actor, origin, &event)? || tells);
        }
        Ok(tells)
    }

    /// Adds an event, unless there is one with its id.
    pub(crate) fn insert_audit_event_once(
        &mut self,
        action: Action,
        actor: &Actor,
        origin: &Origin,
        event: &AuditEvent,
    ) -> Result<(), Fault> {
        let row = NewRow::of(self.tenant, action, actor, origin, event)?;
        let id = event.id.map_or_else(Uuid::now_v7, AuditEventId::uuid);
        let dated = audit_events::id.eq(event_id(id, at(None)));
        let once = diesel::insert_into(audit_events::table).values((row, dated)).on_conflict_do_nothing();
        let new: Option<Uuid> = once.returning(audit_events::id).prepared().get_result(self.connection).optional()?;
        if let Some(id) = new {
            self.insert_deliveries(action, id, event.subject_id)?;
        }
        Ok(())
    }
}

#[derive(HasQuery)]
#[diesel(table_name = audit_events)]
pub(crate) struct Row {
    tenant_id: Uuid,
    id: Uuid,
    action: String,
    actor_type: String,
    actor_id: String,
    subject_type: String,
    subject_id: Uuid,
    changes: Value,
    request_id: Option<String>,
    address: Option<String>,
    occurred_at: DateTime<Utc>,
}

impl From<Row> for AuditRecord {
    fn from(row: Row) -> Self {
        Self {
            id: AuditEventId::from_uuid(row.id),
            tenant_id: TenantId::from_uuid(row.tenant_id),
            action: row.action,
            actor_type: row.actor_type,
            actor_id: row.actor_id,
            subject_type: row.subject_type,
            subject_id: row.subject_id,
            changes: row.changes,
            request_id: row.request_id,
            address: row.address,
            occurred_at: row.occurred_at,
        }
    }
}

/// Which events a list shows; what is `None` does not restrict it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this actor: an id, or a name.
    pub actor_id: Option<String>,
    /// Of this kind of actor.
    pub actor_type: Option<String>,
    /// Of this action.
    pub action: Option<String>,
    /// About this thing.
    pub subject_id: Option<Uuid>,
    /// About this kind of thing.
    pub subject_type: Option<String>,
    /// At this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Before this time.
    pub until: Option<DateTime<Utc>>,
}

impl Keyset for audit_events::table {
    type Id = audit_events::id;
    type Name = audit_events::action;
    type CreatedAt = audit_events::occurred_at;
    type UpdatedAt = audit_events::occurred_at;
}

impl TenantScope<'_> {
    /// These events, as far as they are there.
    pub(crate) fn audit_events_with(&mut self, ids: &[Uuid]) -> Result<Vec<AuditRecord>, Fault> {
        let rows: Vec<Row> = Row::query()
            .filter(audit_events::tenant_id.eq(self.tenant.uuid()).and(audit_events::id.eq_any(ids)))
            .load(self.connection)?;
        Ok(rows.into_iter().map(AuditRecord::from).collect())
    }
}

/// The period beside the position of a page, or beside its first event, that is asked for first. Where it has a whole page, no partition
/// but those of this period was looked at. `None` where that is not known beforehand.
fn near(filter: &AuditFilter, page: &PageRequest) -> Option<AuditFilter> {
    let position = page.after.as_ref().and_then(time_at);
    if page.sort.descending {
        let until = position.into_iter().chain(filter.until).min().unwrap_or_else(Utc::now);
        let from = until.checked_sub_signed(NEAR)?;
        let narrower = filter.from.is_none_or(|asked| asked < from);
        narrower.then(|| AuditFilter { from: Some(from), ..filter.clone() })
    } else {
        let from = position.into_iter().chain(filter.from).max()?;
        let until = from.checked_add_signed(NEAR)?;
        let narrower = filter.until.is_none_or(|asked| asked > until);
        narrower.then(|| AuditFilter { until: Some(until), ..filter.clone() })
    }
}

/// How much is asked for first.
const NEAR: TimeDelta = TimeDelta::days(31);

/// When the last event of the page before happened.
fn time_at(position: &Position) -> Option<DateTime<Utc>> {
    position.key().parse().ok()
}

impl Tx<'_, InTenant> {
    /// A page of the tenant's audit log.
    pub fn audit_events(&mut self, filter: &AuditFilter, page: &PageRequest) -> Result<Page<AuditRecord>, Fault> {
        if let Some(near) = near(filter, page) {
            let found = self.audit_events_of(&near, page)?;
            if found.next.is_some() {
                return Ok(found);
            }
        }
        self.audit_events_of(filter, page)
    }

    fn audit_events_of(&mut self, filter: &AuditFilter, page: &PageRequest) -> Result<Page<AuditRecord>, Fault> {
        let mut query = Row::query().filter(audit_events::tenant_id.eq(self.found.uuid())).into_boxed();
        // By the ids, PostgreSQL knows in which partitions to look. The times say exactly which events are meant.
        let position = page.after.as_ref().and_then(time_at);
        let (after, before) = if page.sort.descending { (None, position) } else { (position, None) };
        if let Some(from) = after.into_iter().chain(filter.from).max() {
            let first = from.checked_sub_signed(APART).map_or(Uuid::nil(), first_id);
            query = query.filter(audit_events::id.ge(first).or(audit_events::id.lt(KNOWN_BEFORE)));
        }
        if let Some(until) = before.into_iter().chain(filter.until).min().and_then(|at| at.checked_add_signed(APART)) {
            query = query.filter(audit_events::id.lt(first_id(until)));
        }
        if let Some(id) = &filter.actor_id {
            query = query.filter(audit_events::actor_id.eq(id.clone()));
        }
        if let Some(kind) = &filter.actor_type {
            query = query.filter(audit_events::actor_type.eq(kind.clone()));
        }
        if let Some(action) = &filter.action {
            query = query.filter(audit_events::action.eq(action.clone()));
        }
        if let Some(id) = filter.subject_id {
            query = query.filter(audit_events::subject_id.eq(id));
        }
        if let Some(kind) = &filter.subject_type {
            query = query.filter(audit_events::subject_type.eq(kind.clone()));
        }
        if let Some(from) = filter.from {
            query = query.filter(audit_events::occurred_at.ge(from));
        }
        if let Some(until) = filter.until {
            query = query.filter(audit_events::occurred_at.lt(until));
        }
        let rows: Vec<Row> = keyset::page::<audit_events::table, _>(query, page).load(self.connection)?;
        Ok(Page::cut(rows.into_iter().map(AuditRecord::from).collect(), page))
    }
}
