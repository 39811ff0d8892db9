//! One tenant's dead receiver delays nobody else.

use std::time::Duration;

use serde_json::json;
use tenantry_tests::{App, Receiver, Receiving};
use tokio::time::timeout;

use super::{webhook, workers};

#[tokio::test]
async fn receivers_that_hang_keep_nobody_else_waiting() {
    let (app, dead, good) = (App::start().await, Receiver::start(), Receiver::start());
    let (noisy, quiet) = (app.tenant("Noisy").await, app.tenant("Quiet").await);
    dead.receive(Receiving::Hang);
    for _ in 0..10 {
        webhook(&noisy, &dead, json!(["brand.create"])).await;
    }
    webhook(&quiet, &good, json!(["brand.create"])).await;
    for n in 0..10 {
        noisy.brand(&format!("Brand {n}")).await;
    }
    let mut workers = workers(&app);
    workers.round().await.unwrap();
    // Of its eight shares the noisy tenant has a quarter.
    dead.until(2).await;
    quiet.brand("One").await;
    workers.round().await.unwrap();
    // An event that is sent arrives at once. Half of what a dead receiver may take is no measure of how fast that is.
    let arrived = timeout(Duration::from_secs(7), good.until(1)).await;
    assert!(arrived.is_ok(), "the quiet tenant waits for the receivers of the noisy one");
    assert_eq!(workers.round().await.unwrap().begun, 0);
}
