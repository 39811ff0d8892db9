//! Tokens that no issuer made: reading one ends, and nothing in it is understood in two ways.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::Value;

use super::{Algorithm, Issuers, header::Header, header::MediaType, strict_json, token::Token};

fn json() -> impl Strategy<Value = Value> {
    let text = "(alg|typ|kid|crit|b64|zip|jwk|iss|exp|ES256|none|JWT|at\\+jwt|application/at\\+jwt|\\PC{0,6})";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 30, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map(text, inner, 0..6).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// JSON as somebody else may write it: a member twice, broken off, with something behind it.
fn written() -> impl Strategy<Value = Vec<u8>> {
    (json(), any::<u8>(), 0_usize..200).prop_map(|(value, how, at)| {
        let mut bytes = value.to_string().into_bytes();
        match how % 4 {
            0 => bytes.truncate(at),
            1 if at < bytes.len() => bytes[at] = how,
            2 => bytes.extend_from_slice(&[how]),
            _ => {}
        }
        bytes
    })
}

proptest! {
    #[test]
    fn a_strict_object_is_the_object_that_everybody_reads(bytes in written()) {
        if let Some(object) = strict_json::object(&bytes) {
            prop_assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), Value::Object(object));
        }
    }

    #[test]
    fn a_header_is_taken_only_with_an_algorithm_of_the_issuer(bytes in written()) {
        let Some(object) = strict_json::object(&bytes) else { return Ok(()) };
        let types = [MediaType::jwt(), MediaType::new("at+jwt")];
        if let Ok(header) = Header::read(&object, &[Algorithm::Es256], &types) {
            prop_assert_eq!(header.algorithm, Algorithm::Es256);
            prop_assert_eq!(&object["alg"], "ES256");
            prop_assert!(!["crit", "b64", "zip"].iter().any(|name| object.contains_key(*name)));
            prop_assert!(header.kid.is_none_or(|kid| !kid.chars().any(char::is_control)));
        }
    }

    #[test]
    fn a_token_has_three_parts_to_the_letter(header in written(), payload in written(), extra in "[A-Za-z0-9_=+/. -]{0,6}") {
        let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let good = format!("{}.{}.{}", encoded(&header), encoded(&payload), encoded(b"x"));
        let is_good = strict_json::object(&header).is_some() && strict_json::object(&payload).is_some();
        prop_assert_eq!(Token::read(&good).is_ok(), is_good);
        for odd in [format!("{good}{extra}"), format!("{extra}{good}"), good.replace('.', &extra), extra.clone()] {
            if let Ok(token) = Token::read(&odd) {
                prop_assert_eq!(format!("{}.{}", token.message, token.signature), odd);
            }
        }
    }

    #[test]
    fn nobody_is_trusted_without_an_issuer(text in prop_oneof![any::<String>(), "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}"]) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        prop_assert!(runtime.block_on(Issuers::default().verify(&text, chrono::Utc::now())).is_err());
    }
}
