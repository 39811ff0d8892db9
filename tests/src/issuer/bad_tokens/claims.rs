//! Claims that are missing, of the wrong type, for somebody else, of another time, or of another kind of token.

use serde_json::{Value, json};

use super::Named;
use crate::issuer::{AUDIENCE, Draft, Trio, trio::later};

pub(super) fn all(trio: &Trio) -> Named {
    let mut bad = Vec::new();
    for claim in ["iss", "aud", "sub", "exp"] {
        bad.push((format!("no {claim}"), trio.issuer.draft("es").without(claim).token()));
    }
    for (claim, values) in [
        ("iss", iss(&trio.issuer.name)),
        ("aud", aud()),
        ("sub", sub()),
        ("tenant_id", tenant()),
        ("exp", exp()),
        ("nbf", vec![json!(later(120)), json!("0"), json!(null), json!(-1), json!([0]), json!(1e300)]),
        ("iat", vec![json!(later(120)), json!("0"), json!(null), json!(-1), json!({}), json!(later(3600))]),
    ] {
        for value in values {
            let name = format!("{claim}: {:.80}", value.to_string());
            bad.push((name, trio.issuer.draft("es").claim(claim, value).token()));
        }
    }
    bad.extend(lifetimes(trio));
    bad.extend(other_kinds(&trio.issuer.draft("es")));
    bad
}

fn iss(name: &str) -> Vec<Value> {
    let port = name.rsplit(':').next().unwrap_or_default();
    vec![
        json!(format!("{name}/")),
        json!(format!("{name}/other")),
        json!(name.to_uppercase()),
        json!(name.replace("http://", "https://")),
        json!(name.replace("127.0.0.1", "localhost")),
        json!(name.replacen("1", "\u{ff11}", 1)),
        json!(format!("http://127.0.0.1@evil.test:{port}")),
        json!(format!("http://evil.test@127.0.0.1:{port}")),
        json!(format!("{name} ")),
        json!(format!("{name}\0")),
        json!(&name[..name.len() - 1]),
        json!([name]),
        json!({ "iss": name }),
        json!(""),
        json!(null),
        json!(7),
    ]
}

fn aud() -> Vec<Value> {
    let many = |count: usize| json!((0..count).map(|_| "a").chain([AUDIENCE]).collect::<Vec<_>>());
    vec![
        json!("https://elsewhere.test/api"),
        json!(&AUDIENCE[..AUDIENCE.len() - 1]),
        json!(format!("{AUDIENCE}/")),
        json!(AUDIENCE.to_uppercase()),
        json!(format!("{AUDIENCE} other")),
        json!(7),
        json!({ AUDIENCE: true }),
        json!([1, 2]),
        json!([]),
        json!([[AUDIENCE]]),
        json!([AUDIENCE, 1]),
        json!([AUDIENCE, null]),
        json!(""),
        json!(null),
        json!(true),
        many(100),
        many(1000),
    ]
}

fn sub() -> Vec<Value> {
    vec![
        json!(""),
        json!("s".repeat(256)),
        json!("some\nbody"),
        json!("somebody\0"),
        json!("some\u{85}body"),
        json!("\u{7f}"),
        json!(7),
        json!(null),
        json!(["somebody"]),
        json!({}),
    ]
}

fn tenant() -> Vec<Value> {
    let id = "0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48";
    vec![
        json!(null),
        json!(""),
        json!("acme"),
        json!(7),
        json!([id]),
        json!({ "id": id }),
        json!(true),
        json!(id.replace('-', "")),
        json!(format!("{{{id}}}")),
        json!(format!("urn:uuid:{id}")),
        json!(format!("{id} ")),
    ]
}

fn exp() -> Vec<Value> {
    vec![
        json!(later(-3600)),
        json!(later(-90)),
        json!(later(300).to_string()),
        json!(-1),
        json!(0),
        json!(-0.5),
        json!(1_u64 << 53),
        json!(1_u64 << 63),
        json!(u64::MAX),
        json!(1.8e19),
        json!(1e300),
        json!(null),
        json!([later(300)]),
        json!({}),
        json!(true),
    ]
}

fn lifetimes(trio: &Trio) -> Named {
    let draft = || trio.issuer.draft("es");
    let raw = |exp: &str| {
        let payload = draft().payload_json();
        let good = payload.split("\"exp\":").nth(1).unwrap().split([',', '}']).next().unwrap().to_owned();
        draft().raw(draft().header_json(), payload.replace(&format!("\"exp\":{good}"), &format!("\"exp\":{exp}")))
    };
    vec![
        ("lives longer than a day".to_owned(), draft().lives(chrono::Utc::now(), 86_401).token()),
        ("lives a year".to_owned(), draft().lives(chrono::Utc::now(), 31_536_000).token()),
        ("lives long, without iat".to_owned(), draft().without("iat").claim("exp", later(86_400 + 3_600)).token()),
        ("iat after exp".to_owned(), draft().claims(json!({ "iat": later(20), "exp": later(10) })).token()),
        ("expired, by a fraction".to_owned(), draft().claim("exp", later(-60) as f64 + 0.5).token()),
        ("exp 1e400".to_owned(), raw("1e400")),
        ("exp 2^64".to_owned(), raw("18446744073709551616")),
        ("exp NaN".to_owned(), raw("NaN")),
        ("exp with a leading zero".to_owned(), raw(&format!("0{}", later(300)))),
        ("exp in hex".to_owned(), raw("0x7fffffff")),
        ("exp with a plus".to_owned(), raw(&format!("+{}", later(300)))),
    ]
}

fn other_kinds(draft: &Draft) -> Named {
    let claims = [
        ("nonce", json!("n")),
        ("at_hash", json!("h")),
        ("c_hash", json!("h")),
        ("s_hash", json!("h")),
        ("events", json!({ "http://schemas.openid.net/event/backchannel-logout": {} })),
        ("cnf", json!({ "jkt": "thumbprint" })),
        ("typ", json!("ID")),
        ("typ", json!("Refresh")),
        ("typ", json!("Offline")),
        ("typ", json!("DPoP")),
        ("typ", json!("Logout")),
        ("typ", json!(null)),
        ("token_use", json!("id")),
        ("token_use", json!(["access"])),
        ("token_type", json!("refresh")),
    ];
    let named = |(name, value): (&str, Value)| {
        let title = format!("of another kind, by {name}: {value}");
        (title, draft.clone().claim(name, value).token())
    };
    claims.into_iter().map(named).collect()
}
