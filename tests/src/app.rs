//! The service on a port of its own, in front of a database of its own, and tenants in it.

use std::{net::TcpListener, time::Duration};

use serde_json::{Value, json};
use tenantry_auth::{
    PlatformKeyHash, PlatformKeys, Secret, ServiceKeyHash, ServiceKeys,
    jwt::{IssuerOptions, Issuers},
    seal::{MasterKey, MasterKeys},
};
use tenantry_domain::{
    Action, Credential, Destinations, Holder, Limits, LocaleRequest, MailLimits, MemberDetails, MemberStatus,
    NewTenant, Origin, Permissions, Person, PlatformPatch, Precondition, RequestRate, Requests, Role, TenantId,
    TenantPatch,
};
use tenantry_http::{Closing, Front, Integrations, Rates, ServeOptions, Server, Trust};
use tenantry_operations::{
    Observed, Store, demo, members,
    providers::{Catalogue, HighLevelApp, ProviderUrls, Providers, Timeouts},
    tenants::{self, FoundedOwner, Owner},
    webhooks::Webhooks,
};
use tenantry_persistence::{PoolOptions, Prepare};

use crate::{Client, Operation, People, ProviderServer, TestDatabase, new_name};

/// A running service.
pub struct App {
    /// Its address, `http://127.0.0.1:PORT`.
    pub base: String,
    /// Its database.
    pub database: TestDatabase,
    /// Its door, for what HTTP does not offer.
    pub store: Store,
    /// Tells `/readyz` that it is closing.
    pub closing: Closing,
    /// Stops it.
    pub handle: Server,
    /// Whose access tokens it accepts.
    pub people: People,
    trust: Trust,
    mail_limits: MailLimits,
    /// The platform keys that it trusts.
    platform: [Secret; 2],
    /// The service key that it trusts.
    service: Secret,
    /// What stands in for the providers.
    pub providers: ProviderServer,
    /// Its master keys, and its way to the providers.
    pub integrations: Integrations,
}

/// Master keys of these versions, made for one test; the first one seals.
pub fn master_keys(versions: &[u16]) -> MasterKeys {
    let mut keys = versions.iter().map(|version| MasterKey::generate(*version).unwrap().parse().unwrap());
    MasterKeys::new(keys.next().unwrap(), keys.collect()).unwrap()
}

impl App {
    /// A service on a new, migrated database.
    pub async fn start() -> Self {
        Self::on(TestDatabase::new(), |_| {}).await
    }

    /// A service on this database, with pool options of the test's choice.
    pub async fn on(database: TestDatabase, adjust: impl FnOnce(&mut PoolOptions)) -> Self {
        Self::serving(database, (1, CONNECTIONS), adjust).await
    }

    /// [`App::on`], with so many threads that answer requests, and room for so many connections.
    pub async fn serving(database: TestDatabase, size: (usize, usize), adjust: impl FnOnce(&mut PoolOptions)) -> Self {
        Self::serving_at_most(plenty(), database, size, adjust).await
    }

    /// [`App::serving`], with these limits on requests.
    pub async fn serving_at_most(
        rates: Rates,
        database: TestDatabase,
        (workers, connections): (usize, usize),
        adjust: impl FnOnce(&mut PoolOptions),
    ) -> Self {
        let store = Self::store(&database.service_url(), adjust);
        let options = ServeOptions { workers, connections, rates, ..options() };
        Self::with(database, store, options, Vec::new(), (master_keys(&[1]), Timeouts::default()))
    }

    /// A service that limits how many requests it takes.
    pub async fn limiting(rates: Rates) -> Self {
        let database = TestDatabase::new();
        let store = Self::store(&database.service_url(), |_| {});
        let options = ServeOptions { rates, ..options() };
        Self::with(database, store, options, Vec::new(), (master_keys(&[1]), Timeouts::default()))
    }

    /// A service with this in front of it.
    pub async fn behind(front: Front) -> Self {
        Self::behind_limiting(front, plenty()).await
    }

    /// [`App::behind`], which limits how many requests it takes.
    pub async fn behind_limiting(front: Front, rates: Rates) -> Self {
        let database = TestDatabase::new();
        let store = Self::store(&database.service_url(), |_| {});
        let options = ServeOptions { front, rates, ..options() };
        Self::with(database, store, options, Vec::new(), (master_keys(&[1]), Timeouts::default()))
    }

    /// A service that allows this many connections.
    pub async fn with_connections(connections: usize) -> Self {
        Self::serving(TestDatabase::new(), (1, connections), |_| {}).await
    }

    /// A service with these master keys, which gives providers this time for an answer.
    pub async fn integrating(keys: MasterKeys, timeouts: Timeouts) -> Self {
        let database = TestDatabase::new();
        let store = Self::store(&database.service_url(), |_| {});
        Self::with(database, store, options(), Vec::new(), (keys, timeouts))
    }

    /// A service whose tenants may cause so much email.
    pub async fn limiting_mail(limits: MailLimits) -> Self {
        let database = TestDatabase::new();
        let store = Self::store(&database.service_url(), |_| {}).limiting_mail(limits);
        let app = Self::with(database, store, options(), Vec::new(), (master_keys(&[1]), Timeouts::default()));
        Self { mail_limits: limits, ..app }
    }

    /// A service of a product with these permissions.
    pub async fn declaring(permissions: Permissions) -> Self {
        let database = TestDatabase::new();
        let store = Self::store(&database.service_url(), |_| {}).declaring(permissions);
        Self::with(database, store, options(), Vec::new(), (master_keys(&[1]), Timeouts::default()))
    }

    /// A service that lets services keep what they were told for so long, and limits how many requests it takes.
    pub async fn introspected_for(introspection_max_age: Duration, rates: Rates) -> Self {
        let database = TestDatabase::new();
        let store = Self::store(&database.service_url(), |_| {});
        let options = ServeOptions { introspection_max_age, rates, ..options() };
        Self::with(database, store, options, Vec::new(), (master_keys(&[1]), Timeouts::default()))
    }

    /// A service that trusts these issuers too.
    pub async fn trusting(issuers: Vec<IssuerOptions>) -> Self {
        let database = TestDatabase::new();
        let store = Self::store(&database.service_url(), |_| {});
        Self::with(database, store, options(), issuers, (master_keys(&[1]), Timeouts::default()))
    }

    /// A door of its own to the same database, as another replica has it. Tests send as much email as they like.
    pub fn store(url: &str, adjust: impl FnOnce(&mut PoolOptions)) -> Store {
        let mut options = PoolOptions {
            url: url.to_owned(),
            connections: 8,
            wait: Duration::from_secs(60),
            statement_timeout: Duration::from_secs(10),
            visit_timeout: None,
            prepare: Prepare::Auto,
            look_up_lane: true,
            // Tests that look at them write them down.
            write_notes_after: Duration::from_secs(3600),
        };
        adjust(&mut options);
        Store::new(&options).unwrap().limiting_mail(MailLimits::lax())
    }

    fn with(
        database: TestDatabase,
        store: Store,
        options: ServeOptions,
        more: Vec<IssuerOptions>,
        (keys, timeouts): (MasterKeys, Timeouts),
    ) -> Self {
        let platform = [tenantry_auth::issue_platform().unwrap(), tenantry_auth::issue_platform().unwrap()];
        let service = tenantry_auth::issue_service().unwrap();
        let (people, closing) = (People::new(), Closing::default());
        let trust = Trust {
            platform: PlatformKeys::new(platform.iter().map(PlatformKeyHash::of).collect()),
            services: ServiceKeys::new(vec![ServiceKeyHash::of(&service)]),
            issuers: Issuers::new([vec![people.options()], more].concat()).unwrap(),
        };
        let providers = ProviderServer::start();
        let integrations = reaching(&providers.urls(), keys, timeouts);
        let (base, handle) = listen(&store, trust.clone(), integrations.clone(), &closing, options);
        let mail_limits = MailLimits::lax();
        Self {
            base,
            database,
            store,
            closing,
            handle,
            people,
            trust,
            mail_limits,
            platform,
            service,
            providers,
            integrations,
        }
    }

    fn another_store(&self) -> Store {
        let store = Self::store(&self.database.service_url(), |_| {}).limiting_mail(self.mail_limits);
        store.declaring(self.store.permissions().clone())
    }

    /// A client without a key of another replica: the same database, the same trust, and nothing else that is shared.
    pub fn replica(&self) -> Client {
        self.replica_with(self.integrations.keys.clone())
    }

    /// [`App::replica`], with this store.
    pub fn replica_on(&self, store: &Store) -> Client {
        let (base, _) = listen(store, self.trust.clone(), self.integrations.clone(), &Closing::default(), options());
        Client::new(&base)
    }

    /// [`App::replica`], which trusts this issuer too.
    pub fn trusting_too(&self, issuer: IssuerOptions) -> Client {
        let issuers = Issuers::new(vec![self.people.options(), issuer]).unwrap();
        let trust = Trust { issuers, ..self.trust.clone() };
        let (base, _) = listen(&self.another_store(), trust, self.integrations.clone(), &Closing::default(), options());
        Client::new(&base)
    }

    /// [`App::replica`], with providers at these addresses.
    pub fn replica_reaching(&self, urls: &ProviderUrls) -> Client {
        let store = self.another_store();
        let integrations = reaching(urls, self.integrations.keys.clone(), Timeouts::default());
        let (base, _) = listen(&store, self.trust.clone(), integrations, &Closing::default(), options());
        Client::new(&base)
    }

    /// [`App::replica`], which has asked no provider yet and gives them this time for an answer.
    pub fn replica_with_timeouts(&self, timeouts: Timeouts) -> Client {
        let integrations = reaching(&self.providers.urls(), self.integrations.keys.clone(), timeouts);
        let (base, _) = listen(&self.another_store(), self.trust.clone(), integrations, &Closing::default(), options());
        Client::new(&base)
    }

    /// [`App::replica`], with these master keys.
    pub fn replica_with(&self, keys: MasterKeys) -> Client {
        let store = self.another_store();
        let integrations = Integrations { keys, ..self.integrations.clone() };
        let (base, _) = listen(&store, self.trust.clone(), integrations, &Closing::default(), options());
        Client::new(&base)
    }

    /// A client without a key.
    pub fn client(&self) -> Client {
        Client::new(&self.base)
    }

    /// A client with the platform key.
    pub fn platform(&self) -> Client {
        self.client().with_key(self.platform[0].reveal())
    }

    /// A client with the service key.
    pub fn service(&self) -> Client {
        self.client().with_key(self.service.reveal())
    }

    /// A client with another platform key.
    pub fn other_platform(&self) -> Client {
        self.client().with_key(self.platform[1].reveal())
    }

    /// How the audit log names the platform, by each of its keys.
    pub fn platform_fingerprints(&self) -> [String; 2] {
        [&self.platform[0], &self.platform[1]].map(|key| PlatformKeyHash::of(key).fingerprint())
    }

    /// A tenant of its own for an operation of the platform, in the state that the operation needs, and the path that names it.
    pub async fn admin_target(&self, operation: &Operation) -> (Tenant, String) {
        let tenant = self.tenant(&new_name("Target")).await;
        let one = format!("/api/admin/tenants/{}", tenant.id);
        match operation.action() {
            Some(Action::TenantReactivate) => {
                drop(self.platform().post(&format!("{one}/suspend"), json!({})).await.expect(200))
            }
            Some(Action::TenantUnfreeze) => {
                drop(self.platform().post(&format!("{one}/freeze"), json!({})).await.expect(200))
            }
            Some(Action::TenantRestore) => drop(self.platform().delete(&one).await.expect(204)),
            _ => {}
        }
        let external_id = new_name("called").replace(' ', "-");
        if operation.path.contains("{externalId}") && !operation.puts() {
            tenant.is_called(&external_id).await;
        }
        let path = operation.path.replace("{tenantId}", &tenant.id.to_string()).replace("{externalId}", &external_id);
        (tenant, path)
    }

    /// The demo tenant, as the first start with an embedded database creates it.
    pub async fn demo(&self) -> Tenant {
        let key = demo::create_if_first(&self.store, &self.integrations.keys)
            .await
            .unwrap()
            .expect("a database without tenants");
        Tenant {
            people: self.people.clone(),
            store: self.store.clone(),
            id: tenantry_domain::demo::TENANT,
            brand: tenantry_domain::demo::BRAND.to_string(),
            owner: self.client().with_key(key.reveal()),
        }
    }

    /// A new tenant in Germany with its default brand and its owner's key.
    pub async fn tenant(&self, name: &str) -> Tenant {
        let locale = LocaleRequest { country: Some("DE".parse().unwrap()), ..Default::default() };
        let new =
            NewTenant { name: name.parse().unwrap(), locale, limits: Limits::default(), labels: Default::default() };
        let founded = tenants::create(&self.store, &operator(None), new, Owner::Key).await.unwrap();
        let FoundedOwner::Key(secret) = &founded.owner else { panic!("an owner with a key") };
        Tenant {
            people: self.people.clone(),
            store: self.store.clone(),
            id: founded.tenant.id,
            brand: founded.brand.id.to_string(),
            owner: self.client().with_key(secret.reveal()),
        }
    }
}

/// The app of HighLevel that the tests are.
pub fn highlevel_app() -> HighLevelApp {
    HighLevelApp { client_id: "app-id".to_owned(), client_secret: "app-secret".parse().unwrap() }
}

/// Public addresses, and this machine, where receivers of tests are.
pub fn loopback() -> Destinations {
    Destinations::with(vec!["127.0.0.0/8".parse().unwrap()])
}

/// The way to providers at these addresses, with this time for an answer.
fn reaching(urls: &ProviderUrls, keys: MasterKeys, timeouts: Timeouts) -> Integrations {
    let providers = Providers::new(urls.clone(), timeouts).unwrap().renewing(Some(highlevel_app()));
    let webhooks = Webhooks { destinations: loopback(), ..Webhooks::default() };
    Integrations { keys, catalogue: Catalogue::new(providers.clone()).unwrap(), providers, webhooks }
}

/// More connections than a test opens.
const CONNECTIONS: usize = 1_000;

/// How most tests serve.
fn options() -> ServeOptions {
    ServeOptions {
        workers: 1,
        connections: CONNECTIONS,
        keep_alive: Duration::from_secs(75),
        front: Front::default(),
        grace: Duration::from_secs(10),
        rates: plenty(),
        introspection_max_age: Duration::ZERO,
        lost_log_lines: || 0,
        observed: Observed::default(),
    }
}

/// Limits that no test reaches.
fn plenty() -> Rates {
    let most = Requests::try_from(1_000_000).unwrap();
    let rate = Some(RequestRate { per_second: most, burst: most });
    Rates { credential: rate, service: rate, address: rate }
}

/// Serves on a port of its own.
fn listen(
    store: &Store,
    trust: Trust,
    integrations: Integrations,
    closing: &Closing,
    options: ServeOptions,
) -> (String, Server) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = tenantry_http::serve(listener, store.clone(), trust, integrations, closing.clone(), options).unwrap();
    // Until the end of the test, whoever forgets it.
    let kept = server.clone();
    tokio::spawn(async move { kept.ended().await });
    (base, server)
}

/// The credential of an operator, in a tenant or above all.
fn operator(tenant: Option<TenantId>) -> Credential {
    Credential { holder: Holder::Operator { name: "test".parse().unwrap(), tenant }, origin: Origin::default() }
}

/// A tenant and its owner.
#[derive(Clone)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its default brand.
    pub brand: String,
    /// A client with its owner's key.
    pub owner: Client,
    people: People,
    store: Store,
}

impl Tenant {
    /// Somebody new in this role, assigned to these workspaces: their id, and a client with their token.
    pub async fn member(&self, role: Role, workspaces: &[&str]) -> (String, Client) {
        let (id, subject) = self.member_called(role, workspaces).await;
        (id, self.owner.with_key(&self.people.token(&subject, Some(self.id), json!({}))))
    }

    /// [`Tenant::member`], with the subject of their tokens instead of a client.
    pub async fn member_called(&self, role: Role, workspaces: &[&str]) -> (String, String) {
        let subject = new_name("Somebody");
        let details = MemberDetails {
            email: People::email(&subject).parse().unwrap(),
            role,
            status: MemberStatus::Active,
            person: Person { issuer: People::ISSUER.parse().unwrap(), subject: subject.parse().unwrap() },
            labels: Default::default(),
        };
        let workspaces = workspaces.iter().map(|id| id.parse().unwrap()).collect();
        let member = members::create(&self.store, &self.operator(), details, workspaces).await.unwrap();
        (member.id.to_string(), subject)
    }

    /// Has an operator give the tenant this external ID.
    pub async fn is_called(&self, external_id: &str) {
        let patch = PlatformPatch { external_id: Some(Some(external_id.parse().unwrap())), ..PlatformPatch::default() };
        let above = operator(None);
        tenants::administer(&self.store, &above, self.id, Precondition::None, TenantPatch::default(), patch)
            .await
            .unwrap();
    }

    /// An operator's credential in this tenant.
    pub fn operator(&self) -> Credential {
        operator(Some(self.id))
    }

    /// An invitation of this address as an agent; `more` adds members to the request. Returns its id.
    pub async fn invitation(&self, email: &str, more: Value) -> String {
        let mut body = json!({ "email": email, "role": "agent" });
        if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
            body.extend(more.clone());
        }
        self.owner.post("/api/invitations", body).await.expect(201).id()
    }

    /// A workspace with this name under the default brand; returns its id.
    pub async fn workspace(&self, name: &str) -> String {
        self.workspace_of(&self.brand, name).await
    }

    /// A workspace under this brand; returns its id.
    pub async fn workspace_of(&self, brand: &str, name: &str) -> String {
        self.owner.post("/api/workspaces", json!({ "name": name, "brandId": brand })).await.expect(201).id()
    }

    /// An agent in this workspace; `more` adds members to the request. Returns its id.
    pub async fn agent(&self, workspace: &str, more: Value) -> String {
        let mut body = json!({ "name": new_name("Agent") });
        if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
            body.extend(more.clone());
        }
        self.owner.post(&format!("/api/workspaces/{workspace}/agents"), body).await.expect(201).id()
    }

    /// A brand with this name; returns its id.
    pub async fn brand(&self, name: &str) -> String {
        self.owner.post("/api/brands", json!({ "name": name, "emailFromName": name })).await.expect(201).id()
    }

    /// One of each thing that a list of the tenant can show and shows none of, by the example in the document. Returns their ids.
    pub async fn fill_empty_lists(&self) -> Vec<String> {
        let mut made = Vec::new();
        for creation in Operation::creations() {
            let list = self.owner.get(&creation.path).await.expect(200);
            if list.body["data"] == json!([]) {
                let body = creation.body();
                made.push(creation.send(&self.owner, &creation.path, body.as_ref()).await.expect(201).id());
            }
        }
        made
    }

    /// A client with a new key of these scopes; `more` adds members to the request, such as a restriction.
    pub async fn key(&self, scopes: &[&str], more: Value) -> Client {
        self.key_with_id(scopes, more).await.0
    }

    /// [`Tenant::key`] together with the key's id.
    pub async fn key_with_id(&self, scopes: &[&str], more: Value) -> (Client, String) {
        let mut body = json!({ "name": "A key", "scopes": scopes });
        if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
            body.extend(more.clone());
        }
        let made = self.owner.post("/api/api-keys", body).await.expect(201);
        (self.owner.with_key(&made.text_of("secret")), made.id())
    }
}
