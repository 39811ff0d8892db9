//! The guide for browsers: pages below `/docs` beside the files of the API reference, made of the repository's Markdown.
//!
//! Nobody waits for a page at the start of the service: each is made for its first reader. All addresses are relative, and the pages
//! load nothing from elsewhere.

mod generated;

use std::{
    collections::HashMap,
    sync::{LazyLock, OnceLock},
};

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Serialize;
use tenantry_guide::{Entry, Group, Guide, HOME, Heading};

use crate::{
    extract::IfNoneMatch,
    page::{File, Files, HTML, Kept, SCRIPT, document},
};

/// Scripts, styles and requests only of and to this service. The form of a page is sent nowhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What the script searches.
const INDEX: &str = "search.json";

static GUIDE: LazyLock<Guide> = LazyLock::new(|| Guide::new(&generated::parts()));

static PAGES: LazyLock<HashMap<String, OnceLock<File>>> =
    LazyLock::new(|| GUIDE.names().map(|name| (name.to_owned(), OnceLock::new())).collect());

static SEARCH: LazyLock<File> = LazyLock::new(|| File::of("application/json", index()));

static FILES: LazyLock<Files> = LazyLock::new(|| {
    Files::of(vec![
        ("guide.css", File::of("text/css; charset=utf-8", include_str!("guide/guide.css"))),
        ("guide.js", File::of(SCRIPT, include_str!("guide/guide.js"))),
        ("icon.svg", File::of("image/svg+xml", include_str!("docs/icon.svg"))),
    ])
});

/// The address of what is said of a code of an error, as a path of the service.
pub(crate) fn address_of_error(code: &str) -> String {
    format!("/docs/errors#{code}")
}

/// A page of this name, or a file of all pages.
pub(crate) fn answer(request: &HttpRequest, known: &IfNoneMatch, name: &str) -> Option<HttpResponse> {
    if name == INDEX {
        return Some(SEARCH.answer(HttpResponse::Ok(), request, known, Kept::AskFirst));
    }
    match PAGES.get(name) {
        Some(page) => Some(document(page.get_or_init(|| made(name)), POLICY, request, known)),
        None => FILES.answer(request, known, name),
    }
}

/// What surrounds the content of a page.
#[derive(Template)]
#[template(path = "guide.html")]
struct Frame<'a> {
    name: &'a str,
    title: &'a str,
    summary: &'a str,
    content: &'a str,
    headings: Vec<&'a Heading>,
    has_samples: bool,
    groups: &'a [Group],
    before: Option<&'a Entry>,
    after: Option<&'a Entry>,
    style: String,
    script: String,
    icon: String,
    index: &'static str,
    home: &'static str,
}

fn made(name: &str) -> File {
    let html = GUIDE.page(name).and_then(|page| {
        let (before, after) = GUIDE.neighbours(name);
        let frame = Frame {
            name,
            title: &page.title,
            summary: &page.summary,
            content: &page.html,
            headings: page.headings.iter().filter(|heading| heading.level == 2).collect(),
            has_samples: page.has_samples,
            groups: GUIDE.groups(),
            before,
            after,
            style: FILES.address("guide.css"),
            script: FILES.address("guide.js"),
            icon: FILES.address("icon.svg"),
            index: INDEX,
            home: HOME,
        };
        frame.render().inspect_err(|error| tracing::error!(%error, name, "a page of the guide cannot be made")).ok()
    });
    File::of(HTML, html.unwrap_or_default())
}

/// Something that can be found.
#[derive(Serialize)]
struct Found {
    /// Its address, relative to the pages.
    at: String,
    /// The page.
    page: String,
    heading: String,
    text: String,
}

fn index() -> String {
    // What is found equally well stands in the order of the table of contents, and the decisions behind it.
    let listed: Vec<_> =
        GUIDE.groups().iter().flat_map(|group| &group.entries).map(|entry| entry.name.as_str()).collect();
    let place = |name: &str| listed.iter().position(|one| *one == name).unwrap_or(listed.len());
    let mut names: Vec<_> = GUIDE.names().collect();
    names.sort_unstable_by_key(|name| (place(name), *name));
    let pages = names.into_iter().filter_map(|name| Some((name, GUIDE.page(name)?)));
    let sections = pages.flat_map(|(name, page)| {
        let title = page.title;
        page.sections.into_iter().map(move |section| Found {
            at: if section.id.is_empty() { name.to_owned() } else { format!("{name}#{}", section.id) },
            page: title.clone(),
            heading: section.heading,
            text: section.text.split_whitespace().collect::<Vec<_>>().join(" "),
        })
    });
    let found: Vec<_> = sections.chain(generated::operations()).collect();
    serde_json::to_string(&found).unwrap_or_default()
}
