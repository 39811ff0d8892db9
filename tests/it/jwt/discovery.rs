//! Issuers whose keys are found by their names, behind a CA of their own, or in a private network.

use chrono::Utc;
use serde_json::json;
use tenantry_auth::jwt::{IssuerOptions, Issuers, KeySource, Refused, Transport};
use tenantry_tests::{
    Log,
    issuer::{Behaviour, DISCOVERY, Issuer},
};

use super::until;

/// Trusts this issuer by its name alone.
fn by_name(issuer: &Issuer) -> IssuerOptions {
    IssuerOptions { keys: KeySource::Discovery, ..issuer.options() }
}

async fn verify(issuer: &Issuer, options: IssuerOptions) -> Result<(), Refused> {
    let issuers = Issuers::new(vec![options.clone()]).unwrap();
    let token = issuer.draft("es").claim("iss", options.issuer).token();
    issuers.verify(&token, Utc::now()).await.map(drop)
}

#[tokio::test]
async fn keys_are_found_by_the_name_of_their_issuer() {
    let issuer = Issuer::start().await;
    issuer.publish_discovery(&issuer.name, &format!("{}/keys", issuer.name));
    assert_eq!(verify(&issuer, by_name(&issuer)).await, Ok(()));
    assert_eq!(issuer.connections(), 2, "the document and the keys");
    // A slash at the end of the name is in the name, and not twice in the address.
    let slashed = IssuerOptions { issuer: format!("{}/realms/acme/", issuer.name), ..by_name(&issuer) };
    issuer.publish_discovery(&slashed.issuer, &format!("{}/keys", issuer.name));
    assert_eq!(verify(&issuer, slashed).await, Ok(()));
}

#[tokio::test]
async fn the_keys_may_be_at_another_host_as_those_of_google_are() {
    let (issuer, keys) = (Issuer::start().await, Issuer::with(vec![]).await);
    keys.publish(vec![issuer.key("es")]);
    issuer.publish_discovery(&issuer.name, &keys.jwks_url());
    assert_eq!(verify(&issuer, by_name(&issuer)).await, Ok(()));
    assert_eq!((issuer.connections(), keys.connections()), (1, 1));
}

#[tokio::test]
async fn the_document_of_an_issuer_in_every_directory_is_that_of_all() {
    let issuer = Issuer::start().await;
    let name = format!("{}/{{tenantid}}/v2.0", issuer.name);
    let document = json!({ "issuer": name, "jwks_uri": format!("{}/keys", issuer.name) }).to_string();
    issuer.behave(Behaviour::ByPath(vec![
        (format!("/common/v2.0{DISCOVERY}"), Behaviour::json(200, document)),
        ("/keys".to_owned(), Behaviour::json(200, json!({ "keys": [issuer.key("es").jwk()] }).to_string())),
    ]));
    let directory = "11111111-2222-4333-8444-555555555555";
    let issuers = Issuers::new(vec![IssuerOptions { issuer: name.clone(), ..by_name(&issuer) }]).unwrap();
    let token = issuer.draft("es").claim("iss", name.replace("{tenantid}", directory)).claim("tid", directory).token();
    assert!(issuers.verify(&token, Utc::now()).await.is_ok());
}

#[tokio::test]
async fn a_document_of_somebody_else_or_of_no_use_yields_no_keys_and_the_log_says_why() {
    let (log, _guard) = Log::listen();
    let issuer = Issuer::start().await;
    let elsewhere = Issuer::start().await;
    let keys = format!("{}/keys", issuer.name);
    let document = |issuer: &str, jwks_uri: &str| {
        Behaviour::json(200, json!({ "issuer": issuer, "jwks_uri": jwks_uri }).to_string())
    };
    let huge = Behaviour::json(200, format!("{{\"filling\":\"{}\"}}", "x".repeat(1 << 20)));
    let name = issuer.name.as_str();
    let cases = [
        (document(&format!("{name}/"), &keys), "which differs in the slash at the end"),
        (document("https://evil.test\u{1b}[31m", &keys), "is of another issuer, \\\"https://evil.test"),
        (document(name, "http://keys.example.com/keys"), "has a jwks_uri that must begin with https://"),
        (document(name, "http://10.0.0.1/keys"), "allow_http = true"),
        (document(name, "file:///etc/passwd"), "has a jwks_uri that"),
        (document(name, ""), "has a jwks_uri that"),
        (Behaviour::json(200, json!({ "issuer": name }).to_string()), "has no jwks_uri"),
        (Behaviour::json(200, json!({ "jwks_uri": keys }).to_string()), "has no issuer"),
        (Behaviour::json(200, "[]"), "has no issuer"),
        (Behaviour::json(200, "<html>"), "is not JSON"),
        (Behaviour::json(404, "{}"), "its discovery document: the response has status 404"),
        (huge, "more than 262144 bytes"),
        (Behaviour::Endless, "more than 262144 bytes"),
        (Behaviour::Redirect(elsewhere.jwks_url()), "status 302"),
        (Behaviour::Drop, "its discovery document: "),
    ];
    for (behaviour, words) in cases {
        let keys = json!({ "keys": [issuer.key("es").jwk()] }).to_string();
        issuer.behave(Behaviour::ByPath(vec![
            (DISCOVERY.to_owned(), behaviour.clone()),
            ("/keys".to_owned(), Behaviour::json(200, keys)),
        ]));
        let issuers = Issuers::new(vec![by_name(&issuer)]).unwrap();
        let refused = issuers.verify(&issuer.draft("es").token(), Utc::now()).await;
        assert_eq!(refused.map(drop), Err(Refused::NoKeys), "{behaviour:?}");
        until(|| issuers.states(Utc::now())[0].failing).await;
        let log = log.text();
        let last = log.lines().rev().find(|line| line.contains("could not fetch the keys")).unwrap();
        assert!(last.contains(words) && !last.contains('\u{1b}'), "{words}: {last}");
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn the_document_and_the_keys_together_take_no_longer_than_the_keys_alone_may() {
    let issuer = Issuer::start().await;
    for hang in [DISCOVERY, "/keys"] {
        let document = json!({ "issuer": issuer.name, "jwks_uri": format!("{}/keys", issuer.name) }).to_string();
        issuer.behave(Behaviour::ByPath(vec![
            (hang.to_owned(), Behaviour::Hang),
            (DISCOVERY.to_owned(), Behaviour::json(200, document)),
        ]));
        let issuers = Issuers::new(vec![by_name(&issuer)]).unwrap();
        let refused = issuers.verify(&issuer.draft("es").token(), Utc::now()).await;
        assert_eq!(refused.map(drop), Err(Refused::NoKeys));
        until(|| issuers.states(Utc::now())[0].failing).await;
    }
}

#[tokio::test]
async fn an_issuer_behind_an_authority_of_its_own_is_reached_with_its_ca_file() {
    let issuer = Issuer::start_secure().await;
    issuer.publish_discovery(&issuer.name, &format!("{}/keys", issuer.name));
    let certificates = std::fs::read(issuer.ca_file()).unwrap();
    let with = |certificates: Option<Vec<u8>>| IssuerOptions {
        transport: Transport { certificates, ..Transport::default() },
        ..by_name(&issuer)
    };
    assert_eq!(verify(&issuer, with(None)).await, Err(Refused::NoKeys), "nobody else knows it");
    assert_eq!(verify(&issuer, with(Some(certificates))).await, Ok(()));
    let other = Issuer::start_secure().await;
    let others = std::fs::read(other.ca_file()).unwrap();
    assert_eq!(verify(&issuer, with(Some(others))).await, Err(Refused::NoKeys));
    for none in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let faults = Issuers::new(vec![with(Some(none.into()))]).unwrap_err();
        assert!(faults.len() == 1 && faults[0].contains("its keys cannot be fetched"), "{faults:?}");
    }
}

#[test]
fn a_name_that_leads_nowhere_needs_an_address_for_its_keys() {
    let named = |issuer: &str, allow_http: bool| {
        let options = IssuerOptions {
            issuer: issuer.to_owned(),
            directories: None,
            audience: vec!["x".to_owned()],
            algorithms: tenantry_auth::jwt::Algorithm::DEFAULT.to_vec(),
            keys: KeySource::Discovery,
            transport: Transport { allow_http, ..Transport::default() },
            claims: tenantry_auth::jwt::ClaimOptions::default(),
            token_types: vec!["JWT".to_owned()],
            trusted_for: tenantry_domain::TrustedFor::default(),
        };
        Issuers::new(vec![options]).err().unwrap_or_default()
    };
    for good in
        ["https://id.test", "https://id.test/realms/acme", "https://login.test/{tenantid}/v2.0", "http://127.0.0.1:1"]
    {
        assert_eq!(named(good, false), [""; 0], "{good}");
    }
    for bad in ["acme", "accounts.google.com", "http://keycloak:8080", "https://id.test/?a=b", "https://u:p@id.test"] {
        assert_eq!(named(bad, false).len(), 1, "{bad}");
    }
    assert_eq!(named("http://keycloak:8080/realms/acme", true), [""; 0]);
    assert!(named("http://keycloak:8080/realms/acme", false)[0].contains("allow_http = true"));
    assert!(named("http://id.example.com/", true)[0].contains("private network"));
}
