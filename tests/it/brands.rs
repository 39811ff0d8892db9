//! Brands: slugs, the default brand, and what may be deleted.

use std::collections::HashSet;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tenantry_tests::{Answer, App, Tenant, TestDatabase};

async fn busy_app() -> App {
    App::on(TestDatabase::new(), |pool| pool.connections = 16).await
}

async fn defaults(tenant: &Tenant) -> Vec<String> {
    let list = tenant.owner.get("/api/brands?limit=100").await.expect(200);
    let brands = list.body["data"].as_array().unwrap().iter();
    brands.filter(|brand| brand["isDefault"] == true).map(|brand| brand["id"].as_str().unwrap().to_owned()).collect()
}

fn statuses(answers: &[Answer]) -> Vec<u16> {
    let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    statuses
}

#[tokio::test]
async fn a_brand_is_created_read_changed_cleared_and_deleted() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let all = json!({
        "name": "Acme Consumer", "emailFromName": "Acme", "slug": "consumer", "isDefault": false,
        "logoUrl": "https://cdn.example.com/logo.png", "primaryColor": "#0055AA", "secondaryColor": "#ffb000",
        "emailSignatureHtml": "<p>Kind regards</p>", "emailSignatureText": "Kind regards", "aiSenderName": "Alex",
        "aiSenderTitle": "Customer care", "aiSenderAvatarUrl": "https://cdn.example.com/alex.png", "tone": "friendly",
        "brandInstructions": "Be brief.",
    });
    let made = acme.owner.post("/api/brands", all.clone()).await.expect(201);
    let path = made.header("location").to_owned();
    assert_eq!(acme.owner.get(&path).await.expect(200).body, made.body);
    for (member, value) in all.as_object().unwrap() {
        assert_eq!(&made.body[member], value, "{member}");
    }
    let mut members: Vec<_> = made.body.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    let expected = "aiSenderAvatarUrl aiSenderName aiSenderTitle brandInstructions createdAt emailFromName emailSignatureHtml \
                    emailSignatureText id isDefault logoUrl name primaryColor secondaryColor slug tenantId tone updatedAt";
    assert_eq!(members.join(" "), expected);
    let clearable = [
        "logoUrl",
        "primaryColor",
        "secondaryColor",
        "emailSignatureHtml",
        "emailSignatureText",
        "aiSenderName",
        "aiSenderTitle",
        "aiSenderAvatarUrl",
        "tone",
        "brandInstructions",
    ];
    let cleared = acme
        .owner
        .patch(&path, clearable.iter().map(|member| ((*member).to_owned(), Value::Null)).collect())
        .await
        .expect(200);
    for member in clearable {
        assert!(cleared.body.as_object().unwrap()[member].is_null(), "{member} is there, as null");
    }
    for member in ["name", "emailFromName", "slug", "isDefault"] {
        let refused = acme.owner.patch(&path, json!({ member: null })).await.expect(422);
        assert_eq!(refused.refused(), [(member.to_owned(), "null".to_owned())]);
    }
    // The slug stays when the name changes: it may stand in somebody's address.
    let renamed = acme.owner.patch(&path, json!({ "name": "Other" })).await.expect(200);
    assert_eq!(renamed.body["slug"], "consumer");
    let gone = acme.owner.delete(&path).await.expect(204);
    assert_eq!(gone.text, "");
    let unknown = acme.owner.get(&format!("/api/brands/{}", uuid::Uuid::now_v7())).await.expect(404);
    for answer in
        [acme.owner.get(&path).await, acme.owner.delete(&path).await, acme.owner.patch(&path, json!({})).await]
    {
        assert_eq!(answer.expect(404).without_request_id(), unknown.without_request_id());
    }
}

#[tokio::test]
async fn a_slug_comes_from_the_name_and_gets_a_number_where_it_is_taken() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let long = "Very long names ".repeat(7);
    let cut = "very-long-names-very-long-names-very-long-names-very-long-na";
    for (name, slug) in [
        ("Acme", "acme-2"),
        ("ACME", "acme-3"),
        ("Äcmé!", "acme-4"),
        ("Müller & Söhne", "muller-sohne"),
        ("!!!", "brand"),
        ("???", "brand-2"),
        ("Acme 2", "acme-2-2"),
        (long.trim(), cut),
        (long.trim(), "very-long-names-very-long-names-very-long-names-very-long-2"),
    ] {
        let body = json!({ "name": name, "emailFromName": "x" });
        assert_eq!(acme.owner.post("/api/brands", body).await.expect(201).body["slug"], slug, "{name}");
    }
    let taken =
        acme.owner.post("/api/brands", json!({ "name": "x", "emailFromName": "x", "slug": "acme" })).await.expect(409);
    assert_eq!(taken.body["code"], "slug_taken");
    let path = format!("/api/brands/{}", acme.brand);
    assert_eq!(acme.owner.patch(&path, json!({ "slug": "acme-2" })).await.expect(409).body["code"], "slug_taken");
    acme.owner.patch(&path, json!({ "slug": "free" })).await.expect(200);
    assert_eq!(acme.owner.get(&format!("/api/brands/{}", acme.brand("Acme").await)).await.body["slug"], "acme");
    let beta = app.tenant("Beta").await;
    beta.owner.post("/api/brands", json!({ "name": "x", "emailFromName": "x", "slug": "acme-2" })).await.expect(201);
    for bad in ["", "Acme", "-a", "a-", "a--b", "a b", "ä", "а", "a\n", "ⅰ", &"a".repeat(61)] {
        acme.owner.post("/api/brands", json!({ "name": "x", "emailFromName": "x", "slug": bad })).await.expect(422);
    }
}

#[tokio::test]
async fn of_many_who_want_one_slug_at_once_one_gets_it_and_derived_slugs_make_room() {
    let app = busy_app().await;
    let acme = app.tenant("Acme").await;
    let wanted = |_| acme.owner.post("/api/brands", json!({ "name": "x", "emailFromName": "x", "slug": "wanted" }));
    let answers = join_all((0..30).map(wanted)).await;
    assert_eq!(statuses(&answers), [[201].as_slice(), &[409; 29]].concat());
    let derived = |_| acme.owner.post("/api/brands", json!({ "name": "Same name", "emailFromName": "x" }));
    let answers = join_all((0..40).map(derived)).await;
    assert_eq!(statuses(&answers), [201; 40]);
    assert_eq!(answers.iter().map(|answer| answer.text_of("slug")).collect::<HashSet<_>>().len(), 40);
    let ids = [acme.brand("One").await, acme.brand("Two").await, acme.brand("Three").await];
    let paths: Vec<_> = (0..30).map(|n| format!("/api/brands/{}", ids[n % 3])).collect();
    let contested = paths.iter().map(|path| acme.owner.patch(path, json!({ "slug": "contested" })));
    let mut winners = HashSet::new();
    for (n, answer) in join_all(contested).await.into_iter().enumerate() {
        match answer.status {
            200 => drop(winners.insert(n % 3)),
            status => assert_eq!(status, 409, "{}", answer.text),
        }
    }
    assert_eq!(winners.len(), 1);
}

#[tokio::test]
async fn there_is_always_exactly_one_default_brand() {
    let app = busy_app().await;
    let acme = app.tenant("Acme").await;
    assert_eq!(defaults(&acme).await, [acme.brand.as_str()]);
    let second = acme.brand("Second").await;
    acme.owner.patch(&format!("/api/brands/{second}"), json!({ "isDefault": true })).await.expect(200);
    assert_eq!(defaults(&acme).await, [second.as_str()]);
    let id = acme.owner.post("/api/workspaces", json!({ "name": "Of the default" })).await.expect(201).body["brandId"]
        .clone();
    assert_eq!(id, json!(second));
    let refused = acme.owner.patch(&format!("/api/brands/{second}"), json!({ "isDefault": false })).await.expect(409);
    assert_eq!(refused.body["code"], "default_brand");
    acme.owner.patch(&format!("/api/brands/{}", acme.brand), json!({ "isDefault": false })).await.expect(200);
    let third = json!({ "name": "Third", "emailFromName": "x", "isDefault": true });
    let third = acme.owner.post("/api/brands", third).await.expect(201).id();
    assert_eq!(defaults(&acme).await, [third.as_str()]);
    let mut brands = vec![acme.brand.clone(), second, third];
    for n in 0..7 {
        brands.push(acme.brand(&format!("Brand {n}")).await);
    }
    for _ in 0..3 {
        let paths: Vec<_> = (0..20).map(|n| format!("/api/brands/{}", brands[n % brands.len()])).collect();
        let switches = paths.iter().map(|path| acme.owner.patch(path, json!({ "isDefault": true })));
        let made = (0..5)
            .map(|_| acme.owner.post("/api/brands", json!({ "name": "New", "emailFromName": "x", "isDefault": true })));
        let (switched, made) = futures_util::future::join(join_all(switches), join_all(made)).await;
        assert_eq!((statuses(&switched), statuses(&made)), (vec![200; 20], vec![201; 5]));
        assert_eq!(defaults(&acme).await.len(), 1);
    }
}

#[tokio::test]
async fn a_brand_is_not_deleted_while_something_needs_it() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let second = acme.brand("Second").await;
    let workspace = acme.workspace_of(&second, "DACH").await;
    let path = format!("/api/brands/{second}");
    assert_eq!(acme.owner.delete(&path).await.expect(409).body["code"], "brand_has_workspaces");
    acme.owner.delete(&format!("/api/workspaces/{workspace}")).await.expect(204);
    // It may come back.
    assert_eq!(acme.owner.delete(&path).await.expect(409).body["code"], "brand_has_workspaces");
    acme.owner.post(&format!("/api/workspaces/{workspace}/restore"), json!({})).await.expect(200);
    acme.owner.patch(&format!("/api/workspaces/{workspace}"), json!({ "brandId": acme.brand })).await.expect(200);
    acme.owner.delete(&path).await.expect(204);
    let default = format!("/api/brands/{}", acme.brand);
    assert_eq!(acme.owner.delete(&default).await.expect(409).body["code"], "default_brand");
    acme.owner.get(&default).await.expect(200);
}

#[tokio::test]
async fn a_brand_that_is_deleted_while_workspaces_come_leaves_no_orphan() {
    let app = busy_app().await;
    let acme = app.tenant("Acme").await;
    for round in 0..15 {
        let brand = acme.brand(&format!("Brand {round}")).await;
        let moved = format!("/api/workspaces/{}", acme.workspace("Moved").await);
        let (path, body) = (format!("/api/brands/{brand}"), json!({ "name": "x", "brandId": brand }));
        let creations = join_all((0..4).map(|_| acme.owner.post("/api/workspaces", body.clone())));
        let change = acme.owner.patch(&moved, json!({ "brandId": brand }));
        let deletion = acme.owner.delete(&path);
        // In another order each time.
        let (created, changed, deleted) = match round % 3 {
            0 => futures_util::future::join3(creations, change, deletion).await,
            1 => {
                let (deleted, changed, created) = futures_util::future::join3(deletion, change, creations).await;
                (created, changed, deleted)
            }
            _ => {
                let (changed, deleted, created) = futures_util::future::join3(change, deletion, creations).await;
                (created, changed, deleted)
            }
        };
        let came = created.iter().any(|answer| answer.status == 201) || changed.status == 200;
        assert_eq!(deleted.status, if came { 409 } else { 204 }, "{}", deleted.text);
        for answer in created {
            assert!(matches!(answer.status, 201 | 422), "{}", answer.text);
        }
        assert!(matches!(changed.status, 200 | 422), "{}", changed.text);
    }
    let orphans = "SELECT FROM workspaces w LEFT JOIN brands b ON (b.tenant_id, b.id) = (w.tenant_id, w.brand_id) WHERE b.id IS NULL";
    assert_eq!(app.database.rows(orphans), 0);
}
