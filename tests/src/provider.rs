//! A server that behaves like each of the providers, and like what stands in their place on a bad day. It tells back the secrets
//! it is sent, as real ones do, so that whatever passes an answer on is found out.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tenantry_operations::providers::{ProviderUrls, provider_url};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use crate::conversation;

/// How a request is answered.
#[derive(Debug, Clone)]
pub enum ProviderBehaviour {
    /// As the provider documents it; a secret with `wrong` in it is not accepted.
    Documented,
    /// With this status, these further header lines, and the secret in the body.
    Status(u16, &'static str),
    /// 200 and a page for people.
    Html,
    /// 200 and JSON of another form.
    OtherJson,
    /// 302 to this address.
    Redirect(String),
    /// 200 and a body without end.
    Endless,
    /// Not at all; the connection stays open.
    Hang,
    /// The connection is closed without an answer.
    Drop,
    /// As documented, once the test says so; see [`ProviderServer::let_go`].
    Held,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct ProviderRequest {
    /// Method and path.
    pub target: String,
    /// The header lines.
    pub head: String,
}

impl ProviderRequest {
    /// A header; empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        let named = |line: &&str| line.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(name));
        self.head.lines().find(named).and_then(|line| line.split_once(':')).map_or("", |(_, value)| value.trim())
    }

    /// The secret in it.
    fn secret(&self) -> String {
        let bearer = self.header("authorization").strip_prefix("Bearer ").map(str::to_owned);
        let basic = self.header("authorization").strip_prefix("Basic ").and_then(|encoded| {
            let pair = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
            pair.split_once(':').map(|(_, secret)| secret.to_owned())
        });
        bearer.or(basic).unwrap_or_else(|| self.header("xi-api-key").to_owned())
    }
}

/// The server; it stops with the runtime of the test.
#[derive(Clone)]
pub struct ProviderServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    behaviour: Mutex<ProviderBehaviour>,
    requests: Mutex<Vec<ProviderRequest>>,
    connections: AtomicUsize,
    arrived: Notify,
    released: Notify,
}

impl ProviderServer {
    /// One that behaves as documented.
    pub fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let (address, listener) = (listener.local_addr().unwrap(), TcpListener::from_std(listener).unwrap());
        let shared = Arc::new(Shared {
            behaviour: Mutex::new(ProviderBehaviour::Documented),
            requests: Mutex::default(),
            connections: AtomicUsize::new(0),
            arrived: Notify::new(),
            released: Notify::new(),
        });
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                serving.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(converse(stream, Arc::clone(&serving)));
            }
        });
        Self { address, shared }
    }

    /// Its address, `http://127.0.0.1:PORT`.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All providers at this one address.
    pub fn urls(&self) -> ProviderUrls {
        let url = || provider_url(&self.base()).unwrap();
        ProviderUrls { twilio: Some(url()), elevenlabs: Some(url()), openai: url(), gohighlevel: url() }
    }

    /// From now on it behaves like this.
    pub fn behave(&self, behaviour: ProviderBehaviour) {
        *self.shared.behaviour.lock().unwrap() = behaviour;
    }

    /// What it was asked so far.
    pub fn requests(&self) -> Vec<ProviderRequest> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// How many connections it was asked over.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Waits until the next request is there.
    pub async fn asked(&self) {
        self.shared.arrived.notified().await;
    }

    /// Lets it answer one request that is held.
    pub fn let_go(&self) {
        self.shared.released.notify_one();
    }
}

/// One request after the other, as long as the client stays; what cannot be sent is not, because it may have gone.
async fn converse(mut stream: TcpStream, shared: Arc<Shared>) {
    let mut unread = Vec::new();
    while let Some(head) = conversation::head(&mut stream, &mut unread).await {
        let target = head.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
        let request = ProviderRequest { target, head };
        shared.requests.lock().unwrap().push(request.clone());
        shared.arrived.notify_one();
        let behaviour = shared.behaviour.lock().unwrap().clone();
        let answer = match behaviour {
            ProviderBehaviour::Documented => documented(&request),
            ProviderBehaviour::Held => {
                shared.released.notified().await;
                documented(&request)
            }
            ProviderBehaviour::Status(status, more) => {
                answer(status, "application/json", more, &json!({ "error": request.secret() }).to_string())
            }
            ProviderBehaviour::Html => answer(200, "text/html", "", &format!("<p>{}</p>", request.secret())),
            ProviderBehaviour::OtherJson => answer(200, "application/json", "", &json!([request.secret()]).to_string()),
            ProviderBehaviour::Redirect(to) => answer(302, "text/plain", &format!("Location: {to}\r\n"), ""),
            ProviderBehaviour::Hang => return std::future::pending().await,
            ProviderBehaviour::Drop => return,
            ProviderBehaviour::Endless => {
                let mut alive =
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n").await.is_ok();
                while alive {
                    alive = stream.write_all(&[b' '; 65_536]).await.is_ok();
                }
                return;
            }
        };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn answer(status: u16, kind: &str, more: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} Whatever\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{more}\r\n{body}", body.len())
}

/// The paths of all four are different, so that one server can be all of them.
fn documented(request: &ProviderRequest) -> String {
    let secret = request.secret();
    let path = request.target.trim_start_matches("GET ");
    let body = if let Some(sid) = path.strip_prefix("/2010-04-01/Accounts/").and_then(|rest| rest.strip_suffix(".json"))
    {
        let status = ["suspended", "closed"].into_iter().find(|status| secret.contains(status)).unwrap_or("active");
        json!({ "sid": sid, "auth_token": secret, "status": status })
    } else if path.starts_with("/2010-04-01/Accounts/") && path.ends_with("/IncomingPhoneNumbers.json?PageSize=1") {
        json!({ "incoming_phone_numbers": [], "secret": secret })
    } else if path == "/v2/voices?page_size=1" {
        json!({ "voices": [], "has_more": false, "xi_api_key": secret })
    } else if path == "/v1/models" {
        json!({ "object": "list", "data": [{ "id": "a-model" }], "secret": secret })
    } else if path.starts_with("/calendars/?locationId=") && request.header("version") == "2021-04-15" {
        json!({ "calendars": [], "secret": secret })
    } else {
        return answer(404, "application/json", "", "{}");
    };
    if let Some((status, words)) = limited(path, &secret) {
        return answer(status, "application/json", "", &words.to_string());
    }
    if secret.is_empty() || secret.contains("wrong") {
        return answer(
            401,
            "application/json",
            "",
            &json!({ "error": format!("Incorrect key: {secret}") }).to_string(),
        );
    }
    answer(200, "application/json", "", &body.to_string())
}

/// What a provider says to a secret that is good and not good for this.
fn limited(path: &str, secret: &str) -> Option<(u16, Value)> {
    if secret.contains("abroad") {
        let error = json!({ "code": "unsupported_country_region_territory", "message": "Country not supported", "secret": secret });
        return Some((403, json!({ "error": error })));
    }
    if secret.contains("inactive") {
        return Some((401, json!({ "code": 20005, "message": format!("Account not active {secret}") })));
    }
    if !secret.contains("scoped") {
        return None;
    }
    let message = format!("Missing scopes: api.model.read {secret}");
    Some(match path {
        path if path.starts_with("/2010-04-01/") => (403, json!({ "code": 20003, "message": message })),
        path if path.starts_with("/v2/voices") => {
            (401, json!({ "detail": { "status": "missing_permissions", "message": message } }))
        }
        path if path.starts_with("/v1/models") => (403, json!({ "error": { "message": message, "code": null } })),
        _ => (401, json!({ "statusCode": 401, "message": "The token is not authorized for this scope." })),
    })
}
