//! What is over is deleted after a time: what the operator said, as much as that, of every tenant alike, and nothing else.

use std::{fs, path::Path};

use chrono::TimeDelta;
use diesel::connection::SimpleConnection;
use serde_json::json;
use tenantry_domain::Retention;
use tenantry_operations::{
    housekeeping,
    mail::{MailOptions, Mailer, Signatures},
    outbox::{Sender, deliver_due},
};
use tenantry_persistence::{Ended, Pruner};
use tenantry_tests::{App, Tenant, new_email};

/// Ten days for everything.
fn ten_days() -> Retention {
    let days = TimeDelta::days(10);
    Retention {
        audit_events: Some(days),
        outbox: days,
        invitations: Some(days),
        api_keys: Some(days),
        webhook_deliveries: days,
    }
}

fn behind_the_back(app: &App, sql: &str) {
    app.database.admin().batch_execute(sql).unwrap();
}

/// What is deleted without the owner, in rows of each kind.
async fn prune(app: &App, retention: Retention) -> Vec<u64> {
    let counted = housekeeping::prune(&app.store, &retention, true).await.unwrap();
    let pruned = housekeeping::prune(&app.store, &retention, false).await.unwrap();
    assert_eq!(counted, pruned, "a dry run counts what is then deleted");
    pruned.into_iter().map(|(_, rows)| rows).collect()
}

/// The same of the owner, in one tenant.
fn prune_as_owner(app: &App, tenant: &Tenant, kind: Ended) -> usize {
    let mut pruner = Pruner::connect(&app.database.owner_url()).unwrap();
    let kept = kind.kept(&ten_days()).unwrap();
    let counted = pruner.count(tenant.id, kind, kept).unwrap();
    let pruned = pruner.prune(tenant.id, kind, kept).unwrap();
    assert_eq!(pruner.count(tenant.id, kind, kept).unwrap(), counted - i64::try_from(pruned).unwrap());
    pruned
}

#[tokio::test]
async fn invitations_that_are_over_go_after_their_time_and_those_that_are_not_stay() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let workspace = acme.workspace("DACH").await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(acme.invitation(&new_email(), json!({ "workspaceIds": [workspace] })).await);
    }
    ids.push(beta.invitation(&new_email(), json!({})).await);
    let over = |id: &str, column: &str, days: u32| {
        behind_the_back(
            &app,
            &format!("UPDATE invitations SET {column} = now() - interval '{days} days' WHERE id = '{id}'"),
        );
    };
    over(&ids[0], "accepted_at", 11);
    over(&ids[1], "revoked_at", 11);
    over(&ids[2], "expires_at", 11);
    over(&ids[3], "revoked_at", 9);
    over(&ids[5], "expires_at", 11);
    assert_eq!(prune(&app, Retention { invitations: None, ..ten_days() }).await, [0, 0, 0, 0, 0]);
    assert_eq!(prune(&app, ten_days()).await, [0, 0, 4, 0, 0, 0]);
    assert_eq!(prune(&app, ten_days()).await, [0, 0, 0, 0, 0, 0]);
    let left = acme.owner.get("/api/invitations").await.expect(200).body["data"].clone();
    let left: Vec<_> = left.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(left, [ids[3].as_str(), ids[4].as_str()]);
    assert_eq!(app.database.rows("SELECT FROM invitation_workspaces"), 2);
}

#[tokio::test]
async fn deliveries_that_nobody_makes_go_with_those_that_are_over() {
    let app = App::start().await;
    let (acme, beta, gamma) = (app.tenant("Acme").await, app.tenant("Beta").await, app.tenant("Gamma").await);
    for tenant in [&acme, &beta, &gamma] {
        let wanted = json!({ "url": "https://example.com/told", "events": ["brand.create"] });
        let webhook = tenant.owner.post("/api/webhooks", wanted).await.expect(201).id();
        for _ in 0..2 {
            tenant.owner.post(&format!("/api/webhooks/{webhook}/test"), json!({})).await.expect(202);
        }
    }
    behind_the_back(
        &app,
        &format!(
            "UPDATE webhook_deliveries SET updated_at = now() - interval '11 days'
             WHERE event_id IN (SELECT max(event_id::text)::uuid FROM webhook_deliveries GROUP BY tenant_id);
             UPDATE webhooks SET enabled = false, disabled_reason = 'failing' WHERE tenant_id = '{}';
             UPDATE tenants SET suspended_at = now() WHERE id = '{}'",
            beta.id, gamma.id
        ),
    );
    assert_eq!(prune(&app, ten_days()).await, [0, 0, 0, 0, 0, 2]);
    let left = |tenant: &Tenant| {
        app.database.rows(&format!("SELECT FROM webhook_deliveries WHERE tenant_id = '{}'", tenant.id))
    };
    assert_eq!((left(&acme), left(&beta), left(&gamma)), (2, 1, 1), "those of Acme still go");
}

#[tokio::test]
async fn audit_events_and_keys_are_the_owners_to_delete_in_one_tenant_at_a_time() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    for tenant in [&acme, &beta] {
        for _ in 0..3 {
            tenant.key(&["tenant:read"], json!({})).await;
        }
    }
    behind_the_back(
        &app,
        "INSERT INTO audit_events (tenant_id, id, action, actor_type, actor_id, subject_type, subject_id, changes, occurred_at)
         SELECT tenants.id, event_id(gen_random_uuid(), now() - interval '11 days'), 'brand.update', 'job', 'old', 'brand',
                gen_random_uuid(), '{}', now() - interval '11 days' FROM tenants, generate_series(1, 2500);
         UPDATE api_keys SET revoked_at = now() - interval '11 days'
         WHERE id IN (SELECT max(id::text)::uuid FROM api_keys GROUP BY tenant_id);
         UPDATE api_keys SET expires_at = now() - interval '9 days'
         WHERE id IN (SELECT min(id::text)::uuid FROM api_keys WHERE name = 'A key' GROUP BY tenant_id)",
    );
    let old = |tenant: &Tenant| {
        app.database.rows(&format!("SELECT FROM audit_events WHERE actor_id = 'old' AND tenant_id = '{}'", tenant.id))
    };
    let keys = |tenant: &Tenant| app.database.rows(&format!("SELECT FROM api_keys WHERE tenant_id = '{}'", tenant.id));
    let young = app.database.rows("SELECT FROM audit_events WHERE actor_id <> 'old'");
    assert_eq!(prune_as_owner(&app, &acme, Ended::AuditEvents), 2_500, "in several transactions");
    assert_eq!((old(&acme), old(&beta)), (0, 2_500));
    assert_eq!(app.database.rows("SELECT FROM audit_events WHERE actor_id <> 'old'"), young);
    assert_eq!(prune_as_owner(&app, &acme, Ended::ApiKeys), 1);
    assert_eq!((keys(&acme), keys(&beta)), (3, 4));
    // The role of the service may do neither.
    for table in ["audit_events", "api_keys"] {
        let sql = format!("SELECT set_tenant('{}'); DELETE FROM {table} WHERE tenant_id = '{}'", beta.id, beta.id);
        let refused = app.database.service().batch_execute(&format!("BEGIN; {sql}")).unwrap_err();
        assert!(refused.to_string().contains("permission denied"), "{refused}");
    }
}

#[tokio::test]
async fn a_key_to_which_something_refers_stays_and_holds_up_no_other() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (_, named) = acme.key_with_id(&["tenant:read"], json!({})).await;
    acme.key(&["tenant:read"], json!({})).await;
    behind_the_back(
        &app,
        &format!(
            "CREATE TABLE uses (tenant_id uuid, key uuid, FOREIGN KEY (tenant_id, key) REFERENCES api_keys (tenant_id, id));
             INSERT INTO uses VALUES ('{}', '{named}');
             UPDATE api_keys SET revoked_at = now() - interval '11 days' WHERE name = 'A key'",
            acme.id
        ),
    );
    assert_eq!(prune_as_owner(&app, &acme, Ended::ApiKeys), 1);
    assert_eq!(app.database.rows(&format!("SELECT FROM api_keys WHERE id = '{named}'")), 1);
    assert_eq!(prune_as_owner(&app, &acme, Ended::ApiKeys), 0);
}

/// The names of the files in a directory.
fn files(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_saved_email_goes_with_its_message_and_so_with_its_tenant_workspace_and_invitation() {
    let (app, place) = (App::start().await, tempfile::tempdir().unwrap());
    let directory = place.path().join("mail");
    let mailer = Mailer::new(&MailOptions::Files(directory.clone())).unwrap();
    assert_eq!(housekeeping::sweep_mail(&app.store, &mailer, false).await.unwrap(), 0, "there is no directory yet");
    let (acme, beta, gamma) = (app.tenant("Acme").await, app.tenant("Beta").await, app.tenant("Gamma").await);
    let workspace = beta.workspace("DACH").await;
    acme.invitation("kept@example.com", json!({})).await;
    acme.invitation("pruned@example.com", json!({})).await;
    beta.invitation("workspace@example.com", json!({ "workspaceIds": [workspace] })).await;
    gamma.invitation("tenant@example.com", json!({})).await;
    let sender = Sender {
        mailer: mailer.clone(),
        from_address: "no-reply@service.example".parse().unwrap(),
        link: "https://app.example.com/join#{token}".parse().unwrap(),
        signatures: Signatures::default(),
        reply_to_inviter: false,
    };
    assert_eq!(deliver_due(&app.store, &sender, || true).await.unwrap().sent, 4);
    fs::write(directory.join("notes.eml"), "somebody's own").unwrap();
    let unfinished = directory.join(".0193.unfinished");
    fs::write(&unfinished, "half of an em").unwrap();
    let young = directory.join(".0194.unfinished");
    fs::write(&young, "just begun").unwrap();
    let hours_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(2 * 60 * 60);
    fs::File::options().write(true).open(&unfinished).unwrap().set_modified(hours_ago).unwrap();
    assert_eq!(housekeeping::sweep_mail(&app.store, &mailer, true).await.unwrap(), 1);
    assert_eq!(files(&directory).len(), 7, "a dry run deletes nothing");
    assert_eq!(housekeeping::sweep_mail(&app.store, &mailer, false).await.unwrap(), 1);
    assert!(!unfinished.exists() && young.exists());
    behind_the_back(
        &app,
        &format!(
            "UPDATE outbox_messages SET created_at = created_at - interval '31 days', updated_at = updated_at - interval '31 days'
             WHERE subject_id IN (SELECT id FROM invitations WHERE email_key <> 'kept@example.com');
             UPDATE workspaces SET deleted_at = now() - interval '31 days' WHERE id = '{workspace}';
             UPDATE tenants SET deleted_at = now() - interval '31 days' WHERE id = '{}'",
            gamma.id
        ),
    );
    // One at a time, each by what ends it.
    housekeeping::erase_deleted_workspaces(&app.store).await.unwrap();
    assert_eq!(housekeeping::sweep_mail(&app.store, &mailer, false).await.unwrap(), 1, "the workspace's");
    let mut eraser = tenantry_persistence::Eraser::connect(&app.database.owner_url()).unwrap();
    assert!(eraser.erase(gamma.id).unwrap().is_some());
    assert_eq!(housekeeping::sweep_mail(&app.store, &mailer, false).await.unwrap(), 1, "the tenant's");
    prune(&app, Retention::default()).await;
    assert_eq!(housekeeping::sweep_mail(&app.store, &mailer, false).await.unwrap(), 1, "that of the message");
    let left = files(&directory);
    assert!(left.len() == 3 && left.contains(&"notes.eml".to_owned()), "{left:?}");
    let kept = left.iter().find(|name| name.ends_with(".eml") && *name != "notes.eml").unwrap();
    assert!(fs::read_to_string(directory.join(kept)).unwrap().contains("kept@example.com"));
}
