//! Pages of the service for browsers: all of it from this binary, under a content security policy that lets nothing in from elsewhere.
//!
//! A page is asked for again at every visit. It names its files with a hash of their content, so they are asked for once. All
//! addresses in it are relative, so that it works under whatever path a proxy publishes it.

mod file;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
};

pub(crate) use self::file::{File, Kept};
use crate::{error::Failure, extract::IfNoneMatch, request_id::public_address};

/// The media type of scripts.
pub(crate) const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The media type of pages.
pub(crate) const HTML: &str = "text/html; charset=utf-8";

/// A page with its files.
pub(crate) struct Page {
    policy: &'static str,
    files: Files,
    html: File,
}

impl Page {
    /// A page whose files are below its own address: `docs/start.js` of `/docs`. The HTML names each as `{start.js}`.
    pub(crate) fn of(name: &str, html: &str, files: Vec<(&'static str, File)>, policy: &'static str) -> Self {
        let files = Files::of(files);
        let html = files.0.iter().fold(html.to_owned(), |html, (plain, _)| {
            html.replace(&format!("{{{plain}}}"), &format!("{name}/{}", files.address(plain)))
        });
        Self { policy, files, html: File::of(HTML, html) }
    }

    /// The page itself.
    pub(crate) fn answer(&self, request: &HttpRequest, known: &IfNoneMatch) -> HttpResponse {
        document(&self.html, self.policy, request, known)
    }

    /// A file of the page.
    pub(crate) fn file(&self, request: &HttpRequest, known: &IfNoneMatch, name: &str) -> Result<HttpResponse, Failure> {
        self.files.answer(request, known, name).ok_or_else(no_such_file)
    }
}

/// Answers with a page under this policy.
pub(crate) fn document(html: &File, policy: &'static str, request: &HttpRequest, known: &IfNoneMatch) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        .insert_header((header::REFERRER_POLICY, "no-referrer"));
    html.answer(response, request, known, Kept::AskFirst)
}

/// The files of a page, or of several.
pub(crate) struct Files(Vec<(&'static str, File)>);

impl Files {
    /// These files with their plain names.
    pub(crate) fn of(files: Vec<(&'static str, File)>) -> Self {
        Self(files)
    }

    /// The name under which a page asks for the file, and then keeps it for good.
    pub(crate) fn address(&self, plain: &str) -> String {
        let file = self.0.iter().find(|(name, _)| *name == plain);
        file.map(|(name, file)| hashed_name(name, file)).unwrap_or_default()
    }

    /// The file. The name without the hash finds what is there now, and so does the name with the hash of another version:
    /// while replicas are replaced, one may have sent the page and another is asked for its files.
    pub(crate) fn answer(&self, request: &HttpRequest, known: &IfNoneMatch, name: &str) -> Option<HttpResponse> {
        self.0.iter().find_map(|(plain, file)| {
            let kept = if name == hashed_name(plain, file) { Kept::Forever } else { Kept::AskFirst };
            (name == *plain || is_version_of(plain, name))
                .then(|| file.answer(HttpResponse::Ok(), request, known, kept))
        })
    }
}

/// The name of a file with its hash before the extension: `start.Zk3….js`.
fn hashed_name(name: &str, file: &File) -> String {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    format!("{stem}.{}.{extension}", file.hash())
}

/// Whether this is a name that [`hashed_name`] gives, with whatever hash.
fn is_version_of(plain: &str, name: &str) -> bool {
    let hash = plain.rsplit_once('.').and_then(|(stem, extension)| {
        name.strip_prefix(stem)?.strip_prefix('.')?.strip_suffix(extension)?.strip_suffix('.')
    });
    hash.is_some_and(|hash| !hash.is_empty() && !hash.contains('.'))
}

/// The page has no file of that name.
pub(crate) fn no_such_file() -> Failure {
    let message = format!("The page has no such file. See {} for all paths.", public_address("/docs"));
    Failure::http(StatusCode::NOT_FOUND, "no_such_route", message)
}
