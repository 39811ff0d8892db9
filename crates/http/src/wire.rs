//! Connections: how many there are, how long they may take, and what is said on them.
//!
//! actix's codec reads and writes HTTP/1. Its dispatcher is not used, because it reads requests ahead, and the codec then frames an
//! answer by the request that it read last. Here a connection does one thing at a time: it reads a request, answers it, and only then
//! looks at the next ([ADR 25](../../../docs/adr/0025-one-request-at-a-time.md)).
//!
//! One thread accepts connections and hands each to the worker that has the fewest. When there are too many, the one that has waited
//! longest without a whole request gives up its place.

mod answer;
mod connection;
mod head;
mod inbound;
mod room;
mod worker;

use std::{fmt::Debug, io, net::TcpListener, sync::Arc, time::Duration};

use actix_service::IntoServiceFactory;
use actix_web::{
    Error,
    body::{BoxBody, MessageBody},
    dev::{AppConfig, Response, ServiceFactory, ServiceResponse},
};
use socket2::SockRef;
use tokio::sync::{mpsc, watch};

pub(crate) use self::head::Refusal;
use self::{room::Room, worker::Worker};

/// How many connections the system keeps that nobody has accepted yet, as far as it lets us. A client beyond that would try again after
/// a second. Rust's listeners keep 128.
const NOT_YET_ACCEPTED: i32 = 4_096;

/// How far the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Serving,
    /// Accepts nobody, and closes each connection as soon as nothing is under way on it.
    Closing,
    Stopped,
}

/// Where and how to serve.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// What its threads are called.
    pub(crate) name: &'static str,
    pub(crate) workers: usize,
    pub(crate) connections: usize,
    pub(crate) keep_alive: Duration,
    pub(crate) grace: Duration,
}

/// A running server. It stops when the last of its clones is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    stage: Arc<watch::Sender<Stage>>,
    grace: Duration,
}

impl Server {
    /// Stops. A graceful stop answers whoever has connected until now, and gives requests that are being answered the time of the
    /// options; then, or at once, what is left is cut off.
    pub(crate) async fn stop(&self, graceful: bool) {
        if graceful {
            self.stage.send_if_modified(|stage| {
                let serving = *stage == Stage::Serving;
                if serving {
                    *stage = Stage::Closing;
                }
                serving
            });
            drop(tokio::time::timeout(self.grace, self.ended()).await);
        }
        self.stage.send_replace(Stage::Stopped);
        self.ended().await;
    }

    /// Returns when it has stopped.
    pub(crate) async fn ended(&self) {
        self.stage.closed().await;
    }
}

/// Starts to serve. `application` makes the service once for each worker; `refuse` makes the answer to what is no request.
pub(crate) fn start<A, I, F, B>(
    listener: TcpListener,
    options: Options,
    application: A,
    refuse: impl Fn(Refusal) -> Response<BoxBody> + Send + Clone + 'static,
) -> io::Result<Server>
where
    A: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<F, actix_http::Request>,
    F: ServiceFactory<actix_http::Request, Config = AppConfig, Response = ServiceResponse<B>, Error = Error> + 'static,
    F::InitError: Debug,
    B: MessageBody + 'static,
{
    listener.set_nonblocking(true)?;
    SockRef::from(&listener).listen(NOT_YET_ACCEPTED)?;
    let (stage, watched) = watch::channel(Stage::Serving);
    let room = Room::new(options.connections);
    let workers: io::Result<Vec<_>> = (0..options.workers.max(1))
        .map(|n| {
            let (hand_over, handed_over) = mpsc::unbounded_channel();
            let (application, refuse, stage) = (application.clone(), refuse.clone(), watched.clone());
            let work = move || worker::work(application, refuse, options.keep_alive, handed_over, stage);
            thread(&format!("{}-{n}", options.name), work)?;
            Ok(Worker::new(hand_over))
        })
        .collect();
    let workers = workers?;
    thread(&format!("{}-accept", options.name), move || room.accept(listener, workers, watched))?;
    Ok(Server { stage: Arc::new(stage), grace: options.grace })
}

/// A thread with a runtime of its own.
fn thread<W: Future<Output = ()>>(name: &str, work: impl FnOnce() -> W + Send + 'static) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let run = move || tokio::task::LocalSet::new().block_on(&runtime, work());
    std::thread::Builder::new().name(name.to_owned()).spawn(run).map(drop)
}
