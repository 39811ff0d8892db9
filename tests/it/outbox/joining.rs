//! From the request to the member: invited over HTTP, found in the mailbox, accepted with the invitee's own access token.

use serde_json::{Value, json};
use tenantry_tests::{App, Client, Contract, Operation};

use super::{deliver, server, token};

const ADA: &str = "ada@example.com";

/// Somebody with this verified address.
fn person(app: &App, subject: &str, email: &str) -> Client {
    token_of(app, subject, json!({ "email": email }))
}

/// Somebody with a token that says this.
fn token_of(app: &App, subject: &str, claims: Value) -> Client {
    app.client().with_key(&app.people.token(subject, None, claims))
}

fn accept() -> Operation {
    Operation { path: "/api/invitations/accept".to_owned(), method: "POST".to_owned() }
}

#[tokio::test]
async fn an_invited_person_accepts_and_sees_exactly_the_assigned_workspaces() {
    let (app, server, contract) = (App::start().await, server(), Contract::get());
    let acme = app.tenant("Acme").await;
    let (dach, nordics) = (acme.workspace("DACH").await, acme.workspace("Nordics").await);
    acme.workspace("Benelux").await;
    let invitation = acme.invitation(ADA, json!({ "role": "observer", "workspaceIds": [dach, nordics] })).await;
    deliver(&app, &server).await;
    let body = json!({ "token": token(&server.mail()) });
    let ada = person(&app, "ada", ADA);
    let joined = accept().send(&ada, "/api/invitations/accept", Some(&body)).await.expect(201);
    contract.hold(&accept(), &joined);
    assert_eq!(
        (&joined.body["invitation"]["id"], &joined.body["invitation"]["state"]),
        (&json!(invitation), &json!("accepted"))
    );
    assert_eq!(joined.header("location"), format!("/api/members/{}", joined.body["member"]["id"].as_str().unwrap()));
    // From now on her tokens name the tenant.
    let inside = app.client().with_key(&app.people.token("ada", Some(acme.id), json!({ "email": ADA })));
    let me = inside.get("/api/me").await.expect(200).body;
    assert_eq!((&me["member"]["role"], &me["visibleWorkspaces"]), (&json!("observer"), &json!(2)));
    let seen = inside.get("/api/workspaces?sort=name").await.expect(200).body["data"].clone();
    let names: Vec<_> = seen.as_array().unwrap().iter().map(|workspace| workspace["name"].clone()).collect();
    assert_eq!(names, ["DACH", "Nordics"]);
    let log = acme.owner.get("/api/audit-events?action=invitation.accept").await.expect(200).body["data"][0].clone();
    assert_eq!(log["actor"], json!({ "type": "member", "id": me["member"]["id"] }));
    assert_eq!(log["subject"], json!({ "type": "invitation", "id": invitation }));
}

#[tokio::test]
async fn a_second_acceptance_an_old_link_and_another_person_are_each_told_their_own_sentence() {
    let (app, server, contract) = (App::start().await, server(), Contract::get());
    let acme = app.tenant("Acme").await;
    let id = acme.invitation(ADA, json!({})).await;
    deliver(&app, &server).await;
    let old = json!({ "token": token(&server.mail()) });
    acme.owner.post(&format!("/api/invitations/{id}/resend"), json!({})).await.expect(200);
    deliver(&app, &server).await;
    let new = json!({ "token": token(&server.mails()[1]) });
    let (ada, eve) = (person(&app, "ada", ADA), person(&app, "eve", "eve@example.com"));
    let unverified = token_of(&app, "ada", json!({ "email": ADA, "email_verified": false }));
    let silent = token_of(&app, "ada", json!({ "email": null }));
    let odd = token_of(&app, "ada", json!({ "email": "ada at example.com" }));
    let unwritable = token_of(&app, "ada", json!({ "email": "ada@-.example" }));
    let mut sentences = std::collections::BTreeSet::new();
    for (client, body, status, code) in [
        (&ada, &old, 409, "invitation_replaced"),
        (&eve, &new, 403, "forbidden"),
        (&unverified, &new, 403, "forbidden"),
        (&silent, &new, 403, "forbidden"),
        (&odd, &new, 403, "forbidden"),
        (&unwritable, &new, 403, "forbidden"),
        (&ada, &new, 201, ""),
        (&ada, &new, 409, "invitation_accepted"),
    ] {
        let answer = accept().send(client, "/api/invitations/accept", Some(body)).await.expect(status);
        contract.hold(&accept(), &answer);
        if status != 201 {
            assert_eq!(answer.body["code"], code);
            assert!(!answer.text.contains(ADA), "whom it is for is not said: {}", answer.text);
            sentences.insert(answer.text_of("error"));
        }
    }
    assert_eq!(sentences.len(), 6, "{sentences:?}");
    assert_eq!(app.database.rows("SELECT 1 FROM members"), 1);
}

#[tokio::test]
async fn who_was_invited_by_number_keeps_the_number_of_the_place() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    acme.workspace("DACH").await;
    let invited = json!({ "workspace_id": 1, "email": ADA });
    acme.owner.post("/api/workspace/invite-user", invited).await.expect(200);
    deliver(&app, &server).await;
    let ada = person(&app, "ada", ADA);
    ada.post("/api/invitations/accept", json!({ "token": token(&server.mail()) })).await.expect(201);
    let members = async || acme.owner.get("/api/workspace/get/1").await.expect(200).body["data"]["members"].clone();
    assert_eq!(members().await, json!([{ "id": 1, "email": ADA, "role": "agent", "pending": false }]));
    acme.owner.delete("/api/workspace/invite-delete/1").await.expect(200);
    assert_eq!(members().await, json!([]));
}
