//! JWTs of trusted issuers (RFC 7519, RFC 8725), as access tokens: by whom they may be, for whom, of what form, and how long.
//!
//! `jsonwebtoken` is asked one question: does this signature hold for these bytes, under this key and this algorithm? All else
//! that a token says is read here, once and strictly, before anything in it is believed:
//!
//! - `token.rs`: at most 16 KiB, three parts, base64url to the letter, JSON objects without a member twice, nested 16 deep.
//! - `header.rs`: `alg` among the issuer's, a `typ` among those accepted, a plain `kid`; `crit`, `b64` and `zip` are refused. Keys and
//!   addresses of keys in a header (`jwk`, `jku`, `x5u`, `x5c` …) are never looked at.
//! - `name.rs`: `iss` is that of a trusted issuer.
//! - `claims.rs`: `aud`, `sub` and `exp` must be there and be right, or what stands for them in the issuer's tokens; tokens made for
//!   another purpose are refused.
//! - `key.rs`, `key_set.rs`: a key belongs to one issuer and to one algorithm.
//! - `source.rs`, `cache.rs`, `fetch.rs`: where the keys of an issuer come from, and when.

mod algorithm;
mod cache;
mod claim_name;
mod claims;
mod fetch;
#[cfg(test)]
mod fuzz;
mod header;
mod key;
mod key_set;
mod name;
mod options;
mod shown;
mod source;
mod strict_json;
mod token;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};
use tenantry_domain::{NoEmail, TenantId, TrustedFor};

pub use self::{
    algorithm::{Algorithm, UnknownAlgorithm},
    cache::{COOL_DOWN, MAX_AGE, MAX_WAIT, REFRESH_AFTER, STALE_AFTER},
    claims::{LEEWAY, MAX_LIFETIME},
    key::HmacSecret,
    name::UnknownIssuer,
    options::{
        AUDIENCE_CLAIMS, ClaimOptions, DEFAULT_TENANT_CLAIM, DEFAULT_TOKEN_TYPES, EmailVerified, IssuerOptions,
        KeySource, Transport,
    },
    token::MAX_TOKEN,
};
use self::{
    cache::KeyCache,
    claims::{Claims, Reading},
    header::{Header, MediaType},
    key::Key,
    name::IssuerName,
    options::checked,
    token::Token,
};

/// The issuers whose tokens are accepted, with what is known of their keys. Cheap to clone; all clones share the keys.
#[derive(Debug, Clone, Default)]
pub struct Issuers(Arc<[Issuer]>);

/// A token that holds, reduced to what it proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedToken {
    /// `iss`, as the token has it. A subject is somebody only together with its issuer.
    pub issuer: String,
    /// `sub`, or the claim that stands for it: 1 to 255 characters, none of them a control character.
    pub subject: String,
    /// The tenant claim, if the token has one.
    pub tenant: Option<TenantId>,
    /// The address, if the issuer says that it verified it, or is known to; else why there is none.
    pub email: Result<String, NoEmail>,
    /// For which tenants the issuer is trusted; the one in the claim is among them.
    pub trusted_for: TrustedFor,
    /// `exp`. The token is accepted until [`LEEWAY`] after it.
    pub expires_at: DateTime<Utc>,
}

/// Why a token was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It does not hold, for a reason that is meant for the log: it says nothing of the token, and the caller is not told.
    #[error("{0}")]
    Invalid(&'static str),
    /// It is of somebody else. Which of the names that are trusted it is almost, is for the log too.
    #[error("iss is not a trusted issuer")]
    UnknownIssuer(UnknownIssuer),
    /// It has more than [`MAX_TOKEN`] bytes and was not read. This is told the caller, who cannot see it otherwise.
    #[error("the token is longer than {MAX_TOKEN} bytes")]
    TooLong,
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
    name: IssuerName,
    algorithms: Vec<Algorithm>,
    reading: Reading,
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
        if token.len() > MAX_TOKEN {
            return Err(Refused::TooLong);
        }
        let token = Token::read(token)?;
        let name = claims::issuer(&token.payload)?;
        let issuer = self.named(name, &token.payload)?;
        let header = Header::read(&token.header, &issuer.algorithms, &issuer.token_types)?;
        let directory = issuer.name.directory(&token.payload)?;
        let claims = Claims::read(&token.payload, &issuer.reading, now)?;
        let key = match &issuer.keys {
            Keys::Secret(key) => Arc::clone(key),
            Keys::Published(keys) => keys.find(header.algorithm, header.kid, now).await?,
        };
        if directory.is_some_and(|directory| !key.is_for(directory)) {
            return Err(Refused::Invalid("the key with this kid is for another directory"));
        }
        if !key.holds(header.algorithm, token.message, token.signature) {
            return Err(Refused::Invalid("the signature is not valid"));
        }
        if claims.tenant.is_some_and(|tenant| !issuer.trusted_for.includes(tenant)) {
            return Err(Refused::Invalid("its issuer is not trusted for this tenant"));
        }
        Ok(VerifiedToken {
            issuer: name.to_owned(),
            subject: claims.subject.to_owned(),
            tenant: claims.tenant,
            email: claims.email.map(str::to_owned),
            trusted_for: issuer.trusted_for.clone(),
            expires_at: claims.expires_at,
        })
    }

    /// The issuer with this name. One that is named to the letter goes before one that stands for many.
    fn named(&self, name: &str, payload: &Map<String, Value>) -> Result<&Issuer, Refused> {
        let of_kind = |template: bool| {
            self.0.iter().find(|issuer| issuer.name.is_template() == template && issuer.name.is(name, payload))
        };
        of_kind(false).or_else(|| of_kind(true)).ok_or_else(|| {
            Refused::UnknownIssuer(UnknownIssuer::new(name, payload, self.0.iter().map(|issuer| &issuer.name)))
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
            Keys::Published(cache) => cache.state_of(issuer.name.as_str(), now),
            Keys::Secret(_) => IssuerState {
                issuer: issuer.name.as_str().to_owned(),
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
