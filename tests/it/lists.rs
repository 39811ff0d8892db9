//! Lists: every item once, in the order asked for, whatever is created meanwhile.

use serde_json::{Value, json};
use tenantry_tests::{Answer, App, Client, Tenant};

mod at_once;
mod cursors;
mod filters;

/// The named member of every item, in order.
fn each(answer: &Answer, member: &str) -> Vec<String> {
    let text = |item: &Value| item[member].as_str().unwrap().to_owned();
    answer.body["data"].as_array().unwrap().iter().map(text).collect()
}

/// All ids of a list, from as many pages as it takes.
async fn traverse(client: &Client, list: &str) -> Vec<String> {
    let (mut ids, mut page) = (Vec::new(), client.get(list).await.expect(200));
    loop {
        ids.extend(each(&page, "id"));
        let Some(cursor) = page.body["nextCursor"].as_str() else { return ids };
        page = client.get(&format!("{list}&cursor={cursor}")).await.expect(200);
    }
}

/// Three names, five workspaces each, in mixed order.
async fn fifteen(tenant: &Tenant) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..15 {
        ids.push(tenant.workspace(["Beta", "alpha", "Ärger"][n % 3]).await);
    }
    ids
}

#[tokio::test]
async fn each_sort_goes_both_ways_and_shows_every_item_once() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let ids = fifteen(&acme).await;
    // The last changed is not the last created.
    acme.owner.patch(&format!("/api/workspaces/{}", ids[3]), json!({ "workspaceType": "b2c" })).await.expect(200);
    for sort in ["createdAt", "updatedAt", "name"] {
        let forward = traverse(&acme.owner, &format!("/api/workspaces?limit=4&sort={sort}")).await;
        let mut backward = traverse(&acme.owner, &format!("/api/workspaces?limit=4&sort=-{sort}")).await;
        backward.reverse();
        assert_eq!(forward, backward, "{sort}");
        let whole = acme.owner.get(&format!("/api/workspaces?limit=100&sort={sort}")).await.expect(200);
        assert_eq!(forward, each(&whole, "id"), "{sort}");
        let mut sorted = (forward.clone(), ids.clone());
        sorted.0.sort();
        sorted.1.sort();
        assert_eq!(sorted.0, sorted.1, "{sort}");
        match sort {
            "createdAt" => assert_eq!(forward, ids),
            "updatedAt" => assert_eq!(forward.last(), Some(&ids[3])),
            // As people sort: neither case nor accents send a name to the end.
            _ => assert_eq!(each(&whole, "name"), [["alpha"; 5], ["Ärger"; 5], ["Beta"; 5]].concat()),
        }
    }
    assert_eq!(each(&acme.owner.get("/api/workspaces").await.expect(200), "id"), ids, "the oldest first unless said");
}

#[tokio::test]
async fn brands_are_listed_the_same_way() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let mut ids = vec![acme.brand.clone()];
    for name in ["Zeta", "Acme", "Acme", "beta"] {
        ids.push(acme.brand(name).await);
    }
    for sort in ["createdAt", "updatedAt", "name"] {
        let forward = traverse(&acme.owner, &format!("/api/brands?limit=2&sort={sort}")).await;
        let mut backward = traverse(&acme.owner, &format!("/api/brands?limit=2&sort=-{sort}")).await;
        backward.reverse();
        assert_eq!(forward, backward, "{sort}");
        assert_eq!(forward.len(), ids.len(), "{sort}");
    }
    assert_eq!(traverse(&acme.owner, "/api/brands?limit=1").await, ids);
    let found = acme.owner.get("/api/brands?q=ACM").await.expect(200);
    assert_eq!(each(&found, "name"), ["Acme", "Acme", "Acme"]);
}

#[tokio::test]
async fn whoever_pages_while_others_create_and_delete_sees_every_lasting_item_once() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let ids = fifteen(&acme).await;
    for sort in ["createdAt", "-createdAt", "name", "-name"] {
        let list = format!("/api/workspaces?limit=3&sort={sort}");
        let (mut seen, mut page, mut made) = (Vec::new(), acme.owner.get(&list).await.expect(200), Vec::new());
        loop {
            seen.extend(each(&page, "id"));
            let Some(cursor) = page.body["nextCursor"].as_str().map(str::to_owned) else { break };
            // Before, at and after the position, while the first three pages are read; the item that the cursor stands
            // at goes as well.
            if made.len() < 9 {
                for name in ["aaa", "Beta", "zzz"] {
                    made.push(acme.workspace(name).await);
                }
                acme.owner.delete(&format!("/api/workspaces/{}", made[made.len() - 3])).await.expect(204);
            }
            page = acme.owner.get(&format!("{list}&cursor={cursor}")).await.expect(200);
        }
        let lasting: Vec<_> = seen.iter().filter(|id| ids.contains(id)).collect();
        assert_eq!(lasting.len(), ids.len(), "{sort}");
        let mut unique = seen.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), seen.len(), "{sort}: no item twice");
        for id in made {
            acme.owner.delete(&format!("/api/workspaces/{id}")).await;
        }
    }
}

#[tokio::test]
async fn a_page_holds_1_to_100_items_and_50_unless_said() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let sql = format!(
        "INSERT INTO workspaces (tenant_id, id, brand_id, name, country, operating_language, currency, workspace_type,
             number)
         SELECT '{}', gen_random_uuid(), '{}', 'W' || n, 'DE', 'de', 'EUR', 'b2b', n FROM generate_series(1, 101) AS n",
        acme.id, acme.brand
    );
    diesel::connection::SimpleConnection::batch_execute(&mut app.database.admin(), &sql).unwrap();
    for (query, size, more) in [("", 50, true), ("?limit=1", 1, true), ("?limit=100", 100, true)] {
        let page = acme.owner.get(&format!("/api/workspaces{query}")).await.expect(200);
        assert_eq!((each(&page, "id").len(), page.body["nextCursor"].is_string()), (size, more), "{query}");
    }
    assert_eq!(traverse(&acme.owner, "/api/workspaces?limit=100").await.len(), 101);
    for bad in ["0", "101", "-1", "%2B5", "05", "1.0", "1e1", "", "%205", "1000000000000000000000", "all", "٣", "null"]
    {
        let refused = acme.owner.get(&format!("/api/workspaces?limit={bad}")).await.expect(422);
        assert_eq!(refused.refused(), [("limit".to_owned(), "out_of_range".to_owned())], "{bad}");
    }
    // A whole number of pages leaves no empty page at the end.
    acme.owner.delete(&format!("/api/workspaces/{}", traverse(&acme.owner, "/api/workspaces?limit=50").await[0])).await;
    let last = acme.owner.get("/api/workspaces?limit=100").await.expect(200);
    assert!(!last.body.as_object().unwrap().contains_key("nextCursor"), "absent at the end, not null");
}
