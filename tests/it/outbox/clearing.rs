//! What is over is kept for 30 days and not longer.

use serde_json::json;
use tenantry_tests::{App, Turn};

use super::{accept, behind_the_back, cleared, deliver, messages, server, token};

#[tokio::test]
async fn what_was_sent_or_dropped_and_the_tokens_of_what_is_over_are_cleared_after_thirty_days() {
    let (app, server) = (App::start().await, server());
    let acme = app.tenant("Acme").await;
    let ids = [1, 2, 3, 4].map(|n| format!("p{n}@example.com"));
    for email in &ids {
        acme.invitation(email, json!({ "expiresInDays": 30 })).await;
    }
    assert_eq!(deliver(&app, &server).await.sent, 4);
    let dead = acme.invitation("dead@example.com", json!({})).await;
    server.next(Turn::Recipient("550 no".to_owned()));
    assert_eq!(deliver(&app, &server).await.dead, 1);
    let waiting = acme.invitation("waiting@example.com", json!({})).await;
    behind_the_back(
        &app,
        "UPDATE invitations SET accepted_at = now() WHERE email_key = 'p1@example.com';
         UPDATE invitations SET revoked_at = now() WHERE email_key = 'p2@example.com';
         UPDATE invitations SET expires_at = now() WHERE email_key = 'p3@example.com'",
    );
    assert_eq!(cleared(&app).await, 0, "not yet");
    behind_the_back(
        &app,
        "UPDATE invitations SET accepted_at = accepted_at - interval '30 days', revoked_at = revoked_at - interval '30 days';
         UPDATE invitations SET expires_at = expires_at - interval '30 days' WHERE email_key = 'p3@example.com';
         UPDATE outbox_messages SET created_at = created_at - interval '30 days', updated_at = updated_at - interval '30 days'",
    );
    assert_eq!(cleared(&app).await, 8, "five messages and three tokens");
    assert_eq!(cleared(&app).await, 0);
    assert_eq!(messages(&app.database, &format!("subject_id = '{dead}'")), 0, "nobody has looked at it for a month");
    assert_eq!(messages(&app.database, &format!("subject_id = '{waiting}'")), 1, "what is still to be sent");
    // A link that is good stays so, and one that is over is one that nobody knows.
    for mail in server.mails() {
        let outcome = accept(&app.store, &mail.to[0], &mail.to[0], &token(&mail)).await;
        assert_eq!(outcome.is_ok(), mail.to[0] == ids[3], "{outcome:?}");
        if outcome.is_err() {
            assert!(matches!(outcome, Err(tenantry_domain::Error::NotFound(_))), "{outcome:?}");
        }
    }
}
