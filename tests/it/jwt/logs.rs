//! What is logged, and what is not.

use chrono::Utc;
use serde_json::json;
use tenantry_tests::{Log, issuer::Issuer};

use super::{is_invalid, trusting, until};

#[tokio::test]
async fn the_log_knows_issuers_and_their_keys_and_nothing_of_tokens() {
    let (log, _guard) = Log::listen();
    let issuer = Issuer::start().await;
    issuer
        .publish_jwks(vec![issuer.key("es").jwk(), json!({ "kty": "oct", "k": "AAAA", "kid": "evil\u{1b}[31m\nkid" })]);
    let issuers = trusting(&issuer);
    let good = issuer.draft("es").claim("sub", "a-subject-nobody-logs").token();
    assert!(issuers.verify(&good, Utc::now()).await.is_ok());
    let long = format!("start-{}-end", "k".repeat(200));
    let unknown = issuer.draft("es").claim("sub", "a-subject-nobody-logs").header("kid", long).token();
    assert!(is_invalid(&issuers.verify(&unknown, Utc::now()).await));
    issuer.close().await;
    let later = Utc::now() + chrono::TimeDelta::minutes(5);
    assert!(issuers.verify(&issuer.draft("es").lives(later, 60).token(), later).await.is_ok());
    until(|| issuers.states(later)[0].failing).await;
    let log = log.text();
    for expected in [
        "fetched the keys of an issuer",
        "ignored a key of an issuer: it is private or symmetric",
        "an access token names an unknown key",
        "start-kkk",
        "could not fetch the keys of an issuer",
    ] {
        assert!(log.contains(expected), "{expected} in {log}");
    }
    for part in good.split('.').chain(unknown.split('.')) {
        assert!(!log.contains(&part[4..24]), "{log}");
    }
    assert!(!log.contains("nobody-logs") && !log.contains("-end") && !log.contains('\u{1b}'), "{log}");
    assert!(log.lines().all(|line| line.starts_with("20")), "no line is a stranger's: {log}");
}
