//! The HTTP server of the services, written by hand so that it can do what no server should.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::TlsAcceptor;

use super::{Misbehaviour, ProviderRequest, State, UPSTREAM_WORDS};
use crate::conversation;

pub(super) struct Server {
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    accepting: Mutex<Option<JoinHandle<()>>>,
}

impl Server {
    pub(super) async fn start(state: Arc<Mutex<State>>) -> Self {
        Self::start_tls(state, None).await
    }

    pub(super) async fn start_tls(state: Arc<Mutex<State>>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self { address: listener.local_addr().unwrap(), tls, accepting: Mutex::default() };
        server.accept(listener, state);
        server
    }

    pub(super) fn base(&self) -> String {
        match self.tls {
            None => format!("http://{}", self.address),
            Some(_) => format!("https://localhost:{}", self.address.port()),
        }
    }

    pub(super) async fn close(&self) {
        let accepting = self.accepting.lock().unwrap().take().expect("the port is open");
        accepting.abort();
        // Only then are listener and connections gone.
        assert!(accepting.await.unwrap_err().is_cancelled());
    }

    pub(super) async fn open(&self, state: Arc<Mutex<State>>) {
        self.accept(TcpListener::bind(self.address).await.unwrap(), state);
    }

    fn accept(&self, listener: TcpListener, state: Arc<Mutex<State>>) {
        let tls = self.tls.clone();
        let accepting = tokio::spawn(async move {
            // Together with their connections, which end with them.
            let mut serving = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                state.lock().unwrap().connections += 1;
                let (tls, state) = (tls.clone(), Arc::clone(&state));
                serving.spawn(async move {
                    match tls {
                        None => serve(stream, state).await,
                        Some(tls) => {
                            // Else the client has gone.
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, state).await;
                            }
                        }
                    }
                });
            }
        });
        *self.accepting.lock().unwrap() = Some(accepting);
    }
}

/// One request after the other; what cannot be sent is not, because the client may have gone.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, state: Arc<Mutex<State>>) {
    let mut unread = Vec::new();
    while let Some(request) = receive(&mut stream, &mut unread).await {
        let (misbehaviour, (status, body)) = {
            let mut state = state.lock().unwrap();
            state.requests.push(request.clone());
            let aimed = state
                .misbehaviour_to
                .clone()
                .filter(|(credential, _)| request.headers.iter().any(|(_, value)| value.contains(credential.as_str())));
            let misbehaviour = aimed.map(|(_, misbehaviour)| misbehaviour).or_else(|| state.misbehaviour.clone());
            let answer = state.answer(&request, misbehaviour.as_ref());
            (misbehaviour, answer)
        };
        let body = body.to_string();
        let json = |status: u16, body: &str, more: &str| {
            let length = body.len();
            format!(
                "HTTP/1.1 {status} Whatever\r\nContent-Type: application/json; charset=utf-8\r\n{more}Content-Length: {length}\r\n\r\n{body}"
            )
        };
        let answer = match misbehaviour {
            None | Some(Misbehaviour::SameToken | Misbehaviour::NoToken | Misbehaviour::NoEnd) => {
                json(status, &body, "")
            }
            Some(Misbehaviour::Slow(pause)) => {
                tokio::time::sleep(pause).await;
                json(status, &body, "")
            }
            Some(Misbehaviour::Status(status)) => json(status, &body, ""),
            Some(Misbehaviour::TooMany(after)) => json(429, UPSTREAM_WORDS, &format!("Retry-After: {after}\r\n")),
            Some(Misbehaviour::Say(content_type, body)) => {
                let length = body.len();
                format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}")
            }
            Some(Misbehaviour::Redirect(to)) => json(302, &body, &format!("Location: {to}\r\n")),
            Some(Misbehaviour::Close) => return,
            Some(Misbehaviour::Hang) => return std::future::pending().await,
            Some(Misbehaviour::Truncate) => {
                let cut = json(200, &format!("{body}{}", " ".repeat(100)), "");
                drop(stream.write_all(&cut.as_bytes()[..cut.len() - 1]).await);
                return;
            }
            Some(Misbehaviour::Drip) => {
                return forever(stream, "Content-Length: 1000000", b" ", Duration::from_millis(20)).await;
            }
            Some(Misbehaviour::Endless) => {
                return forever(stream, "Connection: close", &[b' '; 65_536], Duration::ZERO).await;
            }
        };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The next request; `None` at the end of the connection.
async fn receive(stream: &mut (impl AsyncRead + Unpin), unread: &mut Vec<u8>) -> Option<ProviderRequest> {
    let head = conversation::head(stream, unread).await?;
    let mut lines = head.trim_end().split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let header = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
        (name.to_lowercase(), value.to_owned())
    };
    let headers: Vec<_> = lines.map(header).collect();
    let length =
        headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, length)| length.parse().unwrap());
    let body = String::from_utf8(conversation::body(stream, unread, length).await?).unwrap();
    Some(ProviderRequest { method, target, headers, body })
}

async fn forever(mut stream: impl AsyncWrite + Unpin, length: &str, piece: &[u8], pause: Duration) {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{length}\r\n\r\n");
    let mut alive = stream.write_all(head.as_bytes()).await.is_ok();
    while alive {
        tokio::time::sleep(pause).await;
        alive = stream.write_all(piece).await.is_ok();
    }
}
