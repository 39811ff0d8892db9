//! The list of tenants: whole, searched, by state, in each order, page by page.

use serde_json::{Value, json};
use tenantry_tests::{App, Tenant};

use super::path;

const TENANTS: &str = "/api/admin/tenants";

/// Every tenant's name, page by page.
async fn names(app: &App, query: &str) -> Vec<String> {
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.platform().get(&format!("{TENANTS}?limit=2&{query}{cursor}")).await.expect(200);
        let items = page.body["data"].as_array().unwrap();
        names.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        match page.body["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return names,
        }
    }
}

async fn five(app: &App) -> Vec<Tenant> {
    let mut tenants = Vec::new();
    for name in ["Delta 50%", "alpha", "Echo", "Bravo", "charlie 50_"] {
        tenants.push(app.tenant(name).await);
    }
    tenants
}

#[tokio::test]
async fn all_tenants_are_listed_in_each_order_page_by_page() {
    let app = App::start().await;
    let tenants = five(&app).await;
    let by_age = ["Delta 50%", "alpha", "Echo", "Bravo", "charlie 50_"];
    let by_name = ["alpha", "Bravo", "charlie 50_", "Delta 50%", "Echo"];
    let reversed = |names: [&str; 5]| names.into_iter().rev().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(names(&app, "").await, by_age);
    assert_eq!(names(&app, "sort=-createdAt").await, reversed(by_age));
    assert_eq!(names(&app, "sort=name").await, by_name);
    assert_eq!(names(&app, "sort=-name").await, reversed(by_name));
    app.platform().patch(&path(&tenants[0]), json!({ "maxMembers": 1 })).await.expect(200);
    assert_eq!(names(&app, "sort=-updatedAt").await[0], "Delta 50%");
    let whole = app.platform().get(TENANTS).await.expect(200);
    assert!(whole.body.get("nextCursor").is_none() && whole.header("etag").is_empty());
    assert!(whole.body["data"][0].get("use").is_none(), "counting is for one at a time");
    assert_eq!(whole.body["data"][0]["limits"]["maxMembers"], 1);
}

#[tokio::test]
async fn tenants_are_found_by_a_part_of_their_name_and_by_their_state() {
    let app = App::start().await;
    let tenants = five(&app).await;
    let platform = app.platform();
    platform.post(&format!("{}/suspend", path(&tenants[1])), json!({})).await.expect(200);
    platform.post(&format!("{}/suspend", path(&tenants[2])), json!({})).await.expect(200);
    platform.delete(&path(&tenants[2])).await.expect(204);
    assert_eq!(names(&app, "q=50%25").await, ["Delta 50%"]);
    assert_eq!(names(&app, "q=CHAR").await, ["charlie 50_"]);
    assert_eq!(names(&app, "q=_").await, ["charlie 50_"]);
    assert_eq!(names(&app, "q=nothing").await, Vec::<String>::new());
    assert_eq!(names(&app, "state=active").await, ["Delta 50%", "Bravo", "charlie 50_"]);
    assert_eq!(names(&app, "state=suspended").await, ["alpha"]);
    assert_eq!(names(&app, "state=deleted").await, ["Echo"]);
    assert_eq!(names(&app, "state=active&q=l").await, ["Delta 50%", "charlie 50_"]);
    assert_eq!(names(&app, "").await.len(), 5);
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_list_only_and_a_query_is_refused_as_a_whole() {
    let app = App::start().await;
    let tenants = five(&app).await;
    let platform = app.platform();
    let cursor = platform.get(&format!("{TENANTS}?limit=2&sort=name")).await.expect(200).text_of("nextCursor");
    platform.get(&format!("{TENANTS}?limit=5&sort=name&cursor={cursor}")).await.expect(200);
    let workspaces = {
        for n in 0..2 {
            tenants[0].workspace(&format!("Workspace {n}")).await;
        }
        tenants[0].owner.get("/api/workspaces?limit=1&sort=name").await.expect(200).text_of("nextCursor")
    };
    for query in [
        format!("cursor={cursor}"),
        format!("sort=-name&cursor={cursor}"),
        format!("sort=name&q=a&cursor={cursor}"),
        format!("sort=name&state=active&cursor={cursor}"),
        format!("sort=name&cursor={workspaces}"),
        "cursor=nonsense".to_owned(),
    ] {
        let refused = platform.get(&format!("{TENANTS}?{query}")).await.expect(400);
        assert_eq!(refused.body["code"], "bad_cursor", "{query}");
    }
    let refused = platform.get(&format!("{TENANTS}?limit=0&sort=age&state=gone&q=%00&colour=1")).await.expect(422);
    let fields: Vec<_> = refused.refused().into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["colour", "limit", "q", "sort", "state"]);
    let document = tenantry_tests::document();
    let states: Vec<Value> = ["active", "suspended", "deleted"].map(|state| json!(state)).to_vec();
    assert_eq!(document["components"]["schemas"]["TenantStateChoice"]["enum"], json!(states));
}
