//! The question ahead of a call: whether it may start.

use serde_json::json;
use tenantry_tests::{App, Rows};

use super::{cap, path, record, seconds};

#[tokio::test]
async fn whether_more_is_allowed_is_said_before_it_is_used_and_reserves_nothing() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("DACH").await;
    let ask = async |query: &str| acme.owner.get(&format!("{}/check{query}", path(&id))).await.expect(200).body;
    let open = ask("?seconds=86400").await;
    assert_eq!(
        (&open["allowed"], &open["remainingSeconds"], &open["reason"]),
        (&json!(true), &json!(null), &json!(null))
    );
    cap(&acme, &id, json!({ "maxMinutes": 1 })).await;
    record(&acme.owner, &id, seconds(50, json!({}))).await.expect(201);
    let mut rows = Rows::of(&app.database);
    let before = rows.all();
    for (query, allowed) in
        [("", true), ("?seconds=10", true), ("?seconds=11", false), ("?seconds=0", true), ("?seconds=10", true)]
    {
        let answer = ask(query).await;
        let reason = if allowed { json!(null) } else { json!("limit_reached") };
        assert_eq!((&answer["allowed"], &answer["reason"]), (&json!(allowed), &reason), "{query}");
        assert_eq!((&answer["remainingSeconds"], &answer["workspaceId"]), (&json!(10), &json!(id)));
    }
    assert_eq!(rows.all(), before);
    record(&acme.owner, &id, seconds(10, json!({}))).await.expect(201);
    let full = ask("").await;
    assert_eq!((&full["allowed"], &full["remainingSeconds"]), (&json!(false), &json!(0)));
    record(&acme.owner, &id, seconds(1, json!({}))).await.expect(409);
    for bad in ["86401", "-1", "+1", "1.5", "", "x", "9223372036854775808"] {
        let query = bad.replace('+', "%2B");
        let refused = acme.owner.get(&format!("{}/check?seconds={query}", path(&id))).await.expect(422);
        assert_eq!(refused.refused(), [("seconds".to_owned(), "out_of_range".to_owned())], "{bad}");
    }
    app.tenant("Beta").await.owner.get(&format!("{}/check", path(&id))).await.expect(404);
}
