//! How often a tenant may have its integrations verified: each time is a request to somebody else, with whatever credential the
//! caller has set.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use quick_cache::unsync::Cache;
use tenantry_domain::{Error, TenantId, counted, whole_seconds};

/// How many verifications a tenant may have at once; one more every [`PACE`].
pub const AT_ONCE: i32 = 30;

/// How long it takes until a tenant may have one more.
pub const PACE: TimeDelta = TimeDelta::seconds(2);

/// Tenants that are remembered. One that is forgotten starts again.
const MAX_TENANTS: usize = 10_000;

/// The pace of each tenant, in this process.
#[derive(Clone)]
pub(super) struct Paces(Arc<Mutex<Cache<TenantId, DateTime<Utc>>>>);

impl Paces {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Cache::new(MAX_TENANTS))))
    }

    /// Lets the tenant have one, unless it has had too many.
    ///
    /// # Errors
    ///
    /// `TooMany`.
    pub(super) fn take(&self, tenant: TenantId, now: DateTime<Utc>) -> Result<(), Error> {
        let mut paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // When all that the tenant has had is paid off. A clock that was set back must not make it wait longer than all of them.
        let paid_off = paces.get(&tenant).map_or(now, |at| (*at).clamp(now, now + PACE * AT_ONCE));
        let wait = paid_off + PACE - (now + PACE * AT_ONCE);
        if wait > TimeDelta::zero() {
            paces.insert(tenant, paid_off);
            return Err(too_many(wait));
        }
        paces.insert(tenant, paid_off + PACE);
        Ok(())
    }
}

fn too_many(wait: TimeDelta) -> Error {
    let seconds = whole_seconds(wait.to_std().unwrap_or_default());
    let message =
        format!("This tenant has verified many integrations just now. Try again in {}.", counted(seconds, "second"));
    Error::TooMany { code: "too_many_verifications", message, retry_after: Some(Duration::from_secs(seconds)) }
}

/// The refusal, for the document.
pub fn example() -> Error {
    too_many(PACE)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_tenant_may_have_so_many_at_once_and_then_one_at_a_time_and_others_do_not_wait_for_it() {
        let (paces, start) = (Paces::new(), DateTime::UNIX_EPOCH);
        let [one, other] = [1, 2].map(|n| TenantId::from_uuid(Uuid::from_u128(n)));
        assert!((0..AT_ONCE).all(|_| paces.take(one, start).is_ok()));
        let refused = paces.take(one, start);
        let Err(Error::TooMany { retry_after, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!(retry_after, Some(Duration::from_secs(2)));
        assert!(paces.take(other, start).is_ok());
        assert!(paces.take(one, start + PACE).is_ok() && paces.take(one, start + PACE).is_err());
        let later = start + PACE * (AT_ONCE + 1);
        assert!((0..AT_ONCE).all(|_| paces.take(one, later).is_ok()) && paces.take(one, later).is_err());
        // The clock was set back by a day.
        assert!(paces.take(one, later - TimeDelta::days(1) + PACE).is_err());
        assert!(paces.take(one, later - TimeDelta::days(1) + PACE * 2).is_ok());
    }
}
