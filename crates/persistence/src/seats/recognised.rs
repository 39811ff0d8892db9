//! Which credentials the database has confirmed lately. Decides whose share of the seats a request uses and how many requests
//! its tenant may send, and never whether it is let in: that, the door asks the database every time.

use std::time::{Duration, Instant};

use quick_cache::sync::Cache;
use tenantry_domain::{Credential, CredentialId, RequestRate};

/// How long a credential is remembered after its last visit.
const MEMORY: Duration = Duration::from_secs(600);

/// How many credentials are remembered.
const CAPACITY: usize = 100_000;

pub(crate) struct Recognised(Cache<CredentialId, (Instant, Lately)>);

/// What the last visit of a credential has told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lately {
    /// How many requests the platform lets its tenant send.
    pub rate: Option<RequestRate>,
}

impl Recognised {
    pub(crate) fn new() -> Self {
        Self(Cache::new(CAPACITY))
    }

    /// What is known of the credential, if the database has confirmed it lately.
    pub(crate) fn lately(&self, credential: &Credential) -> Option<Lately> {
        let (confirmed, lately) = self.0.get(&CredentialId::of(credential)?)?;
        (confirmed.elapsed() < MEMORY).then_some(lately)
    }

    /// The database knows this credential.
    pub(crate) fn remember(&self, credential: &Credential, lately: Lately) {
        if let Some(id) = CredentialId::of(credential) {
            self.0.insert(id, (Instant::now(), lately));
        }
    }

    /// The database does not know it, or no longer.
    pub(crate) fn forget(&self, credential: &Credential) {
        if let Some(id) = CredentialId::of(credential) {
            self.0.remove(&id);
        }
    }
}
