//! Usage of a workspace: a ledger, its sums by month, and a limit that nothing goes beyond.

mod check;
mod corrections;
mod limit;
mod months;
mod references;

use insta::assert_snapshot;
use serde_json::{Value, json};
use tenantry_domain::Role;
use tenantry_tests::{Answer, App, Client, Tenant, new_name, view};

fn path(workspace: &str) -> String {
    format!("/api/workspaces/{workspace}/usage")
}

/// So many seconds under a reference of their own; `more` adds members to the request or replaces them.
fn seconds(seconds: i64, more: Value) -> Value {
    let mut body = json!({ "seconds": seconds, "reference": new_name("Call") });
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    body
}

async fn record(client: &Client, workspace: &str, body: Value) -> Answer {
    client.post(&path(workspace), body).await
}

async fn cap(tenant: &Tenant, workspace: &str, limits: Value) {
    tenant.owner.patch(&format!("/api/workspaces/{workspace}/limits"), limits).await.expect(200);
}

/// The present month of a workspace.
async fn present(client: &Client, workspace: &str) -> Value {
    client.get(&path(workspace)).await.expect(200).body["months"][0].clone()
}

/// The sums are those of the ledger, in every month of every workspace.
fn assert_sums(app: &App) {
    let wrong = "SELECT FROM usage_months AS sums FULL JOIN (
            SELECT tenant_id, workspace_id, month, sum(CASE kind WHEN 'usage' THEN seconds ELSE -seconds END) AS seconds
            FROM usage_entries GROUP BY 1, 2, 3
        ) AS ledger USING (tenant_id, workspace_id, month) WHERE sums.seconds IS DISTINCT FROM ledger.seconds OR sums.seconds < 0";
    assert_eq!(app.database.rows(wrong), 0, "a sum that is not that of the ledger");
}

#[tokio::test]
async fn what_is_recorded_comes_back_with_its_month() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (id, other) = (acme.workspace("DACH").await, acme.workspace("Other").await);
    let body = json!({ "seconds": 95, "usedAt": "2026-03-01T16:45:00.5+01:00", "reference": " call-1 " });
    let made = record(&acme.owner, &id, body).await.expect(201);
    let (entry, tenant) = (made.id(), acme.id.to_string());
    let named = [("entry", entry.as_str()), ("workspace", &id), ("tenant", &tenant)];
    assert_snapshot!("entry", view(&made, &named));
    let shown = acme.owner.get(made.header("location")).await.expect(200);
    assert_snapshot!("month", view(&shown, &named));
    // Nothing said: now.
    let now = record(&acme.owner, &id, seconds(30, json!({}))).await.expect(201);
    assert_eq!(now.body["usedAt"], now.body["createdAt"]);
    assert_eq!(now.body["month"], present(&acme.owner, &id).await);
    assert_eq!(present(&acme.owner, &other).await["usedSeconds"], 0);
    assert_sums(&app);
}

#[tokio::test]
async fn what_is_wrong_with_an_entry_is_said_all_at_once() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("DACH").await;
    let all = json!({ "seconds": -1, "usedAt": "yesterday", "reference": "", "kind": "Refund", "month": "2026-01" });
    let refused = record(&acme.owner, &id, all).await.expect(422).refused();
    let refused: Vec<_> = refused.iter().map(|(field, code)| (field.as_str(), code.as_str())).collect();
    let five = [
        ("kind", "wrong_case"),
        ("month", "unknown_field"),
        ("reference", "empty"),
        ("seconds", "out_of_range"),
        ("usedAt", "not_a_time"),
    ];
    assert_eq!(refused, five);
    let missing = record(&acme.owner, &id, json!({})).await.expect(422).refused();
    assert_eq!(missing, ["reference", "seconds"].map(|field| (field.to_owned(), "required".to_owned())));
    for (member, bad, code) in [
        ("seconds", json!(86_401), "out_of_range"),
        ("seconds", json!(1.5), "wrong_type"),
        ("seconds", json!(1e300), "out_of_range"),
        ("seconds", json!(86_401.0), "out_of_range"),
        ("seconds", json!("60"), "wrong_type"),
        ("seconds", json!(null), "null"),
        ("usedAt", json!("1999-12-31T23:59:59Z"), "out_of_range"),
        ("usedAt", json!("2999-01-01T00:00:00Z"), "in_the_future"),
        ("usedAt", json!("2026-02-30T00:00:00Z"), "not_a_time"),
        ("usedAt", json!(null), "null"),
        ("reference", json!("x".repeat(201)), "too_long"),
        ("reference", json!("a\u{0}b"), "forbidden_character"),
        ("reference", json!(1), "wrong_type"),
        ("kind", json!("gift"), "not_a_choice"),
    ] {
        let refused = record(&acme.owner, &id, seconds(1, json!({ member: bad }))).await.expect(422);
        assert_eq!(refused.refused(), [(member.to_owned(), code.to_owned())], "{bad}");
    }
    assert_eq!(app.database.rows("SELECT FROM usage_entries"), 0);
    for good in [0, 86_400] {
        record(&acme.owner, &id, seconds(good, json!({}))).await.expect(201);
    }
}

#[tokio::test]
async fn a_refund_takes_off_its_month_and_no_more_than_was_used() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("DACH").await;
    cap(&acme, &id, json!({ "maxMinutes": 2 })).await;
    let january = json!({ "usedAt": "2026-01-15T12:00:00Z" });
    let refund = json!({ "kind": "refund", "usedAt": "2026-01-20T12:00:00Z" });
    let early = record(&acme.owner, &id, seconds(1, refund.clone())).await.expect(409);
    assert_eq!(early.body["code"], "refund_exceeds_usage");
    record(&acme.owner, &id, seconds(120, january.clone())).await.expect(201);
    record(&acme.owner, &id, seconds(1, january.clone())).await.expect(409);
    let back = record(&acme.owner, &id, seconds(50, refund.clone())).await.expect(201);
    assert_eq!((&back.body["month"]["usedSeconds"], &back.body["month"]["remainingSeconds"]), (&json!(70), &json!(50)));
    record(&acme.owner, &id, seconds(71, refund.clone())).await.expect(409);
    record(&acme.owner, &id, seconds(51, january.clone())).await.expect(409);
    record(&acme.owner, &id, seconds(50, january)).await.expect(201);
    // Beyond a limit that was lowered, what is refunded is refunded.
    cap(&acme, &id, json!({ "maxMinutes": 0 })).await;
    record(&acme.owner, &id, seconds(120, refund)).await.expect(201);
    assert_eq!(app.database.rows("SELECT FROM usage_entries"), 4, "the ledger keeps both");
    assert_sums(&app);
}

#[tokio::test]
async fn who_works_in_a_workspace_records_and_who_observes_reads() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (mine, other) = (acme.workspace("Mine").await, acme.workspace("Other").await);
    let (_, agent) = acme.member(Role::Agent, &[&mine]).await;
    let (_, observer) = acme.member(Role::Observer, &[&mine]).await;
    let (_, billing) = acme.member(Role::Billing, &[]).await;
    record(&agent, &mine, seconds(1, json!({}))).await.expect(201);
    record(&agent, &other, seconds(1, json!({}))).await.expect(404);
    record(&observer, &mine, seconds(1, json!({}))).await.expect(403);
    observer.get(&path(&mine)).await.expect(200);
    billing.get(&path(&mine)).await.expect(404);
    let writer = acme.key(&["usage:write"], json!({ "workspaceId": mine })).await;
    record(&writer, &mine, seconds(1, json!({}))).await.expect(201);
    let refused = writer.get(&path(&mine)).await.expect(403);
    assert!(refused.header("www-authenticate").contains("usage:read"), "writing does not include reading");
    record(&acme.key(&["usage:read", "workspaces:write"], json!({})).await, &mine, seconds(1, json!({})))
        .await
        .expect(403);
    assert_eq!(present(&acme.owner, &mine).await["usedSeconds"], 2);
}
