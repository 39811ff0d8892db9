//! External IDs and metadata over HTTP, of each noun that has them.

mod filters;
mod noun;
mod put;
mod refusals;

use std::sync::Arc;

use serde_json::{Value, json};
use tenantry_domain::Role;
use tenantry_tests::{App, Client, Tenant, new_email, new_name};

/// A noun that has labels: how one is made, and where it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Noun {
    Tenant,
    Brand,
    Workspace,
    Member,
    Agent,
}

const ALL: [Noun; 5] = [Noun::Tenant, Noun::Brand, Noun::Workspace, Noun::Member, Noun::Agent];

/// A tenant, with a workspace in it for what belongs to one.
struct Stage {
    app: Arc<App>,
    tenant: Tenant,
    workspace: String,
}

impl Stage {
    async fn new() -> Self {
        let app = Arc::new(App::start().await);
        let tenant = app.tenant("Acme").await;
        Self { workspace: tenant.workspace("Home").await, tenant, app }
    }

    /// Another tenant of the same service.
    async fn beside(&self) -> Self {
        let (app, tenant) = (Arc::clone(&self.app), self.app.tenant("Beta").await);
        Self { workspace: tenant.workspace("Home").await, tenant, app }
    }

    /// Who may do everything with the noun.
    fn client(&self, noun: Noun) -> Client {
        if noun == Noun::Tenant { self.app.platform() } else { self.tenant.owner.clone() }
    }

    /// The list of the noun.
    fn list(&self, noun: Noun) -> String {
        match noun {
            Noun::Tenant => "/api/admin/tenants".to_owned(),
            Noun::Brand => "/api/brands".to_owned(),
            Noun::Workspace => "/api/workspaces".to_owned(),
            Noun::Member => "/api/members".to_owned(),
            Noun::Agent => format!("/api/workspaces/{}/agents", self.workspace),
        }
    }

    /// A new one with these fields: where it is.
    async fn make(&self, noun: Noun, fields: Value) -> String {
        let client = self.client(noun);
        let mut body = match noun {
            Noun::Tenant => json!({ "name": new_name("Tenant"), "country": "DE", "ownerEmail": new_email() }),
            Noun::Brand => json!({ "name": new_name("Brand"), "emailFromName": "Acme" }),
            Noun::Workspace | Noun::Agent => json!({ "name": new_name("Thing") }),
            Noun::Member => {
                let (id, _) = self.tenant.member(Role::Agent, &[]).await;
                let path = format!("/api/members/{id}");
                client.patch(&path, fields).await.expect(200);
                return path;
            }
        };
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let list = self.list(noun);
        let made = client.post(&list, body).await.expect(201);
        format!("{list}/{}", made.id())
    }

    /// The ids of what a query of the list shows.
    async fn listed(&self, noun: Noun, query: &str) -> Vec<String> {
        let path = format!("{}?{query}", self.list(noun));
        let listed = self.client(noun).get(&path).await.expect(200);
        listed.body["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    }
}

/// The last segment of a path.
fn id(path: &str) -> String {
    path.rsplit('/').next().unwrap().to_owned()
}
