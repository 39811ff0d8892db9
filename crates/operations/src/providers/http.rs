//! Asking a provider: within a time, at its own address and nowhere else, for JSON of a bounded size.
//!
//! Redirects are not followed and no proxy of the environment is used, so that a credential goes where it was meant to go. What
//! a provider says in words is neither shown nor logged: it may repeat what it was told.

use std::{error::Error as StdError, time::Duration};

use reqwest::{
    Client, Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER},
    redirect::Policy,
    retry,
};
use serde::de::DeserializeOwned;
use tenantry_domain::{Error, Provider};
use tokio::time::{Instant, timeout_at};
use url::Url;

/// The largest answer that is read, in bytes. A hundred voices with all that ElevenLabs says of each are about a quarter of that.
pub const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// How long providers may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// For everything that one question takes: all its pages, and what is tried again.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(2), total: Duration::from_secs(5) }
    }
}

/// Why a provider did not answer with what was asked of it. Why exactly, is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The credential is wrong, or not good for this.
    Refused,
    /// Too much was asked.
    RateLimited { retry_after: Option<Duration> },
    /// It is not there, too slow, or broken; or it was so just now, and is left alone for a while.
    Unavailable { retry_after: Option<Duration> },
    /// It answered with what cannot be an answer.
    Nonsense,
}

impl Failure {
    /// What the caller is told.
    pub(super) fn of(self, provider: Provider) -> Error {
        let name = provider.label();
        let (code, message, retry_after) = match self {
            Self::Refused => {
                let what = match provider {
                    Provider::GoHighLevel => "access token for this location",
                    Provider::Twilio => "auth token",
                    Provider::ElevenLabs | Provider::OpenAi => "API key",
                };
                let hint = "It may be mistyped, revoked or missing a permission. Set a valid one.";
                ("provider_refused", format!("{name} rejected the {what}. {hint}"), None)
            }
            Self::RateLimited { retry_after } => {
                let message = format!("{name} is rate limiting this credential. Try again later.");
                ("provider_unavailable", message, retry_after)
            }
            Self::Unavailable { retry_after } => {
                let message = format!("{name} is not responding. Try again later.");
                ("provider_unavailable", message, retry_after)
            }
            Self::Nonsense => {
                let message = format!("{name} sent a response that could not be read. Try again later.");
                ("provider_unavailable", message, None)
            }
        };
        Error::Upstream { code, message, retry_after }
    }
}

/// One page of one question.
pub(super) struct Get {
    pub(super) provider: Provider,
    pub(super) url: Url,
    /// The credential among them, marked as sensitive.
    pub(super) headers: HeaderMap,
    /// Which statuses besides 401, 402 and 403 say that the credential is not good for this.
    pub(super) refused_with: &'static [u16],
}

/// A client for all providers; connections are kept for a while and used again.
#[derive(Debug, Clone)]
pub(super) struct Http {
    client: Client,
    total: Duration,
}

impl Http {
    pub(super) fn new(timeouts: Timeouts) -> Result<Self, String> {
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            // Tried again is here and nowhere else.
            .retry(retry::never())
            .connect_timeout(timeouts.connect)
            .pool_max_idle_per_host(8)
            .pool_idle_timeout(Duration::from_secs(30))
            .user_agent(concat!("tenantry/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("The HTTP client for providers cannot be created: {}.", chain(&error)))?;
        Ok(Self { client, total: timeouts.total })
    }

    /// When a question that is asked now must be answered.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.total
    }

    /// The answer, as JSON of this form.
    pub(super) async fn get<T: DeserializeOwned>(&self, get: &Get, deadline: Instant) -> Result<T, Failure> {
        let answer = timeout_at(deadline, self.exchange(get)).await;
        let answer = answer.unwrap_or_else(|_| Err((UNAVAILABLE, "no answer in time".to_owned())));
        answer.map_err(|(failure, cause)| {
            let provider = get.provider.label();
            tracing::warn!(provider, cause, "a provider did not answer as expected");
            failure
        })
    }

    async fn exchange<T: DeserializeOwned>(&self, get: &Get) -> Result<T, (Failure, String)> {
        let mut response = self.send(get).await.map_err(|error| (UNAVAILABLE, chain(&error)))?;
        if let Some(failure) = failure(&response, get.refused_with) {
            return Err((failure, format!("the answer has status {}", response.status().as_u16())));
        }
        if !is_json(response.headers().get(CONTENT_TYPE)) {
            return Err((Failure::Nonsense, "the answer is not JSON".to_owned()));
        }
        let body = read(&mut response).await?;
        serde_json::from_slice(&body).map_err(|error| {
            // Not what it says: that would repeat a part of the answer.
            let (kind, line, column) = (error.classify(), error.line(), error.column());
            (Failure::Nonsense, format!("the answer cannot be read at line {line} column {column}: {kind:?}"))
        })
    }

    /// Sends the request; once more if there was not even the beginning of an answer, as when a connection that was kept had
    /// ended meanwhile.
    async fn send(&self, get: &Get) -> Result<Response, reqwest::Error> {
        let request = || {
            let request = self.client.get(get.url.clone()).headers(get.headers.clone());
            request.header(ACCEPT, HeaderValue::from_static("application/json")).send()
        };
        match request().await {
            Err(error) if !error.is_timeout() => request().await,
            outcome => outcome,
        }
        .map_err(reqwest::Error::without_url)
    }
}

const UNAVAILABLE: Failure = Failure::Unavailable { retry_after: None };

/// What the status says, unless it is 200.
fn failure(response: &Response, refused_with: &[u16]) -> Option<Failure> {
    match response.status() {
        StatusCode::OK => None,
        StatusCode::UNAUTHORIZED | StatusCode::PAYMENT_REQUIRED | StatusCode::FORBIDDEN => Some(Failure::Refused),
        StatusCode::TOO_MANY_REQUESTS => {
            let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            Some(Failure::RateLimited { retry_after: seconds.map(Duration::from_secs) })
        }
        StatusCode::REQUEST_TIMEOUT => Some(UNAVAILABLE),
        status if status.is_server_error() => Some(UNAVAILABLE),
        status if refused_with.contains(&status.as_u16()) => Some(Failure::Refused),
        _ => Some(Failure::Nonsense),
    }
}

fn is_json(content_type: Option<&HeaderValue>) -> bool {
    let media_type = content_type.and_then(|value| value.to_str().ok()?.split(';').next());
    media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("application/json"))
}

/// The body, as far as it may go.
async fn read(response: &mut Response) -> Result<Vec<u8>, (Failure, String)> {
    let mut body = Vec::new();
    let broken = |error: reqwest::Error| (UNAVAILABLE, chain(&error.without_url()));
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err((Failure::Nonsense, format!("the answer has more than {MAX_ANSWER} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// An error with its causes: the outermost says only that something failed.
fn chain(error: &dyn StdError) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", chain(cause)),
        None => error.to_string(),
    }
}
