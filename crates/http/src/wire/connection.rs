//! One connection from its first request to its end.

use std::{io, net::Shutdown, rc::Rc, time::Duration};

use actix_http::Request;
use actix_web::{
    Error,
    body::{BoxBody, MessageBody},
    dev::{Response, Service, ServiceResponse},
    http::Method,
};
use socket2::SockRef;
use tokio::sync::watch;

use super::{
    Stage,
    answer::Answer,
    head::Refusal,
    inbound::{Inbound, Next},
    room::now,
};

/// How long a connection stays open after its last answer, so that what the peer was still sending does not make the system throw the
/// answer away.
const LINGER: Duration = Duration::from_secs(2);

/// How much of it is read.
const LINGERING_BYTES: usize = 16 * 1024 * 1024;

/// Who answers on the connections of a worker.
pub(super) struct Desk<S, R> {
    pub(super) service: S,
    pub(super) refuse: R,
    pub(super) stage: watch::Receiver<Stage>,
}

impl<S, R, B> Desk<S, R>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    R: Fn(Refusal) -> Response<BoxBody>,
    B: MessageBody + 'static,
{
    /// Answers one request after another.
    pub(super) async fn attend(&self, inbound: Rc<Inbound>) {
        let mut stage = self.stage.clone();
        loop {
            let answer = match inbound.next(&mut stage).await {
                Next::Gone => return,
                Next::Nothing => break,
                Next::Refused(refusal) => Answer::last((self.refuse)(refusal)),
                Next::Request(request) => {
                    let is_head = request.method() == Method::HEAD;
                    let version = request.head().version;
                    let response = tokio::select! {
                        biased;
                        // Only while it waits for a body.
                        () = inbound.standing.told() => return,
                        response = self.answer(request) => response,
                    };
                    Answer::to(response, version, is_head, inbound.is_through())
                }
            };
            match answer.send(&inbound).await {
                Ok(true) => inbound.rest(),
                Ok(false) => break,
                Err(error) => return tracing::debug!(%error, "an answer did not reach its reader"),
            }
        }
        linger(&inbound).await;
    }

    async fn answer(&self, request: Request) -> Response<BoxBody> {
        let ready = std::future::poll_fn(|cx| self.service.poll_ready(cx)).await;
        match ready {
            Ok(()) => match self.service.call(request).await {
                Ok(response) => Response::from(response).map_into_boxed_body(),
                Err(error) => Response::from(error),
            },
            Err(error) => Response::from(error),
        }
    }
}

/// Ends the connection from this side, and waits for the other side to end it too.
async fn linger(inbound: &Inbound) {
    if SockRef::from(&inbound.stream).shutdown(Shutdown::Write).is_err() {
        return;
    }
    inbound.standing.waits(now());
    let rest = async {
        let (mut read, mut nobody_reads_it) = (0, [0; 4096]);
        while read < LINGERING_BYTES && inbound.stream.readable().await.is_ok() {
            match inbound.stream.try_read(&mut nobody_reads_it) {
                Ok(0) => return,
                Ok(bytes) => read += bytes,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    };
    tokio::select! {
        () = inbound.standing.told() => {}
        _ = tokio::time::timeout(LINGER, rest) => {}
    }
}
