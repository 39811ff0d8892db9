//! Rows of another tenant with the very same ids, keys included: a condition that names the id and forgets the tenant takes
//! the wrong one. Ids do not meet in practice, so nothing but this shows it.

use serde_json::{Value, json};
use tenantry_domain::{Role, Scope};
use tenantry_operations::housekeeping;
use tenantry_tests::{Client, Operation, Rows, Target};

use super::World;

super::behind_each_wall! {
    a_twin_in_another_tenant_changes_nothing_that_is_read, a_twin_changes_nothing_that_is_read_by_the_conditions_alone;
    a_twin_in_another_tenant_is_not_touched_by_a_write, a_twin_is_not_touched_by_a_write_by_the_conditions_alone;
    a_twin_of_a_key_in_another_tenant_opens_nothing, a_twin_of_a_key_opens_nothing_by_the_conditions_alone;
    erasing_takes_what_is_due_in_each_tenant_and_no_twin, erasing_takes_no_twin_by_the_conditions_alone;
}

/// Those that an API key may call, with those of the dialect, which name things by their numbers.
fn operations() -> Vec<Operation> {
    let in_a_tenant = |one: &Operation| one.needs_credential() && !one.needs_a_person() && !one.is_of_the_platform();
    Operation::all().into_iter().filter(in_a_tenant).collect()
}

/// In every text of a twin.
pub(super) const MARK: &str = "TWIN";

impl World {
    /// Gives the other tenant a twin of everything we have, and nothing else but its owner's key. Our rows are written anew,
    /// so that they lie behind their twins and are found later.
    pub(super) fn make_twins(&self) {
        let (ours, theirs) = (self.ours.id, self.theirs.id);
        let all: Vec<_> = Scope::all().iter().map(|scope| format!("'{scope}'")).collect();
        let changes = |table: &str| match table {
            "brands" => format!(", 'email_from_name', '{MARK}', 'brand_instructions', '{MARK}'"),
            // What is capped in theirs is open in ours.
            "workspaces" => format!(
                ", 'workspace_instructions', '{MARK}', 'max_members', 0, 'max_agents', 0, 'max_minutes', 0,
                 'time_zone', 'Pacific/Apia', 'limits_version', 77"
            ),
            "members" | "invitations" => {
                format!(", 'email', '{MARK}.' || email, 'email_key', '{MARK}.' || email_key, 'role', 'owner'")
            }
            "agents" => format!(", 'voice', '{MARK}'"),
            "usage_entries" | "usage_months" => ", 'seconds', 7777".to_owned(),
            "integrations" => {
                format!(", 'last_error', '{MARK}', 'last_four', CASE WHEN sealed_secret IS NOT NULL THEN '{MARK}' END")
            }
            "api_keys" => format!(", 'last_four', '{MARK}', 'scopes', ARRAY[{}]", all.join(", ")),
            _ => String::new(),
        };
        // A table without a name or a version leaves them out.
        let copy = |table: &String| {
            format!(
                "INSERT INTO {table} ({columns}) SELECT {columns} FROM (
                     SELECT (jsonb_populate_record(row, jsonb_build_object('tenant_id', '{theirs}',
                         'name', '{MARK}', 'version', 77 {}))).* FROM {table} AS row WHERE tenant_id = '{ours}') AS copies;
                 UPDATE {table} SET tenant_id = tenant_id WHERE tenant_id = '{ours}';",
                changes(table),
                columns = self.app.database.columns(table)
            )
        };
        let mut tables = Rows::of(&self.app.database).tables();
        tables.retain(|table| !["tenants", "audit_events"].contains(&table.as_str()));
        let delete = |table: &String| format!("DELETE FROM {table} WHERE tenant_id = '{theirs}';");
        let deletions: String = tables.iter().map(delete).collect();
        let copies: String = tables.iter().map(copy).collect();
        self.behind_the_back(&format!(
            "-- In no order: foreign keys are not checked.
             SET session_replication_role = replica;
             -- What the delivery of an invitation leaves.
             INSERT INTO invitation_tokens (tenant_id, token_hash, invitation_id)
                 SELECT tenant_id, sha256(id::text::bytea), id FROM invitations WHERE tenant_id = '{ours}' ON CONFLICT DO NOTHING;
             {deletions} UPDATE api_keys SET last_used_at = NULL; {copies}
             -- Everybody of theirs may do everything, and is assigned to everything.
             INSERT INTO assignments (tenant_id, workspace_id, member_id, number)
                 SELECT tenant_id, workspaces.id, members.id, 1000000 + row_number() OVER () FROM members
                 JOIN workspaces USING (tenant_id) WHERE tenant_id = '{theirs}' ON CONFLICT DO NOTHING;
             UPDATE api_keys SET brand_id = NULL, workspace_id = NULL, expires_at = NULL, revoked_at = NULL
                 WHERE tenant_id = '{theirs}';
             -- Each workspace under another brand than ours, where there is one.
             UPDATE workspaces AS row SET brand_id = (SELECT id FROM brands AS other WHERE other.tenant_id = row.tenant_id
                 ORDER BY other.id = row.brand_id, other.id LIMIT 1), deleted_at = NULL WHERE tenant_id = '{theirs}';
             INSERT INTO brands SELECT (jsonb_populate_record(row, jsonb_build_object('id', gen_random_uuid(), 'slug', 'free',
                 'external_id', NULL, 'is_default', false))).* FROM brands AS row WHERE tenant_id = '{theirs}' LIMIT 1;",
        ));
    }

    /// Whoever sees something of ours, each in its own way.
    async fn readers(&self, brand: &str, workspace: &str) -> Vec<Client> {
        let all: Vec<_> = Scope::all().iter().map(|scope| scope.as_str()).collect();
        vec![
            self.ours.owner.clone(),
            self.ours.key(&all, json!({ "brandId": brand })).await,
            self.ours.key(&all, json!({ "workspaceId": workspace })).await,
            self.ours.key(&["brands:read"], json!({})).await,
            self.ours.member(Role::Admin, &[]).await.1,
            self.ours.member(Role::Observer, &[workspace]).await.1,
            self.ours.member(Role::Agent, &[]).await.1,
            self.ours.member(Role::Billing, &[workspace]).await.1,
        ]
    }

    async fn a_twin_in_another_tenant_changes_nothing_that_is_read(&self) {
        let mut target = Target::of(&self.ours).await;
        let workspace = target.workspace().await;
        self.ours.workspace("Another").await;
        let usage = json!({ "seconds": 60, "reference": "call" });
        self.ours.owner.post(&format!("/api/workspaces/{workspace}/usage"), usage).await.expect(201);
        let clients = self.readers(target.brand(), &workspace).await;
        let mut paths = Vec::new();
        for operation in operations().iter().filter(|operation| !operation.writes()) {
            let path = target.path(operation).await;
            if operation.lists() {
                paths.extend(["sort=-name", "limit=1"].map(|query| format!("{path}?{query}")));
            }
            paths.push(path);
        }
        let before = read(&clients, &paths).await;
        self.make_twins();
        for (after, before) in read(&clients, &paths).await.into_iter().zip(before) {
            assert!(!after.to_string().contains(MARK), "{after}");
            assert_eq!(after, before);
        }
    }

    async fn a_twin_in_another_tenant_is_not_touched_by_a_write(&self) {
        let mut rows = Rows::of(&self.app.database);
        for operation in operations() {
            let mut target = Target::of(&self.ours).await;
            let (path, body) = (target.path(&operation).await, target.body(&operation).await);
            self.make_twins();
            let before = rows.of_others(self.ours.id);
            let answer = operation.send(&self.ours.owner, &path, body.as_ref()).await;
            assert!((200..300).contains(&answer.status), "{operation}: {}", answer.text);
            assert!(!answer.text.contains(MARK), "{operation}: {}", answer.text);
            self.app.store.write_notes().await;
            assert_eq!(rows.of_others(self.ours.id), before, "{operation}");
            let used =
                format!("SELECT FROM api_keys WHERE tenant_id = '{}' AND last_used_at IS NOT NULL", self.ours.id);
            assert_eq!(self.app.database.rows(&used), 1, "{operation} puts the use of our key on record");
        }
        let told =
            format!("SELECT FROM audit_events WHERE tenant_id = '{}' AND changes::text LIKE '%{MARK}%'", self.ours.id);
        assert_eq!(self.app.database.rows(&told), 0, "the log tells what was ours before");
        let derived = json!({ "name": "Free", "emailFromName": "Free", "isDefault": true });
        self.make_twins();
        let before = rows.of_others(self.ours.id);
        let brand = self.ours.owner.post("/api/brands", derived).await.expect(201);
        assert_eq!(brand.body["slug"], "free", "a slug of another tenant is not taken");
        assert_eq!(rows.of_others(self.ours.id), before, "a default brand of another tenant stays one");
    }

    async fn a_twin_of_a_key_in_another_tenant_opens_nothing(&self) {
        let (narrow, _) = self.ours.key_with_id(&["brands:read"], json!({})).await;
        let (revoked, id) = self.ours.key_with_id(&["brands:read"], json!({})).await;
        self.ours.owner.delete(&format!("/api/api-keys/{id}")).await.expect(204);
        let (expired, id) = self.ours.key_with_id(&["brands:read"], json!({})).await;
        self.behind_the_back(&format!("UPDATE api_keys SET expires_at = now() WHERE id = '{id}'"));
        self.make_twins();
        revoked.get("/api/brands").await.expect(401);
        expired.get("/api/brands").await.expect(401);
        narrow.get("/api/brands").await.expect(200);
        narrow.post("/api/brands", json!({ "name": "Mine", "emailFromName": "Mine" })).await.expect(403);
    }

    async fn erasing_takes_what_is_due_in_each_tenant_and_no_twin(&self) {
        let (due, kept) = (self.ours.workspace("Due").await, self.ours.workspace("Kept").await);
        self.make_twins();
        let (ours, theirs) = (self.ours.id, self.theirs.id);
        self.behind_the_back(&format!(
            "UPDATE workspaces SET deleted_at = now() - interval '31 days'
                 WHERE (tenant_id, id) IN (('{ours}', '{due}'), ('{theirs}', '{kept}'))"
        ));
        assert_eq!(housekeeping::erase_deleted_workspaces(&self.app.store).await.unwrap(), 2);
        for (tenant, erased, left) in [(ours, &due, &kept), (theirs, &kept, &due)] {
            let count = |sql: &str| self.app.database.rows(&format!("SELECT FROM {sql} AND tenant_id = '{tenant}'"));
            assert_eq!(count(&format!("workspaces WHERE id = '{erased}'")), 0);
            assert_eq!(count(&format!("workspaces WHERE id = '{left}'")), 1);
            let log = "audit_events WHERE action = 'workspace.erase'";
            assert_eq!(count(&format!("{log} AND subject_id = '{erased}'")), 1);
            assert_eq!(count(log), 1);
        }
    }
}

/// What each client is answered at each path, without the use of keys, which reading itself puts on record.
async fn read(clients: &[Client], paths: &[String]) -> Vec<Value> {
    let mut answers = Vec::new();
    for (at, client) in clients.iter().enumerate() {
        for path in paths {
            let answer = client.get(path).await;
            let mut body = answer.without_request_id();
            forget_use(&mut body);
            answers.push(json!([at, path, answer.status, body]));
        }
    }
    answers
}

fn forget_use(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove("lastUsedAt");
            // A cursor of a list by time holds nothing that a twin could change.
            members.values_mut().for_each(forget_use);
        }
        Value::Array(values) => values.iter_mut().for_each(forget_use),
        _ => {}
    }
}
