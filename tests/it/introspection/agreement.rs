//! What a service hears is what the routes answer: random credentials of many tenants, random workspaces, random permissions.

use std::sync::Arc;

use serde_json::json;
use tenantry_domain::{Role, Scope};
use tenantry_tests::{App, Client, Operation, Tenant};
use tokio::{sync::Semaphore, task::JoinSet};
use uuid::Uuid;

use super::{ask, declared, said};

const TENANTS: usize = 50;
const QUESTIONS: usize = 200;

/// How many tenants ask at the same time.
const AT_ONCE: usize = 6;

/// The same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }

    fn one<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len())]
    }
}

/// What a route of a workspace answers to a `GET`, or to a change that changes nothing.
fn routes() -> Vec<(Operation, &'static str)> {
    let in_a_workspace = |one: &Operation| {
        one.path.starts_with("/api/workspaces/{workspaceId}")
            && one.path.matches('{').count() == 1
            && (one.method == "GET" || one.method == "PATCH")
    };
    let all = Operation::of_the_api().into_iter().filter(in_a_workspace);
    all.filter_map(|one| Some((one.clone(), one.action()?.rule().name))).collect()
}

/// Somebody who asks, with what they have of the declared permissions, each with whether it reaches far enough.
struct Somebody {
    client: Client,
    has: Vec<&'static str>,
    carries: Vec<&'static str>,
}

/// One tenant of many.
struct World {
    random: Random,
    tenant: Tenant,
    workspaces: Vec<String>,
    people: Vec<Somebody>,
}

impl World {
    async fn new(app: &App, number: usize, foreign: &str) -> Self {
        let mut random = Random(number as u64);
        let tenant = app.tenant(&format!("Tenant {number}")).await;
        let second = tenant.brand("Second").await;
        let (first, other) = (tenant.workspace("First").await, tenant.workspace("Other").await);
        let of_second = tenant.workspace_of(&second, "Of the second brand").await;
        let gone = tenant.workspace("Gone").await;
        tenant.owner.delete(&format!("/api/workspaces/{gone}")).await.expect(204);
        let mut people = Vec::new();
        let nowhere: [&'static str; 0] = [];
        for (more, enough) in [
            (json!({}), &["conversations:read", "conversations:export", "calls:make"][..]),
            (json!({ "brandId": tenant.brand }), &["conversations:read", "conversations:export"]),
            (json!({ "brandId": second }), &["conversations:read", "conversations:export"]),
            (json!({ "workspaceId": first }), &["conversations:read"]),
        ] {
            let own = Scope::all();
            let mut carries: Vec<_> = own.iter().map(|scope| scope.as_str()).filter(|_| random.below(2) == 0).collect();
            carries.extend(
                ["conversations:read", "conversations:export", "calls:make"].iter().filter(|_| random.below(2) == 0),
            );
            carries.push("keys:read");
            let has = carries.iter().copied().filter(|scope| enough.contains(scope)).collect();
            let client = tenant.key(&carries, more).await;
            people.push(Somebody { client, has, carries });
        }
        for (role, assigned, has) in [
            (Role::Owner, &[][..], &["conversations:read", "conversations:export", "calls:make"][..]),
            (Role::Admin, &[], &["conversations:read"]),
            (Role::Billing, &[], &nowhere),
            (Role::Agent, &[first.as_str(), of_second.as_str()], &["conversations:read", "calls:make"]),
            (Role::Agent, &[], &["conversations:read", "calls:make"]),
            (Role::Observer, &[other.as_str()], &nowhere),
        ] {
            let client = tenant.member(role, assigned).await.1;
            people.push(Somebody { client, has: has.to_vec(), carries: Vec::new() });
        }
        let (revoked, id) = tenant.key_with_id(&["workspaces:read"], json!({})).await;
        tenant.owner.delete(&format!("/api/api-keys/{id}")).await.expect(204);
        people.push(Somebody { client: revoked, has: Vec::new(), carries: Vec::new() });
        if number % 10 == 9 {
            app.platform().post(&format!("/api/admin/tenants/{}/suspend", tenant.id), json!({})).await.expect(200);
        }
        let nowhere = Uuid::now_v7().to_string();
        let workspaces = vec![first, other, of_second, gone, foreign.to_owned(), nowhere];
        Self { random, tenant, workspaces, people }
    }

    /// What the route says to this caller: `true`, or why not in the words of an introspection.
    async fn route(&self, client: &Client, operation: &Operation, workspace: &str) -> String {
        let path = operation.path.replace("{workspaceId}", workspace);
        let body = (operation.method == "PATCH").then(|| json!({}));
        let answer = operation.send(client, &path, body.as_ref()).await;
        match (answer.status, answer.body["code"].as_str().unwrap_or_default()) {
            (401, "tenant_suspended") => "suspended".to_owned(),
            (401, _) => "inactive".to_owned(),
            (403, "insufficient_scope") => "insufficient_scope".to_owned(),
            (403, _) => "forbidden".to_owned(),
            (404, _) => "not_found".to_owned(),
            (200..300 | 409 | 502, _) => "true".to_owned(),
            other => panic!("{operation}: {other:?} {}", answer.text),
        }
    }

    /// Asks about everybody, on both ways, and compares. Returns how many triples agree, and those that do not.
    async fn compare(mut self, services: &[Client], routes: &[(Operation, &'static str)]) -> (usize, Vec<String>) {
        let show = routes.iter().find(|(one, name)| *name == "workspace.read" && one.path.ends_with("{workspaceId}"));
        let (show, mut agree, mut differ) = (&show.unwrap().0, 0, Vec::new());
        let each = QUESTIONS.div_ceil(self.people.len());
        for at in 0..self.people.len() {
            let (mut questions, mut expected) = (Vec::new(), Vec::new());
            let person = &self.people[at];
            let number = each.min(QUESTIONS - (at * each).min(QUESTIONS));
            for _ in 0..number {
                let workspace = self.random.one(&self.workspaces).clone();
                let permission = match self.random.below(4) {
                    0 => *self.random.one(&["conversations:read", "conversations:export", "calls:make"]),
                    _ => "",
                };
                if permission.is_empty() {
                    let (operation, action) = self.random.one(routes);
                    let is_alone = *action == "workspace.read" && self.random.below(2) == 0;
                    let question = json!({ "permission": action, "workspaceId": workspace });
                    questions.push(if is_alone { json!({ "workspaceId": workspace }) } else { question });
                    expected.push((operation.clone(), workspace, None));
                } else {
                    questions.push(json!({ "permission": permission, "workspaceId": workspace }));
                    expected.push((show.clone(), workspace, Some(permission)));
                }
            }
            let mut heard = Vec::new();
            for service in services {
                let answer = ask(service, person.client.key(), json!(questions)).await.expect(200);
                let inactive = answer.body.get("answers").is_none();
                heard.push(if inactive { vec!["inactive".to_owned(); number] } else { said(&answer) });
            }
            for (n, (operation, workspace, permission)) in expected.into_iter().enumerate() {
                let route = self.route(&person.client, &operation, &workspace).await;
                let truth = match (route.as_str(), permission) {
                    ("true" | "forbidden" | "insufficient_scope", Some(name)) if person.has.contains(&name) => "true",
                    ("true" | "forbidden" | "insufficient_scope", Some(name)) => {
                        let is_key = !person.carries.is_empty();
                        if is_key && !person.carries.contains(&name) { "insufficient_scope" } else { "forbidden" }
                    }
                    (route, _) => route,
                };
                for heard in &heard {
                    if heard[n] == truth {
                        agree += 1;
                    } else {
                        let who = format!("{} of {}", at, self.tenant.id);
                        differ.push(format!("{who}: {}: heard {}, true is {truth}", questions[n], heard[n]));
                    }
                }
            }
        }
        (agree / services.len(), differ)
    }
}

#[tokio::test]
async fn for_random_credentials_workspaces_and_permissions_of_many_tenants_the_answer_is_that_of_the_routes() {
    let app = Arc::new(App::declaring(declared()).await);
    let door = App::store(&app.database.service_url(), |pool| pool.look_up_lane = false).declaring(declared());
    let door = app.replica_on(&door);
    let services = [app.service(), app.service().at(&door)];
    let elsewhere = app.tenant("Elsewhere").await;
    let foreign = elsewhere.workspace("Theirs").await;
    let routes = routes();
    let names: Vec<_> = routes.iter().map(|(_, name)| *name).collect();
    assert!(routes.len() >= 9 && names.contains(&"limits.update"), "the control: {names:?}");
    let (room, mut running) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
    for number in 0..TENANTS {
        let (app, services, routes, foreign) = (Arc::clone(&app), services.clone(), routes.clone(), foreign.clone());
        let room = Arc::clone(&room);
        running.spawn(async move {
            let _place = room.acquire().await.unwrap();
            World::new(&app, number, &foreign).await.compare(&services, &routes).await
        });
    }
    let (mut agree, mut differ) = (0, Vec::new());
    for (more, others) in running.join_all().await {
        agree += more;
        differ.extend(others);
    }
    assert_eq!(differ, Vec::<String>::new());
    assert_eq!(agree, TENANTS * QUESTIONS);
}
