//! Letters that the service sends while it runs, and what operators see and do about them.

use std::{fs, os::unix::fs::PermissionsExt};

use diesel::connection::SimpleConnection;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tenantry_tests::{App, Client, Encryption, Presented, SmtpServer, TestDatabase, Turn};

use super::kit::Tenantry;

/// Makes a tenant with the program; returns its id and its owner's key.
fn tenant(tenantry: &Tenantry) -> (String, String) {
    let made = tenantry.json(&["tenant", "create", "--name", "Acme", "--country", "DE"]);
    (made["tenant"]["id"].as_str().unwrap().to_owned(), made["apiKey"].as_str().unwrap().to_owned())
}

async fn invite(owner: &Client, email: &str) {
    owner.post("/api/invitations", json!({ "email": email, "role": "agent" })).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_service_sends_invitations_and_says_so_without_address_or_token() {
    let (database, server) = (TestDatabase::new(), SmtpServer::for_user("acme", "s3cret"));
    let tenantry = Tenantry::on(&database)
        .sending_to(&server)
        .with("TENANTRY_SMTP_USERNAME", "acme")
        .with("TENANTRY_SMTP_PASSWORD_FILE", "password")
        .with("TENANTRY_LOG_LEVEL", "trace");
    fs::write(tenantry.path("password"), "s3cret\n").unwrap();
    let (id, key) = tenant(&tenantry);
    let mut service = tenantry.serve();
    invite(&service.client().with_key(&key), "ada.lovelace@example.com").await;
    let line: Value = serde_json::from_str(&service.until_logged("sent an email")).unwrap();
    assert_eq!((line["level"].as_str(), line["tenant"].as_str()), (Some("INFO"), Some(id.as_str())));
    let mail = server.mail();
    assert_eq!(mail.headers("message-id"), [format!("<{}@acme.example>", line["message"].as_str().unwrap())]);
    let text = mail.text();
    let token = text.split_once("https://app.example.com/join#").unwrap().1.lines().next().unwrap();
    assert!(token.starts_with("tnt_inv_v1_") && token.len() == 71, "{text}");
    service.signal(Signal::SIGTERM);
    let (code, log) = service.wait();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("\"level\":\"TRACE\""), "{log}");
    for secret in ["s3cret", &token[33..45], "ada.lovelace"] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
    let listed = tenantry.json(&["outbox", "list"]);
    assert_eq!((listed[0]["state"].as_str(), listed[0]["tenantId"].as_str()), (Some("sent"), Some(id.as_str())));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nobody_takes_mail_it_serves_and_a_letter_that_was_given_up_is_sent_when_an_operator_says_so() {
    let (database, server) = (TestDatabase::new(), SmtpServer::with(Encryption::Nothing, Presented::Own));
    let tenantry = Tenantry::on(&database).sending_to(&server);
    let (id, key) = tenant(&tenantry);
    let mut service = tenantry.serve();
    let owner = service.client().with_key(&key);
    server.close().await;
    invite(&owner, "ada@example.com").await;
    let line = service.until_logged("could not send an email; will try again");
    assert!(line.contains("no connection to localhost:") && !line.contains("ada@"), "{line}");
    owner.get("/api/me").await.expect(200);
    behind_the_back(&database, "UPDATE outbox_messages SET next_attempt_at = now() + interval '1 hour'");
    server.next(Turn::Recipient("550 5.1.1 <bob@example.com> is not here".to_owned())).open();
    invite(&owner, "bob@example.com").await;
    let line = service.until_logged("gave up on an email");
    assert!(line.contains("550 5.1.1 ***") && !line.contains("bob@"), "{line}");
    let dead = tenantry.json(&["outbox", "list", "--tenant", &id, "--state", "dead"]);
    assert_eq!(dead.as_array().unwrap().len(), 1, "{dead}");
    assert!(dead[0]["lastError"].as_str().unwrap().contains("<bob@example.com> is not here"), "{dead}");
    let retried = tenantry.json(&["outbox", "retry", "--all-dead"]);
    assert_eq!((&retried[0]["id"], retried[0]["state"].as_str()), (&dead[0]["id"], Some("pending")));
    service.until_logged("sent an email");
    let waiting = tenantry.json(&["outbox", "list", "--state", "pending"]);
    tenantry.run(&["outbox", "retry", "--tenant", &id, waiting[0]["id"].as_str().unwrap()]).expect(0);
    service.until_logged("sent an email");
    let to: Vec<_> = server.mails().iter().map(|mail| mail.to[0].clone()).collect();
    assert_eq!(to, ["bob@example.com", "ada@example.com"]);
    service.signal(Signal::SIGTERM);
    assert_eq!(service.wait().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_is_under_way_is_finished_before_the_service_ends() {
    let (database, server) = (TestDatabase::new(), SmtpServer::with(Encryption::Nothing, Presented::Own));
    let tenantry = Tenantry::on(&database).sending_to(&server).with("TENANTRY_STATEMENT_TIMEOUT", "4m");
    let (_, key) = tenant(&tenantry);
    let mut service = tenantry.serve();
    // It is kept from writing down that the letter was sent.
    let mut holder = database.admin();
    holder
        .batch_execute(
            "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 PERFORM pg_advisory_xact_lock(7); RETURN NEW; END $$;
             CREATE TRIGGER hold BEFORE UPDATE ON outbox_messages
                 FOR EACH ROW WHEN (NEW.state = 'sent') EXECUTE FUNCTION hold();
             SELECT pg_advisory_lock(7)",
        )
        .unwrap();
    invite(&service.client().with_key(&key), "ada@example.com").await;
    let waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
                   AND usename = 'tenantry_service' AND wait_event_type = 'Lock'";
    while database.rows(waiting) == 0 {
        tokio::task::yield_now().await;
    }
    service.signal(Signal::SIGTERM);
    service.until_logged("stopping");
    holder.batch_execute("SELECT pg_advisory_unlock(7)").unwrap();
    let (code, log) = service.wait();
    assert_eq!(code, Some(0), "{log}");
    server.mail();
    assert_eq!(database.rows("SELECT 1 FROM outbox_messages WHERE state = 'sent'"), 1, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_mail_server_emails_are_saved_as_files_that_only_their_owner_can_read() {
    let database = TestDatabase::new();
    let tenantry = Tenantry::on(&database).with("TENANTRY_MAIL_POLL", "1h");
    let (_, key) = tenant(&tenantry);
    let mut service = tenantry.serve();
    service.until_logged("emails are saved as files");
    invite(&service.client().with_key(&key), "ada@example.com").await;
    let line: Value = serde_json::from_str(&service.until_logged("sent an email")).unwrap();
    let file = tenantry.path("data/mail").join(format!("{}.eml", line["message"].as_str().unwrap()));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let letter = fs::read_to_string(&file).unwrap().replace("=\r\n", "");
    let link = format!("http://localhost:{}/accept#tnt_inv_v1_", service.base.rsplit_once(':').unwrap().1);
    assert!(letter.contains(&link), "{letter}");
    service.signal(Signal::SIGTERM);
    assert_eq!(service.wait().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_without_workers_leaves_the_emails_to_others() {
    let (database, server) = (TestDatabase::new(), SmtpServer::with(Encryption::Nothing, Presented::Own));
    let idle = Tenantry::on(&database).sending_to(&server).with("TENANTRY_MAIL_WORKERS", "0");
    let (_, key) = tenant(&idle);
    let service = idle.serve();
    invite(&service.client().with_key(&key), "ada@example.com").await;
    service.signal(Signal::SIGTERM);
    let (_, log) = service.wait();
    assert!(!log.contains("email"), "{log}");
    assert_eq!(database.rows("SELECT 1 FROM outbox_messages WHERE attempts = 0"), 1);
    let mut other = Tenantry::on(&database).sending_to(&server).serve();
    other.until_logged("sent an email");
    server.mail();
    other.signal(Signal::SIGTERM);
    assert_eq!(other.wait().0, Some(0));
}

#[tokio::test]
async fn the_outbox_is_listed_for_people_and_what_is_not_there_is_told_apart() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    acme.invitation("ada@example.com", json!({})).await;
    beta.invitation("bob@example.com", json!({})).await;
    let tenantry = Tenantry::on(&app.database);
    let (acme_id, beta_id) = (acme.id.to_string(), beta.id.to_string());
    let text = tenantry.run(&["outbox", "list"]).expect(0).out;
    assert!(text.starts_with("MESSAGE") && text.contains("invitation") && text.contains("pending"), "{text}");
    assert!(text.contains(&acme_id) && text.contains(&beta_id), "{text}");
    let of_acme = tenantry.json(&["outbox", "list", "--tenant", &acme_id, "--state", "pending"]);
    assert_eq!(of_acme.as_array().unwrap().len(), 1, "{of_acme}");
    assert_eq!(tenantry.json(&["outbox", "list", "--state", "dead"]), json!([]));
    assert_eq!(tenantry.json(&["outbox", "retry", "--all-dead"]), json!([]));
    let message = of_acme[0]["id"].as_str().unwrap();
    let (unused, code) = (uuid::Uuid::now_v7().to_string(), |arguments: &[&str]| tenantry.run(arguments).code);
    assert_eq!(code(&["outbox", "list", "--tenant", &unused]), 3);
    assert_eq!(code(&["outbox", "list", "--tenant", "Nobody"]), 3);
    assert_eq!(code(&["outbox", "list", "--state", "lost"]), 2);
    assert_eq!(code(&["outbox", "retry"]), 2);
    assert_eq!(code(&["outbox", "retry", message]), 2, "whose?");
    assert_eq!(code(&["outbox", "retry", "--tenant", &acme_id]), 2);
    assert_eq!(code(&["outbox", "retry", "--tenant", &acme_id, "--all-dead", message]), 2);
    assert_eq!(code(&["outbox", "retry", "--tenant", &acme_id, "ada@example.com"]), 2);
    assert_eq!(code(&["outbox", "retry", "--tenant", &acme_id, &unused]), 3);
    assert_eq!(code(&["outbox", "retry", "--tenant", &beta_id, message]), 3, "another tenant's");
    assert_eq!(code(&["outbox", "retry", "--tenant", &acme_id, message]), 0);
    let by_ada =
        "SELECT 1 FROM audit_events WHERE action = 'outbox.retry' AND actor_type = 'operator' AND actor_id = 'ada'";
    assert_eq!(app.database.rows(by_ada), 0, "it was as it was asked to be");
    behind_the_back(&app.database, "UPDATE outbox_messages SET state = 'sent'");
    assert_eq!(code(&["outbox", "retry", "--tenant", &acme_id, message]), 4);
}

fn behind_the_back(database: &TestDatabase, sql: &str) {
    database.admin().batch_execute(sql).unwrap();
}

#[test]
fn mail_settings_that_do_not_fit_together_are_refused_together_and_no_password_is_shown() {
    let tenantry = Tenantry::at("postgres://tenantry_service@db/tenantry")
        .with("TENANTRY_SMTP_HOST", "mail.example.com")
        .with("TENANTRY_SMTP_USERNAME", "acme")
        .with("TENANTRY_SMTP_PASSWORD", "s3cret")
        .with("TENANTRY_SMTP_SECURITY", "plain")
        .with("TENANTRY_MAIL_WORKERS", "many");
    let refused = tenantry.run(&["serve"]).expect(6);
    for named in ["MAIL_FROM:", "INVITATION_LINK:", "SMTP_SECURITY: is plain", "MAIL_WORKERS:"] {
        assert!(refused.err.contains(named), "{named}: {}", refused.err);
    }
    let tenantry = Tenantry::at("postgres://tenantry_service@db/tenantry")
        .with("TENANTRY_SMTP_HOST", "mail.example.com")
        .with("TENANTRY_SMTP_USERNAME", "acme")
        .with("TENANTRY_SMTP_PASSWORD", "s3cret")
        .with("TENANTRY_MAIL_FROM", "no-reply@acme.example")
        .with("TENANTRY_INVITATION_LINK", "https://app.example.com/join#{token}");
    let shown = tenantry.run(&["config"]).expect(0).out;
    assert!(shown.contains("TENANTRY_SMTP_PASSWORD") && shown.contains("***"), "{shown}");
    assert!(![refused.err, refused.out].concat().contains("s3cret") && !shown.contains("s3cret"));
    let no_certificates = tenantry.with("TENANTRY_SMTP_CA_FILE", "nowhere.pem").run(&["serve"]).expect(6);
    assert!(no_certificates.err.contains("nowhere.pem cannot be read"), "{}", no_certificates.err);
}
