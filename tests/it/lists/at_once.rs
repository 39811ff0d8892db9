//! The page that is asked for most is read in one round trip, and shows what the door would.

use diesel::connection::SimpleConnection;
use serde_json::json;
use tenantry_auth::issue;
use tenantry_domain::{KeyMode, Role};
use tenantry_tests::{Answer, App, Client, Tenant, TestDatabase};

/// A service, and another one on the same database whose pages are all read at the door.
async fn both() -> (App, Client) {
    let app = App::on(TestDatabase::new(), |_| {}).await;
    let door = app.replica_on(&App::store(&app.database.service_url(), |pool| pool.look_up_lane = false));
    (app, door)
}

/// Everybody who may ask a tenant with these workspaces, and who may not.
async fn everybody(app: &App, tenant: &Tenant) -> Vec<Client> {
    let second = tenant.brand("Second").await;
    let (one, other) = (tenant.workspace("Hamburg one").await, tenant.workspace_of(&second, "Hamburg other").await);
    let gone = tenant.workspace("Hamburg gone").await;
    for n in 0..4 {
        tenant.workspace(&format!("Lisbon {n}")).await;
    }
    tenant.owner.delete(&format!("/api/workspaces/{gone}")).await.expect(204);
    let (read, nothing) = (&["workspaces:read"], &["usage:read"]);
    let unknown = app.client().with_key(issue(tenant.id, KeyMode::Live).unwrap().reveal());
    let mut everybody = vec![
        tenant.owner.clone(),
        tenant.key(read, json!({})).await,
        tenant.key(read, json!({ "brandId": second })).await,
        tenant.key(read, json!({ "workspaceId": other })).await,
        tenant.key(nothing, json!({})).await,
        unknown,
    ];
    for role in [Role::Owner, Role::Admin, Role::Billing, Role::Agent, Role::Observer] {
        everybody.push(tenant.member(role, &[]).await.1);
        everybody.push(tenant.member(role, &[&one]).await.1);
    }
    everybody
}

/// All pages of a list, one after the other.
async fn pages(client: &Client, list: &str) -> Vec<Answer> {
    let mut pages = vec![client.get(list).await];
    while let Some(cursor) = pages.last().and_then(|page| page.body["nextCursor"].as_str()) {
        let next = format!("{list}&cursor={cursor}");
        pages.push(client.get(&next).await);
    }
    pages
}

#[tokio::test]
async fn everybody_is_shown_what_the_door_would_show() {
    let (app, door) = both().await;
    // Another one has the same names.
    let (ours, theirs) = (app.tenant("Ours").await, app.tenant("Theirs").await);
    let mut clients = everybody(&app, &ours).await;
    clients.extend(everybody(&app, &theirs).await);
    let (mut good, mut refused) = (0, 0);
    for client in &clients {
        for list in [
            "sort=createdAt",
            "sort=-createdAt",
            "limit=2&sort=createdAt",
            "limit=2&sort=-createdAt",
            "q=HAMBURG",
            "q=lisbon&limit=1",
            "q=%25",
            "q=nowhere",
        ] {
            let list = format!("/api/workspaces?{list}");
            let (here, there) = (pages(client, &list).await, pages(&client.at(&door), &list).await);
            let told = |answers: &[Answer]| {
                answers.iter().map(|answer| (answer.status, answer.without_request_id())).collect::<Vec<_>>()
            };
            assert_eq!(told(&here), told(&there), "{list}");
            match here[0].status {
                200 => good += here.len(),
                _ => refused += 1,
            }
        }
    }
    assert!(good > 200 && refused > 20, "the control: {good} pages, {refused} refusals");
}

#[tokio::test]
async fn whoever_does_not_reach_all_is_answered_at_the_door_and_so_is_everybody_without_the_function() {
    let (app, _) = both().await;
    let acme = app.tenant("Acme").await;
    let workspace = acme.workspace("DACH").await;
    let (all, one) = (acme.owner.clone(), acme.key(&["workspaces:read"], json!({ "workspaceId": workspace })).await);
    let agent = acme.member(Role::Agent, &[&workspace]).await.1;
    let shown =
        async |client: &Client| client.get("/api/workspaces").await.expect(200).body["data"].as_array().map(Vec::len);
    let nothing = "CREATE OR REPLACE FUNCTION page_of_workspaces(
            of_tenant uuid, sought text, after_time timestamptz, after_id uuid, descending boolean, most integer)
        RETURNS SETOF workspaces LANGUAGE sql STABLE AS 'SELECT * FROM workspaces WHERE false'";
    app.database.admin().batch_execute(nothing).unwrap();
    assert_eq!(
        (shown(&all).await, shown(&one).await, shown(&agent).await),
        (Some(0), Some(1), Some(1)),
        "who asks the function"
    );
    let look_ups = app.store.state().lane.look_ups;
    app.database.admin().batch_execute("DROP FUNCTION page_of_workspaces").unwrap();
    assert_eq!((shown(&all).await, shown(&one).await), (Some(1), Some(1)), "before the migration, at the door");
    all.get(&format!("/api/workspaces/{workspace}")).await.expect(200);
    assert_eq!(app.store.state().lane.look_ups, look_ups + 1, "look-ups stay in the lane");
}

#[tokio::test]
async fn a_key_that_was_revoked_and_a_tenant_that_was_suspended_are_refused_at_once() {
    let (app, _) = both().await;
    let acme = app.tenant("Acme").await;
    let (key, id) = acme.key_with_id(&["workspaces:read"], json!({})).await;
    let (member, person) = acme.member(Role::Admin, &[]).await;
    for client in [&key, &person] {
        client.get("/api/workspaces").await.expect(200);
    }
    acme.owner.delete(&format!("/api/api-keys/{id}")).await.expect(204);
    acme.owner.delete(&format!("/api/members/{member}")).await.expect(204);
    for client in [&key, &person] {
        client.get("/api/workspaces").await.expect(401);
    }
    app.platform().post(&format!("/api/admin/tenants/{}/suspend", acme.id), json!({})).await.expect(200);
    acme.owner.get("/api/workspaces").await.expect(401);
}
