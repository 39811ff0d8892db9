//! What the payload of a token says, held against what is expected of it.
//!
//! A token that was made for another purpose is refused by what it says of itself (RFC 8725, section 3.12): an ID token, a refresh
//! token, a logout token or security event, and a token that is bound to a key of its holder, which a bearer cannot prove.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};
use tenantry_domain::{NoEmail, TenantId};

use super::claim_name::ClaimName;

/// How far the clocks of an issuer and of the service may be apart: `exp`, `nbf` and `iat` are held with this tolerance.
pub const LEEWAY: TimeDelta = TimeDelta::seconds(30);

/// The longest life of a token: from `iat`, or from now (and [`LEEWAY`]) where it has none, to `exp`.
pub const MAX_LIFETIME: TimeDelta = TimeDelta::hours(24);

/// The longest `sub`, in characters (OpenID Connect Core, section 2).
const MAX_SUBJECT: usize = 255;

/// The longest list in `aud`.
const MAX_AUDIENCE: usize = 100;

/// The last second of the year 9999.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// Claims that no access token of a bearer has: those of ID tokens (OpenID Connect Core, sections 2 and 3.3.2.11), of security events
/// (RFC 8417), and of proof of possession (RFC 7800).
const OF_OTHER_TOKENS: [&str; 6] = ["nonce", "at_hash", "c_hash", "s_hash", "events", "cnf"];

/// Claims by which widespread issuers tell their kinds of token apart, and what an access token says there.
const KINDS: [(&str, &[&str]); 3] =
    [("typ", &["bearer"]), ("token_use", &["access"]), ("token_type", &["access", "access_token", "bearer"])];

/// Where the claims of an issuer's tokens stand, and what they count for.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) audience: Vec<String>,
    /// The claim that is held against the audience; mostly `aud`.
    pub(crate) audience_claim: String,
    pub(crate) subject: ClaimName,
    pub(crate) tenant: ClaimName,
    pub(crate) email: ClaimName,
    /// The claim that says whether the address is verified; none for an issuer all of whose addresses are.
    pub(crate) email_verified: Option<ClaimName>,
    /// Whether a list with one text in it is as good as the text, as tenant and as address.
    pub(crate) lists_of_one: bool,
}

/// The claims of a token that is for us and alive. Still nothing but words until the signature holds.
#[derive(Debug)]
pub(crate) struct Claims<'a> {
    pub(crate) subject: &'a str,
    pub(crate) tenant: Option<TenantId>,
    /// Or why there is none, for the log.
    pub(crate) email: Result<&'a str, NoEmail>,
    pub(crate) expires_at: DateTime<Utc>,
}

/// `iss`, to pick the issuer by.
pub(crate) fn issuer(payload: &Map<String, Value>) -> Result<&str, &'static str> {
    payload.get("iss").and_then(Value::as_str).ok_or("iss is missing or not a string")
}

impl<'a> Claims<'a> {
    pub(crate) fn read(
        payload: &'a Map<String, Value>,
        reading: &Reading,
        now: DateTime<Utc>,
    ) -> Result<Self, &'static str> {
        purpose(payload)?;
        for_us(payload, reading)?;
        Ok(Self {
            expires_at: lifetime(payload, now)?,
            subject: reading.subject.find(payload).and_then(Value::as_str).filter(|sub| is_subject(sub)).ok_or(
                "the subject (sub, or subject_claim in the settings) is missing, or is not text of 1 to 255 characters",
            )?,
            tenant: reading.tenant.find(payload).map(|claim| tenant(reading.one(claim))).transpose()?,
            email: email(payload, reading),
        })
    }
}

impl Reading {
    /// The value of a claim, or of the list that it stands in alone.
    fn one<'v>(&self, claim: &'v Value) -> &'v Value {
        match claim {
            Value::Array(list) if self.lists_of_one && list.len() == 1 => &list[0],
            claim => claim,
        }
    }
}

fn purpose(payload: &Map<String, Value>) -> Result<(), &'static str> {
    if OF_OTHER_TOKENS.iter().any(|name| payload.contains_key(*name)) {
        return Err("the token has a claim that access tokens do not have, such as nonce: it may be an ID token");
    }
    let of_another_kind = |(name, expected): &(&str, &[&str])| {
        payload.get(*name).is_some_and(|kind| {
            !kind.as_str().is_some_and(|kind| expected.iter().any(|expected| kind.eq_ignore_ascii_case(expected)))
        })
    };
    if KINDS.iter().any(of_another_kind) {
        return Err("typ, token_use or token_type says that this is not an access token");
    }
    Ok(())
}

/// Whether the token is for this service. Where a client's id stands for it, `aud` may be missing; if it is there, it must not name
/// another service: whoever a token is for could otherwise use it here.
fn for_us(
    payload: &Map<String, Value>,
    Reading { audience, audience_claim, .. }: &Reading,
) -> Result<(), &'static str> {
    let aud = payload.get("aud");
    if audience_claim == "aud" {
        return if names(aud, audience) { Ok(()) } else { Err("aud does not name this service") };
    }
    match payload.get(audience_claim) {
        client @ Some(Value::String(_)) if names(client, audience) => {}
        _ => return Err("the claim in audience_claim of the issuer's settings is not one of the values in audience"),
    }
    if aud.is_some() && !names(aud, audience) {
        return Err("aud names another service; if it is this one, add it to audience in the issuer's settings");
    }
    Ok(())
}

fn names(aud: Option<&Value>, audience: &[String]) -> bool {
    let is_us = |aud: &str| audience.iter().any(|us| us == aud);
    match aud {
        Some(Value::String(aud)) => is_us(aud),
        Some(Value::Array(list)) if list.len() <= MAX_AUDIENCE => {
            list.iter().all(Value::is_string) && list.iter().filter_map(Value::as_str).any(is_us)
        }
        _ => false,
    }
}

/// `exp`, when the token is alive.
fn lifetime(payload: &Map<String, Value>, now: DateTime<Utc>) -> Result<DateTime<Utc>, &'static str> {
    let expires_at = moment(payload, "exp")?.ok_or("exp is missing or not a time")?;
    if now >= expires_at + LEEWAY {
        return Err("the token has expired");
    }
    if moment(payload, "nbf")?.is_some_and(|not_before| not_before > now + LEEWAY) {
        return Err("the token is not valid yet");
    }
    let issued_at = moment(payload, "iat")?;
    if issued_at.is_some_and(|issued_at| issued_at > now + LEEWAY || issued_at > expires_at) {
        return Err("iat is in the future or after exp");
    }
    if expires_at - issued_at.unwrap_or(now + LEEWAY) > MAX_LIFETIME {
        return Err("the token is valid for more than 24 hours");
    }
    Ok(expires_at)
}

/// A NumericDate (RFC 7519, section 2), to the millisecond; `None` where it is missing.
fn moment(payload: &Map<String, Value>, claim: &str) -> Result<Option<DateTime<Utc>>, &'static str> {
    let Some(value) = payload.get(claim) else { return Ok(None) };
    let seconds = value.as_f64().filter(|seconds| (0.0..=LAST_SECOND).contains(seconds));
    let moment = seconds.and_then(|seconds| DateTime::from_timestamp_millis((seconds * 1000.0).floor() as i64));
    moment.map(Some).ok_or("exp, nbf or iat is not a number of seconds in the years 1970 to 9999")
}

fn is_subject(sub: &str) -> bool {
    !sub.is_empty() && sub.chars().count() <= MAX_SUBJECT && !sub.chars().any(char::is_control)
}

fn tenant(claim: &Value) -> Result<TenantId, &'static str> {
    claim.as_str().and_then(|id| id.parse().ok()).ok_or("the tenant claim is not a UUID")
}

/// An address that the issuer vouches for; anything else is as good as none, and no reason to refuse the token.
fn email<'a>(payload: &'a Map<String, Value>, reading: &Reading) -> Result<&'a str, NoEmail> {
    let email = reading.email.find(payload).filter(|claim| !claim.is_null()).ok_or(NoEmail::Missing)?;
    let verified = |claim: &ClaimName| claim.find(payload).is_some_and(is_true);
    if !reading.email_verified.as_ref().is_none_or(verified) {
        return Err(NoEmail::Unverified);
    }
    let email = reading.one(email).as_str().ok_or(NoEmail::NotAnAddress)?;
    let plain = (3..=254).contains(&email.len()) && !email.chars().any(|c| c.is_control() || c.is_whitespace());
    plain.then_some(email).ok_or(NoEmail::NotAnAddress)
}

/// `true`, which some issuers write as text: Cognito as `"true"`, and Entra now and then as `"1"`.
fn is_true(claim: &Value) -> bool {
    match claim {
        Value::Bool(verified) => *verified,
        Value::String(text) => text == "1" || text.eq_ignore_ascii_case("true"),
        _ => false,
    }
}
