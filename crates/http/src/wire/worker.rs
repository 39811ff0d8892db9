//! A thread that answers requests.

use std::{
    fmt::Debug,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_http::{KeepAlive, Request, ServiceConfig};
use actix_service::IntoServiceFactory;
use actix_web::{
    Error,
    body::{BoxBody, MessageBody},
    dev::{AppConfig, Response, ServiceFactory, ServiceResponse},
};
use tokio::{
    net::TcpStream,
    sync::{mpsc, watch},
    task::JoinSet,
};

use super::{Stage, connection::Desk, head::Refusal, inbound::Inbound, room::Standing};

/// A connection that was accepted, and its place in the room.
pub(super) struct Accepted {
    pub(super) stream: std::net::TcpStream,
    pub(super) standing: Arc<Standing>,
}

/// A worker, as the thread that accepts connections sees it.
pub(super) struct Worker {
    hand_over: mpsc::UnboundedSender<(Accepted, Counted)>,
    connections: Arc<AtomicUsize>,
}

impl Worker {
    pub(super) fn new(hand_over: mpsc::UnboundedSender<(Accepted, Counted)>) -> Self {
        Self { hand_over, connections: Arc::default() }
    }

    /// How many connections it has.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Gives it a connection. One that ends before it could take it is closed.
    pub(super) fn hand_over(&self, accepted: Accepted) {
        self.connections.fetch_add(1, Ordering::Relaxed);
        drop(self.hand_over.send((accepted, Counted(self.connections.clone()))));
    }
}

/// Counts a connection of a worker until it is dropped.
pub(super) struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Answers on the connections that it is handed, until there will be no more and all have ended, or the server has stopped.
pub(super) async fn work<I, F, B>(
    application: impl Fn() -> I,
    refuse: impl Fn(Refusal) -> Response<BoxBody> + 'static,
    keep_alive: Duration,
    mut handed_over: mpsc::UnboundedReceiver<(Accepted, Counted)>,
    mut stage: watch::Receiver<Stage>,
) where
    I: IntoServiceFactory<F, Request>,
    F: ServiceFactory<Request, Config = AppConfig, Response = ServiceResponse<B>, Error = Error> + 'static,
    F::InitError: Debug,
    B: MessageBody + 'static,
{
    let service = match application().into_factory().new_service(AppConfig::default()).await {
        Ok(service) => service,
        Err(error) => return tracing::error!(?error, "the service cannot be made"),
    };
    // Of the configuration, only the clock for `Date` is used: this module knows all other times.
    let config = ServiceConfig::new(KeepAlive::Os, Duration::ZERO, Duration::ZERO, false, None);
    let desk = Rc::new(Desk { service, refuse, stage: stage.clone() });
    let mut connections = JoinSet::new();
    let mut open = true;
    while open || !connections.is_empty() {
        tokio::select! {
            biased;
            _ = stage.wait_for(|stage| *stage == Stage::Stopped) => return,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            next = handed_over.recv(), if open => match next {
                Some((accepted, counted)) => {
                    let (desk, config) = (desk.clone(), config.clone());
                    connections.spawn_local(async move {
                        let Accepted { stream, standing } = accepted;
                        match TcpStream::from_std(stream) {
                            Ok(stream) => desk.attend(Inbound::new(stream, standing, config, keep_alive)).await,
                            Err(error) => tracing::warn!(%error, "a connection cannot be used"),
                        }
                        drop(counted);
                    });
                }
                None => open = false,
            },
        }
    }
}
