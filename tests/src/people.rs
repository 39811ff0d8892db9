//! People with access tokens of an issuer that every service of the kit trusts.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::Utc;
use serde_json::{Value, json};
use tenantry_auth::jwt::{
    Algorithm, ClaimOptions, DEFAULT_TENANT_CLAIM, DEFAULT_TOKEN_TYPES, HmacSecret, IssuerOptions, KeySource, Transport,
};
use tenantry_domain::{TenantId, TrustedFor};
use uuid::Uuid;

use crate::issuer::{AUDIENCE, encoded, hmac};

/// The issuer, by the secret that it shares with one service.
#[derive(Clone)]
pub struct People(String);

impl People {
    /// What the issuer calls itself.
    pub const ISSUER: &str = "https://login.tenantry.test/";

    /// One with a secret of its own.
    pub fn new() -> Self {
        Self(STANDARD.encode([Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7()].map(Uuid::into_bytes).concat()))
    }

    /// How a service trusts it.
    pub fn options(&self) -> IssuerOptions {
        IssuerOptions {
            issuer: Self::ISSUER.to_owned(),
            directories: None,
            audience: vec![AUDIENCE.to_owned()],
            algorithms: vec![Algorithm::Hs256],
            keys: KeySource::HmacSecret(HmacSecret::new(self.0.as_bytes())),
            transport: Transport::default(),
            claims: ClaimOptions::default(),
            token_types: DEFAULT_TOKEN_TYPES.map(str::to_owned).to_vec(),
            trusted_for: TrustedFor::default(),
        }
    }

    /// The address of the person with this subject.
    pub fn email(subject: &str) -> String {
        format!("{}@people.tenantry.test", subject.to_lowercase().replace(' ', "."))
    }

    /// A token of this person for this tenant, good for five minutes, with these claims added or replaced.
    pub fn token(&self, subject: &str, tenant: Option<TenantId>, more: Value) -> String {
        let now = Utc::now().timestamp();
        let mut claims = json!({
            "iss": Self::ISSUER, "sub": subject, "aud": AUDIENCE, "iat": now, "exp": now + 300,
            "email": Self::email(subject), "email_verified": true,
        });
        if let Some(claims) = claims.as_object_mut() {
            claims.extend(tenant.map(|tenant| (DEFAULT_TENANT_CLAIM.to_owned(), json!(tenant.to_string()))));
            claims.extend(more.as_object().cloned().unwrap_or_default());
        }
        let message = format!("{}.{}", encoded(r#"{"alg":"HS256","typ":"at+jwt"}"#), encoded(claims.to_string()));
        let signature = encoded(hmac(self.0.as_bytes(), message.as_bytes()));
        format!("{message}.{signature}")
    }
}

impl Default for People {
    fn default() -> Self {
        Self::new()
    }
}
