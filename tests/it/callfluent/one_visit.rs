//! Each call goes through the door once: it sees one moment, and changes everything or nothing.

use std::time::Duration;

use diesel::{PgConnection, connection::SimpleConnection};
use serde_json::{Value, json};
use tenantry_tests::{Answer, App, Client, Tenant, TestDatabase, lines, master_keys};
use tokio::task::JoinHandle;

use super::{ADA, call, info, invite, update, with_workspaces};

/// A service whose requests wait for as long as a test holds them.
async fn patient() -> App {
    patient_with(true).await
}

/// The same, with a look-up lane or without one.
async fn patient_with(lane: bool) -> App {
    App::on(TestDatabase::new(), |options| {
        options.statement_timeout = Duration::from_secs(120);
        options.look_up_lane = lane;
    })
    .await
}

/// A connection of the superuser that has said this in a transaction of its own.
fn holder(app: &App, sql: &str) -> PgConnection {
    let mut holder = app.database.admin();
    holder.batch_execute(&format!("BEGIN; {sql}")).unwrap();
    holder
}

/// Returns when this many connections of the service wait for a lock.
async fn until_waiting(app: &App, how_many: i64) {
    let waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
                   AND usename = 'tenantry_service' AND wait_event_type = 'Lock'";
    while app.database.rows(waiting) < how_many {
        tokio::task::yield_now().await;
    }
}

fn spawn(client: &Client, method: &'static str, path: &str, body: Option<Value>) -> JoinHandle<Answer> {
    let (client, path) = (client.clone(), path.to_owned());
    tokio::spawn(async move {
        let request = client.request(method, &path);
        client.send(body.iter().fold(request, |request, body| request.json(body))).await
    })
}

/// What the audit log says was done since the first `known` events.
fn actions(app: &App, known: usize) -> Vec<String> {
    let all = lines(&mut app.database.admin(), "SELECT action AS line FROM audit_events ORDER BY id");
    all.into_iter().skip(known).collect()
}

/// Has each visit to the door leave a lock that stays with its connection, so that they can be counted from outside. Nothing
/// else that a read may do can be seen there exactly.
fn count_visits(database: &TestDatabase) {
    let sql = "ALTER FUNCTION set_tenant(text) RENAME TO set_tenant_uncounted;
               GRANT EXECUTE ON FUNCTION set_tenant_uncounted(text) TO tenantry_service;
               CREATE FUNCTION set_tenant(tenant text) RETURNS void LANGUAGE plpgsql AS $$
               BEGIN
                   PERFORM pg_advisory_lock(pg_backend_pid(), count(*)::int) FROM pg_locks
                   WHERE locktype = 'advisory' AND pid = pg_backend_pid();
                   PERFORM set_tenant_uncounted(tenant);
               END $$;
               GRANT EXECUTE ON FUNCTION set_tenant(text) TO tenantry_service;";
    database.admin().batch_execute(sql).unwrap();
}

fn visits(app: &App) -> i64 {
    app.database.rows(
        "SELECT 1 FROM pg_locks WHERE locktype = 'advisory'
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
}

#[tokio::test]
async fn each_call_goes_through_the_door_once() {
    let database = TestDatabase::new();
    count_visits(&database);
    let app = App::on(database, |options| options.look_up_lane = false).await;
    let acme = with_workspaces(&app, &["first", "second"]).await;
    let all = json!({ "name": "Renamed", "sid": "AC0123456789abcdef0123456789abcdef", "auth_token": "b3a1d0123456789",
                      "openai_key": "sk-proj-0123456789", "maxMins": 300, "maxMembers": 10, "maxAgents": 6 });
    let invitation = |number: i64| Some(json!({ "workspace_id": number, "email": ADA }));
    let calls = [
        ("POST", "/api/workspace/create", Some(json!({ "name": "third" }))),
        ("GET", "/api/workspace/get-all", None),
        ("GET", "/api/workspace/get/1", None),
        ("GET", "/api/workspace/1/voices", None),
        ("PUT", "/api/workspace/update/1", Some(all)),
        ("POST", "/api/workspace/invite-user", invitation(1)),
        ("POST", "/api/workspace/invite-user", invitation(1)),
        ("POST", "/api/workspace/invite-user", invitation(2)),
        ("DELETE", "/api/workspace/invite-delete/1", None),
        ("DELETE", "/api/workspace/invite-delete/2", None),
        ("GET", "/api/workspace/calendars/1", None),
        ("DELETE", "/api/workspace/delete/1", None),
    ];
    for (method, path, body) in calls {
        let before = visits(&app);
        call(&acme.owner, method, path, body).await.expect(200);
        assert_eq!(visits(&app) - before, 1, "{method} {path}");
    }
}

/// A workspace with an integration, a change of all of it, and how many events there are.
async fn to_be_changed(app: &App) -> (Tenant, Value, usize) {
    let acme = with_workspaces(app, &["first"]).await;
    update(&acme.owner, 1, json!({ "openai_key": "sk-proj-old-0123456789" })).await.expect(200);
    let changes = json!({ "name": "Renamed", "maxMins": 300, "openai_key": "sk-proj-new-0123456789" });
    let events = actions(app, 0).len();
    (acme, changes, events)
}

#[tokio::test]
async fn an_update_changes_nothing_when_the_database_goes_away_in_between() {
    let app = patient().await;
    let (acme, changes, events) = to_be_changed(&app).await;
    let before = info(&acme.owner, 1).await;
    let mut holder = holder(&app, "SELECT FROM integrations FOR UPDATE");
    let changing = spawn(&acme.owner, "PUT", "/api/workspace/update/1", Some(changes.clone()));
    until_waiting(&app, 1).await;
    holder
        .batch_execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND usename = 'tenantry_service'; ROLLBACK",
        )
        .unwrap();
    assert_eq!(changing.await.unwrap().expect(503).body["status"], false);
    assert_eq!(info(&acme.owner, 1).await, before);
    assert_eq!(actions(&app, events), [""; 0]);
    update(&acme.owner, 1, changes).await.expect(200);
    assert_eq!(actions(&app, events), ["workspace.update", "limits.update", "integration.update"]);
}

#[tokio::test]
async fn an_update_changes_nothing_when_the_last_part_is_refused() {
    let app = App::start().await;
    let (acme, changes, events) = to_be_changed(&app).await;
    let before = info(&acme.owner, 1).await;
    // A replica with another master key of the same version, which must not seal anything here.
    let stranger = app.replica_with(master_keys(&[1])).with_key(acme.owner.key());
    update(&stranger, 1, changes.clone()).await.expect(500);
    assert_eq!(info(&acme.owner, 1).await, before);
    assert_eq!(actions(&app, events), [""; 0]);
    update(&acme.owner, 1, changes).await.expect(200);
}

#[tokio::test]
async fn an_update_of_what_is_so_already_leaves_no_event() {
    let app = App::start().await;
    let acme = with_workspaces(&app, &["first"]).await;
    let sid = "AC0123456789abcdef0123456789abcdef";
    update(&acme.owner, 1, json!({ "name": "Renamed", "maxMins": 300, "sid": sid })).await.expect(200);
    let events = actions(&app, 0).len();
    update(&acme.owner, 1, json!({ "name": "Renamed", "maxMins": 300, "sid": sid })).await.expect(200);
    assert_eq!(actions(&app, events), [""; 0]);
    update(&acme.owner, 1, json!({ "name": "Renamed", "maxMins": 301, "sid": sid })).await.expect(200);
    assert_eq!(actions(&app, events), ["limits.update"]);
}

#[tokio::test]
async fn what_is_told_of_a_workspace_is_of_one_moment() {
    for lane in [true, false] {
        let app = patient_with(lane).await;
        let acme = with_workspaces(&app, &["first"]).await;
        invite(&acme.owner, 1, ADA).await.expect(200);
        let before = info(&acme.owner, 1).await;
        // It reads how many agents there are, then waits for the integrations, then reads who has a slot.
        let mut holder = holder(&app, "LOCK TABLE integrations IN ACCESS EXCLUSIVE MODE");
        let shown = spawn(&acme.owner, "GET", "/api/workspace/get/1", None);
        until_waiting(&app, 1).await;
        holder.batch_execute("UPDATE invitations SET revoked_at = now(); COMMIT").unwrap();
        assert_eq!(shown.await.unwrap().expect(200).body["data"], before, "lane: {lane}");
        assert_eq!(info(&acme.owner, 1).await["members"], json!([]));
    }
}

/// The invitations in this state.
async fn invitations(tenant: &Tenant, state: &str) -> Vec<Value> {
    let path = format!("/api/invitations?state={state}");
    tenant.owner.get(&path).await.expect(200).body["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn the_last_two_slots_of_an_invitation_given_up_at_once_leave_none_that_holds_nothing() {
    let app = patient().await;
    let acme = with_workspaces(&app, &["first", "second"]).await;
    for number in [1, 2] {
        invite(&acme.owner, number, ADA).await.expect(200);
    }
    let mut holder = holder(&app, "SELECT FROM tenants FOR UPDATE");
    let vacate = |slot: i64| spawn(&acme.owner, "DELETE", &format!("/api/workspace/invite-delete/{slot}"), None);
    let vacating = [vacate(1), vacate(2)];
    until_waiting(&app, 2).await;
    holder.batch_execute("ROLLBACK").unwrap();
    for vacated in vacating {
        vacated.await.unwrap().expect(200);
    }
    assert_eq!(invitations(&acme, "pending").await, [Value::Null; 0]);
    assert_eq!(invitations(&acme, "revoked").await.len(), 1);
}

#[tokio::test]
async fn who_is_invited_while_their_invitation_is_revoked_gets_another_one() {
    let app = patient().await;
    let acme = with_workspaces(&app, &["first", "second"]).await;
    // To the workspace that the old invitation is for, and to another one.
    for number in [1, 2] {
        let email = format!("ada{number}@example.com");
        invite(&acme.owner, 1, &email).await.expect(200);
        let old = invitations(&acme, "pending").await.iter().find(|one| one["email"] == email).unwrap()["id"].clone();
        let mut holder = holder(&app, "SELECT FROM tenants FOR UPDATE");
        let path = format!("/api/invitations/{}", old.as_str().unwrap());
        let revoking = spawn(&acme.owner, "DELETE", &path, None);
        until_waiting(&app, 1).await;
        let body = json!({ "workspace_id": number, "email": email });
        let inviting = spawn(&acme.owner, "POST", "/api/workspace/invite-user", Some(body));
        until_waiting(&app, 2).await;
        holder.batch_execute("ROLLBACK").unwrap();
        revoking.await.unwrap().expect(204);
        inviting.await.unwrap().expect(200);
        let pending = invitations(&acme, "pending").await;
        let new = pending.iter().find(|one| one["email"] == email).unwrap();
        assert_ne!(new["id"], old);
        let people = info(&acme.owner, number).await["members"].clone();
        assert!(people.as_array().unwrap().iter().any(|one| one["email"] == email), "{people}");
    }
}
