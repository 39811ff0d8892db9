//! What `/metrics` serves is what docs/operations.md describes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::{Duration, Instant},
};

use tenantry_tests::{
    Client, TestDatabase,
    issuer::{AUDIENCE, Issuer},
};

use super::text;
use crate::binary::kit::{Service, Tenantry};

/// The metrics by their full names, each with its labels.
pub(super) type Served = BTreeMap<String, BTreeSet<String>>;

/// A service, what it serves as metrics, and what must live as long as it.
struct Busy {
    text: String,
    service: Service,
    issuer: Issuer,
    _home: Tenantry,
    _database: TestDatabase,
}

/// A service on which something of everything has happened.
async fn busy() -> Busy {
    let (database, issuer) = (TestDatabase::new(), Issuer::start().await);
    let tenantry = Tenantry::on(&database).with("TENANTRY_CONFIG", "tenantry.toml");
    let name = &issuer.name;
    let settings = format!("[[issuers]]\nissuer = \"{name}\"\naudience = \"{AUDIENCE}\"\njwks_url = \"{name}/jwks\"\n");
    fs::write(tenantry.path("tenantry.toml"), settings).unwrap();
    let made = tenantry.json(&["tenant", "create", "--name", "Acme", "--country", "DE"]);
    let service = tenantry.serve();
    let owner = service.client().with_key(made["apiKey"].as_str().unwrap());
    owner.get("/api/tenant").await.expect(200);
    let invitation = serde_json::json!({ "email": "ada@example.com", "role": "agent" });
    owner.post("/api/invitations", invitation).await.expect(201);
    // Each job runs at the start. The last of them is done when all have told.
    let done = ["look at the outbox", "deliver mail", "delete saved emails"];
    let client = service.client();
    let text = until(&client, |text| {
        done.iter().all(|job| text.contains(&format!("timestamp_seconds{{name=\"{job}\"}}")))
            && text.contains("tenantry_issuer_keys_age_seconds{")
            && text.contains("tenantry_emails_total{outcome=\"sent\"} 1\n")
    })
    .await;
    Busy { text, service, issuer, _home: tenantry, _database: database }
}

/// Scrapes until this is so.
async fn until(client: &Client, is_so: impl Fn(&str) -> bool) -> String {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let answer = client.send(client.request("GET", "/metrics").header("Accept", "text/plain")).await.expect(200);
        if is_so(&answer.text) {
            return answer.text;
        }
        assert!(Instant::now() < deadline, "{}", answer.text);
        tokio::task::yield_now().await;
    }
}

/// The name of a sample and its labels.
fn sample(line: &str) -> (String, BTreeSet<String>) {
    let selector = line.rsplit_once(' ').unwrap().0;
    let promql_parser::parser::Expr::VectorSelector(selector) =
        promql_parser::parser::parse(selector).unwrap_or_else(|error| panic!("{line}: {error}"))
    else {
        panic!("{line} is no sample")
    };
    let labels = selector.matchers.matchers.iter().map(|matcher| matcher.name.clone()).collect();
    (selector.name.unwrap(), labels)
}

/// The samples in this text.
fn samples(text: &str) -> Served {
    let mut served = Served::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, labels) = sample(line);
        served.entry(name).or_default().extend(labels);
    }
    served
}

/// What a running service serves.
pub(super) async fn served() -> Served {
    samples(&busy().await.text)
}

/// The metrics in the table of the section, each with the labels of its row.
fn described() -> Served {
    let page = text("docs/operations.md");
    let section = page.split("\n## Metrics\n").nth(1).unwrap().split("\n##").next().unwrap();
    let backquoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<_> = row.split('|').collect();
        let labels = backquoted(cells[2].split(':').next().unwrap());
        (backquoted(cells[1]).remove(0), labels.into_iter().collect())
    })
    .collect()
}

/// A histogram is one row.
fn by_type(text: &str) -> Served {
    let (mut served, samples) = (Served::new(), samples(text));
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        let labels = match kind {
            "histogram" => samples.get(&format!("{name}_count")),
            _ => samples.get(name),
        };
        served.insert(name.to_owned(), labels.unwrap_or_else(|| panic!("{name} has no sample")).clone());
    }
    served
}

#[tokio::test]
async fn the_page_for_operators_describes_every_metric_with_its_labels_and_no_other() {
    let Busy { text, service, issuer, _home: doctor, _database } = busy().await;
    let (served, described) = (by_type(&text), described());
    // The figures of the process come from /proc.
    let described =
        described.into_iter().filter(|(name, _)| cfg!(target_os = "linux") || !name.starts_with("process_"));
    assert_eq!(described.collect::<Served>(), served);
    let value = |name: &str| -> f64 {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name} in {text}"));
        line.rsplit_once(' ').unwrap().1.parse().unwrap()
    };
    assert_eq!(value(&format!("tenantry_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"))), 1.0);
    assert_eq!(value("tenantry_database_up"), 1.0);
    assert_eq!(value("tenantry_migrations_pending"), 0.0);
    let months = doctor.run(&["doctor"]).out;
    let ahead =
        chrono::DateTime::from_timestamp(value("tenantry_audit_months_until_timestamp_seconds") as i64, 0).unwrap();
    assert!(months.contains(&format!("for each month until {}", ahead.format("%Y-%m-%d"))), "{ahead} {months}");
    assert_eq!(value(&format!("tenantry_issuer_fetches_total{{issuer=\"{}\",outcome=\"ok\"}}", issuer.name)), 1.0);
    if cfg!(target_os = "linux") {
        assert!(value("process_cpu_seconds_total") > 0.0 && value("process_threads") > 1.0);
        assert!(value("process_resident_memory_bytes") > 1e6 && value("process_open_fds") < value("process_max_fds"));
        let age = chrono::Utc::now().timestamp() as f64 - value("process_start_time_seconds");
        assert!((0.0..3600.0).contains(&age), "{age}");
    }
    // What is refused is counted by its kind, and nothing of it is a label.
    let client = service.client();
    client.get("/api/tenant").await.expect(401);
    client.with_key("tnt_live_v1_canary").get("/api/tenant").await.expect(401);
    client.with_key("eyJhbGciOiJub25lIn0.e30.").get("/api/tenant").await.expect(401);
    let text = until(&client, |text| {
        ["none", "api_key", "access_token"]
            .iter()
            .all(|kind| text.contains(&format!("tenantry_credentials_refused_total{{kind=\"{kind}\"}} 1\n")))
    })
    .await;
    assert!(!text.contains("canary") && !text.contains("ada@"), "{text}");
}

#[tokio::test]
async fn emails_that_wait_are_counted_over_all_tenants_and_those_of_a_suspended_one_are_not() {
    let database = TestDatabase::new();
    let tenantry = Tenantry::on(&database).with("TENANTRY_MAIL_WORKERS", "0");
    let mut owners = Vec::new();
    for name in ["Acme", "Beta", "Gamma"] {
        let made = tenantry.json(&["tenant", "create", "--name", name, "--country", "DE"]);
        owners.push(made["apiKey"].as_str().unwrap().to_owned());
    }
    let service = tenantry.serve();
    for (owner, emails) in owners.iter().zip(1..) {
        for email in 0..emails {
            let invitation = serde_json::json!({ "email": format!("ada{email}@example.com"), "role": "agent" });
            service.client().with_key(owner).post("/api/invitations", invitation).await.expect(201);
        }
    }
    tenantry.run(&["tenant", "suspend", "Gamma"]).expect(0);
    // An hour ago, as far as the metrics know.
    let hour_ago = "UPDATE outbox_messages SET created_at = created_at - interval '1 hour' WHERE tenant_id =
                    (SELECT id FROM tenants WHERE name = 'Acme')";
    diesel::connection::SimpleConnection::batch_execute(&mut database.admin(), hour_ago).unwrap();
    service.signal(nix::sys::signal::Signal::SIGTERM);
    service.wait();
    let service = tenantry.serve();
    let text = until(&service.client(), |text| text.contains("timestamp_seconds{name=\"look at the outbox\"")).await;
    assert!(text.contains("\ntenantry_outbox_pending 3\n"), "{text}");
    let age = text.lines().find_map(|line| line.strip_prefix("tenantry_outbox_oldest_age_seconds ")).unwrap();
    assert!((3600.0..7200.0).contains(&age.parse::<f64>().unwrap()), "{age}");
}
