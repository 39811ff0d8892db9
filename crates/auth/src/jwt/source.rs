//! Where an issuer publishes its keys: at an address from the settings, or at the one in its discovery document.

use reqwest::Client;
use serde_json::Value;
use tenantry_domain::{private_service_url, service_url};
use tokio::time::timeout;
use url::Url;

use super::{
    fetch,
    name::{PLACEHOLDER, differences},
    shown::for_log,
};

/// Where the discovery document of an issuer is, behind its name (OpenID Connect Discovery, section 4).
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// What stands for all directories in an address.
const ALL_DIRECTORIES: &str = "common";

/// How much of what a document says stands in the log.
const SHOWN: usize = 200;

/// Where the keys of an issuer are.
#[derive(Debug)]
pub(crate) struct Source {
    url: Url,
    /// Whose discovery document is at the address; none if the keys themselves are.
    discovers: Option<String>,
    allow_http: bool,
}

impl Source {
    /// Keys at this address.
    pub(crate) fn keys(url: &str, allow_http: bool) -> Result<Self, String> {
        let url = address(url, allow_http).map_err(|fault| format!("the JWKS URL {fault}"))?;
        Ok(Self { url, discovers: None, allow_http })
    }

    /// Keys where the discovery document of this issuer says.
    pub(crate) fn discovery(issuer: &str, allow_http: bool) -> Result<Self, String> {
        let base = issuer.replace(PLACEHOLDER, ALL_DIRECTORIES);
        let url = address(&base, allow_http).and_then(|url| match url.query() {
            Some(_) => Err("must not have a query"),
            None => address(&format!("{}{DISCOVERY}", base.trim_end_matches('/')), allow_http),
        });
        let url = url.map_err(|fault| {
            format!(
                "without jwks_url and hmac_secret_file, its keys are looked for at its name, which therefore {fault}"
            )
        })?;
        Ok(Self { url, discovers: Some(issuer.to_owned()), allow_http })
    }

    /// The JWK Set, within [`fetch::TIMEOUT`].
    ///
    /// # Errors
    ///
    /// What went wrong, for the log.
    pub(crate) async fn jwks(&self, client: &Client) -> Result<Vec<u8>, String> {
        let Some(issuer) = &self.discovers else { return fetch::get(client, &self.url).await };
        let both = async {
            let document = fetch::get(client, &self.url).await;
            let document = document.map_err(|cause| format!("its discovery document: {cause}"))?;
            let url = self.jwks_uri(&document, issuer).map_err(|cause| format!("its discovery document {cause}"))?;
            fetch::get(client, &url).await
        };
        timeout(fetch::TIMEOUT, both).await.unwrap_or_else(|_| Err("the issuer did not answer in time".to_owned()))
    }

    /// Where the discovery document says that the keys are. A document of another issuer says nothing of this one.
    fn jwks_uri(&self, document: &[u8], issuer: &str) -> Result<Url, String> {
        let document: Value = serde_json::from_slice(document).map_err(|_| "is not JSON".to_owned())?;
        let text = |name: &str| document.get(name).and_then(Value::as_str).ok_or_else(|| format!("has no {name}"));
        let named = text("issuer")?;
        if named != issuer {
            let hint =
                differences(named, issuer).map(|found| format!(", which differs in {found}")).unwrap_or_default();
            return Err(format!("is of another issuer, \"{}\"{hint}", for_log(named, SHOWN)));
        }
        address(text("jwks_uri")?, self.allow_http).map_err(|fault| format!("has a jwks_uri that {fault}"))
    }
}

fn address(url: &str, allow_http: bool) -> Result<Url, &'static str> {
    if url.contains(['{', '}']) {
        return Err("must not have { or } in it");
    }
    if allow_http {
        return private_service_url(url);
    }
    service_url(url).map_err(|fault| match private_service_url(url) {
        Ok(_) => "must begin with https:// (http:// is allowed for this machine, and with allow_http = true in a private network)",
        Err(_) => fault,
    })
}
