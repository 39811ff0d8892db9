//! The operations of the OpenAPI document, and how to call each: the one place where a new operation is given a body and the
//! things its path names. The matrices walk over all of them, so that none is forgotten.

use std::{
    fmt,
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::{Value, json};
use tenantry_domain::Role;
use uuid::Uuid;

use crate::{Answer, Client, Tenant};

static NEXT: AtomicU32 = AtomicU32::new(1);

/// A name that nothing else has, so that a change to it is one.
pub fn new_name(stem: &str) -> String {
    format!("{stem} {}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A token of an invitation that was never sent.
fn invitation_token() -> String {
    let tenant = tenantry_domain::Id::from_uuid(Uuid::now_v7());
    tenantry_auth::issue_invitation(tenant).unwrap().reveal().to_owned()
}

/// An address that nobody else has.
pub fn new_email() -> String {
    format!("{}@tenantry.test", new_name("invitee").replace(' ', "."))
}

/// The OpenAPI document of the running code.
pub fn document() -> Value {
    serde_json::to_value(tenantry_http::document()).unwrap()
}

/// One documented operation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation {
    /// With its parameters in braces.
    pub path: String,
    /// In upper case.
    pub method: String,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl Operation {
    /// All of the document, in its order.
    pub fn all() -> Vec<Self> {
        let document = document();
        let mut all = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in ["get", "post", "put", "patch", "delete"] {
                if item.get(method).is_some() {
                    all.push(Self { path: path.clone(), method: method.to_uppercase() });
                }
            }
        }
        all
    }

    /// Those that the key of a tenant's owner may call.
    pub fn of_the_api() -> Vec<Self> {
        let of_keys = |one: &Self| {
            one.needs_credential() && !one.needs_a_person() && !one.is_of_the_platform() && !one.is_of_the_dialect()
        };
        Self::all().into_iter().filter(of_keys).collect()
    }

    /// Whether only a person may call it, because it is about that person.
    pub fn needs_a_person(&self) -> bool {
        matches!(self.path.as_str(), "/api/tenant/transfer-ownership" | "/api/invitations/accept")
    }

    /// Those that need the platform key.
    pub fn of_the_platform() -> Vec<Self> {
        Self::all().into_iter().filter(Self::is_of_the_platform).collect()
    }

    /// Those that change something in a tenant.
    pub fn writing() -> Vec<Self> {
        Self::of_the_api().into_iter().filter(Self::writes).collect()
    }

    /// Whether it needs a credential.
    pub fn needs_credential(&self) -> bool {
        self.path.starts_with("/api/")
    }

    /// Whether it is the platform's, for which no credential of a tenant is good.
    pub fn is_of_the_platform(&self) -> bool {
        self.path.starts_with("/api/admin/")
    }

    /// Whether it is of the CallFluent dialect, which names things by their numbers and fails in its own words.
    pub fn is_of_the_dialect(&self) -> bool {
        self.path.starts_with("/api/workspace/")
    }

    /// Whether it changes something.
    pub fn writes(&self) -> bool {
        self.method != "GET"
    }

    /// Whether its path names a thing.
    pub fn has_id(&self) -> bool {
        self.needs_credential() && self.path.contains('{')
    }

    /// Its parameters, those of the components among them.
    pub fn parameters(&self) -> Vec<Value> {
        let document = document();
        let parameters = document["paths"][&self.path][self.method.to_lowercase()]["parameters"].as_array();
        let own = |parameter: &Value| match parameter["$ref"].as_str().and_then(|to| to.strip_prefix('#')) {
            Some(to) => document.pointer(to).unwrap().clone(),
            None => parameter.clone(),
        };
        parameters.into_iter().flatten().map(own).collect()
    }

    /// Whether it is one of a list.
    pub fn lists(&self) -> bool {
        self.parameters().iter().any(|parameter| parameter["name"] == "cursor")
    }

    /// Whether it takes parameters in its query.
    pub fn has_query(&self) -> bool {
        self.parameters().iter().any(|parameter| parameter["in"] == "query")
    }

    /// A body that it takes, which changes what it is sent to. [`Target::body`] has those that name something.
    pub fn body(&self) -> Option<Value> {
        Some(match (self.method.as_str(), self.path.as_str()) {
            ("GET" | "DELETE", _) | ("POST", "/api/workspaces/{workspaceId}/restore") => return None,
            ("PUT", "/api/workspaces/{workspaceId}/members/{memberId}") => return None,
            ("POST", "/api/workspaces/{workspaceId}/integrations/{provider}/verify") => return None,
            ("PUT", "/api/workspaces/{workspaceId}/integrations/{provider}") => {
                json!({ "apiKey": format!("sk-proj-{}", Uuid::now_v7()) })
            }
            ("PATCH", "/api/members/{memberId}") => json!({ "role": "observer" }),
            ("POST", "/api/invitations") => json!({ "email": new_email(), "role": "agent" }),
            ("POST", "/api/invitations/batch") => json!({ "emails": [new_email()], "role": "agent" }),
            ("POST", "/api/invitations/{invitationId}/resend") => json!({ "expiresInDays": 3 }),
            // Of nobody: what names something of a tenant is for [`Target::body`].
            ("POST", "/api/tenant/transfer-ownership") => json!({ "memberId": Uuid::now_v7() }),
            ("POST", "/api/invitations/accept") => json!({ "token": invitation_token() }),
            ("POST", "/api/admin/tenants") => json!({ "name": new_name("Tenant"), "country": "NL" }),
            ("PATCH", "/api/admin/tenants/{tenantId}") => json!({ "name": new_name("Renamed"), "maxWorkspaces": 5 }),
            ("POST", path) if path.starts_with("/api/admin/tenants/{tenantId}/") => return None,
            ("POST", "/api/workspace/create") => json!({ "name": new_name("Nordics") }),
            ("PUT", "/api/workspace/update/{id}") => json!({ "name": new_name("Renamed") }),
            ("POST", "/api/workspace/invite-user") => json!({ "workspace_id": 1, "email": new_email() }),
            ("POST", "/api/workspaces") => json!({ "name": new_name("Nordics"), "country": "SE" }),
            ("POST", "/api/brands") => json!({ "name": new_name("Brand"), "emailFromName": "Sender" }),
            ("PATCH", "/api/workspaces/{workspaceId}" | "/api/brands/{brandId}" | "/api/tenant") => {
                json!({ "name": new_name("Renamed") })
            }
            // The scope that making a key needs, which a key with nothing else can pass on.
            ("POST", "/api/api-keys") => json!({ "name": new_name("Key"), "scopes": ["keys:write"] }),
            ("POST", "/api/api-keys/{apiKeyId}/rotate") => json!({ "overlapSeconds": 60 }),
            ("PATCH", "/api/workspaces/{workspaceId}/limits") => {
                json!({ "maxMinutes": 1_000 + NEXT.fetch_add(1, Ordering::Relaxed) })
            }
            ("POST", "/api/workspaces/{workspaceId}/agents") => json!({ "name": new_name("Agent") }),
            ("PATCH", "/api/workspaces/{workspaceId}/agents/{agentId}") => json!({ "name": new_name("Renamed") }),
            ("POST", "/api/workspaces/{workspaceId}/usage") => json!({ "seconds": 30, "reference": new_name("Call") }),
            _ => panic!("{self} is new: give it a body here"),
        })
    }

    /// How many things its path names by their ids. A word of a closed list is no id.
    pub fn ids(&self) -> usize {
        if self.has_id() { self.path.matches("Id}").count() } else { 0 }
    }

    /// Where in the path the thing with this number stands, as a segment.
    fn segment(&self, number: usize) -> usize {
        let named = self.path.split('/').enumerate().filter(|(_, segment)| segment.ends_with("Id}"));
        named.map(|(at, _)| at).nth(number).expect("the path names so many things")
    }

    /// The id with this number in a path of this operation.
    pub fn id_in(&self, path: &str, number: usize) -> String {
        path.split('/').nth(self.segment(number)).unwrap().to_owned()
    }

    /// A path of this operation with another id in that place.
    pub fn with_id(&self, path: &str, number: usize, id: &str) -> String {
        let at = self.segment(number);
        let segments = path.split('/').enumerate().map(|(n, segment)| if n == at { id } else { segment });
        segments.collect::<Vec<_>>().join("/")
    }

    /// Sends it with this path and body.
    pub async fn send(&self, client: &Client, path: &str, body: Option<&Value>) -> Answer {
        let request = client.request(&self.method, path);
        client.send(body.into_iter().fold(request, |request, body| request.json(body))).await
    }
}

/// What the path of an operation names: things of their own for each call, made when they are first asked for.
pub struct Target<'t> {
    tenant: &'t Tenant,
    brand: String,
    workspace: Option<String>,
}

impl<'t> Target<'t> {
    /// A new brand of the tenant, with nothing in it yet.
    pub async fn of(tenant: &'t Tenant) -> Self {
        Self { tenant, brand: tenant.brand(&new_name("Target")).await, workspace: None }
    }

    /// The brand.
    pub fn brand(&self) -> &str {
        &self.brand
    }

    /// The workspace in the brand.
    pub async fn workspace(&mut self) -> String {
        if self.workspace.is_none() {
            self.workspace = Some(self.tenant.workspace_of(&self.brand, &new_name("Target")).await);
        }
        self.workspace.clone().unwrap()
    }

    /// The number of the workspace, by its name, which no other has.
    async fn number(&mut self) -> i64 {
        let path = format!("/api/workspaces/{}", self.workspace().await);
        let name = self.tenant.owner.get(&path).await.expect(200).text_of("name");
        let all = self.tenant.owner.get("/api/workspace/get-all").await.expect(200).body["workspaces"].clone();
        all.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap()["id"].as_i64().unwrap()
    }

    /// The id that a parameter of a path stands for, of a thing that is as the operation needs it.
    async fn id(&mut self, operation: &Operation, parameter: &str) -> String {
        match parameter {
            "brandId" => self.brand.clone(),
            "workspaceId" => {
                let id = self.workspace().await;
                if operation.path.ends_with("/restore") {
                    self.tenant.owner.delete(&format!("/api/workspaces/{id}")).await.expect(204);
                }
                if operation.path.ends_with("/calendars") {
                    let highlevel =
                        json!({ "accessToken": format!("pit-{}", Uuid::now_v7()), "locationId": "location" });
                    let path = format!("/api/workspaces/{id}/integrations/gohighlevel");
                    self.tenant.owner.put(&path, highlevel).await.expect(200);
                }
                id
            }
            "memberId" => {
                let workspace = self.workspace().await;
                let assigned = operation.method == "DELETE" && operation.path.starts_with("/api/workspaces/");
                let workspaces = [workspace.as_str()];
                self.tenant.member(Role::Agent, &workspaces[..usize::from(assigned)]).await.0
            }
            "invitationId" => self.tenant.invitation(&new_email(), json!({})).await,
            "apiKeyId" => self.tenant.key_with_id(&["keys:write"], json!({ "name": new_name("Key") })).await.1,
            "tenantId" => self.tenant.id.to_string(),
            "agentId" => {
                let workspace = self.workspace().await;
                self.tenant.agent(&workspace, json!({})).await
            }
            "id" if operation.path.ends_with("/invite-delete/{id}") => {
                let workspace = self.workspace().await;
                self.tenant.member(Role::Agent, &[&workspace]).await;
                let path = format!("/api/workspace/get/{}", self.number().await);
                self.tenant.owner.get(&path).await.expect(200).body["data"]["members"][0]["id"].to_string()
            }
            "id" => self.number().await.to_string(),
            "provider" => {
                let provider = "openai";
                if matches!(operation.method.as_str(), "POST" | "DELETE") {
                    let path = format!("/api/workspaces/{}/integrations/{provider}", self.workspace().await);
                    let body = json!({ "apiKey": format!("sk-proj-{}", Uuid::now_v7()) });
                    self.tenant.owner.put(&path, body).await.expect(200);
                }
                provider.to_owned()
            }
            "file" => "start.js".to_owned(),
            _ => panic!("{operation} names a new thing, {parameter}: make one here"),
        }
    }

    /// A body of the operation, with something of the tenant in it where it names something.
    pub async fn body(&mut self, operation: &Operation) -> Option<Value> {
        match operation.path.as_str() {
            "/api/tenant/transfer-ownership" => {
                Some(json!({ "memberId": self.tenant.member(Role::Agent, &[]).await.0 }))
            }
            "/api/workspace/invite-user" => Some(json!({ "workspace_id": self.number().await, "email": new_email() })),
            _ => operation.body(),
        }
    }

    /// The path of the operation with this target in it.
    pub async fn path(&mut self, operation: &Operation) -> String {
        let mut path = operation.path.clone();
        while let Some((before, rest)) = path.clone().split_once('{') {
            let (parameter, after) = rest.split_once('}').unwrap();
            path = format!("{before}{}{after}", self.id(operation, parameter).await);
        }
        path
    }
}
