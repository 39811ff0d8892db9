//! `tenantry housekeeping`.

use diesel::connection::SimpleConnection;
use serde_json::json;
use tenantry_tests::{App, new_email};

use super::kit::Tenantry;

#[tokio::test]
async fn the_command_for_cron_counts_deletes_and_says_who_may() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    acme.key(&["tenant:read"], json!({})).await;
    let id = acme.invitation(&new_email(), json!({})).await;
    app.database
        .admin()
        .batch_execute(&format!(
            "UPDATE api_keys SET revoked_at = now() - interval '400 days' WHERE name = 'A key';
             UPDATE invitations SET expires_at = now() - interval '400 days' WHERE id = '{id}';
             UPDATE audit_events SET occurred_at = occurred_at - interval '3 days'"
        ))
        .unwrap();
    let tenantry = Tenantry::on(&app.database).with("TENANTRY_AUDIT_RETENTION", "2days");
    let events = app.database.rows("SELECT FROM audit_events");
    let expected = |dry_run: bool| {
        json!({ "dryRun": dry_run, "deleted": {
            "outboxMessages": 0, "invitationTokens": 0, "invitations": 1, "storedAnswers": 0, "webhookDeliveries": 0,
            "strandedWebhookDeliveries": 0, "auditEvents": events, "apiKeys": 1, "savedEmails": 0,
        }, "auditPartitions": { "made": 0, "dropped": [] } })
    };
    assert_eq!(tenantry.json(&["housekeeping", "--dry-run"]), expected(true));
    assert_eq!(app.database.rows("SELECT FROM audit_events"), events);
    let as_service = Tenantry::at(&app.database.service_url()).with("TENANTRY_AUDIT_RETENTION", "2days");
    let refused = as_service.without("TENANTRY_OWNER_DATABASE_URL").run(&["housekeeping"]).expect(1);
    assert!(refused.err.contains("set TENANTRY_OWNER_DATABASE_URL"), "{}", refused.err);
    // What the service may delete is gone already.
    let mut rest = expected(false);
    rest["deleted"]["invitations"] = json!(0);
    rest["auditPartitions"]["made"] = json!(2);
    assert_eq!(tenantry.json(&["housekeeping"]), rest);
    assert_eq!((app.database.rows("SELECT FROM audit_events"), app.database.rows("SELECT FROM invitations")), (0, 0));
    let text = tenantry.run(&["housekeeping"]).expect(0).out;
    assert!(text.contains("deleted  0 audit events"), "{text}");
}
