//! Who may send at once: so many webhooks, of which one tenant has a quarter at most, and those that fail a half. So neither a tenant
//! with many webhooks nor receivers that are dead keep the others waiting.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tenantry_domain::TenantId;

/// The shares. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Shares {
    most: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    failing: usize,
    tenants: HashMap<TenantId, usize>,
}

/// What there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// Nothing of this tenant.
    None,
    /// A webhook that does not fail.
    Healthy,
    /// Any.
    Any,
}

/// A share, until it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    shares: Shares,
    tenant: TenantId,
    failing: bool,
}

impl Shares {
    pub(super) fn new(most: usize) -> Self {
        Self { most, taken: Arc::default() }
    }

    /// Whether all are taken.
    pub(super) fn are_taken(&self) -> bool {
        self.with(|taken| taken.all >= self.most)
    }

    pub(super) fn room(&self, tenant: TenantId) -> Room {
        self.with(|taken| {
            let theirs = taken.tenants.get(&tenant).copied().unwrap_or_default();
            if taken.all >= self.most || theirs >= (self.most / 4).max(1) {
                Room::None
            } else if taken.failing >= (self.most / 2).max(1) {
                Room::Healthy
            } else {
                Room::Any
            }
        })
    }

    pub(super) fn take(&self, tenant: TenantId, failing: bool) -> Share {
        self.with(|taken| {
            taken.all += 1;
            taken.failing += usize::from(failing);
            *taken.tenants.entry(tenant).or_default() += 1;
        });
        Share { shares: self.clone(), tenant, failing }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Taken) -> T) -> T {
        work(&mut self.taken.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let Self { tenant, failing, .. } = *self;
        self.shares.with(|taken| {
            taken.all -= 1;
            taken.failing -= usize::from(failing);
            match taken.tenants.get_mut(&tenant) {
                Some(theirs) if *theirs > 1 => *theirs -= 1,
                _ => drop(taken.tenants.remove(&tenant)),
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn nobody_takes_the_shares_of_others() {
        let (shares, tenant) = (Shares::new(8), |n| TenantId::from_uuid(Uuid::from_u128(n)));
        let two = [shares.take(tenant(1), true), shares.take(tenant(1), true)];
        assert_eq!((shares.room(tenant(1)), shares.room(tenant(2))), (Room::None, Room::Any));
        let failing = [shares.take(tenant(2), true), shares.take(tenant(3), true)];
        assert_eq!(shares.room(tenant(4)), Room::Healthy);
        drop(two);
        assert_eq!(shares.room(tenant(1)), Room::Any);
        drop(failing);
        let all: Vec<_> = (0..8).map(|n| shares.take(tenant(n), false)).collect();
        assert!(shares.are_taken() && shares.room(tenant(9)) == Room::None);
        drop(all);
        assert!(!shares.are_taken());
    }
}
