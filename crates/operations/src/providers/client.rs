//! One HTTP client for all providers, which trusts none of them: within a time, at the provider's own address and nowhere else,
//! for an answer of a bounded size.
//!
//! Redirects are not followed and no proxy of the environment is used, so that a credential goes where it was meant to go. What
//! a provider says in words is neither shown nor logged: it may repeat what it was told.

use std::{fmt, time::Duration};

use reqwest::{
    Client, RequestBuilder, Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER},
    redirect::Policy,
    retry,
};
use serde::de::DeserializeOwned;
use tenantry_domain::Provider;
use tenantry_domain::chain;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::tally::Tally;

/// The largest answer that is read, in bytes. A hundred voices with all that ElevenLabs says of each are about a quarter of that.
pub const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// How long a provider may ask to wait. Whoever reads a longer time would take it for our word.
pub const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

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

/// An answer within bounds.
#[derive(Debug)]
pub(super) struct ProviderAnswer {
    /// The status.
    pub(super) status: u16,
    /// When to ask again, where the provider says it: at most [`LONGEST_WAIT`].
    pub(super) retry_after: Option<Duration>,
    is_json: bool,
    /// The body of what is JSON and says yes, or no to the credential; that of any other answer is not read.
    body: Vec<u8>,
}

impl ProviderAnswer {
    /// The body, in this form.
    ///
    /// # Errors
    ///
    /// Why it cannot be read, for the log, without a part of it.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, String> {
        if !self.is_json {
            return Err("the answer is not JSON".to_owned());
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            // Not what it says: that would repeat a part of the answer.
            let (kind, line, column) = (error.classify(), error.line(), error.column());
            format!("the answer cannot be read at line {line} column {column}: {kind:?}")
        })
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// It took too long.
    Late,
    /// It does not listen, or not with a certificate that holds, or stopped in the middle; with the cause, for the log.
    Unreachable(String),
    /// It is larger than is read.
    TooLarge,
}

impl fmt::Display for NoAnswer {
    /// For the log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late => f.write_str("no answer in time"),
            Self::Unreachable(cause) => f.write_str(cause),
            Self::TooLarge => write!(f, "the answer has more than {MAX_ANSWER} bytes"),
        }
    }
}

/// The client. Clones share its connections.
#[derive(Debug, Clone)]
pub(super) struct ProviderClient {
    client: Client,
    total: Duration,
    tally: Tally,
}

impl ProviderClient {
    /// A client with this time for each question.
    ///
    /// # Errors
    ///
    /// TLS cannot be set up, as on a machine without certificates.
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
        Ok(Self { client, total: timeouts.total, tally: Tally::default() })
    }

    /// How long one question may take.
    pub(super) fn total(&self) -> Duration {
        self.total
    }

    /// When a question that is asked now must be answered.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.total
    }

    /// A question to be completed with a credential and sent with [`ProviderClient::send`].
    pub(super) fn get(&self, url: Url) -> RequestBuilder {
        self.client.get(url).header(ACCEPT, HeaderValue::from_static("application/json"))
    }

    /// The same with a form (RFC 6749, appendix B).
    pub(super) fn post_form(&self, url: Url, fields: &[(&str, &str)]) -> RequestBuilder {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.client.post(url).header(ACCEPT, HeaderValue::from_static("application/json"));
        request.header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")).body(form)
    }

    /// Sends a request and reads the answer within bounds.
    ///
    /// # Errors
    ///
    /// [`NoAnswer`].
    pub(super) async fn send(
        &self,
        provider: Provider,
        request: RequestBuilder,
        deadline: Instant,
    ) -> Result<ProviderAnswer, NoAnswer> {
        let answer = timeout_at(deadline, exchange(request)).await.unwrap_or(Err(NoAnswer::Late));
        self.tally.count(provider, answer.as_ref().map(|answer| answer.status).ok());
        answer
    }

    /// How its requests ended.
    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }
}

async fn exchange(request: RequestBuilder) -> Result<ProviderAnswer, NoAnswer> {
    let mut response = begin(request).await.map_err(no_answer)?;
    let status = response.status();
    let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let retry_after = wait.map(|wait| Duration::from_secs(wait).min(LONGEST_WAIT));
    let is_json = is_json(response.headers());
    let says = matches!(status, StatusCode::OK | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    let body = if says && is_json { read(&mut response).await? } else { Vec::new() };
    Ok(ProviderAnswer { status: status.as_u16(), retry_after, is_json, body })
}

/// Sends the request; once more if there was not even the beginning of an answer, as when a connection that was kept had ended
/// meanwhile. What changes something is sent once: it may have arrived.
async fn begin(request: RequestBuilder) -> Result<Response, reqwest::Error> {
    let (client, request) = request.build_split();
    let request = request?;
    let again = request.try_clone().filter(|request| request.method().is_safe());
    match (client.execute(request).await, again) {
        (Err(error), Some(again)) if !error.is_timeout() => client.execute(again).await,
        (outcome, _) => outcome,
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()?.split(';').next());
    media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("application/json"))
}

/// The body, as far as it may go.
async fn read(response: &mut Response) -> Result<Vec<u8>, NoAnswer> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(NoAnswer::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn no_answer(error: reqwest::Error) -> NoAnswer {
    if error.is_timeout() { NoAnswer::Late } else { NoAnswer::Unreachable(chain(&error.without_url())) }
}
