//! An SMTP server on a port of its own, which keeps a record of all that is said and behaves as badly as a test wants.

pub(crate) mod certificates;
mod received;
mod session;

use std::{
    collections::VecDeque,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use tenantry_operations::mail::{Security, SmtpOptions};
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::watch,
    task::JoinHandle,
    time::error::Elapsed,
};

pub use certificates::Presented;
pub use received::{Conversation, ReceivedMail, Said};

use certificates::Certificates;

/// What a server does in one conversation. A reply is a whole line without its end, such as `450 4.2.0 come back later`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Takes every message.
    Accept,
    /// Greets with this reply, and goes.
    Greet(String),
    /// Answers `EHLO` with this reply.
    Hello(String),
    /// Answers `MAIL FROM` with this reply.
    Sender(String),
    /// Answers `RCPT TO` with this reply.
    Recipient(String),
    /// Answers the end of a message with this reply, and keeps no message.
    Content(String),
    /// Keeps no message, and repeats the first link of its text in the answer.
    EchoLink,
    /// Keeps the message, and closes without having answered.
    AcceptAndVanish,
    /// Keeps no message, and closes after its end without having answered.
    Vanish,
    /// Takes every message, and sends each byte of an answer by itself.
    Trickle,
    /// Greets with a byte every now and then, for as long as somebody listens.
    Creep,
    /// Greets with a byte, and says nothing more.
    Stall,
    /// Keeps the message, answers, and says nothing more.
    AcceptAndStall,
    /// Repeats in its answer to `AUTH` what it was told.
    EchoPassword,
    /// Says these lines in the clear together with its consent to STARTTLS, as somebody on the way might.
    Inject(Vec<String>),
}

/// How a server protects its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// It offers STARTTLS.
    StartTls,
    /// It speaks TLS from the first byte.
    Tls,
    /// It offers nothing; or somebody on the way takes the offer out.
    Nothing,
}

/// An SMTP server. It ends with the test's runtime.
pub struct SmtpServer {
    address: SocketAddr,
    certificates: Certificates,
    shared: Arc<Shared>,
    /// Bound and never listening, so that nobody else gets the port while the server is closed.
    _port: TcpSocket,
    listening: Mutex<Option<JoinHandle<()>>>,
}

/// What the server and its conversations share.
struct Shared {
    encryption: Encryption,
    acceptor: tokio_rustls::TlsAcceptor,
    login: Option<(String, String)>,
    turns: Mutex<VecDeque<Turn>>,
    conversations: Mutex<Vec<Conversation>>,
    mails: Mutex<Vec<ReceivedMail>>,
    begun: watch::Sender<usize>,
    ended: watch::Sender<usize>,
}

impl SmtpServer {
    /// A server for `localhost` that offers STARTTLS.
    pub fn start() -> Self {
        Self::with(Encryption::StartTls, Presented::Own)
    }

    /// A server with this protection, which presents this certificate.
    pub fn with(encryption: Encryption, presented: Presented) -> Self {
        Self::build(encryption, presented, None)
    }

    /// A server that offers STARTTLS and then asks for this user name and password.
    pub fn for_user(name: &str, password: &str) -> Self {
        Self::build(Encryption::StartTls, Presented::Own, Some((name.to_owned(), password.to_owned())))
    }

    fn build(encryption: Encryption, presented: Presented, login: Option<(String, String)>) -> Self {
        let certificates = Certificates::new();
        let acceptor = certificates.acceptor(presented);
        let port = socket(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let address = port.local_addr().unwrap();
        let (turns, conversations, mails) = (Mutex::default(), Mutex::default(), Mutex::default());
        let (begun, ended) = (watch::Sender::new(0), watch::Sender::new(0));
        let shared = Shared { encryption, acceptor, login, turns, conversations, mails, begun, ended };
        let server = Self { address, certificates, shared: Arc::new(shared), _port: port, listening: Mutex::default() };
        server.open();
        server
    }

    /// Options of a client that can reach it, at its name and with its certificate authority.
    pub fn options(&self) -> SmtpOptions {
        SmtpOptions {
            hello: "acme.example".to_owned(),
            host: "localhost".to_owned(),
            port: Some(self.address.port()),
            security: match self.shared.encryption {
                Encryption::StartTls => Security::StartTls,
                Encryption::Tls => Security::Tls,
                Encryption::Nothing => Security::Plain,
            },
            username: None,
            password: None,
            ca_file: Some(self.certificates.ca_file()),
            timeout: Duration::from_secs(20),
        }
    }

    /// Takes this turn in the next conversation that has none yet; after the last turn it accepts.
    pub fn next(&self, turn: Turn) -> &Self {
        self.shared.turns.lock().unwrap().push_back(turn);
        self
    }

    /// Refuses connections until it is opened again, on the same port. Conversations go on.
    pub async fn close(&self) {
        let listening = self.listening.lock().unwrap().take();
        if let Some(listening) = listening {
            listening.abort();
            // It has let go of the port when it has ended.
            drop(listening.await);
        }
    }

    /// Accepts connections again.
    pub fn open(&self) {
        let listener = socket(self.address).listen(1_024).unwrap();
        let listening = tokio::spawn(listen(listener, Arc::clone(&self.shared)));
        *self.listening.lock().unwrap() = Some(listening);
    }

    /// The messages it has taken, in their order.
    pub fn mails(&self) -> Vec<ReceivedMail> {
        self.shared.mails.lock().unwrap().clone()
    }

    /// The one message it has taken.
    #[track_caller]
    pub fn mail(&self) -> ReceivedMail {
        let mut mails = self.mails();
        assert_eq!(mails.len(), 1, "one message: {mails:?}");
        mails.remove(0)
    }

    /// Returns once this many conversations have begun, each with a turn of its own.
    pub async fn begun(&self, how_many: usize) {
        reached(&self.shared.begun, how_many).await.expect("the client opens its connections");
    }

    /// All conversations, once this many have ended.
    pub async fn ended(&self, how_many: usize) -> Vec<Conversation> {
        reached(&self.shared.ended, how_many).await.expect("the client closes its connections");
        self.shared.conversations.lock().unwrap().clone()
    }
}

/// Returns once a count is this high. The limit is only so that a client that never does its part fails the test instead of
/// stopping it.
async fn reached(count: &watch::Sender<usize>, how_many: usize) -> Result<(), Elapsed> {
    let mut count = count.subscribe();
    let wait = count.wait_for(|count| *count >= how_many);
    tokio::time::timeout(Duration::from_secs(60), wait).await.map(drop)
}

/// Several sockets may have the port, of which one at most listens.
fn socket(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseport(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let number = {
            let mut conversations = shared.conversations.lock().unwrap();
            conversations.push(Conversation::default());
            conversations.len() - 1
        };
        let turn = shared.turns.lock().unwrap().pop_front().unwrap_or(Turn::Accept);
        shared.begun.send_modify(|begun| *begun += 1);
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            session::Session::new(stream, turn, number, Arc::clone(&shared)).converse().await;
            shared.ended.send_modify(|ended| *ended += 1);
        });
    }
}
