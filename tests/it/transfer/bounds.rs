//! Lines of any length, numbers that leave no room, and times that nothing here has.

use serde_json::{Value, json};
use tenantry_tests::{App, Rows};

use super::{exported, fill, import, lines, refusals};

/// What is told in the file and not taken over, so that nobody is kept from importing by it.
const NOT_TAKEN_OVER: [&str; 5] = ["export", "api_key", "audit_event", "end", "integration"];

fn text(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[tokio::test]
async fn no_time_is_in_the_future_or_older_than_everything() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    fill(&app, &acme).await;
    let good = lines(&exported(&app, &acme).await.0);
    let mut rows = Rows::of(&app.database);
    let before = rows.all();
    let mut tried = std::collections::BTreeSet::new();
    for (at, line) in good.iter().enumerate() {
        let kind = line["type"].as_str().unwrap();
        let times = line.as_object().unwrap().iter().filter(|(name, value)| name.ends_with("At") && value.is_string());
        for (name, _) in times.filter(|_| !NOT_TAKEN_OVER.contains(&kind)) {
            if !tried.insert((kind, name.clone())) {
                continue;
            }
            for wrong in
                ["9999-12-31T23:59:59.999999Z", "2200-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"]
            {
                let mut changed = good.clone();
                changed[at][name] = json!(wrong);
                let refused = refusals(import(&app, &beta, &text(&changed)).await.unwrap_err());
                assert!(refused.starts_with(&format!("line {} {name}: ", at + 1)), "{kind} {name} {wrong}: {refused}");
            }
        }
    }
    let named = |kind: &'static str, name: &str| tried.contains(&(kind, name.to_owned()));
    for (kind, name) in [
        ("brand", "createdAt"),
        ("workspace", "deletedAt"),
        ("agent", "updatedAt"),
        ("usage_entry", "usedAt"),
        ("usage_entry", "createdAt"),
        ("member", "updatedAt"),
        ("invitation", "expiresAt"),
        ("invitation", "revokedAt"),
    ] {
        assert!(named(kind, name), "{kind} {name}");
    }
    let member = good.iter().position(|line| line["type"] == "member").unwrap();
    let mut changed = good.clone();
    changed[member]["assignments"][0]["assignedAt"] = json!("9999-12-31T23:59:59Z");
    let refused = refusals(import(&app, &beta, &text(&changed)).await.unwrap_err());
    assert!(refused.contains("assignments.assignedAt: is 9999"), "{refused}");
    let revoked = good.iter().position(|line| line["revokedAt"].is_string() && line["type"] == "invitation").unwrap();
    let mut changed = good.clone();
    changed[revoked]["acceptedAt"] = changed[revoked]["revokedAt"].clone();
    let refused = refusals(import(&app, &beta, &text(&changed)).await.unwrap_err());
    assert!(refused.contains("revokedAt: must be null"), "{refused}");
    assert_eq!(rows.all(), before);
}

#[tokio::test]
async fn numbers_leave_room_for_what_comes_after_them() {
    const MOST: i64 = 1 << 52;
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let workspace = acme.workspace("DACH").await;
    acme.invitation("ada@example.com", json!({ "workspaceIds": [workspace] })).await;
    let good = lines(&exported(&app, &acme).await.0);
    let at = |kind: &str| good.iter().position(|line| line["type"] == kind).unwrap();
    for field in ["lastWorkspaceNumber", "lastSlotNumber"] {
        for number in [json!(MOST + 1), json!(i64::MAX), json!(-1), json!(1e300), json!("1")] {
            let mut changed = good.clone();
            changed[0]["tenant"][field] = number.clone();
            let refused = refusals(import(&app, &beta, &text(&changed)).await.unwrap_err());
            assert!(refused.starts_with("line 1"), "{field} {number}: {refused}");
        }
    }
    for kind in ["brand", "workspace", "invitation"] {
        for version in [MOST + 1, i64::MAX, 0, -1] {
            let mut changed = good.clone();
            changed[at(kind)]["version"] = json!(version);
            let refused = refusals(import(&app, &beta, &text(&changed)).await.unwrap_err());
            assert!(refused.contains("version: must be from 1"), "{kind} {version}: {refused}");
        }
    }
    let mut last = good.clone();
    (last[0]["tenant"]["lastWorkspaceNumber"], last[0]["tenant"]["lastSlotNumber"]) = (json!(MOST), json!(MOST));
    (last[at("workspace")]["number"], last[at("workspace")]["version"]) = (json!(MOST), json!(MOST));
    import(&app, &beta, &text(&last)).await.unwrap();
    let next = beta.owner.post("/api/workspaces", json!({ "name": "After it" })).await.expect(201).id();
    beta.invitation("grace@example.com", json!({ "workspaceIds": [next] })).await;
    let path = format!("/api/workspaces/{workspace}");
    assert_eq!(beta.owner.patch(&path, json!({ "name": "DE" })).await.expect(200).etag(), format!("\"{}\"", MOST + 1));
    let all = beta.owner.get("/api/workspace/get-all").await.expect(200);
    assert_eq!(all.body["workspaces"][1]["id"], MOST + 1);
}

#[tokio::test]
async fn a_line_has_a_longest_length() {
    const LONGEST: usize = 8 * 1024 * 1024;
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let whole = exported(&app, &acme).await.0;
    let (head, rest) = whole.split_once('\n').unwrap();
    let padded = |length: usize| format!("{head}{}\n{rest}", " ".repeat(length - head.len()));
    for broken in [padded(LONGEST + 1), "x".repeat(3 * LONGEST), format!("{head}\n{}", "[".repeat(LONGEST + 1))] {
        let refused = refusals(import(&app, &beta, &broken).await.unwrap_err());
        assert!(refused.contains("must not be longer than 8388608 bytes"), "{refused:.200}");
    }
    import(&app, &beta, &padded(LONGEST)).await.unwrap();
}
