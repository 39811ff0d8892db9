//! To the second: when a token begins and when it ends.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tenantry_auth::jwt::{LEEWAY, MAX_LIFETIME};
use tenantry_tests::issuer::Issuer;

use super::trusting;

/// Whether a token with these claims holds this many seconds after `then`.
struct Clock {
    issuer: Issuer,
    issuers: tenantry_auth::jwt::Issuers,
    then: DateTime<Utc>,
}

impl Clock {
    async fn start() -> Self {
        let issuer = Issuer::start().await;
        let issuers = trusting(&issuer);
        Self { issuer, issuers, then: DateTime::from_timestamp(1_900_000_000, 0).unwrap() }
    }

    async fn holds(&self, claims: Value, after: f64) -> bool {
        let token = self.issuer.draft("es").without("iat").claims(claims).token();
        let now = self.then + TimeDelta::milliseconds((after * 1000.0) as i64);
        self.issuers.verify(&token, now).await.is_ok()
    }

    fn at(&self, seconds: i64) -> i64 {
        self.then.timestamp() + seconds
    }
}

#[tokio::test]
async fn a_token_ends_at_exp_and_the_leeway() {
    let clock = Clock::start().await;
    let leeway = LEEWAY.num_seconds() as f64;
    assert_eq!(leeway, 30.0);
    for exp in [json!(clock.at(0)), json!(clock.at(0) as f64)] {
        let exp = json!({ "exp": exp });
        assert!(clock.holds(exp.clone(), -300.0).await);
        assert!(clock.holds(exp.clone(), leeway - 1.0).await);
        assert!(clock.holds(exp.clone(), leeway - 0.001).await);
        assert!(!clock.holds(exp.clone(), leeway).await);
        assert!(!clock.holds(exp, leeway + 1.0).await);
    }
    let fraction = json!({ "exp": clock.at(0) as f64 + 0.5 });
    assert!(clock.holds(fraction.clone(), leeway + 0.499).await);
    assert!(!clock.holds(fraction, leeway + 0.5).await);
}

#[tokio::test]
async fn a_token_begins_at_nbf_less_the_leeway() {
    let clock = Clock::start().await;
    let claims = json!({ "nbf": clock.at(0), "exp": clock.at(600) });
    assert!(!clock.holds(claims.clone(), -31.0).await);
    assert!(clock.holds(claims.clone(), -30.0).await);
    assert!(clock.holds(claims, 0.0).await);
}

#[tokio::test]
async fn a_token_from_the_future_is_refused() {
    let clock = Clock::start().await;
    let claims = json!({ "iat": clock.at(0), "exp": clock.at(600) });
    assert!(!clock.holds(claims.clone(), -31.0).await);
    assert!(clock.holds(claims.clone(), -30.0).await);
    assert!(clock.holds(claims, 0.0).await);
    assert!(clock.holds(json!({ "iat": clock.at(0), "exp": clock.at(0) }), 0.0).await);
    assert!(!clock.holds(json!({ "iat": clock.at(1), "exp": clock.at(0) }), 0.0).await);
}

#[tokio::test]
async fn no_token_lives_longer_than_a_day() {
    let clock = Clock::start().await;
    let day = MAX_LIFETIME.num_seconds();
    assert_eq!(day, 86_400);
    assert!(clock.holds(json!({ "iat": clock.at(0), "exp": clock.at(day) }), 0.0).await);
    assert!(!clock.holds(json!({ "iat": clock.at(0), "exp": clock.at(day + 1) }), 0.0).await);
    assert!(!clock.holds(json!({ "iat": clock.at(-10), "exp": clock.at(day) }), 0.0).await);
    let without_iat = json!({ "exp": clock.at(day + 30) });
    assert!(clock.holds(without_iat.clone(), 0.0).await);
    assert!(!clock.holds(without_iat, -1.0).await);
}

#[tokio::test]
async fn a_clock_that_jumps_changes_nothing_for_a_token_in_the_middle_of_its_life() {
    let clock = Clock::start().await;
    let claims = json!({ "iat": clock.at(-600), "nbf": clock.at(-600), "exp": clock.at(600) });
    for step in [0.0, 300.0, -300.0, 0.0, 300.0, -300.0] {
        assert!(clock.holds(claims.clone(), step).await, "{step}");
    }
    assert!(!clock.holds(claims.clone(), 900.0).await);
    assert!(!clock.holds(claims, -900.0).await);
}
