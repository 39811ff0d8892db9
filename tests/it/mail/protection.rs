//! Nothing is said to a server whose identity is not certain, or over a connection that somebody can read.

use tenantry_operations::mail::{MailOptions, Mailer, Security, SmtpOptions};
use tenantry_tests::{Encryption, Presented, SmtpServer, Turn};

use super::{email, later, mailer};

/// What may be said before a connection is encrypted.
fn only_asks_for_encryption(commands: &[&str]) -> bool {
    commands.iter().all(|command| command.starts_with("EHLO ") || ["STARTTLS", "QUIT"].contains(command))
}

#[tokio::test]
async fn with_starttls_nothing_but_the_request_for_it_is_in_the_clear() {
    let server = SmtpServer::start();
    mailer(server.options()).send(&email()).await.unwrap();
    let conversation = server.ended(1).await.remove(0);
    let in_the_clear = conversation.commands_in_the_clear();
    assert_eq!(in_the_clear.len(), 2, "{in_the_clear:?}");
    assert!(in_the_clear[0].starts_with("EHLO ") && in_the_clear[1] == "STARTTLS");
    assert!(conversation.commands().contains(&"MAIL FROM:<no-reply@acme.example>"));
}

#[tokio::test]
async fn with_tls_nothing_is_in_the_clear() {
    let server = SmtpServer::with(Encryption::Tls, Presented::Own);
    for host in ["localhost", "127.0.0.1"] {
        mailer(SmtpOptions { host: host.to_owned(), ..server.options() }).send(&email()).await.unwrap();
    }
    for conversation in server.ended(2).await {
        assert_eq!(conversation.commands_in_the_clear(), [""; 0]);
        assert!(conversation.commands().contains(&"DATA"));
    }
}

#[tokio::test]
async fn a_server_without_starttls_is_for_later_and_hears_neither_an_email_nor_a_password() {
    let server = SmtpServer::with(Encryption::Nothing, Presented::Own);
    let options = SmtpOptions {
        security: Security::StartTls,
        username: Some("acme".to_owned()),
        password: Some("s3cret".to_owned().into()),
        ..server.options()
    };
    let reason = later(mailer(options).send(&email()).await);
    assert!(reason.contains("STARTTLS is not supported"), "{reason}");
    let conversation = server.ended(1).await.remove(0);
    assert!(only_asks_for_encryption(&conversation.commands()), "{conversation:?}");
    assert_eq!(server.mails(), []);
}

#[tokio::test]
async fn a_certificate_that_does_not_hold_is_for_later_and_the_server_hears_nothing() {
    for encryption in [Encryption::StartTls, Encryption::Tls] {
        for (presented, words) in
            [(Presented::UnknownAuthority, "UnknownIssuer"), (Presented::OtherName, "not valid for name")]
        {
            let server = SmtpServer::with(encryption, presented);
            let reason = later(mailer(server.options()).send(&email()).await);
            assert!(reason.contains(words), "{encryption:?} {presented:?}: {reason}");
            let conversation = server.ended(1).await.remove(0);
            assert!(only_asks_for_encryption(&conversation.commands()), "{conversation:?}");
            assert_eq!(server.mails(), []);
        }
    }
}

#[tokio::test]
async fn without_its_authority_a_good_certificate_does_not_hold_either() {
    let server = SmtpServer::start();
    let options = SmtpOptions { ca_file: None, ..server.options() };
    let reason = later(mailer(options).send(&email()).await);
    assert!(reason.contains("UnknownIssuer"), "{reason}");
}

#[tokio::test]
async fn tls_is_not_spoken_to_a_server_that_does_not_understand_it() {
    let server = SmtpServer::start();
    let reason = later(mailer(SmtpOptions { security: Security::Tls, ..server.options() }).send(&email()).await);
    assert!(reason.starts_with("no connection to localhost:"), "{reason}");
    assert_eq!(server.mails(), []);
}

#[tokio::test]
async fn answers_that_were_injected_before_the_encryption_count_for_nothing() {
    let server = SmtpServer::start();
    let injected = ["250 injected", "550 5.1.1 injected"].map(str::to_owned).to_vec();
    server.next(Turn::Inject(injected));
    let reason = later(mailer(server.options()).send(&email()).await);
    assert!(reason.starts_with("no connection to localhost:") && !reason.contains("injected"), "{reason}");
    let conversation = server.ended(1).await.remove(0);
    assert!(only_asks_for_encryption(&conversation.commands()), "{conversation:?}");
}

#[tokio::test]
async fn an_email_goes_in_the_clear_only_when_that_was_asked_for_by_name() {
    assert_eq!(Security::default(), Security::StartTls);
    let server = SmtpServer::with(Encryption::Nothing, Presented::Own);
    mailer(SmtpOptions { security: "plain".parse().unwrap(), ..server.options() }).send(&email()).await.unwrap();
    server.mail();
}

#[tokio::test]
async fn options_that_cannot_work_are_refused_before_anything_is_sent() {
    let garbage_of = |what: &str| format!("-----BEGIN {what}-----\nbm9uc2Vuc2U=\n-----END {what}-----\n");
    let server = SmtpServer::start();
    let directory = tempfile::tempdir().unwrap();
    let garbage = directory.path().join("garbage.pem");
    std::fs::write(&garbage, garbage_of("CERTIFICATE")).unwrap();
    let key = directory.path().join("key.pem");
    std::fs::write(&key, garbage_of("PRIVATE KEY")).unwrap();
    let (name, password) = (Some("acme".to_owned()), Some("s3cret".to_owned().into()));
    let good = server.options();
    for (options, words) in [
        (SmtpOptions { ca_file: Some(directory.path().join("nothing")), ..good.clone() }, "nothing cannot be read"),
        (SmtpOptions { ca_file: Some(garbage), ..good.clone() }, "garbage.pem"),
        (SmtpOptions { ca_file: Some(key), ..good.clone() }, "no certificates in"),
        (SmtpOptions { username: name.clone(), ..good.clone() }, "needs a password"),
        (SmtpOptions { password: password.clone(), ..good.clone() }, "needs a user name"),
        (SmtpOptions { username: name, password, security: Security::Plain, ..good }, "without TLS"),
    ] {
        let refusal = Mailer::new(&MailOptions::Smtp(options)).err().unwrap_or_default();
        assert!(refusal.contains(words) && !refusal.contains("s3cret"), "{words}: {refusal}");
    }
}

#[tokio::test]
async fn the_server_is_greeted_by_the_name_that_was_set() {
    for (hello, greeting) in [("app.example.com", "EHLO app.example.com"), ("[192.0.2.1]", "EHLO [192.0.2.1]")] {
        let server = SmtpServer::start();
        mailer(SmtpOptions { hello: hello.to_owned(), ..server.options() }).send(&email()).await.unwrap();
        let conversation = server.ended(1).await.pop().unwrap();
        let greetings: Vec<_> = conversation.commands().into_iter().filter(|line| line.starts_with("EHLO")).collect();
        assert!(!greetings.is_empty() && greetings.iter().all(|line| *line == greeting), "{greetings:?}");
    }
}
