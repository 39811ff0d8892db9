//! Nothing is sent to where tenants have no business.

use std::{
    future::Future,
    io,
    net::{IpAddr, TcpListener},
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
};

use serde_json::json;
use tenantry_domain::Destinations;
use tenantry_http::subject_view;
use tenantry_operations::webhooks::{Figures, Sender, Timeouts, WebhookClient};
use tenantry_tests::{App, Receiver, Receiving};

use super::{create, deliver, deliveries, wait_for_the_next_attempt, webhook, workers_with};

#[tokio::test]
async fn each_address_that_is_not_public_is_refused_with_its_sentence() {
    let app = App::start().await;
    let tenant = app.tenant("Acme").await;
    // The tests allow 127.0.0.0/8; the rest stands next to the rule itself.
    for (url, code, said) in [
        ("https://2130706433/", "not_a_webhook_url", "must write the address of its host as 127.0.0.1"),
        ("https://017700000001/", "not_a_webhook_url", "must write the address of its host as 127.0.0.1"),
        ("https:example.com/told", "not_a_webhook_url", "it has no host after ://"),
        ("https://example.com\\@127.0.0.1/", "not_a_webhook_url", "it contains U+005C, which must be percent-encoded"),
        ("https://user:pass@example.com/", "not_a_webhook_url", "must not contain a user name or a password"),
        ("http://example.org@10.0.0.1/", "not_a_webhook_url", "must not contain a user name or a password"),
        ("https://10.0.0.1/", "forbidden_address", "must not lead to a private address, as 10.0.0.1 does"),
        ("https://[::ffff:127.0.0.1]/", "forbidden_address", "must not lead to an IPv4 address in the form of an IPv6"),
        ("https://[64:ff9b::7f00:1]/", "forbidden_address", "must not lead to an IPv4 address behind a translator"),
        ("https://169.254.169.254/latest/meta-data", "forbidden_address", "where clouds keep their metadata"),
        ("http://8.8.8.8/", "not_a_webhook_url", "must begin with https://"),
    ] {
        let refused = create(&tenant, url, json!(null)).await.expect(422);
        let error = &refused.body["fields"][0];
        assert_eq!((error["field"].as_str(), error["code"].as_str()), (Some("url"), Some(code)), "{url}");
        assert!(error["message"].as_str().unwrap().contains(said), "{url}: {error}");
    }
    assert_eq!(app.database.rows("SELECT 1 FROM webhooks"), 0);
    // Neither does a change lead there.
    let made = create(&tenant, "http://127.0.0.1:9/", json!(null)).await.expect(201);
    let path = format!("/api/webhooks/{}", made.id());
    let refused = tenant.owner.patch(&path, json!({ "url": "https://10.0.0.1/" })).await.expect(422);
    assert_eq!(refused.body["fields"][0]["code"], "forbidden_address");
    assert_eq!(tenant.owner.get(&path).await.expect(200).body["url"], "http://127.0.0.1:9/");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (app, receiver, inside) = (App::start().await, Receiver::start(), Receiver::start());
    let tenant = app.tenant("Acme").await;
    let (id, _) = webhook(&tenant, &receiver, json!(["brand.create"])).await;
    let location: &'static str = Box::leak(format!("Location: {}\r\n", inside.url()).into_boxed_str());
    // With 307 and 308, whoever follows sends the body again.
    for (n, status) in [302, 303, 307, 308].into_iter().enumerate() {
        receiver.receive(Receiving::Status(status, location, String::new()));
        tenant.brand(&format!("Brand {n}")).await;
        wait_for_the_next_attempt(&app);
        deliver(&app).await;
        assert_eq!(inside.received().len(), 0, "{status}");
        let said = deliveries(&tenant, &id).await[0]["lastError"].clone();
        assert_eq!(said, format!("The receiver answered {status}."));
    }
}

static ASKED: AtomicUsize = AtomicUsize::new(0);

/// A name server of somebody who wants in: it tells a public address first, and then this machine.
fn changing(_: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
    let first = ASKED.fetch_add(1, Ordering::SeqCst) == 0;
    // Documentation addresses are refused as well, so that nothing leaves the machine.
    let address = if first { "192.0.2.1" } else { "127.0.0.1" };
    Box::pin(async move { Ok(vec![address.parse().unwrap()]) })
}

#[tokio::test]
async fn the_address_that_is_used_is_the_one_that_was_checked() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    let url = format!("https://rebinding.example:{}/", receiver.port());
    let id = create(&tenant, &url, json!(["brand.create"])).await.expect(201).id();
    tenant.brand("One").await;
    let brief = Timeouts { connect: std::time::Duration::from_secs(5), total: std::time::Duration::from_secs(5) };
    let client = WebhookClient::asking(changing, Destinations::default(), brief).unwrap();
    let keys = app.integrations.keys.clone();
    let mut workers = workers_with(&app, Sender { client, keys, view: subject_view, figures: Figures::default() });
    for said in [
        "Nothing was sent: rebinding.example resolves to 192.0.2.1, which is an address for documentation.",
        "Nothing was sent: rebinding.example resolves to 127.0.0.1, which is a loopback address.",
    ] {
        workers.round().await.unwrap();
        workers.finish().await;
        let [delivery] = deliveries(&tenant, &id).await.try_into().unwrap();
        assert_eq!(delivery["lastError"], said);
        wait_for_the_next_attempt(&app);
    }
    assert_eq!(receiver.received().len(), 0);
}

static ASKED_OF_TWO: AtomicUsize = AtomicUsize::new(0);

/// The same between two addresses of this machine, of which the first is allowed.
fn changing_from_an_allowed_one(_: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
    let first = ASKED_OF_TWO.fetch_add(1, Ordering::SeqCst) == 0;
    let address = if first { "127.0.0.1" } else { "127.0.0.2" };
    Box::pin(async move { Ok(vec![address.parse().unwrap()]) })
}

#[tokio::test]
async fn a_name_is_resolved_once_for_the_check_and_for_the_connection() {
    let (app, receiver) = (App::start().await, Receiver::start());
    // Whoever asks a second time gets here.
    let inside = TcpListener::bind(("127.0.0.2", receiver.port())).unwrap();
    inside.set_nonblocking(true).unwrap();
    let tenant = app.tenant("Acme").await;
    let url = format!("http://rebinding.example:{}/", receiver.port());
    let id = create(&tenant, &url, json!(["brand.create"])).await.expect(201).id();
    tenant.brand("One").await;
    let only = Destinations::with(vec!["127.0.0.1/32".parse().unwrap()]);
    let client = WebhookClient::asking(changing_from_an_allowed_one, only, Timeouts::default()).unwrap();
    let keys = app.integrations.keys.clone();
    let mut workers = workers_with(&app, Sender { client, keys, view: subject_view, figures: Figures::default() });
    workers.round().await.unwrap();
    workers.finish().await;
    let connected = inside.accept();
    assert!(connected.is_err(), "it connects to an address that was not checked");
    assert_eq!(deliveries(&tenant, &id).await[0]["state"], "delivered");
    assert_eq!((receiver.received().len(), ASKED_OF_TWO.load(Ordering::SeqCst)), (1, 1));
}

/// Good and bad at once.
fn mixed(_: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
    Box::pin(async { Ok(vec!["8.8.8.8".parse().unwrap(), "127.0.0.1".parse().unwrap()]) })
}

#[tokio::test]
async fn a_name_with_one_address_that_is_not_public_is_not_sent_to_nor_is_what_is_not_allowed_any_more() {
    let (app, receiver) = (App::start().await, Receiver::start());
    let tenant = app.tenant("Acme").await;
    let url = format!("https://mixed.example:{}/", receiver.port());
    let id = create(&tenant, &url, json!(["brand.create"])).await.expect(201).id();
    let (literal, _) = webhook(&tenant, &receiver, json!(["brand.create"])).await;
    tenant.brand("One").await;
    let client = WebhookClient::asking(mixed, Destinations::default(), Timeouts::default()).unwrap();
    let keys = app.integrations.keys.clone();
    let mut workers = workers_with(&app, Sender { client, keys, view: subject_view, figures: Figures::default() });
    workers.round().await.unwrap();
    workers.finish().await;
    let said = deliveries(&tenant, &id).await[0]["lastError"].clone();
    assert_eq!(said, "Nothing was sent: mixed.example resolves to 127.0.0.1, which is a loopback address.");
    let said = deliveries(&tenant, &literal).await[0]["lastError"].clone();
    assert_eq!(said, "The URL must not lead to a loopback address, as 127.0.0.1 does.");
    assert_eq!(receiver.received().len(), 0);
}

/// A public address.
fn public(_: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
    Box::pin(async { Ok(vec!["8.8.8.8".parse().unwrap()]) })
}

#[tokio::test]
async fn what_is_not_encrypted_goes_only_where_the_operator_allows_it() {
    let app = App::start().await;
    let tenant = app.tenant("Acme").await;
    let id = create(&tenant, "http://plain.example:9/", json!(["brand.create"])).await.expect(201).id();
    tenant.brand("One").await;
    let only = Destinations::with(vec!["127.0.0.1/32".parse().unwrap()]);
    let brief = Timeouts { connect: std::time::Duration::from_secs(1), total: std::time::Duration::from_secs(1) };
    let client = WebhookClient::asking(public, only, brief).unwrap();
    let keys = app.integrations.keys.clone();
    let mut workers = workers_with(&app, Sender { client, keys, view: subject_view, figures: Figures::default() });
    workers.round().await.unwrap();
    workers.finish().await;
    let said = deliveries(&tenant, &id).await[0]["lastError"].clone();
    assert_eq!(said, "Nothing was sent: plain.example resolves to 8.8.8.8, which is an address that needs https://.");
}
