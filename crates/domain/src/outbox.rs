//! The outbox: what is to be sent once the transaction that wants it sent is committed.

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use crate::{
    InvitationId, Noun, OutboxMessageId, WebhookId, audit::Fields, ids::Identified, page::SortKey, values::Choice,
};

/// What a write wants sent. What it says is put together when it is sent, from what is stored then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mail {
    /// The message that invites somebody.
    Invitation(InvitationId),
    /// The message to a tenant's owner that a webhook was disabled.
    WebhookDisabled(WebhookId),
}

impl Mail {
    /// The kind, as the outbox stores it.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Invitation(_) => "invitation",
            Self::WebhookDisabled(_) => "webhook_disabled",
        }
    }

    /// What it is about.
    pub fn subject_id(self) -> Uuid {
        match self {
            Self::Invitation(id) => id.uuid(),
            Self::WebhookDisabled(id) => id.uuid(),
        }
    }

    /// The mail of this kind about this thing.
    pub fn of(kind: &str, subject: Uuid) -> Option<Self> {
        match kind {
            "invitation" => Some(Self::Invitation(InvitationId::from_uuid(subject))),
            "webhook_disabled" => Some(Self::WebhookDisabled(WebhookId::from_uuid(subject))),
            _ => None,
        }
    }
}

/// What has become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboxState {
    /// It is to be sent, or sent again.
    Pending,
    /// It was taken over by the mail server.
    Sent,
    /// It was refused for good, or too often: somebody has to look at it.
    Dead,
    /// There was no more reason to send it.
    Dropped,
}

impl Choice for OutboxState {
    const ALL: &'static [(Self, &'static str)] =
        &[(Self::Pending, "pending"), (Self::Sent, "sent"), (Self::Dead, "dead"), (Self::Dropped, "dropped")];
}
crate::values::choices!(OutboxState);

/// A message in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxMessage {
    /// Its identifier, and the stem of its `Message-ID`, which is the same at each attempt.
    pub id: OutboxMessageId,
    /// What it is.
    pub mail: Mail,
    /// What has become of it.
    pub state: OutboxState,
    /// How often it was tried.
    pub attempts: i32,
    /// When it is tried next, while it is pending.
    pub next_attempt_at: DateTime<Utc>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it was put into the outbox.
    pub created_at: DateTime<Utc>,
}

impl Identified for OutboxMessage {
    const NOUN: Noun = Noun::OutboxMessage;
}

impl SortKey for OutboxMessage {
    fn id(&self) -> Uuid {
        self.id.uuid()
    }

    fn name(&self) -> String {
        self.mail.kind().to_owned()
    }

    fn times(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        (self.created_at, self.created_at)
    }
}

impl OutboxMessage {
    /// The fields as the audit log names them.
    pub fn fields(&self) -> Fields {
        Fields::new()
            .with("state", self.state.as_str())
            .with("attempts", self.attempts)
            .with("lastError", self.last_error.as_deref())
    }
}

/// How far the email of an invitation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is going to be sent, or sent again.
    Queued,
    /// The mail server has taken it over.
    Sent,
    /// It could not be sent, and nobody tries again.
    Failed,
    /// There is none: it was no longer needed, or it is too long ago.
    None,
}

impl Choice for DeliveryState {
    const ALL: &'static [(Self, &'static str)] =
        &[(Self::Queued, "queued"), (Self::Sent, "sent"), (Self::Failed, "failed"), (Self::None, "none")];
    const MEANING: &'static str = "How far the email of an invitation is.";
}
crate::values::choices!(DeliveryState);

/// What has become of the newest email of an invitation, as its tenant is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// How far it is.
    pub state: DeliveryState,
    /// Why it could not be sent so far, as a sentence.
    pub reason: Option<String>,
    /// Since when this is so.
    pub since: Option<DateTime<Utc>>,
}

impl Delivery {
    /// Of an email that was wanted just now.
    pub fn queued(since: DateTime<Utc>) -> Self {
        Self { state: DeliveryState::Queued, reason: None, since: Some(since) }
    }

    /// Where there is no email.
    pub fn none() -> Self {
        Self { state: DeliveryState::None, reason: None, since: None }
    }

    /// What the outbox knows.
    pub fn of(state: OutboxState, last_error: Option<&str>, since: DateTime<Utc>) -> Self {
        let reason = last_error.map(sentence);
        let (state, reason) = match state {
            OutboxState::Pending => {
                (DeliveryState::Queued, reason.map(|reason| format!("{reason} It will be tried again.")))
            }
            OutboxState::Sent => (DeliveryState::Sent, None),
            OutboxState::Dead => (DeliveryState::Failed, reason),
            OutboxState::Dropped => return Self::none(),
        };
        Self { state, reason, since: Some(since) }
    }
}

/// What a mail server can refuse of an email, and the words that follow it in the outbox.
pub const THE_RECIPIENT: &str = "the recipient";
/// See [`THE_RECIPIENT`].
pub const THE_EMAIL: &str = "the email";
/// See [`THE_RECIPIENT`].
pub const WAS_REFUSED: &str = " was refused: ";

/// What went wrong, for a tenant. What a server says of the address or the email helps them. How the operator's mail server is reached
/// is for the operator.
fn sentence(last_error: &str) -> String {
    let refused = |what: &str| last_error.strip_prefix(what)?.strip_prefix(WAS_REFUSED);
    let ended = |words: &str| if words.ends_with(['.', '!', '?']) { words.to_owned() } else { format!("{words}.") };
    match (refused(THE_RECIPIENT), refused(THE_EMAIL)) {
        (Some(words), _) => format!("The mail server does not accept the address: {}", ended(words)),
        (_, Some(words)) => format!("The mail server does not accept the email: {}", ended(words)),
        _ => "The mail server of this service does not work at the moment.".to_owned(),
    }
}

/// How often a message is tried before it is dead: with [`pause`], for about two days.
pub const ATTEMPTS: i32 = 16;

/// How long to wait after this many failed attempts: twice as long each time, from 15 seconds to 6 hours. `jitter` from 0 to
/// 1 takes up to half of that off, so that what failed together is not tried together.
pub fn pause(attempts: i32, jitter: f64) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(12);
    let longest = (15_000_i64 << doublings).min(6 * 60 * 60 * 1000);
    let off = (longest / 2 * i64::from((jitter.clamp(0.0, 1.0) * 1000.0) as u16)) / 1000;
    Duration::milliseconds(longest - off)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_told_what_became_of_an_email_and_nothing_about_the_operators_servers() {
        let now = Utc::now();
        let of = |state, error| Delivery::of(state, error, now);
        let refused = "the recipient was refused: 550 5.1.1 No such user";
        let said = "The mail server does not accept the address: 550 5.1.1 No such user.";
        assert_eq!(of(OutboxState::Dead, Some(refused)).reason.as_deref(), Some(said));
        assert_eq!(of(OutboxState::Dead, Some(refused)).state, DeliveryState::Failed);
        let waiting = of(OutboxState::Pending, Some("the recipient was refused: 451 Try later."));
        assert_eq!(waiting.state, DeliveryState::Queued);
        let said = "The mail server does not accept the address: 451 Try later. It will be tried again.";
        assert_eq!(waiting.reason.as_deref(), Some(said));
        let inside = of(OutboxState::Pending, Some("no connection to mail.internal:587: refused"));
        assert!(!inside.reason.unwrap().contains("internal"));
        assert_eq!(of(OutboxState::Pending, None), Delivery::queued(now));
        assert_eq!(of(OutboxState::Sent, Some(refused)).reason, None);
        assert_eq!(of(OutboxState::Dropped, Some(refused)), Delivery::none());
    }

    #[test]
    fn pauses_double_up_to_six_hours_and_jitter_takes_at_most_half() {
        assert_eq!(pause(1, 0.0), Duration::seconds(15));
        assert_eq!(pause(2, 0.0), Duration::seconds(30));
        assert_eq!(pause(2, 1.0), Duration::seconds(15));
        assert_eq!(pause(40, 0.0), Duration::hours(6));
        assert_eq!(pause(0, 0.0), Duration::seconds(15));
        let all: Duration = (1..ATTEMPTS).map(|n| pause(n, 0.0)).sum();
        assert!(all > Duration::hours(24) && all < Duration::hours(60), "{all}");
    }
}
