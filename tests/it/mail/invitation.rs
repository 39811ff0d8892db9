//! The email that invites.

use tenantry_domain::Role;
use tenantry_operations::mail::{InvitationEmail, InvitationLink, Signatures, invitation_email};
use tenantry_tests::{ReceivedMail, SmtpServer};
use uuid::Uuid;

use super::mailer;

fn invitation() -> InvitationEmail {
    let link: InvitationLink = "https://app.example.com/join?a=1&b=2#{token}".parse().unwrap();
    InvitationEmail {
        id: Uuid::now_v7(),
        date: "2026-01-20T10:00:00Z".parse().unwrap(),
        from_address: "no-reply@acme.example".parse().unwrap(),
        to: "ada@example.com".parse().unwrap(),
        tenant: "Acme".parse().unwrap(),
        brand: "Acme Europe".parse().unwrap(),
        sender: "Acme Europe Support".parse().unwrap(),
        signatures: Signatures::Html,
        signature_html: Some("<p>Yours, <b>Acme</b></p>".parse().unwrap()),
        signature_text: Some("Yours,\nAcme".parse().unwrap()),
        language: "en".parse().unwrap(),
        invited_by: None,
        reply_to_inviter: false,
        role: Role::Agent,
        workspaces: vec!["DACH Region".parse().unwrap(), "Nordics".parse().unwrap()],
        link: link.with("aZ09_-"),
        expires_at: "2026-12-03T14:05:59Z".parse().unwrap(),
    }
}

async fn arrived(invitation: &InvitationEmail) -> ReceivedMail {
    let server = SmtpServer::start();
    mailer(server.options()).send(&invitation_email(invitation).unwrap()).await.unwrap();
    server.mail()
}

#[tokio::test]
async fn it_says_who_invites_where_as_what_and_until_when() {
    let mail = arrived(&invitation()).await;
    assert_eq!(mail.headers("from"), ["\"Acme Europe Support\" <no-reply@acme.example>"]);
    assert_eq!(mail.headers("subject"), ["Acme Europe invites you to Acme"]);
    assert_eq!(
        mail.text(),
        "Hello,\n\nAcme Europe invites you to join Acme as an agent.\n\nYou will work in:\n- DACH Region\n- Nordics\n\n\
         To accept the invitation, open this link:\n\nhttps://app.example.com/join?a=1&b=2#aZ09_-\n\n\
         The link works once and expires on Thursday, 3 December 2026, at 14:05 UTC.\n\n\
         If you did not expect this invitation, you can ignore this email.\n\n-- \nYours,\nAcme\n"
    );
    let html = mail.html();
    for piece in [
        "<html lang=\"en\">",
        "<title>Acme Europe invites you to Acme</title>",
        "Acme Europe invites you to join <strong>Acme</strong> as an agent.",
        "<li>DACH Region</li>\n<li>Nordics</li>\n</ul>",
        "<a href=\"https://app.example.com/join?a=1&#38;b=2#aZ09_-\"",
        "expires on Thursday, 3 December 2026, at 14:05 UTC.",
        "<div><p>Yours, <b>Acme</b></p></div>",
    ] {
        assert!(html.contains(piece), "{piece} in {html}");
    }
    assert!(!html.contains("<img") && !html.contains("<script"), "nothing is loaded and nothing acts");
}

#[tokio::test]
async fn what_is_not_known_is_left_out() {
    let plain = InvitationEmail { signature_html: None, signature_text: None, workspaces: Vec::new(), ..invitation() };
    let mail = arrived(&plain).await;
    assert_eq!(mail.headers("subject"), ["Acme Europe invites you to Acme"]);
    let (text, html) = (mail.text(), mail.html());
    assert!(text.starts_with("Hello,\n\nAcme Europe invites you to join Acme as an agent.\n\nTo accept"), "{text}");
    assert!(text.ends_with("you can ignore this email.\n"), "{text}");
    assert!(!html.contains("<ul>") && !html.contains("You will work"), "{html}");
    let own = InvitationEmail { brand: "Acme".parse().unwrap(), ..plain };
    let mail = arrived(&own).await;
    assert_eq!(mail.headers("subject"), ["You are invited to Acme"], "nobody is invited by a tenant to itself");
    assert!(
        mail.text().starts_with("Hello,\n\nYou are invited to join Acme as an agent.\n\nTo accept"),
        "{}",
        mail.text()
    );
    assert!(
        mail.html().contains("<p>You are invited to join <strong>Acme</strong> as an agent.</p>"),
        "{}",
        mail.html()
    );
}

#[tokio::test]
async fn each_part_has_the_signature_that_there_is_and_nothing_is_made_of_the_other() {
    let mail = arrived(&InvitationEmail { signature_text: None, ..invitation() }).await;
    assert!(!mail.text().contains("Yours") && mail.html().contains("<p>Yours, <b>Acme</b></p>"));
    let mail = arrived(&InvitationEmail { signature_html: None, ..invitation() }).await;
    assert!(mail.text().ends_with("-- \nYours,\nAcme\n") && !mail.html().contains("Yours"));
}

#[tokio::test]
async fn many_workspaces_are_counted() {
    let workspaces = |count: usize| (1..=count).map(|n| format!("Region {n}").parse().unwrap()).collect();
    for (count, more) in [(10, None), (11, Some("and 1 more")), (200, Some("and 190 more"))] {
        let mail = arrived(&InvitationEmail { workspaces: workspaces(count), ..invitation() }).await;
        for part in [mail.text(), mail.html()] {
            assert!(part.contains("Region 10") && !part.contains("Region 11"), "{part}");
            assert_eq!(part.contains("more"), more.is_some(), "{part}");
            assert!(part.contains(more.unwrap_or_default()), "{part}");
        }
    }
}

#[tokio::test]
async fn placeholders_are_text_like_any_other() {
    let placeholders = "{{7*7}} {% if x %} {# no #} ${7*7} #{7*7} <%= 7*7 %> %s %(x)s %n {0} $1 \\u0041 {token} @@";
    let invitation = InvitationEmail {
        tenant: placeholders.parse().unwrap(),
        workspaces: vec![placeholders.parse().unwrap()],
        signature_text: Some(placeholders.parse().unwrap()),
        signature_html: Some("<p>{{7*7}} {% if x %} ${7*7} #{7*7} %s {0}</p>".parse().unwrap()),
        ..invitation()
    };
    let mail = arrived(&invitation).await;
    assert_eq!(mail.text().matches(placeholders).count(), 3, "{}", mail.text());
    let escaped = placeholders.replace('<', "&#60;").replace('>', "&#62;");
    assert_eq!(mail.html().matches(&escaped).count(), 2, "{}", mail.html());
    assert!(mail.html().contains("<p>{{7*7}} {% if x %} ${7*7} #{7*7} %s {0}</p>"), "{}", mail.html());
    assert!(!mail.html().contains("49") && !mail.text().contains("49"));
}

#[tokio::test]
async fn names_are_no_markup() {
    let hostile = "<script>alert('x')</script><img src=x onerror=\"y\">&amp;";
    let invitation = InvitationEmail {
        tenant: hostile.parse().unwrap(),
        brand: format!("{hostile}.").parse().unwrap(),
        workspaces: vec![hostile.parse().unwrap()],
        ..invitation()
    };
    let mail = arrived(&invitation).await;
    let html = mail.html();
    assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
    assert!(html.contains("&#60;script&#62;alert(&#39;x&#39;)") && html.contains("&#38;amp;"), "{html}");
    assert_eq!(mail.text().matches(hostile).count(), 3, "in plain text it is what it is: {}", mail.text());
}

#[tokio::test]
async fn a_signature_cannot_end_the_message() {
    let signature = "Yours\r\n.\r\n\r\nMAIL FROM:<eve@example.com>\r\n.\r\n..";
    let mail = arrived(&InvitationEmail { signature_text: Some(signature.parse().unwrap()), ..invitation() }).await;
    assert!(mail.text().ends_with(&format!("-- \n{}\n", signature.replace("\r\n", "\n"))), "{}", mail.text());
}

#[tokio::test]
async fn the_longest_names_make_a_subject_of_one_line() {
    let (tenant, brand) = ("Ω".repeat(120), "Ψ".repeat(120));
    let email = InvitationEmail { tenant: tenant.parse().unwrap(), brand: brand.parse().unwrap(), ..invitation() };
    let mail = arrived(&email).await;
    assert_eq!(mail.headers("subject").len(), 1);
    let subject = mail.parsed().subject().unwrap().to_owned();
    assert!(subject.starts_with("Ψ") && subject.contains("… invites you to Ω"), "{subject}");
    assert!(subject.chars().count() <= 200, "{subject}");
}

#[tokio::test]
async fn no_name_becomes_a_link_or_another_sender() {
    let invitation = InvitationEmail {
        tenant: "Verify at https://evil.example/login".parse().unwrap(),
        brand: "www.evil.example".parse().unwrap(),
        sender: "support@paypal.com".parse().unwrap(),
        workspaces: vec!["evil.example/pay".parse().unwrap(), "10.0.0.1/x".parse().unwrap()],
        ..invitation()
    };
    let mail = arrived(&invitation).await;
    let parsed = mail.parsed();
    assert_eq!(parsed.from().and_then(|from| from.first()?.name()), Some("support @paypal .com"));
    let subject = parsed.subject().unwrap().to_owned();
    assert_eq!(subject, "www .evil .example invites you to Verify at https ://evil .example/login");
    for part in [mail.text(), mail.html(), subject] {
        for link in ["evil.", "https://evil", "10.0", "www."] {
            assert!(!part.replace("acme.example", "").contains(link), "{link} in {part}");
        }
    }
    let links: Vec<_> = mail.html().split("href=").skip(1).map(|rest| rest[..30].to_owned()).collect();
    assert!(
        links.len() == 2 && links.iter().all(|link| link.starts_with("\"https://app.example.com/join")),
        "{links:?}"
    );
}

#[tokio::test]
async fn a_signature_is_plain_and_short_and_links_nowhere_unless_the_operator_says_so() {
    let html =
        "<p>Pay at <a href=\"https://evil.example/pay\">our page</a></p><img src=\"https://evil.example/x.png\">";
    let text = format!("Yours, Acme & Sons\nhttps://evil.example/pay\n<b>no markup</b>\n{}", "blah ".repeat(900));
    let invitation = InvitationEmail {
        signatures: Signatures::default(),
        signature_html: Some(html.parse().unwrap()),
        signature_text: Some(text.parse().unwrap()),
        ..invitation()
    };
    let mail = arrived(&invitation).await;
    for part in [mail.text(), mail.html()] {
        assert!(!part.contains("evil.example") && part.contains("https ://evil .example/pay"), "{part}");
        assert!(!part.contains("our page") && part.matches("blah").count() < 100, "{part}");
    }
    assert!(mail.html().contains("Yours, Acme &#38; Sons\nhttps ://") && mail.html().contains("&#60;b&#62;no markup"));
    let mail = arrived(&InvitationEmail { signatures: Signatures::None, ..invitation.clone() }).await;
    assert!(!mail.text().contains("Yours") && !mail.html().contains("Yours"));
    let many = format!("{}last", "line\n".repeat(10));
    let mail = arrived(&InvitationEmail { signature_text: Some(many.parse().unwrap()), ..invitation.clone() }).await;
    assert!(mail.text().matches("line").count() == 10 && !mail.text().contains("last"), "{}", mail.text());
    let mail = arrived(&InvitationEmail { signatures: Signatures::Html, ..invitation }).await;
    assert!(mail.html().contains("https://evil.example/pay") && mail.text().contains("https://evil.example/pay"));
}

#[tokio::test]
async fn a_name_neither_reorders_nor_hides_the_words_around_it() {
    let invitation = InvitationEmail {
        tenant: "אקמה".parse().unwrap(),
        brand: "Ac\u{200B}me\u{200E} Eu\u{AD}rope".parse().unwrap(),
        signature_text: Some("\u{202E}sruoY\u{2066}".parse().unwrap()),
        signatures: Signatures::Text,
        ..invitation()
    };
    let mail = arrived(&invitation).await;
    assert_eq!(mail.parsed().subject(), Some("Acme Europe invites you to \u{2068}אקמה\u{2069}"));
    assert!(
        mail.text().contains("Acme Europe invites you to join \u{2068}אקמה\u{2069} as an agent."),
        "{}",
        mail.text()
    );
    for part in [mail.text(), mail.html()] {
        assert!(!part.contains(['\u{202E}', '\u{2066}', '\u{200B}', '\u{200E}', '\u{AD}']), "{part}");
    }
}

#[tokio::test]
async fn it_is_in_the_language_of_whom_it_is_about_and_in_english_otherwise() {
    for (language, subject, sentence, button) in [
        (
            "de",
            "Acme Europe lädt Sie zu Acme ein",
            "Acme Europe lädt Sie zu Acme ein. Ihre Rolle: Agent/in.",
            "Einladung annehmen",
        ),
        ("fr", "Acme Europe vous invite à rejoindre Acme", "Votre rôle : agent.", "Accepter l’invitation"),
        ("es", "Acme Europe le invita a Acme", "Su rol: agente.", "Aceptar la invitación"),
        ("it", "Acme Europe la invita in Acme", "Il suo ruolo: agente.", "Accetta l’invito"),
        ("nl", "Acme Europe nodigt u uit voor Acme", "Uw rol: agent.", "Uitnodiging accepteren"),
        ("pt", "Acme Europe convida você para Acme", "Sua função: agente.", "Aceitar o convite"),
        ("pl", "Acme Europe zaprasza do Acme", "Rola: agent.", "Przyjmij zaproszenie"),
        ("ja", "Acme Europe invites you to Acme", "as an agent.", "Accept the invitation"),
    ] {
        let mail = arrived(&InvitationEmail { language: language.parse().unwrap(), ..invitation() }).await;
        assert_eq!(mail.parsed().subject(), Some(subject));
        let shown = if language == "ja" { "en" } else { language };
        assert!(mail.html().contains(&format!("<html lang=\"{shown}\">")), "{}", mail.html());
        assert!(mail.html().contains(&format!(">{button}</a>")), "{}", mail.html());
        assert!(mail.html().contains("<strong>Acme</strong>") && mail.text().contains(sentence), "{}", mail.text());
        assert!(mail.text().contains("DACH Region") && mail.text().contains("2026") && mail.text().contains("14:05"));
        assert_eq!(language != "ja", !mail.text().contains("Hello,"));
    }
}

#[tokio::test]
async fn it_names_the_member_who_invites_and_an_answer_goes_to_them_only_if_the_operator_wants_it() {
    let by_grace = InvitationEmail { invited_by: Some("grace@müller.example".parse().unwrap()), ..invitation() };
    let mail = arrived(&by_grace).await;
    let sentence = "grace@müller.example (Acme Europe) invites you to join Acme as an agent.";
    assert!(mail.text().contains(sentence), "{}", mail.text());
    assert_eq!(mail.headers("reply-to"), Vec::<String>::new());
    let own = InvitationEmail { brand: "Acme".parse().unwrap(), reply_to_inviter: true, ..by_grace };
    let mail = arrived(&own).await;
    assert!(mail.text().contains("\n\ngrace@müller.example invites you to join Acme as an agent."), "{}", mail.text());
    // Mail programs know the domain in this form alone.
    assert_eq!(mail.headers("reply-to"), ["grace@xn--mller-kva.example"]);
    let nobody = InvitationEmail { invited_by: None, ..own };
    assert_eq!(arrived(&nobody).await.headers("reply-to"), Vec::<String>::new());
}

#[tokio::test]
async fn it_is_sent_to_an_international_domain_in_the_form_that_servers_know() {
    let mail = arrived(&InvitationEmail { to: "hans@müller.example".parse().unwrap(), ..invitation() }).await;
    assert_eq!(mail.headers("to"), ["hans@xn--mller-kva.example"]);
}
