//! What whoever has the token of an invitation may know of it.

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use tenantry_domain::{RequestRate, Requests, Role};
use tenantry_http::{Front, Rates};
use tenantry_tests::{Answer, App, Client, Tenant};

use crate::outbox::{deliver, server, token};

pub(super) async fn preview(client: &Client, token: &str) -> Answer {
    client.post("/api/invitations/preview", json!({ "token": token })).await
}

fn behind_the_back(app: &App, sql: &str) {
    app.database.admin().batch_execute(sql).unwrap();
}

/// An invitation by a member, into one workspace; its id, and the token in its email.
pub(super) async fn invited(app: &App, acme: &Tenant, email: &str) -> (String, String) {
    let server = server();
    let (_, grace) = acme.member(Role::Owner, &[]).await;
    let workspace = acme.workspace("DACH Region").await;
    let body = json!({ "email": email, "role": "agent", "workspaceIds": [workspace] });
    let id = grace.post("/api/invitations", body).await.expect(201).id();
    deliver(app, &server).await;
    (id, token(&server.mails()[0]))
}

#[tokio::test]
async fn whoever_has_the_token_sees_what_the_email_says_and_no_whole_address() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (_, token) = invited(&app, &acme, "ada@example.com").await;
    let seen = preview(&app.client(), &token).await.expect(200);
    assert_eq!(seen.header("cache-control"), "no-store");
    assert_eq!(
        (&seen.body["tenantName"], &seen.body["language"], &seen.body["state"]),
        (&json!("Acme"), &json!("de"), &json!("pending"))
    );
    let offer = &seen.body["offer"];
    assert_eq!((&offer["role"], &offer["workspaceNames"]), (&json!("agent"), &json!(["DACH Region"])));
    assert_eq!(offer["emailHint"], "a…@example.com");
    assert!(offer["invitedBy"].as_str().unwrap().ends_with("@people.tenantry.test"), "{}", seen.text);
    assert!(!seen.text.contains("ada@example.com") && !seen.text.contains(&token), "{}", seen.text);
    // It was only looked at.
    assert_eq!(preview(&app.client(), &token).await.expect(200).body, seen.body);
    assert_eq!(app.database.rows("SELECT 1 FROM invitations WHERE accepted_at IS NULL AND version = 1"), 1);
}

#[tokio::test]
async fn unknown_tokens_are_all_alike() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (_, token) = invited(&app, &acme, "ada@example.com").await;
    let other = tenantry_auth::issue_invitation(acme.id).unwrap();
    let elsewhere =
        tenantry_auth::issue_invitation(tenantry_domain::TenantId::from_uuid(uuid::Uuid::now_v7())).unwrap();
    let cut_off = &token[..token.len() - 1];
    let mut answers = Vec::new();
    for unknown in [other.reveal(), elsewhere.reveal(), cut_off, "x", acme.owner.key()] {
        answers.push(preview(&app.client(), unknown).await.expect(404).without_request_id());
    }
    behind_the_back(&app, "UPDATE tenants SET suspended_at = now()");
    answers.push(preview(&app.client(), &token).await.expect(404).without_request_id());
    behind_the_back(&app, "UPDATE tenants SET suspended_at = NULL, deleted_at = now()");
    answers.push(preview(&app.client(), &token).await.expect(404).without_request_id());
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    for body in [json!({}), json!({ "token": 1 }), json!({ "token": "x", "more": 1 })] {
        app.client().post("/api/invitations/preview", body).await.expect(422);
    }
    app.client().get("/api/invitations/preview").await.expect(405);
}

#[tokio::test]
async fn what_is_over_says_so_and_offers_nothing() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let state = async |token: &str| {
        let seen = preview(&app.client(), token).await.expect(200);
        assert_eq!(seen.body["offer"] == Value::Null, seen.body["state"] != "pending", "{}", seen.text);
        seen.text_of("state")
    };
    let (id, token) = invited(&app, &acme, "ada@example.com").await;
    assert_eq!(state(&token).await, "pending");
    acme.owner.post(&format!("/api/invitations/{id}/resend"), json!({})).await.expect(200);
    assert_eq!(state(&token).await, "replaced");
    acme.owner.delete(&format!("/api/invitations/{id}")).await.expect(204);
    assert_eq!(state(&token).await, "revoked");
    let beta = app.tenant("Beta").await;
    let (id, token) = invited(&app, &beta, "eve@example.com").await;
    behind_the_back(
        &app,
        &format!("UPDATE invitations SET expires_at = now() - interval '1 second' WHERE id = '{id}'"),
    );
    assert_eq!(state(&token).await, "expired");
    behind_the_back(&app, &format!("UPDATE invitations SET expires_at = now() + interval '1 day' WHERE id = '{id}'"));
    let eve = app.client().with_key(&app.people.token("eve", None, json!({ "email": "eve@example.com" })));
    eve.post("/api/invitations/accept", json!({ "token": token })).await.expect(201);
    assert_eq!(state(&token).await, "accepted");
}

#[tokio::test]
async fn an_address_that_asks_too_often_is_told_to_wait() {
    let number = |number| Requests::try_from(number).unwrap();
    let address = Some(RequestRate { per_second: number(1), burst: number(3) });
    let app = App::behind_limiting(Front::default(), Rates { address, ..Rates::default() }).await;
    let mut statuses = Vec::new();
    for _ in 0..20 {
        statuses.push(preview(&app.client(), "x").await.status);
    }
    assert!(statuses.contains(&404) && statuses.contains(&429), "{statuses:?}");
}
