//! Requests as the servers of tests read them.

use tokio::io::{AsyncRead, AsyncReadExt};

/// The head of the next request, with its empty line; `None` at the end of the connection. What is read beyond it stays in `unread`.
pub(crate) async fn head(stream: &mut (impl AsyncRead + Unpin), unread: &mut Vec<u8>) -> Option<String> {
    let end = loop {
        match unread.windows(4).position(|window| window == b"\r\n\r\n") {
            Some(end) => break end + 4,
            None if stream.read_buf(unread).await.unwrap_or(0) == 0 => return None,
            None => {}
        }
    };
    Some(String::from_utf8(unread.drain(..end).collect()).unwrap())
}

/// A body of this length behind it; `None` if the connection ends before.
pub(crate) async fn body(
    stream: &mut (impl AsyncRead + Unpin),
    unread: &mut Vec<u8>,
    length: usize,
) -> Option<Vec<u8>> {
    while unread.len() < length {
        if stream.read_buf(unread).await.unwrap_or(0) == 0 {
            return None;
        }
    }
    Some(unread.drain(..length).collect())
}
