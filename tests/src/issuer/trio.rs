//! Two issuers that are trusted and one that is not: what it takes to tell good tokens from bad ones.

use std::sync::Arc;

use serde_json::{Value, json};
use tenantry_auth::jwt::IssuerOptions;

use super::{AUDIENCE, Draft, Issuer, Signing, SigningKey, bad_tokens, encoded};

/// Three issuers with keys of the same names.
pub struct Trio {
    /// Trusted.
    pub issuer: Issuer,
    /// Trusted as well, for itself.
    pub other: Issuer,
    /// Not trusted. Nobody has a reason to connect to it.
    pub stranger: Issuer,
}

impl Trio {
    /// Starts them.
    pub async fn start() -> Self {
        // RSA pairs are the same all over the process; `other` has none, so that no key is in two places.
        let without_rsa = || ["es", "es-2"].map(SigningKey::p256).into_iter().chain([SigningKey::ed25519("ed")]);
        let keys = || without_rsa().map(Arc::new).collect();
        Self { issuer: Issuer::start().await, other: Issuer::with(keys()).await, stranger: Issuer::with(keys()).await }
    }

    /// How the trusted two are trusted.
    pub fn options(&self) -> Vec<IssuerOptions> {
        vec![self.issuer.options(), self.other.options()]
    }

    /// Tokens that must be refused as invalid, each with its name: whatever their form, key, header or claims. All can be sent in
    /// a header. At least one names a key that does not exist.
    pub fn bad_tokens(&self) -> Vec<(String, String)> {
        bad_tokens::all(self)
    }

    /// Tokens of `issuer` that must be accepted, each with its name. Each is next to some bad ones.
    pub fn good_tokens(&self) -> Vec<(String, String)> {
        let draft = || self.issuer.draft("es");
        let mut good: Vec<(String, Draft)> =
            ["rs", "ps", "es", "es-2", "ed"].map(|kid| (format!("signed by {kid}"), self.issuer.draft(kid))).to_vec();
        good.push(("no kid, and one key of the algorithm".to_owned(), self.issuer.draft("ed").without_header("kid")));
        let many: Vec<String> = (0..99).map(|n| format!("https://{n}.test")).chain([AUDIENCE.to_owned()]).collect();
        for (name, aud) in [("in a list", json!([AUDIENCE])), ("among a hundred", json!(many))] {
            good.push((format!("aud {name}"), draft().claim("aud", aud)));
        }
        for typ in ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+JWT", "application/jwt"] {
            good.push((format!("typ {typ}"), draft().header("typ", typ)));
        }
        good.push(("no typ".to_owned(), draft().without_header("typ")));
        good.push(("no iat".to_owned(), draft().without("iat")));
        good.push(("exp with a fraction".to_owned(), draft().claim("exp", later(200) as f64 + 0.5)));
        good.push(("lives a day".to_owned(), draft().lives(chrono::Utc::now(), 86_400)));
        good.push(("nbf in the past".to_owned(), draft().claim("nbf", later(-1))));
        good.push(("nbf of the epoch".to_owned(), draft().claim("nbf", 0)));
        good.push(("a nonce in the header, as Entra's".to_owned(), draft().header("nonce", "n")));
        good.push(("the longest sub".to_owned(), draft().claim("sub", "s".repeat(255))));
        good.push(("a short sub of many bytes".to_owned(), draft().claim("sub", "é".repeat(255))));
        for (name, kind) in [("typ", "Bearer"), ("token_use", "access"), ("token_type", "access")] {
            good.push((format!("{name} {kind} in the payload"), draft().claim(name, kind)));
        }
        let deep = (0..14).fold(json!(1), |inner, _| json!({ "a": inner }));
        good.push(("nested, but not too deep".to_owned(), draft().claim("deep", deep)));
        let mut good: Vec<_> = good.into_iter().map(|(name, draft)| (name, draft.token())).collect();
        good.extend(self.pointed_elsewhere().map(|(name, draft)| (format!("{name}, ignored"), draft.token())));
        good.push(("as long as allowed".to_owned(), of_length(&self.issuer, tenantry_auth::jwt::MAX_TOKEN)));
        good
    }

    /// Good tokens whose headers bring a key, or an address of one, of the stranger.
    pub(super) fn pointed_elsewhere(&self) -> impl Iterator<Item = (String, Draft)> {
        let (jwk, url) = (self.stranger.key("es").jwk(), self.stranger.jwks_url());
        let certificate = json!([encoded("not a certificate")]);
        let parameters: [(&str, Value); 8] = [
            ("jwk", jwk.clone()),
            ("jku", json!(url)),
            ("x5u", json!(url)),
            ("url", json!(url)),
            ("x5c", certificate),
            ("x5t", json!(encoded("print"))),
            ("x5t#S256", json!(encoded("print"))),
            ("jwk", json!("no key at all")),
        ];
        let draft = self.issuer.draft("es");
        parameters.into_iter().map(move |(name, value)| (format!("header {name}"), draft.clone().header(name, value)))
    }
}

/// Seconds since 1970, this many from now.
pub(super) fn later(seconds: i64) -> i64 {
    chrono::Utc::now().timestamp() + seconds
}

/// A good token of this many bytes.
pub(super) fn of_length(issuer: &Issuer, bytes: usize) -> String {
    let token = |filling: usize, pad: usize| {
        issuer.draft("es").header("pad", "x".repeat(pad)).claim("filling", "x".repeat(filling)).token()
    };
    // Three bytes are four characters; a little more in the header makes up for the rest.
    let estimate = (bytes - token(0, 0).len()) / 4 * 3;
    (estimate - 3..estimate + 6)
        .flat_map(|filling| (0..3).map(move |pad| token(filling, pad)))
        .find(|token| token.len() == bytes)
        .expect("a token of this length")
}

/// As [`Signing`] of the key of this name.
pub(super) fn signed_as(issuer: &Issuer, kid: &str, alg: &str, signing: Signing) -> String {
    let key = issuer.key(kid);
    issuer.draft(kid).header("alg", alg).signed(|message| key.sign_as(signing, message))
}
