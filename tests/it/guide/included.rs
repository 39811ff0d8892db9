//! What pages include of the examples is shown as it stands there, so that samples are code that runs.

use std::{collections::BTreeSet, fs, path::PathBuf};

use tenantry_tests::App;

use super::{Shown, markdown, root};

/// The pages that include files, each with the paths of these.
fn included() -> Vec<(PathBuf, Vec<PathBuf>)> {
    let files = |page: &PathBuf| -> Vec<PathBuf> {
        let text = fs::read_to_string(page).unwrap();
        let links = text.lines().filter_map(|line| line.strip_suffix(" \"included\")")?.split_once("]("));
        links.map(|(_, link)| page.parent().unwrap().join(link).canonicalize().unwrap()).collect()
    };
    let pages = markdown(&root().join("docs")).into_iter().map(|page| (page.clone(), files(&page)));
    pages.filter(|(_, files)| !files.is_empty()).collect()
}

#[tokio::test]
async fn a_page_shows_the_files_that_it_includes_as_they_are() {
    let (app, pages) = (App::start().await, included());
    let mut examples = BTreeSet::new();
    for (page, files) in &pages {
        let shown = Shown::get(&app.client(), &format!("/docs/{}", page.file_stem().unwrap().to_str().unwrap())).await;
        // The page marks what a reader fills in; the text is the same.
        let text = shown.article().replace("<span data-fill=\"url\">", "").replace("<span data-fill=\"key\">", "");
        let text = text.replace("</span>", "").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
        let text = text.replace("&#39;", "'").replace("&amp;", "&");
        for file in files {
            let code = fs::read_to_string(file).unwrap();
            assert!(text.contains(&format!("<code>{code}</code>")), "{} in {}", file.display(), page.display());
            assert!(!text.contains("\"included\""), "{}", page.display());
            examples.insert(file.strip_prefix(root().canonicalize().unwrap()).unwrap().to_owned());
        }
    }
    for guard in ["fastapi/tenantry.py", "express/src/tenantry.ts", "nethttp/tenantry.go", "axum/src/tenantry.rs"] {
        assert!(examples.contains(&PathBuf::from("examples").join(guard)), "{guard} in {examples:?}");
    }
    // The image is built of what is not ignored.
    let ignored = fs::read_to_string(root().join(".dockerignore")).unwrap();
    let kept: Vec<_> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let lost: Vec<_> = examples.iter().filter(|file| !kept.iter().any(|kept| file.starts_with(kept))).collect();
    assert_eq!(lost, Vec::<&PathBuf>::new());
}
