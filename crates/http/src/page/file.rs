//! Files that are the same for everybody: compressed once, with a tag for each encoding, and asked for again only when they have
//! changed.

use std::{
    io::{Read, Write},
    sync::OnceLock,
};

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::header::{self, AcceptEncoding, Encoding, Header, Preference, Quality},
    web::Bytes,
};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};

use crate::{etag::Etag, extract::IfNoneMatch};

/// How long a file may be used without asking for it again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// For good: its address changes with its content.
    Forever,
    /// Not at all.
    AskFirst,
}

/// A file in the two encodings that it is served in.
pub(crate) struct File {
    content_type: &'static str,
    etag: Etag,
    gzip: Bytes,
    /// Hardly any client wants it like this, and it can be large.
    plain: OnceLock<Bytes>,
}

impl File {
    /// A file with this content.
    pub(crate) fn of(content_type: &'static str, content: impl Into<Bytes>) -> Self {
        let content = content.into();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        // Nothing fails that writes into memory.
        let gzip = encoder.write_all(&content).and_then(|()| encoder.finish()).unwrap_or_default();
        let etag = Etag::of_body(&content);
        Self { content_type, etag, gzip: gzip.into(), plain: content.into() }
    }

    /// A file that was compressed when the program was built.
    pub(crate) fn of_gzip(content_type: &'static str, gzip: &'static [u8]) -> Self {
        Self { content_type, etag: Etag::of_body(gzip), gzip: Bytes::from_static(gzip), plain: OnceLock::new() }
    }

    /// What the content is told from other content by, fit for an address.
    pub(crate) fn hash(&self) -> &str {
        self.etag.as_str().trim_matches('"')
    }

    /// The file, or 304 when the caller has it. The builder brings further headers.
    pub(crate) fn answer(
        &self,
        mut response: HttpResponseBuilder,
        request: &HttpRequest,
        known: &IfNoneMatch,
        kept: Kept,
    ) -> HttpResponse {
        let packed = takes_gzip(request);
        let etag = if packed { self.etag.encoded("gzip") } else { self.etag.clone() };
        response.insert_header((header::ETAG, etag.as_str())).insert_header((header::VARY, "Accept-Encoding"));
        response.insert_header((
            header::CACHE_CONTROL,
            match kept {
                Kept::Forever => "public, max-age=31536000, immutable",
                Kept::AskFirst => "no-cache",
            },
        ));
        if known.names(&etag) {
            return response.status(actix_web::http::StatusCode::NOT_MODIFIED).finish();
        }
        response.content_type(self.content_type);
        if packed {
            response.insert_header(header::ContentEncoding::Gzip).body(self.gzip.clone())
        } else {
            response.body(self.plain.get_or_init(|| unpacked(&self.gzip)).clone())
        }
    }
}

fn unpacked(gzip: &[u8]) -> Bytes {
    let mut plain = Vec::new();
    match GzDecoder::new(gzip).read_to_end(&mut plain) {
        Ok(_) => plain.into(),
        Err(error) => {
            tracing::error!(%error, "a file of the program is damaged");
            Bytes::new()
        }
    }
}

/// Whether the caller takes gzip, and likes it no less than what is not compressed (RFC 9110, section 12.5.3).
fn takes_gzip(request: &HttpRequest) -> bool {
    let accepted = AcceptEncoding::parse(request).map(|accepted| accepted.0).unwrap_or_default();
    let quality =
        |coding: &Preference<Encoding>| accepted.iter().find(|one| one.item == *coding).map(|one| one.quality);
    let gzip = quality(&Preference::Specific(Encoding::gzip())).or_else(|| quality(&Preference::Any));
    let plain = quality(&Preference::Specific(Encoding::identity()));
    gzip.is_some_and(|gzip| gzip > Quality::ZERO && plain.is_none_or(|plain| gzip >= plain))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn gzip_is_for_those_who_ask_for_it_and_like_nothing_better() {
        let takes = |accepted: &str| {
            takes_gzip(&TestRequest::get().insert_header((header::ACCEPT_ENCODING, accepted)).to_http_request())
        };
        for yes in [
            "gzip",
            "br, gzip, deflate, zstd",
            "GZIP;q=0.1",
            "*",
            "identity, gzip",
            "gzip, *;q=0",
            "gzip;q=0.5, identity;q=0.4",
        ] {
            assert!(takes(yes), "{yes}");
        }
        for no in [
            "",
            "br",
            "gzip;q=0",
            "gzip;q=0.000, *",
            "*;q=0",
            "identity",
            "gzip;q=0.4, identity;q=0.5",
            "gzip;q=x",
            "xgzip",
        ] {
            assert!(!takes(no), "{no}");
        }
        assert!(!takes_gzip(&TestRequest::get().to_http_request()), "no header");
    }
}
