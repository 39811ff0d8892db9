//! A tenant moves to another database as the tenant that it was, with its secrets if they are sealed, and both sides are compared.

use std::io::{Read, Seek};

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use tenantry_auth::seal::{MasterKey, MasterKeys, TransferKey};
use tenantry_domain::{Conflict, Credential, Error, Holder, Invitee, Origin, Person, TrustedFor};
use tenantry_operations::{
    invitations,
    providers::Timeouts,
    transfer::{self, Compared, Counts, Sealing},
};
use tenantry_tests::{App, Crowd, Rows, Tenant, master_keys};

use super::{file_of, fill, lines, refusals};

/// The key of a transfer, always the same.
pub(super) fn key() -> TransferKey {
    key_of(7)
}

fn key_of(byte: u8) -> TransferKey {
    // As `tenantry master-key` writes one, and not random.
    let digits: String = (0..32_u8).map(|n| format!("{:02x}", n.wrapping_mul(37) ^ byte)).collect();
    TransferKey::new(format!("v1:{digits}").parse::<MasterKey>().unwrap())
}

fn sealing(app: &App, key: &TransferKey) -> Sealing {
    Sealing { keys: app.integrations.keys.clone(), key: key.clone() }
}

fn operator() -> Credential {
    let holder = Holder::Operator { name: "test".parse().unwrap(), tenant: None };
    Credential { holder, origin: Origin::default() }
}

pub(super) async fn sealed_export(app: &App, tenant: &Tenant, key: &TransferKey) -> (String, Counts) {
    let mut file = tempfile::tempfile().unwrap();
    let to = file.try_clone().unwrap();
    let counts = transfer::export_sealed(&app.store, &tenant.operator(), to, sealing(app, key)).await.unwrap();
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    (text, counts)
}

pub(super) async fn move_in(app: &App, text: &str, key: Option<&TransferKey>) -> Result<Counts, Error> {
    let sealing = key.map(|key| sealing(app, key));
    transfer::move_in(&app.store, &operator(), file_of(text), sealing).await
}

async fn compare(app: &App, tenant: &Tenant, text: &str, key: Option<&TransferKey>) -> Result<Compared, Error> {
    let sealing = key.map(|key| sealing(app, key));
    transfer::compare(&app.store, &tenant.operator(), file_of(text), sealing).await
}

async fn equal(app: &App, tenant: &Tenant, text: &str, key: Option<&TransferKey>) -> u64 {
    let compared = compare(app, tenant, text, key).await.unwrap();
    assert_eq!((compared.different, &compared.differences), (0, &Vec::new()));
    assert_eq!(compared.secrets, key.is_some());
    compared.same
}

async fn change(app: &App, tenant: &Tenant, verb: &str) {
    let path = format!("/api/admin/tenants/{}/{verb}", tenant.id);
    app.platform().post(&path, json!({})).await.expect(200);
}

/// A service with a master key of its own.
async fn elsewhere() -> App {
    App::integrating(master_keys(&[2]), Timeouts::default()).await
}

#[tokio::test]
async fn a_tenant_moves_with_its_keys_its_secrets_and_its_invitations_and_goes_on_where_it_is_unfrozen() {
    let (here, there) = (App::start().await, elsewhere().await);
    let acme = here.tenant("Acme Ltd").await;
    fill(&here, &acme).await;
    here.platform().patch(&format!("/api/admin/tenants/{}", acme.id), json!({ "maxWorkspaces": 9 })).await.expect(200);
    let invitation = acme.invitation("ada@example.com", json!({})).await;
    let token = tenantry_auth::issue_invitation(acme.id).unwrap();
    let hash: String = token.hash().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let sent = format!(
        "INSERT INTO invitation_tokens (tenant_id, token_hash, invitation_id) VALUES ('{}', '\\x{hash}', '{invitation}')",
        acme.id
    );
    here.database.admin().batch_execute(&sent).unwrap();
    let before = acme.owner.get("/api/tenant").await.expect(200).body;
    change(&here, &acme, "freeze").await;
    let (text, counts) = sealed_export(&here, &acme, &key()).await;
    assert_eq!(counts.secrets_to_set, 0);
    assert!(counts.outbox_messages >= 1 && counts.api_keys >= 3, "{counts:?}");
    for secret in ["canary", &hash, &acme.owner.key()[34..66]] {
        assert!(!text.contains(secret), "{secret}");
    }
    let moved = move_in(&there, &text, Some(&key())).await.unwrap();
    assert_eq!(moved, Counts { audit_events: 0, ..counts });
    let same = equal(&there, &acme, &text, Some(&key())).await;
    assert_eq!(equal(&here, &acme, &text, Some(&key())).await, same);
    assert_eq!(same, lines(&text).iter().filter(|line| line["type"] != "audit_event").count() as u64 - 1);
    equal(&there, &acme, &text, None).await;
    let owner = there.client().with_key(acme.owner.key());
    assert_eq!(owner.get("/api/tenant").await.expect(200).body, before);
    assert_eq!(
        owner.post("/api/brands", json!({ "name": "New", "emailFromName": "New" })).await.expect(503).body["code"],
        "tenant_frozen"
    );
    change(&there, &acme, "unfreeze").await;
    owner.post("/api/brands", json!({ "name": "New", "emailFromName": "New" })).await.expect(201);
    acme.owner.post("/api/brands", json!({ "name": "New", "emailFromName": "New" })).await.expect(503);
    let invitee = Invitee {
        person: Person { issuer: "https://login.example.com/".parse().unwrap(), subject: "ada".parse().unwrap() },
        email: Ok("ada@example.com".parse().unwrap()),
        origin: Origin::default(),
        trusted_for: TrustedFor::default(),
    };
    invitations::accept(&there.store, invitee, token.reveal()).await.unwrap();
    let log = owner.get("/api/audit-events?action=tenant.import").await.expect(200).body;
    assert_eq!((&log["data"][0]["actor"]["type"], log["data"].as_array().unwrap().len()), (&json!("operator"), 1));
    let again = move_in(&there, &text, Some(&key())).await.unwrap_err();
    assert!(matches!(again, Error::Conflict { code: Conflict::TenantExists, .. }), "{again:?}");
}

#[tokio::test]
async fn a_tenant_that_moves_without_secrets_is_the_same_without_them() {
    let (here, there) = (App::start().await, elsewhere().await);
    let acme = here.tenant("Acme Ltd").await;
    fill(&here, &acme).await;
    let (text, _) = super::exported(&here, &acme).await;
    move_in(&there, &text, None).await.unwrap();
    let same = equal(&there, &acme, &text, None).await;
    assert_eq!(equal(&here, &acme, &text, None).await, same);
    assert_eq!(there.database.rows("SELECT FROM api_keys"), 0);
    assert_eq!(there.database.rows("SELECT FROM tenants WHERE frozen_at IS NOT NULL"), 1);
}

/// The text with another value in the first line of a kind.
fn with(text: &str, kind: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut lines = lines(text);
    change(lines.iter_mut().find(|line| line["type"] == kind).unwrap());
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[tokio::test]
async fn what_is_sealed_opens_under_its_key_and_in_its_place_alone_and_a_changed_file_is_refused() {
    let (here, there) = (App::start().await, elsewhere().await);
    let acme = here.tenant("Acme Ltd").await;
    fill(&here, &acme).await;
    let (text, _) = sealed_export(&here, &acme, &key()).await;
    let mut rows = Rows::of(&there.database);
    let before = rows.all();
    let (wrong, known) = (key_of(9), key().id().to_string());
    for (text, key) in [(&text, Some(&wrong)), (&text, None)] {
        let refused = move_in(&there, text, key).await.unwrap_err();
        assert!(matches!(refused, Error::Conflict { code: Conflict::TransferKeyMismatch, .. }), "{refused:?}");
        assert!(refused.to_string().contains(&known), "{refused}");
    }
    let (bare, _) = super::exported(&here, &acme).await;
    let refused = move_in(&there, &bare, Some(&key())).await.unwrap_err();
    assert!(refused.to_string().contains("not sealed"), "{refused}");
    // Who says that it is under their key cannot open it.
    let lie = text.replacen(&known, &wrong.id().to_string(), 1);
    assert!(
        refusals(move_in(&there, &lie, Some(&wrong)).await.unwrap_err())
            .contains("sealed: does not open in this place")
    );
    // A secret in the place of another.
    let sealed_of = |kind: &str, at: usize| {
        lines(&text).into_iter().filter(|line| line["type"] == kind && line["sealed"].is_string()).nth(at).unwrap()["sealed"].clone()
    };
    for (kind, other) in [
        ("integration", sealed_of("integration", 1)),
        ("api_key", sealed_of("api_key", 1)),
        ("api_key", sealed_of("webhook", 0)),
        ("webhook", sealed_of("api_key", 0)),
    ] {
        let swapped = with(&text, kind, |line| line["sealed"] = other);
        let refused = refusals(move_in(&there, &swapped, Some(&key())).await.unwrap_err());
        assert!(refused.contains("sealed: does not open in this place"), "{kind}: {refused}");
    }
    // Nobody gives a key more than it may.
    let more = with(&text, "api_key", |line| line["scopes"] = json!(["workspaces:write"]));
    for changed in [more, text.replacen("\"DACH\"", "\"HCAD\"", 1)] {
        let refused = refusals(move_in(&there, &changed, Some(&key())).await.unwrap_err());
        assert!(refused.contains("sealed: does not fit the lines before it"), "{refused}");
    }
    let without = with(&text, "end", |line| drop(line.as_object_mut().unwrap().remove("sealed")));
    assert!(refusals(move_in(&there, &without, Some(&key())).await.unwrap_err()).contains("sealed: is required"));
    assert_eq!(rows.all(), before);
    let copy = there.tenant("Copy").await;
    assert!(refusals(super::import(&there, &copy, &text).await.unwrap_err()).contains("sealedUnder: is set"));
    move_in(&there, &text, Some(&key())).await.unwrap();
}

#[tokio::test]
async fn a_comparison_names_what_differs_and_no_values() {
    let (here, there) = (App::start().await, elsewhere().await);
    let acme = here.tenant("Acme Ltd").await;
    fill(&here, &acme).await;
    let (text, _) = sealed_export(&here, &acme, &key()).await;
    move_in(&there, &text, Some(&key())).await.unwrap();
    let same = equal(&there, &acme, &text, Some(&key())).await;
    let sql = "
        UPDATE brands SET name = 'Other' WHERE slug = 'second';
        DELETE FROM agents WHERE external_reference = 'agent-1';
        UPDATE usage_entries SET seconds = 96 WHERE reference = 'call-1';
        UPDATE members SET metadata = '{}' WHERE email_key = 'member7@example.com';
        UPDATE api_keys SET secret_hash = sha256('another') WHERE workspace_id IS NOT NULL;
        UPDATE tenants SET max_workspaces = 77;
        INSERT INTO agents (tenant_id, id, workspace_id, name, status)
        SELECT tenant_id, '00000000-0000-4000-8000-000000000001', workspace_id, 'More', 'active' FROM agents LIMIT 1";
    there.database.admin().batch_execute(sql).unwrap();
    let id = |kind: &str, field: &str, value: &str| {
        let line = lines(&text).into_iter().find(|line| line["type"] == kind && line[field] == value).unwrap();
        line["id"].as_str().unwrap().to_owned()
    };
    let key_line = lines(&text).into_iter().find(|line| line["type"] == "api_key" && line["workspaceId"].is_string());
    let compared = compare(&there, &acme, &text, Some(&key())).await.unwrap();
    let mut expected = vec![
        "tenant: tenant.maxWorkspaces".to_owned(),
        format!("brand {}: name", id("brand", "slug", "second")),
        format!("usage_entry {}: seconds", id("usage_entry", "reference", "call-1")),
        format!("member {}: metadata.tier", id("member", "email", "Member7@Example.com")),
        format!("api_key {}: sealed", key_line.unwrap()["id"].as_str().unwrap()),
        format!("agent {}: only in the file", id("agent", "externalReference", "agent-1")),
        "agent 00000000-0000-4000-8000-000000000001: not in the file".to_owned(),
    ];
    let mut found = compared.differences.clone();
    found.sort();
    expected.sort();
    assert_eq!((found, compared.different, compared.same), (expected, 7, same - 6));
    let other = compare(&there, &acme, &text, Some(&key_of(9))).await.unwrap_err();
    assert!(matches!(other, Error::Conflict { code: Conflict::TransferKeyMismatch, .. }), "{other:?}");
}

#[tokio::test]
async fn a_secret_that_does_not_open_is_named_before_the_tenant_moves() {
    let here = App::start().await;
    let acme = here.tenant("Acme Ltd").await;
    fill(&here, &acme).await;
    let keys: MasterKeys = master_keys(&[5]);
    let wrong = Sealing { keys, key: key() };
    let file = tempfile::tempfile().unwrap();
    let refused = transfer::export_sealed(&here.store, &acme.operator(), file, wrong).await.unwrap_err();
    assert!(matches!(refused, Error::Conflict { code: Conflict::SecretUnreadable, .. }), "{refused:?}");
    assert!(refused.to_string().contains("/gohighlevel/"), "{refused}");
}

#[tokio::test]
async fn a_large_tenant_moves_and_is_the_same() {
    let (here, there) = (App::start().await, elsewhere().await);
    let acme = here.tenant("Acme Ltd").await;
    let crowd = Crowd { workspaces: 300, members: 60, usage_entries: 2_500 }.sql(acme.id, &acme.brand);
    here.database.admin().batch_execute(&crowd).unwrap();
    let (text, counts) = sealed_export(&here, &acme, &key()).await;
    assert_eq!((counts.workspaces, counts.members, counts.usage_entries), (300, 60, 2_500));
    move_in(&there, &text, Some(&key())).await.unwrap();
    assert!(equal(&there, &acme, &text, Some(&key())).await > 2_800);
    let sums = "SELECT seconds::text AS line FROM usage_months ORDER BY workspace_id, month";
    let sums = |app: &App| tenantry_tests::lines(&mut app.database.admin(), sums);
    assert_eq!(sums(&here), sums(&there));
}
