//! The user name and password for a server that wants them.

use tenantry_operations::mail::SmtpOptions;
use tenantry_tests::{SmtpServer, Turn};

use super::{email, later, mailer};

fn with_password(server: &SmtpServer, password: &str) -> SmtpOptions {
    SmtpOptions { username: Some("acme".to_owned()), password: Some(password.to_owned().into()), ..server.options() }
}

#[tokio::test]
async fn a_known_user_may_send_and_the_password_is_never_in_the_clear() {
    let server = SmtpServer::for_user("acme", "s3cret");
    mailer(with_password(&server, "s3cret")).send(&email()).await.unwrap();
    server.mail();
    let conversation = server.ended(1).await.remove(0);
    assert!(!conversation.commands_in_the_clear().iter().any(|command| command.starts_with("AUTH")));
    assert!(conversation.commands().iter().any(|command| command.starts_with("AUTH PLAIN ")));
}

#[tokio::test]
async fn a_wrong_password_is_for_later_because_the_operator_can_mend_it() {
    let server = SmtpServer::for_user("acme", "s3cret");
    let reason = later(mailer(with_password(&server, "wr0ng")).send(&email()).await);
    assert!(reason.contains("did not accept the user name and password: it answered 535"), "{reason}");
    assert_eq!(server.mails(), []);
}

#[tokio::test]
async fn a_server_that_knows_no_users_is_for_later() {
    let server = SmtpServer::start();
    let reason = later(mailer(with_password(&server, "s3cret")).send(&email()).await);
    assert!(reason.contains("offers no supported way to log in"), "{reason}");
}

#[tokio::test]
async fn a_password_that_a_server_repeats_is_in_no_reason_and_in_no_debug_output() {
    let server = SmtpServer::for_user("acme", "s3cret");
    server.next(Turn::EchoPassword);
    let options = with_password(&server, "s3cret");
    assert!(!format!("{options:?}").contains("s3cret"));
    let reason = later(mailer(options).send(&email()).await);
    let conversation = server.ended(1).await.remove(0);
    let told = conversation.commands().into_iter().find_map(|command| command.strip_prefix("AUTH PLAIN ")).unwrap();
    assert!(conversation.lines.iter().any(|said| !said.by_client && said.line.contains(told)), "it was repeated");
    assert!(!reason.contains(told) && !reason.contains("s3cret"), "{reason}");
}
