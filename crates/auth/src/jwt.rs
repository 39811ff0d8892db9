//! JWTs of trusted issuers (RFC 7519, RFC 8725), as access tokens: by whom they may be, for whom, of what form, and how long.
//!
//! `jsonwebtoken` is asked one question: does this signature hold for these bytes, under this key and this algorithm? All else
//! that a token says is read here, once and strictly, before anything in it is believed:
//!
//! - `token.rs`: at most 8 KiB, three parts, base64url to the letter, JSON objects without a member twice, nested 16 deep.
//! - `header.rs`: `alg` among the issuer's, a `typ` among those accepted, a plain `kid`; `crit`, `b64` and `zip` are refused. Keys and
//!   addresses of keys in a header (`jwk`, `jku`, `x5u`, `x5c` …) are never looked at.
//! - `claims.rs`: `iss`, `aud`, `sub` and `exp` must be there and be right; tokens made for another purpose are refused.
//! - `key.rs`, `key_set.rs`: a key belongs to one issuer and to one algorithm.
//! - `cache.rs`, `fetch.rs`: where the keys of an issuer come from, and when.

mod algorithm;
mod cache;
mod claims;
mod fetch;
#[cfg(test)]
mod fuzz;
mod header;
mod key;
mod key_set;
mod options;
mod strict_json;
mod token;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::{TenantId, TrustedFor};

pub use self::{
    algorithm::{Algorithm, UnknownAlgorithm},
    cache::{COOL_DOWN, MAX_AGE, MAX_WAIT, REFRESH_AFTER, STALE_AFTER},
    claims::{LEEWAY, MAX_LIFETIME},
    key::HmacSecret,
    options::{DEFAULT_TENANT_CLAIM, DEFAULT_TOKEN_TYPES, IssuerOptions, KeySource},
    token::MAX_TOKEN,
};
use self::{
    cache::KeyCache,
    claims::Claims,
    header::{Header, MediaType},
    key::Key,
    options::checked,
    token::Token,
};

/// The issuers whose tokens are accepted, with what is known of their keys. Cheap to clone; all clones share the keys.
#[derive(Debug, Clone, Default)]
pub struct Issuers(Arc<[Issuer]>);

/// A token that holds, reduced to what it proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedToken {
    /// `iss`. A subject is somebody only together with its issuer.
    pub issuer: String,
    /// `sub`: 1 to 255 characters, none of them a control character.
    pub subject: String,
    /// The tenant claim, if the token has one.
    pub tenant: Option<TenantId>,
    /// `email`, if the issuer says that it verified it (`email_verified` is `true`).
    pub email: Option<String>,
    /// For which tenants the issuer is trusted; the one in the claim is among them.
    pub trusted_for: TrustedFor,
    /// `exp`. The token is accepted until [`LEEWAY`] after it.
    pub expires_at: DateTime<Utc>,
}

/// Why a token was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It does not hold, for a reason that is meant for the log: it says nothing of the token, and the caller is not told.
    #[error("{0}")]
    Invalid(&'static str),
    /// It may hold: the keys of its issuer were never obtained, or the last time is longer ago than [`MAX_AGE`].
    #[error("the issuer's keys are not available")]
    NoKeys,
}

impl From<&'static str> for Refused {
    fn from(reason: &'static str) -> Self {
        Self::Invalid(reason)
    }
}

/// How an issuer stands, for readiness and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerState {
    /// `iss`.
    pub issuer: String,
    /// The keys that can be verified with now; 0 when they are too old, were never obtained, or none is usable.
    pub usable_keys: usize,
    /// How long ago the keys were last obtained; `None` for a secret, and while they never were.
    pub age: Option<TimeDelta>,
    /// Whether the last attempt to obtain them failed.
    pub failing: bool,
    /// How often they were obtained.
    pub fetched: u64,
    /// How often that failed.
    pub failed: u64,
}

#[derive(Debug)]
struct Issuer {
    name: String,
    audience: Vec<String>,
    algorithms: Vec<Algorithm>,
    tenant_claim: String,
    token_types: Vec<MediaType>,
    trusted_for: TrustedFor,
    keys: Keys,
}

#[derive(Debug)]
enum Keys {
    /// Has no name: `kid` is not compared.
    Secret(Arc<Key>),
    Published(Arc<KeyCache>),
}

impl Issuers {
    /// No issuer: every token is refused.
    pub fn none() -> Self {
        Self::default()
    }

    /// Trusts these issuers. Obtains no keys yet; [`Issuers::refresh`] does, and else the first token.
    ///
    /// # Errors
    ///
    /// All that is wrong with the options, each a sentence for an operator that names the issuer and shows no secret.
    pub fn new(options: Vec<IssuerOptions>) -> Result<Self, Vec<String>> {
        checked(options).map(|issuers| Self(issuers.into()))
    }

    /// Whether any issuer is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Verifies a token as of `now`. Waits for the issuer's keys if it must, for at most [`MAX_WAIT`]. Needs a Tokio runtime.
    ///
    /// # Errors
    ///
    /// [`Refused`].
    pub async fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<VerifiedToken, Refused> {
        let token = Token::read(token)?;
        let name = claims::issuer(&token.payload)?;
        let issuer = self.0.iter().find(|issuer| issuer.name == name).ok_or("iss is not a trusted issuer")?;
        let header = Header::read(&token.header, &issuer.algorithms, &issuer.token_types)?;
        let claims = Claims::read(&token.payload, &issuer.audience, &issuer.tenant_claim, now)?;
        let key = match &issuer.keys {
            Keys::Secret(key) => Arc::clone(key),
            Keys::Published(keys) => keys.find(header.algorithm, header.kid, now).await?,
        };
        if !key.holds(header.algorithm, token.message, token.signature) {
            return Err(Refused::Invalid("the signature is not valid"));
        }
        if claims.tenant.is_some_and(|tenant| !issuer.trusted_for.includes(tenant)) {
            return Err(Refused::Invalid("its issuer is not trusted for this tenant"));
        }
        Ok(VerifiedToken {
            issuer: issuer.name.clone(),
            subject: claims.subject.to_owned(),
            tenant: claims.tenant,
            email: claims.email.map(str::to_owned),
            trusted_for: issuer.trusted_for.clone(),
            expires_at: claims.expires_at,
        })
    }

    /// Obtains the keys of every issuer that has none or whose keys are older than [`REFRESH_AFTER`], all at once, and waits for
    /// the outcomes; failures are logged and found in [`Issuers::states`]. For the start, and to be called every minute or so.
    pub async fn refresh(&self, now: DateTime<Utc>) {
        let due: Vec<_> = self.caches().filter_map(|cache| cache.refresh_if_due(now)).collect();
        for outcome in due {
            outcome.wait(fetch::TIMEOUT).await;
        }
    }

    /// How each issuer stands as of `now`, in the order of the options.
    pub fn states(&self, now: DateTime<Utc>) -> Vec<IssuerState> {
        let state = |issuer: &Issuer| match &issuer.keys {
            Keys::Published(cache) => cache.state_of(&issuer.name, now),
            Keys::Secret(_) => IssuerState {
                issuer: issuer.name.clone(),
                usable_keys: 1,
                age: None,
                failing: false,
                fetched: 0,
                failed: 0,
            },
        };
        self.0.iter().map(state).collect()
    }

    fn caches(&self) -> impl Iterator<Item = &Arc<KeyCache>> {
        self.0.iter().filter_map(|issuer| match &issuer.keys {
            Keys::Published(cache) => Some(cache),
            Keys::Secret(_) => None,
        })
    }
}
