//! Lists, counts and cursors: another tenant's rows are in none of them, whatever is asked for.

use serde_json::{Value, json};
use tenantry_domain::{Action, Noun, Role};
use tenantry_tests::{Operation, Tenant, new_name, schema};
use uuid::Uuid;

use super::{World, comparable};

super::behind_each_wall! {
    no_list_shows_a_row_of_another_tenant, no_list_shows_a_row_of_another_tenant_to_the_conditions_alone;
    a_cursor_is_good_in_its_own_tenant_only, a_cursor_is_good_in_its_own_tenant_only_by_the_conditions_alone;
    what_another_tenant_has_changes_no_count, what_another_tenant_has_changes_no_count_by_the_conditions_alone;
}

fn lists() -> Vec<Operation> {
    let lists: Vec<_> = Operation::of_the_api().into_iter().filter(Operation::lists).collect();
    assert!(lists.len() >= 7, "{lists:?}");
    lists
}

/// Every query worth asking: each parameter of the document with values that it takes, and all sorts.
fn queries(operation: &Operation, ours: &Tenant, theirs: &Tenant) -> Vec<String> {
    let mut queries = vec![String::new()];
    for parameter in operation.parameters().iter().filter(|parameter| parameter["in"] == "query") {
        let (name, schema) = (parameter["name"].as_str().unwrap(), schema(&parameter["schema"]));
        let choices = schema["enum"].as_array().into_iter().flatten().chain(schema.get("example"));
        let mut values: Vec<_> = choices.map(|value| value.as_str().unwrap()).collect();
        let more: &[&str] = match (name, schema["format"].as_str(), schema["type"].as_str()) {
            ("brandId", ..) => &[&ours.brand, &theirs.brand],
            ("q", ..) => &["Thing", "%25", "ours", "theirs"],
            ("externalReference", ..) => &["ours", "theirs"],
            ("externalId", ..) => &["crm-4712"],
            // Each of its entries is a parameter of its own.
            ("metadata", ..) => {
                queries.extend(["metadata.tier=gold", "metadata.tier=silver"].map(str::to_owned));
                continue;
            }
            ("actorType", ..) => &["api_key", "operator"],
            ("action", ..) => &[Action::WorkspaceCreate.rule().name],
            ("subjectType", ..) => &[Noun::Workspace.as_str()],
            ("limit", ..) => &["1", "2", "100"],
            ("cursor", ..) => continue,
            ("actorId" | "createdBy" | "invitedBy", ..) | (_, Some("uuid"), _) => {
                &["0193a4c2-7f3e-7b21-9c55-3e1f0a6b2d48"]
            }
            (_, Some("date-time"), _) => &["2026-01-20T10:00:00Z", "2999-01-20T10:00:00Z"],
            (_, _, Some("boolean")) => &["true", "false"],
            _ => &[],
        };
        values.extend(more);
        assert!(!values.is_empty(), "{operation} takes a new parameter, {name}: give it values here");
        queries.extend(values.iter().map(|value| format!("{name}={value}")));
    }
    queries
}

/// What a list can be ordered by.
fn sorts(operation: &Operation) -> Vec<&'static str> {
    let sort = operation.parameters().iter().find(|parameter| parameter["name"] == "sort").unwrap();
    let words = sort["schema"]["enum"].as_array().unwrap().iter().map(|word| word.as_str().unwrap());
    words.filter(|word| !word.starts_with('-')).collect()
}

/// The path of a list: of a workspace with everybody and some agents in it, or of a webhook with some deliveries, where it is one of
/// these.
async fn path_of(operation: &Operation, tenant: &Tenant) -> String {
    if !operation.has_id() {
        return operation.path.clone();
    }
    if operation.path.contains("{webhookId}") {
        let body = json!({ "url": "https://receiver.invalid/", "events": ["webhook.test"] });
        let webhook = tenant.owner.post("/api/webhooks", body).await.expect(201).id();
        for _ in 0..3 {
            tenant.owner.post(&format!("/api/webhooks/{webhook}/test"), json!({})).await.expect(202);
        }
        return operation.with_id(&operation.path, 0, &webhook);
    }
    let workspace = tenant.workspace(&new_name("Of a list")).await;
    for reference in ["ours", "theirs", "nobody's"] {
        tenant.agent(&workspace, json!({ "externalReference": reference })).await;
    }
    let all = tenant.owner.get("/api/members").await.expect(200);
    for member in all.body["data"].as_array().unwrap() {
        let path = format!("/api/workspaces/{workspace}/members/{}", member["id"].as_str().unwrap());
        tenant.owner.send(tenant.owner.request("PUT", &path)).await.expect(200);
    }
    operation.with_id(&operation.path, 0, &workspace)
}

/// Some of everything, with the stem at the end of each name.
async fn fill(tenant: &Tenant, stem: &str, count: usize) {
    for n in 0..count {
        for creation in Operation::creations() {
            let mut body = creation.body().unwrap();
            if body.get("name").is_some() {
                body["name"] = format!("Thing {n} {stem}").into();
            }
            creation.send(&tenant.owner, &creation.path, Some(&body)).await.expect(201);
        }
        tenant.member(Role::Agent, &[]).await;
    }
    let (_, id) = tenant.key_with_id(&["keys:read"], json!({ "name": format!("Thing {stem}") })).await;
    tenant.owner.delete(&format!("/api/api-keys/{id}")).await.expect(204);
}

/// Every item of a list, page by page.
async fn read_all(tenant: &Tenant, path: &str, query: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = tenant.owner.get(&format!("{path}?{query}{cursor}")).await.expect(200);
        items.extend(page.body["data"].as_array().unwrap().iter().cloned());
        match page.body["nextCursor"].as_str() {
            Some(next) if query.is_empty() => cursor = format!("cursor={next}"),
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

impl World {
    async fn no_list_shows_a_row_of_another_tenant(&self) {
        fill(&self.ours, "ours", 3).await;
        fill(&self.theirs, "theirs", 3).await;
        for operation in lists() {
            for (tenant, other, stranger) in [(&self.ours, "theirs", &self.theirs), (&self.theirs, "ours", &self.ours)]
            {
                let path = path_of(&operation, tenant).await;
                for query in queries(&operation, tenant, stranger) {
                    let items = read_all(tenant, &path, &query).await;
                    for item in &items {
                        assert_eq!(item["tenantId"], json!(tenant.id.to_string()), "{operation}?{query}");
                        let named = item["name"].as_str().is_some_and(|name| name.ends_with(other));
                        assert!(!named, "{operation}?{query}: {item}");
                    }
                    let whole = query.is_empty() || query.starts_with("sort") || query.starts_with("limit");
                    assert!(!whole || items.len() >= 3, "{operation}?{query}: {items:?}");
                }
            }
        }
        let of_brand = |id: &str| format!("/api/workspaces?brandId={id}");
        let foreign = self.ours.owner.get(&of_brand(&self.theirs.brand)).await.expect(200);
        let unused = self.ours.owner.get(&of_brand(&Uuid::now_v7().to_string())).await;
        assert_eq!(comparable(&foreign), comparable(&unused));
        assert_eq!(foreign.body, json!({ "data": [] }));
    }

    async fn a_cursor_is_good_in_its_own_tenant_only(&self) {
        fill(&self.ours, "ours", 2).await;
        fill(&self.theirs, "theirs", 2).await;
        for operation in lists() {
            let (ours, theirs) = (path_of(&operation, &self.ours).await, path_of(&operation, &self.theirs).await);
            for sort in sorts(&operation) {
                let first = format!("{theirs}?limit=1&sort={sort}");
                let cursor = self.theirs.owner.get(&first).await.expect(200).text_of("nextCursor");
                let next = format!("{first}&cursor={cursor}");
                self.theirs.owner.get(&next).await.expect(200);
                let first = format!("{ours}?limit=1&sort={sort}");
                let refused = self.ours.owner.get(&format!("{first}&cursor={cursor}")).await.expect(400);
                assert_eq!(refused.body["code"], "bad_cursor");
                let nonsense = self.ours.owner.get(&format!("{first}&cursor=nonsense")).await;
                assert_eq!(comparable(&refused), comparable(&nonsense), "{operation}");
            }
        }
    }

    async fn what_another_tenant_has_changes_no_count(&self) {
        self.ours.workspace("Ours").await;
        let count = async || self.ours.owner.get("/api/me").await.expect(200).body["visibleWorkspaces"].clone();
        assert_eq!(count().await, json!(1));
        fill(&self.theirs, "theirs", 5).await;
        assert_eq!(count().await, json!(1));
        assert_eq!(self.theirs.owner.get("/api/me").await.body["visibleWorkspaces"], json!(5));
    }
}
