//! Headers that ask for something else than what is done.

use serde_json::{Value, json};

use super::Named;
use crate::issuer::Trio;

pub(super) fn all(trio: &Trio) -> Named {
    let draft = trio.issuer.draft("es");
    let mut bad = Vec::new();
    let mut add = |name: &str, value: Value| {
        bad.push((format!("{name}: {:.60}", value.to_string()), draft.clone().header(name, value).token()));
    };
    for kid in [
        json!("unknown"),
        json!(""),
        json!("k".repeat(256)),
        json!("k".repeat(257)),
        json!("k".repeat(10 << 10)),
        json!(7),
        json!(null),
        json!(["es"]),
        json!({ "kid": "es" }),
        json!("ES"),
        json!("es "),
        json!("es\0"),
        json!("es\r\nSet-Cookie: a=b"),
        json!("../../etc/passwd"),
        json!("' or 1=1--"),
        json!("es'); DROP TABLE tenants;--"),
        json!("$(sleep 9)"),
        json!(trio.stranger.jwks_url()),
        json!("file:///etc/passwd"),
    ] {
        add("kid", kid);
    }
    for crit in [
        json!(["exp"]),
        json!(["unknown"]),
        json!(["b64"]),
        json!([]),
        json!("exp"),
        json!(null),
        json!(["alg"]),
        json!({}),
    ] {
        add("crit", crit);
    }
    for typ in [
        json!("dpop+jwt"),
        json!("logout+jwt"),
        json!("secevent+jwt"),
        json!("id+jwt"),
        json!("rt+jwt"),
        json!("JWS"),
        json!("JWE"),
        json!("application/application/jwt"),
        json!("text/jwt"),
        json!("jwt; charset=utf-8"),
        json!(" JWT"),
        json!(""),
        json!(null),
        json!(["JWT"]),
        json!(1),
    ] {
        add("typ", typ);
    }
    for alg in [json!(null), json!(["ES256"]), json!(1), json!({ "ES256": true })] {
        add("alg", alg);
    }
    for (name, value) in
        [("zip", json!("DEF")), ("zip", json!(null)), ("b64", json!(true)), ("b64", json!(false)), ("b64", json!(null))]
    {
        add(name, value);
    }
    bad.push(("no alg".to_owned(), draft.clone().without_header("alg").token()));
    bad.push(("no kid, and two keys of the algorithm".to_owned(), draft.clone().without_header("kid").token()));
    let b64 = draft.clone().header("b64", false).header("crit", json!(["b64"]));
    bad.push(("an unencoded payload".to_owned(), b64.token()));
    for (name, draft) in trio.pointed_elsewhere() {
        bad.push((format!("{name}, and signed by that key"), draft.signed_by(trio.stranger.key("es")).token()));
    }
    bad
}
