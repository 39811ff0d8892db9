//! The provider's HTTP server, written by hand so that it can do what no server should.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

use crate::smtp::{Presented, certificates::Certificates};

/// How a request is answered.
#[derive(Debug, Clone)]
pub enum Behaviour {
    /// With this body.
    Answer {
        /// The status.
        status: u16,
        /// `Content-Type`.
        content_type: &'static str,
        /// The body.
        body: Vec<u8>,
    },
    /// As the first of these whose text is at the end of the path; with 404 if none is.
    ByPath(Vec<(String, Behaviour)>),
    /// 302 to this address.
    Redirect(String),
    /// 200 and a body without end.
    Endless,
    /// Not at all; the connection stays open.
    Hang,
    /// 200, a length, and then one byte after the other, slower than anybody waits.
    Drip,
    /// The connection is closed without an answer.
    Drop,
}

impl Behaviour {
    /// An answer in JSON, or in what is called so.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Answer { status, content_type: "application/json", body: body.into() }
    }

    /// What it is at this path.
    fn at(self, path: &str) -> Self {
        match self {
            Self::ByPath(paths) => {
                let found = paths.into_iter().find(|(end, _)| path.ends_with(end.as_str()));
                found.map_or_else(|| Self::json(404, "{}"), |(_, behaviour)| behaviour)
            }
            other => other,
        }
    }
}

pub(super) struct Server {
    address: SocketAddr,
    certificates: Option<Certificates>,
    shared: Arc<Shared>,
    accepting: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    behaviour: Mutex<Behaviour>,
    connections: AtomicUsize,
}

impl Server {
    /// With `https` if it has certificates.
    pub(super) async fn start(certificates: Option<Certificates>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shared = Shared { behaviour: Mutex::new(Behaviour::Drop), connections: AtomicUsize::new(0) };
        let (address, shared, accepting) = (listener.local_addr().unwrap(), Arc::new(shared), Mutex::default());
        let server = Self { address, certificates, shared, accepting };
        server.accept(listener);
        server
    }

    pub(super) fn base(&self) -> String {
        let scheme = if self.certificates.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Where its clients find the authority of its certificate.
    pub(super) fn ca_file(&self) -> Option<PathBuf> {
        self.certificates.as_ref().map(Certificates::ca_file)
    }

    pub(super) fn behave(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().unwrap() = behaviour;
    }

    pub(super) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    pub(super) async fn close(&self) {
        let accepting = self.accepting.lock().unwrap().take().expect("the port is open");
        accepting.abort();
        // Only then is the listener gone.
        assert!(accepting.await.unwrap_err().is_cancelled());
    }

    pub(super) async fn open(&self) {
        self.accept(TcpListener::bind(self.address).await.unwrap());
    }

    fn accept(&self, listener: TcpListener) {
        let shared = Arc::clone(&self.shared);
        let acceptor = self.certificates.as_ref().map(|certificates| certificates.acceptor(Presented::Own));
        let accepting = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let behaviour = shared.behaviour.lock().unwrap().clone();
                match acceptor.clone() {
                    None => drop(tokio::spawn(answer(stream, behaviour))),
                    Some(acceptor) => drop(tokio::spawn(async move {
                        if let Ok(stream) = acceptor.accept(stream).await {
                            answer(stream, behaviour).await;
                        }
                    })),
                }
            }
        });
        *self.accepting.lock().unwrap() = Some(accepting);
    }
}

/// A connection, in the clear or not.
trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

/// One request and its answer; what cannot be sent is not, because the client may have gone.
async fn answer(mut stream: impl Stream, behaviour: Behaviour) {
    let mut request = Vec::new();
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let head = |status: u16, rest: &str| format!("HTTP/1.1 {status} Whatever\r\nConnection: close\r\n{rest}\r\n\r\n");
    let path = String::from_utf8_lossy(&request).split(' ').nth(1).unwrap_or_default().to_owned();
    let bytes = match behaviour.at(&path) {
        Behaviour::Answer { status, content_type, body } => {
            let rest = format!("Content-Type: {content_type}\r\nContent-Length: {}", body.len());
            [head(status, &rest).into_bytes(), body].concat()
        }
        // Nobody puts one into another.
        Behaviour::ByPath(_) => return,
        Behaviour::Redirect(to) => head(302, &format!("Location: {to}\r\nContent-Length: 0")).into_bytes(),
        Behaviour::Drop => return,
        Behaviour::Hang => return std::future::pending().await,
        Behaviour::Drip => return drip(stream, head(200, "Content-Length: 1000000").into_bytes()).await,
        Behaviour::Endless => return endless(stream, head(200, "Content-Type: application/json").into_bytes()).await,
    };
    drop(stream.write_all(&bytes).await);
    // Otherwise bytes that were not read could take the answer with them.
    drop(stream.shutdown().await);
    drop(stream.read_to_end(&mut request).await);
}

async fn drip(mut stream: impl Stream, head: Vec<u8>) {
    let mut alive = stream.write_all(&head).await.is_ok();
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(50));
    while alive {
        ticks.tick().await;
        alive = stream.write_all(b" ").await.is_ok();
    }
}

async fn endless(mut stream: impl Stream, head: Vec<u8>) {
    let mut alive = stream.write_all(&head).await.is_ok();
    while alive {
        alive = stream.write_all(&[b' '; 4096]).await.is_ok();
    }
}
