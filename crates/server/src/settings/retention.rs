//! How long is kept what is over.

use std::time::Duration;

use chrono::TimeDelta;
use tenantry_domain::Retention;

use super::{Faults, Reader};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A hundred years.
const LONGEST: Duration = DAY.saturating_mul(36_500);

/// The settings. Errors are added to `faults`.
pub(super) fn read(reader: &Reader, faults: &mut Faults) -> Retention {
    let safe = Retention::default();
    let mut kept = |name| {
        reader.parse(name, faults, |raw| {
            if raw == "forever" {
                return Ok(None);
            }
            let kept = humantime::parse_duration(raw).ok().filter(|kept| (DAY..=LONGEST).contains(kept));
            let kept = kept.and_then(|kept| TimeDelta::from_std(kept).ok());
            kept.map(Some).ok_or("must be a duration of 1day or longer, such as 90days, or forever")
        })
    };
    let (audit_events, outbox) = (kept("audit_retention"), kept("outbox_retention"));
    let (invitations, api_keys) = (kept("invitation_retention"), kept("api_key_retention"));
    let webhook_deliveries = kept("webhook_retention");
    let longest = || TimeDelta::from_std(LONGEST).unwrap_or(TimeDelta::MAX);
    let outbox = outbox.map(|outbox| outbox.unwrap_or_else(longest));
    let retention = Retention {
        audit_events: audit_events.unwrap_or(safe.audit_events),
        outbox: outbox.unwrap_or(safe.outbox),
        invitations: invitations.unwrap_or(safe.invitations),
        api_keys: api_keys.unwrap_or(safe.api_keys),
        webhook_deliveries: webhook_deliveries.map_or(safe.webhook_deliveries, |kept| kept.unwrap_or_else(longest)),
    };
    if retention.invitations.is_some_and(|invitations| invitations < retention.outbox) {
        let rule = "must not be shorter than TENANTRY_OUTBOX_RETENTION: the emails of an invitation are kept no longer than it";
        faults.of("invitation_retention", rule);
    }
    retention
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Values;

    fn retention(settings: &[(&str, &str)]) -> (Retention, Vec<String>) {
        let environment = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut faults = Faults::default();
        let retention = read(&Reader { environment, file: Values::new() }, &mut faults);
        (retention, faults.texts())
    }

    #[test]
    fn what_is_over_is_kept_as_long_as_the_settings_say() {
        assert_eq!(retention(&[]), (Retention::default(), Vec::new()));
        let (set, faults) = retention(&[("audit_retention", "2years"), ("api_key_retention", "forever")]);
        assert_eq!((set.audit_events, set.api_keys), (Some(TimeDelta::seconds(2 * 31_557_600)), None));
        assert_eq!(faults, Vec::<String>::new());
        for (name, value) in [("audit_retention", "1h"), ("outbox_retention", "0s"), ("api_key_retention", "never")] {
            let (_, faults) = retention(&[(name, value)]);
            assert!(faults.len() == 1 && faults[0].contains("or forever"), "{faults:?}");
        }
        let (_, faults) = retention(&[("invitation_retention", "10days")]);
        assert!(faults.len() == 1 && faults[0].contains("must not be shorter"), "{faults:?}");
        assert_eq!(
            retention(&[("invitation_retention", "10days"), ("outbox_retention", "10days")]).1,
            Vec::<String>::new()
        );
    }
}
