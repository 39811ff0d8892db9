//! The kinds of things there are, each with one word for error messages, paths and the audit log.

use crate::values::Choice;

/// A kind of thing that has an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is described at its own type")]
pub enum Noun {
    Tenant,
    Brand,
    Workspace,
    Member,
    Invitation,
    ApiKey,
    Integration,
    Agent,
    UsageEntry,
    OutboxMessage,
    AuditEvent,
}

impl Choice for Noun {
    const ALL: &'static [(Self, &'static str)] = &[
        (Self::Tenant, "tenant"),
        (Self::Brand, "brand"),
        (Self::Workspace, "workspace"),
        (Self::Member, "member"),
        (Self::Invitation, "invitation"),
        (Self::ApiKey, "api_key"),
        (Self::Integration, "integration"),
        (Self::Agent, "agent"),
        (Self::UsageEntry, "usage_entry"),
        (Self::OutboxMessage, "outbox_message"),
        (Self::AuditEvent, "audit_event"),
    ];
}
crate::values::spoken!(Noun);

impl Noun {
    /// The word at the start of a sentence: `API key`, `Outbox message`.
    pub fn capitalised(self) -> String {
        let words = self.as_str().replace('_', " ");
        match words.strip_prefix("api ") {
            Some(rest) => format!("API {rest}"),
            None => words.chars().take(1).flat_map(char::to_uppercase).chain(words.chars().skip(1)).collect(),
        }
    }
}
