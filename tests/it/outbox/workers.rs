//! Several workers on one outbox, and workers that die.

use diesel::connection::SimpleConnection;
use futures_util::future::join_all;
use serde_json::json;
use tenantry_operations::outbox::{Report, deliver_due};
use tenantry_tests::{App, Turn};

use super::{
    accept, behind_the_back, deliver, deliver_all, each_got_one, hold, let_go, messages, patient, sender, server,
    token, until_waiting, wait_for_the_next_attempt,
};

#[tokio::test]
async fn any_number_of_workers_sends_each_email_once() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    let (acme_ref, store) = (&acme, App::store(&app.database.service_url(), |_| {}));
    join_all((1..=50).map(|n| async move { acme_ref.invitation(&format!("p{n}@example.com"), json!({})).await })).await;
    let workers = [&app.store, &store, &app.store, &store].map(|store| deliver_all(store, &server));
    let sent = join_all(workers).await;
    assert_eq!(sent.iter().sum::<usize>(), 50, "{sent:?}");
    each_got_one(&server, 50);
    assert_eq!(messages(&app.database, "state = 'sent' AND attempts = 1"), 50);
    assert_eq!(app.database.rows("SELECT 1 FROM tenants WHERE mail_due_at IS NOT NULL"), 0);
}

#[tokio::test]
async fn what_comes_in_while_others_finish_is_never_forgotten() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    let (app, acme, server) = (&app, &acme, &server);
    let inviting = join_all((1..=40).map(|n| async move {
        acme.invitation(&format!("p{n}@example.com"), json!({})).await;
        deliver(app, server).await
    }));
    let sent: usize = inviting.await.iter().map(|report| report.sent).sum();
    // No time is moved here: what is left says by itself that it is due.
    assert_eq!(sent + deliver_all(&app.store, server).await, 40);
    each_got_one(server, 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_committed_while_a_worker_finds_nothing_left_is_not_forgotten() {
    let (app, server) = (patient().await, server());
    let acme = app.tenant("Acme").await;
    acme.invitation("p1@example.com", json!({})).await;
    assert_eq!(deliver(&app, &server).await.sent, 1);
    behind_the_back(&app, "UPDATE tenants SET mail_due_at = now()");
    let mut inviting = app.database.admin();
    inviting
        .batch_execute(
            "BEGIN;
             UPDATE outbox_messages SET state = 'pending', next_attempt_at = now();
             UPDATE tenants SET mail_due_at = least(mail_due_at, now())",
        )
        .unwrap();
    let (store, sender) = (app.store.clone(), sender(&server));
    let worker = tokio::spawn(async move { deliver_due(&store, &sender, || true).await.unwrap() });
    until_waiting(&app, 1).await;
    inviting.batch_execute("COMMIT").unwrap();
    let sent = worker.await.unwrap().sent;
    assert_eq!(sent + deliver(&app, &server).await.sent, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_before_it_sends_is_given_up_after_two_minutes() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    acme.invitation("p1@example.com", json!({})).await;
    server.next(Turn::Stall);
    let (store, dying) = (app.store.clone(), sender(&server));
    let worker = tokio::spawn(async move { deliver_due(&store, &dying, || true).await });
    server.begun(1).await;
    worker.abort();
    assert!(worker.await.unwrap_err().is_cancelled());
    assert!(deliver(&app, &server).await.is_empty(), "it still belongs to the dead");
    assert_eq!(messages(&app.database, "next_attempt_at = updated_at + interval '2 minutes'"), 1);
    let due = "SELECT 1 FROM tenants JOIN outbox_messages ON tenant_id = tenants.id AND next_attempt_at = mail_due_at";
    assert_eq!(app.database.rows(due), 1, "somebody will come back for it");
    wait_for_the_next_attempt(&app);
    assert_eq!(deliver_all(&app.store, &server).await, 1);
    each_got_one(&server, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_after_it_has_sent_leaves_an_email_that_comes_twice_and_can_be_told() {
    let (app, server) = (patient().await, server());
    let acme = app.tenant("Acme").await;
    acme.invitation("ada@example.com", json!({})).await;
    // It dies while it writes down that it has sent the email.
    let holder = hold(&app, "BEFORE UPDATE ON outbox_messages FOR EACH ROW WHEN (NEW.state = 'sent')");
    let (store, dying) = (app.store.clone(), sender(&server));
    let worker = tokio::spawn(async move { deliver_due(&store, &dying, || true).await });
    until_waiting(&app, 1).await;
    assert_eq!(server.mails().len(), 1, "it was taken over");
    worker.abort();
    behind_the_back(
        &app,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND usename = 'tenantry_service'",
    );
    let_go(holder);
    assert_eq!(messages(&app.database, "state = 'pending' AND attempts = 1"), 1);
    wait_for_the_next_attempt(&app);
    assert_eq!(deliver(&app, &server).await, Report { sent: 1, ..Report::default() });
    assert!(deliver(&app, &server).await.is_empty());
    let mails = server.mails();
    assert_eq!(mails.len(), 2);
    for name in ["message-id", "date", "from", "to", "subject"] {
        assert_eq!(mails[0].headers(name), mails[1].headers(name), "{name}");
    }
    // The recipient may open either, and one of them once.
    let tokens = [token(&mails[0]), token(&mails[1])];
    assert_ne!(tokens[0], tokens[1]);
    accept(&app.store, "ada", "ada@example.com", &tokens[0]).await.unwrap();
    for token in &tokens {
        let again = accept(&app.store, "ada", "ada@example.com", token).await;
        assert_eq!(super::conflict(again), "invitation_accepted");
    }
}

#[tokio::test]
async fn a_lost_answer_is_an_email_that_may_come_twice_and_the_second_link_is_good_as_well() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    acme.invitation("ada@example.com", json!({})).await;
    server.next(Turn::AcceptAndVanish);
    assert_eq!(deliver(&app, &server).await.postponed, 1);
    wait_for_the_next_attempt(&app);
    assert_eq!(deliver(&app, &server).await.sent, 1);
    let mails = server.mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0].headers("message-id"), mails[1].headers("message-id"));
    accept(&app.store, "ada", "ada@example.com", &token(&mails[1])).await.unwrap();
}

#[tokio::test]
async fn an_email_that_was_sent_while_the_database_is_busy_is_sent_once() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    acme.invitation("p1@example.com", json!({})).await;
    app.database.refuse(3, "BEFORE UPDATE ON outbox_messages FOR EACH ROW WHEN (NEW.state = 'sent')");
    assert_eq!(deliver(&app, &server).await.sent, 1);
    assert_eq!(app.database.tries(), 4, "the fourth time it is taken");
    wait_for_the_next_attempt(&app);
    assert!(deliver(&app, &server).await.is_empty());
    each_got_one(&server, 1);
}

#[tokio::test]
async fn a_worker_that_is_asked_to_stop_begins_no_other_email() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    for n in 1..=3 {
        acme.invitation(&format!("p{n}@example.com"), json!({})).await;
    }
    let asked = || server.mails().is_empty();
    let report = deliver_due(&app.store, &sender(&server), asked).await.unwrap();
    assert_eq!(report, Report { sent: 1, ..Report::default() });
    assert_eq!(deliver_all(&app.store, &server).await, 2);
    each_got_one(&server, 3);
}
