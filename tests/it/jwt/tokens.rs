//! Good tokens and bad ones, as of now.

use chrono::{DateTime, Utc};
use serde_json::json;
use tenantry_auth::jwt::{Issuers, Refused, VerifiedToken};
use tenantry_tests::issuer::{AUDIENCE, Issuer, Trio};

use super::{is_invalid, trusting};

#[tokio::test]
async fn every_good_token_is_accepted() {
    let trio = Trio::start().await;
    let issuers = Issuers::new(trio.options()).unwrap();
    for (name, token) in trio.good_tokens() {
        let verified = issuers.verify(&token, Utc::now()).await;
        assert_eq!(verified.map(|token| token.issuer), Ok(trio.issuer.name.clone()), "{name}");
    }
    assert!(issuers.verify(&trio.other.token(json!({})), Utc::now()).await.is_ok());
    assert_eq!(trio.stranger.connections(), 0, "nobody asks an issuer that is not trusted");
}

#[tokio::test]
async fn every_bad_token_is_refused_and_costs_no_more_than_one_look_for_an_unknown_key() {
    let trio = Trio::start().await;
    let issuers = Issuers::new(trio.options()).unwrap();
    let good = trio.issuer.token(json!({}));
    assert!(issuers.verify(&good, Utc::now()).await.is_ok());
    for (name, token) in trio.bad_tokens() {
        let result = issuers.verify(&token, Utc::now()).await;
        assert!(is_invalid(&result), "{name}: {result:?}");
    }
    assert!(issuers.verify(&good, Utc::now()).await.is_ok());
    assert_eq!((trio.issuer.connections(), trio.other.connections()), (2, 1));
    assert_eq!(trio.stranger.connections(), 0);
}

#[tokio::test]
async fn what_no_header_could_carry_is_refused_too() {
    let issuer = Issuer::start().await;
    let issuers = trusting(&issuer);
    let good = issuer.token(json!({}));
    let (head, tail) = good.split_at(good.len() / 2);
    let broken = [
        format!("{good}\n"),
        format!("\n{good}"),
        format!("{head}\r\n{tail}"),
        format!("{head}\0{tail}"),
        format!("{head}é{tail}"),
        format!("\u{feff}{good}"),
        String::new(),
        "a".repeat(64 << 10),
        format!("{good}{}", "A".repeat(64 << 10)),
        ".".repeat(1 << 20),
        issuer.draft("es").claim("sub", "s".repeat(1 << 20)).token(),
    ];
    for token in broken {
        assert!(is_invalid(&issuers.verify(&token, Utc::now()).await), "{token:.80}");
    }
    assert_eq!(issuer.connections(), 0, "none of them is worth a look at the keys");
    assert!(issuers.verify(&good, Utc::now()).await.is_ok());
}

#[tokio::test]
async fn a_token_proves_what_it_says() {
    let issuer = Issuer::start().await;
    let issuers = trusting(&issuer);
    let tenant = "0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48";
    let token = issuer.token(json!({
        "sub": "auth0|Ünï çode",
        "tenant_id": tenant.to_uppercase(),
        "email": "ada@example.com",
        "email_verified": true,
        "exp": 2_000_000_100,
        "iat": 2_000_000_000,
    }));
    let now = DateTime::from_timestamp(2_000_000_010, 0).unwrap();
    let expected = VerifiedToken {
        issuer: issuer.name.clone(),
        subject: "auth0|Ünï çode".to_owned(),
        tenant: Some(tenant.parse().unwrap()),
        email: Ok("ada@example.com".to_owned()),
        trusted_for: tenantry_domain::TrustedFor::default(),
        expires_at: DateTime::from_timestamp(2_000_000_100, 0).unwrap(),
    };
    assert_eq!(issuers.verify(&token, now).await, Ok(expected));
}

#[tokio::test]
async fn an_address_counts_only_when_the_issuer_verified_it() {
    let issuer = Issuer::start().await;
    let issuers = trusting(&issuer);
    let address = "ada@example.com";
    let plain = [
        (json!({ "email": address, "email_verified": true }), Some(address)),
        (json!({ "email": address, "email_verified": false }), None),
        (json!({ "email": address, "email_verified": "true" }), Some(address)),
        (json!({ "email": address, "email_verified": "True" }), Some(address)),
        (json!({ "email": address, "email_verified": "false" }), None),
        (json!({ "email": address, "email_verified": "" }), None),
        (json!({ "email": address, "email_verified": [true] }), None),
        (json!({ "email": address, "email_verified": 1 }), None),
        (json!({ "email": address, "email_verified": null }), None),
        (json!({ "email": address }), None),
        (json!({ "email_verified": true }), None),
        (json!({ "email": [address], "email_verified": true }), None),
        (json!({ "email": "ada@example.com\nbcc: eve@example.com", "email_verified": true }), None),
        (json!({ "email": "a".repeat(255), "email_verified": true }), None),
    ];
    for (claims, expected) in plain {
        let verified = issuers.verify(&issuer.token(claims.clone()), Utc::now()).await.unwrap();
        assert_eq!(verified.email.as_deref().ok(), expected, "{claims}");
    }
}

#[tokio::test]
async fn the_tenant_claim_can_have_another_name() {
    let issuer = Issuer::start().await;
    let mut options = issuer.options();
    options.claims.tenant = "https://tenantry.test/tenant".to_owned();
    let issuers = Issuers::new(vec![options]).unwrap();
    let tenant = "0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48";
    let verify = async |claims| issuers.verify(&issuer.token(claims), Utc::now()).await.map(|token| token.tenant);
    assert_eq!(verify(json!({ "https://tenantry.test/tenant": tenant })).await, Ok(Some(tenant.parse().unwrap())));
    assert_eq!(verify(json!({ "tenant_id": "anything" })).await, Ok(None));
    assert!(is_invalid(&verify(json!({ "https://tenantry.test/tenant": "acme" })).await));
}

#[tokio::test]
async fn each_issuer_has_its_own_audiences_types_and_algorithms() {
    let (one, two) = (Issuer::start().await, Issuer::with(vec![]).await);
    two.publish(vec![one.key("es"), one.key("ed")]);
    let (mut first, mut second) = (one.options(), two.options());
    first.audience.push("https://second.test".to_owned());
    first.token_types = vec!["application/AT+JWT".to_owned()];
    second.algorithms.retain(|algorithm| algorithm.name() == "EdDSA");
    let issuers = Issuers::new(vec![first, second]).unwrap();
    let holds = async |token: String| issuers.verify(&token, Utc::now()).await.is_ok();
    assert!(holds(one.draft("es").claim("aud", "https://second.test").token()).await);
    assert!(holds(one.draft("es").claim("aud", AUDIENCE).token()).await);
    assert!(!holds(two.draft("ed").claim("aud", "https://second.test").token()).await);
    assert!(!holds(one.draft("es").header("typ", "JWT").token()).await);
    assert!(!holds(one.draft("es").without_header("typ").token()).await, "a token without typ is a JWT");
    assert!(holds(two.draft("ed").header("typ", "JWT").token()).await);
    assert!(holds(one.draft("es").token()).await);
    assert!(!holds(two.draft("es").token()).await, "an algorithm that is not the issuer's");
}

#[tokio::test]
async fn without_issuers_no_token_holds() {
    let issuer = Issuer::start().await;
    let result = Issuers::none().verify(&issuer.token(json!({})), Utc::now()).await;
    assert!(matches!(result, Err(Refused::UnknownIssuer(_))), "{result:?}");
    assert_eq!(issuer.connections(), 0);
}
