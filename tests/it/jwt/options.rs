//! Issuers that are not accepted as settings.

use tenantry_auth::jwt::{Algorithm, ClaimOptions, HmacSecret, IssuerOptions, Issuers, KeySource, Transport};
use tenantry_domain::TrustedFor;

fn options(issuer: &str) -> IssuerOptions {
    IssuerOptions {
        issuer: issuer.to_owned(),
        directories: None,
        audience: vec!["https://api.test".to_owned()],
        algorithms: vec![Algorithm::Rs256],
        keys: KeySource::JwksUrl("https://id.test/jwks".to_owned()),
        transport: Transport::default(),
        claims: ClaimOptions::default(),
        token_types: vec!["JWT".to_owned()],
        trusted_for: TrustedFor::default(),
    }
}

fn secret(secret: &str) -> IssuerOptions {
    let keys = KeySource::HmacSecret(HmacSecret::new(secret));
    IssuerOptions { algorithms: vec![Algorithm::Hs256], keys, ..options("https://id.test") }
}

fn faults(options: Vec<IssuerOptions>) -> Vec<String> {
    Issuers::new(options).err().unwrap_or_default()
}

#[test]
fn good_options_are_accepted() {
    assert_eq!(faults(vec![]), [""; 0]);
    let strong = secret("0f1e2d3c4b5a69788796a5b4c3d2e1f0");
    assert_eq!(
        faults(vec![options("a"), options("https://b.test/"), IssuerOptions { issuer: "c".to_owned(), ..strong }]),
        [""; 0]
    );
}

#[test]
fn all_faults_are_named_together_with_their_issuer() {
    let bare = IssuerOptions {
        issuer: String::new(),
        directories: None,
        audience: vec![],
        algorithms: vec![],
        keys: KeySource::JwksUrl("ftp://id.test".to_owned()),
        transport: Transport::default(),
        claims: ClaimOptions { tenant: String::new(), ..ClaimOptions::default() },
        token_types: vec![],
        trusted_for: TrustedFor::default(),
    };
    let found = faults(vec![options("twice"), bare, options("twice")]);
    let expected = [
        "The issuer \"\": its name must not be empty or contain spaces.",
        "The issuer \"\": it needs at least one audience.",
        "The issuer \"\": it needs at least one algorithm.",
        "The issuer \"\": it needs at least one token type.",
        "The issuer \"\": the tenant claim must not be empty or contain spaces.",
        "The issuer \"\": the JWKS URL must begin with https:// (http:// is allowed only for this machine).",
        "The issuer \"twice\": it is configured twice.",
    ];
    assert_eq!(found, expected);
}

#[test]
fn only_safe_addresses_of_keys_are_accepted() {
    let with = |url: &str| faults(vec![IssuerOptions { keys: KeySource::JwksUrl(url.to_owned()), ..options("a") }]);
    for good in
        ["https://id.test/jwks?version=2", "http://localhost:1/", "http://127.8.9.1/jwks", "http://[::1]:8080/jwks"]
    {
        assert_eq!(with(good), [""; 0], "{good}");
    }
    let bad = [
        "",
        "id.test/jwks",
        "/jwks",
        "http://id.test/jwks",
        "http://169.254.169.254/",
        "http://10.0.0.1/",
        "http://0.0.0.0/",
        "http://localhost.evil.test/",
        "http://[::ffff:10.0.0.1]/",
        "ftp://id.test/",
        "file:///etc/passwd",
        "data:application/json,{}",
        "https://user@id.test/",
        "https://user:password@id.test/",
        "https://id.test/#keys",
    ];
    for bad in bad {
        assert_eq!(with(bad).len(), 1, "{bad}");
    }
}

#[test]
fn an_algorithm_goes_with_its_kind_of_key() {
    let with = |algorithms: &[Algorithm], options: IssuerOptions| {
        faults(vec![IssuerOptions { algorithms: algorithms.to_vec(), ..options }]).len()
    };
    let strong = || secret("0f1e2d3c4b5a69788796a5b4c3d2e1f0");
    assert_eq!(with(&Algorithm::DEFAULT, options("a")), 0);
    assert_eq!(with(&[Algorithm::Hs256], strong()), 0);
    assert_eq!(with(&[Algorithm::Hs256], options("a")), 1);
    assert_eq!(with(&[Algorithm::Rs256, Algorithm::Hs256], options("a")), 1);
    assert_eq!(with(&[Algorithm::Rs256], strong()), 1);
    assert_eq!(with(&[Algorithm::Hs256, Algorithm::Es256], strong()), 1);
    for name in ["", "none", "rs256", "RS384", "HS512", "EDDSA"] {
        assert!(name.parse::<Algorithm>().is_err(), "{name}");
    }
    assert!(Algorithm::ALL.into_iter().all(|algorithm| algorithm.name().parse() == Ok(algorithm)));
}

#[test]
fn a_weak_secret_is_refused_and_not_shown() {
    let weak = [
        "",
        "secret",
        "0f1e2d3c4b5a69788796a5b4c3d2e1f",
        "secretsecretsecretsecretsecretsecret",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "abababababababababababababababab",
        "0f1e2d3c4b5a69780f1e2d3c4b5a6978",
        "0123456789abcdefghi0123456789abcdefghi01234",
        "my-very-long-and-clever-Secret-1234567890",
        "Password-0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "changeme-0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "aaaabbbbccccddddeeeeffffgggggggg",
    ];
    for weak in weak {
        let found = faults(vec![secret(weak)]);
        assert_eq!(found.len(), 1, "{weak}: {found:?}");
        assert!(weak.len() < 8 || !found[0].contains(weak), "{found:?}");
    }
    assert!(!format!("{:?}", secret("0f1e2d3c4b5a69788796a5b4c3d2e1f0")).contains("0f1e"));
    let issuers = Issuers::new(vec![secret("0f1e2d3c4b5a69788796a5b4c3d2e1f0")]).unwrap();
    assert!(!format!("{issuers:?}").contains("0f1e"));
}

#[test]
fn a_claim_with_a_meaning_of_its_own_cannot_name_the_tenant() {
    for taken in ["sub", "iss", "email", "", "tenant id", "user_metadata.tenant"] {
        let claims = ClaimOptions { tenant: taken.to_owned(), ..ClaimOptions::default() };
        let options = IssuerOptions { claims, ..options("a") };
        assert_eq!(faults(vec![options]).len(), 1, "{taken}");
    }
    for (audience, types) in [("", "JWT"), ("a b", "JWT"), ("a", ""), ("a", "J WT")] {
        let options =
            IssuerOptions { audience: vec![audience.to_owned()], token_types: vec![types.to_owned()], ..options("a") };
        assert_eq!(faults(vec![options]).len(), 1, "{audience:?} {types:?}");
    }
}
