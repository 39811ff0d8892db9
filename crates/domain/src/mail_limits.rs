//! How much email a tenant may cause: whoever can invite chooses both the recipient and the words, so that without limits the
//! service would send anything to anybody.

use chrono::{DateTime, Duration, Utc};

use crate::{Cap, Conflict, Error, Limits, counted, whole_seconds};

/// The time over which emails are counted, in hours.
pub const MAIL_WINDOW_HOURS: i32 = 24;

/// How many emails may be caused, as the operator sets it for all tenants. A tenant's own [`Limits`] go before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailLimits {
    /// The least time between two emails of one invitation.
    pub interval: Duration,
    /// Emails of one tenant in [`MAIL_WINDOW_HOURS`].
    pub per_tenant: Cap,
    /// Emails of one tenant to one mailbox in [`MAIL_WINDOW_HOURS`], whatever invitations they belong to.
    pub per_recipient: Cap,
    /// Pending invitations of one tenant.
    pub pending_invitations: Cap,
}

impl Default for MailLimits {
    /// What is safe for a service that strangers may sign up to.
    fn default() -> Self {
        Self {
            interval: Duration::minutes(1),
            per_tenant: Cap::of(50),
            per_recipient: Cap::of(5),
            pending_invitations: Cap::of(500),
        }
    }
}

impl MailLimits {
    /// No limit in practice: the largest numbers there are.
    pub const fn lax() -> Self {
        let most = Cap::of(Cap::MAX);
        Self { interval: Duration::zero(), per_tenant: most, per_recipient: most, pending_invitations: most }
    }

    /// These limits for a tenant that has limits of its own.
    #[must_use]
    pub fn of_tenant(self, own: Limits) -> Self {
        Self {
            interval: self.interval,
            per_tenant: own.max_emails_per_day.unwrap_or(self.per_tenant),
            per_recipient: own.max_emails_per_recipient.unwrap_or(self.per_recipient),
            pending_invitations: own.max_pending_invitations.unwrap_or(self.pending_invitations),
        }
    }

    /// Refuses one more pending invitation of a tenant that has so many.
    ///
    /// # Errors
    ///
    /// `Conflict`.
    pub fn allow_pending(&self, pending: i64) -> Result<(), Error> {
        let cap = self.pending_invitations.get();
        if pending < i64::from(cap) {
            return Ok(());
        }
        let limit = counted(cap, "pending invitation");
        let message = format!(
            "This tenant has reached its limit of {limit}. It has {pending}. Revoke some, or wait until they are accepted or expire."
        );
        Err(Error::conflict(Conflict::LimitReached, message))
    }
}

/// Which limit on emails leaves no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailLimit {
    /// [`MailLimits::interval`].
    Interval,
    /// [`MailLimits::per_recipient`].
    Recipient(Cap),
    /// [`MailLimits::per_tenant`].
    Tenant(Cap),
}

impl MailLimit {
    /// The refusal of an email as of `now`, where there is room for one from then on; `None` where there never is.
    pub fn refusal(self, room_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Error {
        let wait = room_at.map(|at| (at - now).max(Duration::seconds(1)).to_std().unwrap_or_default());
        let when =
            wait.map_or_else(|| "No email can be sent.".to_owned(), |wait| format!("Try again in {}.", words(wait)));
        let limit = |cap: Cap| counted(cap.get(), "email");
        let (code, message) = match self {
            Self::Interval => {
                ("email_too_soon", format!("An email was sent for this invitation only just now. {when}"))
            }
            Self::Recipient(cap) => (
                "too_many_emails",
                format!("This tenant may send {} a day to one address, and has. {when}", limit(cap)),
            ),
            Self::Tenant(cap) => {
                ("too_many_emails", format!("This tenant may send {} a day, and has. {when}", limit(cap)))
            }
        };
        Error::TooMany { code, message, retry_after: wait }
    }
}

/// A time to wait, for people: never less than there is to wait.
fn words(wait: std::time::Duration) -> String {
    let seconds = whole_seconds(wait);
    match seconds {
        0..=120 => counted(seconds, "second"),
        121..=7_200 => counted(seconds.div_ceil(60), "minute"),
        _ => counted(seconds.div_ceil(3_600), "hour"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenants_own_limits_go_before_those_of_the_service() {
        let service = MailLimits::default();
        assert_eq!(service.of_tenant(Limits::default()), service);
        let none = Some(Cap::of(0));
        let own = Limits { max_emails_per_day: none, ..Limits::default() };
        assert_eq!(service.of_tenant(own), MailLimits { per_tenant: Cap::of(0), ..service });
        let own = Limits { max_emails_per_recipient: none, ..Limits::default() };
        assert_eq!(service.of_tenant(own), MailLimits { per_recipient: Cap::of(0), ..service });
        let own = Limits { max_pending_invitations: none, ..Limits::default() };
        assert_eq!(service.of_tenant(own), MailLimits { pending_invitations: Cap::of(0), ..service });
    }

    #[test]
    fn a_refusal_says_when_there_is_room_and_never_too_early() {
        let now: DateTime<Utc> = "2026-11-28T12:00:00Z".parse().unwrap();
        for (wait, said) in [
            (400, "1 second."),
            (60_001, "61 seconds."),
            (120_000, "120 seconds."),
            (121_000, "3 minutes."),
            (7_200_000, "120 minutes."),
            (7_201_000, "3 hours."),
            (86_400_000, "24 hours."),
            (86_401_000, "25 hours."),
        ] {
            let refused = MailLimit::Interval.refusal(Some(now + Duration::milliseconds(wait)), now);
            let Error::TooMany { message, retry_after: Some(after), .. } = refused else { panic!("{refused:?}") };
            assert!(message.ends_with(said), "{message}");
            assert!(after.as_millis() >= wait.unsigned_abs().into(), "{after:?}");
        }
        let past = MailLimit::Interval.refusal(Some(now - Duration::seconds(5)), now);
        let second = std::time::Duration::from_secs(1);
        assert!(matches!(past, Error::TooMany { retry_after: Some(after), .. } if after == second), "{past:?}");
        let never = MailLimit::Tenant(Cap::of(0)).refusal(None, now);
        assert!(matches!(never, Error::TooMany { retry_after: None, .. }), "{never:?}");
    }

    #[test]
    fn the_limits_are_low_unless_the_operator_says_otherwise() {
        let cautious = MailLimits {
            interval: Duration::minutes(1),
            per_tenant: Cap::of(50),
            per_recipient: Cap::of(5),
            pending_invitations: Cap::of(500),
        };
        assert_eq!(MailLimits::default(), cautious);
    }

    #[test]
    fn a_tenant_has_at_most_as_many_pending_invitations_as_it_may() {
        let limits = MailLimits { pending_invitations: Cap::of(2), ..MailLimits::default() };
        assert!(limits.allow_pending(0).is_ok() && limits.allow_pending(1).is_ok());
        for pending in [2, 3, i64::MAX] {
            let refused = limits.allow_pending(pending).unwrap_err();
            assert!(matches!(refused, Error::Conflict { code: Conflict::LimitReached, .. }), "{refused:?}");
        }
        assert!(MailLimits { pending_invitations: Cap::of(0), ..limits }.allow_pending(0).is_err());
        assert!(MailLimits::lax().allow_pending(i64::from(Cap::MAX) - 1).is_ok());
    }
}
