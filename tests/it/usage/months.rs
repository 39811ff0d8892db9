//! Months: where they begin and end, in which time zone, and how they are shown.

use serde_json::{Value, json};
use tenantry_tests::{Answer, App};

use super::{assert_sums, cap, path, record, seconds};

fn at(time: &str) -> Value {
    json!({ "usedAt": time })
}

fn each(answer: &Answer, member: &str) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    answer.body["months"].as_array().unwrap().iter().map(|month| text(&month[member])).collect()
}

#[tokio::test]
async fn usage_counts_in_the_month_that_it_was_at_the_place() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    for (zone, last, first, months) in [
        ("UTC", "2026-02-28T23:59:59.999Z", "2026-03-01T00:00:00Z", ["2026-02", "2026-03"]),
        // Before and after the clocks go forward, and before and after they go back.
        ("Europe/Berlin", "2026-02-28T22:59:59.999Z", "2026-02-28T23:00:00Z", ["2026-02", "2026-03"]),
        ("Europe/Berlin", "2026-03-31T21:59:59.999Z", "2026-03-31T22:00:00Z", ["2026-03", "2026-04"]),
        ("Europe/Berlin", "2026-09-30T21:59:59.999Z", "2026-09-30T22:00:00Z", ["2026-09", "2026-10"]),
        ("Europe/Berlin", "2026-10-31T22:59:59.999Z", "2026-10-31T23:00:00Z", ["2026-10", "2026-11"]),
        // With the summer time that was abolished in 2019, and without it.
        ("America/Sao_Paulo", "2018-12-01T01:59:59.999Z", "2018-12-01T02:00:00Z", ["2018-11", "2018-12"]),
        ("America/Sao_Paulo", "2025-12-01T02:59:59.999Z", "2025-12-01T03:00:00Z", ["2025-11", "2025-12"]),
        // On either side of the date line.
        ("Pacific/Apia", "2011-12-01T09:59:59.999Z", "2011-12-01T10:00:00Z", ["2011-11", "2011-12"]),
        ("Pacific/Apia", "2011-12-31T09:59:59.999Z", "2011-12-31T10:00:00Z", ["2011-12", "2012-01"]),
        ("Pacific/Apia", "2025-12-31T10:59:59.999Z", "2025-12-31T11:00:00Z", ["2025-12", "2026-01"]),
    ] {
        let id = acme.workspace(zone).await;
        cap(&acme, &id, json!({ "timeZone": zone })).await;
        for (time, month) in [(last, months[0]), (first, months[1])] {
            let made = record(&acme.owner, &id, seconds(1, at(time))).await.expect(201);
            assert_eq!(made.body["month"]["month"], month, "{zone} {time}");
            assert_eq!(made.body["month"]["usedSeconds"], 1, "{zone} {time}");
        }
    }
    assert_sums(&app);
}

#[tokio::test]
async fn a_new_time_zone_leaves_what_was_recorded_where_it_was_counted() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("DACH").await;
    let new_year = "2025-12-31T23:30:00Z";
    record(&acme.owner, &id, seconds(10, json!({ "usedAt": new_year, "reference": "call" }))).await.expect(201);
    cap(&acme, &id, json!({ "timeZone": "Europe/Berlin" })).await;
    record(&acme.owner, &id, seconds(7, at(new_year))).await.expect(201);
    let shown = acme.owner.get(&format!("{}?from=2025-12&to=2026-01", path(&id))).await.expect(200);
    assert_eq!(each(&shown, "usedSeconds"), ["10", "7"]);
    assert_eq!(shown.body["timeZone"], "Europe/Berlin");
    let again = record(&acme.owner, &id, json!({ "seconds": 10, "usedAt": new_year, "reference": "call" })).await;
    assert_eq!(again.expect(200).body["month"]["month"], "2025-12");
    assert_sums(&app);
}

#[tokio::test]
async fn each_month_is_shown_with_its_sum_and_how_far_the_limit_is() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("DACH").await;
    cap(&acme, &id, json!({ "maxMinutes": 100 })).await;
    for (month, used) in [("2025-11", 4_799), ("2025-12", 4_800), ("2026-02", 5_700), ("2026-03", 6_000)] {
        record(&acme.owner, &id, seconds(used, at(&format!("{month}-10T12:00:00Z")))).await.expect(201);
    }
    let shown = acme.owner.get(&format!("{}?from=2025-11&to=2026-04", path(&id))).await.expect(200);
    assert_eq!(each(&shown, "month"), ["2025-11", "2025-12", "2026-01", "2026-02", "2026-03", "2026-04"]);
    assert_eq!(each(&shown, "usedSeconds"), ["4799", "4800", "0", "5700", "6000", "0"]);
    assert_eq!(each(&shown, "usedMinutes"), ["80", "80", "0", "95", "100", "0"]);
    assert_eq!(each(&shown, "limitMinutes"), ["100"; 6]);
    assert_eq!(each(&shown, "remainingSeconds"), ["1201", "1200", "6000", "300", "0", "6000"]);
    assert_eq!(each(&shown, "thresholdsReached"), ["[]", "[80]", "[]", "[80,95]", "[80,95,100]", "[]"]);
    // The limit is the one of now, in every month.
    cap(&acme, &id, json!({ "maxMinutes": null })).await;
    let open = acme.owner.get(&format!("{}?from=2026-03&to=2026-03", path(&id))).await.expect(200);
    let month = json!({ "month": "2026-03", "usedSeconds": 6_000, "usedMinutes": 100, "limitMinutes": null,
                        "remainingSeconds": null, "thresholdsReached": [] });
    assert_eq!(open.body["months"], json!([month]));
}

#[tokio::test]
async fn the_months_that_are_shown_are_those_that_are_asked_for() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("DACH").await;
    let made = record(&acme.owner, &id, seconds(1, json!({}))).await.expect(201);
    let present = made.body["month"]["month"].as_str().unwrap().to_owned();
    let months =
        async |query: &str| each(&acme.owner.get(&format!("{}?{query}", path(&id))).await.expect(200), "month");
    assert_eq!(months("").await, std::slice::from_ref(&present));
    assert_eq!(months("to=2026-02").await, ["2026-02"]);
    let since = months("from=2026-09").await;
    assert_eq!((since.first().unwrap().as_str(), since.last().unwrap()), ("2026-09", &present));
    assert_eq!(months("from=2016-02&to=2026-01").await.len(), 120);
    assert_eq!(months("from=9999-12&to=9999-12").await, ["9999-12"]);
    for (query, field, code) in [
        ("from=2016-01&to=2026-01", "from", "out_of_range"),
        ("from=2026-02&to=2026-01", "from", "conflicting"),
        ("from=9999-12", "from", "conflicting"),
        ("from=2026-13", "from", "not_a_month"),
        ("to=2026-1", "to", "not_a_month"),
        ("to=", "to", "not_a_month"),
        ("from=2026-01-01", "from", "not_a_month"),
        ("month=2026-01", "month", "unknown_field"),
    ] {
        let refused = acme.owner.get(&format!("{}?{query}", path(&id))).await.expect(422);
        assert_eq!(refused.refused(), [(field.to_owned(), code.to_owned())], "{query}");
    }
    // What somebody has seen is not sent again until it changes.
    let seen = acme.owner.get(&path(&id)).await.expect(200);
    let unless =
        async || acme.owner.send(acme.owner.request("GET", &path(&id)).header("If-None-Match", seen.etag())).await;
    unless().await.expect(304);
    record(&acme.owner, &id, seconds(1, json!({}))).await.expect(201);
    unless().await.expect(200);
}
