//! The page where an invitation leads: it shows what the invitation is for, and lets whoever has an access token accept it.
//!
//! The token of the invitation stands behind the `#` of the address, so that it is in no log and no referrer. The page sends it to the
//! API of this service in the body of a request, and to nobody else.

use std::sync::LazyLock;

use crate::page::{File, Page, SCRIPT};

/// Scripts, styles and requests only of and to this service. Its form is sent by its script alone.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page.
pub(crate) static PAGE: LazyLock<Page> = LazyLock::new(|| {
    let files = vec![
        ("texts.js", File::of(SCRIPT, include_str!("accept/texts.js"))),
        ("start.js", File::of(SCRIPT, include_str!("accept/start.js"))),
        ("accept.css", File::of("text/css; charset=utf-8", include_str!("accept/accept.css"))),
        ("icon.svg", File::of("image/svg+xml", include_str!("docs/icon.svg"))),
    ];
    Page::of("accept", include_str!("accept/page.html"), files, POLICY)
});
