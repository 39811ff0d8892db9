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
    /// The word inside a sentence: `API key`, `outbox message`.
    pub fn lower_case(self) -> String {
        self.as_str().replace('_', " ").replace("api ", "API ")
    }

    /// The word at the start of a sentence: `API key`, `Outbox message`.
    pub fn capitalised(self) -> String {
        let words = self.lower_case();
        words.chars().take(1).flat_map(char::to_uppercase).chain(words.chars().skip(1)).collect()
    }
}
