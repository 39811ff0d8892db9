//! A tenant goes out as lines of JSON and comes in again, whole or not at all, and without a secret.

mod batches;
mod bounds;
mod coverage;
mod moving;
mod numbers;

use std::{
    fs::File,
    io::{Read, Seek, Write},
};

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use tenantry_domain::{
    Action, Conflict, Error, IssuerName, Labels, MemberDetails, MemberStatus, Metadata, Person, Role,
};
use tenantry_operations::{members, transfer};
use tenantry_tests::{App, Operation, Rows, Tenant};

/// Something of every kind.
async fn fill(app: &App, tenant: &Tenant) {
    let brand = json!({ "name": "Second", "emailFromName": "Second", "isDefault": true, "tone": "formal", "slug": "second",
                        "emailSignatureHtml": "<p>Second</p>", "logoUrl": "https://example.com/l.png",
                        "primaryColor": "#0055AA", "brandInstructions": "Be brief.\nBe kind.", "externalId": "crm-2",
                        "metadata": { "tier": "gold", "region": "eu" } });
    let brand = tenant.owner.post("/api/brands", brand).await.expect(201).id();
    let full = json!({ "name": "DACH", "brandId": brand, "country": "CH", "operatingLanguage": "fr", "workspaceType": "b2c",
                       "workspaceInstructions": "Prices with VAT.", "emailSignatureText": "Bye",
                       "externalId": "crm 4711/ü", "metadata": { "tier": "gold" } });
    let workspace = tenant.owner.post("/api/workspaces", full).await.expect(201).id();
    let gone = tenant.workspace_of(&brand, "Gone").await;
    work(tenant, &workspace).await;
    for n in 0..120 {
        let issuer: IssuerName = "https://login.example.com/".parse().unwrap();
        let details = MemberDetails {
            email: format!("Member{n}@Example.com").parse().unwrap(),
            role: if n == 0 { Role::Owner } else { Role::Agent },
            status: MemberStatus::Active,
            person: Person { issuer, subject: format!("subject {n}").parse().unwrap() },
            labels: Labels {
                external_id: Some(format!("crm {n}").parse().unwrap()),
                metadata: Metadata::of([("tier", "gold")]).unwrap(),
            },
        };
        let places = if n % 2 == 0 { vec![workspace.parse().unwrap(), gone.parse().unwrap()] } else { vec![] };
        members::create(&app.store, &tenant.operator(), details, places).await.unwrap();
    }
    for (name, revoked) in [("pending", false), ("revoked", true)] {
        let invited =
            json!({ "email": format!("{name}@example.com"), "role": "agent", "workspaceIds": [workspace, gone] });
        let id = tenant.owner.post("/api/invitations", invited).await.expect(201).id();
        if revoked {
            tenant.owner.delete(&format!("/api/invitations/{id}")).await.expect(204);
        }
    }
    tenant.owner.delete(&format!("/api/workspaces/{gone}")).await.expect(204);
    tenant.key(&["tenant:read"], json!({ "workspaceId": workspace })).await;
    tenant.key(&["tenant:read"], json!({ "brandId": brand })).await;
    tenant.fill_empty_lists().await;
}

const LOCATION: &str = "ve9EPM428h8vShlRW1KT";
const SID: &str = "AC0123456789abcdef0123456789abcdef";

/// Limits, integrations, agents and usage of the first workspace of a tenant.
async fn work(tenant: &Tenant, workspace: &str) {
    let one = format!("/api/workspaces/{workspace}");
    let limits = json!({ "maxMembers": 500, "maxAgents": 7, "maxMinutes": 1000, "timeZone": "Pacific/Auckland" });
    tenant.owner.patch(&format!("{one}/limits"), limits).await.expect(200);
    let highlevel = json!({ "locationId": LOCATION, "accessToken": "canary-highlevel-0123" });
    tenant.owner.put(&format!("{one}/integrations/gohighlevel"), highlevel).await.expect(200);
    let openai = json!({ "apiKey": "canary-openai-4567" });
    tenant.owner.put(&format!("{one}/integrations/openai"), openai).await.expect(200);
    // One without a secret.
    tenant.owner.put("/api/workspace/update/1", json!({ "sid": SID })).await.expect(200);
    for reference in ["agent-1", "agent-2"] {
        let labels = json!({ "externalReference": reference, "voice": "alloy", "status": "paused", "externalId": reference,
                             "metadata": { "tier": "gold" } });
        tenant.agent(workspace, labels).await;
    }
    for (reference, kind, seconds) in [("call-1", "usage", 95), ("call-1 again", "refund", 30), ("call-2", "usage", 0)]
    {
        let used =
            json!({ "reference": reference, "kind": kind, "seconds": seconds, "usedAt": "2026-01-31T12:00:00Z" });
        tenant.owner.post(&format!("{one}/usage"), used).await.expect(201);
    }
}

async fn exported(app: &App, tenant: &Tenant) -> (String, transfer::Counts) {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"what was there before").unwrap();
    let counts = transfer::export(&app.store, &tenant.operator(), file.try_clone().unwrap()).await.unwrap();
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    (text, counts)
}

fn file_of(text: &str) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

async fn import(app: &App, tenant: &Tenant, text: &str) -> Result<transfer::Counts, Error> {
    transfer::import(&app.store, &tenant.operator(), file_of(text)).await
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The lines of a kind without what may differ: a pending invitation expires, an integration and a webhook
/// lose their secret, and each counts that.
fn of_kind(text: &str, kind: &str) -> Vec<Value> {
    let mut found: Vec<_> = lines(text).into_iter().filter(|line| line["type"] == kind).collect();
    for line in &mut found {
        if kind == "invitation" && line["revokedAt"].is_null() {
            (line["expiresAt"], line["version"]) = (Value::Null, Value::Null);
        }
        if kind == "integration" {
            (line["secret"], line["version"]) = (Value::Null, Value::Null);
        }
        if kind == "webhook" {
            for changed in ["enabled", "disabledReason", "version"] {
                line[changed] = Value::Null;
            }
        }
    }
    found
}

#[tokio::test]
async fn what_goes_out_comes_in_with_its_ids_and_times_and_nothing_else_is_touched() {
    let (here, there) = (App::start().await, App::start().await);
    let acme = here.tenant("Acme Ltd").await;
    fill(&here, &acme).await;
    here.platform().patch(&format!("/api/admin/tenants/{}", acme.id), json!({ "maxWorkspaces": 9 })).await.expect(200);
    let (text, counts) = exported(&here, &acme).await;
    let kinds: Vec<_> = lines(&text).iter().map(|line| line["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!((kinds.first().unwrap().as_str(), kinds.last().unwrap().as_str()), ("export", "end"));
    assert_eq!(
        (counts.brands, counts.workspaces, counts.members, counts.invitations, counts.api_keys),
        (2, 2, 120, 2, 3)
    );
    assert_eq!((counts.integrations, counts.secrets_to_set, counts.agents, counts.usage_entries), (3, 2, 2, 3));
    assert_eq!(counts.audit_events, kinds.iter().filter(|kind| *kind == "audit_event").count() as u64);
    let all = json!(counts);
    let counted = all.as_object().unwrap().iter().filter(|(name, _)| *name != "secretsToSet");
    let counted: u64 = counted.map(|(_, count)| count.as_u64().unwrap()).sum();
    assert_eq!(counted, kinds.len() as u64 - 2, "each line between the first and the last is counted");
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md")).unwrap();
    let untold: Vec<_> = kinds.iter().filter(|kind| !page.contains(&format!("`{kind}`"))).collect();
    assert!(untold.is_empty(), "docs/operations.md does not describe the lines {untold:?}");
    let (empty, other) = (there.tenant("Empty").await, there.tenant("Other").await);
    let mut rows = Rows::of(&there.database);
    let untouched = rows.of_others(empty.id);
    let imported = import(&there, &empty, &text).await.unwrap();
    assert_eq!(imported, transfer::Counts { api_keys: 0, audit_events: 0, ..counts });
    assert_eq!(rows.of_others(empty.id), untouched);
    let (again, _) = exported(&there, &empty).await;
    for kind in ["brand", "workspace", "integration", "agent", "usage_entry", "member", "invitation"] {
        assert!(!of_kind(&text, kind).is_empty());
        assert_eq!(of_kind(&again, kind), of_kind(&text, kind), "{kind}");
    }
    let tenant = empty.owner.get("/api/tenant").await.expect(200).body;
    assert_eq!(tenant["name"], "Acme Ltd");
    assert_eq!(
        tenant["limits"],
        json!({ "maxWorkspaces": null, "maxMembers": null, "maxAgents": null, "maxMinutes": null, "maxPendingInvitations": null, "maxEmailsPerDay": null, "maxEmailsPerRecipient": null, "requestsPerSecond": null, "requestBurst": null }),
        "the platform's own"
    );
    assert_eq!(tenant["use"], json!({ "workspaces": 1, "members": 120, "pendingInvitations": 0 }));
    let invitations = empty.owner.get("/api/invitations?state=expired").await.expect(200).body;
    let invitation = invitations["data"][0]["id"].as_str().unwrap();
    empty.owner.post(&format!("/api/invitations/{invitation}/resend"), json!({})).await.expect(200);
    assert_eq!(there.database.rows("SELECT FROM outbox_messages"), 1, "only what was sent again");
    let workspace = of_kind(&text, "workspace")[0]["id"].as_str().unwrap().to_owned();
    let highlevel = format!("/api/workspaces/{workspace}/integrations/gohighlevel");
    let highlevel = empty.owner.get(&highlevel).await.expect(200);
    let fields = highlevel.body["fields"].as_array().unwrap();
    assert!(fields.iter().any(|field| field["value"] == LOCATION) && highlevel.body["status"] == "incomplete");
    assert_eq!(highlevel.etag(), "\"2\"", "a client that saw it with its secret does not take it for the same");
    let months = async |tenant: &Tenant| {
        let path = format!("/api/workspaces/{workspace}/usage?from=2026-01&to=2026-03");
        tenant.owner.get(&path).await.expect(200).body["months"].clone()
    };
    assert_eq!(months(&empty).await, months(&acme).await);
    assert_eq!(months(&empty).await[1]["usedSeconds"], 65);
    other.owner.get("/api/me").await.expect(200);
    acme.owner.get("/api/me").await.expect(200);
    there.client().with_key(acme.owner.key()).get("/api/me").await.expect(401);
}

#[tokio::test]
async fn an_export_holds_no_secret_and_both_ways_are_in_the_log() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let workspace = acme.workspace("DACH").await;
    work(&acme, &workspace).await;
    let (text, _) = exported(&app, &acme).await;
    assert!(!text.contains(&acme.owner.key()[34..66]) && !text.to_lowercase().contains("hash"));
    assert!(!text.contains("canary") && !text.contains("sealed"));
    assert!(!text.contains(&beta.id.to_string()) && !text.contains("Beta"));
    let hashes = format!(
        "SELECT FROM api_keys WHERE position(encode(secret_hash, 'hex') IN '{text}') > 0",
        text = text.replace('\'', "''")
    );
    assert_eq!(app.database.rows(&hashes), 0);
    import(&app, &beta, &text).await.unwrap();
    for (tenant, action) in [(&acme, "tenant.export"), (&beta, "tenant.import")] {
        let event = format!(
            "SELECT FROM audit_events WHERE tenant_id = '{}' AND action = '{action}' AND actor_type = 'operator'
             AND changes -> 'workspaces' ->> 'after' = '1'",
            tenant.id
        );
        assert_eq!(app.database.rows(&event), 1, "{action}");
    }
    let log = format!("SELECT FROM audit_events WHERE tenant_id = '{}'", beta.id);
    assert_eq!(app.database.rows(&log), 2, "its creation and the import, and nothing of another log");
}

#[tokio::test]
async fn only_an_empty_tenant_takes_an_import() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let (text, _) = exported(&app, &acme).await;
    let mut rows = Rows::of(&app.database);
    let filled = async |what: &str| {
        let tenant = app.tenant("Filled").await;
        match what {
            "workspaces" => drop(tenant.workspace("DACH").await),
            "brands" => drop(tenant.brand("Second").await),
            "invitations" => {
                let invited = json!({ "email": "ada@example.com", "role": "admin" });
                tenant.owner.post("/api/invitations", invited).await.expect(201);
            }
            "API keys" => drop(tenant.key(&["tenant:read"], json!({ "brandId": tenant.brand })).await),
            _ => panic!("{what}"),
        }
        tenant
    };
    // Keys do not make a tenant full.
    for creation in Operation::creations().iter().filter(|one| one.action() != Some(Action::ApiKeyCreate)) {
        let tenant = app.tenant("Filled").await;
        creation.send(&tenant.owner, &creation.path, creation.body().as_ref()).await.expect(201);
        let refused = import(&app, &tenant, &text).await.unwrap_err();
        assert!(matches!(&refused, Error::Conflict { code: Conflict::TenantNotEmpty, .. }), "{creation}: {refused:?}");
    }
    for what in ["workspaces", "brands", "invitations", "API keys"] {
        let tenant = filled(what).await;
        let before = rows.all();
        let refused = import(&app, &tenant, &text).await.unwrap_err();
        assert!(matches!(&refused, Error::Conflict { code: Conflict::TenantNotEmpty, .. }), "{refused:?}");
        assert!(refused.to_string().contains(what), "{refused}");
        assert_eq!(rows.all(), before, "{what}");
    }
    let again = app.tenant("Again").await;
    import(&app, &again, &text).await.unwrap();
    // Also as an editor saves it.
    import(&app, &again, &format!("\u{feff}{}", text.replace('\n', "\r\n"))).await.unwrap();
}

#[tokio::test]
async fn an_import_beyond_the_limits_of_its_tenant_is_refused() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    fill(&app, &acme).await;
    let (text, _) = exported(&app, &acme).await;
    for limits in [
        json!({ "maxWorkspaces": 0 }),
        json!({ "maxWorkspaces": 1, "maxMembers": 59 }),
        json!({ "maxMembers": 60, "maxAgents": 1 }),
    ] {
        app.platform().patch(&format!("/api/admin/tenants/{}", beta.id), limits).await.expect(200);
        let refused = import(&app, &beta, &text).await.unwrap_err();
        assert!(matches!(refused, Error::Conflict { code: Conflict::LimitReached, .. }), "{refused:?}");
    }
    app.platform()
        .patch(&format!("/api/admin/tenants/{}", beta.id), json!({ "maxAgents": 2, "maxMinutes": 0 }))
        .await
        .expect(200);
    import(&app, &beta, &text).await.unwrap();
}

/// What is refused, as an operator reads it.
fn refusals(error: Error) -> String {
    let Error::Invalid(fields) = error else { panic!("{error:?}") };
    fields.iter().map(|field| format!("{}: {}", field.field, field.message)).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_bad_line_is_named_by_its_number_and_leaves_nothing() {
    let app = App::start().await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    fill(&app, &acme).await;
    let (text, _) = exported(&app, &acme).await;
    let good: Vec<Value> = lines(&text);
    let at = |kind: &str| good.iter().position(|line| line["type"] == kind).unwrap();
    let (brand, workspace, member, invitation) = (at("brand"), at("workspace"), at("member"), at("invitation"));
    let (integration, agent, usage) = (at("integration"), at("agent"), at("usage_entry"));
    let slot = |workspace: &Value, number: i64| json!([{ "workspaceId": workspace, "number": number }]);
    let taken = &good[member]["assignments"][0];
    let mut rows = Rows::of(&app.database);
    let before = rows.all();
    let unused = json!(tenantry_persistence::new_id::<()>().to_string());
    let changes: Vec<(usize, &str, Value, &str)> = vec![
        (0, "version", json!(1), "version: is 1, but this program reads 2"),
        (0, "tenant", json!({ "state": "active" }), "unknown field `state`"),
        (0, "type", json!("brand"), "line 1: "),
        (brand, "name", json!(" "), "name: must not be empty"),
        (brand, "isDefault", json!(true), "isDefault: is true for an earlier brand"),
        (brand, "colour", json!(1), "unknown field `colour`"),
        (brand, "id", json!("1"), "id: must be a UUID"),
        (brand + 1, "id", good[brand]["id"].clone(), "id: is the id of an earlier brand"),
        (brand + 1, "slug", good[brand]["slug"].clone(), "slug: is the slug of an earlier brand"),
        (workspace, "brandId", unused.clone(), "brandId: is not the id of an earlier brand"),
        (workspace, "country", json!("UK"), "country: must be"),
        (workspace, "createdAt", json!("0000-01-01T00:00:00Z"), "createdAt: must be in the year 2000 or later"),
        (workspace, "createdAt", json!("yesterday"), "line "),
        (workspace, "number", json!(0), "number: must be a number"),
        (workspace, "number", json!(99), "number: is 99, but lastWorkspaceNumber in the header is only 2"),
        (workspace, "timeZone", json!("Europe/Bonn"), "timeZone: must be"),
        (workspace, "maxAgents", json!(1_000_001), "maxAgents: must be"),
        (workspace, "version", json!(0), "version: must be from 1"),
        (integration, "workspaceId", unused.clone(), "workspaceId: is not the id of an earlier workspace"),
        (integration, "provider", json!("acme"), "provider: must be"),
        (integration, "plain", json!("Ber lin"), "plain: must be"),
        (integration + 1, "provider", good[integration]["provider"].clone(), "provider: is the provider of an earlier"),
        (agent, "status", json!("asleep"), "status: must be"),
        (agent, "workspaceId", unused.clone(), "workspaceId: is not the id of an earlier workspace"),
        (
            agent + 1,
            "externalReference",
            json!("agent-1"),
            "externalReference: is the external reference of an earlier",
        ),
        (usage, "seconds", json!(86_401), "seconds: must be"),
        (usage, "usedAt", json!("1999-12-31T23:59:59Z"), "usedAt: must not be before"),
        (usage, "month", json!("2025-08"), "month: does not fit usedAt"),
        (usage + 1, "reference", json!("call-1"), "reference: is the reference of an earlier entry"),
        (member, "role", json!("boss"), "role: must be"),
        (member + 1, "email", json!("MEMBER0@example.com"), "email: is the address of an earlier member"),
        (
            member,
            "assignments",
            json!([{ "number": 1, "workspaceId": unused, "assignedAt": "2026-01-01T00:00:00Z" }]),
            "assignments: name a workspace that is not on an earlier line",
        ),
        (
            member + 2,
            "assignments",
            good[member]["assignments"].clone(),
            "assignments: have a number that an earlier slot has",
        ),
        (member, "type", json!("invitation"), "unknown field"),
        (invitation, "slots", slot(&unused, 1), "slots: name a workspace that is not"),
        (
            invitation,
            "slots",
            slot(&good[workspace]["id"], 9_999),
            "slots.number: is 9999, but lastSlotNumber in the header is only",
        ),
        (
            invitation,
            "slots",
            slot(&taken["workspaceId"], taken["number"].as_i64().unwrap()),
            "slots: have a number that already belongs to a member",
        ),
        (invitation, "email", json!("ada"), "email: "),
        (good.len() - 1, "lines", json!(3), "the file is incomplete"),
    ];
    for (line, field, value, expected) in changes {
        let mut changed = good.clone();
        changed[line][field] = value;
        let text: String = changed.iter().map(|line| format!("{line}\n")).collect();
        let refused = refusals(import(&app, &beta, &text).await.unwrap_err());
        assert!(refused.contains(expected), "{line} {field}: {refused}");
        // A default brand that comes too early is noticed at the next one.
        let number = if field == "isDefault" { line + 2 } else { line + 1 };
        assert!(refused.starts_with(&format!("line {number}")), "{line} {field}: {refused}");
        assert_eq!(rows.all(), before, "{line} {field}");
    }
    let mut out_of_place = good.clone();
    out_of_place.swap(member, invitation);
    let mut refunded = good.clone();
    refunded[usage]["kind"] = json!("refund");
    for (lines, expected) in [
        (out_of_place, format!("line {} type: is out of order", member + 2)),
        (refunded, "seconds: add up to -125 in 2026-02".to_owned()),
    ] {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let refused = refusals(import(&app, &beta, &text).await.unwrap_err());
        assert!(refused.starts_with(&expected), "{expected}: {refused}");
        assert_eq!(rows.all(), before, "{expected}");
    }
    let whole: Vec<&str> = text.lines().collect();
    for (broken, expected) in [
        (String::new(), "line 1: must be the header"),
        ("nonsense".to_owned(), "line 1: expected"),
        (whole[..3].join("\n"), "line 4: is missing"),
        (format!("{}\n{{\"type\":\"brand\"", whole[0]), "line 2: EOF"),
        (format!("{text}{{}}\n"), &*format!("line {}: comes after the last line", whole.len() + 1)),
        (format!("{}\n{}\n", whole[0], json!({ "type": "end", "lines": 1 })), "isDefault: is not true for any brand"),
    ] {
        let refused = refusals(import(&app, &beta, &broken).await.unwrap_err());
        assert!(refused.contains(expected), "{expected}: {refused}");
        assert_eq!(rows.all(), before, "{expected}");
    }
    import(&app, &beta, &text).await.unwrap();
}

#[tokio::test]
async fn an_export_is_of_one_moment_and_a_deleted_tenant_can_still_be_exported() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    fill(&app, &acme).await;
    // Whoever writes while it is read changes nothing of it: the log that it ends with is that of its start.
    let renames = async {
        for n in 0..20 {
            acme.owner.post("/api/workspaces", json!({ "name": format!("Meanwhile {n}") })).await.expect(201);
        }
    };
    let ((text, counts), ()) = futures_util::future::join(exported(&app, &acme), renames).await;
    let created = lines(&text).iter().filter(|line| line["action"] == "workspace.create").count() as u64;
    assert_eq!(created, counts.workspaces, "each workspace with its event, and no event without its workspace");
    let sql = format!("UPDATE tenants SET deleted_at = now() WHERE id = '{}'", acme.id);
    app.database.admin().batch_execute(&sql).unwrap();
    let (deleted, _) = exported(&app, &acme).await;
    assert!(lines(&deleted)[0]["tenant"]["deletedAt"].is_string());
    assert_eq!(of_kind(&deleted, "member"), of_kind(&text, "member"));
}
