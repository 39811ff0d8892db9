//! Assignments, and the places there are in a workspace.

use diesel::connection::SimpleConnection;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tenantry_domain::Role;
use tenantry_tests::{Answer, App, Client, Tenant, new_email};

async fn assign(client: &Client, workspace: &str, member: &str) -> Answer {
    client.send(client.request("PUT", &format!("/api/workspaces/{workspace}/members/{member}"))).await
}

fn cap(app: &App, tenant: &Tenant, members: i32) {
    let sql = format!("UPDATE tenants SET max_members = {members} WHERE id = '{}'", tenant.id);
    app.database.admin().batch_execute(&sql).unwrap();
}

fn invitation(workspaces: &[&str]) -> Value {
    json!({ "email": new_email(), "role": "agent", "workspaceIds": workspaces })
}

fn is_full(answer: Answer) {
    assert_eq!(answer.expect(409).body["code"], "limit_reached");
}

#[tokio::test]
async fn a_member_is_assigned_once_and_taken_off_once() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("DACH").await;
    let (member, agent) = acme.member(Role::Agent, &[]).await;
    let events = || app.database.rows("SELECT FROM audit_events");
    assign(&acme.owner, &id, &member).await.expect(200);
    let before = events();
    assign(&acme.owner, &id, &member).await.expect(200);
    assert_eq!(events(), before, "it was there already");
    let path = format!("/api/workspaces/{id}/members/{member}");
    agent.delete(&path).await.expect(403);
    assign(&agent, &id, &member).await.expect(403);
    acme.owner.delete(&path).await.expect(204);
    acme.owner.delete(&path).await.expect(404);
    agent.get(&format!("/api/workspaces/{id}")).await.expect(404);
    assign(&acme.owner, &id, &uuid::Uuid::now_v7().to_string()).await.expect(404);
    acme.owner.delete(&format!("/api/workspaces/{id}")).await.expect(204);
    assign(&acme.owner, &id, &member).await.expect(404);
}

#[tokio::test]
async fn a_workspace_has_no_more_members_than_the_limit_and_the_invited_count() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (full, other) = (acme.workspace("Full").await, acme.workspace("Other").await);
    cap(&app, &acme, 2);
    let (first, _) = acme.member(Role::Agent, &[&full]).await;
    let invited = acme.owner.post("/api/invitations", invitation(&[&full])).await.expect(201).id();
    let (third, _) = acme.member(Role::Agent, &[]).await;
    is_full(assign(&acme.owner, &full, &third).await);
    let before = app.database.rows("SELECT FROM invitations");
    is_full(acme.owner.post("/api/invitations", invitation(&[&other, &full])).await);
    assert_eq!(app.database.rows("SELECT FROM invitations"), before, "all or nothing");
    assign(&acme.owner, &other, &third).await.expect(200);
    // A place that is given up is free.
    acme.owner.delete(&format!("/api/invitations/{invited}")).await.expect(204);
    assign(&acme.owner, &full, &third).await.expect(200);
    acme.owner.delete(&format!("/api/members/{first}")).await.expect(204);
    let again = acme.owner.post("/api/invitations", invitation(&[&full])).await.expect(201).id();
    // An expired one has given up its place, and takes one again when it is sent again.
    let expire = format!("UPDATE invitations SET expires_at = now() WHERE id = '{again}'");
    app.database.admin().batch_execute(&expire).unwrap();
    let (fourth, _) = acme.member(Role::Agent, &[]).await;
    assign(&acme.owner, &full, &fourth).await.expect(200);
    is_full(acme.owner.post(&format!("/api/invitations/{again}/resend"), json!({})).await);
    // A limit below what is there keeps it.
    cap(&app, &acme, 1);
    let listed = acme.owner.get(&format!("/api/workspaces/{full}/members")).await.expect(200);
    assert_eq!(listed.body["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn many_who_want_the_last_places_at_once_get_no_more_than_there_are() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let replica = app.replica().with_key(acme.owner.key());
    let id = acme.workspace("DACH").await;
    cap(&app, &acme, 5);
    let mut members = Vec::new();
    for _ in 0..12 {
        members.push(acme.member(Role::Agent, &[]).await.0);
    }
    let assigning = join_all(members.iter().map(|member| assign(&acme.owner, &id, member)));
    let inviting = join_all((0..12).map(|_| replica.post("/api/invitations", invitation(&[&id]))));
    let (assigned, invited) = tokio::join!(assigning, inviting);
    let answers: Vec<_> = assigned.into_iter().chain(invited).collect();
    assert_eq!(answers.iter().filter(|answer| answer.status < 300).count(), 5);
    answers.into_iter().filter(|answer| answer.status >= 300).for_each(is_full);
    assert_eq!(app.database.rows("SELECT FROM assignments UNION ALL SELECT FROM invitation_workspaces"), 5);
}
