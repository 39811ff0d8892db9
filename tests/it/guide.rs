//! The guide: its pages are the repository's Markdown and what the program knows, every link leads somewhere, every error leads to its
//! entry, every sample runs, and browsers of all kinds show it.

mod browser;
mod errors;
mod files;
mod included;
mod links;
mod samples;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use regex::Regex;
use tenantry_tests::Client;
use url::Url;

/// The repository.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The Markdown below this directory.
fn markdown(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for path in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(markdown(&path));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A page as a browser gets it.
struct Shown {
    address: Url,
    html: String,
    ids: Vec<String>,
}

impl Shown {
    async fn get(client: &Client, path: &str) -> Self {
        let page = client.get(path).await.expect(200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8", "{path}");
        let address = Url::parse(client.base()).unwrap().join(path).unwrap();
        Self { address, ids: values(&page.text, "id"), html: page.text }
    }

    /// The addresses that the page names.
    fn links(&self) -> Vec<Url> {
        let named = [values(&self.html, "href"), values(&self.html, "src")].concat();
        named
            .iter()
            .map(|link| self.address.join(link).unwrap_or_else(|_| panic!("{link} in {}", self.address)))
            .collect()
    }

    /// What stands in its content.
    fn article(&self) -> &str {
        self.html.split("<article>").nth(1).unwrap().split("</article>").next().unwrap()
    }
}

/// The values of an attribute.
fn values(html: &str, attribute: &str) -> Vec<String> {
    let pattern = Regex::new(&format!(" {attribute}=\"([^\"]*)\"")).unwrap();
    pattern.captures_iter(html).map(|found| found[1].replace("&amp;", "&").replace("&quot;", "\"")).collect()
}

/// All pages, found by following the links of the first one, by their paths.
async fn pages(client: &Client) -> BTreeMap<String, Shown> {
    let (mut pages, mut open) = (BTreeMap::new(), BTreeSet::from(["/docs/guide".to_owned()]));
    while let Some(path) = open.pop_first() {
        let page = Shown::get(client, &path).await;
        let own = page.links().into_iter().filter(|link| link.origin() == page.address.origin());
        let is_page = |path: &String| path.starts_with("/docs/") && !path.contains('.');
        open.extend(own.map(|link| link.path().to_owned()).filter(|path| is_page(path) && !pages.contains_key(path)));
        pages.insert(path.clone(), page);
        open.remove(&path);
    }
    pages
}
