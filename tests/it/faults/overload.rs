//! One tenant that asks for more than its share: the others notice nothing.

use std::time::Duration;

use diesel::{PgConnection, connection::SimpleConnection};
use futures_util::future::join_all;
use serde_json::json;
use tenantry_domain::KeyMode;
use tenantry_tests::{Answer, App, Client, Tenant, TestDatabase};
use tokio::task::JoinHandle;

use super::{busy, until_waiting};

/// An application with eight connections, of which tenants have seven, where nothing ends because it takes long.
async fn patient() -> App {
    App::on(TestDatabase::new(), |options| {
        options.connections = 8;
        options.wait = Duration::from_secs(60);
        options.statement_timeout = Duration::from_secs(120);
    })
    .await
}

/// A tenant with a workspace, whose owner's key the service knows; and the path of the workspace.
async fn tenant(app: &App, name: &str) -> (Tenant, String) {
    let tenant = app.tenant(name).await;
    let path = format!("/api/workspaces/{}", tenant.workspace("Before").await);
    (tenant, path)
}

/// A connection that has said this in a transaction that goes on.
fn holding(app: &App, sql: &str) -> PgConnection {
    let mut holder = app.database.admin();
    holder.batch_execute(&format!("BEGIN; {sql}")).unwrap();
    holder
}

fn spawn(client: &Client, method: &'static str, path: &str) -> JoinHandle<Answer> {
    let (client, path) = (client.clone(), path.to_owned());
    tokio::spawn(async move {
        let request = client.request(method, &path);
        client.send(if method == "PATCH" { request.json(&json!({ "name": "After" })) } else { request }).await
    })
}

/// Returns when so many connections are at work. A look-up is answered a moment before its connection is given back.
async fn until_busy(app: &App, connections: u32) {
    while app.store.state().busy != connections {
        tokio::task::yield_now().await;
    }
}

/// Twenty look-ups one after the other, of which none may be refused; and what everybody needs who watches the service.
async fn notices_nothing(app: &App, (tenant, path): &(Tenant, String)) {
    for _ in 0..20 {
        tenant.owner.get(path).await.expect(200);
    }
    tenant.owner.patch(path, json!({ "name": "Still here" })).await.expect(200);
    tenant.owner.get("/api/workspaces?q=still").await.expect(200);
    app.client().get("/healthz").await.expect(200);
    app.client().get("/readyz").await.expect(200);
    app.platform().get("/api/admin/tenants").await.expect(200);
}

#[tokio::test]
async fn clients_that_wait_for_one_locked_row_hold_a_share_of_the_connections() {
    let app = patient().await;
    let (acme, path) = tenant(&app, "Acme").await;
    let beta = tenant(&app, "Beta").await;
    for clients in [8, 16, 32] {
        let mut holder = holding(&app, &format!("SELECT FROM workspaces WHERE tenant_id = '{}' FOR UPDATE", acme.id));
        let writes: Vec<_> = (0..clients).map(|_| spawn(&acme.owner, "PATCH", &path)).collect();
        until_waiting(&app, 4).await;
        notices_nothing(&app, &beta).await;
        // As many as it leaves free, of seven.
        until_busy(&app, 4).await;
        holder.batch_execute("ROLLBACK").unwrap();
        for write in writes {
            let answer = write.await.unwrap();
            if answer.status != 200 {
                busy(answer);
            }
        }
    }
}

#[tokio::test]
async fn keys_that_are_used_for_the_first_time_count_as_their_tenant_once_they_are_known() {
    let app = patient().await;
    let (acme, path) = tenant(&app, "Acme").await;
    let (beta, other) = tenant(&app, "Beta").await;
    let fresh = beta.key(&["workspaces:read"], json!({})).await;
    let mut keys = Vec::new();
    for _ in 0..10 {
        keys.push(acme.key(&["workspaces:write", "workspaces:read"], json!({})).await);
    }
    let mut holder = holding(&app, &format!("SELECT FROM workspaces WHERE tenant_id = '{}' FOR UPDATE", acme.id));
    let writes: Vec<_> = keys.iter().map(|key| spawn(key, "PATCH", &path)).collect();
    until_waiting(&app, 4).await;
    fresh.get(&other).await.expect(200);
    // All ten have been found to be Acme's by now or wait behind those who are, and the rest of the seats is free.
    while app.store.state().queue.waiting < 6 {
        tokio::task::yield_now().await;
    }
    until_busy(&app, 4).await;
    holder.batch_execute("ROLLBACK").unwrap();
    for write in join_all(writes).await {
        write.unwrap().expect(200);
    }
}

#[tokio::test]
async fn forged_keys_of_a_tenant_take_nothing_of_its_share() {
    let app = patient().await;
    let (acme, path) = tenant(&app, "Acme").await;
    let path = format!("{path}/limits");
    let mut holder = holding(&app, "LOCK TABLE api_keys");
    let forged = || acme.owner.with_key(tenantry_auth::issue(acme.id, KeyMode::Live).unwrap().reveal());
    let forgeries: Vec<_> = (0..10).map(|_| spawn(&forged(), "GET", &path)).collect();
    until_waiting(&app, 2).await;
    let own: Vec<_> = (0..3).map(|_| spawn(&acme.owner, "GET", &path)).collect();
    until_waiting(&app, 5).await;
    assert_eq!(app.store.state().busy, 5, "two for all that nobody knows");
    holder.batch_execute("ROLLBACK").unwrap();
    for forgery in forgeries {
        forgery.await.unwrap().expect(401);
    }
    for answer in own {
        answer.await.unwrap().expect(200);
    }
}

#[tokio::test]
async fn lists_leave_seats_to_look_ups_and_to_the_lists_of_others() {
    let app = patient().await;
    let (acme, path) = tenant(&app, "Acme").await;
    let beta = tenant(&app, "Beta").await;
    let mut holder = holding(&app, "LOCK TABLE invitations");
    let lists: Vec<_> = (0..6).map(|_| spawn(&acme.owner, "GET", "/api/invitations")).collect();
    until_waiting(&app, 2).await;
    for _ in 0..20 {
        acme.owner.get(&path).await.expect(200);
    }
    beta.0.owner.get("/api/workspace/get-all").await.expect(200);
    notices_nothing(&app, &beta).await;
    until_busy(&app, 2).await;
    holder.batch_execute("ROLLBACK").unwrap();
    for list in lists {
        list.await.unwrap().expect(200);
    }
}

#[tokio::test]
async fn the_metrics_tell_who_waits_and_who_was_refused_and_name_no_tenant() {
    let app = App::on(TestDatabase::new(), |options| {
        options.wait = Duration::from_millis(500);
        options.statement_timeout = Duration::from_secs(120);
    })
    .await;
    let (acme, path) = tenant(&app, "Acme").await;
    let mut holder = holding(&app, "SELECT FROM workspaces FOR UPDATE");
    let writes: Vec<_> = (0..5).map(|_| spawn(&acme.owner, "PATCH", &path)).collect();
    until_waiting(&app, 4).await;
    let (refused, _) = futures_util::future::select_ok(writes.into_iter().map(|write| {
        Box::pin(async move {
            let answer = write.await.unwrap();
            if answer.status == 503 { Ok(answer) } else { Err(answer) }
        })
    }))
    .await
    .unwrap();
    busy(refused);
    let metrics = app.client().get("/metrics").await.expect(200).text;
    assert!(metrics.contains("tenantry_database_waiting 0\n"), "{metrics}");
    assert!(metrics.contains("tenantry_database_refused_total{reason=\"late\"} 1\n"), "{metrics}");
    assert!(metrics.contains("tenantry_database_refused_total{reason=\"full\"} 0\n"), "{metrics}");
    assert!(!metrics.contains(&acme.id.to_string()));
    holder.batch_execute("ROLLBACK").unwrap();
}
