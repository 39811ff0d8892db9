//! `ETag`, `If-None-Match`, `If-Match` and `HEAD`, on everything that has them.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tenantry_tests::{Answer, App, Client, Operation, Target, Tenant};

async fn get_unless(client: &Client, path: &str, tags: &str) -> Answer {
    client.send(client.request("GET", path).header("If-None-Match", tags)).await
}

async fn patch_if(client: &Client, path: &str, tags: &str, body: Value) -> Answer {
    client.send(client.request("PATCH", path).header("If-Match", tags).json(&body)).await
}

/// Every object that can be asked for again by its tag.
async fn objects(tenant: &Tenant) -> Vec<String> {
    let mut target = Target::of(tenant).await;
    let mut paths = Vec::new();
    for operation in Operation::of_the_api() {
        if !operation.writes() && operation.parameters().iter().any(|parameter| parameter["name"] == "If-None-Match") {
            paths.push(target.path(&operation).await);
        }
    }
    assert!(paths.len() > 8, "{paths:?}");
    paths
}

#[tokio::test]
async fn who_has_the_present_state_is_told_so_without_a_body() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    // The first use of a key is shown by `/api/me`.
    acme.owner.get("/api/me").await;
    for path in objects(&acme).await {
        let fresh = acme.owner.get(&path).await.expect(200);
        let etag = fresh.etag().to_owned();
        for tags in
            [etag.clone(), format!("W/{etag}"), "*".into(), format!("\"x\", {etag}"), format!("\"a,b\",{etag} ")]
        {
            let known = get_unless(&acme.owner, &path, &tags).await.expect(304);
            assert_eq!((known.text.as_str(), known.etag()), ("", etag.as_str()), "{path} {tags}");
            assert_eq!(known.header("cache-control"), fresh.header("cache-control"));
            assert_eq!(known.header("vary"), "Authorization");
        }
        let opaque = etag.trim_matches('"');
        for tags in
            ["\"other\"".into(), "\"\"".into(), format!("\"0{opaque}\""), format!("\"{opaque} \"").replace(' ', "+")]
        {
            let other = get_unless(&acme.owner, &path, &tags).await.expect(200);
            assert_eq!(other.body, fresh.body, "{path} {tags}");
        }
        for tags in [opaque, "", "*, *", "W/*", "w/\"1\"", "\"1", "\"a b\"", "\"1\" \"2\"", "*,\"1\"", "\u{e9}"] {
            let malformed = get_unless(&acme.owner, &path, tags).await.expect(400);
            assert_eq!(malformed.body["code"], "bad_entity_tag", "{path} {tags:?}");
        }
    }
    // Two lines of the header are one list.
    let etag = acme.owner.get("/api/tenant").await.etag().to_owned();
    let request =
        acme.owner.request("GET", "/api/tenant").header("If-None-Match", "\"x\"").header("If-None-Match", etag);
    acme.owner.send(request).await.expect(304);
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    acme.owner.get("/api/me").await;
    let mut paths = objects(&acme).await;
    let more = ["/api/workspaces", "/api/brands?limit=1", "/api/workspaces/x", "/api/nothing", "/api/brands?limit=0"];
    paths.extend(more.map(str::to_owned));
    paths.extend(
        ["/healthz", "/readyz", "/docs", "/docs/start.js", "/openapi.json", "/openapi.yaml"].map(str::to_owned),
    );
    for path in paths {
        let get = acme.owner.get(&path).await;
        let head = acme.owner.send(acme.owner.request("HEAD", &path)).await;
        assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{path}");
        let headers = |answer: &Answer| {
            let mut headers = answer.headers.clone();
            for volatile in ["date", "x-request-id"] {
                assert!(headers.remove(volatile).is_some(), "{path}: {volatile}");
            }
            headers
        };
        assert_eq!(headers(&head), headers(&get), "{path}");
    }
}

#[tokio::test]
async fn a_change_is_made_only_to_the_state_that_was_seen() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let workspace = format!("/api/workspaces/{}", acme.workspace("DACH").await);
    let brand = format!("/api/brands/{}", acme.brand("Second").await);
    for path in [&workspace, &brand, "/api/tenant"] {
        let seen = acme.owner.get(path).await.expect(200);
        let opaque = seen.etag().trim_matches('"').to_owned();
        let stale = [
            "\"999\"".into(),
            "\"\"".into(),
            "W/\"999\"".into(),
            "\"999-gzip\"".into(),
            format!("\"{opaque}-unknown\"").replace('.', "-"),
            format!("\"0{opaque}\""),
            format!("\"+{opaque}\""),
        ];
        for tags in stale {
            let refused = patch_if(&acme.owner, path, &tags, json!({ "name": "Stale" })).await.expect(412);
            assert_eq!(refused.body["code"], "precondition_failed", "{path} {tags}");
        }
        for tags in [opaque.as_str(), "", "\"1", "\"1\" \"2\"", "*, \"1\""] {
            let refused = patch_if(&acme.owner, path, tags, json!({ "name": "Malformed" })).await.expect(400);
            assert_eq!(refused.body["code"], "bad_entity_tag", "{path} {tags}");
        }
        assert_eq!(acme.owner.get(path).await.body, seen.body, "{path}: nothing was changed");
        let changed = patch_if(&acme.owner, path, seen.etag(), json!({ "name": "First" })).await.expect(200);
        assert_ne!(changed.etag(), seen.etag());
        patch_if(&acme.owner, path, seen.etag(), json!({ "name": "Too late" })).await.expect(412);
        let list = format!("\"x\", {}", changed.etag());
        patch_if(&acme.owner, path, &list, json!({ "name": "Second" })).await.expect(200);
        let last = patch_if(&acme.owner, path, "*", json!({ "name": "Third" })).await.expect(200);
        assert_eq!((last.body["name"].as_str(), last.etag()), (Some("Third"), acme.owner.get(path).await.etag()));
    }
    // As a proxy that compresses answers hands them out: Nginx, Apache, Jetty, and others.
    for path in [&workspace, &brand, "/api/tenant"] {
        for (at, (before, after)) in
            [("W/", ""), ("", "-gzip"), ("", ";gzip"), ("", "--br"), ("W/", "-zstd")].into_iter().enumerate()
        {
            let seen = acme.owner.get(path).await.expect(200);
            let etag = format!("{before}\"{}{after}\"", seen.etag().trim_matches('"'));
            get_unless(&acme.owner, path, &etag).await.expect(304);
            patch_if(&acme.owner, path, &etag, json!({ "name": format!("Compressed {at}") })).await.expect(200);
            patch_if(&acme.owner, path, &etag, json!({ "name": "Too late" })).await.expect(412);
        }
    }
    for path in [&workspace, &brand] {
        let delete = |tags: String| acme.owner.send(acme.owner.request("DELETE", path).header("If-Match", tags));
        delete("\"1\"".into()).await.expect(412);
        delete("nonsense".into()).await.expect(400);
        let etag = acme.owner.get(path).await.expect(200).etag().to_owned();
        delete(etag).await.expect(204);
        delete("*".into()).await.expect(404);
    }
}

#[tokio::test]
async fn the_tag_changes_with_every_visible_change_and_only_then() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let workspace = format!("/api/workspaces/{}", acme.workspace("DACH").await);
    let brand = format!("/api/brands/{}", acme.brand);
    let other = acme.brand("Other").await;
    let changes = [
        (&*workspace, json!({ "name": "Nordics" })),
        (&workspace, json!({ "brandId": other })),
        (&workspace, json!({ "country": "SE" })),
        (&workspace, json!({ "operatingLanguage": "sv" })),
        (&workspace, json!({ "currency": "SEK" })),
        (&workspace, json!({ "workspaceType": "b2c" })),
        (&workspace, json!({ "workspaceInstructions": "Be kind." })),
        (&workspace, json!({ "workspaceInstructions": null })),
        (&workspace, json!({ "emailSignatureHtml": "<p>x</p>" })),
        (&workspace, json!({ "emailSignatureText": "x" })),
        (&brand, json!({ "slug": "new-slug" })),
        (&brand, json!({ "tone": "formal" })),
        (&brand, json!({ "primaryColor": "#000000" })),
        (&brand, json!({ "primaryColor": "#00000a" })),
        ("/api/tenant", json!({ "defaultCurrency": "USD" })),
    ];
    let mut tags = std::collections::HashSet::new();
    for (path, change) in changes {
        let before = acme.owner.get(path).await.expect(200);
        let after = acme.owner.patch(path, change.clone()).await.expect(200);
        assert_ne!(before.etag(), after.etag(), "{change}");
        assert_ne!(before.body["updatedAt"], after.body["updatedAt"], "{change}");
        assert_eq!(before.body["createdAt"], after.body["createdAt"], "{change}");
        assert!(tags.insert((path, after.etag().to_owned())), "never a tag twice");
        for nothing in [change, json!({})] {
            let same = acme.owner.patch(path, nothing).await.expect(200);
            assert_eq!((same.etag(), &same.body), (after.etag(), &after.body));
        }
        assert_eq!(acme.owner.get(path).await.etag(), after.etag());
    }
    // What follows from another thing's change is a change as well.
    let effective = format!("{workspace}/effective");
    let before = acme.owner.get(&effective).await.etag().to_owned();
    acme.owner.patch(&format!("/api/brands/{other}"), json!({ "tone": "trade" })).await.expect(200);
    assert_ne!(acme.owner.get(&effective).await.etag(), before);
    let default = acme.owner.get(&brand).await.etag().to_owned();
    acme.owner.patch(&format!("/api/brands/{other}"), json!({ "isDefault": true })).await.expect(200);
    assert_ne!(acme.owner.get(&brand).await.etag(), default);
    // Deleted and restored, it is not what it was.
    let before = acme.owner.get(&workspace).await.etag().to_owned();
    acme.owner.delete(&workspace).await.expect(204);
    let restored = acme.owner.post(&format!("{workspace}/restore"), json!({})).await.expect(200);
    assert_ne!(restored.etag(), before);
    let again = acme.owner.post(&format!("{workspace}/restore"), json!({})).await.expect(200);
    assert_eq!((again.etag(), &again.body), (restored.etag(), &restored.body));
}

#[tokio::test]
async fn of_fifty_who_change_the_same_state_at_once_one_succeeds() {
    let app = App::on(tenantry_tests::TestDatabase::new(), |pool| pool.connections = 16).await;
    let acme = app.tenant("Acme").await;
    let workspace = format!("/api/workspaces/{}", acme.workspace("DACH").await);
    let brand = format!("/api/brands/{}", acme.brand);
    for path in [&workspace, &brand, "/api/tenant"] {
        let etag = acme.owner.get(path).await.expect(200).etag().to_owned();
        let one = |n: usize| patch_if(&acme.owner, path, &etag, json!({ "name": format!("Writer {n}") }));
        let answers = join_all((0..50).map(one)).await;
        let with = |status| answers.iter().filter(|answer| answer.status == status).collect::<Vec<_>>();
        assert_eq!((with(200).len(), with(412).len()), (1, 49), "{path}");
        let now = acme.owner.get(path).await.expect(200);
        assert_eq!((&now.body, now.etag()), (&with(200)[0].body, with(200)[0].etag()), "{path}: the winner's");
    }
}

#[tokio::test]
async fn without_a_precondition_the_last_one_wins_as_a_whole() {
    let app = App::on(tenantry_tests::TestDatabase::new(), |pool| pool.connections = 16).await;
    let acme = app.tenant("Acme").await;
    let path = format!("/api/workspaces/{}", acme.workspace("DACH").await);
    let written = |n: usize| json!({ "name": format!("Writer {n}"), "workspaceInstructions": format!("Writer {n}"), "emailSignatureText": format!("Writer {n}") });
    let answers = join_all((0..50).map(|n| acme.owner.patch(&path, written(n)))).await;
    let mut tags: Vec<_> = answers.iter().map(|answer| answer.clone().expect(200).etag().to_owned()).collect();
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 50, "each wrote a state of its own");
    let now = acme.owner.get(&path).await.expect(200).body;
    let name = now["name"].as_str().unwrap();
    assert!(name.starts_with("Writer "));
    assert_eq!((now["workspaceInstructions"].as_str(), now["emailSignatureText"].as_str()), (Some(name), Some(name)));
    // Who changes different members loses nothing of each other.
    let members = ["name", "workspaceInstructions", "emailSignatureText", "emailSignatureHtml"];
    let one = |n: usize| acme.owner.patch(&path, json!({ members[n % 4]: format!("Only {}", members[n % 4]) }));
    for answer in join_all((0..20).map(one)).await {
        answer.expect(200);
    }
    let now = acme.owner.get(&path).await.expect(200).body;
    for member in members {
        assert_eq!(now[member], format!("Only {member}"));
    }
}
