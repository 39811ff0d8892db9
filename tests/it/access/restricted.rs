//! Lists show each caller what it reaches and no more, and so does whatever is asked for by its id, to read and to write.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tenantry_domain::{Role, Scope};
use tenantry_tests::{App, Client};

/// The ids in a list.
async fn listed(client: &Client, path: &str) -> BTreeSet<String> {
    let list = client.get(path).await.expect(200);
    list.body["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_caller_finds_what_it_reaches_and_no_more() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (first, second, third) = (acme.brand.clone(), acme.brand("Second").await, acme.brand("Third").await);
    let mut workspaces = Vec::new();
    for brand in [&first, &second, &second, &third] {
        workspaces.push(acme.workspace_of(brand, "Somewhere").await);
    }
    let all: Vec<_> = Scope::all().iter().map(|scope| scope.as_str()).collect();
    let one = &workspaces[1];
    // Somebody else's assignment, which is nobody's reach but theirs.
    acme.member(Role::Agent, &[&workspaces[3]]).await;
    let callers: [(&str, Client, Vec<&String>, Vec<&String>); 5] = [
        ("an owner", acme.member(Role::Owner, &[]).await.1, vec![&first, &second, &third], workspaces.iter().collect()),
        (
            "a key of a brand",
            acme.key(&all, json!({ "brandId": second })).await,
            vec![&second],
            vec![one, &workspaces[2]],
        ),
        ("a key of a workspace", acme.key(&all, json!({ "workspaceId": one })).await, vec![&second], vec![one]),
        ("an agent in a workspace", acme.member(Role::Agent, &[one]).await.1, vec![&second], vec![one]),
        ("an agent in none", acme.member(Role::Agent, &[]).await.1, vec![], vec![]),
    ];
    for (who, client, brands, reached) in callers {
        let count = client.get("/api/me").await.expect(200).body["visibleWorkspaces"].clone();
        assert_eq!(count, Value::from(reached.len()), "{who}");
        for (path, ids, reached) in [
            ("/api/brands", [&first, &second, &third].as_slice(), brands),
            ("/api/workspaces", workspaces.iter().collect::<Vec<_>>().as_slice(), reached),
        ] {
            assert_eq!(listed(&client, path).await, reached.iter().map(ToString::to_string).collect(), "{who} {path}");
            for id in ids {
                let (read, written) = match (reached.contains(id), who) {
                    (true, "an owner" | "a key of a brand") => (200, 200),
                    (true, "a key of a workspace") if path == "/api/workspaces" => (200, 200),
                    (true, _) => (200, 403),
                    (false, _) => (404, 404),
                };
                let path = format!("{path}/{id}");
                assert_eq!(client.get(&path).await.status, read, "{who} {path}");
                assert_eq!(client.patch(&path, json!({})).await.status, written, "{who} {path}");
            }
        }
    }
}
