//! One tenant's dead receiver delays nobody else.

use std::time::Duration;

use serde_json::json;
use tenantry_tests::{App, Receiver, Receiving};
use tokio::time::timeout;

use super::{behind_the_back, webhook, workers};

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

#[tokio::test]
async fn a_crowd_of_tenants_with_dead_receivers_does_not_stand_in_front_of_a_healthy_one() {
    let (app, dead, good) = (App::start().await, Receiver::start(), Receiver::start());
    dead.receive(Receiving::Hang);
    // What fails takes the half that it may take: four of eight, two of each tenant.
    for name in ["One", "Two"] {
        let tenant = app.tenant(name).await;
        for _ in 0..3 {
            webhook(&tenant, &dead, json!(["brand.create"])).await;
        }
        tenant.brand("One").await;
    }
    behind_the_back(&app, "UPDATE webhooks SET failures = 1");
    let mut workers = workers(&app);
    assert_eq!(workers.round().await.unwrap().begun, 4);
    // More tenants than a round looks at, each with a webhook that fails and has something to do since yesterday.
    behind_the_back(
        &app,
        "SET session_replication_role = replica;
         CREATE TEMP TABLE crowd AS SELECT gen_random_uuid() AS id, w.tenant_id AS like_tenant, w.id AS like_webhook
         FROM (SELECT * FROM webhooks LIMIT 1) AS w, generate_series(1, 150);
         INSERT INTO tenants SELECT (jsonb_populate_record(t, jsonb_build_object('id', crowd.id, 'external_id', NULL,
             'webhooks_due_at', now() - interval '1 day'))).* FROM crowd JOIN tenants AS t ON t.id = like_tenant;
         INSERT INTO webhooks SELECT (jsonb_populate_record(w, jsonb_build_object('tenant_id', crowd.id,
             'next_turn_at', now() - interval '1 day'))).* FROM crowd JOIN webhooks AS w ON w.id = like_webhook;
         INSERT INTO webhook_deliveries SELECT (jsonb_populate_record(d, jsonb_build_object('tenant_id', crowd.id,
             'next_attempt_at', now() - interval '1 day'))).* FROM crowd JOIN webhook_deliveries AS d ON d.webhook_id = like_webhook",
    );
    let quiet = app.tenant("Quiet").await;
    webhook(&quiet, &good, json!(["brand.create"])).await;
    quiet.brand("One").await;
    // One round is spent on the crowd, which is then not due for a while.
    let mut begun = 0;
    for _ in 0..3 {
        begun += workers.round().await.unwrap().begun;
    }
    assert_eq!(begun, 1, "the healthy one has its turn");
    good.until(1).await;
}
