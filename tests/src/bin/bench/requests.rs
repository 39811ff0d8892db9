//! Requests as bytes, and who sends which.

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

/// In a request, this is another number each time it is sent.
pub(crate) const NUMBER: &str = "################";

/// Requests that are sent in turn.
#[derive(Clone)]
pub(crate) struct Requests {
    all: Vec<Arc<str>>,
    /// The status of their answer, if it is not one of success.
    pub(crate) answer: Option<u16>,
    next: Arc<AtomicU64>,
}

impl Requests {
    pub(crate) fn new(all: impl IntoIterator<Item = Arc<str>>, answer: Option<u16>) -> Self {
        // As many digits as NUMBER, and more with each process.
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { all: all.into_iter().collect(), answer, next: Arc::new(AtomicU64::new(now.as_micros() as u64)) }
    }

    /// One request, byte by byte.
    pub(crate) fn one(method: &str, path: &str, key: &str, body: &str) -> Self {
        Self::new([text(method, path, key, body)], None)
    }

    pub(crate) fn texts(&self) -> Vec<&str> {
        self.all.iter().map(|text| &**text).collect()
    }

    /// The request whose turn it is.
    pub(crate) fn get(&self, turn: usize) -> Cow<'_, str> {
        let text = &*self.all[turn % self.all.len()];
        if !text.contains(NUMBER) {
            return text.into();
        }
        text.replace(NUMBER, &format!("{:016}", self.next.fetch_add(1, Ordering::Relaxed))).into()
    }
}

/// A request as it is sent.
pub(crate) fn text(method: &str, path: &str, key: &str, body: &str) -> Arc<str> {
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
    if !key.is_empty() {
        request += &format!("Authorization: Bearer {key}\r\n");
    }
    if !body.is_empty() {
        request += &format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    }
    format!("{request}\r\n{body}").into()
}
