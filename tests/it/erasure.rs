//! Erasure: of a tenant that can no longer be restored nothing is left, and nothing of another tenant is touched.

use diesel::connection::SimpleConnection;
use serde_json::json;
use tenantry_domain::{IssuerName, Labels, MemberDetails, MemberStatus, Metadata, Person, Role};
use tenantry_operations::members;
use tenantry_persistence::{ERASED_TABLES, EraseError, Eraser, new_id};
use tenantry_tests::{App, Rows, Tenant, TestDatabase, lines};

/// Something of every kind, with the stem in all of its text; the ids of all of it.
async fn fill(app: &App, tenant: &Tenant, stem: &str) -> Vec<String> {
    let brand = json!({ "name": stem, "emailFromName": stem, "brandInstructions": stem, "externalId": stem,
                        "metadata": { stem: stem } });
    let brand = tenant.owner.post("/api/brands", brand).await.expect(201).id();
    let workspace = json!({ "name": stem, "brandId": brand, "workspaceInstructions": stem, "emailSignatureText": stem,
                "externalId": stem, "metadata": { stem: stem } });
    let workspace = tenant.owner.post("/api/workspaces", workspace).await.expect(201).id();
    let one = format!("/api/workspaces/{workspace}");
    let agent = json!({ "name": stem, "externalReference": stem, "externalId": stem, "metadata": { stem: stem } });
    let agent = tenant.owner.post(&format!("{one}/agents"), agent).await.expect(201).id();
    let integration = json!({ "apiKey": format!("sk-proj-{stem}-0123456789") });
    tenant.owner.put(&format!("{one}/integrations/openai"), integration).await.expect(200);
    let used = json!({ "seconds": 60, "reference": stem });
    tenant.owner.post(&format!("{one}/usage"), used).await.expect(201);
    let webhook = json!({ "url": "https://example.com/webhooks", "description": stem });
    let webhook = tenant.owner.post("/api/webhooks", webhook).await.expect(201).id();
    tenant.owner.post(&format!("/api/webhooks/{webhook}/test"), json!({})).await.expect(202);
    let gone = tenant.workspace_of(&brand, stem).await;
    tenant.owner.delete(&format!("/api/workspaces/{gone}")).await.expect(204);
    let (_, key) = tenant.key_with_id(&["tenant:read"], json!({ "name": stem, "workspaceId": workspace })).await;
    let email = format!("{stem}@example.com");
    let invited = json!({ "email": email, "role": "agent", "workspaceIds": [workspace] });
    let invitation = tenant.owner.post("/api/invitations", invited).await.expect(201).id();
    let issuer: IssuerName = "https://login.example.com/".parse().unwrap();
    let details = MemberDetails {
        email: format!("member.{stem}@example.com").parse().unwrap(),
        role: Role::Agent,
        status: MemberStatus::Active,
        person: Person { issuer, subject: format!("subject {stem}").parse().unwrap() },
        labels: Labels { external_id: Some(stem.parse().unwrap()), metadata: Metadata::of([(stem, stem)]).unwrap() },
    };
    let workspaces = vec![workspace.parse().unwrap()];
    let member = members::create(&app.store, &tenant.operator(), details, workspaces).await.unwrap().id.to_string();
    // What the delivery of the invitation leaves.
    let token = format!(
        "INSERT INTO invitation_tokens (tenant_id, token_hash, invitation_id) VALUES ('{}', sha256('{stem}'), '{invitation}')",
        tenant.id
    );
    app.database.admin().batch_execute(&token).unwrap();
    let brand_of_a_retry = json!({ "name": format!("{stem} again"), "emailFromName": stem });
    let keyed = tenant.owner.request("POST", "/api/brands").header("Idempotency-Key", stem).json(&brand_of_a_retry);
    tenant.owner.send(keyed).await.expect(201);
    let mut ids = vec![tenant.id.to_string(), tenant.brand.clone()];
    ids.extend([brand, workspace, agent, gone, key, invitation, member, webhook]);
    ids.extend(tenant.fill_empty_lists().await);
    ids
}

fn deleted_days_ago(database: &TestDatabase, tenant: &Tenant, days: u32) {
    let sql = format!("UPDATE tenants SET deleted_at = now() - interval '{days} days' WHERE id = '{}'", tenant.id);
    database.admin().batch_execute(&sql).unwrap();
}

fn eraser(database: &TestDatabase) -> Eraser {
    Eraser::connect(&database.owner_url()).unwrap()
}

#[test]
fn the_eraser_knows_every_table_of_a_tenant() {
    let database = TestDatabase::new();
    let with_tenant = "SELECT relname::text AS line FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
        WHERE attname = 'tenant_id' AND relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace ORDER BY 1";
    let mut erased: Vec<_> = ERASED_TABLES.iter().map(|table| (*table).to_owned()).collect();
    erased.sort();
    assert_eq!(lines(&mut database.admin(), with_tenant), erased);
}

#[tokio::test]
async fn after_erasure_a_search_of_the_whole_database_finds_nothing_of_the_tenant() {
    erasing_leaves_nothing_of_it_and_all_of_the_others(TestDatabase::owner_url).await;
}

/// What row security does not bind is told apart by the conditions alone.
#[tokio::test]
async fn who_is_not_bound_by_row_security_erases_no_more() {
    erasing_leaves_nothing_of_it_and_all_of_the_others(TestDatabase::admin_url).await;
}

async fn erasing_leaves_nothing_of_it_and_all_of_the_others(url: fn(&TestDatabase) -> String) {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Zyxacme").await, app.tenant("Zyxbeta").await);
    let ours = fill(&app, &acme, "zyxgone").await;
    fill(&app, &beta, "zyxkept").await;
    let mut rows = Rows::of(&app.database);
    let filled = rows.of_tenant(acme.id);
    for table in rows.tables() {
        assert!(!filled[&table].is_empty(), "{table} is new: put something of a tenant into it here");
    }
    app.platform().delete(&format!("/api/admin/tenants/{}", acme.id)).await.expect(204);
    deleted_days_ago(&app.database, &acme, 31);
    let (kept, before) = (rows.of_others(acme.id), app.database.dump());
    let mut words: Vec<&str> = ours.iter().map(String::as_str).collect();
    words.extend(["Zyxacme", "zyxgone"]);
    for word in &words {
        assert!(before.contains(word), "the control: {word}");
    }
    let mut eraser = Eraser::connect(&url(&app.database)).unwrap();
    assert_eq!(eraser.due().unwrap(), [acme.id]);
    let there = rows.of_tenant(acme.id);
    let would = eraser.rehearse(acme.id).unwrap().expect("it is due");
    assert_eq!(rows.of_tenant(acme.id), there, "a rehearsal erases nothing");
    assert!(would.rows.iter().all(|(_, rows)| *rows > 0), "{would:?}");
    assert_eq!((eraser.erase(acme.id).unwrap(), would.name.as_str()), (Some(would.clone()), "Zyxacme"));
    let after = app.database.dump().to_lowercase();
    for word in &words {
        assert!(!after.contains(&word.to_lowercase()), "{word} is still there");
    }
    assert!(after.contains("zyxkept"));
    assert_eq!(rows.of_others(acme.id), kept, "nobody else's");
    assert_eq!(eraser.due().unwrap(), []);
    assert!(matches!(eraser.erase(acme.id), Err(EraseError::NotFound)));
    acme.owner.get("/api/me").await.expect(401);
    beta.owner.get("/api/me").await.expect(200);
    app.platform().get(&format!("/api/admin/tenants/{}", acme.id)).await.expect(404);
}

#[tokio::test]
async fn what_can_still_be_restored_is_not_erased() {
    let app = App::start().await;
    let (acme, beta, gone) = (app.tenant("Acme").await, app.tenant("Beta").await, app.tenant("Gone").await);
    deleted_days_ago(&app.database, &beta, 29);
    deleted_days_ago(&app.database, &gone, 30);
    let mut eraser = eraser(&app.database);
    assert_eq!(eraser.due().unwrap(), [gone.id]);
    assert!(matches!(eraser.erase(acme.id), Err(EraseError::NotDeleted)));
    assert!(matches!(eraser.erase(beta.id), Err(EraseError::NotDue(_))));
    assert!(matches!(eraser.erase(new_id()), Err(EraseError::NotFound)));
    let mut rows = Rows::of(&app.database);
    assert!(!rows.of_tenant(acme.id)["brands"].is_empty() && !rows.of_tenant(beta.id)["brands"].is_empty());
}

#[tokio::test]
async fn a_tenant_in_somebody_elses_hands_is_left_for_the_next_time() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    deleted_days_ago(&app.database, &acme, 31);
    let mut holder = app.database.admin();
    holder.batch_execute("BEGIN; SELECT FROM tenants FOR NO KEY UPDATE").unwrap();
    let mut eraser = eraser(&app.database);
    assert!(eraser.erase(acme.id).unwrap().is_none());
    assert!(!Rows::of(&app.database).of_tenant(acme.id)["tenants"].is_empty());
    holder.batch_execute("ROLLBACK").unwrap();
    assert!(eraser.erase(acme.id).unwrap().is_some());
}

#[tokio::test]
async fn an_erasure_that_fails_in_the_middle_leaves_all_of_the_tenant() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    fill(&app, &acme, "acme").await;
    deleted_days_ago(&app.database, &acme, 31);
    let mut rows = Rows::of(&app.database);
    let before = rows.all();
    app.database.admin().batch_execute("REVOKE DELETE ON audit_events FROM tenantry_owner").unwrap();
    assert!(matches!(eraser(&app.database).erase(acme.id), Err(EraseError::Database(_))));
    assert_eq!(rows.all(), before);
}

#[tokio::test]
async fn the_role_that_serves_cannot_erase() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    deleted_days_ago(&app.database, &acme, 31);
    let mut service = Eraser::connect(&app.database.service_url()).unwrap();
    let refused = service.erase(acme.id).expect_err("not the owner").to_string();
    assert!(refused.contains("permission denied"), "{refused}");
    assert!(!Rows::of(&app.database).of_tenant(acme.id)["tenants"].is_empty());
}
