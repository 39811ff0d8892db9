//! The documentation page: Scalar over the OpenAPI document, all of it from this binary, under a content security policy
//! that lets nothing in from elsewhere.
//!
//! The page is asked for again at every visit. It names its files with a hash of their content, so they are asked for once.

mod file;

use std::sync::LazyLock;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
};

use self::file::{File, Kept};
use crate::{error::Failure, extract::IfNoneMatch};

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Scripts and requests only to this service. Scalar sets its styles from its script, which needs `unsafe-inline` for styles.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
                      font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The files of the page, by the names that the page has for them.
static ASSETS: LazyLock<[(&str, File); 3]> = LazyLock::new(|| {
    [
        ("scalar.js", File::of_gzip(SCRIPT, include_bytes!(concat!(env!("OUT_DIR"), "/scalar.js.gz")))),
        ("start.js", File::of(SCRIPT, include_str!("docs/start.js"))),
        ("icon.svg", File::of("image/svg+xml", include_str!("docs/icon.svg"))),
    ]
});

static PAGE: LazyLock<File> = LazyLock::new(|| {
    let page = ASSETS.iter().fold(include_str!("docs/page.html").to_owned(), |page, (name, file)| {
        page.replace(&format!("{{{name}}}"), &format!("/docs/{}", hashed_name(name, file)))
    });
    File::of("text/html; charset=utf-8", page)
});

/// The name of a file with its hash before the extension: `start.Zk3….js`.
fn hashed_name(name: &str, file: &File) -> String {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    format!("{stem}.{}.{extension}", file.hash())
}

pub(crate) fn page(request: &HttpRequest, known: &IfNoneMatch) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::REFERRER_POLICY, "no-referrer"));
    PAGE.answer(response, request, known, Kept::AskFirst)
}

/// A file of the page. The name without the hash finds what is there now, and so does the name with the hash of another version:
/// while replicas are replaced, one may have sent the page and another is asked for its files.
pub(crate) fn asset(request: &HttpRequest, known: &IfNoneMatch, name: &str) -> Result<HttpResponse, Failure> {
    let found = ASSETS.iter().find_map(|(plain, file)| {
        let kept = if name == hashed_name(plain, file) { Kept::Forever } else { Kept::AskFirst };
        (name == *plain || is_version_of(plain, name)).then(|| file.answer(HttpResponse::Ok(), request, known, kept))
    });
    found.ok_or_else(no_such_file)
}

/// Whether this is a name that [`hashed_name`] gives, with whatever hash.
fn is_version_of(plain: &str, name: &str) -> bool {
    let hash = plain.rsplit_once('.').and_then(|(stem, extension)| {
        name.strip_prefix(stem)?.strip_prefix('.')?.strip_suffix(extension)?.strip_suffix('.')
    });
    hash.is_some_and(|hash| !hash.is_empty() && !hash.contains('.'))
}

/// The documentation has no file of that name.
pub(crate) fn no_such_file() -> Failure {
    Failure::http(StatusCode::NOT_FOUND, "no_such_route", "The documentation has no such file. See /docs.")
}

/// The document in both forms. Nobody waits for them at the start of the service: they are made for their first reader.
static JSON: LazyLock<File> =
    LazyLock::new(|| File::of("application/json", serde_json::to_string(&crate::document()).unwrap_or_default()));
static YAML: LazyLock<File> =
    LazyLock::new(|| File::of("application/yaml", crate::to_yaml(&crate::document()).unwrap_or_default()));

pub(crate) fn json(request: &HttpRequest, known: &IfNoneMatch) -> HttpResponse {
    JSON.answer(HttpResponse::Ok(), request, known, Kept::AskFirst)
}

pub(crate) fn yaml(request: &HttpRequest, known: &IfNoneMatch) -> HttpResponse {
    YAML.answer(HttpResponse::Ok(), request, known, Kept::AskFirst)
}
