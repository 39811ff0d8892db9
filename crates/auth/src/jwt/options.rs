//! Which issuers are trusted, and what of theirs: as the settings describe it, checked all at once.

use std::{collections::HashSet, sync::Arc};

use tenantry_domain::TrustedFor;
use uuid::Uuid;

use super::{
    Issuer, Keys,
    algorithm::Algorithm,
    cache::KeyCache,
    claim_name::ClaimName,
    claims::Reading,
    fetch,
    header::MediaType,
    key::{HmacSecret, Key},
    name::{IssuerName, PLACEHOLDER},
    source::Source,
};

/// The claim that names the tenant, unless another is configured.
pub const DEFAULT_TENANT_CLAIM: &str = "tenant_id";

/// The types of token that are accepted, unless others are configured.
pub const DEFAULT_TOKEN_TYPES: [&str; 2] = ["at+jwt", "JWT"];

/// The claims that can be held against the audience. Those but the first say which client a token was made for.
pub const AUDIENCE_CLAIMS: [&str; 5] = ["aud", "client_id", "azp", "cid", "appid"];

/// Claims with a meaning of their own, which therefore name neither the tenant nor the subject.
const TAKEN_CLAIMS: [&str; 8] = ["iss", "aud", "exp", "nbf", "iat", "jti", "email", "email_verified"];

/// Where Entra's directories are, some of whose names stand for all or for many of them.
const ENTRA: [&str; 2] = ["https://login.microsoftonline.com/", "https://sts.windows.net/"];

/// Objects in tokens that a person fills in for themselves (Supabase, Auth0, Clerk).
const OWN_WORDS: [&str; 2] = ["user_metadata", "unsafe_metadata"];

/// A trusted issuer.
#[derive(Debug, Clone)]
pub struct IssuerOptions {
    /// `iss` of its tokens, to the letter; or with `{tenantid}` for `tid` of its tokens.
    pub issuer: String,
    /// Which directories `{tenantid}` stands for; all, unless some are named.
    pub directories: Option<Vec<Uuid>>,
    /// What its tokens may name in `aud`; at least one, and each is accepted. Must stand for this service alone: a client's id
    /// would let that client's ID tokens in.
    pub audience: Vec<String>,
    /// The algorithms it signs with, at least one.
    pub algorithms: Vec<Algorithm>,
    /// Where its keys are.
    pub keys: KeySource,
    /// How they are fetched.
    pub transport: Transport,
    /// Where its claims are.
    pub claims: ClaimOptions,
    /// What its tokens may say in `typ`; [`DEFAULT_TOKEN_TYPES`]. Compared as media types: in any case, with or without `application/`.
    /// A token without `typ` counts as `JWT` (RFC 7519, section 5.1).
    pub token_types: Vec<String>,
    /// For which tenants its tokens are good.
    pub trusted_for: TrustedFor,
}

/// Where the claims of an issuer's tokens are, and what they count for. The default is what the standards say. The names of claims
/// are tried as they are, then as a JSON pointer or a path with dots.
#[derive(Debug, Clone)]
pub struct ClaimOptions {
    /// One of [`AUDIENCE_CLAIMS`].
    pub audience: String,
    /// The claim that identifies a person, for good and in every client.
    pub subject: String,
    /// The claim with the tenant's id.
    pub tenant: String,
    /// The claim with the address.
    pub email: String,
    /// What makes the address count as verified.
    pub email_verified: EmailVerified,
    /// Whether a list with one text in it is as good as the text, as tenant and as address.
    pub lists_of_one: bool,
}

/// What makes the address in a token count as verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmailVerified {
    /// This claim is `true`.
    Claim(String),
    /// The issuer makes tokens only with addresses that it has verified.
    Always,
}

impl Default for ClaimOptions {
    fn default() -> Self {
        Self {
            audience: AUDIENCE_CLAIMS[0].to_owned(),
            subject: "sub".to_owned(),
            tenant: DEFAULT_TENANT_CLAIM.to_owned(),
            email: "email".to_owned(),
            email_verified: EmailVerified::Claim("email_verified".to_owned()),
            lists_of_one: false,
        }
    }
}

/// How an issuer is reached.
#[derive(Debug, Clone, Default)]
pub struct Transport {
    /// Certificates (PEM) to trust in addition to the system's.
    pub certificates: Option<Vec<u8>>,
    /// Whether `http` will do in a private network.
    pub allow_http: bool,
}

/// Where the keys of an issuer are.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// At this address, as a JWK Set: `https`, or `http` on this machine.
    JwksUrl(String),
    /// Where its discovery document says, which is found by its name.
    Discovery,
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
        wrong.extend(faults_of_claims(&one));
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

/// Whether it can be a name at all.
fn plain(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|c| c.is_control() || c.is_whitespace())
}

/// The sentences of the rules that do not hold.
fn broken(rules: impl IntoIterator<Item = (bool, &'static str)>) -> Vec<String> {
    rules.into_iter().filter(|(holds, _)| !holds).map(|(_, fault)| fault.to_owned()).collect()
}

fn faults_of(options: &IssuerOptions) -> Vec<String> {
    let IssuerOptions { issuer, directories, audience, algorithms, token_types, trusted_for, .. } = options;
    let hs256 = algorithms.contains(&Algorithm::Hs256);
    let shared = matches!(options.keys, KeySource::HmacSecret(_));
    let reached = options.transport.allow_http || options.transport.certificates.is_some();
    let template = issuer.contains(PLACEHOLDER);
    let braces = issuer.replacen(PLACEHOLDER, "", 1).contains(['{', '}', '<', '>']);
    let of_all = ENTRA.iter().any(|host| issuer.starts_with(host))
        && issuer.split('/').any(|part| ["common", "organizations", "consumers"].contains(&part));
    broken([
        (plain(issuer), "its name must not be empty or contain spaces"),
        (
            !braces,
            "the only placeholder that its name may have is {tenantid}, once, which stands for tid in its tokens",
        ),
        (
            !of_all,
            "no token is of common, organizations or consumers: write {tenantid} there, or the id of the directory",
        ),
        (template || directories.is_none(), "directories needs a name with {tenantid} in it"),
        (
            directories.as_ref().is_none_or(|all| !all.is_empty()),
            "its list of directories is empty: leave it out to mean all",
        ),
        (!template || !shared, "a name with {tenantid} needs published keys"),
        (!audience.is_empty(), "it needs at least one audience"),
        (audience.iter().all(|one| plain(one)), "an audience must not be empty or contain spaces"),
        (!algorithms.is_empty(), "it needs at least one algorithm"),
        (shared || !hs256, "HS256 needs a secret; it cannot be used with published keys"),
        (!shared || algorithms.iter().all(|one| *one == Algorithm::Hs256), "a secret can be used with HS256 only"),
        (!shared || !reached, "ca_file and allow_http are for published keys, and not for a secret"),
        (!trusted_for.is_nobody(), "its list of tenants is empty: leave tenants out to trust it for all of them"),
        (!token_types.is_empty(), "it needs at least one token type"),
        (token_types.iter().all(|one| plain(one)), "a token type must not be empty or contain spaces"),
    ])
}

fn faults_of_claims(options: &IssuerOptions) -> Vec<String> {
    let ClaimOptions { audience, subject, tenant, email, email_verified, .. } = &options.claims;
    let verified = match email_verified {
        EmailVerified::Claim(claim) => Some(claim),
        EmailVerified::Always => None,
    };
    let anybodys = options.issuer.contains(PLACEHOLDER) && options.directories.is_none();
    let all = [Some(subject), Some(tenant), Some(email), verified];
    let own_words = all.iter().flatten().any(|name| OWN_WORDS.contains(&ClaimName::new(name).root()));
    broken([
        (plain(tenant), "the tenant claim must not be empty or contain spaces"),
        (
            !TAKEN_CLAIMS.contains(&tenant.as_str()) && tenant != "sub",
            "the tenant claim must not be a standard claim such as sub or aud",
        ),
        (plain(subject), "the subject claim must not be empty or contain spaces"),
        (
            !TAKEN_CLAIMS.contains(&subject.as_str()),
            "the subject claim must identify a person for good, so it must not be email or a standard claim other than sub",
        ),
        (subject != tenant || tenant == "sub", "the subject claim and the tenant claim are the same"),
        (plain(email), "the email claim must not be empty or contain spaces"),
        (verified.is_none_or(|claim| plain(claim)), "email_verified must be \"always\" or the name of a claim"),
        (AUDIENCE_CLAIMS.contains(&audience.as_str()), "the audience claim must be aud, client_id, azp, cid or appid"),
        (
            !own_words,
            "a claim in user_metadata or unsafe_metadata proves nothing, because people can change it themselves",
        ),
        (
            !anybodys || verified.is_some(),
            "addresses from any directory do not count as verified, because everybody can have a directory: set email_verified to a \
             claim such as xms_edov, or name the directories",
        ),
    ])
}

fn key_source(options: &IssuerOptions) -> Result<Keys, String> {
    let Transport { certificates, allow_http } = &options.transport;
    let source = match &options.keys {
        KeySource::JwksUrl(url) => Source::keys(url, *allow_http)?,
        KeySource::Discovery => Source::discovery(&options.issuer, *allow_http)?,
        KeySource::HmacSecret(secret) => {
            return match secret.weakness() {
                Some(weakness) => Err(format!(
                    "the secret {weakness}: use 32 random bytes, such as the output of `openssl rand -hex 32`"
                )),
                None => Ok(Keys::Secret(Arc::new(Key::secret(secret)))),
            };
        }
    };
    // Only for those who need it: it does not come about on a machine without certificates.
    let client =
        fetch::client(certificates.as_deref()).map_err(|cause| format!("its keys cannot be fetched: {cause}"))?;
    let cache = KeyCache::new(options.issuer.clone(), options.algorithms.clone(), client, source);
    Ok(Keys::Published(Arc::new(cache)))
}

fn issuer(options: IssuerOptions, keys: Keys) -> Issuer {
    let ClaimOptions { audience, subject, tenant, email, email_verified, lists_of_one } = options.claims;
    Issuer {
        name: IssuerName::new(&options.issuer, options.directories),
        algorithms: options.algorithms,
        reading: Reading {
            audience: options.audience,
            audience_claim: audience,
            subject: ClaimName::new(&subject),
            tenant: ClaimName::new(&tenant),
            email: ClaimName::new(&email),
            email_verified: match email_verified {
                EmailVerified::Claim(claim) => Some(ClaimName::new(&claim)),
                EmailVerified::Always => None,
            },
            lists_of_one,
        },
        token_types: options.token_types.iter().map(|one| MediaType::new(one)).collect(),
        trusted_for: options.trusted_for,
        keys,
    }
}
