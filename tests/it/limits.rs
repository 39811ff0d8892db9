//! Limits of a workspace: whose they are, what they hold back, and what they leave alone.

mod members;

use diesel::connection::SimpleConnection;
use insta::assert_snapshot;
use serde_json::{Value, json};
use tenantry_tests::{Answer, App, Tenant, view};

fn path(workspace: &str) -> String {
    format!("/api/workspaces/{workspace}/limits")
}

/// Caps the tenant, as the platform does.
fn cap(app: &App, tenant: &Tenant, column: &str, number: impl std::fmt::Display) {
    let sql = format!("UPDATE tenants SET {column} = {number} WHERE id = '{}'", tenant.id);
    app.database.admin().batch_execute(&sql).unwrap();
}

async fn limit(tenant: &Tenant, workspace: &str, limits: Value) -> Answer {
    tenant.owner.patch(&path(workspace), limits).await.expect(200)
}

#[tokio::test]
async fn the_smaller_limit_is_in_force_and_each_says_whose_it_is() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (id, other) = (acme.workspace("DACH").await, acme.workspace("Other").await);
    let open = json!({ "own": null, "tenant": null, "effective": null, "source": "none", "used": 0 });
    let shown = acme.owner.get(&path(&id)).await.expect(200);
    assert_snapshot!("limits", view(&shown, &[("workspace", &id), ("this month", &shown.text_of("month"))]));
    for (member, column, own) in [
        ("members", "max_members", "maxMembers"),
        ("agents", "max_agents", "maxAgents"),
        ("minutes", "max_minutes", "maxMinutes"),
    ] {
        let expected = |own: Value, tenant: Value, effective: Value, source: &str| json!({ "own": own, "tenant": tenant, "effective": effective, "source": source, "used": 0 });
        cap(&app, &acme, column, 5);
        assert_eq!(acme.owner.get(&path(&id)).await.body[member], expected(json!(null), json!(5), json!(5), "tenant"));
        for (set, effective, source) in [
            (json!(3), json!(3), "workspace"),
            (json!(0), json!(0), "workspace"),
            (json!(7), json!(5), "tenant"),
            (json!(5), json!(5), "workspace"),
        ] {
            let changed = limit(&acme, &id, json!({ own: set })).await.body;
            assert_eq!(changed[member], expected(set, json!(5), effective.clone(), source));
            assert_eq!(acme.owner.get(&path(&id)).await.expect(200).body, changed);
            let in_force = acme.owner.get(&format!("/api/workspaces/{id}/effective")).await.expect(200).body;
            assert_eq!(in_force["limits"][own], json!({ "value": effective, "source": source }));
        }
        cap(&app, &acme, column, "NULL");
        assert_eq!(
            acme.owner.get(&path(&id)).await.body[member],
            expected(json!(5), json!(null), json!(5), "workspace")
        );
        assert_eq!(limit(&acme, &id, json!({ own: null })).await.body[member], open, "null takes it off");
        let in_force = acme.owner.get(&format!("/api/workspaces/{id}/effective")).await.expect(200).body;
        assert_eq!(in_force["limits"][own], json!({ "value": null, "source": "none" }));
    }
    limit(&acme, &id, json!({ "maxMembers": 1, "maxAgents": 2, "maxMinutes": 3, "timeZone": "Europe/Berlin" })).await;
    let untouched = acme.owner.get(&path(&other)).await.expect(200).body;
    assert_eq!((&untouched["agents"], &untouched["timeZone"]), (&open, &json!("UTC")), "each workspace has its own");
}

#[tokio::test]
async fn what_is_used_is_counted() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("DACH").await;
    acme.member(tenantry_domain::Role::Agent, &[&id]).await;
    acme.invitation(&tenantry_tests::new_email(), json!({ "workspaceIds": [id] })).await;
    acme.agent(&id, json!({})).await;
    acme.agent(&id, json!({ "status": "paused" })).await;
    acme.agent(&acme.workspace("Other").await, json!({})).await;
    let usage = json!({ "seconds": 61, "reference": "call" });
    acme.owner.post(&format!("/api/workspaces/{id}/usage"), usage).await.expect(201);
    let old = json!({ "seconds": 6_000, "reference": "old", "usedAt": "2025-01-01T00:00:00Z" });
    acme.owner.post(&format!("/api/workspaces/{id}/usage"), old).await.expect(201);
    let shown = acme.owner.get(&path(&id)).await.expect(200).body;
    let used = ["members", "agents", "minutes"].map(|member| shown[member]["used"].clone());
    assert_eq!(json!(used), json!([2, 2, 2]), "the invited, the paused, and the minute that has begun");
}

#[tokio::test]
async fn what_is_no_limit_is_refused_with_the_members_name() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("DACH").await;
    for member in ["maxMembers", "maxAgents", "maxMinutes"] {
        for good in [json!(0), json!(5.0), json!(1_000_000), json!(null)] {
            limit(&acme, &id, json!({ member: good })).await;
        }
        for (bad, code) in [
            (json!(-1), "out_of_range"),
            (json!(1_000_001), "out_of_range"),
            (json!(i64::MIN), "out_of_range"),
            (json!(u64::MAX), "out_of_range"),
            (json!(1.5), "wrong_type"),
            (json!("5"), "wrong_type"),
            (json!(true), "wrong_type"),
            (json!([5]), "wrong_type"),
        ] {
            let refused = acme.owner.patch(&path(&id), json!({ member: bad })).await.expect(422);
            assert_eq!(refused.refused(), [(member.to_owned(), code.to_owned())], "{bad}");
        }
    }
    for (bad, code) in [
        (json!("europe/berlin"), "wrong_case"),
        (json!("Europe/Atlantis"), "unknown_time_zone"),
        (json!("CEST"), "unknown_time_zone"),
        (json!("+01:00"), "unknown_time_zone"),
        (json!(""), "empty"),
        (json!("x".repeat(61)), "too_long"),
        (json!(null), "null"),
        (json!(1), "wrong_type"),
    ] {
        let refused = acme.owner.patch(&path(&id), json!({ "timeZone": bad })).await.expect(422);
        assert_eq!(refused.refused(), [("timeZone".to_owned(), code.to_owned())], "{bad}");
    }
    let all = json!({ "maxMembers": -1, "timeZone": "x", "maxWorkspaces": 5 });
    let refused = acme.owner.patch(&path(&id), all).await.expect(422);
    let fields: Vec<_> = refused.refused().into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["maxMembers", "maxWorkspaces", "timeZone"], "all at once; how many workspaces is the tenant's");
    assert!(
        acme.owner.patch(&path(&id), json!({ "timeZone": "UTC" })).await.expect(200).body["members"]["own"].is_null()
    );
}

#[tokio::test]
async fn limits_have_a_version_of_their_own() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("DACH").await;
    let workspace = format!("/api/workspaces/{id}");
    let (before, seen) = (acme.owner.get(&workspace).await.expect(200), acme.owner.get(&path(&id)).await.expect(200));
    let patch_if = async |tag: &str, body: Value| {
        acme.owner.send(acme.owner.request("PATCH", &path(&id)).header("If-Match", tag).json(&body)).await
    };
    let changed = patch_if(seen.etag(), json!({ "maxAgents": 3 })).await.expect(200);
    assert_ne!(changed.etag(), seen.etag());
    patch_if(seen.etag(), json!({ "maxAgents": 4 })).await.expect(412);
    let same = limit(&acme, &id, json!({ "maxAgents": 3 })).await;
    assert_eq!((same.etag(), &same.body), (changed.etag(), &changed.body), "a patch that changes nothing");
    let after = acme.owner.get(&workspace).await.expect(200);
    assert_eq!((after.etag(), &after.body), (before.etag(), &before.body), "the workspace itself is as it was");
    // A change of what is used is seen, and stands in nobody's way.
    acme.agent(&id, json!({})).await;
    let used = acme.owner.get(&path(&id)).await.expect(200);
    assert_ne!(used.etag(), changed.etag());
    patch_if(changed.etag(), json!({ "maxAgents": 5 })).await.expect(200);
    // Nor does a change of the workspace touch the limits.
    acme.owner.patch(&workspace, json!({ "name": "DACH Region" })).await.expect(200);
    let kept = acme.owner.get(&path(&id)).await.expect(200).body;
    assert_eq!(kept["agents"]["own"], 5);
    // A workspace that is deleted has none, and the same ones again when it is restored.
    acme.owner.delete(&workspace).await.expect(204);
    acme.owner.get(&path(&id)).await.expect(404);
    acme.owner.patch(&path(&id), json!({ "maxAgents": 9 })).await.expect(404);
    acme.owner.post(&format!("{workspace}/restore"), json!({})).await.expect(200);
    assert_eq!(acme.owner.get(&path(&id)).await.expect(200).body, kept);
}

#[tokio::test]
async fn the_tenant_shows_what_holds_in_each_of_its_workspaces() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let limits = async || acme.owner.get("/api/tenant").await.expect(200).body["limits"].clone();
    let open = json!({ "maxWorkspaces": null, "maxMembers": null, "maxAgents": null, "maxMinutes": null, "maxPendingInvitations": null, "maxEmailsPerDay": null, "maxEmailsPerRecipient": null, "requestsPerSecond": null, "requestBurst": null });
    assert_eq!(limits().await, open);
    for (number, column) in [
        "max_workspaces",
        "max_members",
        "max_agents",
        "max_minutes",
        "max_pending_invitations",
        "max_emails_per_day",
        "max_emails_per_recipient",
        "requests_per_second",
        "request_burst",
    ]
    .into_iter()
    .enumerate()
    {
        cap(&app, &acme, column, number);
    }
    let set = json!({ "maxWorkspaces": 0, "maxMembers": 1, "maxAgents": 2, "maxMinutes": 3, "maxPendingInvitations": 4, "maxEmailsPerDay": 5, "maxEmailsPerRecipient": 6, "requestsPerSecond": 7, "requestBurst": 8 });
    assert_eq!(limits().await, set);
}

#[tokio::test]
async fn who_is_restricted_to_a_workspace_sees_its_limits_and_does_not_set_them() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let id = acme.workspace("DACH").await;
    let scopes = ["workspaces:read", "workspaces:write"];
    let key = acme.key(&scopes, json!({ "workspaceId": id })).await;
    key.get(&path(&id)).await.expect(200);
    key.patch(&path(&id), json!({ "maxAgents": null })).await.expect(403);
    acme.key(&scopes, json!({ "brandId": acme.brand }))
        .await
        .patch(&path(&id), json!({ "maxAgents": 1 }))
        .await
        .expect(200);
    let (_, agent) = acme.member(tenantry_domain::Role::Agent, &[&id]).await;
    agent.get(&path(&id)).await.expect(200);
    agent.patch(&path(&id), json!({ "maxAgents": null })).await.expect(403);
    assert_eq!(acme.owner.get(&path(&id)).await.body["agents"]["own"], 1);
}
