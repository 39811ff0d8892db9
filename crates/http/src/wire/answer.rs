//! How an answer is written.

use std::{future::poll_fn, io, pin::pin, task::Poll, time::Duration};

use actix_http::{
    ConnectionType, Version,
    body::{BodySize, BoxBody, MessageBody},
    h1::Message,
};
use actix_web::dev::Response;
use bytes::{Buf, BytesMut};
use tokio::time::timeout;
use tokio_util::codec::Encoder;

use super::{inbound::Inbound, room::now};

/// How long a peer may read nothing of an answer.
const STALLED: Duration = Duration::from_secs(10);

/// How long it may read an answer.
const READING: Duration = Duration::from_secs(120);

/// How much is written at once.
const CHUNK: usize = 64 * 1024;

/// An answer to one request.
pub(super) struct Answer {
    response: Response<BoxBody>,
    without_body: bool,
}

impl Answer {
    /// The last on its connection.
    pub(super) fn last(mut response: Response<BoxBody>) -> Self {
        response.head_mut().set_connection_type(ConnectionType::Close);
        Self { response, without_body: false }
    }

    /// To a request of this version. It is the last one if the body of the request was not read to its end: where the next request
    /// begins is then not known.
    pub(super) fn to(mut response: Response<BoxBody>, version: Version, is_head: bool, is_through: bool) -> Self {
        let endless = version < Version::HTTP_11 && response.body().size() == BodySize::Stream;
        if endless {
            response.head_mut().no_chunking(true);
        }
        if endless || !is_through {
            response.head_mut().set_connection_type(ConnectionType::Close);
        }
        Self { response, without_body: is_head }
    }

    /// Writes it. True if the connection can be used again.
    pub(super) async fn send(self, to: &Inbound) -> io::Result<bool> {
        timeout(READING, self.write(to)).await.map_err(|_| timed_out("the answer took too long to read"))?
    }

    async fn write(self, to: &Inbound) -> io::Result<bool> {
        let (head, body) = self.response.into_parts();
        let size = body.size();
        let mut out = BytesMut::new();
        let again = to.codec(|codec| {
            codec.encode(Message::Item((head, size)), &mut out)?;
            Ok::<_, io::Error>(codec.keep_alive())
        })?;
        if !self.without_body && !matches!(size, BodySize::None | BodySize::Sized(0)) {
            let mut body = pin!(body);
            loop {
                let next = poll_fn(|cx| match body.as_mut().poll_next(cx) {
                    // What there is goes out while the rest is being made.
                    Poll::Pending if !out.is_empty() => Poll::Ready(None),
                    Poll::Pending => Poll::Pending,
                    Poll::Ready(next) => Poll::Ready(Some(next)),
                });
                match next.await {
                    Some(Some(Ok(bytes))) => to.codec(|codec| codec.encode(Message::Chunk(Some(bytes)), &mut out))?,
                    Some(Some(Err(error))) => return Err(io::Error::other(error.to_string())),
                    Some(None) => {
                        to.codec(|codec| codec.encode(Message::Chunk(None), &mut out))?;
                        break;
                    }
                    None => flush(to, &mut out).await?,
                }
                if out.len() >= CHUNK {
                    flush(to, &mut out).await?;
                }
            }
        }
        flush(to, &mut out).await?;
        Ok(again)
    }
}

/// Writes all of this.
async fn flush(to: &Inbound, out: &mut BytesMut) -> io::Result<()> {
    let since = now();
    while !out.is_empty() {
        match to.stream.try_write(out) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => out.advance(written),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                to.standing.waits(since);
                tokio::select! {
                    () = to.standing.told() => return Err(timed_out("other connections need the place")),
                    writable = timeout(STALLED, to.stream.writable()) => {
                        writable.map_err(|_| timed_out("nobody reads the answer"))??;
                    }
                }
                if !to.standing.works() {
                    return Err(timed_out("other connections need the place"));
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn timed_out(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, why)
}
