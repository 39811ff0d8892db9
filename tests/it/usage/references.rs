//! References: however often an entry is sent, it counts once.

use diesel::connection::SimpleConnection;
use futures_util::future::join_all;
use serde_json::json;
use tenantry_tests::App;

use super::{assert_sums, cap, path, present, record, seconds};

#[tokio::test]
async fn the_same_reference_counts_once_and_says_the_same_or_conflicts() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let (id, other) = (acme.workspace("DACH").await, acme.workspace("Other").await);
    let body = json!({ "seconds": 60, "usedAt": "2026-03-01T16:45:00.123456789Z", "reference": "call-1" });
    let made = record(&acme.owner, &id, body.clone()).await.expect(201);
    let again = record(&acme.owner, &id, body.clone()).await.expect(200);
    assert_eq!(again.body, made.body);
    assert!(again.header("location").is_empty());
    // What the answer shows is the same time.
    let shown = json!({ "seconds": 60, "usedAt": made.body["usedAt"], "reference": "call-1" });
    record(&acme.owner, &id, shown).await.expect(200);
    // Who leaves the time out means the one that is stored; the month is shown as it is now.
    record(&acme.owner, &id, json!({ "seconds": 5, "usedAt": "2026-03-02T00:00:00Z", "reference": "call-2" }))
        .await
        .expect(201);
    let later = record(&acme.owner, &id, json!({ "seconds": 60, "reference": "call-1" })).await.expect(200);
    assert_eq!((&later.body["id"], &later.body["month"]["usedSeconds"]), (&made.body["id"], &json!(65)));
    for (member, other) in
        [("seconds", json!(61)), ("usedAt", json!("2026-03-01T16:45:00.124Z")), ("kind", json!("refund"))]
    {
        let mut changed = body.clone();
        changed[member] = other;
        let refused = record(&acme.owner, &id, changed).await.expect(409);
        assert_eq!(refused.body["code"], "reference_conflict", "{member}");
        assert!(refused.text_of("error").contains("\"call-1\""), "{}", refused.text);
    }
    // Nor does a limit that is reached stand in the way of what is recorded already.
    cap(&acme, &id, json!({ "maxMinutes": 0 })).await;
    record(&acme.owner, &id, body.clone()).await.expect(200);
    // Another workspace, and another tenant, have references of their own.
    record(&acme.owner, &other, json!({ "seconds": 7, "reference": "call-1" })).await.expect(201);
    record(&beta.owner, &beta.workspace("Theirs").await, json!({ "seconds": 8, "reference": "call-1" }))
        .await
        .expect(201);
    assert_eq!(app.database.rows("SELECT FROM usage_entries"), 4);
    assert_eq!(app.database.rows("SELECT FROM audit_events WHERE action IN ('usage.record', 'usage.backdate')"), 4);
    assert_sums(&app);
}

#[tokio::test]
async fn of_many_who_send_the_same_entry_at_once_one_records_it() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let replica = app.replica().with_key(acme.owner.key());
    let id = acme.workspace("DACH").await;
    let path = path(&id);
    for round in 1..=5 {
        let body = json!({ "seconds": 60, "reference": format!("call-{round}") });
        let send = |n: usize| if n.is_multiple_of(2) { &acme.owner } else { &replica }.post(&path, body.clone());
        let answers = join_all((0..16).map(send)).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 201)), "{answers:?}");
        assert!(answers.iter().all(|answer| answer.body == answers[0].body), "{answers:?}");
        assert_eq!(present(&acme.owner, &id).await["usedSeconds"], 60 * round);
    }
    assert_sums(&app);
}

#[tokio::test]
async fn an_entry_that_was_cut_off_is_sent_again_and_counts_once() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("DACH").await;
    let body = seconds(60, json!({}));
    let mut other = app.database.admin();
    // The sum of the month is held back, so that the entry is in the ledger and not yet in the sum.
    record(&acme.owner, &id, seconds(1, json!({}))).await.expect(201);
    other.batch_execute("BEGIN; SELECT FROM usage_months FOR UPDATE").unwrap();
    let (owner, path, sent) = (acme.owner.clone(), path(&id), body.clone());
    let cut_off = tokio::spawn(async move { owner.post(&path, sent).await });
    let waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database()
                   AND usename = 'tenantry_service' AND wait_event_type = 'Lock'";
    while app.database.rows(waiting) < 1 {
        tokio::task::yield_now().await;
    }
    let hang_up = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid IN (SELECT pid {})",
        &waiting["SELECT ".len()..]
    );
    app.database.admin().batch_execute(&hang_up).unwrap();
    cut_off.await.unwrap().expect(503);
    other.batch_execute("ROLLBACK").unwrap();
    assert_eq!(app.database.rows("SELECT FROM usage_entries"), 1, "half of it is none of it");
    record(&acme.owner, &id, body.clone()).await.expect(201);
    record(&acme.owner, &id, body).await.expect(200);
    assert_eq!(present(&acme.owner, &id).await["usedSeconds"], 61);
    assert_sums(&app);
}
