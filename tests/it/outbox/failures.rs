//! Servers that refuse: for now, or for good.

use serde_json::json;
use tenantry_domain::{ATTEMPTS, Error, OutboxState};
use tenantry_operations::outbox::{self, Report};
use tenantry_tests::{App, SmtpServer, Turn};

use super::{
    conflict, deliver, deliver_all, each_got_one, listed, messages, sender, server, the_message,
    wait_for_the_next_attempt,
};

#[tokio::test]
async fn a_refusal_for_good_is_not_repeated_but_by_somebody() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    acme.invitation("p1@example.com", json!({})).await;
    server.next(Turn::Recipient("550 5.1.1 <p1@example.com> is not here".to_owned()));
    assert_eq!(deliver(&app, &server).await, Report { dead: 1, ..Report::default() });
    assert!(deliver(&app, &server).await.is_empty());
    assert_eq!(app.database.rows("SELECT 1 FROM tenants WHERE mail_due_at IS NOT NULL"), 0);
    assert_eq!(server.mails(), []);
    let dead = listed(&app, &acme, Some(OutboxState::Dead)).await;
    assert_eq!((dead.len(), dead[0].attempts), (1, 1));
    let reason = dead[0].last_error.as_deref().unwrap();
    assert!(reason.contains("the recipient was refused: 550 5.1.1 <p1@example.com> is not here"), "{reason}");
    let retried = outbox::retry(&app.store, &acme.operator(), dead[0].id).await.unwrap();
    assert_eq!((retried.state, retried.attempts), (OutboxState::Pending, 0));
    assert_eq!(deliver(&app, &server).await, Report { sent: 1, ..Report::default() });
    each_got_one(&server, 1);
    let event = format!(
        "SELECT 1 FROM audit_events WHERE tenant_id = '{}' AND action = 'outbox.retry' AND actor_type = 'operator'
         AND subject_type = 'outbox_message' AND subject_id = '{}'
         AND changes->'state' = '{{\"before\": \"dead\", \"after\": \"pending\"}}'",
        acme.id, dead[0].id
    );
    assert_eq!(app.database.rows(&event), 1);
}

#[tokio::test]
async fn a_refusal_for_now_is_repeated_after_longer_and_longer_pauses_and_in_the_end_given_up() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    acme.invitation("p1@example.com", json!({})).await;
    let mut longest = 15_i64;
    for attempt in 1..ATTEMPTS {
        server.next(Turn::Recipient("450 4.2.0 greylisted".to_owned()));
        assert_eq!(deliver(&app, &server).await, Report { postponed: 1, ..Report::default() }, "{attempt}");
        assert!(deliver(&app, &server).await.is_empty(), "{attempt}: not before the pause is over");
        let waits = format!(
            "state = 'pending' AND attempts = {attempt} AND last_error LIKE '%450 4.2.0 greylisted%'
             AND next_attempt_at - updated_at BETWEEN interval '{} milliseconds' AND interval '{longest} seconds'",
            longest * 500
        );
        assert_eq!(messages(&app.database, &waits), 1, "{attempt}: {:?}", the_message(&app, &acme).await);
        let due =
            "SELECT 1 FROM tenants JOIN outbox_messages ON tenant_id = tenants.id AND next_attempt_at = mail_due_at";
        assert_eq!(app.database.rows(due), 1, "{attempt}");
        longest = (longest * 2).min(6 * 60 * 60);
        wait_for_the_next_attempt(&app);
    }
    server.next(Turn::Recipient("450 4.2.0 greylisted".to_owned()));
    assert_eq!(deliver(&app, &server).await, Report { dead: 1, ..Report::default() });
    wait_for_the_next_attempt(&app);
    assert!(deliver(&app, &server).await.is_empty());
    let dead = the_message(&app, &acme).await;
    assert_eq!((dead.state, dead.attempts, server.mails().len()), (OutboxState::Dead, ATTEMPTS, 0));
    outbox::retry(&app.store, &acme.operator(), dead.id).await.unwrap();
    assert_eq!(deliver(&app, &server).await.sent, 1);
}

#[tokio::test]
async fn pauses_differ_so_that_what_failed_together_is_not_tried_together() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    server.close().await;
    for n in 1..=12 {
        acme.invitation(&format!("p{n}@example.com"), json!({})).await;
    }
    assert_eq!(deliver(&app, &server).await.postponed, 12);
    let pauses = "SELECT DISTINCT next_attempt_at - updated_at FROM outbox_messages";
    assert!(app.database.rows(pauses) > 1);
}

#[tokio::test]
async fn a_server_without_encryption_gets_nothing_when_encryption_was_asked_for() {
    let (app, honest, stripped) = (App::start().await, SmtpServer::start(), server());
    let acme = app.tenant("Acme").await;
    acme.invitation("p1@example.com", json!({})).await;
    // The same host and the same port as far as the settings go, with somebody on the way who takes the offer out.
    let mut options = honest.options();
    options.port = stripped.options().port;
    let mailer =
        tenantry_operations::mail::Mailer::new(&tenantry_operations::mail::MailOptions::Smtp(options)).unwrap();
    let on_the_way = outbox::Sender { mailer, ..sender(&honest) };
    let report = outbox::deliver_due(&app.store, &on_the_way, || true).await.unwrap();
    assert_eq!(report, Report { postponed: 1, ..Report::default() });
    assert_eq!(stripped.mails(), []);
    wait_for_the_next_attempt(&app);
    assert_eq!(deliver(&app, &honest).await.sent, 1);
}

#[tokio::test]
async fn what_was_sent_or_dropped_is_not_tried_again_and_a_tenant_s_messages_are_its_own() {
    let (app, server) = (App::start().await, server());
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let id = acme.invitation("p1@example.com", json!({})).await;
    assert_eq!(deliver(&app, &server).await.sent, 1);
    let sent = the_message(&app, &acme).await;
    let again = outbox::retry(&app.store, &acme.operator(), sent.id).await;
    assert_eq!(conflict(again), "message_sent");
    let foreign = outbox::retry(&app.store, &beta.operator(), sent.id).await;
    assert!(matches!(foreign, Err(Error::NotFound(_))), "{foreign:?}");
    assert_eq!(listed(&app, &beta, None).await, []);
    acme.owner.post(&format!("/api/invitations/{id}/resend"), json!({})).await.expect(200);
    acme.owner.delete(&format!("/api/invitations/{id}")).await.expect(204);
    let dropped = listed(&app, &acme, Some(OutboxState::Dropped)).await.remove(0);
    let again = outbox::retry(&app.store, &acme.operator(), dropped.id).await;
    assert_eq!(conflict(again), "message_dropped");
    assert!(deliver(&app, &server).await.is_empty());
}

#[tokio::test]
async fn all_that_is_dead_is_tried_again_together_and_what_waits_can_be_hurried() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    let mut anew = String::new();
    for n in 1..=3 {
        anew = acme.invitation(&format!("p{n}@example.com"), json!({})).await;
        server.next(Turn::Content("554 5.7.1 no".to_owned()));
        assert_eq!(deliver(&app, &server).await.dead, 1);
    }
    // What is sent anew is not what was given up.
    acme.owner.post(&format!("/api/invitations/{anew}/resend"), json!({})).await.expect(200);
    let retried = outbox::retry_dead(&app.store, &acme.operator()).await.unwrap();
    assert_eq!(retried.len(), 2);
    assert_eq!(outbox::retry_dead(&app.store, &acme.operator()).await.unwrap(), []);
    server.close().await;
    assert_eq!(deliver(&app, &server).await, Report { postponed: 3, ..Report::default() });
    server.open();
    assert!(deliver(&app, &server).await.is_empty());
    for message in listed(&app, &acme, Some(OutboxState::Pending)).await {
        outbox::retry(&app.store, &acme.operator(), message.id).await.unwrap();
    }
    assert_eq!(deliver_all(&app.store, &server).await, 3);
    each_got_one(&server, 3);
}
