//! Keys of each algorithm, and all that can be signed with them, the wrong things included.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::{
    encoding::AsDer,
    hmac as aws_hmac,
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_SHA256,
        RSA_PSS_SHA512, RsaEncoding,
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::encoded;

/// How to sign. What does not go with a key cannot be asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// PKCS #1 v1.5 with SHA-256.
    Rs256,
    /// PKCS #1 v1.5 with SHA-512.
    Rs512,
    /// PSS with SHA-256.
    Ps256,
    /// PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256, as (r, s).
    Es256,
    /// ECDSA on P-256, in DER.
    Es256Der,
    /// ECDSA on P-384, as (r, s).
    Es384,
    /// Ed25519.
    EdDsa,
}

enum Pair {
    Rsa(Arc<RsaKeyPair>),
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Ed25519KeyPair),
}

/// A pair of keys with a name, for one algorithm.
pub struct SigningKey {
    /// Its name.
    pub kid: String,
    /// What it is for.
    pub signing: Signing,
    pair: Pair,
}

/// It takes a while to find primes: each name and purpose has one pair for the whole process, and no other has it.
static RSA: LazyLock<[Arc<RsaKeyPair>; 2]> =
    LazyLock::new(|| std::array::from_fn(|_| Arc::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())));

impl SigningKey {
    /// An RSA key of 2048 bits. Those for PKCS #1 v1.5 share one pair in a process, and those for PSS another.
    pub fn rsa(kid: &str, signing: Signing) -> Self {
        let pair = Arc::clone(&RSA[usize::from(signing == Signing::Ps256)]);
        Self { kid: kid.to_owned(), signing, pair: Pair::Rsa(pair) }
    }

    /// A new key on P-256.
    pub fn p256(kid: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let pair = pair.to_pkcs8v1().unwrap().as_ref().to_vec();
        Self { kid: kid.to_owned(), signing: Signing::Es256, pair: Pair::P256(pair) }
    }

    /// A new key on P-384.
    pub fn p384(kid: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
        let pair = pair.to_pkcs8v1().unwrap().as_ref().to_vec();
        Self { kid: kid.to_owned(), signing: Signing::Es384, pair: Pair::P384(pair) }
    }

    /// A new Ed25519 key.
    pub fn ed25519(kid: &str) -> Self {
        let pair = Pair::Ed25519(Ed25519KeyPair::generate().unwrap());
        Self { kid: kid.to_owned(), signing: Signing::EdDsa, pair }
    }

    /// Its name in `alg`.
    pub fn alg(&self) -> &'static str {
        match self.signing {
            Signing::Rs256 => "RS256",
            Signing::Rs512 => "RS512",
            Signing::Ps256 => "PS256",
            Signing::Ps512 => "PS512",
            Signing::Es256 | Signing::Es256Der => "ES256",
            Signing::Es384 => "ES384",
            Signing::EdDsa => "EdDSA",
        }
    }

    /// The public key as a JWK with `kid`, `alg` and `use`.
    pub fn jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Rsa(pair) => {
                let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
                let encoded = |number: aws_lc_rs::io::Positive<'_>| encoded(number.big_endian_without_leading_zero());
                json!({ "kty": "RSA", "n": encoded(n), "e": encoded(e) })
            }
            Pair::P256(pair) => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pair).unwrap();
                let point = pair.public_key().as_ref();
                json!({ "kty": "EC", "crv": "P-256", "x": encoded(&point[1..33]), "y": encoded(&point[33..]) })
            }
            Pair::P384(pair) => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, pair).unwrap();
                let point = pair.public_key().as_ref();
                json!({ "kty": "EC", "crv": "P-384", "x": encoded(&point[1..49]), "y": encoded(&point[49..]) })
            }
            Pair::Ed25519(pair) => json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(pair.public_key()) }),
        };
        for (member, value) in [("kid", self.kid.as_str()), ("alg", self.alg()), ("use", "sig")] {
            jwk[member] = value.into();
        }
        jwk
    }

    /// Signs as the key is meant to.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.sign_as(self.signing, message)
    }

    /// Signs in another way that the pair is capable of.
    pub fn sign_as(&self, signing: Signing, message: &[u8]) -> Vec<u8> {
        let rsa = |encoding: &'static dyn RsaEncoding, pair: &RsaKeyPair| {
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
            signature
        };
        let ecdsa = |algorithm: &'static EcdsaSigningAlgorithm, pair: &[u8]| {
            let pair = EcdsaKeyPair::from_pkcs8(algorithm, pair).unwrap();
            pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
        };
        match (&self.pair, signing) {
            (Pair::Rsa(pair), Signing::Rs256) => rsa(&RSA_PKCS1_SHA256, pair),
            (Pair::Rsa(pair), Signing::Rs512) => rsa(&RSA_PKCS1_SHA512, pair),
            (Pair::Rsa(pair), Signing::Ps256) => rsa(&RSA_PSS_SHA256, pair),
            (Pair::Rsa(pair), Signing::Ps512) => rsa(&RSA_PSS_SHA512, pair),
            (Pair::P256(pair), Signing::Es256) => ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING, pair),
            (Pair::P256(pair), Signing::Es256Der) => ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING, pair),
            (Pair::P384(pair), Signing::Es384) => ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING, pair),
            (Pair::Ed25519(pair), Signing::EdDsa) => pair.sign(message).as_ref().to_vec(),
            (_, signing) => panic!("{} cannot sign as {signing:?}", self.kid),
        }
    }

    /// The public key in every form in which somebody could take it for an HMAC secret.
    pub fn public_forms(&self) -> Vec<(String, Vec<u8>)> {
        let jwk = self.jwk();
        let (spki, raw) = match &self.pair {
            Pair::Rsa(pair) => (pair.public_key().as_der().unwrap(), pair.public_key().as_ref().to_vec()),
            Pair::P256(pair) => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pair).unwrap();
                (pair.public_key().as_der().unwrap(), pair.public_key().as_ref().to_vec())
            }
            Pair::P384(pair) => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, pair).unwrap();
                (pair.public_key().as_der().unwrap(), pair.public_key().as_ref().to_vec())
            }
            Pair::Ed25519(pair) => (pair.public_key().as_der().unwrap(), pair.public_key().as_ref().to_vec()),
        };
        let mut forms = vec![("JWK".to_owned(), jwk.to_string().into_bytes())];
        for (name, label, der) in [("SPKI", "PUBLIC KEY", spki.as_ref()), ("raw", "RSA PUBLIC KEY", &raw)] {
            let pem = pem(label, der);
            forms.push((format!("{name} DER"), der.to_vec()));
            forms.push((format!("{name} PEM"), pem.clone().into_bytes()));
            forms.push((format!("{name} PEM without the last newline"), pem.trim_end().into()));
            forms.push((format!("{name} PEM with CR LF"), pem.replace('\n', "\r\n").into_bytes()));
        }
        for member in ["n", "x"] {
            if let Some(text) = jwk[member].as_str() {
                forms.push((format!("{member} in base64url"), text.into()));
                let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap();
                forms.push((member.to_owned(), bytes));
            }
        }
        forms
    }
}

/// HMAC with SHA-256.
pub fn hmac(secret: &[u8], message: &[u8]) -> Vec<u8> {
    aws_hmac::sign(&aws_hmac::Key::new(aws_hmac::HMAC_SHA256, secret), message).as_ref().to_vec()
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
