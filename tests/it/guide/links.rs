//! Every page is there, and every link of every page leads somewhere.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tenantry_domain::{Choice, KeyRule, May, POLICY, Role};
use tenantry_tests::{App, document};

use super::{Shown, markdown, pages, root};
use crate::docs_page::{browser::Driver, strings, wait_for};

#[tokio::test]
async fn every_page_of_the_repository_is_found_from_the_first_one() {
    let app = App::start().await;
    let pages = pages(&app.client()).await;
    // What stands at the root and is a page: the changelog, and how to contribute.
    assert_eq!(pages.len(), markdown(&root().join("docs")).len() + 2, "{:?}", pages.keys());
    for (path, page) in &pages {
        let titles = page.html.matches("<h1>").count();
        assert_eq!((titles, page.html.matches("<title>").count()), (1, 1), "{path}");
        assert!(page.html.contains("href=\"../docs\"") && page.html.contains("href=\"guide\""), "{path}: the way out");
    }
    let reference = app.client().get("/docs").await.expect(200).text;
    assert!(reference.contains("href=\"docs/guide\""), "the way from the reference");
}

#[tokio::test]
async fn every_link_leads_to_something_and_every_anchor_is_there_once() {
    let app = App::start().await;
    let client = app.client();
    let pages = pages(&client).await;
    let (mut wrong, mut files, mut links) = (Vec::new(), BTreeSet::new(), 0);
    for (path, page) in &pages {
        let different: BTreeSet<_> = page.ids.iter().collect();
        assert_eq!(different.len(), page.ids.len(), "{path} has an id twice: {:?}", page.ids);
        for link in page.links() {
            links += 1;
            if link.origin() != page.address.origin() {
                assert!(link.scheme() == "https" || link.host_str() == Some("localhost"), "{path}: {link}");
                continue;
            }
            match (pages.get(link.path()), link.fragment()) {
                (Some(there), Some(id)) if !there.ids.iter().any(|one| one == id) => {
                    wrong.push(format!("{path}: {link}"))
                }
                (Some(_), _) => {}
                (None, _) => {
                    files.insert(link.path().to_owned());
                }
            }
        }
    }
    for file in files {
        if client.get(&file).await.status != 200 {
            wrong.push(file);
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(links > 2000, "{links}");
}

/// A link to a file of the repository is none in a page, so a mistyped one would only be a dotted line.
#[tokio::test]
async fn what_is_no_page_is_a_file_of_the_repository() {
    let app = App::start().await;
    let pages = pages(&app.client()).await;
    let named: BTreeSet<_> = pages.values().flat_map(|page| super::values(page.article(), "title")).collect();
    let files: Vec<_> = named.iter().filter_map(|title| title.strip_prefix("In the repository: ")).collect();
    assert!(!files.is_empty());
    let missing: Vec<_> = files.into_iter().filter(|file| !root().join(file).exists()).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[tokio::test]
async fn links_into_the_reference_lead_to_its_operations() {
    let app = App::start().await;
    let pages = pages(&app.client()).await;
    let index = app.client().get("/docs/search.json").await.expect(200).body;
    let found = index.as_array().unwrap().iter().filter_map(|entry| entry["at"].as_str()?.strip_prefix("../docs#"));
    let linked = pages.values().flat_map(Shown::links).filter(|link| link.path() == "/docs");
    let mut fragments: BTreeSet<_> = linked.filter_map(|link| Some(link.fragment()?.to_owned())).collect();
    fragments.extend(found.map(str::to_owned));
    assert!(fragments.len() > 60, "{}", fragments.len());
    // The page names them all in the same way, so one of each tag is enough.
    let mut tags = BTreeSet::new();
    fragments.retain(|fragment| tags.insert(fragment.split('/').nth(1).unwrap().to_owned()));
    let driver = Driver::start();
    let browser = driver.browser().await;
    // The page is loaded for the first one. It takes seconds, and whoever follows a link within it is led in the same way.
    browser.goto(&format!("{}/docs#{}", app.base, fragments.first().unwrap())).await.unwrap();
    for fragment in fragments {
        browser.execute("location.hash = arguments[0]", vec![fragment.as_str().into()]).await.unwrap();
        wait_for(&browser, &format!("//*[contains(@id, '{fragment}')]")).await;
    }
    let bar = strings(&browser, "return [...document.querySelectorAll('#bar a')].map(link => link.pathname)").await;
    assert_eq!(bar, ["/docs/guide", "/docs/guide", "/docs"]);
    browser.close().await.unwrap();
}

#[tokio::test]
async fn what_can_be_found_leads_to_where_it_stands() {
    let app = App::start().await;
    let client = app.client();
    let pages: BTreeMap<_, _> = pages(&client).await.into_iter().collect();
    let index = client.get("/docs/search.json").await.expect(200);
    assert_eq!(index.header("content-type"), "application/json");
    let mut seen = BTreeSet::new();
    for entry in index.body.as_array().unwrap() {
        let at = entry["at"].as_str().unwrap();
        assert!(seen.insert(at), "{at} twice");
        assert!(entry["heading"].as_str().is_some_and(|heading| !heading.is_empty()), "{entry}");
        if at.starts_with("../docs#") {
            continue;
        }
        let (name, id) = at.split_once('#').unwrap_or((at, ""));
        let page = pages.get(&format!("/docs/{name}")).unwrap_or_else(|| panic!("{at}"));
        assert!(id.is_empty() || page.ids.iter().any(|one| one == id), "{at}");
    }
    let operations =
        document()["paths"].as_object().unwrap().values().map(|item| item.as_object().unwrap().len()).sum::<usize>();
    assert_eq!(seen.iter().filter(|at| at.starts_with("../docs#")).count(), operations);
}

#[tokio::test]
async fn the_table_of_permissions_is_the_policy() {
    let app = App::start().await;
    let page = Shown::get(&app.client(), "/docs/roles").await;
    let rows: Vec<_> = page.article().split("<tr>").collect();
    for rule in POLICY {
        let row = rows.iter().find(|row| {
            row.contains(&format!(" <code>{}</code></td>", rule.name))
                || row.contains(&format!("<td><code>{}</code></td>", rule.name))
        });
        let marks: Vec<_> = Role::ALL
            .iter()
            .map(|(role, _)| match rule.role(*role) {
                May::Yes => "✓",
                May::Own => "own",
                May::No => "–",
            })
            .collect();
        let nobody = marks.iter().all(|mark| *mark == "–") && rule.key == KeyRule::Never;
        assert_eq!(row.is_none(), nobody, "{}", rule.name);
        let Some(row) = row else { continue };
        let cells: Vec<_> = row.split("<td>").skip(2).map(|cell| cell.split("</td>").next().unwrap()).collect();
        assert_eq!(cells[..marks.len()], marks, "{}", rule.name);
        let key = cells[marks.len()];
        match rule.key {
            KeyRule::Scoped(scope, _) => {
                assert!(key.starts_with(&format!("<code>{scope}</code>")), "{} {key}", rule.name)
            }
            KeyRule::Any => assert_eq!(key, "✓"),
            KeyRule::Never => assert_eq!(key, "–"),
        }
    }
    // Each operation of tenants is in a row, with its name.
    for (path, item) in document()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let (Some(action), Some(summary)) = (operation["x-action"].as_str(), operation["summary"].as_str()) else {
                continue;
            };
            let summary = summary.lines().next().unwrap();
            if path.starts_with("/api/workspace/") || action == "invitation.accept" {
                continue;
            }
            let found = rows
                .iter()
                .chain(&page.article().split("<li>").collect::<Vec<_>>())
                .any(|row| row.contains(&format!(">{summary}</a>")) && row.contains(&format!("<code>{action}</code>")));
            assert!(found, "{method} {path} {action} {}", Value::from(summary));
        }
    }
}
