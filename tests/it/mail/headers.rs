//! Names and texts that would like to be more than names and texts.

use tenantry_domain::{BrandName, EmailAddress, SenderName, TenantName};
use tenantry_operations::mail::{Email, Subject};
use tenantry_tests::{ReceivedMail, SmtpServer};

use super::{email, mailer};

/// The email as it arrives.
async fn arrived(email: &Email) -> ReceivedMail {
    let server = SmtpServer::start();
    mailer(server.options()).send(email).await.unwrap();
    let conversation = server.ended(1).await.remove(0);
    let verbs: Vec<_> = conversation.commands().iter().map(|line| line.split([' ', ':']).next().unwrap()).collect();
    assert_eq!(verbs, ["EHLO", "STARTTLS", "EHLO", "MAIL", "RCPT", "DATA", "QUIT"]);
    let mail = server.mail();
    assert_eq!(
        (mail.from.as_str(), mail.to.as_slice()),
        ("no-reply@acme.example", &["ada@example.com".to_owned()][..])
    );
    for name in ["from", "to", "subject", "date", "message-id", "mime-version", "content-type"] {
        assert_eq!(mail.headers(name).len(), 1, "{name}: {}", String::from_utf8_lossy(&mail.content));
    }
    for name in ["bcc", "cc", "reply-to", "sender", "x-evil"] {
        assert_eq!(mail.headers(name).len(), 0, "{name}: {}", String::from_utf8_lossy(&mail.content));
    }
    for line in String::from_utf8(mail.content.clone()).unwrap().split("\r\n") {
        assert!(line.is_ascii() && line.len() <= 998 && !line.contains(['\r', '\n', '\0']), "{line:?}");
    }
    mail
}

#[test]
fn what_breaks_a_line_is_in_no_name_no_subject_and_no_address() {
    for (hostile, code) in [
        ("Acme\rBcc: eve@example.com", "forbidden_character"),
        ("Acme\nBcc: eve@example.com", "forbidden_character"),
        ("Acme\r\nBcc: eve@example.com\r\n\r\nHello", "forbidden_character"),
        ("Acme\0", "forbidden_character"),
        ("Acme\u{2028}Bcc: eve@example.com", "forbidden_character"),
        ("Acme\u{2029}Bcc: eve@example.com", "forbidden_character"),
        ("Acme\u{85}Bcc: eve@example.com", "forbidden_character"),
        ("Acme\u{b}Bcc: eve@example.com", "forbidden_character"),
        (&"x".repeat(2_000), "too_long"),
    ] {
        let codes = [
            hostile.parse::<SenderName>().unwrap_err().code,
            hostile.parse::<TenantName>().unwrap_err().code,
            hostile.parse::<BrandName>().unwrap_err().code,
            hostile.parse::<Subject>().unwrap_err().code,
        ];
        assert_eq!(codes, [code; 4], "{hostile:.40?}");
        assert!(hostile.parse::<EmailAddress>().is_err());
        assert!(format!("ada@example.com{hostile}").parse::<EmailAddress>().is_err(), "{hostile:.40?}");
    }
}

#[tokio::test]
async fn a_name_that_is_allowed_arrives_as_written_in_one_header() {
    for name in [
        "=?utf-8?q?=0d=0aBcc:?=",
        "=?utf-8?q?=0d=0aBcc:_eve=40example.com?= =?utf-8?b?DQpYLUV2aWw6IDE=?=",
        "Acme =?utf-8?q?=E2=80=AE?= Inc.",
        "Bcc: eve@example.com",
        "Acme <eve@example.com>, Eve",
        "\"Acme\" \\ (comment), <>;:@[]",
        "\\",
        "\"",
        "Bücher & Söhne GmbH — Zürich",
        "株式会社テナント",
        "no-break\u{a0}space",
        &"😀".repeat(120),
        &"x".repeat(120),
        &"\"".repeat(120),
        &"a b ".repeat(30),
    ] {
        let email = Email { from_name: name.parse().unwrap(), subject: name.parse().unwrap(), ..email() };
        let mail = arrived(&email).await;
        let parsed = mail.parsed();
        let from = parsed.from().and_then(|from| from.first()).unwrap();
        assert_eq!(from.address(), Some("no-reply@acme.example"), "{name}: {:?}", mail.headers("from"));
        assert_eq!(parsed.from().unwrap().iter().count(), 1);
        assert_eq!(from.name(), Some(email.from_name.as_str()), "{:?}", mail.headers("from"));
        assert_eq!(parsed.subject(), Some(email.subject.as_str()), "{:?}", mail.headers("subject"));
    }
}

#[tokio::test]
async fn a_lone_dot_in_a_text_is_not_the_end_of_the_message() {
    let text = "Hello\r\n.\r\nQUIT\r\n..\r\n.hidden\n.\nMAIL FROM:<eve@example.com>\r\n.\r\n";
    let email = Email { text: text.to_owned(), html: format!("<pre>{text}</pre>"), ..email() };
    let mail = arrived(&email).await;
    let text = text.replace("\r\n", "\n");
    assert_eq!((mail.text(), mail.html()), (text.clone(), format!("<pre>{text}</pre>")));
}

#[tokio::test]
async fn any_text_arrives_whole_and_never_as_bare_control_characters() {
    let long = format!("{}\n{}\nFrom here\n=3D=\n", "long ".repeat(1_000), "é".repeat(3_000));
    for text in ["one\rtwo\0three\u{1b}\r.\r\nfour\n\n\rfive \t\n", "a\r.\rb", "a\0b", &long] {
        let mail = arrived(&Email { text: text.to_owned(), ..email() }).await;
        assert_eq!(mail.text(), text.replace("\r\n", "\n"));
    }
}
