//! A network that fails: a proxy between the service and its database that can swallow, cut and refuse.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener as StdListener},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
};

use crate::TestDatabase;

/// A proxy on a port of its own in front of a database.
pub struct Proxy {
    address: SocketAddr,
    service: String,
    owner: String,
    state: watch::Sender<State>,
    accepted: Arc<AtomicU64>,
}

/// What happens to connections, by their number.
#[derive(Clone, Copy, Default)]
struct State {
    /// New ones are closed at once.
    refuses: bool,
    /// Nothing is passed on. Peers see that their packets arrive.
    swallows: bool,
    /// Nothing is ever passed on again on connections before this one.
    swallowed_before: u64,
    /// Connections before this one are closed.
    closed_before: u64,
    /// How much later everything arrives.
    latency: Duration,
}

impl State {
    fn passes(&self, connection: u64) -> bool {
        !self.swallows && connection >= self.swallowed_before
    }

    fn closes(&self, connection: u64) -> bool {
        connection < self.closed_before
    }
}

impl Proxy {
    /// In front of this database, of which the proxy asks nothing itself.
    pub fn to(database: &TestDatabase) -> Self {
        Self::before(&database.service_url(), database.name(), Ipv4Addr::LOCALHOST)
    }

    /// In front of the server of this URL, for one of its databases, at this address of the machine.
    pub fn before(url: &str, database: &str, address: Ipv4Addr) -> Self {
        let listener = StdListener::bind((address, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (state, seen) = watch::channel(State::default());
        let accepted = Arc::new(AtomicU64::new(0));
        let (counter, server) = (Arc::clone(&accepted), socket(url));
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { serve(TcpListener::from_std(listener).unwrap(), server, seen, &counter).await });
        });
        let url = |role: &str| format!("postgres://{role}@{address}/{database}");
        Self { address, service: url("tenantry_service"), owner: url("tenantry_owner"), state, accepted }
    }

    /// The way to the database for the service's role.
    pub fn service_url(&self) -> &str {
        &self.service
    }

    /// The way to the database for its owner.
    pub fn owner_url(&self) -> &str {
        &self.owner
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections it has accepted.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::SeqCst)
    }

    /// From now on, packets arrive and nothing is answered.
    pub fn swallow(&self) {
        self.state.send_modify(|state| state.swallows = true);
    }

    /// Passes everything on, also what was swallowed.
    pub fn resume(&self) {
        self.state.send_modify(|state| (state.swallows, state.refuses) = (false, false));
    }

    /// New connections work. Those of before never answer again.
    pub fn heal_for_new_connections(&self) {
        let next = self.accepted();
        self.state.send_modify(|state| {
            (state.swallows, state.refuses, state.swallowed_before) = (false, false, next);
        });
    }

    /// From now on, everything arrives so much later.
    pub fn delay(&self, latency: Duration) {
        self.state.send_modify(|state| state.latency = latency);
    }

    /// Closes all connections. New ones work.
    pub fn cut_once(&self) {
        let next = self.accepted();
        self.state.send_modify(|state| (state.swallows, state.closed_before) = (false, next));
    }

    /// Closes all connections, and refuses new ones.
    pub fn cut(&self) {
        let next = self.accepted();
        self.state.send_modify(|state| (state.refuses, state.closed_before) = (true, next));
    }
}

/// The socket of the server in this URL.
pub(crate) fn socket(url: &str) -> PathBuf {
    let parameter = |name: &str| {
        let (_, query) = url.split_once('?').unwrap();
        query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")).map(ToOwned::to_owned))
    };
    let directory = percent_decoded(&parameter("host").unwrap());
    let port = parameter("port").unwrap_or_else(|| "5432".to_owned());
    PathBuf::from(directory).join(format!(".s.PGSQL.{port}"))
}

fn percent_decoded(text: &str) -> String {
    text.replace("%2F", "/").replace("%2f", "/")
}

async fn serve(listener: TcpListener, server: PathBuf, state: watch::Receiver<State>, accepted: &AtomicU64) {
    while let Ok((client, _)) = listener.accept().await {
        let number = accepted.fetch_add(1, Ordering::SeqCst);
        if state.borrow().refuses {
            continue;
        }
        let (server, state) = (server.clone(), state.clone());
        tokio::spawn(async move { drop(relay(client, server, number, state).await) });
    }
}

async fn relay(client: TcpStream, server: PathBuf, number: u64, state: watch::Receiver<State>) -> io::Result<()> {
    let server = UnixStream::connect(server).await?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mut closed = state.clone();
    tokio::select! {
        done = pump(from_client, to_server, number, state.clone()) => done,
        done = pump(from_server, to_client, number, state) => done,
        _ = closed.wait_for(|state| state.closes(number)) => Ok(()),
    }
}

/// Passes on what comes, as soon as the state allows it.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    number: u64,
    mut state: watch::Receiver<State>,
) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        if state.wait_for(|state| state.passes(number)).await.is_err() || read == 0 {
            return Ok(());
        }
        let latency = state.borrow().latency;
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        to.write_all(&buffer[..read]).await?;
    }
}
