//! The guide: the repository's Markdown as pages for browsers, with one table of contents and an index to search them.
//!
//! `docs/contents.md` orders the pages. What it does not name still has a page and stands at its end. A page's name follows from its
//! path in the repository. This crate refuses to know HTTP and where the pages are served: all addresses in them are relative. Markup in
//! the Markdown is shown as text.
//!
//! A line that is nothing but a link with the title `included` gives way to the file that it leads to. So samples are parts of programs
//! that run.

mod contents;
mod links;
mod render;
mod sources;

use std::collections::HashMap;

pub use contents::{Entry, Group};
pub use render::{Heading, Section};

use crate::{links::Links, sources::Source};

/// The name of the page with the table of contents.
pub const HOME: &str = "guide";

/// The text of a page as it stands in the repository, by its path there.
pub fn text(path: &str) -> Option<&'static str> {
    sources::PAGES.iter().find(|(known, _)| *known == path).map(|(_, text)| *text)
}

/// All pages.
#[derive(Debug)]
pub struct Guide {
    groups: Vec<Group>,
    links: Links,
    sources: HashMap<String, Source>,
}

/// A page.
#[derive(Debug)]
pub struct Page {
    /// Its first heading.
    pub title: String,
    /// Its first sentence, without markup.
    pub summary: String,
    /// Its content, without the first heading.
    pub html: String,
    /// The headings below the first, in their order.
    pub headings: Vec<Heading>,
    /// What can be looked for in it.
    pub sections: Vec<Section>,
    /// Whether it has samples that the reader's own address and key can be put into.
    pub has_samples: bool,
}

impl Guide {
    /// The guide, with parts that the program makes of what it knows: a paragraph of nothing but a link with the title
    /// `generated: NAME` gives way to the part of this name, in Markdown, whose links are those of a page in `docs/`.
    pub fn new(generated: &[(&str, String)]) -> Self {
        let sources = sources::all(generated);
        let contents = sources.iter().find(|source| source.name == HOME).map_or("", |source| &source.text);
        let groups = contents::read(contents, &sources);
        let links = Links::new(sources.iter().map(|source| (source.path, source.name.as_str())));
        let sources = sources.into_iter().map(|mut source| {
            if source.name == HOME {
                source.text += &contents::rest_as_markdown(&groups);
            }
            (source.name.clone(), source)
        });
        Self { sources: sources.collect(), groups, links }
    }

    /// The table of contents, for every page.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The names of all pages, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sources.keys().map(String::as_str)
    }

    /// The page of this name.
    pub fn page(&self, name: &str) -> Option<Page> {
        self.sources.get(name).map(|source| render::page(source, &self.links))
    }

    /// The entries before and after this page in the table of contents.
    pub fn neighbours(&self, name: &str) -> (Option<&Entry>, Option<&Entry>) {
        let all: Vec<_> = self.groups.iter().flat_map(|group| &group.entries).collect();
        match all.iter().position(|entry| entry.name == name) {
            Some(at) => (at.checked_sub(1).and_then(|before| all.get(before).copied()), all.get(at + 1).copied()),
            None => (None, all.first().copied().filter(|_| name == HOME)),
        }
    }
}
