//! Keys that come and go, and those that never were.

use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use serde_json::json;
use tenantry_auth::jwt::{COOL_DOWN, REFRESH_AFTER, STALE_AFTER};
use tenantry_tests::issuer::{Issuer, SigningKey};

use super::{is_invalid, trusting, until};

#[tokio::test]
async fn a_new_key_works_with_its_first_token_and_costs_one_request() {
    let issuer = Issuer::start().await;
    let (issuers, now) = (trusting(&issuer), Utc::now());
    let old = issuer.draft("es").lives(now, 3600).token();
    assert!(issuers.verify(&old, now).await.is_ok());
    let new = Arc::new(SigningKey::p256("new"));
    issuer.publish(vec![issuer.key("es"), Arc::clone(&new)]);
    let token = issuer.draft("new").lives(now, 3600).token();
    let at_once: Vec<_> = (0..1000)
        .map(|_| {
            let (issuers, token) = (issuers.clone(), token.clone());
            tokio::spawn(async move { issuers.verify(&token, now).await })
        })
        .collect();
    for verified in at_once {
        assert!(verified.await.unwrap().is_ok());
    }
    assert_eq!(issuer.connections(), 2);
    assert!(issuers.verify(&old, now).await.is_ok());
}

#[tokio::test]
async fn the_first_thousand_tokens_cost_one_request() {
    let issuer = Issuer::start().await;
    let (issuers, now, token) = (trusting(&issuer), Utc::now(), issuer.token(json!({})));
    let at_once: Vec<_> = (0..1000)
        .map(|_| {
            let (issuers, token) = (issuers.clone(), token.clone());
            tokio::spawn(async move { issuers.verify(&token, now).await })
        })
        .collect();
    for verified in at_once {
        assert!(verified.await.unwrap().is_ok());
    }
    assert_eq!(issuer.connections(), 1);
}

#[tokio::test]
async fn a_withdrawn_key_is_refused_once_its_set_is_stale() {
    let issuer = Issuer::start().await;
    let (issuers, now) = (trusting(&issuer), Utc::now());
    let token = issuer.draft("es").lives(now, 3600).token();
    assert!(issuers.verify(&token, now).await.is_ok());
    issuer.publish(vec![issuer.key("es-2")]);
    let kept = issuer.draft("es-2").lives(now, 3600).token();
    assert!(issuers.verify(&token, now + REFRESH_AFTER - TimeDelta::seconds(1)).await.is_ok());
    assert_eq!(issuer.connections(), 1);
    assert!(is_invalid(&issuers.verify(&token, now + STALE_AFTER).await));
    assert!(issuers.verify(&kept, now + STALE_AFTER).await.is_ok());
    assert!(STALE_AFTER <= TimeDelta::minutes(5));
}

#[tokio::test]
async fn keys_are_renewed_in_the_background_before_anybody_waits() {
    let issuer = Issuer::start().await;
    let (issuers, now) = (trusting(&issuer), Utc::now());
    let token = issuer.draft("es").lives(now, 3600).token();
    assert!(issuers.verify(&token, now).await.is_ok());
    issuer.publish(vec![issuer.key("es-2")]);
    // The answer comes from the keys at hand; the request for newer ones is on its way.
    assert!(issuers.verify(&token, now + REFRESH_AFTER).await.is_ok());
    until(|| issuers.states(now)[0].fetched == 2).await;
    assert!(is_invalid(&issuers.verify(&token, now + REFRESH_AFTER).await));
    assert_eq!(issuers.states(now + REFRESH_AFTER)[0].age, Some(TimeDelta::zero()));
}

#[tokio::test]
async fn a_withdrawn_set_leaves_no_key() {
    let issuer = Issuer::start().await;
    let (issuers, now) = (trusting(&issuer), Utc::now());
    let token = issuer.draft("es").lives(now, 3600).token();
    assert!(issuers.verify(&token, now).await.is_ok());
    issuer.publish_jwks(vec![]);
    assert!(is_invalid(&issuers.verify(&token, now + STALE_AFTER).await));
    assert_eq!(issuers.states(now + STALE_AFTER)[0].usable_keys, 0);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_costs_one_request_in_a_cool_down_and_nobody_else_notices() {
    let issuer = Issuer::start().await;
    let (issuers, now) = (trusting(&issuer), Utc::now());
    let good = issuer.draft("es").lives(now, 3600).token();
    assert!(issuers.verify(&good, now).await.is_ok());
    let flood = async |now| {
        let unknown =
            (0..500).map(|n| issuer.draft("es").header("kid", format!("random-{n}")).lives(now, 3600).token());
        let at_once: Vec<_> = unknown
            .map(|token| {
                let issuers = issuers.clone();
                tokio::spawn(async move { issuers.verify(&token, now).await })
            })
            .collect();
        assert!(issuers.verify(&good, now).await.is_ok());
        for refused in at_once {
            assert!(is_invalid(&refused.await.unwrap()));
        }
    };
    flood(now).await;
    assert_eq!(issuer.connections(), 2);
    flood(now + COOL_DOWN - TimeDelta::seconds(1)).await;
    assert_eq!(issuer.connections(), 2);
    flood(now + COOL_DOWN).await;
    assert_eq!(issuer.connections(), 3);
}

#[tokio::test]
async fn a_first_token_with_an_unknown_key_costs_one_request() {
    let issuer = Issuer::start().await;
    let issuers = trusting(&issuer);
    assert!(is_invalid(&issuers.verify(&issuer.draft("es").header("kid", "unknown").token(), Utc::now()).await));
    assert_eq!(issuer.connections(), 1);
}

#[tokio::test]
async fn the_keys_of_one_issuer_do_not_count_for_another() {
    let (one, two) = (Issuer::start().await, Issuer::with(vec![Arc::new(SigningKey::p256("only"))]).await);
    let issuers = tenantry_auth::jwt::Issuers::new(vec![one.options(), two.options()]).unwrap();
    let verify = async |token: String| issuers.verify(&token, Utc::now()).await;
    assert!(verify(one.draft("es").token()).await.is_ok());
    assert!(verify(two.draft("only").token()).await.is_ok());
    assert!(is_invalid(&verify(one.draft("es").header("kid", "only").signed_by(two.key("only")).token()).await));
    assert!(is_invalid(&verify(two.draft("only").header("kid", "es").signed_by(one.key("es")).token()).await));
}
