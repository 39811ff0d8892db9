//! The email about a disabled webhook, in each language.

use std::fmt::Write;

use insta::assert_snapshot;
use serde_json::{Value, json};
use tenantry_domain::Role;
use tenantry_tests::{App, ReceivedMail, Receiver, Receiving, Tenant};

use super::{behind_the_back, deliver, wait_for_the_next_attempt, webhook};
use crate::outbox;

/// Why a webhook is disabled, and what is done behind the back of the service for it to happen at the next attempt.
const WAYS: [(&str, u16, &str); 2] = [
    ("failing", 500, "UPDATE webhooks SET failing_since = now() - interval '5 days', failures = 1"),
    ("gone", 410, "UPDATE webhooks SET failing_since = NULL"),
];

/// The email about a webhook that has been disabled for this reason.
async fn email_about(
    app: &App,
    tenant: &Tenant,
    receiver: &Receiver,
    id: &str,
    way: (&str, u16, &str),
) -> ReceivedMail {
    let (path, (reason, status, before)) = (format!("/api/webhooks/{id}"), way);
    tenant.owner.patch(&path, json!({ "enabled": true })).await.expect(200);
    behind_the_back(app, before);
    receiver.receive(Receiving::Status(status, "", String::new()));
    tenant.owner.post(&format!("{path}/test"), json!({})).await.expect(202);
    wait_for_the_next_attempt(app);
    deliver(app).await;
    assert_eq!(tenant.owner.get(&path).await.expect(200).body["disabledReason"], reason);
    behind_the_back(app, "UPDATE webhooks SET failing_since = '2026-03-03T09:05:00Z'");
    let server = outbox::server();
    assert_eq!(outbox::deliver(app, &server).await.sent, 1);
    server.mail()
}

#[tokio::test]
async fn it_is_in_the_language_of_the_tenant_and_in_english_otherwise() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    tenant.member(Role::Owner, &[]).await;
    let (id, _) = webhook(&tenant, &receiver, Value::Null).await;
    let mut emails = String::new();
    for language in ["en", "de", "fr", "es", "it", "nl", "pt", "pl", "ja"] {
        tenant.owner.patch("/api/tenant", json!({ "defaultOperatingLanguage": language })).await.expect(200);
        for way in WAYS {
            let mail = email_about(&app, &tenant, &receiver, &id, way).await;
            let shown = if language == "ja" { "en" } else { language };
            let (html, text) = (mail.html(), mail.text().replace(&id, "[id]"));
            assert!(html.contains(&format!("<html lang=\"{shown}\">")), "{html}");
            assert!(html.contains("<strong>127 .0 .0.1</strong>") && html.contains(&id), "{html}");
            for paragraph in text.split("\n\n").map(str::trim_end) {
                let html = html.replace(&id, "[id]").replace("<strong>", "").replace("</strong>", "");
                assert!(html.contains(&format!("<p>{paragraph}</p>")), "{paragraph} in {html}");
            }
            writeln!(emails, "{language}, {}: {}\n\n{text}\n", way.0, mail.parsed().subject().unwrap()).unwrap();
        }
    }
    assert_snapshot!("emails", emails);
}
