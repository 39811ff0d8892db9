//! A server that receives webhooks, as somebody's program would.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::{Notify, watch},
};

use crate::conversation;

/// How it answers.
#[derive(Debug, Clone)]
pub enum Receiving {
    /// 200, and a word.
    Well,
    /// This status, these further header lines, and this body.
    Status(u16, &'static str, String),
    /// 200, and a word, after this time.
    Slow(Duration),
    /// Not at all; the connection stays open.
    Hang,
    /// 200, once the test says so; see [`Receiver::let_go`].
    Held,
    /// 200 and a body without end.
    Endless,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// The request line and the header lines.
    pub head: String,
    /// The body, exactly.
    pub body: Vec<u8>,
    /// When all of it was there.
    pub at: DateTime<Utc>,
}

impl Received {
    /// A header; empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        let named = |line: &&str| line.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(name));
        self.head.lines().find(named).and_then(|line| line.split_once(':')).map_or("", |(_, value)| value.trim())
    }

    /// The id of the event.
    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }

    /// The event.
    pub fn event(&self) -> Value {
        serde_json::from_slice(&self.body).expect("an event is JSON")
    }

    /// What happened.
    pub fn kind(&self) -> String {
        self.event()["type"].as_str().unwrap().to_owned()
    }
}

/// The server; it stops with the runtime of the test.
#[derive(Clone)]
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    receiving: Mutex<Receiving>,
    received: watch::Sender<Vec<Received>>,
    released: Notify,
}

impl Receiver {
    /// One that takes everything.
    pub fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let (address, listener) = (listener.local_addr().unwrap(), TcpListener::from_std(listener).unwrap());
        let shared = Arc::new(Shared {
            receiving: Mutex::new(Receiving::Well),
            received: watch::Sender::new(Vec::new()),
            released: Notify::new(),
        });
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(converse(stream, Arc::clone(&serving)));
            }
        });
        Self { address, shared }
    }

    /// Its address, `http://127.0.0.1:PORT/hook`.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// From now on it answers like this.
    pub fn receive(&self, receiving: Receiving) -> &Self {
        *self.shared.receiving.lock().unwrap() = receiving;
        self
    }

    /// What it was sent so far.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.borrow().clone()
    }

    /// The ids of the events that it was sent so far, and when each came.
    pub fn ids(&self) -> Vec<(String, DateTime<Utc>)> {
        self.shared.received.borrow().iter().map(|request| (request.id().to_owned(), request.at)).collect()
    }

    /// Returns what it was sent when it was so many requests.
    pub async fn until(&self, count: usize) -> Vec<Received> {
        let mut received = self.shared.received.subscribe();
        received.wait_for(|all| all.len() >= count).await.unwrap().clone()
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
        let request = Received { head, body: Vec::new(), at: Utc::now() };
        let length = request.header("content-length").parse().unwrap();
        let Some(body) = conversation::body(&mut stream, &mut unread, length).await else { return };
        let request = Received { body, at: Utc::now(), ..request };
        let receiving = shared.receiving.lock().unwrap().clone();
        shared.received.send_modify(|all| all.push(request));
        let answer = match receiving {
            Receiving::Well => answer(200, "", "ok"),
            Receiving::Status(status, more, body) => answer(status, more, &body),
            Receiving::Slow(time) => {
                tokio::time::sleep(time).await;
                answer(200, "", "ok")
            }
            Receiving::Hang => return std::future::pending().await,
            Receiving::Held => {
                shared.released.notified().await;
                answer(200, "", "ok")
            }
            Receiving::Endless => {
                let mut alive = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.is_ok();
                while alive {
                    alive = stream.write_all(&[b'x'; 65_536]).await.is_ok();
                }
                return;
            }
        };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn answer(status: u16, more: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} Whatever\r\nContent-Length: {}\r\n{more}\r\n{body}", body.len())
}
