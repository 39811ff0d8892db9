//! An issuer that shares a secret: HS256, and nothing but.

use chrono::Utc;
use tenantry_auth::jwt::{Algorithm, HmacSecret, IssuerOptions, Issuers, KeySource};
use tenantry_tests::issuer::{Draft, Issuer, hmac};

use super::is_invalid;

const SECRET: &str = "f3a1c47d0b9e86521d7e4c90ab38f65d";

fn options(issuer: &Issuer) -> IssuerOptions {
    let keys = KeySource::HmacSecret(HmacSecret::new(SECRET));
    IssuerOptions { algorithms: vec![Algorithm::Hs256], keys, ..issuer.options() }
}

#[tokio::test]
async fn a_token_holds_with_the_secret_and_with_no_other() {
    let issuer = Issuer::start().await;
    let issuers = Issuers::new(vec![options(&issuer)]).unwrap();
    let draft = issuer.draft("es").header("alg", "HS256");
    let verify = async |token: String| issuers.verify(&token, Utc::now()).await;
    let signed = |draft: &Draft, secret: &str| draft.signed(|message| hmac(secret.as_bytes(), message));
    assert!(verify(signed(&draft, SECRET)).await.is_ok());
    assert!(verify(signed(&draft.clone().without_header("kid"), SECRET)).await.is_ok());
    for other in ["", "secret", &SECRET[1..], &format!("{SECRET}x"), &SECRET.to_uppercase()] {
        assert!(is_invalid(&verify(signed(&draft, other)).await), "{other}");
    }
    let cut = draft.signed(|message| hmac(SECRET.as_bytes(), message)[..16].to_vec());
    assert!(is_invalid(&verify(cut).await), "half a signature");
    assert_eq!(issuer.connections(), 0, "there is nothing to ask for");
}

#[tokio::test]
async fn no_other_algorithm_is_accepted_of_it() {
    let issuer = Issuer::start().await;
    let issuers = Issuers::new(vec![options(&issuer)]).unwrap();
    for kid in ["rs", "ps", "es", "ed"] {
        assert!(is_invalid(&issuers.verify(&issuer.draft(kid).token(), Utc::now()).await), "{kid}");
    }
    for alg in ["none", "HS384", "HS512", "hs256", "RS256", "PS256", "ES256", "EdDSA"] {
        let draft = issuer.draft("es").header("alg", alg);
        let token = draft.signed(|message| hmac(SECRET.as_bytes(), message));
        assert!(is_invalid(&issuers.verify(&token, Utc::now()).await), "{alg}");
    }
}
