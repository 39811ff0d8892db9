//! Each email in the name of its own tenant, and headers that nobody breaks out of.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tenantry_tests::{App, ReceivedMail, SmtpServer, Tenant};

use super::{deliver, deliver_all, sender, server};

async fn brand(tenant: &Tenant, changes: Value) {
    tenant.owner.patch(&format!("/api/brands/{}", tenant.brand), changes).await.expect(200);
}

fn to<'a>(mails: &'a [ReceivedMail], email: &str) -> &'a ReceivedMail {
    mails.iter().find(|mail| mail.to == [email]).unwrap_or_else(|| panic!("nothing for {email}"))
}

#[tokio::test]
async fn two_tenants_are_never_mixed_up_however_many_send_at_once() {
    let (app, server) = (App::start().await, server());
    let tenants = [("Acme", app.tenant("Acme").await), ("Beta", app.tenant("Beta").await)];
    for (name, tenant) in &tenants {
        let signature = format!("Yours, {name}");
        let html = format!("<p>{signature}</p>");
        brand(tenant, json!({ "emailFromName": format!("{name} Desk"), "emailSignatureText": signature, "emailSignatureHtml": html }))
            .await;
        for n in 1..=15 {
            tenant.invitation(&format!("p{n}@{}.example", name.to_lowercase()), json!({})).await;
        }
    }
    let editing = join_all(tenants.iter().map(|(name, tenant)| async move {
        for n in 0..10 {
            brand(tenant, json!({ "emailSignatureText": format!("Yours, {name} {n}") })).await;
        }
    }));
    let workers = join_all((0..4).map(|_| deliver_all(&app.store, &server)));
    let (sent, _) = tokio::join!(workers, editing);
    assert_eq!(sent.iter().sum::<usize>(), 30);
    for mail in server.mails() {
        let (own, other) = if mail.to[0].ends_with("@acme.example") { ("Acme", "Beta") } else { ("Beta", "Acme") };
        let (text, html) = (mail.text(), mail.html());
        assert_eq!(mail.headers("from"), [format!("\"{own} Desk\" <no-reply@service.example>")]);
        assert_eq!(mail.headers("subject"), [format!("Einladung zu {own}")]);
        assert!(text.contains(&format!("Yours, {own}")) && html.contains(&format!("Yours, {own}")), "{text}");
        assert!(!text.contains(other) && !html.contains(other), "{text}");
    }
}

#[tokio::test]
async fn an_email_to_one_workspace_has_what_is_in_force_there_and_any_other_the_default_brand_s() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    brand(&acme, json!({ "emailFromName": "Acme Desk", "emailSignatureText": "Yours, Acme", "emailSignatureHtml": "<p>Acme</p>" }))
        .await;
    let trade = json!({ "name": "Trade", "emailFromName": "Trade Desk", "emailSignatureText": "Yours, Trade", "emailSignatureHtml": "<p>Trade</p>" });
    let trade = acme.owner.post("/api/brands", trade).await.expect(201).id();
    let plain = acme.workspace_of(&trade, "Plain").await;
    let own = acme.workspace_of(&trade, "Own").await;
    let signature = json!({ "emailSignatureText": "Yours, Own" });
    acme.owner.patch(&format!("/api/workspaces/{own}"), signature).await.expect(200);
    let gone = acme.workspace_of(&trade, "Gone").await;
    for (email, workspaces) in [
        ("none@example.com", vec![]),
        ("plain@example.com", vec![&plain]),
        ("own@example.com", vec![&own]),
        ("two@example.com", vec![&plain, &own]),
        ("gone@example.com", vec![&gone]),
    ] {
        acme.invitation(email, json!({ "workspaceIds": workspaces })).await;
    }
    acme.owner.delete(&format!("/api/workspaces/{gone}")).await.expect(204);
    assert_eq!(deliver(&app, &server).await.sent, 5);
    let mails = server.mails();
    for (email, from, text, html, places) in [
        ("none@example.com", "Acme Desk", "Yours, Acme", "<p>Acme</p>", vec![]),
        ("plain@example.com", "Trade Desk", "Yours, Trade", "<p>Trade</p>", vec!["Plain"]),
        ("own@example.com", "Trade Desk", "Yours, Own", "<p>Trade</p>", vec!["Own"]),
        ("two@example.com", "Acme Desk", "Yours, Acme", "<p>Acme</p>", vec!["Own", "Plain"]),
        ("gone@example.com", "Acme Desk", "Yours, Acme", "<p>Acme</p>", vec![]),
    ] {
        let mail = to(&mails, email);
        assert_eq!(mail.headers("from"), [format!("\"{from}\" <no-reply@service.example>")], "{email}");
        let plain = mail.text();
        assert!(plain.ends_with(&format!("-- \n{text}\n")), "{email}: {plain}");
        assert!(mail.html().contains(html), "{email}");
        let named: Vec<_> = plain.lines().filter_map(|line| line.strip_prefix("- ")).collect();
        assert_eq!(named, places, "{email}");
    }
}

#[tokio::test]
async fn it_says_what_is_stored_when_it_is_sent_and_not_when_it_was_wanted() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    acme.invitation("ada@example.com", json!({ "role": "admin" })).await;
    brand(&acme, json!({ "name": "Acme Europe", "emailFromName": "Europe Desk" })).await;
    deliver(&app, &server).await;
    let mail = server.mail();
    assert_eq!(mail.headers("from"), ["\"Europe Desk\" <no-reply@service.example>"]);
    // The tenant is in Germany.
    let sentence = "Acme Europe lädt Sie zu Acme ein. Ihre Rolle: Administrator/in.";
    assert!(mail.text().contains(sentence), "{}", mail.text());
}

#[track_caller]
fn one_of_each(server: &SmtpServer, email: &str) -> ReceivedMail {
    let mail = server.mail();
    for name in ["From", "To", "Subject", "Date", "Message-ID"] {
        assert_eq!(mail.headers(name).len(), 1, "{name}");
    }
    for name in ["Bcc", "Cc", "Reply-To"] {
        assert_eq!(mail.headers(name), Vec::<String>::new(), "{name}");
    }
    assert_eq!((mail.from.as_str(), mail.to.as_slice()), ("no-reply@service.example", &[email.to_owned()][..]));
    assert_eq!(mail.headers("to"), [email]);
    mail
}

#[tokio::test]
async fn names_that_look_encoded_stay_names() {
    let (app, server) = (App::start().await, server());
    let hostile = "=?utf-8?q?=0d=0aBcc:_eve@example.com?=";
    let acme = app.tenant(hostile).await;
    let own = format!("{hostile} too");
    brand(&acme, json!({ "name": own, "emailFromName": hostile })).await;
    acme.invitation("ada@example.com", json!({})).await;
    assert_eq!(deliver(&app, &server).await.sent, 1);
    let mail = one_of_each(&server, "ada@example.com");
    let parsed = mail.parsed();
    // As written, but for the spaces that keep it from being an address.
    let shown = "=?utf-8?q?=0d=0aBcc :_eve @example .com?=";
    assert_eq!(parsed.subject().unwrap(), format!("{shown} too lädt Sie zu {shown} ein"));
    assert_eq!(parsed.from().unwrap().first().unwrap().name().unwrap(), shown);
    let conversation = server.ended(1).await.remove(0);
    let recipients: Vec<_> =
        conversation.commands().into_iter().filter(|line| line.starts_with("RCPT")).map(str::to_owned).collect();
    assert_eq!(recipients, ["RCPT TO:<ada@example.com>"]);
}

#[tokio::test]
async fn a_name_with_a_line_end_is_refused_before_it_is_stored() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let brand = format!("/api/brands/{}", acme.brand);
    for end in ["\r\n", "\n", "\r", "\0", "\u{2028}"] {
        let hostile = format!("Acme{end}Bcc: eve@example.com");
        acme.owner.patch("/api/tenant", json!({ "name": hostile })).await.expect(422);
        acme.owner.patch(&brand, json!({ "name": hostile })).await.expect(422);
        acme.owner.patch(&brand, json!({ "emailFromName": hostile })).await.expect(422);
        acme.owner.post("/api/workspaces", json!({ "name": hostile })).await.expect(422);
        let email = format!("ada@example.com{end}Bcc: eve@example.com");
        acme.owner.post("/api/invitations", json!({ "email": email, "role": "agent" })).await.expect(422);
    }
    assert_eq!(app.database.rows("SELECT 1 FROM outbox_messages"), 0);
}

#[tokio::test]
async fn a_signature_with_a_line_of_a_single_dot_arrives_whole() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    brand(&acme, json!({ "emailSignatureText": "Yours\r\n.\r\n..\r\nMAIL FROM:<eve@example.com>\r\n.\r\nAcme" })).await;
    acme.invitation("ada@example.com", json!({})).await;
    assert_eq!(deliver(&app, &server).await.sent, 1);
    let mail = one_of_each(&server, "ada@example.com");
    let signature = "-- \nYours\n.\n..\nMAIL FROM:<eve@example.com>\n.\nAcme\n";
    assert!(mail.text().ends_with(signature), "{}", mail.text());
    assert_eq!(sender(&server).from_address.as_str(), mail.from);
}
