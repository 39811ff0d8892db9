//! How long to wait, as people and headers say it.

use std::time::Duration;

/// A time to wait in whole seconds: never less than there is to wait, and at least one.
pub fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_never_said_to_be_shorter_than_it_is() {
        let nanos = [(0, 1), (1, 1), (999_999_999, 1), (1_000_000_000, 1), (1_000_000_001, 2), (29_001_000_000, 30)];
        for (wait, seconds) in nanos {
            assert_eq!(whole_seconds(Duration::from_nanos(wait)), seconds, "{wait} ns");
        }
        assert_eq!(whole_seconds(Duration::MAX), u64::MAX);
    }
}
