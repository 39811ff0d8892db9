//! How much email a tenant may cause, whoever asks, in whatever words, and at once.

use std::collections::BTreeMap;

use chrono::Duration;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tenantry_domain::{Cap, MailLimits};
use tenantry_tests::{Answer, App, Client, Tenant, new_email};

use super::{expire, invite};

/// How many emails were wanted.
fn wanted(app: &App) -> i64 {
    app.database.rows("SELECT FROM outbox_messages")
}

/// Lets so many minutes pass for what was sent.
fn pass(app: &App, minutes: u32) {
    let sql = format!("UPDATE outbox_messages SET created_at = created_at - interval '{minutes} minutes'");
    diesel::connection::SimpleConnection::batch_execute(&mut app.database.admin(), &sql).unwrap();
}

async fn resend(client: &Client, id: &str) -> Answer {
    client.post(&format!("/api/invitations/{id}/resend"), json!({})).await
}

/// The code of a refusal, and for how many seconds it asks to wait.
#[track_caller]
fn refused(answer: Answer, status: u16) -> (String, Option<u64>) {
    let answer = answer.expect(status);
    let wait = answer.header("retry-after").parse().ok();
    (answer.body["code"].as_str().unwrap().to_owned(), wait)
}

/// Asks for all of them at once, in turns at two replicas, and counts the statuses.
async fn at_once(app: &App, tenant: &Tenant, requests: impl Iterator<Item = (String, Value)>) -> BTreeMap<u16, usize> {
    let replica = app.replica().with_key(tenant.owner.key());
    let clients = [&tenant.owner, &replica];
    let asked = requests.enumerate().map(async |(n, (path, body))| clients[n % 2].post(&path, body).await.status);
    let mut counts = BTreeMap::new();
    for status in join_all(asked).await {
        *counts.entry(status).or_insert(0) += 1;
    }
    counts
}

#[tokio::test]
async fn an_invitation_is_emailed_once_in_a_while_however_often_somebody_asks() {
    let app = App::limiting_mail(MailLimits::default()).await;
    let acme = app.tenant("Acme").await;
    let id = acme.invitation("stranger@example.com", json!({})).await;
    let resends = (0..30).map(|_| (format!("/api/invitations/{id}/resend"), json!({})));
    assert_eq!(at_once(&app, &acme, resends).await, BTreeMap::from([(429, 30)]));
    assert_eq!(wanted(&app), 1);
    let (code, wait) = refused(resend(&acme.owner, &id).await, 429);
    assert!(code == "email_too_soon" && wait.is_some_and(|wait| (1..=60).contains(&wait)), "{code} {wait:?}");
    let versions = app.database.rows("SELECT FROM invitations WHERE version = 1");
    assert_eq!(versions, 1, "what is refused changes nothing");
    // After a minute one of those who ask at once is heard.
    pass(&app, 1);
    let resends = (0..30).map(|_| (format!("/api/invitations/{id}/resend"), json!({})));
    assert_eq!(at_once(&app, &acme, resends).await, BTreeMap::from([(200, 1), (429, 29)]));
    assert_eq!(wanted(&app), 2);
}

#[tokio::test]
async fn a_mailbox_gets_so_many_emails_a_day_by_whatever_address_and_invitation() {
    let app = App::limiting_mail(MailLimits { interval: Duration::zero(), ..MailLimits::default() }).await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let mut ids = Vec::new();
    for address in ["ada@example.com", "Ada+1@example.com", "ADA+2+x@Example.com"] {
        ids.push(invite(&acme.owner, address, json!({})).await.expect(201).id());
    }
    resend(&acme.owner, &ids[0]).await.expect(200);
    // Revoking makes room for an invitation, and for no email.
    acme.owner.delete(&format!("/api/invitations/{}", ids[0])).await.expect(204);
    invite(&acme.owner, "ada@example.com", json!({})).await.expect(201);
    for answer in [resend(&acme.owner, &ids[1]).await, invite(&acme.owner, "ada+3@example.com", json!({})).await] {
        let (code, wait) = refused(answer, 429);
        assert!(code == "too_many_emails" && wait.is_some_and(|wait| wait > 86_000), "{code} {wait:?}");
    }
    assert_eq!(wanted(&app), 5);
    invite(&acme.owner, "+ada@example.com", json!({})).await.expect(201);
    invite(&acme.owner, "ada@example.org", json!({})).await.expect(201);
    invite(&beta.owner, "ada@example.com", json!({})).await.expect(201);
    pass(&app, 24 * 60);
    resend(&acme.owner, &ids[1]).await.expect(200);
}

#[tokio::test]
async fn a_tenant_sends_so_many_emails_a_day_to_strangers_of_any_number_and_place() {
    let limits = MailLimits { per_tenant: Cap::of(7), ..MailLimits::lax() };
    let app = App::limiting_mail(limits).await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    acme.workspace("DACH").await;
    let native = (0..10)
        .map(|n| ("/api/invitations".to_owned(), json!({ "email": format!("n{n}@example.com"), "role": "agent" })));
    let dialect = (0..10).map(|n| {
        ("/api/workspace/invite-user".to_owned(), json!({ "workspace_id": 1, "email": format!("d{n}@example.com") }))
    });
    let counts = at_once(&app, &acme, native.chain(dialect)).await;
    let made = counts.get(&200).unwrap_or(&0) + counts.get(&201).unwrap_or(&0);
    assert_eq!((made, counts.get(&429)), (7, Some(&13)), "{counts:?}");
    assert_eq!(wanted(&app), 7);
    assert_eq!(app.database.rows("SELECT FROM invitations"), 7, "who is not emailed is not invited");
    // In a batch each address is told for itself.
    let emails: Vec<_> = (0..100).map(|n| format!("b{n}@example.com")).collect();
    let batch =
        acme.owner.post("/api/invitations/batch", json!({ "emails": emails, "role": "agent" })).await.expect(200);
    let results = batch.body["data"].as_array().unwrap();
    assert!(
        results.len() == 100 && results.iter().all(|result| result["problem"]["code"] == "too_many_emails"),
        "{batch:?}"
    );
    invite(&beta.owner, &new_email(), json!({})).await.expect(201);
}

#[tokio::test]
async fn a_tenant_has_so_many_pending_invitations_with_and_without_workspaces() {
    let app = App::limiting_mail(MailLimits { pending_invitations: Cap::of(4), ..MailLimits::lax() }).await;
    let (acme, beta) = (app.tenant("Acme").await, app.tenant("Beta").await);
    let id = acme.workspace("DACH").await;
    let asked = (0..12).map(|n| {
        let workspaces = if n % 2 == 0 { json!([]) } else { json!([id]) };
        let body = json!({ "email": format!("p{n}@example.com"), "role": "agent", "workspaceIds": workspaces });
        ("/api/invitations".to_owned(), body)
    });
    assert_eq!(at_once(&app, &acme, asked).await, BTreeMap::from([(201, 4), (409, 8)]));
    let full = invite(&acme.owner, &new_email(), json!({})).await.expect(409);
    assert_eq!(full.body["code"], "limit_reached");
    assert!(full.text_of("error").contains("limit of 4 pending invitations. It has 4."), "{}", full.text);
    invite(&beta.owner, &new_email(), json!({})).await.expect(201);
    // One that expired makes way, and cannot come back when its place is taken.
    let all = acme.owner.get("/api/invitations").await.expect(200).body["data"].clone();
    let first = all[0]["id"].as_str().unwrap();
    expire(&app, first);
    invite(&acme.owner, &new_email(), json!({})).await.expect(201);
    assert_eq!(resend(&acme.owner, first).await.expect(409).body["code"], "limit_reached");
    resend(&acme.owner, all[1]["id"].as_str().unwrap()).await.expect(200);
    acme.owner.delete(&format!("/api/invitations/{}", all[1]["id"].as_str().unwrap())).await.expect(204);
    resend(&acme.owner, first).await.expect(200);
}

#[tokio::test]
async fn the_platform_gives_a_tenant_limits_of_its_own_and_takes_them_back() {
    let app =
        App::limiting_mail(MailLimits { per_tenant: Cap::of(1), per_recipient: Cap::of(1), ..MailLimits::lax() }).await;
    let acme = app.tenant("Acme").await;
    let path = format!("/api/admin/tenants/{}", acme.id);
    let set = async |limits: Value| app.platform().patch(&path, limits).await.expect(200);
    let id = acme.invitation("ada@example.com", json!({})).await;
    assert_eq!(resend(&acme.owner, &id).await.status, 429);
    set(json!({ "maxEmailsPerDay": 3, "maxEmailsPerRecipient": 2, "maxPendingInvitations": 2 })).await;
    resend(&acme.owner, &id).await.expect(200);
    assert_eq!(resend(&acme.owner, &id).await.status, 429, "two to one address");
    invite(&acme.owner, "bob@example.com", json!({})).await.expect(201);
    assert_eq!(invite(&acme.owner, "cy@example.com", json!({})).await.status, 409, "two that are pending");
    let set_back = set(json!({ "maxPendingInvitations": null })).await;
    assert_eq!(set_back.body["limits"]["maxEmailsPerDay"], 3);
    assert_eq!(set_back.body["limits"]["maxPendingInvitations"], Value::Null);
    assert_eq!(invite(&acme.owner, "cy@example.com", json!({})).await.status, 429, "three a day");
    set(json!({ "maxEmailsPerDay": 0 })).await;
    pass(&app, 24 * 60);
    assert_eq!(
        refused(invite(&acme.owner, "cy@example.com", json!({})).await, 429),
        ("too_many_emails".to_owned(), None)
    );
    let shown = acme.owner.get("/api/tenant").await.expect(200).body["limits"].clone();
    assert_eq!((&shown["maxEmailsPerDay"], &shown["maxEmailsPerRecipient"]), (&json!(0), &json!(2)));
}

#[tokio::test]
async fn who_is_invited_to_one_more_workspace_need_not_be_emailed_again() {
    let app = App::limiting_mail(MailLimits::default()).await;
    let acme = app.tenant("Acme").await;
    acme.workspace("DACH").await;
    acme.workspace("Nordics").await;
    let invite = async |number: i64| {
        let body = json!({ "workspace_id": number, "email": "ada@example.com" });
        acme.owner.post("/api/workspace/invite-user", body).await
    };
    invite(1).await.expect(200);
    invite(2).await.expect(200);
    assert_eq!((wanted(&app), app.database.rows("SELECT FROM invitation_workspaces")), (1, 2));
    let again = invite(2).await.expect(429);
    assert!(!again.header("retry-after").is_empty() && again.body["status"] == false, "{}", again.text);
    pass(&app, 1);
    invite(2).await.expect(200);
    assert_eq!(wanted(&app), 2);
}

#[tokio::test]
async fn what_is_refused_leaves_no_trace_and_a_rehearsal_sends_nothing() {
    let app = App::limiting_mail(MailLimits { per_tenant: Cap::of(1), ..MailLimits::lax() }).await;
    let acme = app.tenant("Acme").await;
    let store = app.store.rehearsal();
    let details = tenantry_domain::InvitationDetails {
        email: "ada@example.com".parse().unwrap(),
        role: tenantry_domain::Role::Agent,
        workspaces: Vec::new(),
    };
    let days = tenantry_domain::InvitationDays::default();
    tenantry_operations::invitations::create(&store, &acme.operator(), details, days).await.unwrap();
    assert_eq!(wanted(&app), 0);
    acme.invitation("ada@example.com", json!({})).await;
    let events = app.database.rows("SELECT FROM audit_events");
    invite(&acme.owner, "bob@example.com", json!({})).await.expect(429);
    assert_eq!(
        (app.database.rows("SELECT FROM audit_events"), app.database.rows("SELECT FROM invitations")),
        (events, 1)
    );
}
