//! Which issuers are trusted, and what of theirs: as the settings describe it, checked all at once.

use std::{collections::HashSet, sync::Arc};

use tenantry_domain::{TrustedFor, service_url};

use super::{
    Issuer, Keys,
    algorithm::Algorithm,
    cache::KeyCache,
    fetch,
    header::MediaType,
    key::{HmacSecret, Key},
};

/// The claim that names the tenant, unless another is configured.
pub const DEFAULT_TENANT_CLAIM: &str = "tenant_id";

/// The types of token that are accepted, unless others are configured.
pub const DEFAULT_TOKEN_TYPES: [&str; 2] = ["at+jwt", "JWT"];

/// Claims with a meaning of their own, which therefore cannot name the tenant.
const TAKEN_CLAIMS: [&str; 9] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "email", "email_verified"];

/// A trusted issuer.
#[derive(Debug, Clone)]
pub struct IssuerOptions {
    /// `iss` of its tokens, to the letter.
    pub issuer: String,
    /// What its tokens may name in `aud`; at least one, and each is accepted. Must stand for this service alone: a client's id
    /// would let that client's ID tokens in.
    pub audience: Vec<String>,
    /// The algorithms it signs with, at least one.
    pub algorithms: Vec<Algorithm>,
    /// Where its keys are.
    pub keys: KeySource,
    /// The claim with the tenant's id; [`DEFAULT_TENANT_CLAIM`].
    pub tenant_claim: String,
    /// What its tokens may say in `typ`; [`DEFAULT_TOKEN_TYPES`]. Compared as media types: in any case, with or without `application/`.
    /// A token without `typ` counts as `JWT` (RFC 7519, section 5.1).
    pub token_types: Vec<String>,
    /// For which tenants its tokens are good.
    pub trusted_for: TrustedFor,
}

/// Where the keys of an issuer are.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// At this address, as a JWK Set: `https`, or `http` on this machine.
    JwksUrl(String),
    /// A secret shared with it, for HS256 alone.
    HmacSecret(HmacSecret),
}

/// The issuers that these options describe.
///
/// # Errors
///
/// All faults, each a sentence.
pub(crate) fn checked(options: Vec<IssuerOptions>) -> Result<Vec<Issuer>, Vec<String>> {
    let (mut faults, mut names, mut issuers) = (Vec::new(), HashSet::new(), Vec::new());
    for one in options {
        let mut wrong = faults_of(&one);
        if !names.insert(one.issuer.clone()) {
            wrong.push("it is configured twice".to_owned());
        }
        let name = one.issuer.clone();
        match key_source(&one) {
            Ok(keys) => issuers.push(issuer(one, keys)),
            Err(fault) => wrong.push(fault),
        }
        faults.extend(wrong.into_iter().map(|fault| format!("The issuer {name:?}: {fault}.")));
    }
    if faults.is_empty() { Ok(issuers) } else { Err(faults) }
}

fn faults_of(options: &IssuerOptions) -> Vec<String> {
    let IssuerOptions { issuer, audience, algorithms, tenant_claim, token_types, trusted_for, .. } = options;
    let plain = |text: &str| !text.is_empty() && !text.chars().any(|c| c.is_control() || c.is_whitespace());
    let hs256 = algorithms.contains(&Algorithm::Hs256);
    let shared = matches!(options.keys, KeySource::HmacSecret(_));
    let rules = [
        (plain(issuer), "its name must not be empty or contain spaces"),
        (!audience.is_empty(), "it needs at least one audience"),
        (audience.iter().all(|one| plain(one)), "an audience must not be empty or contain spaces"),
        (!algorithms.is_empty(), "it needs at least one algorithm"),
        (shared || !hs256, "HS256 needs a secret; it cannot use a JWKS URL"),
        (!shared || algorithms.iter().all(|one| *one == Algorithm::Hs256), "a secret can be used with HS256 only"),
        (plain(tenant_claim), "the tenant claim must not be empty or contain spaces"),
        (
            !TAKEN_CLAIMS.contains(&tenant_claim.as_str()),
            "the tenant claim must not be a standard claim such as sub or aud",
        ),
        (!trusted_for.is_nobody(), "its list of tenants is empty: leave tenants out to trust it for all of them"),
        (!token_types.is_empty(), "it needs at least one token type"),
        (token_types.iter().all(|one| plain(one)), "a token type must not be empty or contain spaces"),
    ];
    rules.into_iter().filter(|(holds, _)| !holds).map(|(_, fault)| fault.to_owned()).collect()
}

fn key_source(options: &IssuerOptions) -> Result<Keys, String> {
    match &options.keys {
        KeySource::JwksUrl(text) => {
            let url = service_url(text).map_err(|fault| format!("the JWKS URL {fault}"))?;
            // Only for those who need it: it does not come about on a machine without certificates.
            let client = fetch::client().map_err(|cause| format!("its keys cannot be fetched: {cause}"))?;
            let cache = KeyCache::new(options.issuer.clone(), options.algorithms.clone(), client, url);
            Ok(Keys::Published(Arc::new(cache)))
        }
        KeySource::HmacSecret(secret) => match secret.weakness() {
            Some(weakness) => {
                Err(format!("the secret {weakness}: use 32 random bytes, such as the output of `openssl rand -hex 32`"))
            }
            None => Ok(Keys::Secret(Arc::new(Key::secret(secret)))),
        },
    }
}

fn issuer(options: IssuerOptions, keys: Keys) -> Issuer {
    Issuer {
        name: options.issuer,
        audience: options.audience,
        algorithms: options.algorithms,
        tenant_claim: options.tenant_claim,
        token_types: options.token_types.iter().map(|one| MediaType::new(one)).collect(),
        trusted_for: options.trusted_for,
        keys,
    }
}
