//! What a write must say about itself.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{AuditEventId, Id, Mail, Noun, TenantId, ids::Identified, page::SortKey};

/// The entry that a write leaves in the audit log; who did what, when and for which request is added by the door, which
/// knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// Its identifier, where that has to be known beforehand.
    pub id: Option<AuditEventId>,
    /// What kind of thing was written, such as `workspace`.
    pub subject_type: Noun,
    /// Which one.
    pub subject_id: Uuid,
    /// `{"member": {"before": …, "after": …}}` for each member that changed; never a secret.
    pub changes: Map<String, Value>,
}

impl Identified for AuditEvent {
    const NOUN: Noun = Noun::AuditEvent;
}

/// An entry of the audit log as it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRecord {
    /// Its identifier.
    pub id: AuditEventId,
    /// The tenant whose log contains the event.
    pub tenant_id: TenantId,
    /// What was done, as the policy table names it.
    pub action: String,
    /// What kind of actor did it: `api_key`, `member`, `operator`, `platform` or `job`.
    pub actor_type: String,
    /// Which one: an id, or a name.
    pub actor_id: String,
    /// What kind of thing it was done to.
    pub subject_type: String,
    /// To which one.
    pub subject_id: Uuid,
    /// What changed, see [`AuditEvent::changes`].
    pub changes: Value,
    /// The request it was done in.
    pub request_id: Option<String>,
    /// The address the request came from.
    pub address: Option<String>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

impl SortKey for AuditRecord {
    fn id(&self) -> Uuid {
        self.id.uuid()
    }

    fn name(&self) -> String {
        self.action.clone()
    }

    fn times(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        (self.occurred_at, self.occurred_at)
    }
}

/// What a write gives back, and whether its caller may read it.
#[derive(Debug, Clone)]
pub struct Written<T> {
    thing: T,
    readable: bool,
}

impl<T> Written<T> {
    /// This thing, which the caller may read or not.
    pub fn new(thing: T, readable: bool) -> Self {
        Self { thing, readable }
    }

    /// The thing, for what a caller may know of it in any case: that it is there, and its id.
    pub fn thing(&self) -> &T {
        &self.thing
    }

    /// The thing, for a caller who may read it.
    pub fn readable(self) -> Option<T> {
        self.readable.then_some(self.thing)
    }

    /// The thing, for whom the policy lets read everything, such as an operator.
    pub fn into_thing(self) -> T {
        self.thing
    }
}

/// The value of a write, and what it leaves behind.
///
/// ```
/// # use tenantry_domain::{Change, Id, Mail, Fields, Record};
/// let id = Id::from_uuid(uuid::Uuid::nil());
/// let invited = Record::created(id, &Fields::new().with("role", "agent"));
/// let _: Change<()> = Change::recorded((), invited.mailing(Mail::Invitation(id)));
/// ```
///
/// Only a record can have an email sent, so that none is ever sent by a write that the audit log does not know:
///
/// ```compile_fail,E0599
/// # use tenantry_domain::{Change, Id, Mail};
/// # let id = Id::from_uuid(uuid::Uuid::nil());
/// let _: Change<()> = Change::nothing(()).mailing(Mail::Invitation(id));
/// ```
#[derive(Debug)]
#[must_use = "the door stores the record"]
pub struct Change<T> {
    /// What the caller gets.
    pub value: T,
    /// What the write leaves behind; `None` only when nothing was changed that anybody asked for.
    pub record: Option<Record>,
}

/// What one write leaves behind: an event in the audit log, and an email where one is to be sent.
#[derive(Debug)]
pub struct Record {
    /// The event.
    pub event: AuditEvent,
    /// What is to be sent once all this is committed.
    pub mail: Option<Mail>,
    /// Events about other things that the write changed with it, such as the API keys that go with their brand.
    pub along: Vec<AuditEvent>,
}

impl Record {
    /// The creation of `id` with these fields.
    pub fn created<K: Identified>(id: Id<K>, after: &Fields) -> Self {
        Self::between(id, &Fields::new(), after)
    }

    /// The removal of `id` with these fields.
    pub fn removed<K: Identified>(id: Id<K>, before: &Fields) -> Self {
        Self::between(id, before, &Fields::new())
    }

    /// A change of `id` between two states.
    pub fn between<K: Identified>(id: Id<K>, before: &Fields, after: &Fields) -> Self {
        let changes = before.changes_to(after);
        let event = AuditEvent { id: None, subject_type: K::NOUN, subject_id: id.uuid(), changes };
        Self { event, mail: None, along: Vec::new() }
    }

    /// The same record, with this email to be sent.
    #[must_use]
    pub fn mailing(self, mail: Mail) -> Self {
        Self { mail: Some(mail), ..self }
    }

    /// The same record, with these events about other things that changed with it.
    #[must_use]
    pub fn along(mut self, others: impl IntoIterator<Item = AuditEvent>) -> Self {
        self.along.extend(others);
        self
    }
}

impl<T> Change<T> {
    /// A write that found everything as it was asked to be.
    pub fn nothing(value: T) -> Self {
        Self { value, record: None }
    }

    /// A write that leaves this record.
    pub fn recorded(value: T, record: Record) -> Self {
        Self { value, record: Some(record) }
    }

    /// [`Record::created`], and no email.
    pub fn created<K: Identified>(value: T, id: Id<K>, after: &Fields) -> Self {
        Self::recorded(value, Record::created(id, after))
    }

    /// [`Record::removed`], and no email.
    pub fn removed<K: Identified>(value: T, id: Id<K>, before: &Fields) -> Self {
        Self::recorded(value, Record::removed(id, before))
    }

    /// [`Record::between`], and no email.
    pub fn between<K: Identified>(value: T, id: Id<K>, before: &Fields, after: &Fields) -> Self {
        Self::recorded(value, Record::between(id, before, after))
    }

    /// The same change, with these events about other things that changed with it.
    pub fn along(self, others: impl IntoIterator<Item = AuditEvent>) -> Self {
        Self { record: self.record.map(|record| record.along(others)), ..self }
    }

    /// What the service writes down for itself while it does what was asked before: nobody's act, and nothing to log.
    pub fn bookkeeping(value: T) -> Self {
        Self::nothing(value)
    }

    /// The same change, of which the caller gets what is made of its value.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Change<U> {
        Change { value: make(self.value), record: self.record }
    }

    /// The same change, of which the caller gets another value.
    pub fn giving<U>(self, value: U) -> Change<U> {
        Change { value, record: self.record }
    }
}

/// The fields of a thing by name, as the audit log compares them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// No fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// These fields and one more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// What changed from these fields to others: `{"name": {"before": …, "after": …}}` for each that is not the same.
    pub fn changes_to(&self, after: &Self) -> Map<String, Value> {
        let value = |fields: &Self, name: &str| fields.0.get(name).cloned().unwrap_or(Value::Null);
        let names = self.0.keys().chain(after.0.keys().filter(|name| !self.0.contains_key(*name)));
        names
            .map(|name| (name, value(self, name), value(after, name)))
            .filter(|(_, before, after)| before != after)
            .map(|(name, before, after)| (name.clone(), json!({ "before": before, "after": after })))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_names_what_changed_and_only_that() {
        let before = Fields::new().with("name", "A").with("country", "DE");
        let after = Fields::new().with("name", "B").with("country", "DE").with("note", None::<String>);
        assert_eq!(Value::Object(before.changes_to(&after)), json!({ "name": { "before": "A", "after": "B" } }));
    }
}
