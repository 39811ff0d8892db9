//! What the verification of one token costs, for each algorithm, on one thread and without HTTP.

use std::time::{Duration, Instant};

use chrono::Utc;
use serde_json::json;
use tenantry_auth::jwt::{Algorithm, HmacSecret, IssuerOptions, Issuers, KeySource};
use tenantry_tests::issuer::{Issuer, hmac};

use crate::report::say;

const SECRET: &str = "f3a1c47d0b9e86521d7e4c90ab38f65d";

pub(crate) async fn run(time: Duration) {
    let (issuer, sharing) = (Issuer::start().await, Issuer::start().await);
    let keys = KeySource::HmacSecret(HmacSecret::new(SECRET));
    let shared = IssuerOptions { algorithms: vec![Algorithm::Hs256], keys, ..sharing.options() };
    let issuers = Issuers::new(vec![issuer.options(), shared]).unwrap();
    let claims = json!({ "tenant_id": "0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48", "email": "ada@example.com", "email_verified": true });
    say!("verification of a token, one thread, {} s in all", time.as_secs());
    let time = time / 5;
    for kid in ["rs", "ps", "es", "ed"] {
        let token = issuer.draft(kid).claims(claims.clone()).token();
        measure(&issuers, issuer.key(kid).alg(), &token, time).await;
    }
    let draft = sharing.draft("es").claims(claims).header("alg", "HS256");
    let token = draft.signed(|message| hmac(SECRET.as_bytes(), message));
    measure(&issuers, "HS256", &token, time).await;
}

async fn measure(issuers: &Issuers, name: &str, token: &str, time: Duration) {
    issuers.verify(token, Utc::now()).await.unwrap();
    let (mut verified, began) = (0_u32, Instant::now());
    while began.elapsed() < time {
        issuers.verify(token, Utc::now()).await.unwrap();
        verified += 1;
    }
    say!("  {name}: {:.1} µs", began.elapsed().as_secs_f64() * 1e6 / f64::from(verified));
}
