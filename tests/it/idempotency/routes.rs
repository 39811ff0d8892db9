//! Every `POST` that the document has.

use diesel::{RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Bytea};
use serde_json::{Value, json};
use tenantry_domain::{Action, Role};
use tenantry_tests::{App, Client, Operation, People, Rows, Target, Tenant, difference};

use super::{assert_replayed, post};

/// Who calls the operation, and with which path and body.
async fn call(app: &App, acme: &Tenant, operation: &Operation) -> (Client, String, Option<Value>) {
    if operation.is_of_the_platform() {
        let path = match operation.has_id() {
            true => app.admin_target(operation).await.1,
            false => operation.path.clone(),
        };
        return (app.platform(), path, operation.body());
    }
    if operation.action() == Some(Action::InvitationAccept) {
        let subject = tenantry_tests::new_name("invitee");
        let id = acme.invitation(&People::email(&subject), json!({})).await;
        let token = tenantry_auth::issue_invitation(acme.id).unwrap();
        let sql = format!("INSERT INTO invitation_tokens VALUES ('{}', $1, '{id}')", acme.id);
        sql_query(sql).bind::<Bytea, _>(token.hash().as_bytes()).execute(&mut app.database.admin()).unwrap();
        let person = app.client().with_key(&app.people.token(&subject, None, json!({})));
        return (person, operation.path.clone(), Some(json!({ "token": token.reveal() })));
    }
    let mut target = Target::of(acme).await;
    let caller = if operation.needs_a_person() { acme.member(Role::Owner, &[]).await.1 } else { acme.owner.clone() };
    let path = target.path(operation).await;
    (caller, path, target.body(operation).await)
}

#[tokio::test]
async fn every_post_that_is_sent_twice_has_one_effect_and_one_answer() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let mut rows = Rows::of(&app.database);
    let operations: Vec<_> = Operation::all().into_iter().filter(|one| one.method == "POST").collect();
    assert!(operations.len() >= 19, "{operations:?}");
    for operation in operations {
        let (client, path, body) = call(&app, &acme, &operation).await;
        let key = format!("\"{operation}\"");
        let send = async |body: Option<String>| {
            let request = client.request("POST", &path).header("Idempotency-Key", &key);
            let request = match body {
                Some(body) => request.header("Content-Type", "application/json").body(body),
                None => request,
            };
            client.send(request).await
        };
        let text = body.map(|body| body.to_string());
        let asked = app.providers.requests().len();
        let first = send(text.clone()).await;
        assert!((200..300).contains(&first.status), "{operation}: {}", first.text);
        let (before, asked_once) = (rows.all(), app.providers.requests().len());
        assert!(asked_once - asked <= 1);
        let second = send(text.clone()).await;
        if operation.action() == Some(Action::OwnershipTransfer) {
            // Who has given the tenant away may not ask any more.
            second.expect(403);
            continue;
        }
        assert_replayed(&first, &second);
        if let Some(text) = text {
            // The same value in other bytes is another request.
            let other = send(Some(format!("{text} "))).await.expect(422);
            if !operation.is_of_the_dialect() {
                assert_eq!(other.body["code"], "idempotency_key_reused", "{operation}");
            }
        }
        let changed = difference(&before, &rows.all());
        assert_eq!(changed, Vec::<String>::new(), "{operation}");
        assert_eq!(app.providers.requests().len(), asked_once, "{operation}");
        let bad = client.request("POST", &path).header("Idempotency-Key", "\"");
        client.send(bad).await.expect(400);
    }
}

#[tokio::test]
async fn a_removed_member_is_not_told_what_their_acceptance_was_answered() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let operation = Operation { path: "/api/invitations/accept".to_owned(), method: "POST".to_owned() };
    let (person, path, body) = call(&app, &acme, &operation).await;
    let body = body.unwrap();
    let first = post(&person, &path, "accept-once", &body).await.expect(201);
    assert_replayed(&first, &post(&person, &path, "accept-once", &body).await);
    app.database.admin().batch_execute("UPDATE members SET status = 'suspended'").unwrap();
    let refused = post(&person, &path, "accept-once", &body).await.expect(409);
    assert_eq!(refused.body["code"], "invitation_accepted");
}

#[tokio::test]
async fn one_address_of_a_batch_that_is_refused_takes_nothing_from_the_others() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let body =
        json!({ "emails": ["ada@example.com", "no address", "ada@example.com", "eve@example.com"], "role": "agent" });
    let first = post(&acme.owner, "/api/invitations/batch", "batch", &body).await.expect(200);
    let statuses = first.body["data"].as_array().unwrap().iter().map(|result| result["status"].as_i64().unwrap());
    assert_eq!(statuses.collect::<Vec<_>>(), [201, 422, 409, 201]);
    assert_replayed(&first, &post(&acme.owner, "/api/invitations/batch", "batch", &body).await);
    assert_eq!(app.database.rows("SELECT 1 FROM invitations"), 2);
    assert_eq!(app.database.rows("SELECT 1 FROM outbox_messages"), 2);
    assert_eq!(app.database.rows("SELECT 1 FROM audit_events WHERE action = 'invitation.create'"), 2);
}
