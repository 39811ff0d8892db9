//! What is refused to an actor whom the tenant knows can be found in the audit log, and nobody fills the log with it.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tenantry_domain::Role;
use tenantry_operations::Store;
use tenantry_tests::{App, Client, Tenant};

/// The refused attempts in the log: who tried what at what, and the scope that was missing.
async fn refused(tenant: &Tenant) -> Vec<[String; 4]> {
    let log = tenant.owner.get("/api/audit-events?action=attempt.refuse&sort=occurredAt").await.expect(200);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let events = log.body["data"].as_array().unwrap().iter();
    events
        .map(|event| {
            let at = format!("{} {}", text(&event["subject"]["type"]), text(&event["subject"]["id"]));
            let changes = &event["changes"];
            [text(&event["actor"]["id"]), text(&changes["action"]["after"]), at, text(&changes["scope"]["after"])]
        })
        .collect()
}

fn entry(actor: &str, action: &str, at: String, scope: &str) -> [String; 4] {
    [actor.to_owned(), action.to_owned(), at, scope.to_owned()]
}

/// What somebody tries, which is answered like this.
async fn try_all(client: &Client, attempts: &[(&str, String)], status: u16) {
    for (method, path) in attempts {
        let answer = match *method {
            "GET" => client.get(path).await,
            "PATCH" => client.patch(path, json!({ "name": "Mine" })).await,
            _ => client.delete(path).await,
        };
        answer.expect(status);
    }
}

#[tokio::test]
async fn what_a_known_actor_may_not_do_is_in_the_log_of_its_tenant() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let (here, there) = (acme.workspace("Here").await, acme.workspace("There").await);
    let (key, key_id) = acme.key_with_id(&["brands:read"], json!({ "workspaceId": here })).await;
    let (agent_id, agent) = acme.member(Role::Agent, &[&here]).await;
    let path = |id: &str| format!("/api/workspaces/{id}");
    // By scope, in the lane and at the door; by role; beyond the reach of each.
    try_all(&key, &[("GET", path(&here)), ("GET", "/api/audit-events".to_owned())], 403).await;
    try_all(&agent, &[("DELETE", path(&here)), ("GET", "/api/api-keys".to_owned())], 403).await;
    try_all(&agent, &[("GET", path(&there)), ("PATCH", path(&there))], 404).await;
    // More than one has.
    let (inviter, inviter_id) = acme.key_with_id(&["members:write"], json!({})).await;
    inviter.post("/api/invitations", json!({ "email": "eve@example.com", "role": "owner" })).await.expect(403);
    // What is not there, or another tenant's, tells nothing about the actor.
    let foreign = beta.workspace("Foreign").await;
    try_all(&agent, &[("GET", path(&foreign)), ("GET", path("0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48"))], 404).await;
    // And nobody knows who that was.
    try_all(&app.client(), &[("GET", path(&here))], 401).await;
    try_all(&beta.owner, &[("DELETE", path(&here))], 404).await;
    assert_eq!(refused(&acme).await, Vec::<[String; 4]>::new(), "no request waits for it");
    app.store.write_notes().await;
    let (tenant, at) = (format!("tenant {}", acme.id), |id: &str| format!("workspace {id}"));
    let mut expected = vec![
        entry(&key_id, "workspace.read", at(&here), "workspaces:read"),
        entry(&key_id, "audit_event.list", tenant.clone(), "audit:read"),
        entry(&agent_id, "workspace.delete", at(&here), ""),
        entry(&agent_id, "api_key.list", tenant.clone(), ""),
        entry(&inviter_id, "invitation.create", tenant, "members:read"),
        entry(&agent_id, "workspace.read", at(&there), ""),
        entry(&agent_id, "workspace.update", at(&there), ""),
    ];
    let mut found = refused(&acme).await;
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    assert_eq!(refused(&beta).await, Vec::<[String; 4]>::new());
}

#[tokio::test]
async fn at_the_door_an_attempt_is_at_the_same_place_as_in_the_lane() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let workspace = acme.workspace("DACH").await;
    let path = format!("/api/workspaces/{workspace}");
    for lane in [true, false] {
        let store = App::store(&app.database.service_url(), |pool| pool.look_up_lane = lane);
        let (key, id) = acme.key_with_id(&["brands:read"], json!({ "workspaceId": workspace })).await;
        key.at(&app.replica_on(&store)).get(&path).await.expect(403);
        store.write_notes().await;
        let entry = entry(&id, "workspace.read", format!("workspace {workspace}"), "workspaces:read");
        assert!(refused(&acme).await.contains(&entry), "{lane}");
    }
}

#[tokio::test]
async fn an_attempt_names_its_request_and_where_it_came_from() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let key = acme.key(&["brands:read"], json!({})).await;
    let answer = key.get("/api/audit-events").await.expect(403);
    app.store.write_notes().await;
    let log = acme.owner.get("/api/audit-events?action=attempt.refuse").await.expect(200);
    assert_eq!(log.body["data"][0]["requestId"], answer.header("x-request-id"));
    assert_eq!(log.body["data"][0]["address"], "127.0.0.1");
}

#[tokio::test]
async fn who_is_refused_in_a_loop_leaves_one_entry_for_each_action_whatever_the_replica() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let key = acme.key(&["brands:read"], json!({})).await;
    let stores: Vec<_> = (0..3).map(|_| App::store(&app.database.service_url(), |_| {})).collect();
    for _ in 0..2 {
        for store in &stores {
            let client = key.at(&app.replica_on(store));
            for answer in join_all((0..20).map(|_| client.get("/api/audit-events"))).await {
                answer.expect(403);
            }
            client.get("/api/workspaces").await.expect(403);
        }
        join_all(stores.iter().map(Store::write_notes)).await;
    }
    // Two actions; the hour may have ended once.
    let entries = refused(&acme).await.len();
    assert!((2..=4).contains(&entries), "{entries} entries for 126 attempts");
}
