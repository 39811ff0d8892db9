//! Emails that wait or were sent. They move with what they are about, so they travel with sealed secrets alone: without its token an
//! invitation is not sent but sent again.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tenantry_domain::{FieldRefusal, InTenant, Mail, OutboxMessage, Refusal};
use tenantry_persistence::{Fault, KeptMessage, Tx};
use uuid::Uuid;

use super::{Counts, Line, Reading, Target};
use crate::transfer::export::{Out, PAGE, by_id};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::transfer) struct OutboxMessageLine {
    id: String,
    kind: String,
    subject_id: Uuid,
    state: String,
    attempts: i32,
    next_attempt_at: DateTime<Utc>,
    last_error: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl OutboxMessageLine {
    /// Writes every message, if secrets travel.
    pub(super) fn export(tx: &mut Tx<'_, InTenant>, out: &mut Out<'_>, counts: &mut Counts) -> Result<(), Fault> {
        if out.secrets().sealing().is_none() {
            return Ok(());
        }
        by_id(
            |last| tx.messages_after(last, PAGE),
            |kept| {
                let id = kept.message.id;
                counts.outbox_messages += out.line(Line::OutboxMessage(Self::of(kept)))?;
                Ok(id)
            },
        )
    }

    fn of(KeptMessage { message, updated_at }: KeptMessage) -> Box<Self> {
        Box::new(Self {
            id: message.id.to_string(),
            kind: message.mail.kind().to_owned(),
            subject_id: message.mail.subject_id(),
            state: message.state.to_string(),
            attempts: message.attempts,
            next_attempt_at: message.next_attempt_at,
            last_error: message.last_error,
            created_at: message.created_at,
            updated_at,
        })
    }

    pub(super) fn into_message(self, target: Target) -> Result<KeptMessage, Vec<FieldRefusal>> {
        let mut reading = Reading::at(target.now);
        let id = reading.value("id", &self.id);
        let mail = Mail::of(&self.kind, self.subject_id);
        if mail.is_none() {
            let message = format!("is {:?}, which is no kind of email", self.kind);
            reading.refuse(Refusal::new("unknown_kind", message).of("kind"));
        }
        let state = reading.value("state", &self.state);
        if self.attempts < 0 {
            reading.refuse(Refusal::new("out_of_range", "must not be negative").of("attempts"));
        }
        let next_attempt_at = reading.someday("nextAttemptAt", self.next_attempt_at);
        let created_at = reading.time("createdAt", self.created_at);
        let updated_at = reading.time("updatedAt", self.updated_at);
        let message = id.zip(mail).zip(state).map(|((id, mail), state)| OutboxMessage {
            id,
            mail,
            state,
            attempts: self.attempts,
            next_attempt_at,
            last_error: self.last_error,
            created_at,
        });
        reading.end(message.map(|message| KeptMessage { message, updated_at }))
    }
}
