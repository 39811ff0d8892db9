//! Who records usage corrects none of it: refunds, and usage of long ago, are the tenant's to decide.

use chrono::{Duration, Utc};
use serde_json::json;
use tenantry_domain::{RECORDABLE_DAYS, Role};
use tenantry_tests::App;

use super::{record, seconds};

#[tokio::test]
async fn a_refund_or_usage_of_long_ago_needs_more_than_recording() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("DACH").await;
    record(&acme.owner, &id, seconds(600, json!({}))).await.expect(201);
    let ago = |days: i64, minutes: i64| (Utc::now() - Duration::days(days) - Duration::minutes(minutes)).to_rfc3339();
    let (recent, old) = (ago(RECORDABLE_DAYS, -10), ago(RECORDABLE_DAYS, 10));
    let corrections =
        [json!({ "kind": "refund" }), json!({ "usedAt": old }), json!({ "kind": "refund", "usedAt": old })];
    let (_, agent) = acme.member(Role::Agent, &[&id]).await;
    let recorders = [
        acme.key(&["usage:write", "usage:read"], json!({ "workspaceId": id })).await,
        acme.key(&["usage:write", "usage:read"], json!({ "brandId": acme.brand })).await,
        acme.key(&["usage:write", "usage:read"], json!({})).await,
        acme.key(&["usage:write", "tenant:write"], json!({ "brandId": acme.brand })).await,
        agent,
    ];
    for recorder in &recorders {
        record(recorder, &id, seconds(1, json!({ "usedAt": recent }))).await.expect(201);
        for correction in &corrections {
            let refused = record(recorder, &id, seconds(1, correction.clone())).await.expect(403);
            assert!(refused.text.contains("corrects the ledger"), "{}", refused.text);
        }
    }
    // The permission to correct is none to record.
    record(&acme.key(&["tenant:write"], json!({})).await, &id, seconds(1, corrections[0].clone())).await.expect(403);
    let (_, admin) = acme.member(Role::Admin, &[]).await;
    for corrector in [admin, acme.key(&["usage:write", "usage:read", "tenant:write"], json!({})).await] {
        for correction in &corrections[..2] {
            record(&corrector, &id, seconds(1, correction.clone())).await.expect(201);
        }
    }
    for (action, count) in [("usage.refund", 2), ("usage.backdate", 2), ("usage.record", 1 + recorders.len())] {
        let log = acme.owner.get(&format!("/api/audit-events?action={action}")).await.expect(200);
        assert_eq!(log.body["data"].as_array().unwrap().len(), count, "{action}");
    }
}
