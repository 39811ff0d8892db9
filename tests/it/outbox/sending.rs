//! From the request to the mailbox.

use serde_json::json;
use tenantry_domain::OutboxState;
use tenantry_operations::outbox::Report;
use tenantry_tests::App;

use super::{
    accept, behind_the_back, deliver, deliver_all, each_got_one, messages, server, the_message, token,
    wait_for_the_next_attempt,
};

#[tokio::test]
async fn an_invitation_arrives_once_and_its_link_makes_a_member() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    let before = chrono::Utc::now();
    acme.invitation("ada@example.com", json!({})).await;
    let message = the_message(&app, &acme).await;
    assert_eq!((message.state, message.attempts), (OutboxState::Pending, 0));
    assert_eq!(deliver(&app, &server).await, Report { sent: 1, ..Report::default() });
    assert!(deliver(&app, &server).await.is_empty());
    let mail = server.mail();
    assert_eq!(
        (mail.from.as_str(), mail.to.as_slice()),
        ("no-reply@service.example", &["ada@example.com".to_owned()][..])
    );
    assert_eq!(mail.headers("message-id"), [format!("<{}@service.example>", message.id)]);
    assert!(mail.text().contains("Sie sind zu Acme eingeladen. Ihre Rolle: Agent/in."), "{}", mail.text());
    let written = mail.parsed().date().unwrap().to_timestamp();
    assert!(written >= before.timestamp() && written <= chrono::Utc::now().timestamp());
    assert_eq!(the_message(&app, &acme).await.state, OutboxState::Sent);
    assert_eq!(app.database.rows("SELECT 1 FROM tenants WHERE mail_due_at IS NOT NULL"), 0);
    let (_, member) = accept(&app.store, "ada", "ada@example.com", &token(&mail)).await.unwrap();
    assert_eq!(member.details.email.as_str(), "ada@example.com");
}

#[tokio::test]
async fn while_nobody_takes_mail_requests_are_answered_and_afterwards_every_email_arrives_once() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    server.close().await;
    for n in 1..=12 {
        acme.invitation(&format!("p{n}@example.com"), json!({})).await;
        assert_eq!(deliver(&app, &server).await, Report { postponed: 1, ..Report::default() });
    }
    assert_eq!(
        messages(&app.database, "state = 'pending' AND attempts = 1 AND last_error LIKE 'no connection to %'"),
        12
    );
    assert!(deliver(&app, &server).await.is_empty(), "nobody is in a hurry");
    server.open();
    wait_for_the_next_attempt(&app);
    assert_eq!(deliver_all(&app.store, &server).await, 12);
    wait_for_the_next_attempt(&app);
    assert_eq!(deliver_all(&app.store, &server).await, 0);
    each_got_one(&server, 12);
}

#[tokio::test]
async fn what_was_not_committed_is_not_sent() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    let due = app.database.rows("SELECT 1 FROM tenants WHERE mail_due_at IS NOT NULL");
    behind_the_back(
        &app,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             RAISE EXCEPTION 'could not serialize access' USING ERRCODE = 'serialization_failure'; END $$;
         CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON outbox_messages
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()",
    );
    let body = json!({ "email": "ada@example.com", "role": "agent" });
    acme.owner.post("/api/invitations", body.clone()).await.expect(503);
    assert_eq!(messages(&app.database, "true"), 0);
    assert_eq!(app.database.rows("SELECT 1 FROM tenants WHERE mail_due_at IS NOT NULL"), due);
    assert!(deliver(&app, &server).await.is_empty());
    assert_eq!(server.mails(), []);
    behind_the_back(&app, "DROP TRIGGER refuse ON outbox_messages");
    acme.owner.post("/api/invitations", body).await.expect(201);
    assert_eq!(deliver(&app, &server).await.sent, 1);
}

#[tokio::test]
async fn a_suspended_tenant_s_mail_waits_for_its_return() {
    let (app, server) = (App::start().await, server());
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    acme.invitation("p1@example.com", json!({})).await;
    beta.invitation("p2@example.com", json!({})).await;
    for column in ["suspended_at", "deleted_at"] {
        behind_the_back(&app, &format!("UPDATE tenants SET {column} = now() WHERE id = '{}'", acme.id));
        deliver_all(&app.store, &server).await;
        assert_eq!(super::by_recipient(&server).keys().collect::<Vec<_>>(), ["p2@example.com"], "{column}");
        behind_the_back(&app, &format!("UPDATE tenants SET {column} = NULL WHERE id = '{}'", acme.id));
    }
    assert_eq!(deliver_all(&app.store, &server).await, 1);
    each_got_one(&server, 2);
}

#[tokio::test]
async fn what_nobody_can_accept_any_more_is_not_sent() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    let revoked = acme.invitation("p1@example.com", json!({})).await;
    acme.invitation("p2@example.com", json!({})).await;
    acme.invitation("p3@example.com", json!({})).await;
    acme.owner.delete(&format!("/api/invitations/{revoked}")).await.expect(204);
    behind_the_back(
        &app,
        "UPDATE invitations SET expires_at = now() - interval '1 second' WHERE email_key = 'p2@example.com';
         DELETE FROM invitations WHERE email_key = 'p3@example.com'",
    );
    assert_eq!(messages(&app.database, "state = 'dropped'"), 1);
    assert_eq!(deliver(&app, &server).await, Report { dropped: 2, ..Report::default() });
    assert_eq!((messages(&app.database, "state = 'dropped'"), server.mails().len()), (3, 0));
    assert_eq!(app.database.rows("SELECT 1 FROM invitation_tokens"), 0);
}

#[tokio::test]
async fn sending_changes_nothing_that_the_audit_log_tells() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    acme.invitation("ada@example.com", json!({})).await;
    let events = app.database.rows("SELECT 1 FROM audit_events");
    assert_eq!(deliver(&app, &server).await.sent, 1);
    assert_eq!(app.database.rows("SELECT 1 FROM audit_events"), events);
    assert_eq!(app.database.rows("SELECT 1 FROM tenants WHERE version <> 1"), 0, "nor what a tenant sees of itself");
}
