//! Mail as a server receives it: whole, once for each attempt, and never over a connection that is not safe.

mod answers;
mod files;
mod headers;
mod invitation;
mod protection;
mod user;

use tenantry_operations::mail::{Email, MailFault, MailOptions, Mailer, SmtpOptions};
use uuid::Uuid;

/// An email with an identifier of its own.
fn email() -> Email {
    Email {
        id: Uuid::now_v7(),
        date: "2026-01-20T10:00:00Z".parse().unwrap(),
        from_name: "Acme Support".parse().unwrap(),
        from_address: "no-reply@acme.example".parse().unwrap(),
        to: "ada@example.com".parse().unwrap(),
        reply_to: None,
        subject: "Good news".parse().unwrap(),
        text: "Hello Ada".to_owned(),
        html: "<p>Hello <b>Ada</b></p>".to_owned(),
    }
}

fn mailer(options: SmtpOptions) -> Mailer {
    Mailer::new(&MailOptions::Smtp(options)).unwrap()
}

/// The words of a fault that another attempt may mend.
#[track_caller]
fn later(outcome: Result<(), MailFault>) -> String {
    match outcome {
        Err(MailFault::Later(reason)) => reason,
        other => panic!("not a fault for later: {other:?}"),
    }
}

/// The words of a fault that no attempt will mend.
#[track_caller]
fn never(outcome: Result<(), MailFault>) -> String {
    match outcome {
        Err(MailFault::Never(reason)) => reason,
        other => panic!("not a fault for ever: {other:?}"),
    }
}
