//! Two hundred callers who create, update and read at once: nothing may fail, and no update may be lost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;
use tenantry_tests::Client;

use crate::{report::say, serving};

const CALLERS: u64 = 200;

/// Every tenth caller adds to a shared counter under `If-Match`; the rest work on workspaces of their own.
pub(crate) async fn run(time: Duration) {
    let app = serving().await;
    let tenant = app.tenant("Storm").await;
    let shared = format!("/api/workspaces/{}", tenant.workspace("0").await);
    let (answered, counted) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let until = Instant::now() + time;
    let callers: Vec<_> = (0..CALLERS)
        .map(|number| {
            let (client, shared) = (tenant.owner.clone(), shared.clone());
            let (answered, counted) = (Arc::clone(&answered), Arc::clone(&counted));
            tokio::spawn(async move {
                while Instant::now() < until {
                    let requests = if number % 10 == 0 {
                        count_up(&client, &shared, &counted).await
                    } else {
                        own_work(&client, number).await
                    };
                    answered.fetch_add(requests, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let (answered, counted) = (answered.load(Ordering::Relaxed), counted.load(Ordering::Relaxed));
    let name = tenant.owner.get(&shared).await.expect(200).text_of("name");
    assert_eq!(name, counted.to_string(), "every acknowledged update is in the counter");
    say!(
        "storm, {CALLERS} callers for {} s: {answered} requests, none failed; {counted} updates of one workspace under If-Match, none lost",
        time.as_secs()
    );
    app.handle.stop(false).await;
}

async fn count_up(client: &Client, path: &str, counted: &AtomicU64) -> u64 {
    let seen = client.get(path).await.expect(200);
    let next: u64 = seen.text_of("name").parse::<u64>().unwrap() + 1;
    let request =
        client.request("PATCH", path).header("If-Match", seen.etag()).json(&json!({ "name": next.to_string() }));
    let answer = client.send(request).await;
    if answer.status == 200 {
        counted.fetch_add(1, Ordering::Relaxed);
    } else {
        answer.expect(412);
    }
    2
}

async fn own_work(client: &Client, number: u64) -> u64 {
    let created = client
        .post("/api/workspaces", json!({ "name": format!("Caller {number}"), "country": "SE" }))
        .await
        .expect(201);
    let path = format!("/api/workspaces/{}", created.id());
    client.patch(&path, json!({ "workspaceType": "b2c" })).await.expect(200);
    client.get(&path).await.expect(200);
    client.get("/api/workspaces?limit=10&sort=-createdAt").await.expect(200);
    client.delete(&path).await.expect(204);
    5
}
