//! What arrives on a connection: heads and bodies of requests, one request at a time.

use std::{
    cell::RefCell,
    io::{self, Read},
    net::SocketAddr,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_http::{
    BoxedPayloadStream, Payload, Request, ServiceConfig,
    error::PayloadError,
    h1::{Codec, Message, MessageType},
};
use actix_web::web::Bytes;
use bytes::BytesMut;
use futures_util::Stream;
use socket2::SockRef;
use tokio::{
    net::TcpStream,
    sync::watch,
    time::{Instant, sleep_until},
};
use tokio_util::codec::Decoder;

use super::{
    Stage,
    head::{self, Found, Refusal},
    room::{Standing, now},
};

/// How long a new connection may say nothing.
const FIRST: Duration = Duration::from_secs(10);

/// The same, once the server accepts nobody any more: what it asks for may be on its way.
const NEWCOMER: Duration = Duration::from_secs(1);

/// How long a head may take from its first byte to its last.
const HEAD: Duration = Duration::from_secs(10);

/// How much of a body that nobody has read is thrown away, so that the connection can be used again.
const UNREAD: usize = 64 * 1024;

/// How much is read at once.
const CHUNK: usize = 8 * 1024;

/// A connection, seen from the side that reads.
pub(super) struct Inbound {
    pub(super) stream: TcpStream,
    pub(super) standing: Arc<Standing>,
    peer: Option<SocketAddr>,
    /// How long it may say nothing after an answer.
    keep_alive: Duration,
    state: RefCell<State>,
}

struct State {
    codec: Codec,
    buffer: BytesMut,
    /// How much of a head has been looked at.
    seen: usize,
    body: BodyState,
    /// Which request of the connection this is. The body of an earlier one reads nothing.
    turn: u64,
    /// The client waits for `100 Continue` before it sends the body.
    asked_first: bool,
    /// Since when the request under way has been arriving.
    since: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum BodyState {
    Arriving,
    Whole,
    Broken,
}

/// What came next.
pub(super) enum Next {
    Request(Request),
    Refused(Refusal),
    /// Nothing: it was idle for too long, or the server closes.
    Nothing,
    /// The peer has left, or the connection has to.
    Gone,
}

impl Inbound {
    pub(super) fn new(
        stream: TcpStream,
        standing: Arc<Standing>,
        config: ServiceConfig,
        keep_alive: Duration,
    ) -> Rc<Self> {
        // Answers are written whole, or in large parts. If it fails, they are only later.
        drop(stream.set_nodelay(true));
        let peer = stream.peer_addr().ok();
        let state = State {
            codec: Codec::new(config),
            buffer: BytesMut::new(),
            seen: 0,
            body: BodyState::Whole,
            turn: 0,
            asked_first: false,
            since: 0,
        };
        Rc::new(Self { stream, standing, peer, keep_alive, state: RefCell::new(state) })
    }

    /// Uses the codec, for an answer.
    pub(super) fn codec<T>(&self, work: impl FnOnce(&mut Codec) -> T) -> T {
        work(&mut self.state.borrow_mut().codec)
    }

    /// The next request, whose head has arrived and whose body may follow.
    pub(super) async fn next(self: &Rc<Self>, stage: &mut watch::Receiver<Stage>) -> Next {
        let mut since = now();
        self.standing.waits(since);
        let first = self.state.borrow().turn == 0;
        let mut deadline = Instant::now() + if first { FIRST } else { self.keep_alive };
        let (mut begun, mut closing) = (false, false);
        loop {
            match self.look() {
                Ok(Some(request)) if self.standing.works() => return Next::Request(self.taken(request, since)),
                Ok(Some(_)) => return Next::Gone,
                Err(refusal) => return Next::Refused(refusal),
                Ok(None) => {}
            }
            let empty = self.state.borrow().buffer.is_empty();
            if !empty && !begun {
                (begun, deadline) = (true, Instant::now() + HEAD);
                if !first {
                    since = now();
                }
            }
            let more = tokio::select! {
                biased;
                () = self.standing.told() => return self.last_look(since),
                more = self.more() => more,
                () = sleep_until(deadline) => return if empty { Next::Nothing } else { Next::Refused(Refusal::TooSlow) },
                _ = stage.wait_for(|stage| *stage != Stage::Serving), if empty && !closing => match self.at_once() {
                    // It was on its way when the server began to close.
                    Ok(more) => Ok(more),
                    Err(_) if first => {
                        (closing, deadline) = (true, deadline.min(Instant::now() + NEWCOMER));
                        continue;
                    }
                    Err(_) => return Next::Nothing,
                },
            };
            if !matches!(more, Ok(1..)) {
                return Next::Gone;
            }
        }
    }

    /// For a connection that has to leave: a request that has arrived in the meantime is answered, so that whoever asks is not taken for
    /// one who waits.
    fn last_look(self: &Rc<Self>, since: u64) -> Next {
        match self.at_once().map(|_| self.look()) {
            Ok(Ok(Some(request))) => {
                self.standing.stays();
                Next::Request(self.taken(request, since))
            }
            _ => Next::Gone,
        }
    }

    /// A request, if its head is whole.
    fn look(&self) -> Result<Option<Request>, Refusal> {
        let State { codec, buffer, seen, .. } = &mut *self.state.borrow_mut();
        let found = head::find(buffer, seen)?;
        if found == Found::Part || buffer.is_empty() {
            return Ok(None);
        }
        match codec.decode(buffer)? {
            Some(Message::Item(request)) => {
                *seen = 0;
                Ok(Some(request))
            }
            _ => Ok(None),
        }
    }

    /// The request with its body, which is now under way.
    fn taken(self: &Rc<Self>, mut request: Request, since: u64) -> Request {
        let mut state = self.state.borrow_mut();
        request.head_mut().peer_addr = self.peer;
        state.turn += 1;
        state.since = since;
        state.body = match state.codec.message_type() {
            MessageType::None => BodyState::Whole,
            MessageType::Payload => BodyState::Arriving,
            // What has no end is for a protocol that is not spoken here.
            MessageType::Stream => BodyState::Broken,
        };
        state.asked_first = request.head().expect();
        if state.body != BodyState::Arriving {
            return request;
        }
        let body: BoxedPayloadStream = Box::pin(Body { inbound: self.clone(), turn: state.turn });
        request.replace_payload(Payload::Stream { payload: body }).0
    }

    /// Throws away what has arrived of a body that nobody has read. True if that was all of it.
    pub(super) fn is_through(&self) -> bool {
        let mut thrown_away = 0;
        loop {
            let State { codec, buffer, body, .. } = &mut *self.state.borrow_mut();
            match *body {
                BodyState::Whole => return true,
                BodyState::Broken => return false,
                BodyState::Arriving => {}
            }
            match codec.decode(buffer) {
                Ok(Some(Message::Chunk(Some(bytes)))) => thrown_away += bytes.len(),
                Ok(Some(Message::Chunk(None))) => *body = BodyState::Whole,
                Ok(None) if thrown_away <= UNREAD && matches!(self.read_at_once(buffer), Ok(1..)) => {}
                _ => return false,
            }
        }
    }

    /// Reads more; 0 at the end.
    async fn more(&self) -> io::Result<usize> {
        std::future::poll_fn(|cx| self.poll_more(cx, &mut self.state.borrow_mut().buffer)).await
    }

    /// Reads what has arrived already. Asks the system itself, because the runtime learns of it later.
    fn at_once(&self) -> io::Result<usize> {
        self.read_at_once(&mut self.state.borrow_mut().buffer)
    }

    fn read_at_once(&self, buffer: &mut BytesMut) -> io::Result<usize> {
        let mut bytes = [0; CHUNK];
        let read = (&*SockRef::from(&self.stream)).read(&mut bytes)?;
        buffer.extend_from_slice(bytes.get(..read).unwrap_or_default());
        Ok(read)
    }

    fn poll_more(&self, cx: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        loop {
            // Asked first, so that a connection that says nothing needs no buffer.
            ready!(self.stream.poll_read_ready(cx))?;
            buffer.reserve(CHUNK);
            match self.stream.try_read_buf(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return Poll::Ready(read),
            }
        }
    }

    /// Frees the buffer if it is empty, for the time until the next request.
    pub(super) fn rest(&self) {
        let mut state = self.state.borrow_mut();
        if state.buffer.is_empty() {
            state.buffer = BytesMut::new();
        }
    }
}

/// The body of a request. It is read from the connection when somebody asks for it.
struct Body {
    inbound: Rc<Inbound>,
    turn: u64,
}

impl Stream for Body {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Inbound { state, standing, stream, .. } = &*self.inbound;
        loop {
            let State { codec, buffer, body, turn, asked_first, since, .. } = &mut *state.borrow_mut();
            if *turn != self.turn || *body == BodyState::Whole {
                return Poll::Ready(None);
            }
            let fault = match codec.decode(buffer) {
                Ok(Some(Message::Chunk(Some(bytes)))) => return Poll::Ready(Some(Ok(bytes))),
                Ok(Some(Message::Chunk(None))) => {
                    *body = BodyState::Whole;
                    return Poll::Ready(None);
                }
                Ok(None) if *body == BodyState::Arriving => None,
                _ => Some(PayloadError::EncodingCorrupted),
            };
            let fault = match fault {
                Some(fault) => fault,
                // A connection that cannot take these few bytes at once is full of answers that nobody reads.
                None if std::mem::take(asked_first) && stream.try_write(CONTINUE).ok() != Some(CONTINUE.len()) => {
                    PayloadError::Incomplete(None)
                }
                None => {
                    standing.waits(*since);
                    let more = ready!(self.inbound.poll_more(cx, buffer));
                    if !standing.works() {
                        // The connection has to leave, and what it is told by wakes it.
                        return Poll::Pending;
                    }
                    match more {
                        Ok(1..) => continue,
                        Ok(0) => PayloadError::Incomplete(None),
                        Err(error) => PayloadError::Io(error),
                    }
                }
            };
            *body = BodyState::Broken;
            return Poll::Ready(Some(Err(fault)));
        }
    }
}

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
