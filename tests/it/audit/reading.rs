//! The audit log as its tenant reads it.

use insta::assert_snapshot;
use serde_json::{Value, json};
use tenantry_domain::Role;
use tenantry_tests::{App, Client, Tenant, view};

const NDJSON: &str = "application/x-ndjson";

async fn events(client: &Client, query: &str) -> Vec<Value> {
    client.get(&format!("/api/audit-events{query}")).await.expect(200).body["data"].as_array().unwrap().clone()
}

fn actions(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["action"].as_str().unwrap()).collect()
}

/// A tenant in which three things happened after it was created: by its key, by a member, and by an operator.
async fn with_a_past(app: &App) -> (Tenant, String, String) {
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("DACH").await;
    let (member, admin) = acme.member(Role::Admin, &[]).await;
    admin.patch(&format!("/api/workspaces/{id}"), json!({ "name": "DACH Region" })).await.expect(200);
    (acme, id, member)
}

#[tokio::test]
async fn an_event_says_who_did_what_to_what_when_for_which_request_and_what_changed() {
    let app = App::start().await;
    let (acme, id, member) = with_a_past(&app).await;
    let log = acme.owner.get("/api/audit-events").await.expect(200);
    let (me, tenant) = (acme.owner.get("/api/me").await.expect(200), acme.id.to_string());
    let of_member = |field: &str| log.body["data"][1]["changes"][field]["after"].as_str().unwrap();
    let named = [
        ("tenant", tenant.as_str()),
        ("brand", &acme.brand),
        ("workspace", &id),
        ("member", &member),
        ("email", of_member("email")),
        ("subject", of_member("subject")),
        ("key", me.body["apiKey"]["id"].as_str().unwrap()),
    ];
    assert_snapshot!("events", view(&log, &named));
}

#[tokio::test]
async fn the_log_is_filtered_by_actor_action_subject_and_period() {
    let app = App::start().await;
    let (acme, id, member) = with_a_past(&app).await;
    let list = async |query: &str| {
        let found = events(&acme.owner, query).await;
        actions(&found).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(list(&format!("?actorId={member}")).await, ["workspace.update"]);
    assert_eq!(list("?actorType=operator").await, ["member.create", "tenant.create"]);
    assert_eq!(list("?actorId=test&actorType=operator&action=tenant.create").await, ["tenant.create"]);
    assert_eq!(list("?action=workspace.create").await, ["workspace.create"]);
    assert_eq!(list(&format!("?subjectId={id}")).await, ["workspace.update", "workspace.create"]);
    assert_eq!(list(&format!("?subjectId={id}&sort=occurredAt")).await, ["workspace.create", "workspace.update"]);
    assert_eq!(list("?subjectType=member").await, ["member.create"]);
    assert_eq!(list("?action=workspace.delete").await, Vec::<String>::new());
    let all = events(&acme.owner, "").await;
    let time = |at: usize| all[at]["occurredAt"].as_str().unwrap().to_owned();
    // Times are shown to the millisecond and kept more exactly.
    let after = list(&format!("?from={}", time(0))).await;
    assert_eq!(after[0], "workspace.update");
    assert_eq!(list("?from=2999-01-01T00:00:00Z").await, Vec::<String>::new());
    assert_eq!(list("?until=2999-01-01T00:00:00%2B01:00").await.len(), 4);
    assert_eq!(list("?until=2000-01-01T00:00:00Z").await, Vec::<String>::new());
    let bad = "?from=yesterday&until=1&subjectId=x&sort=name&limit=0";
    let refused = acme.owner.get(&format!("/api/audit-events{bad}")).await.expect(422);
    let fields: Vec<_> = refused.refused().into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["from", "limit", "sort", "subjectId", "until"]);
}

#[tokio::test]
async fn the_log_is_read_page_by_page_without_gap_or_repetition() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    for n in 0..7 {
        acme.workspace(&format!("Workspace {n}")).await;
    }
    for sort in ["occurredAt", "-occurredAt"] {
        let whole = events(&acme.owner, &format!("?sort={sort}")).await;
        let (mut pages, mut next) = (Vec::new(), format!("?sort={sort}&limit=3"));
        loop {
            let page = acme.owner.get(&format!("/api/audit-events{next}")).await.expect(200);
            pages.extend(page.body["data"].as_array().unwrap().clone());
            let Some(cursor) = page.body["nextCursor"].as_str() else { break };
            next = format!("?sort={sort}&limit=3&cursor={cursor}");
        }
        assert_eq!(pages, whole);
        assert_eq!(whole.len(), 8);
    }
}

#[tokio::test]
async fn the_log_is_exported_as_lines_and_says_where_the_next_are() {
    let app = App::start().await;
    let (acme, ..) = with_a_past(&app).await;
    let whole = events(&acme.owner, "").await;
    let (mut lines, mut path) = (Vec::new(), "/api/audit-events/export?limit=3".to_owned());
    loop {
        let page = acme.owner.get(&path).await.expect(200);
        assert_eq!(page.header("content-type"), NDJSON);
        assert!(page.text.ends_with('\n'));
        lines.extend(page.text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
        let Some(next) = page.header("link").strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\""))
        else {
            break;
        };
        path = next.to_owned();
    }
    assert_eq!(lines, whole);
    // Each path has one form.
    for (path, accept, kind) in
        [("/api/audit-events", NDJSON, "application/json"), ("/api/audit-events/export", "application/json", NDJSON)]
    {
        let request = acme.owner.request("GET", path).header("Accept", accept);
        assert_eq!(acme.owner.send(request).await.expect(200).header("content-type"), kind, "{path}");
    }
    let filtered = acme.owner.get("/api/audit-events/export?action=workspace.create").await.expect(200);
    assert_eq!((filtered.text.lines().count(), filtered.header("link")), (1, ""));
    assert_eq!(acme.owner.get("/api/audit-events/export?action=workspace.delete").await.expect(200).text, "");
    acme.owner.get("/api/audit-events/export?action=").await.expect(422);
}

#[tokio::test]
async fn a_tenant_reads_its_own_log_and_no_other() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let id = acme.workspace("Acme's own").await;
    for query in ["", "?actorId=test", "?action=workspace.create", &format!("?subjectId={id}")] {
        let found = events(&beta.owner, query).await;
        assert!(!json!(found).to_string().contains(&acme.id.to_string()), "{query}");
        assert!(!json!(found).to_string().contains("Acme"), "{query}");
        let lines = beta.owner.get(&format!("/api/audit-events/export{query}")).await.expect(200).text;
        assert!(!lines.contains(&acme.id.to_string()) && !lines.contains("Acme"), "{query}");
        assert_eq!(lines.lines().count(), found.len(), "{query}");
    }
    assert_eq!(events(&beta.owner, "").await.len(), 1);
    for role in [Role::Billing, Role::Agent, Role::Observer] {
        let member = acme.member(role, &[]).await.1;
        member.get("/api/audit-events").await.expect(403);
        member.get("/api/audit-events/export").await.expect(403);
    }
    acme.key(&["tenant:read"], json!({})).await.get("/api/audit-events").await.expect(403);
    acme.key(&["audit:read"], json!({})).await.get("/api/audit-events").await.expect(200);
}

#[tokio::test]
async fn nothing_changes_the_log() {
    let app = App::start().await;
    let (acme, ..) = with_a_past(&app).await;
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        acme.owner.send(acme.owner.request(method, "/api/audit-events")).await.expect(405);
    }
    let mut service = app.database.service();
    for statement in ["UPDATE audit_events SET action = 'x'", "DELETE FROM audit_events", "TRUNCATE audit_events"] {
        let sql = format!("BEGIN; SELECT set_tenant('{}'); {statement}; COMMIT", acme.id);
        let refused = diesel::connection::SimpleConnection::batch_execute(&mut service, &sql).unwrap_err();
        assert!(refused.to_string().contains("permission denied"), "{statement}: {refused}");
        diesel::connection::SimpleConnection::batch_execute(&mut service, "ROLLBACK").unwrap();
    }
    assert_eq!(events(&acme.owner, "").await.len(), 4);
}
