//! A frozen tenant is read and not written, whoever tries and whichever way; and what was let in before is stored when the freeze returns.

use std::collections::{BTreeMap, HashSet};

use diesel::{PgConnection, connection::SimpleConnection};
use serde_json::{Value, json};
use tenantry_domain::{
    Action, Credential, Error, Holder, Invitee, Origin, Person, Platform, Retention, Role, TenantId, TrustedFor,
};
use tenantry_operations::{housekeeping, invitations, providers::Timeouts, tenants};
use tenantry_persistence::{Ended, PoolOptions, Pruner, Store};
use tenantry_tests::{App, Client, Operation, Rows, Target, Tenant, TestDatabase, difference, lines, master_keys};
use tokio::task::JoinHandle;

async fn change(app: &App, tenant: &Tenant, verb: &str) -> Value {
    let path = format!("/api/admin/tenants/{}/{verb}", tenant.id);
    app.platform().post(&path, json!({})).await.expect(200).body
}

/// Every operation that writes in a tenant, with what it is to be sent and to whom it is allowed.
async fn writes(tenant: &Tenant) -> Vec<(Operation, String, Option<Value>, Client)> {
    let person = tenant.member(Role::Owner, &[]).await.1;
    let mut writes = Vec::new();
    // What they need besides is in the tests below and of providers.
    let elsewhere = [Some(Action::IntegrationVerify), Some(Action::InvitationAccept)];
    for operation in Operation::all() {
        if !operation.writes() || operation.is_of_the_platform() || elsewhere.contains(&operation.action()) {
            continue;
        }
        let mut target = Target::of(tenant).await;
        let (path, body) = (target.path(&operation).await, target.body(&operation).await);
        let client = if operation.needs_a_person() { person.clone() } else { tenant.owner.clone() };
        if operation.credentials().iter().all(|way| *way == "serviceKey") {
            continue;
        }
        writes.push((operation, path, body, client));
    }
    writes
}

#[tokio::test]
async fn a_frozen_tenant_refuses_every_write_of_both_dialects_and_answers_every_read() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let writes = writes(&acme).await;
    assert!(writes.len() > 40 && writes.iter().filter(|(one, ..)| one.is_of_the_dialect()).count() > 4);
    let mut target = Target::of(&acme).await;
    let mut reads = Vec::new();
    for operation in Operation::all() {
        if !operation.writes() && operation.needs_credential() && !operation.is_of_the_platform() {
            reads.push((target.path(&operation).await, operation));
        }
    }
    let mut before = BTreeMap::new();
    for (path, operation) in &reads {
        let client = if operation.needs_a_person() { &writes[0].3 } else { &acme.owner };
        before.insert(path, client.get(path).await.status);
    }
    app.store.write_notes().await;
    let frozen = change(&app, &acme, "freeze").await;
    assert!(frozen["frozenAt"].is_string() && frozen["state"] == "active", "{frozen}");
    let mut rows = Rows::of(&app.database);
    let there = rows.of_tenant(acme.id);
    for (operation, path, body, client) in &writes {
        let refused = operation.send(client, path, body.as_ref()).await;
        assert_eq!((refused.status, refused.header("retry-after")), (503, "2"), "{operation}: {}", refused.text);
        if operation.is_of_the_dialect() {
            assert_eq!((&refused.body["status"], &refused.body["code"]), (&json!(false), &Value::Null));
            assert!(refused.text_of("error").contains("being moved"), "{operation}: {}", refused.text);
        } else {
            assert_eq!(refused.body["code"], "tenant_frozen", "{operation}");
        }
    }
    for (path, operation) in &reads {
        let client = if operation.needs_a_person() { &writes[0].3 } else { &acme.owner };
        assert_eq!(client.get(path).await.status, before[path], "{path}");
    }
    // Who may not do it anyway does not learn of it, and what a key did is not written down.
    let stranger = acme.owner.with_key(beta.owner.key());
    stranger.patch(&format!("/api/brands/{}", acme.brand), json!({ "name": "X" })).await.expect(404);
    app.store.write_notes().await;
    assert_eq!(difference(&there, &rows.of_tenant(acme.id)), Vec::<String>::new());
    let one = format!("/api/admin/tenants/{}", acme.id);
    let refused = app.platform().patch(&one, json!({ "maxWorkspaces": 3 })).await.expect(503);
    assert_eq!(refused.body["code"], "tenant_frozen");
    beta.workspace("Others go on").await;
    for verb in ["suspend", "reactivate", "freeze"] {
        change(&app, &acme, verb).await;
    }
    assert_eq!(change(&app, &acme, "freeze").await["frozenAt"], frozen["frozenAt"], "it stays so");
    assert!(change(&app, &acme, "unfreeze").await["frozenAt"].is_null());
    acme.workspace("Again").await;
}

#[tokio::test]
async fn freezing_is_in_the_log_and_counts_no_version_and_a_deleted_tenant_is_not_frozen() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let before = change(&app, &acme, "reactivate").await;
    let frozen = change(&app, &acme, "freeze").await;
    assert_eq!((&frozen["version"], &frozen["updatedAt"]), (&before["version"], &before["updatedAt"]));
    change(&app, &acme, "unfreeze").await;
    let log = acme.owner.get("/api/audit-events?action=tenant.freeze").await.expect(200).body;
    assert_eq!(log["data"][0]["changes"]["frozenAt"]["before"], Value::Null);
    assert!(log["data"][0]["changes"]["frozenAt"]["after"].is_string());
    assert_eq!(log["data"][0]["actor"]["type"], "platform");
    let log = acme.owner.get("/api/audit-events?action=tenant.unfreeze").await.expect(200).body;
    assert_eq!(log["data"].as_array().unwrap().len(), 1);
    let one = format!("/api/admin/tenants/{}", acme.id);
    app.platform().delete(&one).await.expect(204);
    let refused = app.platform().post(&format!("{one}/freeze"), json!({})).await.expect(409);
    assert_eq!(refused.body["code"], "tenant_deleted");
}

/// Returns when this many connections of the service wait for a lock of this kind, which none of them gets before.
async fn until_waiting<T>(app: &App, (event, how_many): (&str, i64), task: &JoinHandle<T>) {
    let waiting = format!(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND usename = 'tenantry_service'
         AND wait_event_type = 'Lock' AND wait_event = '{event}'"
    );
    while app.database.rows(&waiting) < how_many {
        assert!(!task.is_finished(), "it did not wait");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_freeze_waits_for_who_is_writing_and_lets_nobody_write_behind_them() {
    let patience = std::time::Duration::from_secs(120);
    let app = App::on(TestDatabase::new(), |options| options.statement_timeout = patience).await;
    let acme = app.tenant("Acme").await;
    let brand = format!("/api/brands/{}", acme.brand);
    let mut holder = app.database.admin();
    holder.batch_execute("BEGIN; SELECT FROM brands FOR UPDATE").unwrap();
    let (owner, path) = (acme.owner.clone(), brand.clone());
    let writing = tokio::spawn(async move { owner.patch(&path, json!({ "name": "Let in before" })).await });
    until_waiting(&app, ("transactionid", 1), &writing).await;
    let (store, credential, id) = (app.store.clone(), operator(), acme.id);
    let freezing = tokio::spawn(async move { tenants::freeze(&store, &credential, id).await });
    until_waiting(&app, ("advisory", 1), &freezing).await;
    assert!(!freezing.is_finished());
    // Whoever comes now waits for the answer to whether the tenant is frozen.
    let owner = acme.owner.clone();
    let behind = tokio::spawn(async move { owner.post("/api/workspaces", json!({ "name": "Behind" })).await });
    until_waiting(&app, ("advisory", 2), &behind).await;
    holder.batch_execute("ROLLBACK").unwrap();
    writing.await.unwrap().expect(200);
    assert!(freezing.await.unwrap().unwrap().0.frozen_at.is_some());
    assert_eq!(behind.await.unwrap().expect(503).body["code"], "tenant_frozen");
    assert_eq!(acme.owner.get(&brand).await.expect(200).body["name"], "Let in before");
    assert_eq!(app.database.rows("SELECT FROM workspaces"), 0);
}

/// Somebody who freezes this tenant and does not come to an end, until it is dropped: they wait for nobody and everybody who writes for them.
async fn a_long_freeze(app: &App, tenant: &Tenant) -> PgConnection {
    let brand = format!("/api/brands/{}", tenant.brand);
    let mut holder = app.database.admin();
    holder.batch_execute("BEGIN; SELECT FROM brands FOR UPDATE").unwrap();
    let owner = tenant.owner.clone();
    let writing = tokio::spawn(async move { owner.patch(&brand, json!({ "name": "One" })).await });
    until_waiting(app, ("transactionid", 1), &writing).await;
    let lock = "SELECT (classid::bigint << 32 | objid::bigint)::text AS line FROM pg_locks WHERE locktype = 'advisory'
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let lock = lines(&mut app.database.admin(), lock).remove(0);
    holder.batch_execute("ROLLBACK").unwrap();
    writing.await.unwrap().expect(200);
    holder.batch_execute(&format!("BEGIN; SELECT pg_advisory_xact_lock({lock})")).unwrap();
    holder
}

fn patient() -> impl FnOnce(&mut PoolOptions) {
    |options| options.statement_timeout = std::time::Duration::from_secs(120)
}

/// The same data, for somebody who waits for half a second for a lock.
fn hasty(app: &App) -> Store {
    App::store(&app.database.service_url(), |options| {
        options.statement_timeout = std::time::Duration::from_secs(1);
        options.connections = 4;
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_noted_of_others_does_not_wait_for_a_freeze() {
    let app = App::on(TestDatabase::new(), patient()).await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let store = hasty(&app);
    let replica = app.replica_on(&store);
    for tenant in [&acme, &beta] {
        tenant.key(&["brands:read"], json!({})).await.at(&replica).get("/api/audit-events").await.expect(403);
    }
    let _holder = a_long_freeze(&app, &acme).await;
    store.write_notes().await;
    let noted = "SELECT tenant_id::text AS line FROM audit_events WHERE action = 'attempt.refuse'";
    assert_eq!(lines(&mut app.database.admin(), noted), [beta.id.to_string()]);
}

/// The lock of a tenant that is being frozen can be held for longer than a request waits for one.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_too_long_for_a_lock_wears_out_no_other_connection() {
    let app = App::on(TestDatabase::new(), patient()).await;
    let acme = app.tenant("Acme").await;
    let brand = format!("/api/brands/{}", acme.brand);
    let _holder = a_long_freeze(&app, &acme).await;
    let hasty = hasty(&app);
    let (owner, path) = (acme.owner.at(&app.replica_on(&hasty)), brand.clone());
    let writing = tokio::spawn(async move { owner.patch(&path, json!({ "name": "Two" })).await });
    let waiting =
        "SELECT pid::text AS line FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'";
    let (mut seen, mut admin) = (HashSet::new(), app.database.admin());
    while !writing.is_finished() {
        seen.extend(lines(&mut admin, waiting));
        tokio::task::yield_now().await;
    }
    writing.await.unwrap().expect(503);
    assert_eq!(seen.len(), 1, "it waited once");
}

async fn mail_due(app: &App) -> Vec<TenantId> {
    let read = app.store.read(&operator(), Platform, Action::TenantList, |tx| tx.tenants_with_mail_due(9)).await;
    read.unwrap()
}

fn operator() -> Credential {
    let holder = Holder::Operator { name: "test".parse().unwrap(), tenant: None };
    Credential { holder, origin: Origin::default() }
}

#[tokio::test]
async fn nothing_writes_in_a_frozen_tenant_beside_the_door_and_no_job_does() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let gone = acme.workspace("Gone").await;
    acme.owner.delete(&format!("/api/workspaces/{gone}")).await.expect(204);
    let (_, revoked) = acme.key_with_id(&["tenant:read"], json!({})).await;
    acme.owner.delete(&format!("/api/api-keys/{revoked}")).await.expect(204);
    let invitation = acme.invitation("ada@example.com", json!({})).await;
    let token = tenantry_auth::issue_invitation(acme.id).unwrap();
    let hash: String = token.hash().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let aged = format!(
        "INSERT INTO invitation_tokens (tenant_id, token_hash, invitation_id) VALUES ('{}', '\\x{hash}', '{invitation}');
         UPDATE workspaces SET deleted_at = now() - interval '99 days' WHERE deleted_at IS NOT NULL;
         UPDATE api_keys SET revoked_at = now() - interval '99 days' WHERE revoked_at IS NOT NULL;
         INSERT INTO outbox_messages (tenant_id, id, kind, subject_id, state, created_at, updated_at)
         VALUES ('{}', gen_random_uuid(), 'invitation', '{invitation}', 'sent', '2001-01-01', '2001-01-01')",
        acme.id, acme.id
    );
    app.database.admin().batch_execute(&aged).unwrap();
    change(&app, &acme, "freeze").await;
    let mut rows = Rows::of(&app.database);
    let there = rows.of_tenant(acme.id);
    let invitee = || Invitee {
        person: Person { issuer: "https://login.example.com/".parse().unwrap(), subject: "ada".parse().unwrap() },
        email: Ok("ada@example.com".parse().unwrap()),
        origin: Origin::default(),
        trusted_for: TrustedFor::default(),
    };
    let refused = invitations::accept(&app.store, invitee(), token.reveal()).await.unwrap_err();
    assert!(matches!(refused, Error::TenantFrozen), "{refused:?}");
    // Used, and asked for more than it may.
    acme.owner.get("/api/me").await.expect(200);
    acme.owner.post("/api/admin/tenants", json!({})).await;
    app.store.write_notes().await;
    let retention = Retention { api_keys: Some(chrono::TimeDelta::days(1)), ..Retention::default() };
    let done = || async {
        let pruned = housekeeping::prune(&app.store, &retention, false).await.unwrap();
        let mut sum: u64 = pruned.iter().map(|(_, rows)| rows).sum();
        sum += housekeeping::erase_deleted_workspaces(&app.store).await.unwrap() as u64;
        sum += housekeeping::compare_counts(&app.store).await.unwrap();
        let mut owner = Pruner::connect(&app.database.owner_url()).unwrap();
        let kept = Ended::ApiKeys.kept(&retention).unwrap();
        // Also if it was listed before it was frozen.
        sum += owner.prune(acme.id, Ended::ApiKeys, kept).unwrap() as u64;
        (sum, owner.tenants().unwrap().len())
    };
    assert_eq!(done().await, (0, 0));
    let due = mail_due(&app).await;
    assert_eq!(due, []);
    assert_eq!(difference(&there, &rows.of_tenant(acme.id)), Vec::<String>::new());
    change(&app, &acme, "unfreeze").await;
    assert_eq!(done().await, (3, 1), "a message, a workspace and a key");
    invitations::accept(&app.store, invitee(), token.reveal()).await.unwrap();
    let due = mail_due(&app).await;
    assert_eq!(due, [acme.id]);
}

#[tokio::test]
async fn no_provider_is_asked_where_its_answer_could_not_be_stored() {
    let app = App::integrating(master_keys(&[1]), Timeouts::default()).await;
    let acme = app.tenant("Acme").await;
    let openai = format!("/api/workspaces/{}/integrations/openai", acme.workspace("DACH").await);
    acme.owner.put(&openai, json!({ "apiKey": "canary-openai-4567" })).await.expect(200);
    let verify = async || acme.owner.post(&format!("{openai}/verify"), json!({})).await;
    change(&app, &acme, "freeze").await;
    assert_eq!(verify().await.expect(503).body["code"], "tenant_frozen");
    assert_eq!(app.providers.requests().len(), 0);
    change(&app, &acme, "unfreeze").await;
    verify().await.expect(200);
    assert_eq!(app.providers.requests().len(), 1);
}
