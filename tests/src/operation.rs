//! The operations of the OpenAPI document, and how to call each. What each asks for, takes and answers is read from the document and
//! the policy table; what a parameter of a path stands for is made here. The matrices walk over all of them, so that none is
//! forgotten.

use std::{
    fmt,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

use serde_json::{Value, json};
use tenantry_domain::{Action, Role, Scope};
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

/// The document with everything but schemas in the place where it is referred to.
pub(crate) static RESOLVED: LazyLock<Value> = LazyLock::new(|| {
    let document = document();
    resolved(&document, &document)
});

fn resolved(document: &Value, part: &Value) -> Value {
    match part {
        Value::Object(fields) => match fields.get("$ref").and_then(Value::as_str) {
            Some(to) if !to.starts_with("#/components/schemas/") => {
                let pointed = document.pointer(to.trim_start_matches('#')).expect("a reference leads somewhere");
                resolved(document, pointed)
            }
            _ => fields.iter().map(|(name, value)| (name.clone(), resolved(document, value))).collect(),
        },
        Value::Array(values) => values.iter().map(|value| resolved(document, value)).collect(),
        other => other.clone(),
    }
}

/// Whether a pattern lets any text through that has no control characters.
pub fn is_of_text(pattern: &str) -> bool {
    pattern.contains("\\u0000")
}

/// The schema itself, where a reference to one may stand.
pub fn schema(schema: &'static Value) -> &'static Value {
    match schema["$ref"].as_str() {
        Some(to) => RESOLVED.pointer(to.trim_start_matches('#')).expect("a reference leads somewhere"),
        None => schema,
    }
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
    /// All of the document, in its order, without what anybody may ask with a token in the body: nobody's credential has to do with that,
    /// and it changes nothing.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for (path, item) in RESOLVED["paths"].as_object().unwrap() {
            for method in ["get", "post", "put", "patch", "delete"] {
                if item.get(method).is_some() {
                    all.push(Self { path: path.clone(), method: method.to_uppercase() });
                }
            }
        }
        all.retain(|one| one.method == "GET" || one.needs_credential());
        all
    }

    /// Those that the key of a tenant's owner may call.
    pub fn of_the_api() -> Vec<Self> {
        let of_keys = |one: &Self| {
            one.needs_credential() && !one.needs_a_person() && !one.is_of_the_platform() && !one.is_of_the_dialect()
        };
        Self::all().into_iter().filter(of_keys).collect()
    }

    /// Those that need the platform key.
    pub fn of_the_platform() -> Vec<Self> {
        Self::all().into_iter().filter(Self::is_of_the_platform).collect()
    }

    /// Those that create something that a list of the tenant then shows.
    pub fn creations() -> Vec<Self> {
        let lists: Vec<_> = Self::all().into_iter().filter(|one| one.lists() && !one.has_id()).collect();
        let creates = |one: &Self| one.method == "POST" && lists.iter().any(|list| list.path == one.path);
        Self::of_the_api().into_iter().filter(creates).collect()
    }

    /// Those that change something in a tenant.
    pub fn writing() -> Vec<Self> {
        Self::of_the_api().into_iter().filter(Self::writes).collect()
    }

    /// As the document describes it, with everything but schemas in place.
    pub fn described(&self) -> &'static Value {
        &RESOLVED["paths"][&self.path][self.method.to_lowercase()]
    }

    /// What it asks the policy for; `None` for what needs no credential.
    pub fn action(&self) -> Option<Action> {
        let name = self.described()["x-action"].as_str()?;
        Some(Action::named(name).unwrap_or_else(|| panic!("{self} asks for {name}, which the policy does not know")))
    }

    /// The credentials that it takes.
    pub fn credentials(&self) -> Vec<&'static str> {
        let ways = self.described()["security"].as_array().into_iter().flatten();
        ways.flat_map(|way| way.as_object().unwrap().keys().map(String::as_str)).collect()
    }

    /// Whether only a person may call it, because it is about that person.
    pub fn needs_a_person(&self) -> bool {
        self.credentials() == ["accessToken"]
    }

    /// Whether it needs a credential.
    pub fn needs_credential(&self) -> bool {
        self.action().is_some()
    }

    /// Whether it is the platform's, for which no credential of a tenant is good.
    pub fn is_of_the_platform(&self) -> bool {
        self.credentials() == ["platformKey"]
    }

    /// Whether it is of the CallFluent dialect, which names things by their numbers and fails in its own words.
    pub fn is_of_the_dialect(&self) -> bool {
        self.described()["tags"][0] == "CallFluent"
    }

    /// Whether it changes something.
    pub fn writes(&self) -> bool {
        self.method != "GET"
    }

    /// Whether its path names a thing that must be there.
    pub fn has_id(&self) -> bool {
        self.needs_credential() && self.path.contains('{') && !self.puts()
    }

    /// Its parameters.
    pub fn parameters(&self) -> &'static [Value] {
        self.described()["parameters"].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether it is one of a list.
    pub fn lists(&self) -> bool {
        let answers_json = self.described()["responses"]["200"]["content"].get("application/json").is_some();
        answers_json && self.parameters().iter().any(|parameter| parameter["name"] == "cursor")
    }

    /// The schema of its body.
    pub fn body_schema(&self) -> Option<&'static Value> {
        self.described()["requestBody"]["content"]["application/json"].get("schema").map(schema)
    }

    /// The example of its body, with values that no other call has, so that it changes what it is sent to. It names nothing of a
    /// tenant: that is for [`Target::body`].
    pub fn body(&self) -> Option<Value> {
        let schema = self.body_schema()?;
        let mut body = schema["example"].clone();
        assert!(body.is_object(), "{self}: the schema of the body has no example");
        let fields = body.as_object_mut().unwrap();
        // Things of somebody's, and times that pass.
        fields.retain(|name, _| {
            // Who does not see the whole tenant sets no external ID, and may do everything else.
            !["brandId", "workspaceId", "workspaceIds", "expiresAt", "usedAt", "externalId"].contains(&name.as_str())
        });
        for (name, value) in fields {
            let described = &schema["properties"][name];
            let free = ["enum", "format", "$ref", "oneOf"].iter().all(|rule| described.get(rule).is_none())
                && described["pattern"].as_str().is_none_or(is_of_text);
            match (name.as_str(), &*value) {
                ("email", _) => *value = new_email().into(),
                ("emails", _) => *value = json!([new_email()]),
                ("token", _) => *value = invitation_token().into(),
                ("memberId", _) => *value = Uuid::now_v7().to_string().into(),
                // The scope that making a key needs, which a key with nothing else can pass on.
                ("scopes", _) => *value = json!([Scope::KeysWrite.as_str()]),
                ("timeZone", _) => {}
                (name, Value::Number(number)) if name.starts_with("max") => {
                    *value = (number.as_u64().unwrap() + u64::from(NEXT.fetch_add(1, Ordering::Relaxed))).into();
                }
                (_, Value::String(text)) if free => *value = new_name(text).replace(' ', "-").into(),
                _ => {}
            }
        }
        Some(body)
    }

    /// How many things its path names by their ids. A word of a closed list is no id.
    pub fn ids(&self) -> usize {
        if self.has_id() { self.path.matches("Id}").count() } else { 0 }
    }

    /// Whether it creates what its path names, if that is not there.
    pub fn puts(&self) -> bool {
        self.method == "PUT" && self.path.ends_with("/{externalId}")
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
    /// `path` is that of the operation, with what stands in front of the parameter.
    async fn id(&mut self, operation: &Operation, (path, parameter): (&str, &str)) -> String {
        match parameter {
            "brandId" => self.brand.clone(),
            "workspaceId" => {
                let id = self.workspace().await;
                if operation.action() == Some(Action::WorkspaceRestore) {
                    self.tenant.owner.delete(&format!("/api/workspaces/{id}")).await.expect(204);
                }
                if operation.action() == Some(Action::CalendarList) {
                    let highlevel =
                        json!({ "accessToken": format!("pit-{}", Uuid::now_v7()), "locationId": "location" });
                    let path = format!("/api/workspaces/{id}/integrations/gohighlevel");
                    self.tenant.owner.put(&path, highlevel).await.expect(200);
                }
                id
            }
            "memberId" => {
                let workspace = self.workspace().await;
                let assigned = operation.action() == Some(Action::AssignmentRemove);
                let workspaces = [workspace.as_str()];
                self.tenant.member(Role::Agent, &workspaces[..usize::from(assigned)]).await.0
            }
            "tenantId" => self.tenant.id.to_string(),
            "externalId" if operation.puts() => new_name("put").replace(' ', "-"),
            "externalId" => {
                let external_id = Uuid::now_v7().to_string();
                let path = match operation.action() {
                    Some(Action::BrandRead) => format!("/api/brands/{}", self.brand),
                    Some(Action::WorkspaceRead) => format!("/api/workspaces/{}", self.workspace().await),
                    _ => {
                        self.tenant.is_called(&external_id).await;
                        return external_id;
                    }
                };
                self.tenant.owner.patch(&path, json!({ "externalId": external_id })).await.expect(200);
                external_id
            }
            "id" if operation.action() == Some(Action::AssignmentRemove) => {
                let workspace = self.workspace().await;
                self.tenant.member(Role::Agent, &[&workspace]).await;
                let path = format!("/api/workspace/get/{}", self.number().await);
                self.tenant.owner.get(&path).await.expect(200).body["data"]["members"][0]["id"].to_string()
            }
            "id" => self.number().await.to_string(),
            "provider" => {
                let provider = "openai";
                if matches!(operation.action(), Some(Action::IntegrationRemove | Action::IntegrationVerify)) {
                    let path = format!("/api/workspaces/{}/integrations/{provider}", self.workspace().await);
                    let body = json!({ "apiKey": format!("sk-proj-{}", Uuid::now_v7()) });
                    self.tenant.owner.put(&path, body).await.expect(200);
                }
                provider.to_owned()
            }
            "file" => "start.js".to_owned(),
            // The test of the webhook that the path names.
            "webhookDeliveryId" => {
                let (path, _) = path.split_once("/deliveries").unwrap();
                self.tenant.owner.post(&format!("{path}/test"), json!({})).await.expect(202).id()
            }
            // Anything else is created where the path names it.
            _ => {
                let (path, _) = operation.path.split_once(&format!("/{{{parameter}}}")).unwrap();
                let creation = Operation { path: path.to_owned(), method: "POST".to_owned() };
                let known = Operation::all().contains(&creation);
                assert!(known, "{operation} names a {parameter}, which nothing creates at {path}: make one here");
                let path = Box::pin(self.path(&creation)).await;
                creation.send(&self.tenant.owner, &path, creation.body().as_ref()).await.expect(201).id()
            }
        }
    }

    /// A body of the operation, with something of the tenant in it where it names something.
    pub async fn body(&mut self, operation: &Operation) -> Option<Value> {
        let mut body = operation.body()?;
        if body.get("memberId").is_some() {
            body["memberId"] = self.tenant.member(Role::Agent, &[]).await.0.into();
        }
        if body.get("workspace_id").is_some() {
            body["workspace_id"] = self.number().await.into();
        }
        Some(body)
    }

    /// The path of the operation with this target in it.
    pub async fn path(&mut self, operation: &Operation) -> String {
        let mut path = operation.path.clone();
        while let Some((before, rest)) = path.clone().split_once('{') {
            let (parameter, after) = rest.split_once('}').unwrap();
            path = format!("{before}{}{after}", self.id(operation, (before, parameter)).await);
        }
        path
    }
}
