//! What every handler shares: the data, whom the service trusts, what integrations need, and figures.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tenantry_auth::{PlatformKeys, ServiceKeys, jwt::Issuers, seal::MasterKeys};
use tenantry_operations::{
    Observed, Store, Unready,
    providers::{Catalogue, Providers},
    webhooks::Webhooks,
};

use crate::{docs::Documents, front::Front, metrics::Metrics, rate::Limiter, readers::Readers};

/// Whom the service trusts besides the tenants' own keys.
#[derive(Clone, Default)]
pub struct Trust {
    /// The keys of the platform.
    pub platform: PlatformKeys,
    /// The keys of services that ask about credentials.
    pub services: ServiceKeys,
    /// The issuers of access tokens.
    pub issuers: Issuers,
}

/// What integrations need besides the data.
#[derive(Clone)]
pub struct Integrations {
    /// The keys that their secrets are sealed under.
    pub keys: MasterKeys,
    /// The way to the providers.
    pub providers: Providers,
    /// What they were asked for, and answered.
    pub catalogue: Catalogue,
    /// Where events are sent, and how that goes.
    pub webhooks: Webhooks,
}

/// What every handler shares.
pub(crate) struct Service {
    pub(crate) store: Store,
    pub(crate) trust: Trust,
    pub(crate) integrations: Integrations,
    pub(crate) metrics: Metrics,
    pub(crate) observed: Observed,
    pub(crate) limiter: Limiter,
    pub(crate) closing: Closing,
    pub(crate) readers: Readers,
    pub(crate) documents: Documents,
    pub(crate) front: Front,
    /// How long the answer to an introspection may be kept.
    pub(crate) introspection_max_age: Duration,
}

impl Service {
    /// Whether requests can be answered.
    pub(crate) async fn ready(&self) -> Result<(), Unready> {
        if self.closing.is_announced() {
            let cause = "the service is shutting down".to_owned();
            return Err(Unready { sentence: "The service is shutting down.", cause });
        }
        self.store.ready().await
    }
}

/// Lets the service say that it is not ready before it stops listening, so that a load balancer looks elsewhere first and clients
/// connect anew.
#[derive(Clone, Default)]
pub struct Closing(Arc<AtomicBool>);

impl Closing {
    /// From now on `/readyz` answers 503, and every answer ends its connection.
    pub fn announce(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_announced(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
