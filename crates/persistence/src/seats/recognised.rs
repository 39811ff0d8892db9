//! Which credentials the database has confirmed lately. Decides whose share of the seats a request uses and how many requests
//! its tenant may send, and never whether it is let in: that, the door asks the database every time.

use std::time::{Duration, Instant};

use quick_cache::sync::Cache;
use tenantry_domain::{Credential, CredentialId};

/// How long a credential is remembered after its last visit.
const MEMORY: Duration = Duration::from_secs(600);

/// How many credentials are remembered.
const CAPACITY: usize = 100_000;

pub(crate) struct Recognised(Cache<CredentialId, Instant>);

impl Recognised {
    pub(crate) fn new() -> Self {
        Self(Cache::new(CAPACITY))
    }

    pub(crate) fn knows(&self, credential: &Credential) -> bool {
        CredentialId::of(credential)
            .is_some_and(|id| self.0.get(&id).is_some_and(|confirmed| confirmed.elapsed() < MEMORY))
    }

    /// The database knows this credential.
    pub(crate) fn remember(&self, credential: &Credential) {
        if let Some(id) = CredentialId::of(credential) {
            self.0.insert(id, Instant::now());
        }
    }

    /// The database does not know it, or no longer.
    pub(crate) fn forget(&self, credential: &Credential) {
        if let Some(id) = CredentialId::of(credential) {
            self.0.remove(&id);
        }
    }
}
