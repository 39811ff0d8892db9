//! Whose a token is: one issuer, or one in each directory; and what is said of those who are nobody.

use std::sync::Arc;

use chrono::Utc;
use serde_json::json;
use tenantry_auth::jwt::{IssuerOptions, Issuers, KeySource, Refused, UnknownIssuer};
use tenantry_tests::{
    App,
    issuer::{Draft, Issuer, SigningKey},
};

const ACME: &str = "11111111-2222-4333-8444-555555555555";
const BETA: &str = "aaaaaaaa-2222-4333-8444-555555555555";

fn template(issuer: &Issuer) -> IssuerOptions {
    IssuerOptions { issuer: format!("{}/{{tenantid}}/v2.0", issuer.name), ..issuer.options() }
}

/// A token of somebody in this directory.
fn of(issuer: &Issuer, directory: &str) -> Draft {
    issuer.draft("es").claim("iss", format!("{}/{directory}/v2.0", issuer.name)).claim("tid", directory)
}

async fn verify(issuers: &Issuers, draft: &Draft) -> Result<String, Refused> {
    issuers.verify(&draft.token(), Utc::now()).await.map(|token| token.issuer)
}

#[tokio::test]
async fn an_issuer_in_each_directory_is_told_apart_by_tid() {
    let issuer = Issuer::start().await;
    let issuers = Issuers::new(vec![template(&issuer)]).unwrap();
    for directory in [ACME, BETA] {
        let verified = verify(&issuers, &of(&issuer, directory)).await;
        assert_eq!(verified, Ok(format!("{}/{directory}/v2.0", issuer.name)), "each is an issuer of its own");
    }
    for tid in [
        json!(BETA),
        json!(null),
        json!([ACME]),
        json!(""),
        json!("{tenantid}"),
        json!(ACME.to_uppercase().replace('1', "A")),
    ] {
        let refused = verify(&issuers, &of(&issuer, ACME).claim("tid", tid.clone())).await;
        assert!(matches!(refused, Err(Refused::UnknownIssuer(_))), "{tid}: {refused:?}");
    }
    let without = verify(&issuers, &of(&issuer, ACME).without("tid")).await;
    assert!(matches!(without, Err(Refused::UnknownIssuer(_))), "{without:?}");
}

#[tokio::test]
async fn only_the_directories_in_the_settings_count_and_an_issuer_that_is_named_goes_first() {
    let (issuer, own) = (Issuer::start().await, Issuer::with(vec![Arc::new(SigningKey::p256("own"))]).await);
    let named = IssuerOptions { directories: Some(vec![ACME.parse().unwrap()]), ..template(&issuer) };
    let issuers = Issuers::new(vec![named]).unwrap();
    assert!(verify(&issuers, &of(&issuer, ACME)).await.is_ok());
    let refused = verify(&issuers, &of(&issuer, BETA)).await;
    assert_eq!(refused, Err(Refused::Invalid("tid is not one of the directories in the issuer's settings")));
    let exact = IssuerOptions { issuer: format!("{}/{BETA}/v2.0", issuer.name), ..own.options() };
    let issuers = Issuers::new(vec![template(&issuer), exact]).unwrap();
    let by_its_own_key = of(&issuer, BETA).signed_by(own.key("own")).header("kid", "own");
    assert!(verify(&issuers, &by_its_own_key).await.is_ok());
    assert!(verify(&issuers, &of(&issuer, BETA)).await.is_err());
    assert!(verify(&issuers, &of(&issuer, ACME)).await.is_ok());
}

#[tokio::test]
async fn a_key_that_is_published_for_one_directory_signs_for_no_other() {
    let issuer = Issuer::start().await;
    let jwk = |kid: &str, of: String| {
        let mut jwk = issuer.key(kid).jwk();
        jwk["issuer"] = of.into();
        jwk
    };
    issuer.publish_jwks(vec![
        jwk("es", format!("{}/{{tenantid}}/v2.0", issuer.name)),
        jwk("es-2", format!("https://elsewhere.test/{ACME}/v2.0")),
        issuer.key("ed").jwk(),
    ]);
    let issuers = Issuers::new(vec![template(&issuer)]).unwrap();
    let by = |kid: &str, directory: &str| {
        let key = issuer.key(kid);
        of(&issuer, directory).header("kid", kid).header("alg", key.alg()).signed_by(key)
    };
    for (kid, directory, holds) in
        [("es", ACME, true), ("es", BETA, true), ("ed", BETA, true), ("es-2", ACME, true), ("es-2", BETA, false)]
    {
        assert_eq!(verify(&issuers, &by(kid, directory)).await.is_ok(), holds, "{kid} {directory}");
    }
}

#[tokio::test]
async fn a_name_that_is_almost_right_is_said_to_be() {
    let issuer = Issuer::start().await;
    let options = IssuerOptions {
        issuer: "https://id.test/Realm/".to_owned(),
        keys: KeySource::JwksUrl(issuer.jwks_url()),
        ..issuer.options()
    };
    let issuers = Issuers::new(vec![options, template(&issuer)]).unwrap();
    let hint = async |iss: &str| {
        let refused = verify(&issuers, &of(&issuer, ACME).claim("iss", iss)).await;
        let Err(Refused::UnknownIssuer(UnknownIssuer { shown, near_miss })) = refused else { panic!("{refused:?}") };
        (shown, near_miss)
    };
    for (iss, word) in [
        ("https://id.test/Realm", "the slash at the end"),
        ("http://id.test/Realm/", "the scheme"),
        ("https://id.test/realm/", "upper and lower case"),
        (" https://id.test/Realm/", "white space"),
    ] {
        let (shown, near_miss) = hint(iss).await;
        let near_miss = near_miss.unwrap();
        assert!(
            shown == iss && near_miss.contains("\"https://id.test/Realm/\"") && near_miss.contains(word),
            "{near_miss}"
        );
    }
    let (_, near_miss) = hint(&format!("{}/{ACME}/v2.0/", issuer.name)).await;
    assert!(near_miss.unwrap().contains("{tenantid}/v2.0\" in the slash at the end"));
    assert_eq!(hint("https://id.test/").await, ("https://id.test/".to_owned(), None));
    let (shown, near_miss) = hint(&format!("https://evil.test/\n\u{1b}[31m\u{202e}{}", "x".repeat(5_000))).await;
    assert!(shown.chars().all(|c| c.is_ascii_graphic() || c == '…') && shown.chars().count() < 260, "{shown}");
    assert_eq!((near_miss, issuer.connections()), (None, 0));
}

#[tokio::test]
async fn a_token_that_is_too_long_is_told_so_in_words_of_its_own() {
    let issuer = Issuer::start().await;
    let app = App::trusting(vec![issuer.options()]).await;
    let roles: Vec<_> = (0..800).map(|n| format!("workspace-role-{n:06}")).collect();
    let token = issuer.token(json!({ "roles": roles }));
    assert!((16 << 10..32 << 10).contains(&token.len()));
    let client = app.client().with_key(&token);
    for answer in [client.get("/api/me").await, client.post("/api/invitations/accept", json!({ "token": "x" })).await] {
        assert_eq!((answer.status, &answer.body["code"]), (401, &json!("token_too_long")), "{}", answer.text);
        assert!(answer.text_of("error").contains("16 KiB"), "{}", answer.text);
    }
}
