//! Webhooks: where a tenant wants to be told of its events, and what became of telling it.

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use crate::{
    Action, AuditRecord, Conflict, Error, Line, Noun, POLICY, TenantId, WebhookId, WebhookUrl,
    audit::Fields,
    brand::kept,
    ids::Identified,
    page::SortKey,
    values::{Choice, choices},
};

/// What a webhook is for, in its owner's words.
pub type WebhookDescription = Line<200>;

/// How many webhooks a tenant may have.
pub const MAX_WEBHOOKS: i64 = 100;

/// A webhook is disabled when for so many days nothing could be delivered to it.
pub const DISABLED_AFTER_DAYS: i64 = 5;

/// A kind of event: an action that leaves an entry in the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebhookEvent(Action);

const fn events() -> usize {
    let (mut row, mut count) = (0, 0);
    while row < POLICY.len() {
        if !POLICY[row].subjects.is_empty() {
            count += 1;
        }
        row += 1;
    }
    count
}

const EVENTS: [(WebhookEvent, &str); events()] = {
    let mut all = [(WebhookEvent(Action::WebhookTest), ""); events()];
    let (mut row, mut count) = (0, 0);
    while row < POLICY.len() {
        if !POLICY[row].subjects.is_empty() {
            all[count] = (WebhookEvent(POLICY[row].action), POLICY[row].name);
            count += 1;
        }
        row += 1;
    }
    all
};

impl WebhookEvent {
    /// Whether webhooks of the platform can be told of it: it can be about a tenant, or about such a webhook. A refused attempt is the
    /// tenant's own.
    pub fn is_of_the_platform(self) -> bool {
        let about = |noun: &Noun| matches!(noun, Noun::Tenant | Noun::Webhook);
        self.0 != Action::AttemptRefuse && self.0.rule().subjects.iter().any(about)
    }
}

impl Choice for WebhookEvent {
    const ALL: &'static [(Self, &'static str)] = &EVENTS;
    const MEANING: &'static str = "What happened: an action of the audit log.";
}
choices!(WebhookEvent);

/// Why a webhook is not enabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisabledReason {
    /// Somebody has paused it.
    Paused,
    /// For days nothing could be delivered.
    Failing,
    /// The receiver has answered 410: it wants no more.
    Gone,
    /// Its secret was given up, because it did not decrypt.
    SecretLost,
}

impl Choice for DisabledReason {
    const ALL: &'static [(Self, &'static str)] = &[
        (Self::Paused, "paused"),
        (Self::Failing, "failing"),
        (Self::Gone, "gone"),
        (Self::SecretLost, "secret_lost"),
    ];
    const MEANING: &'static str = "Why a webhook is not enabled.";
}
choices!(DisabledReason);

/// A webhook as it is stored, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its identifier.
    pub id: WebhookId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// What its tenant may change.
    pub details: WebhookDetails,
    /// Why it is not enabled; `None` for one that is.
    pub disabled: Option<DisabledReason>,
    /// Since when nothing could be delivered.
    pub failing_since: Option<DateTime<Utc>>,
    /// When its secret was made.
    pub secret_set_at: DateTime<Utc>,
    /// Until when the secret before signs too.
    pub previous_until: Option<DateTime<Utc>>,
    /// Counts the visible changes, from 1.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Identified for Webhook {
    const NOUN: Noun = Noun::Webhook;
}

impl SortKey for Webhook {
    fn id(&self) -> Uuid {
        self.id.uuid()
    }

    fn name(&self) -> String {
        self.details.url.as_str().to_owned()
    }

    fn times(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        (self.created_at, self.updated_at)
    }
}

/// The part of a webhook that its tenant may change; also all that is asked of a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookDetails {
    /// Where events are sent.
    pub url: WebhookUrl,
    /// Which events; `None` for all.
    pub events: Option<Vec<WebhookEvent>>,
    /// What it is for.
    pub description: Option<WebhookDescription>,
}

/// A change to a webhook: an outer `None` stays, an inner `None` clears.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of WebhookDetails")]
pub struct WebhookPatch {
    pub url: Option<WebhookUrl>,
    pub events: Option<Option<Vec<WebhookEvent>>>,
    pub description: Option<Option<WebhookDescription>>,
    /// Whether it is enabled. One that is enabled anew is not failing.
    pub enabled: Option<bool>,
}

impl WebhookDetails {
    /// These details with the change applied.
    #[must_use]
    pub fn patched(&self, patch: &WebhookPatch) -> Self {
        Self {
            url: kept(&patch.url, &self.url),
            events: kept(&patch.events, &self.events),
            description: kept(&patch.description, &self.description),
        }
    }
}

impl Webhook {
    /// Whether it is sent to.
    pub fn is_enabled(&self) -> bool {
        self.disabled.is_none()
    }

    /// Why it is not enabled, after a change.
    pub fn disabled_after(&self, patch: &WebhookPatch) -> Option<DisabledReason> {
        match (patch.enabled, self.disabled) {
            (Some(true), _) => None,
            (Some(false), None) => Some(DisabledReason::Paused),
            (_, disabled) => disabled,
        }
    }

    /// The fields as the audit log names them.
    pub fn fields(&self) -> Fields {
        let events = self.details.events.as_ref();
        Fields::new()
            .with("url", self.details.url.as_str())
            .with("events", events.map(|events| events.iter().map(|event| event.as_str()).collect::<Vec<_>>()))
            .with("description", self.details.description.as_ref().map(WebhookDescription::as_str))
            .with("enabled", self.is_enabled())
            .with("disabledReason", self.disabled.map(DisabledReason::as_str))
            .with("secretSetAt", self.secret_set_at.to_rfc3339())
    }

    /// Refuses to send to one that is not enabled.
    ///
    /// # Errors
    ///
    /// `Conflict`.
    pub fn must_be_enabled(&self) -> Result<(), Error> {
        let message = "This webhook is not enabled. Enable it first: send PATCH with \"enabled\": true.";
        if self.is_enabled() { Ok(()) } else { Err(Error::conflict(Conflict::WebhookDisabled, message)) }
    }
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookDeliveryState {
    /// It is sent, or sent again, when its time comes.
    Pending,
    /// The receiver has taken it.
    Delivered,
    /// It was tried for three days, and is given up.
    Failed,
}

impl Choice for WebhookDeliveryState {
    const ALL: &'static [(Self, &'static str)] =
        &[(Self::Pending, "pending"), (Self::Delivered, "delivered"), (Self::Failed, "failed")];
    const MEANING: &'static str = "How far a delivery is.";
}
choices!(WebhookDeliveryState);

/// One event for one webhook. It is identified by the event.
#[derive(Debug, Clone, PartialEq)]
pub struct WebhookDelivery {
    /// The webhook.
    pub webhook_id: WebhookId,
    /// The event.
    pub event: AuditRecord,
    /// How far it is.
    pub state: WebhookDeliveryState,
    /// How often it was tried.
    pub attempts: i32,
    /// When it is tried next, while it is pending.
    pub next_attempt_at: DateTime<Utc>,
    /// When it was tried last.
    pub last_attempt_at: Option<DateTime<Utc>>,
    /// What the receiver answered last: a status of HTTP.
    pub last_status: Option<i32>,
    /// The beginning of that answer.
    pub last_answer: Option<String>,
    /// Why the last attempt failed, in our words.
    pub last_error: Option<String>,
    /// When it was put into the queue.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Identified for WebhookDelivery {
    const NOUN: Noun = Noun::WebhookDelivery;
}

impl SortKey for WebhookDelivery {
    fn id(&self) -> Uuid {
        self.event.id.uuid()
    }

    fn name(&self) -> String {
        self.state.as_str().to_owned()
    }

    fn times(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        (self.created_at, self.updated_at)
    }
}

/// How long to wait after each failed attempt, as Standard Webhooks suggests: about three days in all.
const PAUSES: [Duration; 9] = [
    Duration::seconds(5),
    Duration::minutes(5),
    Duration::minutes(30),
    Duration::hours(2),
    Duration::hours(5),
    Duration::hours(10),
    Duration::hours(14),
    Duration::hours(20),
    Duration::hours(24),
];

/// How often a delivery is tried.
pub const WEBHOOK_ATTEMPTS: usize = PAUSES.len() + 1;

/// How long a receiver may ask to be left alone.
const LONGEST_WISH: Duration = Duration::hours(24);

/// When to try a delivery again after so many attempts; `None` to give it up. `jitter` from 0 to 1 adds up to a fifth, so that what
/// failed together is not tried together. A receiver may ask for more.
pub fn webhook_pause(attempts: i32, jitter: f64, wish: Option<Duration>) -> Option<Duration> {
    let pause = *PAUSES.get(usize::try_from(attempts.saturating_sub(1)).unwrap_or_default())?;
    let pause = pause + jittered(pause / 5, jitter);
    Some(wish.map_or(pause, |wish| pause.max(wish.min(LONGEST_WISH))))
}

/// How long a webhook to which so many turns in a row have failed is left alone before the next one is tried: twice as long each time,
/// from a second to five minutes. `jitter` from 0 to 1 adds up to a fifth.
pub fn webhook_rest(failures: i32, jitter: f64) -> Duration {
    let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or_default().min(9);
    let rest = Duration::seconds((1_i64 << doublings).min(300));
    rest + jittered(rest / 5, jitter)
}

fn jittered(most: Duration, jitter: f64) -> Duration {
    let milliseconds = most.num_milliseconds() as f64 * jitter.clamp(0.0, 1.0);
    Duration::milliseconds(milliseconds as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_what_the_audit_log_has() {
        assert_eq!("workspace.update".parse(), Ok(WebhookEvent(Action::WorkspaceUpdate)));
        assert!("workspace.read".parse::<WebhookEvent>().is_err());
        let of_the_platform = |name: &str| name.parse::<WebhookEvent>().unwrap().is_of_the_platform();
        assert!(["tenant.erase", "integration.reseal", "webhook.test"].into_iter().all(of_the_platform));
        assert!(!["workspace.create", "attempt.refuse", "limits.update"].into_iter().any(of_the_platform));
        assert!(EVENTS.iter().all(|(event, name)| event.as_str() == *name && !name.is_empty()));
    }

    #[test]
    fn a_delivery_is_tried_for_three_days() {
        let pauses: Vec<_> = (1..).map_while(|attempts| webhook_pause(attempts, 0.0, None)).collect();
        assert_eq!((pauses.len() + 1, pauses[0]), (WEBHOOK_ATTEMPTS, Duration::seconds(5)));
        let all: Duration = pauses.iter().sum();
        assert!(all > Duration::hours(72) && all < Duration::hours(80), "{all}");
        assert!(pauses.windows(2).all(|pair| pair[0] < pair[1]));
        for more_than_all in [1.0, 2.0] {
            assert_eq!(webhook_pause(1, more_than_all, None), Some(Duration::seconds(6)));
        }
        assert_eq!(webhook_pause(1, 0.0, Some(Duration::minutes(2))), Some(Duration::minutes(2)));
        assert_eq!(webhook_pause(1, 0.0, Some(Duration::days(9))), Some(Duration::hours(24)));
        assert_eq!(webhook_pause(4, 0.0, Some(Duration::minutes(2))), Some(Duration::hours(2)));
    }

    #[test]
    fn a_receiver_that_fails_is_left_alone_for_longer_and_longer() {
        let rests = [1, 2, 3, 10, 1_000].map(|failures| webhook_rest(failures, 0.0).num_seconds());
        assert_eq!(rests, [1, 2, 4, 300, 300]);
        assert_eq!(webhook_rest(0, 1.0), Duration::milliseconds(1_200));
    }

    fn webhook(disabled: Option<DisabledReason>) -> Webhook {
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        Webhook {
            id: WebhookId::from_uuid(Uuid::nil()),
            tenant_id: TenantId::from_uuid(Uuid::nil()),
            details: WebhookDetails {
                url: "https://example.com/webhooks".parse().unwrap(),
                events: None,
                description: Some("ours".parse().unwrap()),
            },
            disabled,
            failing_since: None,
            secret_set_at: at,
            previous_until: None,
            version: 1,
            created_at: at,
            updated_at: at,
        }
    }

    #[test]
    fn only_one_that_is_enabled_is_sent_to_and_only_who_enables_it_takes_the_reason_away() {
        let after = |was, enabled| webhook(was).disabled_after(&WebhookPatch { enabled, ..WebhookPatch::default() });
        assert_eq!(webhook(None).name(), "https://example.com/webhooks");
        assert!(webhook(None).is_enabled() && webhook(None).must_be_enabled().is_ok());
        assert_eq!((after(None, None), after(None, Some(true))), (None, None));
        assert_eq!(after(None, Some(false)), Some(DisabledReason::Paused));
        for (reason, _) in DisabledReason::ALL {
            let was = Some(*reason);
            assert!(!webhook(was).is_enabled() && webhook(was).must_be_enabled().is_err(), "{reason}");
            assert_eq!(
                (after(was, None), after(was, Some(false)), after(was, Some(true))),
                (was, was, None),
                "{reason}"
            );
        }
    }

    #[test]
    fn what_a_patch_does_not_name_stays() {
        let was = webhook(None).details;
        assert_eq!(was.patched(&WebhookPatch::default()), was);
        let events = Some(vec![WebhookEvent(Action::WorkspaceUpdate)]);
        let patch = WebhookPatch { events: Some(events.clone()), description: Some(None), ..WebhookPatch::default() };
        assert_eq!(was.patched(&patch), WebhookDetails { events, description: None, ..was.clone() });
        let url: WebhookUrl = "https://example.com/other".parse().unwrap();
        let patch = WebhookPatch { url: Some(url.clone()), ..WebhookPatch::default() };
        assert_eq!(was.patched(&patch), WebhookDetails { url, ..was });
    }
}
