//! A key of an issuer, read from a JWK (RFC 7517, RFC 7518). It is for one algorithm, for good (RFC 8725, section 3.1).

use std::{collections::HashSet, fmt};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, EcdsaVerificationAlgorithm, ParsedPublicKey,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, crypto};
use serde_json::{Map, Value};

use super::{algorithm::Algorithm, header::is_kid, name::PLACEHOLDER};

/// A secret for HS256: 32 bytes or more, from a generator of random numbers. Whoever knows it can make tokens.
#[derive(Clone)]
pub struct HmacSecret(Vec<u8>);

impl HmacSecret {
    /// Takes over a secret; whether it is strong enough is checked with the other options.
    pub fn new(secret: impl Into<Vec<u8>>) -> Self {
        Self(secret.into())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// What makes it weak. Cannot tell random numbers from others, and refuses what nobody rolled.
    pub(crate) fn weakness(&self) -> Option<&'static str> {
        let text = String::from_utf8_lossy(&self.0).to_lowercase();
        let different: HashSet<_> = self.0.iter().collect();
        let repeats = |period: usize| self.0.iter().zip(&self.0[period..]).all(|(one, other)| one == other);
        if self.0.len() < 32 {
            Some("is shorter than 32 bytes")
        } else if different.len() < 8 || (1..=self.0.len() / 2).any(repeats) {
            Some("repeats itself")
        } else if ["secret", "password", "changeme", "change-me", "change_me", "example"]
            .iter()
            .any(|word| text.contains(word))
        {
            Some("contains a word used in examples")
        } else {
            None
        }
    }
}

impl fmt::Debug for HmacSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacSecret(redacted)")
    }
}

/// Members that only a private or a symmetric key has. Whoever publishes one has no secret any more.
const SECRET_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The lengths of an RSA modulus that are accepted, in bits: shorter ones are weak, and longer ones are work for nothing.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The longest public exponent, in bytes: a larger one makes each verification slow. It must be odd and at least 65537.
const RSA_EXPONENT: usize = 4;

/// A key and what it is for.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) kid: Option<String>,
    pub(crate) algorithm: Algorithm,
    /// For which issuer its publisher says that it signs, where it publishes keys for several.
    issuer: Option<String>,
    material: DecodingKey,
}

impl Key {
    /// The key that HS256 shares.
    pub(crate) fn secret(secret: &HmacSecret) -> Self {
        Self {
            kid: None,
            algorithm: Algorithm::Hs256,
            issuer: None,
            material: DecodingKey::from_secret(secret.bytes()),
        }
    }

    /// Reads a JWK for one of these algorithms.
    ///
    /// An RSA key without `alg` is used only if it can be meant for one algorithm alone.
    ///
    /// # Errors
    ///
    /// Why it cannot be used, to follow "the key".
    pub(crate) fn read(jwk: &Value, algorithms: &[Algorithm]) -> Result<Self, &'static str> {
        let jwk = jwk.as_object().ok_or("is not an object")?;
        if SECRET_MEMBERS.iter().any(|member| jwk.contains_key(*member)) {
            return Err("is private or symmetric, and only public keys are accepted");
        }
        if jwk.get("use").is_some_and(|purpose| purpose != "sig") {
            return Err("is not for signatures");
        }
        let verifies =
            |operations: &Value| operations.as_array().is_some_and(|all| all.iter().any(|one| one == "verify"));
        if !jwk.get("key_ops").is_none_or(verifies) {
            return Err("is not for verification");
        }
        let kid = match jwk.get("kid") {
            None => None,
            Some(kid) => Some(kid.as_str().filter(|kid| is_kid(kid)).ok_or("has an invalid kid")?.to_owned()),
        };
        let (material, possible) = material(jwk)?;
        let algorithm = algorithm(jwk.get("alg"), possible, algorithms)?;
        Ok(Self { kid, algorithm, issuer: text(jwk, "issuer").map(str::to_owned), material })
    }

    /// Whether it may sign for this directory: a key whose `issuer` names one directory is for no other.
    pub(crate) fn is_for(&self, directory: &str) -> bool {
        self.issuer.as_deref().is_none_or(|issuer| {
            issuer.contains(PLACEHOLDER) || issuer.split('/').any(|part| part.eq_ignore_ascii_case(directory))
        })
    }

    /// Whether this signature (base64url) is this key's under this algorithm.
    pub(crate) fn holds(&self, algorithm: Algorithm, message: &str, signature: &str) -> bool {
        self.algorithm == algorithm
            && crypto::verify(signature, message.as_bytes(), &self.material, algorithm.into()).unwrap_or(false)
    }
}

fn material(jwk: &Map<String, Value>) -> Result<(DecodingKey, &'static [Algorithm]), &'static str> {
    match (text(jwk, "kty"), text(jwk, "crv")) {
        (Some("RSA"), _) => Ok((rsa(jwk)?, &[Algorithm::Rs256, Algorithm::Ps256])),
        (Some("EC"), Some("P-256")) => Ok((ec(jwk, 32, &ECDSA_P256_SHA256_FIXED)?, &[Algorithm::Es256])),
        (Some("EC"), Some("P-384")) => Ok((ec(jwk, 48, &ECDSA_P384_SHA384_FIXED)?, &[Algorithm::Es384])),
        (Some("OKP"), Some("Ed25519")) => Ok((ed25519(jwk)?, &[Algorithm::EdDsa])),
        _ => Err("has a type or curve that is not supported"),
    }
}

fn algorithm(named: Option<&Value>, possible: &[Algorithm], allowed: &[Algorithm]) -> Result<Algorithm, &'static str> {
    let mut fitting = possible.iter().filter(|algorithm| allowed.contains(algorithm));
    match named {
        Some(named) => {
            fitting.find(|algorithm| named == algorithm.name()).ok_or("has an alg that does not fit its type")
        }
        None => match (fitting.next(), fitting.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err("fits none of the algorithms in the issuer's settings"),
            _ => Err("has no alg, and fits several of the algorithms in the issuer's settings"),
        },
    }
    .copied()
}

fn rsa(jwk: &Map<String, Value>) -> Result<DecodingKey, &'static str> {
    let (n, e) = (number(jwk, "n")?, number(jwk, "e")?);
    let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
    if !RSA_BITS.contains(&bits) {
        return Err("has a modulus of fewer than 2048 or more than 8192 bits");
    }
    let exponent = e.iter().fold(0_u64, |exponent, byte| (exponent << 8) | u64::from(*byte));
    if e.len() > RSA_EXPONENT || exponent < 65537 || exponent % 2 == 0 {
        return Err("has an unsafe public exponent");
    }
    Ok(DecodingKey::from_rsa_raw_components(&n, &e))
}

fn ec(
    jwk: &Map<String, Value>,
    size: usize,
    curve: &'static EcdsaVerificationAlgorithm,
) -> Result<DecodingKey, &'static str> {
    let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
    let point = [vec![4], x, y].concat();
    // Asks whether the point is on the curve.
    let fits = point.len() == 1 + 2 * size && ParsedPublicKey::new(curve, &point).is_ok();
    fits.then(|| DecodingKey::from_ec_der(&point)).ok_or("is not a point on its curve")
}

fn ed25519(jwk: &Map<String, Value>) -> Result<DecodingKey, &'static str> {
    let point = bytes(jwk, "x")?;
    let fits = point.len() == 32 && ParsedPublicKey::new(&ED25519, &point).is_ok();
    fits.then(|| DecodingKey::from_ed_der(&point)).ok_or("is not a point on its curve")
}

fn text<'a>(jwk: &'a Map<String, Value>, member: &str) -> Option<&'a str> {
    jwk.get(member).and_then(Value::as_str)
}

fn bytes(jwk: &Map<String, Value>, member: &str) -> Result<Vec<u8>, &'static str> {
    text(jwk, member)
        .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
        .ok_or("has a field that is missing or not base64url")
}

/// The bytes of a positive number, without the leading zeros that some issuers publish.
fn number(jwk: &Map<String, Value>, member: &str) -> Result<Vec<u8>, &'static str> {
    let bytes = bytes(jwk, member)?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    Ok(bytes[zeros..].to_vec())
}
