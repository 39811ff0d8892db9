//! Rows are stored many at a time, and it looks as if each were stored by itself.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use tenantry_tests::{App, Crowd, Rows, Tenant, TestDatabase};

use super::{exported, import, lines, refusals};

/// So many rows are stored together, and so many assignments.
const ROWS: usize = 500;
const ASSIGNMENTS: u32 = 1_000;

/// A service whose statements may take long, because a test machine is busy.
async fn patient() -> App {
    App::on(TestDatabase::new(), |options| options.statement_timeout = Duration::from_secs(120)).await
}

/// The lines as a file, with an end that fits.
fn text(lines: &[Value]) -> String {
    let mut lines = lines.to_vec();
    let before = lines.len() - 1;
    lines[before]["lines"] = json!(before);
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Where the lines of a kind stand.
fn places(lines: &[Value], kind: &str) -> Vec<usize> {
    lines.iter().enumerate().filter(|(_, line)| line["type"] == kind).map(|(at, _)| at).collect()
}

/// A tenant with more rows of several kinds than are stored together, the first of which have integrations, and a member with more
/// assignments.
async fn crowded(app: &App) -> (Tenant, Vec<Value>) {
    let acme = app.tenant("Acme").await;
    let crowd = Crowd { workspaces: ASSIGNMENTS + 1, members: 510, usage_entries: 1_010 }.sql(acme.id, &acme.brand);
    let more = format!(
        "INSERT INTO assignments (tenant_id, workspace_id, member_id, number)
         SELECT '{id}', w.id, m.id, 7000 + row_number() OVER ()
         FROM workspaces AS w JOIN (SELECT id FROM members WHERE tenant_id = '{id}' ORDER BY created_at LIMIT 1) AS m ON true
         WHERE w.tenant_id = '{id}' ON CONFLICT DO NOTHING;
         UPDATE tenants SET last_place_number = 7000 + {ASSIGNMENTS} + 1 WHERE id = '{id}';
         INSERT INTO integrations (tenant_id, workspace_id, provider, plain, version)
         SELECT '{id}', id, 'twilio', 'AC' || lpad(to_hex(number), 32, '0'), 1 FROM workspaces WHERE tenant_id = '{id}' AND number < 300",
        id = acme.id
    );
    app.database.admin().batch_execute(&format!("{crowd};{more}")).unwrap();
    let (text, counts) = exported(app, &acme).await;
    assert_eq!((counts.workspaces, counts.integrations), (u64::from(ASSIGNMENTS) + 1, 299));
    (acme, lines(&text))
}

#[tokio::test]
async fn a_bad_line_anywhere_in_a_batch_is_named_and_leaves_nothing() {
    let app = patient().await;
    let (_, good) = crowded(&app).await;
    let beta = app.tenant("Beta").await;
    let mut rows = Rows::of(&app.database);
    let before = rows.all();
    let unused = json!(tenantry_persistence::new_id::<()>().to_string());
    let kinds = ["workspace", "integration", "usage_entry", "member"];
    let [workspaces, integrations, entries, members] = kinds.map(|kind| places(&good, kind));
    let twice = |at: &[usize], nth: usize| (at[nth], "id", good[at[nth - 1]]["id"].clone());
    let mut bad = vec![
        (integrations[150], "workspaceId", unused.clone(), "is not the id of an earlier workspace"),
        (entries[3], "workspaceId", unused.clone(), "is not the id of an earlier workspace"),
    ];
    for (at, what, places) in [
        (&workspaces, "is the id of an earlier workspace", vec![1, ROWS]),
        (&entries, "is the id of an earlier entry", vec![ROWS - 1, ROWS, ROWS + 1, entries.len() - 1]),
        (&members, "is the id of an earlier member", vec![ROWS + 1]),
    ] {
        for nth in places {
            let (line, field, value) = twice(at, nth);
            bad.push((line, field, value, what));
        }
    }
    for (line, field, value, expected) in bad {
        let mut changed = good.clone();
        changed[line][field] = value;
        let expected = format!("line {} {field}: {expected}", line + 1);
        let refused = refusals(import(&app, &beta, &text(&changed)).await.unwrap_err());
        assert_eq!(refused, expected);
        // What is wrong with a later line is seen before that, and said after it.
        changed[line + 1]["type"] = json!("nothing");
        let refused = refusals(import(&app, &beta, &text(&changed)).await.unwrap_err());
        assert_eq!(refused, expected);
    }
    // Of two that the database refuses, of kinds that are stored one after the other, the first.
    let mut changed = good.clone();
    changed[integrations[3]]["workspaceId"] = unused;
    let later = workspaces.iter().position(|at| *at > integrations[3] + 1).unwrap();
    changed[workspaces[later]]["id"] = good[workspaces[0]]["id"].clone();
    let refused = refusals(import(&app, &beta, &text(&changed)).await.unwrap_err());
    assert_eq!(refused, format!("line {} workspaceId: is not the id of an earlier workspace", integrations[3] + 1));
    assert_eq!(rows.all(), before);
}

#[tokio::test]
async fn as_many_rows_as_there_are_come_in_whatever_their_number() {
    let app = patient().await;
    let (_, good) = crowded(&app).await;
    for (kind, table, kept) in
        [("usage_entry", "usage_entries", vec![0, 1, ROWS, ROWS + 1, 2 * ROWS]), ("member", "members", vec![ROWS])]
    {
        let places = places(&good, kind);
        for many in kept {
            let less: Vec<Value> = good
                .iter()
                .enumerate()
                .filter(|(at, _)| !places[many..].contains(at))
                .map(|(_, line)| line.clone())
                .collect();
            let beta = app.tenant("Beta").await;
            import(&app, &beta, &text(&less)).await.unwrap();
            let count = format!("SELECT FROM {table} WHERE tenant_id = '{}'", beta.id);
            assert_eq!(app.database.rows(&count), many as i64, "{kind}");
        }
    }
    let beta = app.tenant("Beta").await;
    import(&app, &beta, &text(&good)).await.unwrap();
    let again = lines(&exported(&app, &beta).await.0);
    for kind in ["brand", "workspace", "integration", "usage_entry", "member"] {
        let [before, after] = [&good, &again]
            .map(|lines| places(lines, kind).into_iter().map(|at| lines[at].clone()).collect::<Vec<_>>());
        assert!(before == after && !before.is_empty(), "{kind}");
    }
    let most = good.iter().filter_map(|line| line["assignments"].as_array()).map(Vec::len).max();
    assert!(most > Some(ASSIGNMENTS as usize));
}
