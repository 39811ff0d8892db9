//! Requests byte by byte, for what a well-behaved client would never send.

use std::time::Duration;

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
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

/// Sends these bytes to the service at `base` and reads one answer: its head, and as much body as its length announces, or
/// all there is until the service closes. Interim answers (1xx) are passed over.
pub async fn exchange(base: &str, bytes: &[u8]) -> RawAnswer {
    // Only so that a service that says nothing fails the test instead of stopping it.
    tokio::time::timeout(Duration::from_secs(60), conversation(base, bytes)).await.expect("the service answers")
}

async fn conversation(base: &str, bytes: &[u8]) -> RawAnswer {
    let mut stream = TcpStream::connect(base.trim_start_matches("http://")).await.unwrap();
    let (mut reading, mut writing) = stream.split();
    // The service may answer, and close, before it was told everything.
    let ((), answer) = tokio::join!(async { drop(writing.write_all(bytes).await) }, answer(&mut reading));
    answer
}

async fn answer(stream: &mut (impl AsyncReadExt + Unpin)) -> RawAnswer {
    let mut bytes = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            let more = stream.read_buf(&mut bytes).await.unwrap_or(0);
            assert!(more > 0, "the connection ended in the head: {:?}", String::from_utf8_lossy(&bytes));
        };
        let rest = bytes.split_off(end);
        let head = String::from_utf8(bytes).expect("a head is ASCII");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status line");
        let mut answer = RawAnswer { status, head, body: rest };
        if answer.status < 200 {
            bytes = answer.body;
            continue;
        }
        let bodiless = matches!(answer.status, 204 | 304);
        let length = if bodiless { 0 } else { answer.header("content-length").parse().unwrap_or(usize::MAX) };
        while answer.body.len() < length && stream.read_buf(&mut answer.body).await.unwrap_or(0) > 0 {}
        // What lies behind is the answer to another request.
        answer.body.truncate(length);
        return answer;
    }
}
