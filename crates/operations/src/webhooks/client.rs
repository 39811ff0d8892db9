//! The HTTP client for receivers, whose addresses tenants have written: to public addresses and to those that the operator allows, within
//! a time, for the beginning of an answer.
//!
//! An address is checked where it is used: the name is resolved here, and the connection goes to an address that was checked, whatever the
//! name resolves to a moment later. Redirects are not followed, and no proxy of the environment is used.

use std::{
    error::Error as StdError, fmt, future::Future, io, net::IpAddr, net::SocketAddr, pin::Pin, sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{
    Client, Response, StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{CONTENT_TYPE, RETRY_AFTER},
    redirect::Policy,
    retry,
};
use tenantry_domain::{Destinations, WebhookUrl, chain};
use url::Url;

/// How much of an answer is read.
const MAX_ANSWER: usize = 1_024;

/// How much of it is kept, in characters.
const KEPT: usize = 500;

/// Asks a name server.
pub type LookUp = fn(String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// How long a receiver may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// For everything, until the beginning of the answer is there.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), total: Duration::from_secs(15) }
    }
}

/// A request that is ready to be sent.
pub(super) struct Message<'a> {
    pub(super) url: &'a WebhookUrl,
    pub(super) id: String,
    pub(super) timestamp: i64,
    pub(super) signature: String,
    pub(super) body: Vec<u8>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) answer: Option<String>,
    pub(super) retry_after: Option<TimeDelta>,
}

/// The client. Clones share its connections.
#[derive(Clone)]
pub struct WebhookClient {
    /// To whom anything may be sent that is encrypted.
    encrypted: Client,
    /// To allowed networks only.
    plain: Client,
    destinations: Destinations,
}

/// An address that nothing is sent to.
#[derive(Debug)]
struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Refused {}

impl WebhookClient {
    /// A client for these destinations.
    ///
    /// # Errors
    ///
    /// TLS cannot be set up, as on a machine without certificates.
    pub fn new(destinations: Destinations, timeouts: Timeouts) -> Result<Self, String> {
        Self::asking(system, destinations, timeouts)
    }

    /// [`WebhookClient::new`], which asks this for the addresses of names.
    ///
    /// # Errors
    ///
    /// Those of [`WebhookClient::new`].
    pub fn asking(look_up: LookUp, destinations: Destinations, timeouts: Timeouts) -> Result<Self, String> {
        let client = |allowed_only: bool| {
            Client::builder()
                .redirect(Policy::none())
                .no_proxy()
                .referer(false)
                .retry(retry::never())
                .https_only(!allowed_only)
                .connect_timeout(timeouts.connect)
                .timeout(timeouts.total)
                .pool_max_idle_per_host(2)
                .pool_idle_timeout(Duration::from_secs(15))
                .user_agent(concat!("tenantry/", env!("CARGO_PKG_VERSION")))
                .dns_resolver(Arc::new(Checked { look_up, allowed_only, destinations: destinations.clone() }))
                .build()
                .map_err(|error| format!("The HTTP client for webhooks cannot be created: {}.", chain(&error)))
        };
        Ok(Self { encrypted: client(false)?, plain: client(true)?, destinations })
    }

    /// Sends a message.
    ///
    /// # Errors
    ///
    /// Why there is no answer, in a sentence for the tenant.
    pub(super) async fn send(&self, message: Message<'_>) -> Result<Answered, String> {
        // A resolver is not asked for an address; and what was allowed when the webhook was made may not be now.
        self.destinations.check(message.url).map_err(|refusal| format!("The URL {}.", refusal.message))?;
        let url = Url::parse(message.url.as_str()).map_err(|_| "The URL is not valid.".to_owned())?;
        let client = if url.scheme() == "https" { &self.encrypted } else { &self.plain };
        let response = client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", message.id)
            .header("webhook-timestamp", message.timestamp.to_string())
            .header("webhook-signature", message.signature)
            .body(message.body)
            .send()
            .await
            .map_err(|error| sentence(&error))?;
        let status = response.status();
        let wish = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(retry_after);
        let asks = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        // The status is what counts: an answer that breaks off after it is one all the same.
        let answer = beginning(response).await;
        Ok(Answered { status, answer, retry_after: wish.filter(|_| asks) })
    }
}

/// Seconds, or a date (RFC 9110, section 10.2.3).
fn retry_after(value: &str) -> Option<TimeDelta> {
    match value.trim().parse::<u32>() {
        Ok(seconds) => Some(TimeDelta::seconds(seconds.into())),
        Err(_) => {
            let at = DateTime::parse_from_rfc2822(value).ok()?.to_utc();
            Some(at - Utc::now()).filter(|wish| *wish > TimeDelta::zero())
        }
    }
}

/// The first characters of an answer, on one line; `None` for one that has none.
async fn beginning(mut response: Response) -> Option<String> {
    let mut bytes = Vec::new();
    while bytes.len() < MAX_ANSWER
        && let Ok(Some(chunk)) = response.chunk().await
    {
        bytes.extend_from_slice(&chunk);
    }
    bytes.truncate(MAX_ANSWER);
    let text = String::from_utf8_lossy(&bytes);
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words: Vec<_> = plain.split_whitespace().collect();
    let kept: String = words.join(" ").chars().take(KEPT).collect();
    Some(kept).filter(|kept| !kept.is_empty())
}

/// Looks names up, and returns only addresses that may be used.
struct Checked {
    look_up: LookUp,
    allowed_only: bool,
    destinations: Destinations,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (destinations, allowed_only) = (self.destinations.clone(), self.allowed_only);
        let name = name.as_str().to_owned();
        let found = (self.look_up)(name.clone());
        Box::pin(async move {
            let mut refused = None;
            let mut good = Vec::new();
            for address in found.await? {
                let objection = match destinations.objection(address) {
                    None if allowed_only && !destinations.allows(address) => {
                        Some("an address that needs https://".to_owned())
                    }
                    objection => objection.map(str::to_owned),
                };
                match objection {
                    None => good.push(SocketAddr::new(address, 0)),
                    Some(kind) => refused = Some(format!("{name} resolves to {address}, which is {kind}")),
                }
            }
            // One bad address among good ones is somebody's trick, too.
            match refused {
                Some(refused) => Err(Box::new(Refused(refused)) as Box<dyn StdError + Send + Sync>),
                None => Ok(Box::new(good.into_iter()) as Addrs),
            }
        })
    }
}

fn system(name: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
    Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()) })
}

/// What went wrong, for the tenant.
fn sentence(error: &reqwest::Error) -> String {
    if let Some(refused) = cause::<Refused>(error) {
        return format!("Nothing was sent: {refused}.");
    }
    if error.is_timeout() {
        return "The receiver did not answer in time.".to_owned();
    }
    if error.is_connect() {
        return format!("There is no connection to the receiver: {}.", innermost(error));
    }
    format!("The receiver did not answer: {}.", innermost(error))
}

fn cause<'e, E: StdError + 'static>(error: &'e (dyn StdError + 'static)) -> Option<&'e E> {
    error.downcast_ref().or_else(|| cause(error.source()?))
}

fn innermost(error: &(dyn StdError + 'static)) -> String {
    match error.source() {
        Some(source) => innermost(source),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_says_when_to_come_back_in_seconds_or_as_a_date() {
        assert_eq!(retry_after("120"), Some(TimeDelta::seconds(120)));
        assert_eq!(retry_after("Fri, 31 Dec 1999 23:59:59 GMT"), None);
        assert!(retry_after("Fri, 31 Dec 2100 23:59:59 GMT").unwrap() > TimeDelta::days(365));
        assert_eq!((retry_after("-1"), retry_after("soon")), (None, None));
    }
}
