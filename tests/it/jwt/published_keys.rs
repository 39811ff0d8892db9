//! What issuers publish: the good keys work, and the rest does no harm.

use std::sync::Arc;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::Utc;
use num_bigint::BigUint;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tenantry_auth::jwt::{Algorithm, Issuers};
use tenantry_tests::issuer::{Issuer, Signing, SigningKey, encoded};

use super::{is_invalid, trusting};

/// A key of each kind and a good one next to it, with the members of the first changed; whether the first still works.
async fn works(kid: &str, members: Value) -> bool {
    let issuer = Issuer::start().await;
    let (mut changed, mut draft) = (issuer.key(kid).jwk(), issuer.draft(kid));
    changed.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    changed.as_object_mut().unwrap().retain(|_, value| value != "absent");
    if let Some(kid) = changed["kid"].as_str() {
        draft = draft.header("kid", kid);
    }
    if changed["kid"].is_null() {
        draft = draft.without_header("kid");
    }
    issuer.publish_jwks(vec![changed, issuer.key("es-2").jwk()]);
    let issuers = trusting(&issuer);
    assert!(
        issuers.verify(&issuer.draft("es-2").token(), Utc::now()).await.is_ok(),
        "the key next to it works: {members}"
    );
    let result = issuers.verify(&draft.token(), Utc::now()).await;
    assert!(result.is_ok() || is_invalid(&result), "{members}");
    let usable = issuers.states(Utc::now())[0].usable_keys;
    assert_eq!(usable, 1 + usize::from(result.is_ok()), "{members}");
    result.is_ok()
}

#[tokio::test]
async fn a_key_with_members_that_do_no_harm_works() {
    for kid in ["rs", "ps", "es", "ed"] {
        assert!(works(kid, json!({})).await, "{kid}");
        assert!(
            works(kid, json!({ "use": "absent", "key_ops": ["sign", "verify"], "x5c": ["?"], "ext": true })).await,
            "{kid}"
        );
    }
    assert!(works("es", json!({ "alg": "absent" })).await);
    assert!(works("ed", json!({ "alg": "absent", "kid": "absent" })).await);
    assert!(works("es", json!({ "kid": "k".repeat(256) })).await);
    assert!(works("es", json!({ "kid": "https://id.test/keys#é 1" })).await);
}

#[tokio::test]
async fn a_key_that_is_private_or_for_something_else_is_not_used() {
    for kid in ["rs", "es", "ed"] {
        for members in [
            json!({ "use": "enc" }),
            json!({ "use": null }),
            json!({ "use": ["sig"] }),
            json!({ "key_ops": ["encrypt"] }),
            json!({ "key_ops": ["sign"] }),
            json!({ "key_ops": [] }),
            json!({ "key_ops": "verify" }),
            json!({ "d": "AAAA" }),
            json!({ "k": "AAAA" }),
            json!({ "p": "AAAA" }),
            json!({ "q": "AAAA" }),
            json!({ "dp": "AAAA" }),
            json!({ "dq": "AAAA" }),
            json!({ "qi": "AAAA" }),
            json!({ "oth": [] }),
            json!({ "alg": "RSA-OAEP" }),
            json!({ "alg": "PS512" }),
            json!({ "alg": "HS256" }),
            json!({ "alg": "none" }),
            json!({ "alg": null }),
            json!({ "kty": "oct", "k": "c2VjcmV0" }),
            json!({ "kty": "AKP" }),
            json!({ "kty": null }),
            json!({ "kid": 7 }),
            json!({ "kid": "" }),
            json!({ "kid": "a\nb" }),
            json!({ "kid": "k".repeat(257) }),
        ] {
            assert!(!works(kid, members.clone()).await, "{kid} {members}");
        }
    }
}

#[tokio::test]
async fn a_key_whose_numbers_are_wrong_is_not_used() {
    let other = SigningKey::p256("other").jwk();
    let ones = |bytes: usize| encoded(vec![0xff; bytes]);
    let cases = [
        ("es", json!({ "crv": "P-384" })),
        ("es", json!({ "crv": "secp256k1" })),
        ("es", json!({ "kty": "OKP" })),
        ("es", json!({ "x": other["x"] })),
        ("es", json!({ "y": encoded([0; 32]) })),
        ("es", json!({ "x": encoded([0; 32]), "y": encoded([0; 32]) })),
        ("es", json!({ "x": ones(32) })),
        ("es", json!({ "x": encoded([1; 31]) })),
        ("es", json!({ "x": "not base64" })),
        ("es", json!({ "x": "absent" })),
        ("es", json!({ "y": 7 })),
        ("ed", json!({ "crv": "X25519" })),
        ("ed", json!({ "crv": "Ed448" })),
        ("ed", json!({ "x": encoded([0; 31]) })),
        ("ed", json!({ "x": ones(33) })),
        ("rs", json!({ "e": encoded([1]) })),
        ("rs", json!({ "e": encoded([3]) })),
        ("rs", json!({ "e": encoded([1, 0, 0]) })),
        ("rs", json!({ "e": encoded([0xff, 0xff]) })),
        ("rs", json!({ "e": ones(9) })),
        ("rs", json!({ "e": "" })),
        ("rs", json!({ "n": ones(128) })),
        ("rs", json!({ "n": ones(255) })),
        ("rs", json!({ "n": ones(1025) })),
        ("rs", json!({ "n": ones(2048) })),
        ("rs", json!({ "n": "" })),
        ("rs", json!({ "n": "absent" })),
        ("rs", json!({ "kty": "EC" })),
    ];
    for (kid, members) in cases {
        assert!(!works(kid, members.clone()).await, "{kid} {members}");
    }
}

#[tokio::test]
async fn a_modulus_may_have_leading_zeros() {
    let issuer = Issuer::start().await;
    let n = issuer.key("rs").jwk()["n"].as_str().unwrap().to_owned();
    let bytes = URL_SAFE_NO_PAD.decode(n).unwrap();
    let padded = [vec![0; 300], bytes].concat();
    assert!(works("rs", json!({ "n": encoded(padded), "e": encoded([0, 1, 0, 1]) })).await);
}

/// With e = 1 a signature is the padded message itself; with e = 3 a modulus can be made that suits a given cube.
#[tokio::test]
async fn a_signature_that_took_no_private_key_does_not_hold() {
    let issuer = Issuer::with(vec![Arc::new(SigningKey::rsa("rs", Signing::Rs256))]).await;
    let draft = issuer.draft("rs").header("kid", "forged");
    let token = draft.signed(|_| vec![1]);
    let message = token.rsplit_once('.').unwrap().0.as_bytes();
    let padded = padded(message);
    let (root, modulus) = cube(&padded);
    for (exponent, modulus, signature) in [(1, vec![0xff; 256], padded), (3, modulus, root)] {
        let public = RsaPublicKeyComponents { n: modulus.as_slice(), e: &[exponent][..] };
        let control = public.verify(&RSA_PKCS1_2048_8192_SHA256, message, &signature);
        assert_eq!(control.is_ok(), exponent == 3, "a cube is good enough for the library");
        let forged =
            json!({ "kty": "RSA", "kid": "forged", "alg": "RS256", "n": encoded(&modulus), "e": encoded([exponent]) });
        issuer.publish_jwks(vec![issuer.key("rs").jwk(), forged]);
        let issuers = trusting(&issuer);
        let result = issuers.verify(&draft.signed(|_| signature), Utc::now()).await;
        assert!(is_invalid(&result), "e = {exponent}");
        assert!(issuers.verify(&issuer.draft("rs").token(), Utc::now()).await.is_ok());
    }
}

/// The message as PKCS #1 v1.5 pads it for 2048 bits.
fn padded(message: &[u8]) -> Vec<u8> {
    let sha256 = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04,
        0x20,
    ];
    let end = [&[0][..], &sha256, Sha256::digest(message).as_slice()].concat();
    [&[0, 1][..], &vec![0xff; 254 - end.len()], &end].concat()
}

/// A number, and an odd modulus of 2048 bits of which its cube leaves just this.
fn cube(rest: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (rest, one) = (BigUint::from_bytes_be(rest), BigUint::from(1_u8));
    let root = (BigUint::from(5_u8) * (&one << 2045_u32)).cbrt();
    let root = if root.bit(0) == rest.bit(0) { root + one } else { root };
    let modulus = root.pow(3) - rest;
    let root = root.to_bytes_be();
    ([vec![0; 256 - root.len()], root].concat(), modulus.to_bytes_be())
}

#[tokio::test]
async fn two_keys_of_one_name_are_none() {
    let issuer = Issuer::start().await;
    let twin = SigningKey::p256("es");
    let same = issuer.key("es").jwk();
    for jwks in [
        vec![same.clone(), twin.jwk(), issuer.key("ed").jwk()],
        vec![twin.jwk(), same.clone(), issuer.key("ed").jwk()],
        vec![same.clone(), same.clone(), issuer.key("ed").jwk()],
        vec![json!({ "kty": "oct", "kid": "es", "k": "AAAA" }), same.clone(), issuer.key("ed").jwk()],
    ] {
        issuer.publish_jwks(jwks);
        let issuers = trusting(&issuer);
        assert!(issuers.verify(&issuer.draft("ed").token(), Utc::now()).await.is_ok());
        assert!(is_invalid(&issuers.verify(&issuer.draft("es").token(), Utc::now()).await));
        let twins = issuer.draft("es").signed(|message| twin.sign(message));
        assert!(is_invalid(&issuers.verify(&twins, Utc::now()).await));
    }
}

#[tokio::test]
async fn an_rsa_key_without_alg_is_used_where_it_can_be_meant_for_one_algorithm() {
    let issuer = Issuer::start().await;
    let mut jwk = issuer.key("rs").jwk();
    jwk.as_object_mut().unwrap().remove("alg");
    issuer.publish_jwks(vec![jwk]);
    let verify = async |algorithms: &[Algorithm], alg: &str, signing: Signing| {
        let mut options = issuer.options();
        options.algorithms = algorithms.to_vec();
        let token = issuer.draft("rs").header("alg", alg).signed(|message| issuer.key("rs").sign_as(signing, message));
        Issuers::new(vec![options]).unwrap().verify(&token, Utc::now()).await.is_ok()
    };
    let (rs, ps) = ([Algorithm::Rs256, Algorithm::Es256], [Algorithm::Ps256]);
    assert!(verify(&rs, "RS256", Signing::Rs256).await);
    assert!(verify(&ps, "PS256", Signing::Ps256).await);
    assert!(!verify(&rs, "PS256", Signing::Ps256).await);
    for (alg, signing) in [("RS256", Signing::Rs256), ("PS256", Signing::Ps256)] {
        assert!(!verify(&[Algorithm::Rs256, Algorithm::Ps256], alg, signing).await, "{alg}");
    }
}

#[tokio::test]
async fn garbage_next_to_a_good_key_is_passed_over() {
    let issuer = Issuer::start().await;
    let mut jwks = vec![
        json!(null),
        json!(7),
        json!("key"),
        json!([]),
        json!({}),
        json!({ "kty": "RSA" }),
        json!({ "kty": "EC", "crv": "P-256", "kid": "half" }),
        json!({ "kty": "oct", "k": "c2VjcmV0", "kid": "oct", "alg": "HS256" }),
    ];
    jwks.push(issuer.key("es").jwk());
    issuer.publish_jwks(jwks.clone());
    let issuers = trusting(&issuer);
    assert!(issuers.verify(&issuer.draft("es").token(), Utc::now()).await.is_ok());
    assert_eq!(issuers.states(Utc::now())[0].usable_keys, 1);
}

#[tokio::test]
async fn the_first_hundred_keys_count() {
    let issuer = Issuer::start().await;
    let filling = |count: usize| (0..count).map(|n| json!({ "kty": "AKP", "kid": n.to_string() }));
    let holds = async |before: usize| {
        issuer.publish_jwks(filling(before).chain([issuer.key("es").jwk()]).collect());
        trusting(&issuer).verify(&issuer.draft("es").token(), Utc::now()).await.is_ok()
    };
    assert!(holds(99).await);
    assert!(!holds(100).await);
}
