//! Claims that stand where the settings of their issuer say.

use chrono::Utc;
use serde_json::{Value, json};
use tenantry_auth::jwt::{ClaimOptions, EmailVerified, IssuerOptions, Issuers, VerifiedToken};
use tenantry_tests::issuer::{AUDIENCE, Issuer};

const TENANT: &str = "0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48";

/// An issuer, and how its claims are read.
struct Provider {
    issuer: Issuer,
    issuers: Issuers,
}

impl Provider {
    async fn start(claims: ClaimOptions) -> Self {
        let issuer = Issuer::start().await;
        let issuers = Issuers::new(vec![IssuerOptions { claims, ..issuer.options() }]).unwrap();
        Self { issuer, issuers }
    }

    /// What a token with these claims proves; a claim that is null is left out.
    async fn verify(&self, claims: Value) -> Result<VerifiedToken, String> {
        let draft =
            claims.as_object().unwrap().iter().fold(self.issuer.draft("es"), |draft, (name, value)| match value {
                Value::Null => draft.without(name),
                value => draft.claim(name, value.clone()),
            });
        self.issuers.verify(&draft.token(), Utc::now()).await.map_err(|refused| refused.to_string())
    }

    async fn tenant(&self, claims: Value) -> Result<Option<String>, String> {
        self.verify(claims).await.map(|token| token.tenant.map(|tenant| tenant.to_string()))
    }

    async fn email(&self, claims: Value) -> Option<String> {
        self.verify(claims).await.unwrap().email.ok()
    }
}

fn usual() -> ClaimOptions {
    ClaimOptions::default()
}

#[tokio::test]
async fn a_tenant_stands_under_its_name_or_inside_an_object() {
    let tenant = || Ok(Some(TENANT.to_owned()));
    for name in ["app_metadata.tenant_id", "/app_metadata/tenant_id"] {
        let provider = Provider::start(ClaimOptions { tenant: name.to_owned(), ..usual() }).await;
        assert_eq!(provider.tenant(json!({ "app_metadata": { "tenant_id": TENANT } })).await, tenant(), "{name}");
        assert_eq!(provider.tenant(json!({ name: TENANT })).await, tenant(), "{name}");
        let both = json!({ name: TENANT, "app_metadata": { "tenant_id": "not this one" } });
        assert_eq!(provider.tenant(both).await, tenant(), "as it is comes first: {name}");
        let both = json!({ name: "not a tenant", "app_metadata": { "tenant_id": TENANT } });
        assert!(provider.tenant(both).await.is_err(), "{name}");
        for none in [
            json!({}),
            json!({ "tenant_id": TENANT }),
            json!({ "app_metadata": TENANT }),
            json!({ "app_metadata": [TENANT] }),
        ] {
            assert_eq!(provider.tenant(none.clone()).await, Ok(None), "{name} {none}");
        }
    }
    for name in ["https://example.com/tenant_id", "custom:tenant_id", "extn.tenant_id", "urn:zitadel:iam:tenant"] {
        let provider = Provider::start(ClaimOptions { tenant: name.to_owned(), ..usual() }).await;
        assert_eq!(provider.tenant(json!({ name: TENANT })).await, tenant(), "{name}");
    }
}

#[tokio::test]
async fn a_list_of_one_is_what_stands_in_it_where_that_is_allowed() {
    let lists = [
        json!([TENANT]),
        json!([TENANT, TENANT]),
        json!([]),
        json!([[TENANT]]),
        json!([null]),
        json!([{ "id": TENANT }]),
    ];
    let strict = Provider::start(usual()).await;
    let lenient = Provider::start(ClaimOptions { lists_of_one: true, ..usual() }).await;
    for (index, list) in lists.into_iter().enumerate() {
        assert!(strict.tenant(json!({ "tenant_id": list })).await.is_err(), "{list}");
        let expected =
            if index == 0 { Ok(Some(TENANT.to_owned())) } else { Err("the tenant claim is not a UUID".to_owned()) };
        assert_eq!(lenient.tenant(json!({ "tenant_id": list })).await, expected, "{list}");
    }
    assert_eq!(lenient.tenant(json!({ "tenant_id": TENANT })).await, Ok(Some(TENANT.to_owned())));
    // The address of Entra's verified_primary_email is in a list; a subject never is.
    let claims = ClaimOptions {
        email: "verified_primary_email".to_owned(),
        email_verified: EmailVerified::Always,
        lists_of_one: true,
        ..usual()
    };
    let entra = Provider::start(claims).await;
    let email = async |claim: Value| entra.email(json!({ "verified_primary_email": claim })).await;
    assert_eq!(email(json!(["ada@example.com"])).await.as_deref(), Some("ada@example.com"));
    for none in [json!([]), json!(["ada@example.com", "eve@example.com"]), json!([1])] {
        assert_eq!(email(none.clone()).await, None, "{none}");
    }
    assert!(entra.verify(json!({ "sub": ["somebody"] })).await.is_err());
}

#[tokio::test]
async fn the_subject_is_the_claim_that_the_settings_name_and_no_other() {
    let provider = Provider::start(ClaimOptions { subject: "oid".to_owned(), ..usual() }).await;
    for sub in [json!("differs-per-app"), json!("another"), json!(null)] {
        let verified = provider.verify(json!({ "sub": sub, "oid": "the-same" })).await.unwrap();
        assert_eq!(verified.subject, "the-same");
    }
    for oid in [json!(null), json!(""), json!(1), json!("a\nb"), json!("x".repeat(256)), json!(["the-same"])] {
        assert!(provider.verify(json!({ "oid": oid })).await.is_err(), "sub does not stand in: {oid}");
    }
    let nested = Provider::start(ClaimOptions { subject: "identity.id".to_owned(), ..usual() }).await;
    assert_eq!(nested.verify(json!({ "identity": { "id": "inside" } })).await.unwrap().subject, "inside");
}

#[tokio::test]
async fn the_audience_can_be_the_client_and_aud_must_not_say_otherwise() {
    for claim in ["client_id", "azp", "cid", "appid"] {
        let provider = Provider::start(ClaimOptions { audience: claim.to_owned(), ..usual() }).await;
        let holds = async |claims: Value| provider.verify(claims).await.is_ok();
        assert!(holds(json!({ "aud": null, claim: AUDIENCE })).await, "{claim}");
        assert!(holds(json!({ "aud": [AUDIENCE, "another"], claim: AUDIENCE })).await, "{claim}");
        for wrong in [json!("another"), json!(null), json!(""), json!([AUDIENCE]), json!(1), json!({ "id": AUDIENCE })]
        {
            assert!(!holds(json!({ "aud": null, claim: wrong })).await, "{claim} {wrong}");
            assert!(!holds(json!({ "aud": AUDIENCE, claim: wrong })).await, "aud alone is not enough: {claim} {wrong}");
        }
        for other in [json!("another"), json!(["another"]), json!([]), json!(""), json!([AUDIENCE, 1])] {
            assert!(!holds(json!({ "aud": other, claim: AUDIENCE })).await, "{claim}, aud {other}");
        }
    }
    // Nobody's client counts where aud is meant.
    let usual = Provider::start(usual()).await;
    for claim in ["client_id", "azp"] {
        assert!(usual.verify(json!({ "aud": null, claim: AUDIENCE })).await.is_err(), "{claim}");
    }
}

#[tokio::test]
async fn an_address_counts_as_the_settings_of_its_issuer_say() {
    let address = "ada@example.com";
    let with = async |email: &str, verified: EmailVerified| {
        Provider::start(ClaimOptions { email: email.to_owned(), email_verified: verified, ..usual() }).await
    };
    let claim = |name: &str| EmailVerified::Claim(name.to_owned());
    let entra = with("email", claim("xms_edov")).await;
    let auth0 = with("https://example.com/email", claim("https://example.com/email_verified")).await;
    let always = with("email", EmailVerified::Always).await;
    let nested = with("contact.address", claim("/contact/confirmed")).await;
    let cases = [
        (&entra, json!({ "email": address, "xms_edov": true }), true),
        (&entra, json!({ "email": address, "xms_edov": "true" }), true),
        (&entra, json!({ "email": address, "xms_edov": "1" }), true),
        (&entra, json!({ "email": address, "xms_edov": "0" }), false),
        (&entra, json!({ "email": address, "xms_edov": "false" }), false),
        (&entra, json!({ "email": address, "xms_edov": false }), false),
        (&entra, json!({ "email": address, "email_verified": true }), false),
        (&entra, json!({ "email": address, "upn": address, "preferred_username": address }), false),
        (&auth0, json!({ "https://example.com/email": address, "https://example.com/email_verified": true }), true),
        (&auth0, json!({ "email": address, "email_verified": true }), false),
        (&auth0, json!({ "https://example.com/email": address, "email_verified": true }), false),
        (&always, json!({ "email": address }), true),
        (&always, json!({ "email": address, "email_verified": false }), true),
        (&always, json!({ "upn": address }), false),
        (&always, json!({}), false),
        (&nested, json!({ "contact": { "address": address, "confirmed": "TRUE" } }), true),
        (&nested, json!({ "contact": { "address": address, "confirmed": "yes" } }), false),
        (&nested, json!({ "contact": { "address": address }, "confirmed": true }), false),
    ];
    for (provider, claims, counts) in cases {
        assert_eq!(provider.email(claims.clone()).await.as_deref(), counts.then_some(address), "{claims}");
    }
}

#[tokio::test]
async fn a_key_on_p_384_signs_with_es384_and_with_nothing_else() {
    use std::sync::Arc;

    use tenantry_auth::jwt::Algorithm;
    use tenantry_tests::issuer::SigningKey;

    let issuer = Issuer::with(vec![Arc::new(SigningKey::p384("p384")), Arc::new(SigningKey::p256("p256"))]).await;
    let with = |algorithms: &[Algorithm]| {
        Issuers::new(vec![IssuerOptions { algorithms: algorithms.to_vec(), ..issuer.options() }]).unwrap()
    };
    let default = with(&Algorithm::DEFAULT);
    let holds = async |issuers: &Issuers, token: &str| issuers.verify(token, Utc::now()).await.is_ok();
    assert!(holds(&default, &issuer.draft("p384").token()).await);
    assert!(holds(&default, &issuer.draft("p256").token()).await);
    assert!(!holds(&with(&[Algorithm::Es256]), &issuer.draft("p384").token()).await);
    assert!(!holds(&default, &issuer.draft("p384").header("alg", "ES256").token()).await);
    let stolen = issuer.draft("p384").header("kid", "p256").token();
    assert!(!holds(&default, &stolen).await);
    let key = issuer.key("p384");
    let cut = issuer.draft("p384").signed(|message| key.sign(message)[..64].to_vec());
    assert!(!holds(&default, &cut).await);
}

#[tokio::test]
async fn a_token_with_very_many_roles_is_read_and_a_longer_one_is_called_so() {
    let provider = Provider::start(usual()).await;
    let roles = |count: usize| (0..count).map(|n| json!(format!("workspace-role-{n:06}"))).collect::<Vec<_>>();
    assert!(provider.verify(json!({ "roles": roles(400) })).await.is_ok());
    let refused = provider.verify(json!({ "roles": roles(800) })).await.unwrap_err();
    assert_eq!(refused, "the token is longer than 16384 bytes");
}
