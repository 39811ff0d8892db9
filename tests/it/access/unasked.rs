//! What no client asks for: jobs, operators, and whoever accepts an invitation. Each works in one tenant, next to another one with
//! the very same ids, and touches nothing of that.

use std::{
    fs::File,
    io::{Read, Seek, Write},
};

use chrono::{Duration, TimeDelta};
use serde_json::json;
use tenantry_auth::seal::{MasterKey, MasterKeys};
use tenantry_domain::{
    Action, Cap, Change, Credential, Error, Holder, InTenant, MailLimits, Origin, PageRequest, Role, WorkspaceId,
};
use tenantry_operations::{
    Store, housekeeping,
    integrations::{Resealed, Resealing, reseal},
    outbox::{self, Report},
    providers::Timeouts,
    transfer,
};
use tenantry_persistence::{Ended, Pruner};
use tenantry_tests::{App, People, Rows, Tenant, Turn};
use uuid::Uuid;

use super::{Walls, World, take_row_security_off, twins::MARK};
use crate::outbox::{deliver, server, token};

super::behind_each_wall! {
    the_outbox_of_one_tenant_is_not_that_of_another, the_outbox_is_of_one_tenant_to_the_conditions_alone;
    an_invitation_is_accepted_in_its_own_tenant, an_invitation_is_accepted_in_its_own_tenant_by_the_conditions_alone;
    an_email_of_another_tenant_counts_for_nothing, an_email_of_another_tenant_counts_for_nothing_to_the_conditions_alone;
    what_is_over_goes_in_one_tenant, what_is_over_goes_in_one_tenant_by_the_conditions_alone;
    an_erased_workspace_takes_emails_of_its_tenant, an_erased_workspace_takes_emails_by_the_conditions_alone;
    an_export_and_an_import_are_of_one_tenant, an_export_and_an_import_are_of_one_tenant_to_the_conditions_alone;
    an_attempt_is_of_one_tenant, an_attempt_is_of_one_tenant_to_the_conditions_alone;
    an_address_in_another_tenant_is_nobody_here, an_address_in_another_tenant_is_nobody_to_the_conditions_alone;
}

#[tokio::test]
async fn resealing_is_of_one_tenant() {
    resealing_leaves_another_tenant_alone(Walls::Both).await;
}

#[tokio::test]
async fn resealing_is_of_one_tenant_to_the_conditions_alone() {
    resealing_leaves_another_tenant_alone(Walls::Conditions).await;
}

fn operator(tenant: &Tenant) -> Credential {
    tenant.operator()
}

fn job(tenant: &Tenant) -> Credential {
    Credential { holder: Holder::Job { name: "a test", tenant: Some(tenant.id) }, origin: Origin::default() }
}

impl World {
    /// The other tenant lets nobody in, so that no job has anything to do there.
    pub(super) async fn suspend_theirs(&self) {
        let path = format!("/api/admin/tenants/{}/suspend", self.theirs.id);
        self.app.platform().post(&path, json!({})).await.expect(200);
    }

    /// Gives each row that the other tenant has in a table a copy in which these members are others, such as an id that we do not have.
    pub(super) fn more_of_theirs(&self, table: &str, others: &str) {
        self.behind_the_back(&format!(
            "SET session_replication_role = replica;
             INSERT INTO {table} ({columns}) SELECT {columns} FROM (
                 SELECT (jsonb_populate_record(row, jsonb_build_object({others}))).*
                 FROM {table} AS row WHERE tenant_id = '{}') AS copies",
            self.theirs.id,
            columns = self.app.database.columns(table)
        ));
    }

    async fn the_outbox_of_one_tenant_is_not_that_of_another(&self) {
        let (app, server) = (&self.app, server());
        self.ours.invitation("p1@example.com", json!({})).await;
        let workspace = self.ours.workspace("DACH").await;
        self.ours.invitation("p2@example.com", json!({ "workspaceIds": [workspace] })).await;
        self.make_twins();
        // Older than ours, once more tried, and known by ids that we do not have.
        self.more_of_theirs("outbox_messages", "'id', gen_random_uuid()");
        self.behind_the_back(&format!(
            "UPDATE outbox_messages SET next_attempt_at = next_attempt_at - interval '1 hour', attempts = attempts + 1
                 WHERE tenant_id = '{}'",
            self.theirs.id
        ));
        self.suspend_theirs().await;
        let mut rows = Rows::of(&app.database);
        let before = rows.of_others(self.ours.id);
        server.next(Turn::Recipient("450 4.2.0 greylisted".to_owned()));
        assert_eq!(deliver(app, &server).await, Report { sent: 1, postponed: 1, ..Report::default() });
        let due = |more: &str| {
            app.database.rows(&format!("SELECT FROM tenants WHERE id = '{}' AND mail_due_at {more}", self.ours.id))
        };
        assert_eq!(due("> now()"), 1, "it is our own next attempt that counts");
        self.behind_the_back(&format!(
            "UPDATE outbox_messages SET next_attempt_at = now() WHERE tenant_id = '{0}' AND state = 'pending';
             UPDATE tenants SET mail_due_at = now() WHERE id = '{0}'",
            self.ours.id
        ));
        server.next(Turn::Recipient("550 5.1.1 not here".to_owned()));
        assert_eq!(deliver(app, &server).await, Report { dead: 1, ..Report::default() });
        assert_eq!(due("IS NULL"), 1, "what another tenant waits for is not due here");
        assert_eq!(outbox::retry_dead(&app.store, &operator(&self.ours)).await.unwrap().len(), 1);
        assert_eq!(deliver(app, &server).await, Report { sent: 1, ..Report::default() });
        let page = PageRequest { limit: Default::default(), sort: Default::default(), after: None };
        let listed = outbox::list(&app.store, &operator(&self.ours), None, page).await.unwrap();
        assert_eq!(listed.items.len(), 2);
        let mut mails: Vec<_> = server.mails().iter().map(|mail| (mail.to.clone(), mail.text())).collect();
        mails.sort();
        let to: Vec<_> = mails.iter().flat_map(|(to, _)| to).map(String::as_str).collect();
        assert_eq!(to, ["p1@example.com", "p2@example.com"]);
        assert!(mails.iter().all(|(_, text)| !text.contains(MARK)), "{mails:?}");
        assert_eq!(rows.of_others(self.ours.id), before);
    }

    async fn an_invitation_is_accepted_in_its_own_tenant(&self) {
        let (app, server, subject) = (&self.app, server(), "Ada");
        let workspace = self.ours.workspace("DACH").await;
        let email = People::email(subject);
        let invitation = self.ours.invitation(&email, json!({ "workspaceIds": [workspace] })).await;
        assert_eq!(deliver(app, &server).await.sent, 1);
        self.make_twins();
        // There, the same person is somebody else already, and the invitation is over.
        self.behind_the_back(&format!(
            "INSERT INTO members (tenant_id, id, email, email_key, role, status, issuer, subject)
             VALUES ('{0}', gen_random_uuid(), '{email}', '{email}', 'agent', 'active', '{1}', '{subject}');
             UPDATE invitations SET revoked_at = now() WHERE tenant_id = '{0}';
             UPDATE invitation_tokens SET replaced_at = now() WHERE tenant_id = '{0}'",
            self.theirs.id,
            People::ISSUER
        ));
        self.suspend_theirs().await;
        let mut rows = Rows::of(&app.database);
        let before = rows.of_others(self.ours.id);
        let body = json!({ "token": token(&server.mails()[0]) });
        let person = app.client().with_key(&app.people.token(subject, None, json!({})));
        for attempt in 1..=2 {
            let request = person.request("POST", "/api/invitations/accept").header("Idempotency-Key", "once");
            let accepted = person.send(request.json(&body)).await.expect(201);
            assert!(!accepted.text.contains(MARK), "{attempt}: {}", accepted.text);
            assert_eq!(rows.of_others(self.ours.id), before, "{attempt}");
        }
        let assigned = format!("SELECT FROM assignments WHERE tenant_id = '{}'", self.ours.id);
        assert_eq!(app.database.rows(&assigned), 1);
        let log = self.ours.owner.get(&format!("/api/audit-events?subjectId={invitation}")).await.expect(200);
        assert!(!log.text.contains(MARK), "{}", log.text);
    }

    async fn an_email_of_another_tenant_counts_for_nothing(&self) {
        let (ours, theirs) = (self.ours.id, self.theirs.id);
        let limited = |limits: MailLimits| App::store(&self.app.database.service_url(), |_| {}).limiting_mail(limits);
        let again = async |store: &Store, id: &str| {
            let days = Default::default();
            tenantry_operations::invitations::resend(store, &operator(&self.ours), id.parse().unwrap(), days).await
        };
        let (ada, eve) = (
            self.ours.invitation("ada@example.com", json!({})).await,
            self.ours.invitation("eve@example.com", json!({})).await,
        );
        self.make_twins();
        // Ours were long ago. Theirs have only just been sent, and there eve's invitation is one of ada.
        self.behind_the_back(&format!(
            "UPDATE outbox_messages SET created_at = now() - interval '2 days' WHERE tenant_id = '{ours}';
             UPDATE outbox_messages SET created_at = now() WHERE tenant_id = '{theirs}';
             UPDATE invitations SET email = 'ada+' || id || '@example.com', email_key = 'ada+' || id || '@example.com'
                 WHERE tenant_id = '{theirs}'"
        ));
        let one = Cap::of(1);
        let narrow = MailLimits { interval: Duration::minutes(1), ..MailLimits::lax() };
        again(&limited(narrow), &ada).await.expect("another tenant sent one about the same id");
        let day = "UPDATE outbox_messages SET created_at = now() - interval '2 days' WHERE tenant_id = ";
        self.behind_the_back(&format!("{day}'{ours}'"));
        again(&limited(MailLimits { per_tenant: one, ..MailLimits::lax() }), &ada).await.expect("they sent it");
        self.behind_the_back(&format!("{day}'{ours}'"));
        let per_recipient = limited(MailLimits { per_recipient: one, ..MailLimits::lax() });
        again(&per_recipient, &eve).await.unwrap();
        again(&per_recipient, &ada).await.expect("eve's invitation is one of ada in another tenant alone");
        let refused = again(&per_recipient, &ada).await.unwrap_err();
        assert!(matches!(refused, Error::TooMany { .. }), "the control: {refused:?}");
    }

    async fn what_is_over_goes_in_one_tenant(&self) {
        let (ours, theirs) = (self.ours.id, self.theirs.id);
        let workspace = self.ours.workspace("DACH").await;
        let (over, open) = (
            self.ours.invitation("over@example.com", json!({ "workspaceIds": [workspace] })).await,
            self.ours.invitation("open@example.com", json!({})).await,
        );
        let keyed = self.ours.owner.request("POST", "/api/brands").header("Idempotency-Key", "kept");
        self.ours.owner.send(keyed.json(&json!({ "name": "Kept", "emailFromName": "Kept" }))).await.expect(201);
        self.ours.key(&["tenant:read"], json!({ "name": "Ended" })).await;
        self.ours.key(&["tenant:read"], json!({ "name": "Used" })).await;
        self.behind_the_back(&format!(
            "INSERT INTO invitation_tokens VALUES ('{ours}', sha256('{over}'), '{over}'), ('{ours}', sha256('{open}'), '{open}');
             UPDATE outbox_messages SET state = 'sent';
             INSERT INTO webhooks (tenant_id, id, url, secret_set_at, enabled, disabled_reason)
                 VALUES ('{ours}', gen_random_uuid(), 'https://example.com', now(), true, NULL),
                        ('{ours}', gen_random_uuid(), 'https://example.com', now(), false, 'paused');
             INSERT INTO webhook_deliveries (tenant_id, webhook_id, event_id, state)
                 SELECT w.tenant_id, w.id, e.id, CASE WHEN w.enabled THEN 'delivered' ELSE 'pending' END
                 FROM webhooks AS w JOIN audit_events AS e USING (tenant_id)
                 WHERE w.tenant_id = '{ours}' AND e.action = 'invitation.create' AND e.subject_id = '{over}'"
        ));
        self.make_twins();
        self.more_of_theirs("outbox_messages", "'id', gen_random_uuid()");
        // Of ours, one of each is over, of theirs all are; and each key that is called Used cannot go.
        self.behind_the_back(&format!(
            "SET session_replication_role = replica;
             UPDATE invitations SET revoked_at = now() - interval '11 days' WHERE id = '{over}' OR tenant_id = '{theirs}';
             UPDATE outbox_messages SET created_at = now() - interval '11 days', updated_at = now() - interval '11 days'
                 WHERE subject_id = '{over}' OR tenant_id = '{theirs}';
             UPDATE idempotency_keys SET created_at = now() - interval '11 days';
             UPDATE webhook_deliveries SET updated_at = now() - interval '11 days';
             UPDATE webhooks SET enabled = true, disabled_reason = NULL WHERE tenant_id = '{theirs}';
             UPDATE api_keys SET revoked_at = now() - interval '11 days' WHERE name IN ('Ended', 'Used', '{MARK}');
             INSERT INTO audit_events SELECT (jsonb_populate_record(row, jsonb_build_object('tenant_id', '{theirs}'))).*
                 FROM audit_events AS row WHERE tenant_id = '{ours}' ON CONFLICT DO NOTHING;
             UPDATE audit_events SET occurred_at = now() - interval '11 days'
                 WHERE action = 'brand.create' OR tenant_id = '{theirs}'"
        ));
        let mut rows = Rows::of(&self.app.database);
        let before = rows.of_others(ours);
        let kept = TimeDelta::days(10);
        let own = format!("SELECT id::text AS line FROM outbox_messages WHERE tenant_id = '{ours}' ORDER BY 1");
        let all = own.replace(&format!("WHERE tenant_id = '{ours}'"), "");
        let ids = |sql: &str| -> Vec<Uuid> {
            let lines = tenantry_tests::lines(&mut self.app.database.admin(), sql);
            lines.iter().map(|id| id.parse().unwrap()).collect()
        };
        let (own, asked) = (ids(&own), ids(&all));
        let store = &self.app.store;
        let known = store
            .read(&job(&self.ours), InTenant, Action::OutboxDeliver, move |tx| tx.messages_among(&asked))
            .await
            .unwrap();
        assert!(known.len() == own.len() && own.iter().all(|id| known.contains(id)), "{known:?}");
        for kind in Ended::OF_THE_SERVICE {
            let counted = store
                .read(&job(&self.ours), InTenant, Action::OutboxDeliver, move |tx| tx.count_ended(kind, kept))
                .await
                .unwrap();
            let deleted = store
                .write(&job(&self.ours), InTenant, Action::OutboxDeliver, move |tx| {
                    Ok(Change::bookkeeping(tx.delete_ended(kind, kept)?))
                })
                .await
                .unwrap();
            assert_eq!((counted, deleted), (1, 1), "{}", kind.name());
        }
        let mut pruner = Pruner::connect(&self.app.database.owner_url()).unwrap();
        let brands = pruner.count(ours, Ended::AuditEvents, kept).unwrap();
        assert_eq!(pruner.prune(ours, Ended::AuditEvents, kept).unwrap(), usize::try_from(brands).unwrap());
        assert_eq!(brands, 1);
        self.behind_the_back(&format!(
            "CREATE TABLE uses (tenant_id uuid, key uuid, FOREIGN KEY (tenant_id, key) REFERENCES api_keys (tenant_id, id));
             INSERT INTO uses SELECT tenant_id, id FROM api_keys WHERE tenant_id = '{ours}' AND name = 'Used'"
        ));
        assert_eq!(pruner.count(ours, Ended::ApiKeys, kept).unwrap(), 2);
        assert_eq!(pruner.prune(ours, Ended::ApiKeys, kept).unwrap(), 1);
        self.behind_the_back("DROP TABLE uses");
        assert_eq!(rows.of_others(ours), before);
    }

    async fn an_erased_workspace_takes_emails_of_its_tenant(&self) {
        let (ours, theirs) = (self.ours.id, self.theirs.id);
        let workspace = self.ours.workspace("DACH").await;
        self.ours.invitation("ada@example.com", json!({ "workspaceIds": [workspace] })).await;
        self.behind_the_back(
            "UPDATE outbox_messages SET state = 'sent', created_at = now() - interval '2 days';
             UPDATE workspaces SET deleted_at = now() - interval '31 days'",
        );
        // Theirs is not deleted.
        self.make_twins();
        let mut rows = Rows::of(&self.app.database);
        let before = rows.of_others(ours);
        assert!(before["outbox_messages"].iter().any(|row| row.contains(&theirs.to_string())), "the control");
        assert_eq!(housekeeping::erase_deleted_workspaces(&self.app.store).await.unwrap(), 1);
        assert_eq!(self.app.database.rows(&format!("SELECT FROM outbox_messages WHERE tenant_id = '{ours}'")), 0);
        assert_eq!(rows.of_others(ours), before);
    }

    async fn an_export_and_an_import_are_of_one_tenant(&self) {
        self.fill().await;
        let before = exported(&self.app, &self.ours).await;
        self.make_twins();
        // What would be refused at the end of an import, and fills more than the limits that ours will have there.
        self.more_of_theirs("assignments", "'member_id', gen_random_uuid(), 'number', number + 5000000");
        self.more_of_theirs("agents", "'id', gen_random_uuid(), 'external_reference', gen_random_uuid()");
        self.behind_the_back(&format!("UPDATE usage_months SET seconds = -7 WHERE tenant_id = '{}'", self.theirs.id));
        let after = exported(&self.app, &self.ours).await;
        assert_eq!(things(&after), things(&before));
        assert_eq!(after.lines().count(), before.lines().count() + 1, "one event more, of the export before");
        let there = self.app.tenant("There").await;
        let limits = json!({ "maxWorkspaces": 2, "maxMembers": 2, "maxAgents": 2 });
        self.app.platform().patch(&format!("/api/admin/tenants/{}", there.id), limits).await.expect(200);
        let mut rows = Rows::of(&self.app.database);
        let untouched = rows.of_others(there.id);
        let without_a_default = after.replace("\"isDefault\":true", "\"isDefault\":false");
        assert_ne!(without_a_default, after);
        let refused = import(&self.app, &there, &without_a_default).await.unwrap_err();
        assert!(format!("{refused:?}").contains("isDefault"), "{refused:?}");
        import(&self.app, &there, &after).await.unwrap();
        assert_eq!(rows.of_others(there.id), untouched);
        assert_eq!(things(&exported(&self.app, &there).await).len(), things(&after).len());
        assert_eq!(sums(&mut rows, &there), sums(&mut rows, &self.ours));
    }

    /// Something of each kind that an export has.
    async fn fill(&self) {
        let owner = &self.ours.owner;
        let workspace = self.ours.workspace("DACH").await;
        self.ours.workspace("Nordics").await;
        self.ours.member(Role::Agent, &[&workspace]).await;
        self.ours.invitation("ada@example.com", json!({ "workspaceIds": [workspace] })).await;
        self.ours.agent(&workspace, json!({})).await;
        self.ours.agent(&workspace, json!({})).await;
        let integration = json!({ "apiKey": "sk-proj-of-a-transfer" });
        owner.put(&format!("/api/workspaces/{workspace}/integrations/openai"), integration).await.expect(200);
        let usage = json!({ "seconds": 60, "reference": "call" });
        owner.post(&format!("/api/workspaces/{workspace}/usage"), usage).await.expect(201);
    }

    async fn an_attempt_is_of_one_tenant(&self) {
        let client = &self.ours.owner;
        let attempt = async || {
            let request = client.request("POST", "/api/brands").header("Idempotency-Key", "once");
            client.send(request.json(&json!({ "name": "Once", "emailFromName": "Once" }))).await.expect(201)
        };
        let first = attempt().await;
        self.make_twins();
        let mut rows = Rows::of(&self.app.database);
        let before = rows.of_others(self.ours.id);
        assert_eq!(attempt().await.body, first.body, "the answer of the other tenant does not open here");
        // A day later the key is free again, and its old answer makes way for the new one.
        self.behind_the_back(&format!(
            "UPDATE idempotency_keys SET created_at = now() - interval '2 days' WHERE tenant_id = '{}'",
            self.ours.id
        ));
        assert_ne!(attempt().await.id(), first.id());
        assert_eq!(rows.of_others(self.ours.id), before);
    }

    async fn an_address_in_another_tenant_is_nobody_here(&self) {
        let (ours, theirs) = (&self.ours, &self.theirs);
        let (member, subject) = theirs.member_called(Role::Agent, &[]).await;
        let email = People::email(&subject);
        theirs.invitation("ada@example.com", json!({})).await;
        ours.workspace("DACH").await;
        for (n, address) in [email.as_str(), "ada@example.com"].into_iter().enumerate() {
            let invited = json!({ "workspace_id": 1, "email": address });
            ours.owner.post("/api/workspace/invite-user", invited).await.expect(200);
            let pending = format!("SELECT FROM invitations WHERE tenant_id = '{}'", ours.id);
            assert_eq!(self.app.database.rows(&pending), i64::try_from(n + 1).unwrap(), "{address} is new here");
        }
        let elsewhere = format!("SELECT FROM invitations WHERE tenant_id = '{}'", theirs.id);
        assert_eq!(self.app.database.rows(&elsewhere), 1);
        theirs.owner.get(&format!("/api/members/{member}")).await.expect(200);
        // Invited anew, an address takes the place of its expired invitation in this tenant, and in no other.
        self.behind_the_back("UPDATE invitations SET expires_at = now() - interval '1 day'");
        ours.invitation("ada@example.com", json!({})).await;
        assert_eq!(self.app.database.rows(&elsewhere), 1);
    }
}

/// The lines of an export without the header, without what exporting itself adds to, and without keys, whose use is put on record.
fn things(text: &str) -> Vec<&str> {
    let others = ["export", "audit_event", "api_key", "end"].map(|kind| format!("{{\"type\":\"{kind}\""));
    text.lines().filter(|line| !others.iter().any(|start| line.starts_with(start))).collect()
}

/// What was used in each month of a tenant.
fn sums(rows: &mut Rows, tenant: &Tenant) -> Vec<String> {
    let months = rows.of_tenant(tenant.id).remove("usage_months").unwrap();
    months.iter().map(|row| row.replace(&tenant.id.to_string(), "")).collect()
}

async fn exported(app: &App, tenant: &Tenant) -> String {
    let (mut file, mut text) = (tempfile::tempfile().unwrap(), String::new());
    transfer::export(&app.store, &operator(tenant), file.try_clone().unwrap()).await.unwrap();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    text
}

async fn import(app: &App, tenant: &Tenant, text: &str) -> Result<transfer::Counts, Error> {
    let mut file: File = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    transfer::import(&app.store, &operator(tenant), file).await
}

async fn resealing_leaves_another_tenant_alone(walls: Walls) {
    let files = [1, 2].map(|version| MasterKey::generate(version).unwrap().to_string());
    let key = |at: usize| files[at].parse::<MasterKey>().unwrap();
    let app = App::integrating(MasterKeys::new(key(0), Vec::new()).unwrap(), Timeouts::default()).await;
    if walls == Walls::Conditions {
        take_row_security_off(&app.database);
    }
    let (theirs, ours) = (app.tenant("Theirs").await, app.tenant("Ours").await);
    let world = World { app, ours, theirs };
    let mut workspaces = Vec::new();
    for name in ["Good", "Damaged"] {
        let workspace = world.ours.workspace(name).await;
        let path = format!("/api/workspaces/{workspace}/integrations/openai");
        world.ours.owner.put(&path, json!({ "apiKey": "sk-proj-of-a-rotation" })).await.expect(200);
        workspaces.push(workspace);
    }
    let damage = "SET sealed_secret = set_byte(sealed_secret, 20, get_byte(sealed_secret, 20) # 1)";
    world.behind_the_back(&format!("UPDATE integrations {damage} WHERE workspace_id = '{}'", workspaces[1]));
    world.make_twins();
    world.more_of_theirs("integrations", "'workspace_id', gen_random_uuid()");
    let mut rows = Rows::of(&world.app.database);
    let (before, store, by) = (rows.of_others(world.ours.id), &world.app.store, operator(&world.ours));
    let above = Credential {
        holder: Holder::Operator { name: "ada".parse().unwrap(), tenant: None },
        origin: Origin::default(),
    };
    let both = MasterKeys::new(key(1), vec![key(0)]).unwrap();
    let done = reseal(store, &both, &above, Resealing::Reseal).await.unwrap();
    assert_eq!(done, Resealed { tenants: 1, resealed: 1, unopened: 1, left: [(1, 1)].into() });
    assert_eq!(rows.of_others(world.ours.id), before, "sealed anew");
    let noted = |keys: i64| {
        let sql = format!("SELECT unnest(sealed_under) FROM tenants WHERE id = '{}'", world.ours.id);
        assert_eq!(world.app.database.rows(&sql), keys, "what our own secrets are sealed under");
    };
    noted(2);
    let done = reseal(store, &both, &above, Resealing::Discard { lost: None }).await.unwrap();
    assert_eq!(done, Resealed { tenants: 1, unopened: 1, ..Resealed::default() });
    assert_eq!(rows.of_others(world.ours.id), before, "put aside");
    noted(1);
    let aside = "discarded_secret = sealed_secret, discarded_key = 'v1:0000000000000000', sealed_secret = NULL,
        key_version = NULL, last_four = NULL, secret_set_at = NULL, discarded_at = now() - interval '31 days'";
    world.behind_the_back(&format!(
        "UPDATE integrations SET {aside} WHERE tenant_id = '{}' AND sealed_secret IS NOT NULL",
        world.theirs.id
    ));
    let before = rows.of_others(world.ours.id);
    let damaged: WorkspaceId = workspaces[1].parse().unwrap();
    let found = store
        .write(&by, InTenant, Action::IntegrationReseal, |tx| {
            let mut found = Vec::new();
            while let Some((workspace, provider, key)) = tx.next_discarded(found.last().copied())? {
                tx.take_back_discarded(workspace, provider, &key)?;
                found.push((workspace, provider));
            }
            Ok(Change::bookkeeping(found))
        })
        .await
        .unwrap();
    assert_eq!(found, [(damaged, "openai".parse().unwrap())]);
    assert_eq!(rows.of_others(world.ours.id), before, "taken back");
    let old = format!(
        "UPDATE integrations SET discarded_at = now() - interval '31 days', discarded_secret = '\\x00'
         WHERE workspace_id = '{damaged}' AND tenant_id = '{}'",
        world.ours.id
    );
    world.behind_the_back(&old);
    let cleared = store
        .write(&job(&world.ours), InTenant, Action::OutboxDeliver, |tx| Ok(Change::bookkeeping(tx.clear_discarded()?)))
        .await
        .unwrap();
    assert_eq!(cleared, 1);
    assert_eq!(rows.of_others(world.ours.id), before, "cleared");
}
