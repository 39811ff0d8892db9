//! What a tenant is told about the email of an invitation.

use serde_json::{Value, json};
use tenantry_tests::{App, Tenant, Turn};

use crate::outbox::{deliver, server};

async fn delivery(acme: &Tenant, id: &str) -> Value {
    let shown = acme.owner.get(&format!("/api/invitations/{id}")).await.expect(200).body["delivery"].clone();
    let listed = acme.owner.get("/api/invitations").await.expect(200).body["data"].clone();
    let listed = listed.as_array().unwrap().iter().find(|one| one["id"] == id).unwrap()["delivery"].clone();
    assert_eq!(shown, listed);
    shown
}

#[tokio::test]
async fn an_email_is_queued_until_it_is_sent_or_refused_for_good_and_the_reason_is_told() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    let id = acme.invitation("ada@example.com", json!({})).await;
    assert_eq!(delivery(&acme, &id).await["state"], "queued");
    server.next(Turn::Recipient("451 4.3.0 try later".to_owned()));
    deliver(&app, &server).await;
    let waiting = delivery(&acme, &id).await;
    assert_eq!(waiting["state"], "queued");
    let reason = "The mail server does not accept the address: 451 4.3.0 try later. It will be tried again.";
    assert_eq!(waiting["reason"], reason);

    let other = acme.invitation("nobody@example.com", json!({})).await;
    server.next(Turn::Recipient("550 5.1.1 No such user".to_owned()));
    deliver(&app, &server).await;
    let failed = delivery(&acme, &other).await;
    assert_eq!((&failed["state"], failed["since"].is_string()), (&json!("failed"), true));
    assert_eq!(failed["reason"], "The mail server does not accept the address: 550 5.1.1 No such user.");

    // Sent again, it is another email.
    let again = acme.owner.post(&format!("/api/invitations/{other}/resend"), json!({})).await.expect(200);
    assert_eq!((&again.body["delivery"]["state"], &again.body["delivery"]["reason"]), (&json!("queued"), &Value::Null));
    assert_eq!(delivery(&acme, &other).await, again.body["delivery"]);
    deliver(&app, &server).await;
    let sent = delivery(&acme, &other).await;
    assert_eq!((&sent["state"], &sent["reason"]), (&json!("sent"), &Value::Null));
}

#[tokio::test]
async fn how_the_operators_mail_server_is_reached_is_not_told() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    let id = acme.invitation("ada@example.com", json!({})).await;
    server.close().await;
    deliver(&app, &server).await;
    let waiting = delivery(&acme, &id).await;
    let reason = "The mail server of this service does not work at the moment. It will be tried again.";
    assert_eq!((&waiting["state"], &waiting["reason"]), (&json!("queued"), &json!(reason)));
}

#[tokio::test]
async fn an_email_that_is_no_longer_needed_is_none() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.invitation("ada@example.com", json!({})).await;
    acme.owner.delete(&format!("/api/invitations/{id}")).await.expect(204);
    assert_eq!(delivery(&acme, &id).await, json!({ "state": "none", "reason": null, "since": null }));
}
