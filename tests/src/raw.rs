//! Requests byte by byte, for what a well-behaved client would never send.

use std::{io, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// What came back over a bare connection.
#[derive(Debug, Clone)]
pub struct RawAnswer {
    /// The status.
    pub status: u16,
    /// The status line and the headers.
    pub head: String,
    /// The body, as far as it came.
    pub body: Vec<u8>,
}

impl RawAnswer {
    /// A header; empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        let named = |line: &&str| line.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(name));
        self.head.lines().find(named).and_then(|line| line.split_once(':')).map_or("", |(_, value)| value.trim())
    }

    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// Only so that a service that says nothing fails the test instead of stopping it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends these bytes to the service at `base` and reads one answer: its head, and as much body as its length announces, or
/// all there is until the service closes. Interim answers (1xx) are passed over.
pub async fn exchange(base: &str, bytes: &[u8]) -> RawAnswer {
    let mut connection = RawConnection::open(base).await;
    connection.send(bytes).await;
    connection.answer().await
}

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// What came before the end.
    pub bytes: Vec<u8>,
    /// Whether the other side ended it in order, and not by a reset.
    pub in_order: bool,
}

/// A bare connection.
pub struct RawConnection {
    reading: OwnedReadHalf,
    writing: Option<OwnedWriteHalf>,
    /// What has come and belongs to no answer yet.
    buffer: Vec<u8>,
}

impl RawConnection {
    /// Connects to the service at `base`.
    pub async fn open(base: &str) -> Self {
        Self::try_open(base).await.expect("the service listens")
    }

    /// [`RawConnection::open`], if the service listens.
    pub async fn try_open(base: &str) -> io::Result<Self> {
        let (reading, writing) = TcpStream::connect(base.trim_start_matches("http://")).await?.into_split();
        Ok(Self { reading, writing: Some(writing), buffer: Vec::new() })
    }

    /// Whether the service has not ended it. Whoever keeps connections asks this before they use one again.
    pub fn is_open(&self) -> bool {
        matches!(self.reading.try_read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Sends these bytes, while what comes back waits in the system. The service may answer, and close, before it was told everything.
    pub async fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).await;
    }

    /// [`RawConnection::send`]; false if the service does not take them.
    pub async fn try_send(&mut self, bytes: &[u8]) -> bool {
        let writing = self.writing.as_mut().expect("it is not half-closed");
        let (reading, buffer) = (&mut self.reading, &mut self.buffer);
        let written = writing.write_all(bytes);
        tokio::pin!(written);
        let done = async {
            loop {
                tokio::select! {
                    biased;
                    done = &mut written => return done.is_ok(),
                    more = reading.read_buf(buffer) => if !matches!(more, Ok(1..)) { return written.await.is_ok() },
                }
            }
        };
        tokio::time::timeout(PATIENCE, done).await.expect("the service reads")
    }

    /// Sends these bytes and reads nothing meanwhile. Returns when all are sent, or when the service does not take them any more.
    pub async fn send_without_reading(&mut self, bytes: &[u8]) {
        drop(self.writing.as_mut().expect("it is not half-closed").write_all(bytes).await);
    }

    /// Reads exactly this many bytes.
    pub async fn read_exactly(&mut self, bytes: &mut [u8]) {
        assert!(self.buffer.is_empty(), "everything before has been read");
        let read = tokio::time::timeout(PATIENCE, self.reading.read_exact(bytes)).await;
        read.expect("the service answers").expect("the connection has not ended");
    }

    /// Sends bytes from time to time and reads none, until the service has ended the connection.
    pub async fn until_cut_off(&mut self) {
        let cut_off = async {
            let writing = self.writing.as_mut().expect("it is not half-closed");
            while writing.write_all(b"\r\n").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::time::timeout(PATIENCE, cut_off).await.expect("the service ends the connection");
    }

    /// Says that nothing more will be sent.
    pub fn half_close(&mut self) {
        self.writing = None;
    }

    /// Reads one answer; see [`exchange`].
    pub async fn answer(&mut self) -> RawAnswer {
        self.read(false).await.expect("the connection ended in the head")
    }

    /// The answer to a `HEAD`, which has no body.
    pub async fn answer_to_head(&mut self) -> RawAnswer {
        self.read(true).await.expect("the connection ended in the head")
    }

    /// An answer, or nothing if the service ended the connection instead.
    pub async fn perhaps_an_answer(&mut self) -> Option<RawAnswer> {
        self.read(false).await
    }

    async fn read(&mut self, to_head: bool) -> Option<RawAnswer> {
        tokio::time::timeout(PATIENCE, self.one(to_head)).await.expect("the service answers")
    }

    async fn one(&mut self, to_head: bool) -> Option<RawAnswer> {
        loop {
            let end = loop {
                if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                    break end + 4;
                }
                if self.reading.read_buf(&mut self.buffer).await.unwrap_or(0) == 0 {
                    return None;
                }
            };
            let rest = self.buffer.split_off(end);
            let head = String::from_utf8(std::mem::replace(&mut self.buffer, rest)).expect("a head is ASCII");
            let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status line");
            let mut answer = RawAnswer { status, head, body: Vec::new() };
            if answer.status < 200 {
                continue;
            }
            let bodiless = to_head || matches!(answer.status, 204 | 304);
            let length = if bodiless { 0 } else { answer.header("content-length").parse().unwrap_or(usize::MAX) };
            while self.buffer.len() < length && self.reading.read_buf(&mut self.buffer).await.unwrap_or(0) > 0 {}
            // What lies behind is the answer to another request.
            let rest = self.buffer.split_off(length.min(self.buffer.len()));
            answer.body = std::mem::replace(&mut self.buffer, rest);
            return Some(answer);
        }
    }

    /// Reads until the service ends the connection.
    pub async fn ending(mut self) -> Ending {
        let read = async {
            loop {
                match self.reading.read_buf(&mut self.buffer).await {
                    Ok(0) => return true,
                    Ok(_) => {}
                    Err(_) => return false,
                }
            }
        };
        let in_order = tokio::time::timeout(PATIENCE, read).await.expect("the connection ends");
        Ending { bytes: self.buffer, in_order }
    }
}
