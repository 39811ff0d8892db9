//! The limit of minutes in a month: exact to the second, whoever asks at once.

use diesel::connection::SimpleConnection;
use futures_util::future::join_all;
use serde_json::json;
use tenantry_tests::App;

use super::{assert_sums, cap, path, present, record, seconds};

#[tokio::test]
async fn many_who_record_on_two_replicas_end_exactly_at_the_limit() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let replica = app.replica().with_key(acme.owner.key());
    let (id, other) = (acme.workspace("DACH").await, acme.workspace("Other").await);
    app.database.admin().batch_execute("UPDATE tenants SET max_minutes = 10").unwrap();
    cap(&acme, &id, json!({ "maxMinutes": 5 })).await;
    record(&acme.owner, &other, seconds(600, json!({}))).await.expect(201);
    let path = path(&id);
    let post = |n: usize| if n.is_multiple_of(2) { &acme.owner } else { &replica }.post(&path, seconds(30, json!({})));
    let answers = join_all((0..80).map(post)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 10);
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!((refused.status, &refused.body["code"]), (409, &json!("limit_reached")), "{}", refused.text);
    }
    let month = present(&acme.owner, &id).await;
    assert_eq!((&month["usedSeconds"], &month["remainingSeconds"]), (&json!(300), &json!(0)));
    assert_eq!(month["thresholdsReached"], json!([80, 95, 100]));
    assert_eq!(app.database.rows("SELECT FROM usage_entries"), 11, "the refused left nothing");
    assert_eq!(app.database.rows("SELECT FROM audit_events WHERE action = 'usage.record'"), 11);
    record(&acme.owner, &other, seconds(1, json!({}))).await.expect(409);
    assert_sums(&app);
}

#[tokio::test]
async fn what_is_used_and_refunded_at_once_loses_nothing_and_stays_within_the_limit() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let replica = app.replica().with_key(acme.owner.key());
    let id = acme.workspace("DACH").await;
    cap(&acme, &id, json!({ "maxMinutes": 1 })).await;
    let path = path(&id);
    let turns = async |n: usize| {
        let client = if n.is_multiple_of(2) { &acme.owner } else { &replica };
        for _ in 0..5 {
            for body in [seconds(25, json!({})), seconds(25, json!({ "kind": "refund" }))] {
                let answer = client.post(&path, body).await;
                assert!(matches!(answer.status, 201 | 409), "{}", answer.text);
                let used = present(client, &id).await["usedSeconds"].as_i64().unwrap();
                assert!((0..=60).contains(&used), "{used}");
            }
        }
    };
    join_all((0..10).map(turns)).await;
    assert_sums(&app);
}

#[tokio::test]
async fn the_limit_is_exact_to_the_second_and_holds_in_each_month_by_itself() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("DACH").await;
    cap(&acme, &id, json!({ "maxMinutes": 1 })).await;
    let in_month = |month: &str| json!({ "usedAt": format!("2026-{month}-15T12:00:00Z") });
    let over = record(&acme.owner, &id, seconds(61, in_month("01"))).await.expect(409);
    assert_eq!(
        over.body["error"],
        "Recording 61 seconds would exceed the limit of 1 minute for 2026-01: 0 seconds are already used."
    );
    record(&acme.owner, &id, seconds(59, in_month("01"))).await.expect(201);
    record(&acme.owner, &id, seconds(2, in_month("01"))).await.expect(409);
    record(&acme.owner, &id, seconds(1, in_month("01"))).await.expect(201);
    record(&acme.owner, &id, seconds(1, in_month("01"))).await.expect(409);
    record(&acme.owner, &id, seconds(0, in_month("01"))).await.expect(201);
    record(&acme.owner, &id, seconds(60, in_month("02"))).await.expect(201);
    assert_sums(&app);
}

#[tokio::test]
async fn a_limit_below_what_is_used_keeps_that_and_lets_it_not_grow() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("DACH").await;
    record(&acme.owner, &id, seconds(150, json!({}))).await.expect(201);
    cap(&acme, &id, json!({ "maxMinutes": 2 })).await;
    record(&acme.owner, &id, seconds(1, json!({}))).await.expect(409);
    let month = present(&acme.owner, &id).await;
    assert_eq!((&month["usedSeconds"], &month["remainingSeconds"]), (&json!(150), &json!(0)));
    assert_eq!(month["thresholdsReached"], json!([80, 95, 100]));
    record(&acme.owner, &id, seconds(60, json!({ "kind": "refund" }))).await.expect(201);
    record(&acme.owner, &id, seconds(30, json!({}))).await.expect(201);
    record(&acme.owner, &id, seconds(1, json!({}))).await.expect(409);
    cap(&acme, &id, json!({ "maxMinutes": null })).await;
    record(&acme.owner, &id, seconds(86_400, json!({}))).await.expect(201);
    assert_sums(&app);
}

#[tokio::test]
async fn whoever_records_while_the_limit_is_lowered_comes_before_or_after_it() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let replica = app.replica().with_key(acme.owner.key());
    for round in 0..6 {
        let id = acme.workspace("DACH").await;
        let (path, limits) = (path(&id), format!("/api/workspaces/{id}/limits"));
        let lowering = async || {
            // Somewhere among those who record.
            for _ in 0..round {
                acme.owner.get(&limits).await.expect(200);
            }
            cap(&acme, &id, json!({ "maxMinutes": 0 })).await;
            present(&acme.owner, &id).await["usedSeconds"].clone()
        };
        let recording = join_all((0..24).map(|_| replica.post(&path, seconds(30, json!({})))));
        let (then, answers) = tokio::join!(lowering(), recording);
        assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 409)), "{answers:?}");
        assert_eq!(present(&acme.owner, &id).await["usedSeconds"], then, "nothing grew once the limit was there");
    }
    assert_sums(&app);
}
