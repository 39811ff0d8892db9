//! What an outage leaves behind.

use serde_json::json;
use tenantry_operations::outbox::Report;
use tenantry_tests::App;

use super::{behind_the_back, by_recipient, deliver, messages, server};

/// Invitations with a message each that has been due for an hour.
const BACKLOG: &str = "
    INSERT INTO invitations (tenant_id, id, email, email_key, role, expires_at)
        SELECT 'TENANT', gen_random_uuid(), 'old' || n || '@example.com', 'old' || n || '@example.com', 'agent',
               now() + interval '7 days' FROM generate_series(1, 100000) AS n;
    INSERT INTO outbox_messages (tenant_id, id, kind, subject_id, attempts, created_at, next_attempt_at)
        SELECT tenant_id, gen_random_uuid(), 'invitation', id, 0, now() - interval '1 hour', now() - interval '1 hour'
        FROM invitations;
    UPDATE tenants SET mail_due_at = now() - interval '1 hour' WHERE id = 'TENANT';
    ANALYZE";

#[tokio::test]
async fn a_hundred_thousand_old_emails_hold_up_neither_a_new_one_nor_another_tenant() {
    let (app, server) = (App::start().await, server());
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    behind_the_back(&app, &BACKLOG.replace("TENANT", &acme.id.to_string()));
    acme.invitation("new@example.com", json!({})).await;
    beta.invitation("beta@example.com", json!({})).await;
    // One round is a bounded number of emails, whatever waits.
    assert_eq!(deliver(&app, &server).await, Report { sent: 21, ..Report::default() });
    let first = by_recipient(&server);
    assert!(first.contains_key("new@example.com") && first.contains_key("beta@example.com"), "{first:?}");
    assert_eq!(messages(&app.database, "state = 'pending'"), 100_000 - 19);
    // The old ones have their half of the turns, and a tenant with a backlog does not get ahead of others.
    behind_the_back(&app, "UPDATE outbox_messages SET attempts = 1 WHERE state = 'pending'");
    for n in 0..30 {
        acme.invitation(&format!("new{n}@example.com"), json!({})).await;
    }
    beta.invitation("beta2@example.com", json!({})).await;
    assert_eq!(deliver(&app, &server).await.sent, 21);
    let second = by_recipient(&server);
    assert!(second.contains_key("beta2@example.com"));
    let new = (0..30).filter(|n| second.contains_key(&format!("new{n}@example.com"))).count();
    assert_eq!(new, 20, "what was never tried comes before what was");
    assert!(second.values().all(|count| *count == 1), "{second:?}");
}
