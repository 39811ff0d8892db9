//! How events are sent to webhooks.

use std::time::Duration;

use tenantry_domain::Destinations;
use tenantry_http::TrustedProxies;

use super::{Faults, Reader, reader::listed};

/// How this process sends events.
#[derive(Debug, Clone, Default)]
pub(crate) struct WebhookSettings {
    /// How many webhooks are sent to at once; 0 for a process that sends nothing.
    pub(crate) workers: usize,
    pub(crate) poll: Duration,
    pub(crate) destinations: Destinations,
}

/// The settings. Errors are added to `faults`.
pub(super) fn read(reader: &Reader, faults: &mut Faults) -> WebhookSettings {
    let allowed = reader.parse("webhook_allowed_networks", faults, |raw| {
        listed(raw).map(TrustedProxies::network).collect::<Result<Vec<_>, _>>()
    });
    let workers = reader.parse("webhook_workers", faults, |raw| match raw.parse() {
        Ok(n @ 0..=256) => Ok(n),
        _ => Err("must be a whole number from 0 to 256"),
    });
    let poll = reader.duration("webhook_poll", Duration::from_millis(100)..=Duration::from_secs(3_600), faults);
    WebhookSettings {
        workers: workers.unwrap_or_default(),
        poll: poll.unwrap_or_default(),
        destinations: Destinations::with(allowed.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Values;

    fn webhooks(settings: &[(&str, &str)]) -> (WebhookSettings, Vec<String>) {
        let environment = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut faults = Faults::default();
        let webhooks = read(&Reader { environment, file: Values::new() }, &mut faults);
        (webhooks, faults.texts())
    }

    #[test]
    fn by_default_only_public_addresses_are_sent_to() {
        let (webhooks, faults) = webhooks(&[]);
        assert_eq!((webhooks.workers, webhooks.poll, faults), (32, Duration::from_secs(5), Vec::<String>::new()));
        assert_eq!(webhooks.destinations, Destinations::default());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let (set, faults) = webhooks(&[("webhook_allowed_networks", "10.0.0.0/8, ::1"), ("webhook_workers", "0")]);
        assert_eq!((set.workers, faults), (0, Vec::<String>::new()));
        assert!(set.destinations.allows("10.1.2.3".parse().unwrap()));
        for (name, value) in
            [("webhook_allowed_networks", "10.0.0.1/8"), ("webhook_workers", "257"), ("webhook_poll", "1ms")]
        {
            let (_, faults) = webhooks(&[(name, value)]);
            assert!(faults.len() == 1 && faults[0].contains(&name.to_uppercase()), "{name}: {faults:?}");
        }
    }
}
