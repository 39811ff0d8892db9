//! Lists of members: filters and orders.

use serde_json::json;
use tenantry_domain::Role;
use tenantry_tests::{App, Client};

async fn ids(client: &Client, path: &str) -> Vec<String> {
    let list = client.get(path).await.expect(200).body["data"].clone();
    list.as_array().unwrap().iter().map(|member| member["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn members_are_listed_by_role_status_workspace_and_address() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (dach, nordics) = (acme.workspace("DACH").await, acme.workspace("Nordics").await);
    let (owner, _) = acme.member(Role::Owner, &[]).await;
    let (agent, _) = acme.member(Role::Agent, &[&dach]).await;
    let (both, _) = acme.member(Role::Agent, &[&dach, &nordics]).await;
    acme.owner.patch(&format!("/api/members/{agent}"), json!({ "status": "suspended" })).await.expect(200);
    let list = async |query: &str| ids(&acme.owner, &format!("/api/members{query}")).await;
    assert_eq!(list("").await, [&owner, &agent, &both].map(String::clone));
    assert_eq!(list("?role=agent").await, [&agent, &both].map(String::clone));
    assert_eq!(list("?role=agent&status=active").await, [both.as_str()]);
    assert_eq!(list("?status=suspended").await, [agent.as_str()]);
    assert_eq!(list(&format!("?workspaceId={nordics}")).await, [both.as_str()]);
    assert_eq!(list(&format!("?workspaceId={dach}&sort=-createdAt")).await, [&both, &agent].map(String::clone));
    let email = acme.owner.get(&format!("/api/members/{owner}")).await.expect(200).text_of("email");
    assert_eq!(list(&format!("?q={}", email.to_uppercase())).await, [owner.as_str()]);
    assert_eq!(list("?q=%25").await, Vec::<String>::new(), "taken literally");
    let by_email = list("?sort=email").await;
    let mut reversed = list("?sort=-email").await;
    reversed.reverse();
    assert_eq!(by_email, reversed);
    let refused = acme.owner.get("/api/members?role=boss&status=gone&workspaceId=1&sort=name").await.expect(422);
    let fields: Vec<_> = refused.refused().into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["role", "sort", "status", "workspaceId"]);
}

#[tokio::test]
async fn the_members_of_a_workspace_are_those_who_are_assigned_to_it() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (dach, nordics) = (acme.workspace("DACH").await, acme.workspace("Nordics").await);
    let (agent, client) = acme.member(Role::Agent, &[&dach]).await;
    acme.member(Role::Owner, &[]).await;
    let path = format!("/api/workspaces/{dach}/members");
    for reader in [&acme.owner, &client, &acme.key(&["members:read"], json!({ "workspaceId": dach })).await] {
        assert_eq!(ids(reader, &path).await, [agent.as_str()]);
    }
    assert_eq!(ids(&acme.owner, &format!("/api/workspaces/{nordics}/members")).await, Vec::<String>::new());
    client.get(&format!("/api/workspaces/{nordics}/members")).await.expect(404);
    // A cursor of one workspace is none of another's.
    acme.member(Role::Agent, &[&dach, &nordics]).await;
    acme.member(Role::Agent, &[&nordics]).await;
    let cursor = acme.owner.get(&format!("{path}?limit=1")).await.expect(200).text_of("nextCursor");
    acme.owner.get(&format!("{path}?limit=1&cursor={cursor}")).await.expect(200);
    acme.owner.get(&format!("/api/workspaces/{nordics}/members?limit=1&cursor={cursor}")).await.expect(400);
}
