//! Lists from a standby of the database: what they show, how old they say they are, and what never comes from there.

use serde_json::json;
use tenantry_tests::{Answer, Client, OwnServer, Standby};

use crate::binary::kit::{Service, Tenantry};

/// A service with a first database and a standby of it, and a tenant.
struct Stand {
    tenantry: Tenantry,
    service: Service,
    standby: Standby,
    server: OwnServer,
    owner: Client,
}

impl Stand {
    fn new(most_behind: &str) -> Self {
        let server = OwnServer::start();
        let standby = Standby::of(&server);
        // Nobody waits for it.
        server.say("ALTER SYSTEM RESET synchronous_standby_names");
        server.say("SELECT pg_reload_conf()");
        let tenantry = Tenantry::at(&server.service_url())
            .with("TENANTRY_READ_DATABASE_URL", &standby.service_url())
            .with("TENANTRY_READ_MAX_LAG", most_behind);
        let owner = key_of(&tenantry, "Acme");
        let service = tenantry.serve();
        let owner = service.client().with_key(&owner);
        standby.catches_up(&server);
        Self { tenantry, service, standby, server, owner }
    }

    async fn workspace(&self, name: &str) -> String {
        self.owner.post("/api/workspaces", json!({ "name": name })).await.expect(201).id()
    }

    /// What it counts.
    async fn count(&self, from: &str) -> u64 {
        let metrics = self.service.client().get("/metrics").await.expect(200).text;
        let name = format!("tenantry_read_database_reads_total{{from=\"{from}\"}} ");
        metrics.lines().find_map(|line| line.strip_prefix(&name)).unwrap().parse().unwrap()
    }
}

/// The key of the owner of a new tenant.
fn key_of(tenantry: &Tenantry, name: &str) -> String {
    let made = tenantry.json(&["tenant", "create", "--name", name, "--country", "DE"]);
    made["apiKey"].as_str().unwrap_or_else(|| panic!("no key in {made}")).to_owned()
}

fn names(answer: &Answer) -> Vec<&str> {
    answer.body["data"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

fn age(answer: &Answer) -> Option<u64> {
    answer.headers.get("age").map(|age| age.to_str().unwrap().parse().unwrap())
}

const LIST: &str = "/api/workspaces?sort=createdAt";

#[tokio::test(flavor = "multi_thread")]
async fn a_list_comes_from_the_standby_says_how_old_it_is_and_is_of_now_if_that_is_demanded() {
    let stand = Stand::new("1h");
    stand.workspace("Before").await;
    stand.standby.catches_up(&stand.server);
    let list = stand.owner.get(LIST).await.expect(200);
    assert_eq!((names(&list), age(&list), stand.count("standby").await), (vec!["Before"], Some(0), 1));
    stand.standby.stops();
    let new = stand.workspace("After").await;
    let old = stand.owner.get(LIST).await.expect(200);
    assert_eq!(names(&old), ["Before"]);
    assert!(age(&old).is_some_and(|age| age >= 1), "it says that it is not of now");
    let fresh = stand.owner.request("GET", LIST).header("Cache-Control", "no-cache");
    let fresh = stand.owner.send(fresh).await.expect(200);
    assert_eq!((names(&fresh), age(&fresh)), (vec!["Before", "After"], None));
    // One thing is always of now, and so is what was just changed.
    let path = format!("/api/workspaces/{new}");
    let one = stand.owner.get(&path).await.expect(200);
    assert_eq!((one.text_of("name").as_str(), age(&one)), ("After", None));
    let changed = stand.owner.patch(&path, json!({ "name": "Changed" })).await.expect(200);
    assert_eq!(age(&changed), None);
    stand.standby.goes_on();
    stand.standby.catches_up(&stand.server);
    let list = stand.owner.get(LIST).await.expect(200);
    assert_eq!((names(&list), age(&list)), (vec!["Before", "Changed"], Some(0)));
    assert_eq!((stand.count("standby").await, stand.count("primary").await), (3, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_let_in_before_is_not_let_in_by_a_standby_that_does_not_know_better() {
    let stand = Stand::new("1h");
    let here = stand.workspace("Here").await;
    let other = stand.service.client().with_key(&key_of(&stand.tenantry, "Other"));
    let made = stand.owner.post("/api/api-keys", json!({ "name": "Reader", "scopes": ["workspaces:read"] })).await;
    let (id, key) = (made.id(), made.text_of("secret"));
    let reader = stand.service.client().with_key(&key);
    stand.standby.catches_up(&stand.server);
    assert_eq!(names(&reader.get(LIST).await.expect(200)), ["Here"]);
    assert_eq!(names(&other.get(LIST).await.expect(200)), Vec::<&str>::new());
    stand.standby.stops();
    stand.owner.delete(&format!("/api/api-keys/{id}")).await.expect(204);
    reader.get(LIST).await.expect(401);
    // Whoever is restricted after that sees no more than they may now.
    let narrow = json!({ "name": "Narrow", "scopes": ["workspaces:read"], "workspaceId": here });
    let narrow = stand.owner.post("/api/api-keys", narrow).await.expect(201).text_of("secret");
    let narrow = stand.service.client().with_key(&narrow);
    stand.workspace("There").await;
    assert_eq!(names(&narrow.get(LIST).await.expect(200)), ["Here"]);
    narrow.get("/api/api-keys").await.expect(403);
    assert!(stand.count("standby").await >= 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_is_too_far_behind_or_gone_is_left_alone() {
    let stand = Stand::new("0s");
    stand.standby.stops();
    stand.workspace("New").await;
    let list = stand.owner.get(LIST).await.expect(200);
    assert_eq!((names(&list), age(&list)), (vec!["New"], None));
    assert_eq!((stand.count("standby").await, stand.count("primary").await), (0, 1));
    assert!(stand.service.client().get("/metrics").await.text.contains("tenantry_read_database_out 1"));
    stand.owner.get(LIST).await.expect(200);
    assert_eq!(stand.count("primary").await, 1, "it is not even asked");

    let stand = Stand::new("1h");
    stand.workspace("New").await;
    stand.standby.kill();
    for _ in 0..3 {
        let list = stand.owner.get(LIST).await.expect(200);
        assert_eq!((names(&list), age(&list)), (vec!["New"], None));
    }
    stand.service.client().get("/readyz").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_follows_nothing_is_not_read() {
    let server = OwnServer::start();
    let tenantry = Tenantry::at(&server.service_url()).with("TENANTRY_READ_DATABASE_URL", &server.service_url());
    let key = key_of(&tenantry, "Acme");
    let service = tenantry.serve();
    let list = service.client().with_key(&key).get("/api/brands").await.expect(200);
    assert_eq!((names(&list).len(), age(&list)), (1, None));
}
