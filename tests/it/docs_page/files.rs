//! What the page is made of, and the document, over the wire: compressed, with tags, and kept as long as it may be.

use std::{collections::BTreeSet, io::Read};

use flate2::read::GzDecoder;
use tenantry_tests::{Answer, App, RawAnswer, exchange};

/// Whose address does not change with its content.
const ASKED_AGAIN: [&str; 6] =
    ["/docs", "/openapi.json", "/openapi.yaml", "/docs/scalar.js", "/docs/start.js", "/docs/icon.svg"];

/// How the three forms of `Accept-Encoding` that matter most are answered.
const ENCODINGS: [(&str, &str); 3] = [("gzip, deflate, br, zstd", "gzip"), ("identity", ""), ("gzip;q=0, *", "")];

async fn get(app: &App, path: &str, headers: &[(&str, &str)]) -> RawAnswer {
    let host = app.base.trim_start_matches("http://");
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    exchange(&app.base, format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n").as_bytes()).await
}

fn unpacked(answer: &RawAnswer) -> Vec<u8> {
    let mut plain = Vec::new();
    GzDecoder::new(&*answer.body).read_to_end(&mut plain).unwrap();
    plain
}

/// The files that the page names.
async fn named(app: &App) -> Vec<String> {
    let page = app.client().get("/docs").await.expect(200).text;
    let files = page.split(['"', '\'']).filter(|part| part.starts_with("docs/") && part.contains('.'));
    files.map(|part| format!("/{part}")).collect::<BTreeSet<_>>().into_iter().collect()
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let app = App::start().await;
    let named = named(&app).await;
    for path in ASKED_AGAIN.into_iter().chain(named.iter().map(String::as_str)) {
        let mut tags = Vec::new();
        for (accept, encoding) in [("gzip", "gzip"), ("identity", "")] {
            let fresh = get(&app, path, &[("Accept-Encoding", accept)]).await;
            assert_eq!((fresh.status, fresh.header("content-encoding")), (200, encoding), "{path}");
            let tag = fresh.header("etag").to_owned();
            assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 20, "{path}: a strong tag: {tag}");
            for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
                let answer = get(&app, path, &[("Accept-Encoding", accept), ("If-None-Match", &known)]).await;
                assert_eq!((answer.status, answer.body.len()), (304, 0), "{path} {known}");
                for name in ["etag", "cache-control", "vary"] {
                    assert_eq!(answer.header(name), fresh.header(name), "{path} {name}");
                }
            }
            for unknown in ["\"x\"", "\"x\",,W/\"y\""] {
                let answer = get(&app, path, &[("Accept-Encoding", accept), ("If-None-Match", unknown)]).await;
                assert_eq!((answer.status, &answer.body), (200, &fresh.body), "{path} {unknown}");
            }
            for malformed in ["x", ""] {
                let answer = get(&app, path, &[("If-None-Match", malformed)]).await;
                assert_eq!(answer.status, 400, "{path} {malformed}");
            }
            tags.push(tag);
        }
        // They are other bytes, so who has the one does not have the other.
        let answer = get(&app, path, &[("Accept-Encoding", "identity"), ("If-None-Match", &tags[0])]).await;
        assert_eq!((answer.status, answer.header("etag")), (200, &*tags[1]), "{path}");
        assert_ne!(tags[0], tags[1], "{path}");
    }
}

#[tokio::test]
async fn gzip_is_the_same_content_and_only_for_those_who_take_it() {
    let app = App::start().await;
    for path in ASKED_AGAIN {
        let plain = get(&app, path, &[]).await;
        assert_eq!(
            (plain.status, plain.header("content-encoding"), plain.header("vary")),
            (200, "", "Accept-Encoding")
        );
        for (accept, encoding) in ENCODINGS {
            let answer = get(&app, path, &[("Accept-Encoding", accept)]).await;
            assert_eq!((answer.status, answer.header("content-encoding")), (200, encoding), "{path} {accept}");
            assert_eq!(answer.header("content-type"), plain.header("content-type"), "{path} {accept}");
            assert_eq!(answer.header("vary"), "Accept-Encoding", "{path} {accept}");
            assert_eq!(answer.header("content-length"), answer.body.len().to_string(), "{path} {accept}");
            let content = if encoding == "gzip" { unpacked(&answer) } else { answer.body };
            assert!(content == plain.body, "{path} {accept}: other content");
        }
    }
    let script = get(&app, "/docs/scalar.js", &[("Accept-Encoding", "gzip")]).await;
    assert!(script.body.len() < 2_000_000, "{} bytes", script.body.len());
}

#[tokio::test]
async fn files_that_the_page_names_carry_a_hash_and_are_kept_for_good() {
    let app = App::start().await;
    let named = named(&app).await;
    assert_eq!(named.len(), 3, "{named:?}");
    for path in &named {
        let (stem, rest) = path.split_once('.').unwrap();
        let (hash, extension) = rest.split_once('.').unwrap();
        let plain = format!("{stem}.{extension}");
        let (file, same) = (get(&app, path, &[]).await, get(&app, &plain, &[]).await);
        assert_eq!((file.status, file.header("cache-control")), (200, "public, max-age=31536000, immutable"), "{path}");
        assert_eq!((same.status, same.header("cache-control")), (200, "no-cache"), "{plain}");
        assert!(file.body == same.body && file.header("content-type") == same.header("content-type"), "{path}");
        assert_eq!(file.header("etag"), format!("\"{hash}\""), "the hash is of the content, like the tag");
        // The name of another version finds this one, as a new replica's page does. But what is kept for good is never other than
        // its name says.
        let reversed: String = hash.chars().rev().collect();
        let other = get(&app, &format!("{stem}.{reversed}.{extension}"), &[]).await;
        assert_eq!((other.status, other.header("cache-control")), (200, "no-cache"), "{path}");
        assert!(other.body == file.body, "{path}");
        for none in [format!("{stem}..{extension}"), format!("{stem}.{hash}.x"), format!("{stem}.a.b.{extension}")] {
            app.client().get(&none).await.expect(404);
        }
    }
    for path in ["/docs", "/openapi.json", "/openapi.yaml"] {
        assert_eq!(get(&app, path, &[]).await.header("cache-control"), "no-cache", "{path}");
    }
}

#[tokio::test]
async fn head_says_what_get_would_in_either_encoding() {
    let app = App::start().await;
    let client = app.client();
    let named = named(&app).await;
    for path in ASKED_AGAIN.into_iter().chain(named.iter().map(String::as_str)) {
        for (accept, _) in ENCODINGS {
            let ask = |method| client.send(client.request(method, path).header("Accept-Encoding", accept));
            let (get, head) = (ask("GET").await.expect(200), ask("HEAD").await.expect(200));
            assert_eq!(head.text, "", "{path}");
            let said = |answer: &Answer| {
                let mut headers = answer.headers.clone();
                headers.remove("date");
                headers.remove("x-request-id");
                headers
            };
            assert_eq!(said(&head), said(&get), "{path} {accept}");
        }
    }
}
