//! How long is kept what is over, as the operator sets it.

use chrono::TimeDelta;

/// For how long after its end something is kept; `None` is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Events of the audit log, from when they happened.
    pub audit_events: Option<TimeDelta>,
    /// Messages of the outbox that are not pending, and tokens of invitations that ended. Never shorter than emails count against
    /// the limits on them.
    pub outbox: TimeDelta,
    /// Invitations that were accepted or revoked or have expired.
    pub invitations: Option<TimeDelta>,
    /// API keys that were revoked or have expired.
    pub api_keys: Option<TimeDelta>,
    /// Deliveries to webhooks that are not pending.
    pub webhook_deliveries: TimeDelta,
}

impl Default for Retention {
    /// The audit log for ever, messages and deliveries for 30 days, and the rest for a year.
    fn default() -> Self {
        let year = TimeDelta::days(365);
        let month = TimeDelta::days(30);
        Self {
            audit_events: None,
            outbox: month,
            invitations: Some(year),
            api_keys: Some(year),
            webhook_deliveries: month,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_erased_early_unless_the_operator_says_so() {
        let (month, year) = (TimeDelta::days(30), Some(TimeDelta::days(365)));
        let Retention { audit_events, outbox, invitations, api_keys, webhook_deliveries } = Retention::default();
        assert_eq!((audit_events, invitations, api_keys), (None, year, year));
        assert_eq!((outbox, webhook_deliveries), (month, month));
    }
}
