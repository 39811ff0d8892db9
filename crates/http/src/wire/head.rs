//! Where the head of a request ends, and what is refused before anybody has looked into it.

use actix_http::error::ParseError;
use bytes::{Buf, BytesMut};

/// The longest head.
pub(super) const LONGEST: usize = 64 * 1024;

/// Up to here, what can no longer become a request is refused before it is whole. Beyond, looking again at each byte would be work that
/// a caller can cause for nothing.
const LOOKED_AT_EARLY: usize = 2 * 1024;

/// Why what was sent is not answered as a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is not HTTP/1, and why.
    NotHttp(String),
    /// Its head is too long, or has too many fields.
    TooLong,
    /// Its head did not arrive in time.
    TooSlow,
}

impl From<ParseError> for Refusal {
    fn from(error: ParseError) -> Self {
        match error {
            ParseError::TooLarge => Self::TooLong,
            ParseError::Header => Self::NotHttp("a header is not valid, or Host is missing or there twice".to_owned()),
            error => Self::NotHttp(error.to_string()),
        }
    }
}

/// What there is of a head.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// All of it.
    Whole,
    /// The beginning, which is worth a look.
    Beginning,
    /// Not enough to say anything.
    Part,
}

/// Looks for the end of the head at the start of a buffer. `seen` is how much it has looked at before; 0 for a new head.
///
/// A line ends with CR LF. A recipient may take a lone LF for the same (RFC 9112, section 2.2). Not everybody does, so that two
/// recipients of the same bytes may see two requests where there is one.
pub(super) fn find(buffer: &mut BytesMut, seen: &mut usize) -> Result<Found, Refusal> {
    // Old clients send an empty line after a body.
    while *seen == 0 && buffer.starts_with(b"\r\n") {
        buffer.advance(2);
    }
    let mut found =
        if buffer.len() <= LOOKED_AT_EARLY && buffer[..] != b"\r"[..] { Found::Beginning } else { Found::Part };
    for at in *seen..buffer.len() {
        if buffer.get(at) != Some(&b'\n') {
            continue;
        }
        let before = buffer.get(..at).unwrap_or_default();
        if !before.ends_with(b"\r") {
            return Err(Refusal::NotHttp("a line ends without CR".to_owned()));
        }
        if before.ends_with(b"\r\n\r") {
            found = Found::Whole;
            *seen = at + 1;
            break;
        }
    }
    if found != Found::Whole {
        *seen = buffer.len();
    }
    if *seen > LONGEST { Err(Refusal::TooLong) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Result<Found, Refusal> {
        find(&mut BytesMut::from(text), &mut 0)
    }

    #[test]
    fn a_head_ends_with_an_empty_line_and_the_body_is_not_looked_at() {
        assert_eq!(found("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), Ok(Found::Whole));
        assert_eq!(found("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nbody\nwith\n\nlines"), Ok(Found::Whole));
        for partial in ["", "\r\n", "G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r"] {
            assert_eq!(found(partial), Ok(Found::Beginning), "{partial:?}");
        }
    }

    #[test]
    fn a_line_without_its_carriage_return_is_refused_wherever_it_is() {
        let whole = "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
        for (at, _) in whole.match_indices('\r') {
            let mut lone = whole.to_owned();
            lone.remove(at);
            assert!(matches!(found(&lone), Err(Refusal::NotHttp(_))), "{lone:?}");
        }
        assert!(found("\nGET / HTTP/1.1\r\n").is_err());
    }

    #[test]
    fn however_it_is_cut_the_same_head_is_found() {
        let whole = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        for cut in 0..whole.len() {
            let (mut buffer, mut seen) = (BytesMut::from(&whole[..cut]), 0);
            assert_eq!(find(&mut buffer, &mut seen), Ok(Found::Beginning), "{cut}");
            buffer.extend_from_slice(&whole[cut..]);
            assert_eq!(find(&mut buffer, &mut seen), Ok(Found::Whole), "{cut}");
            assert_eq!(seen, whole.len());
        }
    }

    #[test]
    fn a_head_without_an_end_is_too_long_at_some_time() {
        let (mut buffer, mut seen) = (BytesMut::from("GET /"), 0);
        while buffer.len() + 1_000 <= LONGEST {
            buffer.extend_from_slice(&[b'a'; 1_000]);
            assert!(find(&mut buffer, &mut seen).is_ok());
        }
        buffer.extend_from_slice(&[b'a'; 1_000]);
        assert_eq!(find(&mut buffer, &mut seen), Err(Refusal::TooLong));
    }
}
