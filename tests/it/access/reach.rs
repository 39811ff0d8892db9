//! The write-reach matrix: whatever somebody writes, nothing outside their reach changes. Every write operation of the document, in
//! both dialects, for keys of each scope and each level and for members of each role, with every body that could reach further.
//! Each time all rows of the tenant are compared before and after.

use serde_json::{Value, json};
use tenantry_domain::{Action, Choice, KeyRule, Role, Scope};
use tenantry_tests::{App, Client, Operation, Rows, Target, Tenant, TestDatabase, lines, new_name};

/// The tables in which an action changes rows, in either dialect. What it writes about itself is not among them: the audit log, the
/// use of the caller's key, and the tenant's counters. A new action needs a line.
fn changed_by(action: Action) -> &'static [&'static str] {
    match action {
        Action::TenantUpdate => &["tenants"],
        Action::BrandCreate | Action::BrandUpdate => &["brands"],
        // Keys of the brand go with it.
        Action::BrandDelete => &["brands", "api_keys"],
        Action::WorkspaceCreate | Action::WorkspaceDelete | Action::WorkspaceRestore | Action::LimitsUpdate => {
            &["workspaces"]
        }
        // The dialect sets integrations in the same request.
        Action::WorkspaceUpdate => &["workspaces", "integrations"],
        Action::IntegrationUpdate | Action::IntegrationRemove | Action::IntegrationVerify => &["integrations"],
        Action::AgentCreate | Action::AgentUpdate | Action::AgentDelete => &["agents"],
        Action::UsageRecord => &["usage_entries", "usage_months"],
        Action::ApiKeyCreate | Action::ApiKeyRotate => &["api_keys"],
        // With what was promised by who may no longer give it.
        Action::ApiKeyRevoke => &["api_keys", "invitations", "outbox_messages"],
        Action::MemberUpdate | Action::OwnershipTransfer => &["members", "invitations", "outbox_messages"],
        Action::MemberRemove => &["members", "assignments", "invitations", "outbox_messages"],
        Action::AssignmentCreate | Action::AssignmentRemove => &["members", "assignments"],
        Action::InvitationCreate => &["invitations", "invitation_workspaces", "outbox_messages"],
        Action::InvitationResend => &["invitations", "invitation_tokens", "outbox_messages"],
        Action::InvitationRevoke => &["invitations", "outbox_messages"],
        Action::WebhookCreate | Action::WebhookUpdate | Action::WebhookRotate => &["webhooks"],
        Action::WebhookDelete | Action::WebhookTest | Action::WebhookResend | Action::WebhookReplay => {
            &["webhooks", "webhook_deliveries"]
        }
        // The token in the example is of no invitation.
        Action::InvitationAccept => &[],
        other => panic!("{} writes and has no line here: say which tables it changes", other.rule().name),
    }
}

/// What the service counts in the tenant's own row while it does something else, and in that of a brand while it changes workspaces.
const COUNTERS: [(&str, &[&str]); 2] = [
    (
        "tenants",
        &[
            "last_workspace_number",
            "last_place_number",
            "mail_due_at",
            "sealed_under",
            "webhooks_due_at",
            "workspace_count",
            "member_count",
        ],
    ),
    ("brands", &["workspace_count"]),
];

/// What somebody can reach.
#[derive(Debug, Clone)]
enum Reach {
    Tenant,
    Brand(String),
    Workspace(String),
    /// Nothing but themselves.
    Nothing,
}

/// Who writes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Writer {
    /// A key of the tenant with this scope alone.
    Only(Scope),
    /// A key with this scope alone, or with all, in the brand that the request is about.
    OwnBrand(Option<Scope>),
    /// The same in the workspace.
    OwnWorkspace(Option<Scope>),
    /// A key with all scopes beside it.
    OtherBrand,
    SiblingWorkspace,
    /// A member, assigned to the workspace or to nothing.
    Member(Role, bool),
}

impl Writer {
    fn all(action: Action) -> Vec<Self> {
        let mut all: Vec<_> = Scope::all().into_iter().map(Self::Only).collect();
        all.extend([Self::OwnBrand(None), Self::OwnWorkspace(None), Self::OtherBrand, Self::SiblingWorkspace]);
        if let KeyRule::Scoped(scope, _) = action.rule().key {
            all.extend([Self::OwnBrand(Some(scope)), Self::OwnWorkspace(Some(scope))]);
        }
        all.extend(Role::ALL.iter().map(|(role, _)| Self::Member(*role, true)));
        all.push(Self::Member(Role::Agent, false));
        all
    }

    /// Whether it is a key without the scope that the action needs.
    fn lacks_the_scope(self, action: Action) -> bool {
        match (self, action.rule().key) {
            (Self::Only(scope), KeyRule::Scoped(needed, _)) => scope != needed,
            (Self::Only(_), KeyRule::Never) => true,
            _ => false,
        }
    }

    /// Their client, their id, and what they reach.
    async fn come(self, tenant: &Tenant, target: &mut Target<'_>) -> (Client, String, Reach) {
        let words = |scopes: &[Scope]| scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>();
        let (all, some) = (Scope::all(), |scope: Option<Scope>| scope.map_or_else(Scope::all, |scope| vec![scope]));
        let key = async |scopes: &[Scope], more: Value, reach: Reach| {
            let (client, id) = tenant.key_with_id(&words(scopes), more).await;
            (client, id, reach)
        };
        match self {
            Self::Only(scope) => key(&[scope], json!({}), Reach::Tenant).await,
            Self::OwnBrand(scope) => {
                let id = target.brand().to_owned();
                key(&some(scope), json!({ "brandId": id }), Reach::Brand(id)).await
            }
            Self::OwnWorkspace(scope) => {
                let id = target.workspace().await;
                key(&some(scope), json!({ "workspaceId": id }), Reach::Workspace(id)).await
            }
            Self::OtherBrand => {
                let id = tenant.brand(&new_name("Other")).await;
                key(&all, json!({ "brandId": id }), Reach::Brand(id)).await
            }
            Self::SiblingWorkspace => {
                let id = tenant.workspace_of(target.brand(), &new_name("Sibling")).await;
                key(&all, json!({ "workspaceId": id }), Reach::Workspace(id)).await
            }
            Self::Member(role, assigned) => {
                let reach = match role {
                    Role::Owner | Role::Admin => Reach::Tenant,
                    Role::Agent | Role::Observer if assigned => Reach::Workspace(target.workspace().await),
                    _ => Reach::Nothing,
                };
                let workspaces = match &reach {
                    Reach::Workspace(id) => vec![id.as_str()],
                    _ => Vec::new(),
                };
                let (id, client) = tenant.member(role, &workspaces).await;
                (client, id, reach)
            }
        }
    }
}

/// A row: its table, and its columns.
type Row = (String, Value);

/// All rows of one tenant, seen behind the service's back.
struct Eye {
    admin: diesel::PgConnection,
    tables: Vec<String>,
    tenant: String,
}

impl Eye {
    fn on(database: &TestDatabase, tenant: &Tenant) -> Self {
        let tables = Rows::of(database).tables();
        Self { admin: database.admin(), tables, tenant: tenant.id.to_string() }
    }

    fn look(&mut self) -> Vec<Row> {
        let mut rows = Vec::new();
        for table in &self.tables {
            let column = if table == "tenants" { "id" } else { "tenant_id" };
            let sql =
                format!("SELECT to_jsonb(row)::text AS line FROM {table} AS row WHERE {column} = '{}'", self.tenant);
            let found = lines(&mut self.admin, &sql);
            rows.extend(found.iter().map(|row| (table.clone(), serde_json::from_str(row).unwrap())));
        }
        rows
    }
}

/// What is only in one of the two, and the brand of each workspace that is in either.
struct Difference {
    rows: Vec<Row>,
    brands: Vec<(Value, Value)>,
}

impl Difference {
    fn of(before: &[Row], after: &[Row]) -> Self {
        let gone = before.iter().filter(|row| !after.contains(row));
        let come = after.iter().filter(|row| !before.contains(row));
        let workspaces = before.iter().chain(after).filter(|(table, _)| table == "workspaces");
        Self {
            rows: gone.chain(come).cloned().collect(),
            brands: workspaces.map(|(_, row)| (row["id"].clone(), row["brand_id"].clone())).collect(),
        }
    }

    /// Whether the two versions of this row differ in nothing but counters.
    fn only_counts(&self, table: &str, row: &Value) -> bool {
        let Some((_, counters)) = COUNTERS.iter().find(|(counted, _)| *counted == table) else { return false };
        let of_it = |(other, version): &&Row| other == table && version["id"] == row["id"];
        let versions: Vec<_> = self.rows.iter().filter(of_it).map(|(_, version)| version).collect();
        let [before, after] = versions[..] else { return false };
        let columns = before.as_object().unwrap().keys();
        columns.filter(|column| before[*column] != after[*column]).all(|column| counters.contains(&column.as_str()))
    }

    /// What is wrong with it, of one who is this and reaches so far and takes this action.
    fn faults(&self, who: &str, reach: &Reach, action: Action, success: bool) -> Vec<String> {
        let fault = |one: &&Row| {
            let (table, row) = self.thing_of(one);
            let own_key = table == "api_keys" && row["id"] == who;
            let own_event = table == "audit_events" && row["actor_id"] == who || self.tells_of(who, table, row);
            let counts = table == "tenants" || changed_by(action).contains(&"workspaces");
            let counter = counts && self.only_counts(table, row);
            let own = success && (own_key || own_event || counter);
            !(own || success && changed_by(action).contains(&table.as_str()) && self.reaches(who, reach, table, row))
        };
        self.rows.iter().filter(fault).map(|(table, row)| format!("{table} {row}")).collect()
    }

    /// Whether it is the delivery of an event that this one has left.
    fn tells_of(&self, who: &str, table: &str, row: &Value) -> bool {
        let own = |(other, event): &Row| {
            other == "audit_events" && event["id"] == row["event_id"] && event["actor_id"] == who
        };
        table == "webhook_deliveries" && self.rows.iter().any(own)
    }

    /// The row itself; of an entry of metadata, the row of the thing that has it, which changes with it.
    fn thing_of<'r>(&'r self, one: &'r Row) -> &'r Row {
        let Some(noun) = one.0.strip_suffix("_metadata") else { return one };
        let (table, id) = (format!("{noun}s"), &one.1[format!("{noun}_id")]);
        self.rows.iter().find(|(other, row)| *other == table && row["id"] == *id).unwrap_or(one)
    }

    fn reaches(&self, who: &str, reach: &Reach, table: &str, row: &Value) -> bool {
        // Everybody may leave, and takes their assignments along.
        let is_theirs = table == "members" && row["id"] == who || table == "assignments" && row["member_id"] == who;
        let workspace = if table == "workspaces" { &row["id"] } else { &row["workspace_id"] };
        is_theirs
            || match reach {
                Reach::Tenant => true,
                Reach::Brand(id) => {
                    let in_brand = |(known, brand): &(Value, Value)| known == workspace && brand == id;
                    table == "brands" && row["id"] == *id || self.brands.iter().any(in_brand)
                }
                Reach::Workspace(id) => workspace == id,
                Reach::Nothing => false,
            }
    }
}

/// The example, and the example with each field that could reach further.
async fn bodies(operation: &Operation, target: &mut Target<'_>, tenant: &Tenant) -> Vec<Option<Value>> {
    let Some(body) = target.body(operation).await else { return vec![None] };
    let mut bodies = vec![Some(body.clone())];
    let properties = operation.body_schema().and_then(|schema| schema["properties"].as_object()).into_iter().flatten();
    for (name, schema) in properties {
        let further = match (name.as_str(), schema["type"].as_str()) {
            ("brandId", _) => json!(tenant.brand),
            ("slug", _) => json!(new_name("slug").replace(' ', "-")),
            (_, Some("boolean")) => json!(true),
            _ => continue,
        };
        let mut body = target.body(operation).await.unwrap_or_default();
        body[name] = further;
        bodies.push(Some(body));
    }
    bodies
}

/// Things of everybody else, so that there is something that must stay as it is.
async fn bystanders(tenant: &Tenant) {
    let workspace = tenant.workspace("Bystander").await;
    tenant.agent(&workspace, json!({})).await;
    tenant.member(Role::Agent, &[&workspace]).await;
    tenant.invitation("bystander@tenantry.test", json!({ "workspaceIds": [workspace] })).await;
    tenant.key(&["workspaces:read"], json!({ "workspaceId": workspace })).await;
    let usage = json!({ "seconds": 60, "reference": "bystander" });
    tenant.owner.post(&format!("/api/workspaces/{workspace}/usage"), usage).await.expect(201);
    let openai = json!({ "apiKey": "sk-proj-0123456789abcdef" });
    tenant.owner.put(&format!("/api/workspaces/{workspace}/integrations/openai"), openai).await.expect(200);
}

/// What was sent, and what came of it.
struct Play<'a> {
    tenant: &'a Tenant,
    eye: Eye,
    operation: Operation,
    action: Action,
    /// What is wrong so far.
    faults: Vec<String>,
    /// How many requests succeeded.
    successes: usize,
}

impl Play<'_> {
    /// One request by this writer, and what it did to all rows.
    async fn send(&mut self, writer: Writer, client: (Client, String, Reach), path: &str, body: Option<&Value>) {
        let (client, id, reach) = client;
        let before = self.eye.look();
        let answer = self.operation.send(&client, path, body).await;
        let success = (200..300).contains(&answer.status);
        let difference = Difference::of(&before, &self.eye.look());
        let here = format!("{} by {writer:?} with {body:?}: {}", self.operation, answer.status);
        let faults = difference.faults(&id, &reach, self.action, success);
        self.faults.extend(faults.iter().map(|fault| format!("{here}\n  {fault}")));
        self.successes += usize::from(success);
    }

    async fn every_writer(&mut self) {
        let (tenant, operation) = (self.tenant, self.operation.clone());
        // Who lacks the scope changes nothing, so that all of them may ask for the same thing.
        let mut shared = Target::of(tenant).await;
        let (path, body) = (shared.path(&operation).await, shared.body(&operation).await);
        for writer in Writer::all(self.action) {
            if writer.lacks_the_scope(self.action) {
                let client = writer.come(tenant, &mut shared).await;
                self.send(writer, client, &path, body.as_ref()).await;
                continue;
            }
            let mut variant = 0;
            loop {
                let mut target = Target::of(tenant).await;
                let client = writer.come(tenant, &mut target).await;
                let path = target.path(&operation).await;
                let mut bodies = bodies(&operation, &mut target, tenant).await;
                let last = variant + 1 == bodies.len();
                self.send(writer, client, &path, bodies.swap_remove(variant).as_ref()).await;
                variant += 1;
                if last {
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn no_write_changes_anything_outside_the_reach_of_who_writes() {
    let app = App::start().await;
    let mut faults = Vec::new();
    for operation in Operation::all().into_iter().filter(|one| one.writes() && !one.is_of_the_platform()) {
        let Some(action) = operation.action() else { continue };
        let tenant = app.tenant(&new_name("Acme")).await;
        bystanders(&tenant).await;
        let eye = Eye::on(&app.database, &tenant);
        let mut play = Play { tenant: &tenant, eye, operation, action, faults: Vec::new(), successes: 0 };
        play.every_writer().await;
        // The control: the requests are good, and there is somebody who may.
        assert!(play.successes > 0 || action == Action::InvitationAccept, "{} never succeeds", play.operation);
        faults.extend(play.faults);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn a_key_of_a_brand_neither_takes_over_the_default_nor_learns_which_slugs_are_taken() {
    let app = App::start().await;
    let acme = app.tenant("Acme").await;
    let side = acme.brand("Side").await;
    acme.owner
        .post("/api/brands", json!({ "name": "Hidden", "emailFromName": "Hidden", "slug": "hidden" }))
        .await
        .expect(201);
    let key = acme.key(&["brands:read", "brands:write"], json!({ "brandId": side })).await;
    let path = format!("/api/brands/{side}");
    let mut eye = Eye::on(&app.database, &acme);
    let brands = |rows: Vec<Row>| rows.into_iter().filter(|(table, _)| table == "brands").collect::<Vec<_>>();
    let before = brands(eye.look());
    key.patch(&path, json!({ "isDefault": true, "emailFromName": "Mine" })).await.expect(403);
    let (taken, free) =
        (key.patch(&path, json!({ "slug": "hidden" })).await, key.patch(&path, json!({ "slug": "free" })).await);
    assert_eq!(taken.expect(403).without_request_id(), free.expect(403).without_request_id());
    assert_eq!(brands(eye.look()), before, "nothing changes, not even the part that the key may change");
    // What it has already is no change.
    key.patch(&path, json!({ "slug": "side", "isDefault": false, "tone": "formal" })).await.expect(200);
    acme.owner.patch(&path, json!({ "isDefault": true, "slug": "first" })).await.expect(200);
    let log = acme.owner.get("/api/audit-events?action=brand.set_default").await.expect(200);
    let mut told: Vec<_> = log.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| {
            (
                event["subject"]["id"].as_str().unwrap().to_owned(),
                event["changes"]["isDefault"]["after"].as_bool().unwrap(),
            )
        })
        .collect();
    told.sort_by_key(|(_, after)| *after);
    assert_eq!(told, [(acme.brand.clone(), false), (side.clone(), true)], "both brands are in the log");
    key.patch(&path, json!({ "isDefault": true, "tone": "friendly" })).await.expect(200);
}
