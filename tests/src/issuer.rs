//! An identity provider on a port of its own: publishes keys, makes tokens, and misbehaves when it is told to.

mod bad_tokens;
mod draft;
mod keys;
mod server;
mod trio;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tenantry_auth::jwt::{Algorithm, ClaimOptions, DEFAULT_TOKEN_TYPES, IssuerOptions, KeySource, Transport};
use tenantry_domain::TrustedFor;

use self::server::Server;
pub use self::{
    draft::Draft,
    keys::{Signing, SigningKey, hmac},
    server::Behaviour,
    trio::Trio,
};
use crate::smtp::certificates::Certificates;

/// What the tokens of the kit are for.
pub const AUDIENCE: &str = "https://tenantry.test/api";

/// Where discovery documents are.
pub const DISCOVERY: &str = "/.well-known/openid-configuration";

/// A running identity provider.
pub struct Issuer {
    /// `iss`, which is also its address.
    pub name: String,
    server: Server,
    keys: Mutex<Vec<Arc<SigningKey>>>,
}

impl Issuer {
    /// One that publishes `rs`, `ps`, `ed`, and the two keys `es` and `es-2`.
    pub async fn start() -> Self {
        let keys = [
            SigningKey::rsa("rs", Signing::Rs256),
            SigningKey::rsa("ps", Signing::Ps256),
            SigningKey::p256("es"),
            SigningKey::p256("es-2"),
            SigningKey::ed25519("ed"),
        ];
        Self::with(keys.map(Arc::new).to_vec()).await
    }

    /// One that publishes these keys.
    pub async fn with(keys: Vec<Arc<SigningKey>>) -> Self {
        Self::on(Server::start(None).await, keys)
    }

    /// One that speaks `https`, with a certificate of an authority that only [`Issuer::ca_file`] knows.
    pub async fn start_secure() -> Self {
        Self::on(Server::start(Some(Certificates::new())).await, vec![Arc::new(SigningKey::p256("es"))])
    }

    fn on(server: Server, keys: Vec<Arc<SigningKey>>) -> Self {
        let issuer = Self { name: server.base(), server, keys: Mutex::default() };
        issuer.publish(keys);
        issuer
    }

    /// The file with the authority of its certificate.
    #[track_caller]
    pub fn ca_file(&self) -> PathBuf {
        self.server.ca_file().expect("an issuer with https")
    }

    /// Publishes a discovery document of the issuer with this name, which says that its keys are there, and its keys everywhere else.
    pub fn publish_discovery(&self, issuer: &str, jwks_uri: &str) {
        let jwks: Vec<Value> = self.keys.lock().unwrap().iter().map(|key| key.jwk()).collect();
        self.behave(Behaviour::ByPath(vec![
            (DISCOVERY.to_owned(), Behaviour::json(200, json!({ "issuer": issuer, "jwks_uri": jwks_uri }).to_string())),
            (String::new(), Behaviour::json(200, json!({ "keys": jwks }).to_string())),
        ]));
    }

    /// Publishes these keys from now on.
    pub fn publish(&self, keys: Vec<Arc<SigningKey>>) {
        self.publish_jwks(keys.iter().map(|key| key.jwk()).collect());
        *self.keys.lock().unwrap() = keys;
    }

    /// Publishes these JWKs from now on, whatever they are.
    pub fn publish_jwks(&self, jwks: Vec<Value>) {
        self.behave(Behaviour::json(200, json!({ "keys": jwks }).to_string()));
    }

    /// Answers with this status from now on, and with good keys that must not be taken from such an answer.
    pub fn fail(&self, status: u16) {
        let jwks: Vec<Value> = self.keys.lock().unwrap().iter().map(|key| key.jwk()).collect();
        self.behave(Behaviour::json(status, json!({ "keys": jwks }).to_string()));
    }

    /// Answers like this from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.server.behave(behaviour);
    }

    /// Closes the port; whoever connects is refused.
    pub async fn close(&self) {
        self.server.close().await;
    }

    /// Opens the same port again.
    pub async fn reopen(&self) {
        self.server.open().await;
    }

    /// How often it was connected to.
    pub fn connections(&self) -> usize {
        self.server.connections()
    }

    /// The key of this name.
    #[track_caller]
    pub fn key(&self, kid: &str) -> Arc<SigningKey> {
        let keys = self.keys.lock().unwrap();
        Arc::clone(keys.iter().find(|key| key.kid == kid).expect("the issuer has this key"))
    }

    /// Where its keys are.
    pub fn jwks_url(&self) -> String {
        format!("{}/jwks", self.name)
    }

    /// How it is trusted, for all that it can sign with.
    pub fn options(&self) -> IssuerOptions {
        IssuerOptions {
            issuer: self.name.clone(),
            directories: None,
            audience: vec![AUDIENCE.to_owned()],
            algorithms: vec![Algorithm::Rs256, Algorithm::Ps256, Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa],
            keys: KeySource::JwksUrl(self.jwks_url()),
            transport: Transport::default(),
            claims: ClaimOptions::default(),
            token_types: DEFAULT_TOKEN_TYPES.map(str::to_owned).to_vec(),
            trusted_for: TrustedFor::default(),
        }
    }

    /// A token to be, signed by the key of this name: for us, of `somebody`, issued now, for five minutes.
    pub fn draft(&self, kid: &str) -> Draft {
        Draft::new(&self.name, self.key(kid))
    }

    /// A good token signed by the first key, with these claims added or replaced.
    pub fn token(&self, claims: Value) -> String {
        let key = Arc::clone(self.keys.lock().unwrap().first().expect("the issuer has a key"));
        Draft::new(&self.name, key).claims(claims).token()
    }
}

/// base64url without padding.
pub fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
