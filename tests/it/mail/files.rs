//! Emails as files, where there is no server.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use mail_parser::MessageParser;
use tenantry_operations::mail::{MailOptions, Mailer};

use super::{email, later};

fn mailer(directory: &Path) -> Mailer {
    Mailer::new(&MailOptions::Files(directory.to_owned())).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn an_email_is_a_file_that_only_its_owner_can_read() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("data/mail");
    let email = email();
    mailer(&directory).send(&email).await.unwrap();
    let file = directory.join(format!("{}.eml", email.id));
    assert_eq!((mode(&directory), mode(&file)), (0o700, 0o600));
    let content = fs::read(&file).unwrap();
    let message = MessageParser::default().parse(&content).unwrap();
    assert_eq!(message.subject(), Some("Good news"));
    assert_eq!(message.body_text(0).as_deref(), Some("Hello Ada"));
    assert_eq!(message.body_html(0).as_deref(), Some("<p>Hello <b>Ada</b></p>"));
    assert_eq!(message.message_id(), Some(format!("{}@acme.example", email.id).as_str()));
}

#[tokio::test]
async fn the_same_email_is_the_same_file_even_when_it_is_written_by_several_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let (mailer, first, second) = (mailer(directory.path()), email(), email());
    let sent = tokio::join!(mailer.send(&first), mailer.send(&first), mailer.send(&second), mailer.send(&first));
    assert_eq!(sent, (Ok(()), Ok(()), Ok(()), Ok(())));
    let mut names: Vec<_> = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, [format!("{}.eml", first.id), format!("{}.eml", second.id)], "and nothing unfinished");
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_is_for_later_and_is_named() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("mail");
    fs::write(&directory, "in the way").unwrap();
    let (mailer, email) = (mailer(&directory), email());
    let reason = later(mailer.send(&email).await);
    assert!(reason.starts_with(&format!("cannot write {}", directory.display())), "{reason}");
    fs::remove_file(&directory).unwrap();
    mailer.send(&email).await.unwrap();
    let taken = directory.join(format!("{}.eml", email.id));
    fs::remove_file(&taken).unwrap();
    fs::create_dir(&taken).unwrap();
    later(mailer.send(&email).await);
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1, "nothing unfinished is left");
}
