//! Where links lead: from a file of the repository to another one, and so from a page to a page.

use std::collections::HashMap;

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// To this address, relative to the page or of somebody else.
    Address(String),
    /// To this file of the repository, which is no page.
    File(String),
}

/// Which pages there are.
#[derive(Debug)]
pub(crate) struct Links(HashMap<&'static str, String>);

impl Links {
    /// Those of pages, each with its path and its name.
    pub(crate) fn new<'a>(pages: impl Iterator<Item = (&'static str, &'a str)>) -> Self {
        Self(pages.map(|(path, name)| (path, name.to_owned())).collect())
    }

    /// Where a link in this file leads. What begins with a slash is an address of the service, whose pages are one step below it.
    pub(crate) fn resolve(&self, from: &str, link: &str) -> Target {
        if link.starts_with('#') || link.starts_with("https://") || link.starts_with("http://") {
            return Target::Address(link.to_owned());
        }
        if link.starts_with('/') {
            return Target::Address(format!("..{link}"));
        }
        let (file, fragment) =
            link.split_once('#').map_or((link, String::new()), |(file, id)| (file, format!("#{id}")));
        let path = joined(from, file);
        let page = self.0.get(path.as_str()).or_else(|| self.0.get(format!("{path}/README.md").as_str()));
        match page {
            Some(name) => Target::Address(format!("{name}{fragment}")),
            None => Target::File(path),
        }
    }
}

/// The path of a file that this file names.
pub(crate) fn joined(from: &str, to: &str) -> String {
    let mut steps: Vec<_> = from.split('/').collect();
    steps.pop();
    for step in to.split('/') {
        match step {
            "." | "" => {}
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    steps.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_between_files_lead_from_page_to_page() {
        let pages = [("docs/api.md", "api"), ("docs/guide/errors.md", "errors"), ("docs/adr/README.md", "decisions")];
        let links = Links::new(pages.into_iter());
        let address = |address: &str| Target::Address(address.to_owned());
        let file = |path: &str| Target::File(path.to_owned());
        for (from, link, target) in [
            ("docs/guide/errors.md", "#top", address("#top")),
            ("docs/guide/errors.md", "../api.md#x", address("api#x")),
            ("docs/api.md", "guide/errors.md", address("errors")),
            ("docs/api.md", "./adr/", address("decisions")),
            ("README.md", "docs/api.md", address("api")),
            ("docs/api.md", "/docs#tag/x", address("../docs#tag/x")),
            ("docs/api.md", "https://example.com/a", address("https://example.com/a")),
            ("docs/api.md", "../LICENSE-MIT", file("LICENSE-MIT")),
            ("docs/api.md", "other.md#x", file("docs/other.md")),
        ] {
            assert_eq!(links.resolve(from, link), target, "{from} {link}");
        }
    }
}
