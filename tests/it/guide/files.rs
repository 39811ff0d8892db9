//! The pages over the wire: under a policy that lets nothing in, with tags, and kept as long as they may be.

use tenantry_tests::App;

use super::{pages, values};

#[tokio::test]
async fn no_page_has_a_script_or_a_style_of_its_own_and_the_policy_allows_none() {
    let app = App::start().await;
    for (path, page) in pages(&app.client()).await {
        for mark in ["<style", " style=", "<script>", " onclick", "javascript:", "<iframe", "<img src=\"http"] {
            assert!(!page.html.contains(mark), "{path}: {mark}");
        }
        assert_eq!(page.html.matches("<script").count(), 1, "{path}");
        assert!(!page.html.contains("=\"/"), "{path}: addresses are relative");
    }
    let page = app.client().get("/docs/quick-start").await.expect(200);
    let policy = page.header("content-security-policy");
    for part in
        ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "form-action 'none'"]
    {
        assert!(policy.split(';').any(|found| found.trim() == part), "{part}: {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"), "{policy}");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
}

#[tokio::test]
async fn a_page_is_asked_for_again_and_its_files_are_kept_for_good() {
    let app = App::start().await;
    let client = app.client();
    for path in ["/docs/guide", "/docs/errors", "/docs/search.json"] {
        let fresh = client.get(path).await.expect(200);
        assert_eq!((fresh.header("cache-control"), fresh.header("vary")), ("no-cache", "Accept-Encoding"), "{path}");
        let known = client.request("GET", path).header("If-None-Match", fresh.etag());
        assert_eq!(client.send(known).await.expect(304).text, "", "{path}");
        let packed = client.send(client.request("GET", path).header("Accept-Encoding", "gzip")).await.expect(200);
        assert_eq!(packed.header("content-encoding"), "gzip", "{path}");
    }
    let page = client.get("/docs/guide").await.expect(200).text;
    let mut files = [values(&page, "src"), values(&page, "href")].concat();
    files.retain(|file| file.matches('.').count() == 2 && !file.starts_with('.'));
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        let answer = client.get(&format!("/docs/{file}")).await.expect(200);
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable", "{file}");
    }
    for none in
        ["/docs/nothing", "/docs/Guide", "/docs/guide.html", "/docs/guide/", "/docs/errors.md", "/docs/..%2FREADME"]
    {
        client.get(none).await.expect(404);
    }
}
