//! What a write must say about itself.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{Id, ids::Identified};

/// The entry that a write leaves in the audit log; who did what, when and for which request is added by the door, which
/// knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// What kind of thing was written, such as `workspace`.
    pub subject_type: &'static str,
    /// Which one.
    pub subject_id: Uuid,
    /// `{"member": {"before": …, "after": …}}` for each member that changed; never a secret.
    pub changes: Map<String, Value>,
}

impl Identified for AuditEvent {
    const NOUN: &'static str = "audit_event";
}

/// The value of a write together with its audit event.
#[derive(Debug)]
pub struct Change<T> {
    /// What the caller gets.
    pub value: T,
    /// What the audit log gets; `None` only when nothing was changed, so that there is nothing to log.
    pub event: Option<AuditEvent>,
}

impl<T> Change<T> {
    /// A write that found everything as it was asked to be.
    pub fn nothing(value: T) -> Self {
        Self { value, event: None }
    }

    /// The creation of `id` with these members.
    pub fn created<K: Identified>(value: T, id: Id<K>, after: &Members) -> Self {
        Self::between(value, id, &Members::new(), after)
    }

    /// The removal of `id` with these members.
    pub fn removed<K: Identified>(value: T, id: Id<K>, before: &Members) -> Self {
        Self::between(value, id, before, &Members::new())
    }

    /// A change of `id` between two states.
    pub fn between<K: Identified>(value: T, id: Id<K>, before: &Members, after: &Members) -> Self {
        let event = AuditEvent { subject_type: K::NOUN, subject_id: id.uuid(), changes: before.changes_to(after) };
        Self { value, event: Some(event) }
    }
}

/// The members of a thing by name, as the audit log compares them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members(Map<String, Value>);

impl Members {
    /// No members.
    pub fn new() -> Self {
        Self::default()
    }

    /// These members and one more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    fn changes_to(&self, after: &Self) -> Map<String, Value> {
        let value = |members: &Self, name: &str| members.0.get(name).cloned().unwrap_or(Value::Null);
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
        let before = Members::new().with("name", "A").with("country", "DE");
        let after = Members::new().with("name", "B").with("country", "DE").with("note", None::<String>);
        assert_eq!(Value::Object(before.changes_to(&after)), json!({ "name": { "before": "A", "after": "B" } }));
    }
}
