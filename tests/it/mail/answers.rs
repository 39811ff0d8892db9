//! What a server answers, or does not, and what is made of it.

use std::time::Duration;

use futures_util::future::join_all;
use tenantry_operations::mail::SmtpOptions;
use tenantry_tests::{SmtpServer, Turn};

use super::{email, later, mailer, never};

#[tokio::test]
async fn an_email_arrives_with_both_parts_from_its_sender_to_its_recipient() {
    let server = SmtpServer::start();
    let email = email();
    mailer(server.options()).send(&email).await.unwrap();
    let mail = server.mail();
    assert_eq!((mail.from.as_str(), mail.to), ("no-reply@acme.example", vec!["ada@example.com".to_owned()]));
    let mail = server.mail();
    assert_eq!(mail.headers("from"), ["\"Acme Support\" <no-reply@acme.example>"]);
    assert_eq!(mail.headers("to"), ["ada@example.com"]);
    assert_eq!(mail.headers("subject"), ["Good news"]);
    assert_eq!(mail.headers("date"), ["Tue, 20 Jan 2026 10:00:00 +0000"]);
    assert_eq!(mail.headers("message-id"), [format!("<{}@acme.example>", email.id)]);
    assert_eq!(mail.headers("mime-version"), ["1.0"]);
    assert_eq!(mail.headers("auto-submitted"), ["auto-generated"]);
    assert!(mail.headers("content-type")[0].starts_with("multipart/alternative;"));
    let parts: Vec<_> = mail.parsed().parts.iter().map(|part| part.contents().to_vec()).collect();
    assert_eq!(parts[1..], [b"Hello Ada".to_vec(), b"<p>Hello <b>Ada</b></p>".to_vec()], "the plain one first");
}

#[tokio::test]
async fn two_attempts_have_the_same_message_id_and_date() {
    let server = SmtpServer::start();
    server.next(Turn::AcceptAndVanish);
    let (mailer, email) = (mailer(server.options()), email());
    later(mailer.send(&email).await);
    mailer.send(&email).await.unwrap();
    let mails = server.mails();
    assert_eq!(mails.len(), 2);
    for name in ["message-id", "date"] {
        assert_eq!(mails[0].headers(name), mails[1].headers(name));
        assert_eq!(mails[0].headers(name).len(), 1);
    }
}

#[tokio::test]
async fn a_refused_connection_is_for_later_and_the_next_attempt_gets_through() {
    let server = SmtpServer::start();
    let mailer = mailer(server.options());
    server.close().await;
    let reason = later(mailer.send(&email()).await);
    assert!(reason.starts_with("no connection to localhost:") && reason.contains("refused"), "{reason}");
    server.open();
    mailer.send(&email()).await.unwrap();
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn an_unknown_host_is_for_later() {
    let server = SmtpServer::start();
    let options = SmtpOptions { host: "mail.invalid".to_owned(), ..server.options() };
    let reason = later(mailer(options).send(&email()).await);
    assert!(reason.starts_with("no connection to mail.invalid:"), "{reason}");
}

#[tokio::test]
async fn four_hundred_is_for_later_and_five_hundred_for_ever() {
    let server = SmtpServer::start();
    let mailer = mailer(server.options());
    let turns: [fn(String) -> Turn; 2] = [Turn::Recipient, Turn::Content];
    for (turn, what) in turns.into_iter().zip(["the recipient", "the email"]) {
        server.next(turn("450 4.2.0 greylisted, try again".to_owned()));
        let reason = later(mailer.send(&email()).await);
        assert_eq!(reason, format!("{what} was refused: 450 4.2.0 greylisted, try again"));
        server.next(turn("550 5.1.1 not here".to_owned()));
        let reason = never(mailer.send(&email()).await);
        assert_eq!(reason, format!("{what} was refused: 550 5.1.1 not here"));
    }
    assert_eq!(server.mails(), []);
}

#[tokio::test]
async fn what_is_no_fault_of_the_email_is_for_later_even_with_five_hundred() {
    let server = SmtpServer::start();
    let mailer = mailer(server.options());
    for (turn, words) in [
        (Turn::Greet("554 5.3.2 no service here".to_owned()), "554 5.3.2 no service here"),
        (Turn::Greet("421 4.3.2 too busy".to_owned()), "421 4.3.2 too busy"),
        (Turn::Greet("Hello?".to_owned()), "no connection to"),
        (Turn::Hello("504 5.5.2 need a fully qualified host name".to_owned()), "504 5.5.2 need a fully qualified"),
        (Turn::Sender("553 5.7.1 not your address".to_owned()), "the sender was refused: 553 5.7.1 not your address"),
        (Turn::Sender("530 5.7.0 who are you?".to_owned()), "530 5.7.0 who are you?"),
        (Turn::Recipient("530 5.7.0 who are you?".to_owned()), "530 5.7.0 who are you?"),
        (Turn::Recipient("nonsense".to_owned()), "the connection failed at the recipient"),
    ] {
        server.next(turn);
        let reason = later(mailer.send(&email()).await);
        assert!(reason.contains(words), "{words}: {reason}");
    }
    assert_eq!(server.mails(), []);
}

#[tokio::test]
async fn a_server_that_vanishes_after_the_email_is_for_later_whether_or_not_it_kept_it() {
    let server = SmtpServer::start();
    let mailer = mailer(server.options());
    for turn in [Turn::Vanish, Turn::AcceptAndVanish] {
        server.next(turn);
        let reason = later(mailer.send(&email()).await);
        assert!(reason.starts_with("the connection failed at the email"), "{reason}");
    }
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn an_answer_that_comes_byte_by_byte_is_understood() {
    let server = SmtpServer::start();
    server.next(Turn::Trickle);
    mailer(server.options()).send(&email()).await.unwrap();
    server.mail();
}

#[tokio::test]
async fn a_server_that_never_gets_to_the_point_costs_no_more_than_the_time_out() {
    let server = SmtpServer::start();
    let mailer = mailer(SmtpOptions { timeout: Duration::from_millis(300), ..server.options() });
    for turn in [Turn::Stall, Turn::Creep] {
        server.next(turn);
        let reason = later(mailer.send(&email()).await);
        assert!(reason.ends_with("did not accept the email within 300ms"), "{reason}");
    }
    assert_eq!(server.ended(2).await.len(), 2, "nothing is left of a conversation that was given up");
}

#[tokio::test]
async fn an_email_that_was_taken_is_sent_although_the_server_does_not_say_good_bye() {
    let server = SmtpServer::start();
    server.next(Turn::AcceptAndStall);
    mailer(SmtpOptions { timeout: Duration::from_secs(20), ..server.options() }).send(&email()).await.unwrap();
    server.mail();
}

#[tokio::test]
async fn a_reason_is_one_short_line_whatever_the_server_says() {
    let server = SmtpServer::start();
    let words = format!("550 5.1.1 \u{1b}[31mred\u{202E}\u{2028}\0{}", "x".repeat(400));
    server.next(Turn::Recipient(words));
    let reason = never(mailer(server.options()).send(&email()).await);
    assert!(reason.contains("\\u{1b}[31mred\\u{202e}\\u{2028}\\u{0}xxx"), "{reason}");
    assert!(reason.chars().count() < 400 && reason.ends_with('…'), "{reason}");
    server.next(Turn::Recipient("550-5.1.1 one\r\n550 5.1.1 two".to_owned()));
    let reason = never(mailer(server.options()).send(&email()).await);
    assert!(reason.contains("one") && reason.contains("two") && !reason.contains(['\r', '\n']), "{reason:?}");
}

#[tokio::test]
async fn emails_that_are_sent_at_once_arrive_once_each() {
    let server = SmtpServer::start();
    let mailer = mailer(server.options());
    let emails: Vec<_> = (0..20).map(|_| email()).collect();
    let sent = join_all(emails.iter().cloned().map(|email| {
        let mailer = mailer.clone();
        tokio::spawn(async move { mailer.send(&email).await })
    }));
    assert!(sent.await.into_iter().all(|outcome| outcome.unwrap().is_ok()));
    let mut arrived: Vec<_> = server.mails().iter().flat_map(|mail| mail.headers("message-id")).collect();
    arrived.sort();
    let expected: Vec<_> = emails.iter().map(|email| format!("<{}@acme.example>", email.id)).collect();
    assert_eq!(arrived, expected);
}
