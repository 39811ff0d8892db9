//! How many requests a credential, a tenant or an address may send, and the headers that say so
//! (draft-ietf-httpapi-ratelimit-headers). Counts those of this process alone.
//!
//! Nothing here is asked of the database.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use actix_web::{
    HttpMessage, HttpRequest,
    dev::ServiceResponse,
    http::header::{HeaderName, HeaderValue},
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::{InMemoryState, NotKeyed},
};
use quick_cache::sync::Cache;
use tenantry_domain::{Credential, CredentialId, RequestRate, TenantId, counted, network, whole_seconds};
use tenantry_operations::Lately;

use crate::{error::Failure, metrics::Metrics};

/// What of whom is counted; a word of the headers and of the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    Credential,
    Tenant,
    Address,
}

impl Policy {
    pub(crate) const ALL: [Self; 3] = [Self::Credential, Self::Tenant, Self::Address];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Tenant => "tenant",
            Self::Address => "address",
        }
    }
}

/// How many requests each may send; `None` is as many as they like.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rates {
    /// One credential of a tenant.
    pub credential: Option<RequestRate>,
    /// One service key.
    pub service: Option<RequestRate>,
    /// One address, without a credential that the database has confirmed lately.
    pub address: Option<RequestRate>,
}

/// A request that came too early.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exceeded {
    pub(crate) policy: Policy,
    pub(crate) wait: Duration,
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = match self.policy {
            Policy::Credential => "This credential has sent too many requests",
            Policy::Tenant => "Your tenant has sent too many requests",
            Policy::Address => "Too many requests without a known credential came from your address",
        };
        write!(f, "{whose}. Try again in {}.", counted(whole_seconds(self.wait), "second"))
    }
}

type Bucket = RateLimiter<NotKeyed, InMemoryState, DefaultClock, StateInformationMiddleware>;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Credential(CredentialId),
    Tenant(TenantId),
    /// By the start of the hash of its key.
    Service(String),
    Address(Option<IpAddr>),
}

/// How many buckets are kept. One that was forgotten starts full.
const CAPACITY: usize = 50_000;

/// The counts.
pub(crate) struct Limiter {
    rates: Rates,
    buckets: Cache<Key, Arc<(RequestRate, Bucket)>>,
    clock: DefaultClock,
}

impl Limiter {
    pub(crate) fn new(rates: Rates) -> Self {
        Self { rates, buckets: Cache::new(CAPACITY), clock: DefaultClock::default() }
    }

    /// Counts a request with this credential. `known` is what the last visit of the
    /// credential has told, if there was one lately. What is left is told with
    /// the answer.
    pub(crate) fn admit(
        &self,
        request: &HttpRequest,
        metrics: &Metrics,
        credential: &Credential,
        known: Option<Lately>,
    ) -> Result<(), Failure> {
        let Some(id) = CredentialId::of(credential) else { return Ok(()) };
        if known.is_none() {
            self.admit_stranger(request, metrics)?;
        }
        let tenant = Key::Tenant(id.tenant());
        let limits = [
            (Policy::Credential, Key::Credential(id), self.rates.credential),
            (Policy::Tenant, tenant, known.and_then(|known| known.rate)),
        ];
        for (policy, key, rate) in limits {
            if let Some(rate) = rate {
                let left = self.count(policy, key, rate);
                tell(request, &left);
                left.granted(metrics)?;
            }
        }
        Ok(())
    }

    /// Counts a request of a service, by the start of the hash of its key. Whom it asks about is not counted.
    pub(crate) fn admit_service(&self, request: &HttpRequest, metrics: &Metrics, key: String) -> Result<(), Failure> {
        let Some(rate) = self.rates.service else { return Ok(()) };
        let left = self.count(Policy::Credential, Key::Service(key), rate);
        tell(request, &left);
        left.granted(metrics)
    }

    /// Counts a request without a credential that is known. What is left is not told: others may share the address.
    pub(crate) fn admit_stranger(&self, request: &HttpRequest, metrics: &Metrics) -> Result<(), Failure> {
        let Some(rate) = self.rates.address else { return Ok(()) };
        let address = request.peer_addr().map(|address| network(address.ip()));
        let left = self.count(Policy::Address, Key::Address(address), rate);
        if left.refused.is_some() {
            tell(request, &left);
        }
        left.granted(metrics)
    }

    fn count(&self, policy: Policy, key: Key, rate: RequestRate) -> Left {
        let bucket = self.bucket(key, rate);
        let (remaining, refused) = match bucket.1.check() {
            Ok(state) => (state.remaining_burst_capacity(), None),
            Err(early) => (0, Some(early.wait_time_from(self.clock.now()))),
        };
        Left { policy, rate, remaining, refused }
    }

    /// The bucket; a new one after the rate has changed.
    fn bucket(&self, key: Key, rate: RequestRate) -> Arc<(RequestRate, Bucket)> {
        if let Some(bucket) = self.buckets.get(&key).filter(|bucket| bucket.0 == rate) {
            return bucket;
        }
        let quota = Quota::per_second(rate.per_second.non_zero()).allow_burst(rate.burst.non_zero());
        let bucket = Arc::new((rate, RateLimiter::direct(quota).with_middleware()));
        self.buckets.insert(key, Arc::clone(&bucket));
        bucket
    }
}

/// What is left after a request was counted.
#[derive(Debug, Clone, Copy)]
struct Left {
    policy: Policy,
    rate: RequestRate,
    remaining: u32,
    refused: Option<Duration>,
}

impl Left {
    fn granted(self, metrics: &Metrics) -> Result<(), Failure> {
        let Some(wait) = self.refused else { return Ok(()) };
        metrics.limited(self.policy);
        Err(Failure::Exceeded(Exceeded { policy: self.policy, wait }))
    }

    /// The burst, and the time in which it comes back.
    fn quota(self) -> String {
        let RequestRate { per_second, burst } = self.rate;
        format!(
            "\"{}\";q={burst};w={}",
            self.policy.as_str(),
            burst.get().div_ceil(per_second.get()),
            burst = burst.get()
        )
    }

    /// What is left of it, and the time until it is whole again; until one request is there, if nothing is.
    fn state(self) -> String {
        let RequestRate { per_second, burst } = self.rate;
        let whole = u64::from((burst.get() - self.remaining.min(burst.get())).div_ceil(per_second.get()));
        let reset = self.refused.map_or(whole, whole_seconds);
        format!("\"{}\";r={};t={reset}", self.policy.as_str(), self.remaining)
    }
}

/// What the answer will tell.
#[derive(Default)]
struct Told(Vec<Left>);

fn tell(request: &HttpRequest, left: &Left) {
    let mut extensions = request.extensions_mut();
    if let Some(Told(told)) = extensions.get_mut::<Told>() {
        return told.push(*left);
    }
    extensions.insert(Told(vec![*left]));
}

/// Says in the answer what is left.
pub(crate) fn announce<B>(response: &mut ServiceResponse<B>) {
    let Some(Told(told)) = response.request().extensions_mut().remove::<Told>() else { return };
    for (name, part) in [(POLICY, Left::quota as fn(Left) -> String), (LIMIT, Left::state)] {
        let items: Vec<_> = told.iter().copied().map(part).collect();
        if let Ok(value) = HeaderValue::from_str(&items.join(", ")) {
            response.headers_mut().insert(name, value);
        }
    }
}

pub(crate) const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
pub(crate) const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
