//! One HTTP client for all providers, which trusts none of them: bounded in time and size, without redirects and proxies.

use std::time::Duration;

use reqwest::{
    Client, RequestBuilder,
    header::{HeaderValue, RETRY_AFTER},
    redirect::Policy,
};
use tenantry_domain::PlainSecret;
use url::Url;

/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;

/// How long a connection may take to come about.
const CONNECT_TIME: Duration = Duration::from_secs(2);

/// How long a connection is kept for the next request.
const IDLE_TIME: Duration = Duration::from_secs(30);

/// The longest wait that is passed on when a provider asks to be asked less often, in seconds.
const MAX_WAIT: u32 = 86_400;

/// An answer within bounds.
#[derive(Debug)]
pub(crate) struct ProviderAnswer {
    /// The status.
    pub(crate) status: u16,
    /// After how many seconds to ask again, where the provider says it.
    pub(crate) retry_after: Option<u32>,
    /// The body of a 200; that of any other answer is not read.
    pub(crate) body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// It took too long.
    Late,
    /// It does not listen, or not with a certificate that holds, or stopped in the middle.
    Unreachable,
    /// It is larger than is read.
    TooLarge,
}

impl NoAnswer {
    /// In a sentence about the provider with this label.
    pub(crate) fn sentence(self, label: &str) -> String {
        match self {
            Self::Late => format!("{label} did not answer in time."),
            Self::Unreachable => format!("{label} could not be reached."),
            Self::TooLarge => format!("{label} sent a response that is too large."),
        }
    }
}

/// The client. Clones share its connections.
#[derive(Debug, Clone)]
pub(crate) struct ProviderClient(Option<Client>);

impl ProviderClient {
    /// A client with this time for each answer. One that does not come about, as on a machine without certificates, reaches nobody.
    pub(crate) fn new(time: Duration) -> Self {
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT_TIME.min(time))
            .timeout(time)
            .pool_idle_timeout(IDLE_TIME)
            .pool_max_idle_per_host(4)
            .user_agent(concat!("tenantry/", env!("CARGO_PKG_VERSION")))
            .build();
        Self(client.inspect_err(|error| tracing::warn!(%error, "cannot create the HTTP client for providers")).ok())
    }

    /// A `GET` to be completed and sent with [`ProviderClient::send`].
    pub(crate) fn get(&self, url: Option<Url>) -> Option<RequestBuilder> {
        Some(self.0.as_ref()?.get(url?))
    }

    /// Sends a request and reads the answer within bounds.
    ///
    /// # Errors
    ///
    /// [`NoAnswer`].
    pub(crate) async fn send(&self, request: Option<RequestBuilder>) -> Result<ProviderAnswer, NoAnswer> {
        let failed = |error: reqwest::Error| if error.is_timeout() { NoAnswer::Late } else { NoAnswer::Unreachable };
        let mut response = request.ok_or(NoAnswer::Unreachable)?.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = wait.and_then(|wait| wait.trim().parse().ok()).filter(|wait| *wait <= MAX_WAIT);
        let mut body = Vec::new();
        if status != 200 {
            return Ok(ProviderAnswer { status, retry_after, body });
        }
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(NoAnswer::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(ProviderAnswer { status, retry_after, body })
    }
}

/// A header with a secret in it, which no log shows.
pub(crate) fn secret_header(secret: &PlainSecret) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(secret.reveal()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_with_a_secret_in_it_does_not_print_it() {
        let header = secret_header(&"canary-567890".parse().unwrap()).unwrap();
        assert_eq!((format!("{header:?}").as_str(), header.as_bytes()), ("Sensitive", b"canary-567890".as_slice()));
    }
}
