//! Getting what an issuer publishes: a JWK Set, and where that is.

use std::time::Duration;

use reqwest::{Certificate, Client, StatusCode, header::ACCEPT, redirect::Policy};
use tenantry_domain::chain;
use url::Url;

/// How long an issuer may take for the whole answer, connecting included.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(2);

/// The largest document that is read, in bytes.
const MAX_DOCUMENT: usize = 256 * 1024;

/// A client that goes where it is told and nowhere else: it follows no redirect and uses no proxy from the environment. It trusts
/// these certificates (PEM) in addition to the system's.
pub(crate) fn client(certificates: Option<&[u8]>) -> Result<Client, String> {
    let more = certificates.map(Certificate::from_pem_bundle).transpose().map_err(|error| chain(&error))?;
    if more.as_ref().is_some_and(Vec::is_empty) {
        return Err("the CA file has no certificate in it (-----BEGIN CERTIFICATE-----)".to_owned());
    }
    Client::builder()
        .tls_certs_merge(more.unwrap_or_default())
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(TIMEOUT)
        .timeout(TIMEOUT)
        // Each connection lives on the runtime of the thread that made it: kept, it could outlive that.
        .pool_max_idle_per_host(0)
        .user_agent(concat!("tenantry/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| chain(&error))
}

/// The document at this address.
///
/// # Errors
///
/// What went wrong, for the log; without the address.
pub(crate) async fn get(client: &Client, url: &Url) -> Result<Vec<u8>, String> {
    let failed = |error: reqwest::Error| chain(&error.without_url());
    let request = client.get(url.clone()).header(ACCEPT, "application/jwk-set+json, application/json");
    let mut response = request.send().await.map_err(failed)?;
    if response.status() != StatusCode::OK {
        return Err(format!("the response has status {}", response.status().as_u16()));
    }
    let mut document = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if document.len() + chunk.len() > MAX_DOCUMENT {
            return Err(format!("the response has more than {MAX_DOCUMENT} bytes"));
        }
        document.extend_from_slice(&chunk);
    }
    Ok(document)
}
