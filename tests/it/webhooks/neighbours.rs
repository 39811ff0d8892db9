//! One tenant's dead receiver delays nobody else.

use serde_json::json;
use tenantry_tests::{App, Receiver, Receiving};

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
    good.until(1).await;
    assert_eq!(workers.round().await.unwrap().begun, 0);
}
