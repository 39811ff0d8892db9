//! A service that is killed while it writes, and clients that send their requests again.

use futures_util::{StreamExt, stream::FuturesUnordered};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tenantry_tests::{Client, TestDatabase};

use super::kit::Tenantry;

const REQUESTS: usize = 40;

fn brand(n: usize) -> Value {
    json!({ "name": format!("Brand {n}"), "emailFromName": "Brand" })
}

/// Sends the request with this number; `None` where no whole answer came.
async fn send(client: &Client, n: usize) -> (usize, Option<(u16, String)>) {
    let request = client.request("POST", "/api/brands").header("Idempotency-Key", format!("\"request {n}\""));
    let Ok(response) = request.json(&brand(n)).send().await else { return (n, None) };
    let status = response.status().as_u16();
    (n, response.text().await.ok().map(|text| (status, text)))
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_again_after_a_kill_has_done_everything_once() {
    let database = TestDatabase::new();
    let tenantry = Tenantry::on(&database);
    let made = tenantry.json(&["tenant", "create", "--name", "Acme", "--country", "DE"]);
    let key = made["apiKey"].as_str().unwrap().to_owned();
    let mut answered = vec![None; REQUESTS];
    // Killed after so many answers, with the other requests anywhere on their way.
    for enough in [1, 7, 15] {
        let service = tenantry.serve();
        let client = service.client().with_key(&key);
        let mut requests: FuturesUnordered<_> = (0..REQUESTS).map(|n| send(&client, n)).collect();
        let mut count = 0;
        while let Some((n, answer)) = requests.next().await {
            count += 1;
            if count == enough {
                service.signal(Signal::SIGKILL);
            }
            let Some((201, text)) = answer else { continue };
            let before = answered[n].get_or_insert(text.clone());
            assert_eq!(*before, text, "a retry gets the first answer");
        }
        service.wait();
    }
    let service = tenantry.serve();
    let client = service.client().with_key(&key);
    for (n, before) in answered.into_iter().enumerate() {
        let (_, answer) = send(&client, n).await;
        let (status, text) = answer.unwrap();
        assert_eq!(status, 201, "{text}");
        assert!(before.is_none_or(|before| before == text));
    }
    let brands = "SELECT 1 FROM brands WHERE name LIKE 'Brand %'";
    assert_eq!(database.rows(brands), i64::try_from(REQUESTS).unwrap());
    assert_eq!(database.rows("SELECT DISTINCT name FROM brands WHERE name LIKE 'Brand %'"), database.rows(brands));
    let events = "SELECT 1 FROM audit_events WHERE action = 'brand.create'";
    assert_eq!(database.rows(events), i64::try_from(REQUESTS).unwrap());
}
