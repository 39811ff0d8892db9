//! Invitations over HTTP, up to the message; what becomes of that is for the outbox.

mod delivery;
mod international;
mod limits;
mod page;
mod preview;

use diesel::connection::SimpleConnection;
use insta::assert_snapshot;
use serde_json::{Value, json};
use tenantry_domain::Role;
use tenantry_tests::{Answer, App, Client, Tenant, new_email, view};
use uuid::Uuid;

async fn invite(client: &Client, email: &str, more: Value) -> Answer {
    let mut body = json!({ "email": email, "role": "agent" });
    if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
        body.extend(more.clone());
    }
    client.post("/api/invitations", body).await
}

fn expire(app: &App, id: &str) {
    let sql = format!("UPDATE invitations SET expires_at = now() - interval '1 second' WHERE id = '{id}'");
    app.database.admin().batch_execute(&sql).unwrap();
}

async fn in_state(tenant: &Tenant, state: &str) -> Vec<String> {
    let list = tenant.owner.get(&format!("/api/invitations?state={state}")).await.expect(200).body["data"].clone();
    list.as_array().unwrap().iter().map(|invitation| invitation["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_invitation_is_answered_at_once_with_all_but_its_token() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("DACH").await;
    let made = invite(&acme.owner, "Ada@Example.com", json!({ "workspaceIds": [id, id], "expiresInDays": 30 })).await;
    let made = made.expect(201);
    let (invitation, tenant, expiry) = (made.id(), acme.id.to_string(), made.text_of("expiresAt"));
    let named = [("invitation", invitation.as_str()), ("tenant", &tenant), ("workspace", &id), ("in 30 days", &expiry)];
    assert_snapshot!("invitation", view(&made, &named));
    assert!(!made.text.contains("tnt_inv"), "{}", made.text);
    let shown = acme.owner.get(&format!("/api/invitations/{}", made.id())).await.expect(200);
    assert_eq!((&shown.body, shown.etag()), (&made.body, made.etag()));
    let times = [&made.body["expiresAt"], &made.body["createdAt"]].map(|time| time.as_str().unwrap().parse().unwrap());
    let [until, from]: [chrono::DateTime<chrono::Utc>; 2] = times;
    assert_eq!((until - from).num_days(), 30);
    assert_eq!(app.database.rows("SELECT FROM outbox_messages WHERE state = 'pending'"), 1);
    assert_eq!(app.database.rows("SELECT FROM invitation_tokens"), 0, "a token is made when it is sent");
}

#[tokio::test]
async fn everything_that_is_wrong_with_an_invitation_is_said_at_once() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let body = json!({ "email": "a@b", "role": "boss", "workspaceIds": ["x"], "expiresInDays": 31, "colour": 1 });
    let refused = acme.owner.post("/api/invitations", body).await.expect(422);
    let expected = [
        ("colour", "unknown_field"),
        ("email", "not_an_email_address"),
        ("expiresInDays", "out_of_range"),
        ("role", "not_a_choice"),
        ("workspaceIds", "not_a_uuid"),
    ];
    assert_eq!(refused.refused(), expected.map(|(field, code)| (field.to_owned(), code.to_owned())));
    for email in [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@localhost",
        "\"a b\"@example.com",
        "ada@[127.0.0.1]",
        "a@x.com,b@x.com",
        "Ada <ada@example.com>",
        "ada@example.com.",
        "ädä@example.com",
        "ada@exämple..com",
        "ada@example.com\r\nBcc: e@x.com",
        " ada@example.com",
        "ada@example.com\u{0}",
        "ada\u{202e}@example.com",
    ] {
        let refused = invite(&acme.owner, email, json!({})).await.expect(422).refused();
        assert_eq!(refused[0].0, "email", "{email:?}");
    }
    for days in [json!(0), json!(31), json!(-1), json!(1.5), json!("7"), json!(null)] {
        invite(&acme.owner, &new_email(), json!({ "expiresInDays": days })).await.expect(422);
    }
    // Another tenant's workspace is one that was never there, and a deleted one is none.
    let gone = acme.workspace("Gone").await;
    acme.owner.delete(&format!("/api/workspaces/{gone}")).await.expect(204);
    for unknown in [Uuid::now_v7().to_string(), beta.workspace("Benelux").await, gone] {
        let refused = invite(&acme.owner, &new_email(), json!({ "workspaceIds": [unknown] })).await.expect(422);
        assert_eq!(refused.refused(), [("workspaceIds".to_owned(), "not_found".to_owned())]);
    }
    let too_many: Vec<_> = (0..101).map(|_| Uuid::now_v7().to_string()).collect();
    let refused = invite(&acme.owner, &new_email(), json!({ "workspaceIds": too_many })).await.expect(422);
    assert_eq!(refused.refused(), [("workspaceIds".to_owned(), "too_many".to_owned())]);
    assert_eq!(app.database.rows("SELECT FROM invitations UNION ALL SELECT FROM outbox_messages"), 0);
}

#[tokio::test]
async fn an_address_has_one_pending_invitation_in_whatever_case_and_no_member_has_it() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let first = invite(&acme.owner, "ada@example.com", json!({})).await.expect(201).id();
    for again in ["ada@example.com", "ADA@example.com", "Ada@Example.Com"] {
        assert_eq!(invite(&acme.owner, again, json!({})).await.expect(409).body["code"], "already_invited");
    }
    invite(&beta.owner, "ada@example.com", json!({})).await.expect(201);
    // A revoked one makes way, and so does one that has expired.
    acme.owner.delete(&format!("/api/invitations/{first}")).await.expect(204);
    let second = invite(&acme.owner, "Ada@example.com", json!({})).await.expect(201).id();
    expire(&app, &second);
    let third = invite(&acme.owner, "ada@example.com", json!({})).await.expect(201).id();
    acme.owner.get(&format!("/api/invitations/{second}")).await.expect(404);
    assert_eq!(in_state(&acme, "pending").await, [third]);
    let (member, _) = acme.member(Role::Agent, &[]).await;
    let email = acme.owner.get(&format!("/api/members/{member}")).await.expect(200).text_of("email");
    let refused = invite(&acme.owner, &email.to_uppercase(), json!({})).await.expect(409);
    assert_eq!(refused.body["code"], "already_member");
}

#[tokio::test]
async fn invitations_are_listed_by_what_has_become_of_them() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let [pending, revoked, expired] = [
        acme.invitation(&new_email(), json!({})).await,
        acme.invitation(&new_email(), json!({})).await,
        acme.invitation(&new_email(), json!({ "role": "observer" })).await,
    ];
    acme.owner.delete(&format!("/api/invitations/{revoked}")).await.expect(204);
    expire(&app, &expired);
    assert_eq!(in_state(&acme, "pending").await, [pending.as_str()]);
    assert_eq!(in_state(&acme, "revoked").await, [revoked.as_str()]);
    assert_eq!(in_state(&acme, "expired").await, [expired.as_str()]);
    assert_eq!(in_state(&acme, "accepted").await, Vec::<String>::new());
    assert_eq!(acme.owner.get("/api/invitations").await.expect(200).body["data"].as_array().unwrap().len(), 3);
    let observers = acme.owner.get("/api/invitations?role=observer").await.expect(200).body["data"].clone();
    assert_eq!((observers.as_array().unwrap().len(), &observers[0]["state"]), (1, &json!("expired")));
    acme.owner.get("/api/invitations?state=gone").await.expect(422);
    for (id, state) in [(&pending, "pending"), (&revoked, "revoked"), (&expired, "expired")] {
        assert_eq!(acme.owner.get(&format!("/api/invitations/{id}")).await.expect(200).body["state"], state);
    }
}

#[tokio::test]
async fn an_invitation_is_sent_again_also_when_it_has_expired_and_not_when_it_is_over() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.invitation(&new_email(), json!({})).await;
    let path = format!("/api/invitations/{id}");
    let pending = "SELECT FROM outbox_messages WHERE state = 'pending'";
    acme.owner.post(&format!("{path}/resend"), json!({})).await.expect(200);
    assert_eq!(app.database.rows(pending), 1, "the one before was not sent yet, and is not any more");
    assert_eq!(app.database.rows("SELECT FROM outbox_messages WHERE state = 'dropped'"), 1);
    expire(&app, &id);
    let again = acme.owner.post(&format!("{path}/resend"), json!({ "expiresInDays": 1 })).await.expect(200);
    assert_eq!(again.body["state"], "pending");
    // Without a body at all.
    acme.owner.send(acme.owner.request("POST", &format!("{path}/resend"))).await.expect(200);
    acme.owner.delete(&path).await.expect(204);
    assert_eq!(app.database.rows(pending), 0, "a revoked one is not sent");
    acme.owner.delete(&path).await.expect(204);
    let refused = acme.owner.post(&format!("{path}/resend"), json!({})).await.expect(409);
    assert_eq!(refused.body["code"], "invitation_revoked");
    acme.owner.post(&format!("{path}/resend"), json!({ "expiresInDays": 0 })).await.expect(422);
}

#[tokio::test]
async fn many_are_invited_at_once_each_with_a_result_of_its_own() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("DACH").await;
    acme.invitation("taken@example.com", json!({})).await;
    let emails = ["one@example.com", "not an address", "Taken@example.com", "two@example.com", "ONE@example.com"];
    let body = json!({ "emails": emails, "role": "observer", "workspaceIds": [id], "expiresInDays": 3 });
    let answer = acme.owner.post("/api/invitations/batch", body).await.expect(200);
    let results = answer.body["data"].as_array().unwrap();
    let got: Vec<_> = results.iter().map(|result| (result["email"].clone(), result["status"].clone())).collect();
    let expected = [201, 422, 409, 201, 409];
    assert_eq!(got, emails.iter().zip(expected).map(|(e, s)| (json!(e), json!(s))).collect::<Vec<_>>());
    for result in results {
        let made = result["status"] == 201;
        assert_eq!((result["invitation"].is_null(), result["problem"].is_null()), (!made, made), "{result}");
        if made {
            assert_eq!(result["invitation"]["workspaceIds"], json!([id]));
        }
    }
    assert_eq!(results[1]["problem"]["fields"][0]["field"], "email");
    assert_eq!(results[2]["problem"]["code"], "already_invited");
    assert_eq!(app.database.rows("SELECT FROM invitations"), 3);
    // What concerns all of them is said once.
    for (body, field, code) in [
        (json!({ "emails": [], "role": "agent" }), "emails", "empty"),
        (json!({ "role": "agent" }), "emails", "required"),
        (json!({ "emails": vec!["a@example.com"; 101], "role": "agent" }), "emails", "too_many"),
        (json!({ "emails": ["a@example.com", 1], "role": "agent" }), "emails", "wrong_type"),
        (json!({ "emails": ["a@example.com"] }), "role", "required"),
    ] {
        let refused = acme.owner.post("/api/invitations/batch", body).await.expect(422);
        assert_eq!(refused.refused(), [(field.to_owned(), code.to_owned())]);
    }
    let agent = acme.member(Role::Agent, &[]).await.1;
    agent.post("/api/invitations/batch", json!({ "emails": ["x@example.com"], "role": "agent" })).await.expect(403);
    let (_, admin) = acme.member(Role::Admin, &[]).await;
    admin.post("/api/invitations/batch", json!({ "emails": ["x@example.com"], "role": "owner" })).await.expect(403);
}

#[tokio::test]
async fn a_token_that_was_never_sent_is_of_no_invitation() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let person = app.client().with_key(&app.people.token("ada", None, json!({})));
    let issue = |tenant| tenantry_auth::issue_invitation(tenant).unwrap().reveal().to_owned();
    let good = issue(acme.id);
    for token in ["", "x", acme.owner.key(), &good, &good[..good.len() - 1], &issue(tenantry_persistence::new_id())] {
        let refused = person.post("/api/invitations/accept", json!({ "token": token })).await.expect(404);
        assert_eq!(refused.text_of("error"), "Invitation not found");
        assert!(token.is_empty() || token == "x" || !refused.text.contains(token));
    }
    for body in [json!({}), json!({ "token": null }), json!({ "token": 1 })] {
        person.post("/api/invitations/accept", body).await.expect(422);
    }
    let refused = acme.owner.post("/api/invitations/accept", json!({ "token": good })).await.expect(401);
    assert_eq!(refused.body["code"], "not_a_person");
}
